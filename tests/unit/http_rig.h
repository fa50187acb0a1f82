/*
 * A role that serves HTTP, between a broker and clients that a test plays itself, at the other ends of socket pairs,
 * all in one process.
 *
 * Who includes this says: RIG_ROLE, the struct of the role, with its members role, http, broker, doc and scratch;
 * RIG_ATTACH, its function that takes a broker's descriptor; RIG_READ_MAX, the most that a client reads.
 */
#ifndef TESTS_HTTP_RIG_H
#define TESTS_HTTP_RIG_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "common/config.h"
#include "common/http/server.h"
#include "common/ipc.h"
#include "common/token.h"

#define RIG_SLOTS 8

struct rig {
	RIG_ROLE served;
	int broker; /* our end; -1: away */
	int client; /* the connection that a test speaks on */
	struct buf store;
	union ipc_any msg;
	char token[TOKEN_LEN + 1];
	char *got; /* what the client has read, NUL-terminated */
	size_t ngot;
};

static inline void rig_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	loop_stop(arg);
}

static inline void rig_pump(struct rig *r)
{
	const struct timeval now = {0, 0};

	for (int i = 0; i < 4; i++) {
		(void)event_base_once(loop_base(r->served.role.loop), -1, EV_TIMEOUT, rig_stop, r->served.role.loop,
				      &now);
		loop_run(r->served.role.loop);
	}
}

static inline void rig_pair(int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
}

static inline void rig_broker(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	if (r->broker >= 0)
		close(r->broker);
	r->broker = pair[0];
	RIG_ATTACH(&r->served, pair[1]);
	rig_pump(r);
}

/* A further connection; the one that was spoken on is the caller's to close. */
static inline int rig_connect(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	if (http_open(&r->served.http, pair[1], "127.0.0.1:50000") == NULL)
		abort();
	r->client = pair[0];
	return r->client;
}

/* With this configuration; the role is not yet made. */
static inline struct rig *rig_begin(enum ipc_role self, const char *config)
{
	struct rig *r = calloc(1, sizeof(*r));
	char error[CONFIG_ERROR_MAX] = "";

	if (r == NULL || sodium_init() < 0)
		abort();
	if (config_parse("rig", config, strlen(config), &r->served.role.config, error) != KG_OK) {
		fprintf(stderr, "rig: %s\n", error);
		abort();
	}
	r->served.role.self = self;
	r->served.role.loop = loop_new();
	r->got = calloc(1, RIG_READ_MAX + 1);
	buf_init(&r->store, IPC_FRAME_MAX);
	r->broker = -1;
	return r;
}

/* The role's connections end. */
static inline void rig_hang_up(struct rig *r)
{
	if (r->client >= 0)
		close(r->client);
	if (r->broker >= 0)
		close(r->broker);
	rig_pump(r);
	ipc_close(r->served.broker);
}

/* After that, and after what only this role has. */
static inline void rig_end(struct rig *r)
{
	loop_free(r->served.role.loop);
	config_free(r->served.role.config);
	json_free(&r->served.doc);
	buf_free(&r->served.scratch);
	buf_free(&r->store);
	free(r->served.http.slots);
	free(r->got);
	free(r);
}

/* Writes all of it, letting the role read in between. */
static inline void rig_write(struct rig *r, const char *bytes, size_t n)
{
	for (int tries = 0; n > 0 && tries < 10000; tries++) {
		ssize_t w = send(r->client, bytes, n, MSG_NOSIGNAL);

		if (w > 0) {
			bytes += w;
			n -= (size_t)w;
		}
		rig_pump(r);
	}
}

/* What the role says from here on; the text of it so far. */
static inline const char *rig_read(struct rig *r)
{
	r->ngot = 0;
	for (int idle = 0; idle < 2 && r->ngot < RIG_READ_MAX;) {
		ssize_t n;

		rig_pump(r);
		n = recv(r->client, r->got + r->ngot, RIG_READ_MAX - r->ngot, MSG_DONTWAIT);
		if (n > 0)
			r->ngot += (size_t)n;
		else
			idle++;
	}
	r->got[r->ngot] = '\0';
	return r->got;
}

/* Whether the role has ended its side of the connection. */
static inline bool rig_closed(struct rig *r)
{
	char byte;

	rig_pump(r);
	return recv(r->client, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* The status of what rig_read() got first; 0 when it is no answer. */
static inline int rig_status(const struct rig *r)
{
	return strncmp(r->got, "HTTP/1.1 ", 9) == 0 ? (int)strtol(r->got + 9, NULL, 10) : 0;
}

static inline bool rig_has(const struct rig *r, const char *text)
{
	return strstr(r->got, text) != NULL;
}

/* The body behind the first head. */
static inline const char *rig_body(const struct rig *r)
{
	const char *end = strstr(r->got, "\r\n\r\n");

	return end == NULL ? "" : end + 4;
}

/* The broker's next message when it is of this type; NULL when another, or none, came. Good until the next one. */
static inline const void *rig_take(struct rig *r, enum ipc_type type)
{
	struct pollfd p = {r->broker, POLLIN, 0};
	enum ipc_type got;
	int fd;

	rig_pump(r);
	buf_free(&r->store);
	if (poll(&p, 1, 0) != 1 || ipc_read_blocking(r->broker, 100, &r->store, &got, &r->msg, &fd) != KG_OK)
		return NULL;
	return got == type ? &r->msg : NULL;
}

static inline void rig_send(struct rig *r, enum ipc_type type, const void *msg)
{
	struct buf b;

	buf_init(&b, IPC_FRAME_MAX);
	if (ipc_encode(&b, type, msg) != KG_OK)
		fprintf(stderr, "rig: message %d cannot be encoded\n", (int)type);
	/* The role reads in between: a large message does not fit the socket at once. */
	for (int tries = 0; buf_len(&b) > 0 && tries < 10000; tries++) {
		ssize_t n = send(r->broker, buf_ptr(&b), buf_len(&b), MSG_NOSIGNAL);

		if (n > 0)
			buf_consume(&b, (size_t)n);
		rig_pump(r);
	}
	buf_free(&b);
}

/* Whether the role's link to its broker still stands. */
static inline bool rig_linked(struct rig *r)
{
	char byte;

	rig_pump(r);
	return r->served.broker != NULL && recv(r->broker, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0;
}

#endif
