/* One question by HTTP: a body that is posted, and the whole answer. Handles and connections are used again. */
#ifndef GATEWAYD_PDP_TRANSFER_H
#define GATEWAYD_PDP_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/outbound/header.h"
#include "common/outbound/http.h"

#define TRANSFER_CONNECTIONS_MAX 64 /* at once; more questions wait for one of them */
#define TRANSFER_HEAD_MAX 16384     /* bytes of an answer's header fields */

struct transfer;
struct transfer_pool;

enum transfer_end {
	TRANSFER_ANSWERED,
	TRANSFER_UNCONNECTED, /* nothing of it has left: there was no connection */
	TRANSFER_BROKEN,
	TRANSFER_TOO_LONG,
};

/* How one ended. Dead when the callback returns. */
struct transfer_result {
	enum transfer_end end;
	long status;
	bool json; /* Content-Type: application/json */
	const char *body;
	size_t len;
	const char *why; /* when not answered */
};

/* done() comes outside of libcurl: it may start others, and its own is over. */
struct transfer_pool *transfer_pool_new(struct loop *l, const struct http_config *c, size_t answer_max,
					void (*done)(void *arg, const struct transfer_result *r));
void transfer_pool_free(struct transfer_pool *p);

/*
 * Posts body, which is borrowed until the end, with these header lines, which are copied, and further ones: the media
 * types, and X-Request-ID. NULL when it cannot be started.
 */
struct transfer *transfer_start(struct transfer_pool *p, const struct headers *lines, const char *request_id,
				const struct buf *body, void *arg);
/* Breaks one off, without done(). NULL is fine. */
void transfer_drop(struct transfer *t);

#endif
