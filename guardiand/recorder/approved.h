/*
 * Which calls people have approved, by vaultd's own word as it went on record: a broker in an attacker's hands could
 * name an approval that nobody gave.
 */
#ifndef RECORDER_APPROVED_H
#define RECORDER_APPROVED_H

#include <stdbool.h>

#include "common/ipc.h"
#include "guardiand/recorder/store.h"

#define APPROVED_MAX 10000 /* the newest are kept */

struct approved;
/* Its table, in the store. Fatal when out of memory. */
struct approved *approved_new(struct store *s);
void approved_free(struct approved *x);

/* An event of vaultd that is on record; false when it is about no approval. */
bool approved_event(struct approved *x, struct ipc_bytes kind, struct ipc_bytes members);

/* Whether the approval that an intent names was given to this call, and was spent on no other. */
bool approved_is(struct approved *x, const struct ipc_intent *m);

#endif
