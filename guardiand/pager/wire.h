/* One request of a provider on its way, by HTTP or as a mail, and the whole answer. */
#ifndef GUARDIAND_PAGER_WIRE_H
#define GUARDIAND_PAGER_WIRE_H

#include "common/outbound/http.h"
#include "guardiand/pager/kind.h"

#define WIRE_TIMEOUT_MS 10000
#define WIRE_HEAD_MAX 16384 /* bytes of an answer's header fields */

struct wire;
struct wire_pool;

/* Dead when the callback returns. */
struct wire_result {
	bool answered; /* else nothing is known: it may have been taken */
	struct answer answer;
	const char *why; /* when not answered */
};

/* The connections of one channel. done() comes outside of libcurl; its own request is over. Fatal without memory. */
struct wire_pool *wire_pool_new(struct loop *l, const struct config_server *link, uint32_t timeout_ms,
				void (*done)(void *arg, const struct wire_result *r));
void wire_pool_free(struct wire_pool *p);

/* Sends a post, which is borrowed until the end; the letter until the return. NULL when it cannot be started. */
struct wire *wire_start(struct wire_pool *p, const struct letter *l, struct outgo *post, void *arg);
/* Breaks one off, without done(). NULL is fine. */
void wire_drop(struct wire *w);

#endif
