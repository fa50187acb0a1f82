/*
 * Repeated calls that wait for an approval: a modern client repeats its call with our requestState,
 * and instead of asking it again at once we wait a while for the person who decides. A held request is
 * no call yet: when its approval changes, or its time is up, it is run again from the start.
 */
#ifndef BROKER_HELD_H
#define BROKER_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"
#include "common/ipc.h"

#define HELD_MAX 256
#define HELD_PER_SESSION 32
#define HELD_BYTES_MAX (16ul * 1048576ul) /* of all held requests */

struct broker;
struct call_stop;
struct held;
struct peer;
struct session;

struct held *held_new(void); /* fatal when out of memory */
void held_free(struct held *h);

/* Keeps a copy of the request until due_ns. KG_E_LIMIT when there is no room: then it is to be answered at once. */
int held_add(struct broker *b, struct peer *front, const struct session *s, const struct ipc_request *q,
	     const uint8_t approval[ID_LEN], uint64_t due_ns) MUST_CHECK;

/* Whether this request of a front is held. */
bool held_has(const struct held *h, const struct peer *front, uint64_t request);

/* Runs again what waits for this approval; those whose approvals are gone; what is due. */
void held_wake(struct broker *b, const uint8_t approval[ID_LEN]);
void held_wake_orphans(struct broker *b);
/* Says whether something is still held. */
bool held_check(struct broker *b, uint64_t now_ns);

/* Drops what nobody waits for any more, and answers what a session's end has stopped. */
void held_request_gone(struct held *h, const struct peer *front, uint64_t request);
void held_front_lost(struct held *h, const struct peer *front);
void held_session_ended(struct held *h, const struct session *s, const struct call_stop *stop);
size_t held_count(const struct held *h);

#endif
