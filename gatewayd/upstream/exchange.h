/*
 * One HTTP request and its answer, as whole JSON messages: the body of a JSON answer, or the
 * events of a stream. Handles and their buffers are used again.
 */
#ifndef UPSTREAM_EXCHANGE_H
#define UPSTREAM_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/outbound/header.h"
#include "common/outbound/http.h"
#include "gatewayd/upstream/sse.h"

#define MCP_SESSION_MAX 512
#define EXCHANGE_HEADER_BYTES_MAX 65536u
#define EXCHANGE_HEADER_LINES_MAX 128u

struct exchange_pool;
struct exchange;

enum exchange_method { EXCHANGE_POST, EXCHANGE_GET };
enum exchange_type { EXCHANGE_OTHER, EXCHANGE_JSON, EXCHANGE_EVENTS };

struct exchange_end {
	bool answered;   /* a whole answer with an HTTP status came */
	bool begun;      /* a part of the request may have reached the server */
	const char *why; /* when not answered; dead when the callback returns */
};

/* Callbacks come outside of curl: an exchange may be freed and others may be started in them. */
struct exchange_ops {
	void (*message)(struct exchange *x, const char *text, size_t len, void *arg);
	void (*done)(struct exchange *x, const struct exchange_end *end, void *arg);
};

/* The pool registers itself with http. idle_max handles are kept. */
struct exchange_pool *exchange_pool_new(struct http *h, size_t idle_max);
void exchange_pool_free(struct exchange_pool *p);

/* A new exchange, to be filled by its headers and body; NULL without memory. */
struct exchange *exchange_new(struct exchange_pool *p, const struct exchange_ops *ops, void *arg);
/* Who is told from now on. */
void exchange_set_ops(struct exchange *x, const struct exchange_ops *ops, void *arg);
/* At any time; a running one is broken off, its connection closed. NULL is fine. */
void exchange_free(struct exchange *x);

struct headers *exchange_headers(struct exchange *x);
struct buf *exchange_body(struct exchange *x);
/* A secret part of the URL ("name=value", percent-encoded), wiped with the exchange. */
struct buf *exchange_query(struct exchange *x);

/* Sends; after done() it may be started again. KG_E_NOMEM. */
int exchange_start(struct exchange *x, enum exchange_method method) MUST_CHECK;

bool exchange_is_running(const struct exchange *x);
long exchange_status(const struct exchange *x); /* 0 until the answer's head has come */
enum exchange_type exchange_type(const struct exchange *x);
const char *exchange_session(const struct exchange *x); /* Mcp-Session-Id of the answer, or "" */
/* Of an event stream: what its events said last. */
const struct sse *exchange_sse(const struct exchange *x);

/* Wipes the request: at once, or for a stream that will stay open, when its answer begins. */
void exchange_forget_request(struct exchange *x);
void exchange_forget_when_answered(struct exchange *x);

#endif
