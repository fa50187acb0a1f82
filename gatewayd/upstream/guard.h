/*
 * What stands between the broker and the server: no call without the recorder's receipt for
 * exactly this call and vaultd's seal for exactly this call (architecture, section 2, step 4).
 */
#ifndef UPSTREAM_GUARD_H
#define UPSTREAM_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "gatewayd/upstream/echo.h"
#include "gatewayd/upstream/replay.h"

/*
 * A key shared with a daemon. When the daemon restarts, what was made under the key before stays
 * good as long as it could have stayed good anyway.
 */
struct guard_key {
	uint8_t now[HASH_LEN], before[HASH_LEN];
	bool has_now, has_before;
	uint64_t before_until_ns;
};

/* In guarded memory, for the keys. */
struct guard {
	const char *upstream; /* our own server's name and destination, never the asker's */
	const char *destination;
	struct guard_key receipt, seal;
	struct replay seen;
	struct echo *echo; /* knows what was opened here */
	/* A refusal that an honest asker cannot cause. */
	void (*report)(void *arg, uint8_t violation, const struct call_id *id, const uint8_t digest[HASH_LEN]);
	void *arg;
};

struct guard *guard_new(const char *upstream, const char *destination);
void guard_free(struct guard *g);

void guard_key_set(struct guard_key *k, const uint8_t key[HASH_LEN], uint64_t now_ns);
/* The daemon is gone: its key becomes the one before. */
void guard_key_drop(struct guard_key *k, uint64_t now_ns);

/* What came with a call. id.upstream is ignored: the guard puts its own. */
struct guard_claim {
	struct call_id id;
	uint64_t seq, expires_ns;
	const uint8_t *mac;
	const void *sealed;
	size_t sealed_len;
};

/*
 * Checks receipt, freshness and seal, in this order. 0: *creds is owned by the caller.
 * KG_E_UNAVAILABLE: there are no keys to check with. KG_E_DENIED: refused, and reported.
 * KG_E_LIMIT, KG_E_NOMEM: the set of seen calls is full.
 */
int guard_check(struct guard *g, const struct guard_claim *c, uint64_t now_ns,
		struct credential_set **creds) MUST_CHECK;

#endif
