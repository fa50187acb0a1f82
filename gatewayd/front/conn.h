/*
 * One HTTP connection: a request is read, answered, and then the next one is read. Pipelined requests wait
 * in a bounded buffer; a slow reader costs a bounded amount of memory.
 */
#ifndef GATEWAYD_FRONT_CONN_H
#define GATEWAYD_FRONT_CONN_H

#include "common/call.h"
#include "common/token.h"
#include "gatewayd/front/front.h"
#include "gatewayd/front/http1.h"

#define CONN_IDLE_S 75 /* between requests */
#define CONN_HEAD_S 10 /* from a head's first byte to its last */
#define CONN_BODY_S 30
#define CONN_WRITE_S 30     /* without the client taking a byte */
#define CONN_DRAIN_S 2      /* after a refusal, so that it is read before the reset */
#define CONN_KEEPALIVE_S 15 /* comments on a quiet stream */
#define CONN_OUT_MAX (2u * IPC_BODY_MAX + 65536u)
#define CONN_OUT_HIGH 65536u /* unread by the client: then no next request, and no more progress */
#define CONN_KEEP 65536u     /* room that a buffer keeps when it is empty */

#define RAW_ID_MAX 256
#define HEADER_MAX 512

enum conn_state { CONN_HEAD, CONN_BODY, CONN_WAITING, CONN_STREAMING, CONN_DRAINING };

/* What the header fields said, copied: the buffer moves on. Strings are empty when the field was absent. */
struct request_head {
	enum http1_method method;
	char server[64]; /* /mcp/SERVER; "" for /mcp */
	char token[TOKEN_LEN + 1];
	char version[32], mcp_method[128], mcp_session[65], origin[HEADER_MAX], mcp_name[HEADER_MAX];
	bool has_mcp_name, has_mcp_method;
	bool accepts_both, is_json;
	int refused; /* a status to answer with once the body has been read; 0: none */
};

/* The request that is being answered. */
struct open_request {
	uint8_t era, method;
	bool notification;
	char id[RAW_ID_MAX + 1];       /* raw bytes, "null" when it could not be read */
	char progress[RAW_ID_MAX + 1]; /* the client's raw progress token; "" */
};

struct conn {
	struct front *front;
	uint32_t slot, generation;
	int fd;
	enum conn_state state;
	struct event *readable, *writable;
	struct buf in, out, body;
	struct http1_scan scan;
	struct http1_chunks chunks;
	bool chunked, close_after, reading, in_process, dead;
	size_t body_left; /* Content-Length */
	unsigned long long deadline_ns, written_ns, keepalive_ns;
	char source[64];
	struct request_head head;
	struct open_request request;
};

/* Takes over an accepted socket. NULL when there is no memory or no slot (the socket is closed). */
struct conn *conn_open(struct front *f, int fd, const char *source);

/* The connection of a call's id, when it still waits for it; else NULL. */
struct conn *conn_of_call(struct front *f, uint64_t call);
uint64_t conn_call(const struct conn *c);

/* Answers the request and goes on with the next one. fields: further header lines, each ending in CRLF, or "". */
void conn_respond(struct conn *c, int status, const char *type, const char *fields, const void *body, size_t len);

/* Begins an event stream (text/event-stream); each event is one JSON text. */
void conn_stream_begin(struct conn *c, const char *fields);
void conn_stream_event(struct conn *c, const void *json, size_t len);
void conn_stream_end(struct conn *c);

/* Whether a new connection can be taken; not when calls run on all that there may be. */
bool conn_has_room(const struct front *f);

/* For one that has come: when there is no place, ends the one whose client has kept us waiting longest. */
void conn_make_room(struct front *f);

/* Called once a second: deadlines, keep-alive comments. */
void conn_sweep(struct conn *c, unsigned long long now_ns);

#endif
