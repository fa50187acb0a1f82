/* One call under way, and how its end is told to the broker. */
#ifndef UPSTREAM_CALL_H
#define UPSTREAM_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "gatewayd/upstream/rpc.h"
#include "gatewayd/upstream/wire.h"

struct call {
	TAILQ_ENTRY(call) link;
	struct upstream *u;
	uint64_t id; /* the broker's */
	struct rpc *rpc;
	struct wire_call_at at;
	char name[TOOL_NAME_MAX + 1];
	bool wants_progress;
	bool parked;    /* waits for a new session or a new listing */
	unsigned tries; /* how often it was parked */
	uint64_t deadline_ns;
	uint64_t epoch;                        /* the session in which it was sent */
	uint8_t txn[ID_LEN], digest[HASH_LEN]; /* what it is on record by */
	bool echoed;                           /* that is reported */
};

/* Tells the broker, and frees. */
void call_reply(struct call *c, enum result_status status, int32_t code, const char *message);
void call_done(struct call *c);
/* It was certainly not carried out: it waits to be sent again. */
void call_park(struct call *c);

/* The end of its request: a result, an error, or another try. */
void call_answer(struct call *c, const struct rpc_end *e);
void call_progress(struct call *c, const struct json_doc *d, uint32_t params);

/* A RESULT without a body. */
void answer_plain(struct upstream *u, uint64_t id, enum result_status status, int32_t code, const char *message);

#endif
