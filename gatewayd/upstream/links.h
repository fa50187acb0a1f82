/* Connections to the broker, the vault and the recorder, and which messages are taken from each. */
#ifndef UPSTREAM_LINKS_H
#define UPSTREAM_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "common/ipc.h"
#include "common/kx.h"

struct role;
struct upstream;

struct links {
	struct ipc_conn *broker, *vault, *recorder; /* NULL while away */
	struct kx_pair *pair;                       /* of the agreement with the vault that is under way */
	uint32_t index[3];                          /* of broker, vault, recorder, for asking again */
};

/* role.peer: takes a connection's descriptor. */
void links_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd);
/* Whether both keys are agreed, so that acts and calls can be checked. */
bool links_keyed(const struct upstream *u);

/* To the broker, when it is there. */
void links_down(struct upstream *u, const char *why);
/* To the recorder: a refusal of the guard. */
void links_violation(void *arg, uint8_t violation, const struct call_id *id, const uint8_t digest[HASH_LEN]);

#endif
