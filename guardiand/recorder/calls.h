/*
 * The calls that the recorder remembers: those that are open, and the last ones that are settled,
 * so that a transaction number is taken once and a resent outcome finds its record.
 */
#ifndef RECORDER_CALLS_H
#define RECORDER_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"

#define CALLS_OPEN_MAX 65536u    /* intents that wait for their outcome */
#define CALLS_SETTLED_MAX 16384u /* others; the oldest is forgotten first */

struct calls;

/* Borrowed until the next call of a function below. */
struct recorded_call {
	uint8_t txn[ID_LEN];
	uint64_t seq;      /* of the intent */
	uint64_t outcome;  /* seq of the outcome, 0 when there is none */
	const void *owner; /* the connection that will bring the outcome; NULL: none, or it is gone */
	bool allowed;
	bool self; /* an upstream role's own act */
};

/* Fatal without memory. */
struct calls *calls_new(void);
void calls_free(struct calls *c);

/* NULL when it is not remembered. */
const struct recorded_call *calls_find(const struct calls *c, const uint8_t txn[ID_LEN]);
/* Remembers a call whose number was not found; it is open when it has an owner. KG_E_LIMIT, KG_E_NOMEM. */
int calls_add(struct calls *c, const struct recorded_call *call) MUST_CHECK;
/* Whether calls_add() of an open call would pass the limit. */
bool calls_full(const struct calls *c);
/* The outcome is recorded. */
void calls_settle(struct calls *c, const uint8_t txn[ID_LEN], uint64_t outcome);
/* The connection is gone: its open calls have an uncertain end now. */
void calls_orphan(struct calls *c, const void *owner);
uint32_t calls_open_count(const struct calls *c);

#endif
