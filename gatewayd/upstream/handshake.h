/* Which era the server speaks, and the beginning of a session with it (digest 2.14). */
#ifndef UPSTREAM_HANDSHAKE_H
#define UPSTREAM_HANDSHAKE_H

#include <stdbool.h>

#include "gatewayd/upstream/rpc.h"

struct upstream;

/*
 * Fills the session's era, version, id and capabilities, with the session's credentials. failed is NULL
 * on success, else its why is set.
 */
void handshake_begin(struct upstream *u, void (*done)(struct upstream *u, const struct rpc_end *failed));

/* The stdio child died of the probe and another one is there, or it never answers: the old way. */
void handshake_legacy(struct upstream *u);
/* Whether the probe is what the server is working on. */
bool handshake_is_probing(const struct upstream *u);

#endif
