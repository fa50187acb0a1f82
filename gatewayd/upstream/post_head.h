/* The header lines of our requests. */
#ifndef UPSTREAM_POST_HEAD_H
#define UPSTREAM_POST_HEAD_H

#include "common/buf.h"
#include "common/call.h"
#include "common/outbound/header.h"
#include "gatewayd/upstream/rpc.h"

struct config_server;

/* Fatal when the configuration names a header that Keepgate writes itself. */
void post_head_check(const struct config_server *s);

/* Configured literal headers and credentials; a query credential goes to query as name=value, percent-encoded. */
int post_head_fixed(const struct upstream *u, struct headers *h, struct buf *query,
		    const struct credential_set *set) MUST_CHECK;
/* What the era asks of a POST; q->method NULL: a notification. */
int post_head_request(const struct upstream *u, struct headers *h, const struct rpc_request *q) MUST_CHECK;
/* What the legacy era asks of a GET; last_event "" for a new stream. */
int post_head_get(const struct upstream *u, struct headers *h, const char *last_event) MUST_CHECK;

#endif
