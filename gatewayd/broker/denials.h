/*
 * How many refused tokens are put on record: a client that has none must not be able to fill the
 * audit log. Past the bound the refusal stands, and the next record says how many came before it.
 */
#ifndef BROKER_DENIALS_H
#define BROKER_DENIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc.h"

#define DENIALS_PER_SOURCE 10 /* in a second, from one address */
#define DENIALS_PER_SECOND 100

struct denials;
struct denials *denials_new(void); /* fatal when out of memory */
void denials_free(struct denials *d);

/* Whether this one is to be recorded. source is "address:port"; *unrecorded gets how many were passed over since the
 * last. */
bool denials_take(struct denials *d, struct ipc_bytes source, uint64_t now_ns, uint64_t *unrecorded);

#endif
