/*
 * The AuthZEN endpoint between a broker and clients that a test plays itself, at the other ends of socket pairs, all
 * in one process.
 */
#ifndef TESTS_AUTHZEN_RIG_H
#define TESTS_AUTHZEN_RIG_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "gatewayd/authzen/authzen.h"

#define RIG_SLOTS 8
#define RIG_READ_MAX (5u << 20)
/* Tokens are "all", "app" and "reader"; their hashes are put in. */
#define RIG_CONFIG                                                                                                     \
	"{\"authzen\":{\"listen\":{\"port\":8933}%s,\"callers\":["                                                     \
	"{\"name\":\"all\",\"token_sha256\":\"%s\",\"trusted\":true,\"search\":true},"                                 \
	"{\"name\":\"app\",\"token_sha256\":\"%s\",\"subject_types\":[\"user\"],\"actions\":[\"read\",\"list*\"],"     \
	"\"resource_types\":[\"record\",\"Docs::*\"],\"search\":true},"                                                \
	"{\"name\":\"reader\",\"token_sha256\":\"%s\"}]},\"mcpServers\":{}}"

struct rig {
	struct authzen a;
	int broker; /* our end; -1: away */
	int client; /* the connection that a test speaks on */
	struct buf store;
	union ipc_any msg;
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
		(void)event_base_once(loop_base(r->a.role.loop), -1, EV_TIMEOUT, rig_stop, r->a.role.loop, &now);
		loop_run(r->a.role.loop);
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
	authzen_attach(&r->a, pair[1]);
	rig_pump(r);
}

/* A further connection; the one that was spoken on is the caller's to close. */
static inline int rig_connect(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	if (http_open(&r->a.http, pair[1], "127.0.0.1:50000") == NULL)
		abort();
	r->client = pair[0];
	return r->client;
}

static inline void rig_hash(const char *token, char hex[65])
{
	uint8_t hash[HASH_LEN];

	sha256(token, strlen(token), hash);
	sodium_bin2hex(hex, 65, hash, HASH_LEN);
}

/* more: further members of "authzen", each with a comma before it. */
static inline struct rig *rig_new_with(const char *more)
{
	struct rig *r = calloc(1, sizeof(*r));
	char error[CONFIG_ERROR_MAX] = "", json[2048], all[65], app[65], reader[65];

	if (r == NULL || sodium_init() < 0)
		abort();
	rig_hash("all", all);
	rig_hash("app", app);
	rig_hash("reader", reader);
	snprintf(json, sizeof(json), RIG_CONFIG, more, all, app, reader);
	if (config_parse("rig", json, strlen(json), &r->a.role.config, error) != KG_OK) {
		fprintf(stderr, "rig: %s\n", error);
		abort();
	}
	r->a.role.self = IPC_ROLE_AUTHZEN;
	r->a.role.loop = loop_new();
	authzen_serve(&r->a, RIG_SLOTS);
	r->got = calloc(1, RIG_READ_MAX + 1);
	buf_init(&r->store, IPC_FRAME_MAX);
	r->broker = -1;
	rig_broker(r);
	rig_connect(r);
	return r;
}

static inline struct rig *rig_new(void)
{
	return rig_new_with("");
}

static inline void rig_free(struct rig *r)
{
	if (r->client >= 0)
		close(r->client);
	if (r->broker >= 0)
		close(r->broker);
	rig_pump(r);
	ipc_close(r->a.broker);
	event_free(r->a.overdue);
	loop_free(r->a.role.loop);
	config_free(r->a.role.config);
	json_free(&r->a.doc);
	buf_free(&r->a.scratch);
	buf_free(&r->a.metadata);
	buf_free(&r->store);
	free(r->a.http.slots);
	free(r->got);
	free(r);
}

/* Writes all of it, letting the endpoint read in between. */
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

/* What the endpoint says from here on; the text of it so far. */
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

/* One request of this line and body; token NULL: none. fields are further header lines, each with its CRLF. */
static inline void rig_request(struct rig *r, const char *line, const char *token, const char *fields, const char *body)
{
	size_t size = strlen(line) + strlen(fields) + strlen(body) + 512;
	char *text = malloc(size);
	int n = snprintf(text, size, "%s HTTP/1.1\r\nHost: pdp.example.com\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s",
			 line, token == NULL ? "" : "Authorization: Bearer ", token == NULL ? "" : token,
			 token == NULL ? "" : "\r\n", fields, strlen(body), body);

	rig_write(r, text, (size_t)n);
	free(text);
}

#define RIG_JSON "Content-Type: application/json\r\n"

/* A question of this caller to a path below /access/v1/. */
static inline void rig_post(struct rig *r, const char *token, const char *path, const char *body)
{
	char line[128];

	snprintf(line, sizeof(line), "POST /access/v1/%s", path);
	rig_request(r, line, token, RIG_JSON, body);
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

/* The broker's next question; NULL when none came. Good until the next one. */
static inline const struct ipc_authz_ask *rig_ask(struct rig *r)
{
	struct pollfd p = {r->broker, POLLIN, 0};
	enum ipc_type got;
	int fd;

	rig_pump(r);
	buf_free(&r->store);
	if (poll(&p, 1, 0) != 1 || ipc_read_blocking(r->broker, 100, &r->store, &got, &r->msg, &fd) != KG_OK)
		return NULL;
	return got == IPC_AUTHZ_ASK ? (const void *)&r->msg : NULL;
}

static inline void rig_answer(struct rig *r, const struct ipc_authz_answer *m)
{
	struct buf b;

	buf_init(&b, IPC_FRAME_MAX);
	if (ipc_encode(&b, IPC_AUTHZ_ANSWER, m) != KG_OK)
		fprintf(stderr, "rig: the answer cannot be encoded\n");
	for (int tries = 0; buf_len(&b) > 0 && tries < 10000; tries++) {
		ssize_t n = send(r->broker, buf_ptr(&b), buf_len(&b), MSG_NOSIGNAL);

		if (n > 0)
			buf_consume(&b, (size_t)n);
		rig_pump(r);
	}
	buf_free(&b);
}

static inline void rig_decide(struct rig *r, uint64_t ask, bool allow, const char *context)
{
	struct ipc_authz_answer m = {
		.ask = ask, .decision = allow ? DECISION_ALLOW : DECISION_DENY, .json = ipc_text(context)};

	rig_answer(r, &m);
}

static inline void rig_found(struct rig *r, uint64_t ask, uint32_t total, const char *ids)
{
	struct ipc_authz_answer m = {.ask = ask, .total = total, .json = ipc_text(ids)};

	rig_answer(r, &m);
}

/* Whether the endpoint's link to its broker still stands. */
static inline bool rig_linked(struct rig *r)
{
	char byte;

	rig_pump(r);
	return r->a.broker != NULL && recv(r->broker, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0;
}

#endif
