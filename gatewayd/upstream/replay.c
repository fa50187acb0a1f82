#include "gatewayd/upstream/replay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256u

void replay_init(struct replay *r)
{
	memset(r, 0, sizeof(*r));
	randombytes_buf(r->key, sizeof(r->key));
}

void replay_free(struct replay *r)
{
	free(r->now.slot);
	free(r->before.slot);
	memset(r, 0, sizeof(*r));
}

static bool is_free(const uint8_t *slot)
{
	uint64_t half[2];

	memcpy(half, slot, sizeof(half));
	return (half[0] | half[1]) == 0;
}

/* The slot of a digest, or the free one where it would go. The table is never full. */
static uint8_t *slot_find(const struct replay *r, const struct replay_generation *g, const uint8_t *digest)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t at;

	crypto_shorthash(hash, digest, REPLAY_KEPT, r->key);
	memcpy(&at, hash, sizeof(at));
	for (;; at++) {
		uint8_t *slot = g->slot[at & (g->cap - 1)];

		if (memcmp(slot, digest, REPLAY_KEPT) == 0 || is_free(slot))
			return slot;
	}
}

static bool generation_has(const struct replay *r, const struct replay_generation *g, const uint8_t *digest)
{
	return g->cap > 0 && memcmp(slot_find(r, g, digest), digest, REPLAY_KEPT) == 0;
}

static int generation_grow(struct replay *r, struct replay_generation *g)
{
	struct replay_generation more = {.cap = g->cap ? g->cap * 2 : FIRST_SLOTS, .n = g->n};

	if (g->n >= REPLAY_ENTRIES_MAX)
		return KG_E_LIMIT;
	more.slot = calloc(more.cap, REPLAY_KEPT);
	if (!more.slot)
		return KG_E_NOMEM;
	for (size_t i = 0; i < g->cap; i++)
		if (!is_free(g->slot[i]))
			memcpy(slot_find(r, &more, g->slot[i]), g->slot[i], REPLAY_KEPT);
	free(g->slot);
	*g = more;
	return 0;
}

static void turn(struct replay *r, uint64_t now_ns)
{
	bool both = now_ns >= r->turn_ns + RECEIPT_TTL_NS;

	free(r->before.slot);
	r->before = r->now;
	memset(&r->now, 0, sizeof(r->now));
	if (both) {
		free(r->before.slot);
		memset(&r->before, 0, sizeof(r->before));
	}
	r->turn_ns = now_ns + RECEIPT_TTL_NS;
}

int replay_add(struct replay *r, const uint8_t digest[HASH_LEN], uint64_t now_ns)
{
	if (now_ns >= r->turn_ns)
		turn(r, now_ns);
	/* The free mark can be no digest's: a hash of all zero does not happen, and is refused if it does. */
	if (is_free(digest) || generation_has(r, &r->now, digest) || generation_has(r, &r->before, digest))
		return KG_E_EXISTS;
	if (r->now.n >= r->now.cap / 2) {
		int err = generation_grow(r, &r->now);
		if (err != 0)
			return err;
	}
	memcpy(slot_find(r, &r->now, digest), digest, REPLAY_KEPT);
	r->now.n++;
	return 0;
}
