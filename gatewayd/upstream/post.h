/*
 * The HTTP side of requests: header lines in the server's era, answers as JSON or as an event
 * stream, streams that are resumed (2025-11-25), notifications that nobody waits for.
 */
#ifndef UPSTREAM_POST_H
#define UPSTREAM_POST_H

#include <stdint.h>

#include "common/buf.h"
#include "common/call.h"
#include "gatewayd/upstream/rpc.h"

#define POST_LOOSE_MAX 256 /* exchanges that end by themselves: notes, answered streams that are about to close */

struct exchange;
struct exchange_pool;
struct http;

struct post {
	struct http *http;
	struct exchange_pool *pool;
	struct {
		struct exchange *x;
		uint64_t until_ns;
	} loose[POST_LOOSE_MAX];
	unsigned nloose;
	struct event *tidy;
};

/* Before the lock. Fatal for a configuration that cannot be used. */
void post_init(struct upstream *u);

int post_open(struct rpc *r) MUST_CHECK;
int post_authorize(struct rpc *r, const struct credential_set *set) MUST_CHECK;
int post_authorize_like(struct rpc *r, const struct rpc *from) MUST_CHECK;
int post_send(struct rpc *r, const struct rpc_request *q) MUST_CHECK;
void post_close(struct rpc *r);
/* KG_E_STATE when `like` is NULL: there is no credential at hand. */
int post_note(struct upstream *u, const struct rpc *like, const struct buf *body) MUST_CHECK;

#endif
