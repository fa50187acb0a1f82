/* Counts over a window that moves in parts, and the hash of keys and values. */
#include <string.h>

#include <sodium.h>

#include "common/guardian/state.h"

_Static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "SipHash-2-4");

uint64_t guard_hash(const uint8_t key[16], uint64_t seed, const void *p, size_t n)
{
	uint8_t seeded[16];
	uint64_t h;

	for (size_t i = 0; i < sizeof(seeded); i++)
		seeded[i] = (uint8_t)(key[i] ^ (i < 8 ? seed >> (8 * i) : 0));
	crypto_shorthash((uint8_t *)&h, p, n, seeded);
	return h == 0 ? 1 : h;
}

size_t window_at(struct window *w, uint64_t window_us, uint64_t ts_us)
{
	uint64_t part_us = window_us / WINDOW_PARTS, part = ts_us / (part_us == 0 ? 1 : part_us);

	if (part > w->newest) {
		uint64_t step = part - w->newest;

		if (step >= WINDOW_PARTS)
			memset(w->part, 0, sizeof(w->part));
		for (uint64_t i = 1; step < WINDOW_PARTS && i <= step; i++)
			w->part[(w->newest + i) % WINDOW_PARTS] = 0;
		w->newest = part;
	}
	return w->newest - part >= WINDOW_PARTS ? WINDOW_PARTS : (size_t)(part % WINDOW_PARTS);
}

uint64_t window_sum(const struct window *w)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < WINDOW_PARTS; i++)
		sum += w->part[i];
	return sum;
}
