/*
 * An HTTP/1.1 server: its listening socket, its connections, and the service that gives requests a meaning.
 * A request is read, answered, and then the next one is read. Pipelined requests wait in a bounded buffer; a
 * slow reader costs a bounded amount of memory.
 */
#ifndef COMMON_HTTP_SERVER_H
#define COMMON_HTTP_SERVER_H

#include "common/http/http1.h"
#include "common/loop.h"

#define HTTP_IDLE_S 75 /* between requests */
#define HTTP_HEAD_S 10 /* from a head's first byte to its last */
#define HTTP_BODY_S 30
#define HTTP_WRITE_S 30      /* without the client taking a byte */
#define HTTP_DRAIN_S 2       /* after a refusal, so that it is read before the reset */
#define HTTP_KEEPALIVE_S 15  /* comments on a quiet stream */
#define HTTP_OUT_HIGH 65536u /* unread by the client: then no next request, and no more progress */
#define HTTP_KEEP 65536u     /* room that a buffer keeps when it is empty */

enum http_state { HTTP_HEAD, HTTP_BODY, HTTP_WAITING, HTTP_STREAMING, HTTP_DRAINING };

struct http_server;

/* The server's part of a connection. A service has its own part behind it, in one block (http_server.conn_size). */
struct http_conn {
	struct http_server *server;
	uint32_t slot, generation;
	int fd;
	enum http_state state;
	struct event *readable, *writable;
	struct buf in, out, body;
	struct http1_scan scan;
	struct http1_chunks chunks;
	bool chunked, close_after, reading, in_process, dead;
	bool refused;     /* by its head: the body is not waited for */
	bool bodiless;    /* HEAD: the answer goes without its body (RFC 9110, section 9.3.2) */
	size_t body_left; /* Content-Length */
	unsigned long long deadline_ns, written_ns, keepalive_ns;
	char source[64]; /* "address:port" of the client */
};

/* What requests mean. All are called in the loop; one request of a connection at a time. */
struct http_service {
	/* The service's part of a connection is made ready for a request; zeroed before the first one. */
	void (*ready)(struct http_conn *c);
	/* A head has come: what matters is copied. False: its body is not wanted. */
	bool (*head)(struct http_conn *c, const struct http1_head *h);
	/* A request is whole; body is borrowed for the call ("" where it was not wanted). To be answered now or later.
	 */
	void (*body)(struct http_conn *c, const char *body, size_t len);
	/* The client has gone while its request was under way. */
	void (*gone)(struct http_conn *c);
	/* Answers what is no request, with this status; the connection ends after it. */
	void (*refuse)(struct http_conn *c, int status);
	/* Header lines that every answer has; NULL: none. */
	int (*fields)(struct http_conn *c, struct buf *out);
};

struct http_server {
	const struct http_service *service;
	void *arg; /* the service's own */
	struct loop *loop;
	size_t conn_size;         /* of a connection with the service's part */
	size_t max_body, out_max; /* bytes of a request's body; of answers that the client has not taken */
	struct http_conn **slots; /* a connection has a slot; a call's id names slot and generation */
	uint32_t nslots, used;
	uint32_t generation;
	struct event *accepting, *sweep;
	char date[40]; /* the Date field's value, made each second */
	long long date_second;
};

/* Serves the listening socket fd, and looks at deadlines once a second. Fatal when it cannot. */
void http_start(struct http_server *s, int fd);

/* Takes over an accepted socket. NULL when there is no memory or no slot (the socket is closed). */
struct http_conn *http_open(struct http_server *s, int fd, const char *source);

/* The connection of a call's id, when it still waits for it; else NULL. */
struct http_conn *http_of_call(struct http_server *s, uint64_t call);
uint64_t http_call(const struct http_conn *c);

/*
 * Answers the request and goes on with the next one. fields: further header lines, each ending in CRLF, or "";
 * type NULL: none.
 */
void http_respond(struct http_conn *c, int status, const char *type, const char *fields, const void *body, size_t len);

/* Begins an event stream (text/event-stream); each event is one JSON text. */
void http_stream_begin(struct http_conn *c, const char *fields);
void http_stream_event(struct http_conn *c, const void *json, size_t len);
void http_stream_end(struct http_conn *c);

/* Whether a new connection can be taken; not when calls run on all that there may be. */
bool http_has_room(const struct http_server *s);

/* For one that has come: when there is no place, ends the one whose client has kept us waiting longest. */
void http_make_room(struct http_server *s);

/* Called once a second: deadlines, keep-alive comments. */
void http_sweep(struct http_conn *c, unsigned long long now_ns);

#endif
