/*
 * The standing stream on which a server says that its tools have changed: the GET stream of the
 * legacy era, subscriptions/listen of the modern one. A legacy stdio server just says it.
 */
#ifndef UPSTREAM_WATCH_H
#define UPSTREAM_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "gatewayd/upstream/exchange.h"
#include "gatewayd/upstream/rpc.h"

struct upstream;

struct watch {
	struct rpc *rpc;    /* modern */
	struct exchange *x; /* legacy */
	bool refused;       /* the server offers none */
	uint64_t epoch;     /* of the session that refused */
	uint64_t begun_ns;
	uint32_t delay_ms;
	struct event *again;
};

/* Opens it when the server offers one and it is not open; within an act, with its credentials. */
void watch_start(struct upstream *u, const struct credential_set *creds);
void watch_stop(struct upstream *u);

#endif
