/* What is checked of a call before anything is made of it. */
#ifndef UPSTREAM_CALL_CHECK_H
#define UPSTREAM_CALL_CHECK_H

#include "common/call.h"
#include "common/ipc.h"
#include "gatewayd/upstream/wire.h"

struct upstream;

/* Receipt, freshness, seal, over the digest of exactly what came. As guard_check(). */
int call_check_guard(struct upstream *u, const struct ipc_call *m, struct credential_set **creds,
		     uint8_t digest[HASH_LEN]) MUST_CHECK;

/* Why the server cannot take a call now, or NULL. Dead with the next change of the session. */
const char *call_not_now(struct upstream *u);

/* Method, arguments and _meta; *meta gets the members to forward, u->args the arguments. KG_E_PROTO with *why. */
int call_check_form(struct upstream *u, const struct ipc_call *m, struct wire_bytes *meta, const char **why) MUST_CHECK;

#endif
