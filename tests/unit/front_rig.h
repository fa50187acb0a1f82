/*
 * A front between a broker and clients that a test plays itself, at the other ends of socket pairs, all
 * in one process.
 */
#ifndef TESTS_FRONT_RIG_H
#define TESTS_FRONT_RIG_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "common/token.h"
#include "gatewayd/front/mcp.h"

#define RIG_HOST "127.0.0.1:8931"
#define RIG_SLOTS 8
#define RIG_READ_MAX (9u << 20)
#define RIG_CONFIG                                                                                                     \
	"{\"listen\":{\"port\":8931,\"allowed_origins\":[\"https://tools.example.com\"]},"                             \
	"\"limits\":{\"max_body\":4194304},\"mcpServers\":{\"notes\":{\"command\":\"/bin/notes\"}}}"

struct rig {
	struct front f;
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
		(void)event_base_once(loop_base(r->f.role.loop), -1, EV_TIMEOUT, rig_stop, r->f.role.loop, &now);
		loop_run(r->f.role.loop);
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
	broker_attach(&r->f, pair[1]);
	rig_pump(r);
}

/* A further connection; the one that was spoken on is the caller's to close. */
static inline int rig_connect(struct rig *r)
{
	int pair[2];

	rig_pair(pair);
	if (http_open(&r->f.http, pair[1], "127.0.0.1:50000") == NULL)
		abort();
	r->client = pair[0];
	return r->client;
}

static inline struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof(*r));
	char error[CONFIG_ERROR_MAX] = "";

	if (r == NULL || sodium_init() < 0)
		abort();
	if (config_parse("rig", RIG_CONFIG, strlen(RIG_CONFIG), &r->f.role.config, error) != KG_OK) {
		fprintf(stderr, "rig: %s\n", error);
		abort();
	}
	r->f.role.self = IPC_ROLE_FRONT;
	r->f.role.loop = loop_new();
	r->f.port = 8931;
	front_serve(&r->f, RIG_SLOTS);
	r->got = calloc(1, RIG_READ_MAX + 1);
	json_init(&r->f.doc);
	buf_init(&r->f.scratch, CONN_OUT_MAX);
	buf_init(&r->store, IPC_FRAME_MAX);
	token_make(r->token);
	r->broker = -1;
	rig_broker(r);
	rig_connect(r);
	return r;
}

static inline void rig_free(struct rig *r)
{
	if (r->client >= 0)
		close(r->client);
	if (r->broker >= 0)
		close(r->broker);
	rig_pump(r);
	ipc_close(r->f.broker);
	loop_free(r->f.role.loop);
	config_free(r->f.role.config);
	json_free(&r->f.doc);
	buf_free(&r->f.scratch);
	buf_free(&r->store);
	free(r->f.http.slots);
	free(r->got);
	free(r);
}

/* Writes all of it, letting the front read in between. */
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

/* What the front says from here on; the text of it so far. */
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

/* Whether the front has ended its side of the connection. */
static inline bool rig_closed(struct rig *r)
{
	char byte;

	rig_pump(r);
	return recv(r->client, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* One request of this head and body; fields are further header lines, each with its CRLF. */
static inline void rig_request(struct rig *r, const char *line, const char *fields, const char *body)
{
	size_t size = strlen(line) + strlen(fields) + strlen(body) + 256;
	char *text = malloc(size);
	int n = snprintf(text, size,
			 "%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%sContent-Length: %zu\r\n\r\n%s", line,
			 RIG_HOST, r->token, fields, strlen(body), body);

	rig_write(r, text, (size_t)n);
	free(text);
}

#define RIG_MEDIA "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
#define RIG_VERSION "MCP-Protocol-Version: 2026-07-28\r\n"
#define RIG_ENVELOPE                                                                                                   \
	"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                                  \
	"\"io.modelcontextprotocol/clientCapabilities\":{}"

static inline void rig_post(struct rig *r, const char *fields, const char *body)
{
	char all[2048];

	snprintf(all, sizeof(all), RIG_MEDIA "%s", fields);
	rig_request(r, "POST /mcp", all, body);
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
	/* The front reads in between: a large message does not fit the socket at once. */
	for (int tries = 0; buf_len(&b) > 0 && tries < 10000; tries++) {
		ssize_t n = send(r->broker, buf_ptr(&b), buf_len(&b), MSG_NOSIGNAL);

		if (n > 0)
			buf_consume(&b, (size_t)n);
		rig_pump(r);
	}
	buf_free(&b);
}

static inline void rig_result(struct rig *r, uint64_t call, const char *body, const char *session)
{
	struct ipc_reply m = {.call = call,
			      .kind = REPLY_RESULT,
			      .http_status = 200,
			      .mcp_session = ipc_text(session),
			      .body = ipc_text(body)};

	rig_send(r, IPC_REPLY, &m);
}

static inline void rig_error(struct rig *r, uint64_t call, uint32_t http, int32_t code, const char *text)
{
	struct ipc_reply m = {
		.call = call, .kind = REPLY_ERROR, .http_status = http, .code = code, .message = ipc_text(text)};

	rig_send(r, IPC_REPLY, &m);
}

static inline void rig_accepted(struct rig *r, uint64_t call, uint32_t http)
{
	struct ipc_reply m = {.call = call, .kind = REPLY_ACCEPTED, .http_status = http};

	rig_send(r, IPC_REPLY, &m);
}

static inline void rig_progress(struct rig *r, uint64_t call, const char *members)
{
	struct ipc_progress m = {.call = call, .members = ipc_text(members)};

	rig_send(r, IPC_PROGRESS, &m);
}

/* Whether the front's link to its broker still stands. */
static inline bool rig_linked(struct rig *r)
{
	char byte;

	rig_pump(r);
	return r->f.broker != NULL && recv(r->broker, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0;
}

#endif
