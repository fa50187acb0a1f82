/*
 * The digests of calls that were let through, remembered until their receipts have surely expired.
 * Two generations of one TTL each; the older one is forgotten as a whole.
 */
#ifndef UPSTREAM_REPLAY_H
#define UPSTREAM_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "common/call.h"
#include "common/err.h"

#define REPLAY_ENTRIES_MAX 4194304u /* of one generation: beyond it nothing is let through */
#define REPLAY_KEPT 16              /* bytes of a digest that are kept */
_Static_assert(REPLAY_KEPT == 2 * sizeof(uint64_t), "is_free() reads two words");

struct replay_generation {
	uint8_t (*slot)[REPLAY_KEPT]; /* open addressing; all zero is free */
	size_t cap, n;
};

struct replay {
	struct replay_generation now, before;
	uint64_t turn_ns;                       /* when now becomes before */
	uint8_t key[crypto_shorthash_KEYBYTES]; /* so that no sender can aim at one slot */
};

void replay_init(struct replay *r);
void replay_free(struct replay *r);

/* Remembers a digest. KG_E_EXISTS when it was there, KG_E_LIMIT, KG_E_NOMEM: then it must not pass. */
int replay_add(struct replay *r, const uint8_t digest[HASH_LEN], uint64_t now_ns) MUST_CHECK;

#endif
