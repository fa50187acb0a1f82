#include "common/json_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/json_text.h"

#define PAIRWISE_MAX 12 /* up to here comparing all pairs is cheaper than hashing */
#define HASH_BLOCK 256  /* bytes hashed at once; a longer name is a chain of blocks */

/* A client that knew the key could choose names that fall into one slot, and make us slow. */
static uint8_t hash_key[crypto_shorthash_KEYBYTES];
static bool hash_key_set;

void json_names_init(void)
{
	if (hash_key_set)
		return;
	crypto_shorthash_keygen(hash_key);
	hash_key_set = true;
}

static struct json_chars name_chars(const struct json_doc *d, uint32_t t)
{
	const uint8_t *text = (const uint8_t *)d->text;

	return (struct json_chars){text + d->tok[t].start + 1, text + d->tok[t].end - 1};
}

static bool same_after_unescaping(struct json_chars a, struct json_chars b)
{
	uint8_t x[4], y[4];

	for (;;) {
		size_t n = json_chars_next(&a, x), m = json_chars_next(&b, y);

		if (n != m || memcmp(x, y, n) != 0)
			return false;
		if (n == 0)
			return true;
	}
}

static bool same_name(const struct json_doc *d, uint32_t a, uint32_t b)
{
	const struct json_tok *x = &d->tok[a], *y = &d->tok[b];

	if (x->escaped || y->escaped)
		return same_after_unescaping(name_chars(d, a), name_chars(d, b));
	return x->end - x->start == y->end - y->start &&
	       memcmp(d->text + x->start, d->text + y->start, x->end - x->start) == 0;
}

/* Fills a block with characters from c; gives the number of bytes. Only whole characters, so both spellings agree. */
static size_t fill_block(struct json_chars *c, uint8_t *block, size_t size)
{
	size_t n = 0;

	while (n + 4 <= size && c->p < c->end)
		n += json_chars_next(c, block + n);
	return n;
}

static uint64_t name_hash(const struct json_doc *d, uint32_t t)
{
	struct json_chars c = name_chars(d, t);
	uint8_t block[8 + HASH_BLOCK] = {0};
	uint64_t hash;

	_Static_assert(crypto_shorthash_BYTES == sizeof(hash), "a hash chains as the block's head");
	do {
		size_t n = fill_block(&c, block + 8, HASH_BLOCK);

		crypto_shorthash(block, block, 8 + n, hash_key);
	} while (c.p < c.end);
	memcpy(&hash, block, sizeof(hash));
	return hash;
}

static int check_pairs(const struct json_doc *d, uint32_t object, uint32_t *again)
{
	uint32_t name[PAIRWISE_MAX], n = 0;

	for (uint32_t t = object + 1; t < d->tok[object].next; t = d->tok[t + 1].next) {
		for (uint32_t i = 0; i < n; i++) {
			if (same_name(d, name[i], t)) {
				*again = t;
				return KG_E_PROTO;
			}
		}
		name[n++] = t;
	}
	return 0;
}

/* At least twice as many empty slots as names. */
static int make_slots(struct json_doc *d, uint32_t names, uint32_t *mask)
{
	uint32_t n = 32;
	uint64_t *slots;

	while (n < names * 2)
		n *= 2;
	if (n > d->nslots) {
		slots = realloc(d->slots, n * sizeof(*slots));
		if (slots == NULL)
			return KG_E_NOMEM;
		d->slots = slots;
		d->nslots = n;
	}
	memset(d->slots, 0, n * sizeof(*d->slots));
	*mask = n - 1;
	return 0;
}

/* A slot holds the hash's upper half and the name's token (never 0: token 0 is no name). */
static int check_hashed(struct json_doc *d, uint32_t object, uint32_t *again)
{
	uint32_t mask = 0;
	int r = make_slots(d, d->tok[object].count, &mask);

	if (r != 0)
		return r;
	for (uint32_t t = object + 1; t < d->tok[object].next; t = d->tok[t + 1].next) {
		uint64_t hash = name_hash(d, t), *slot;

		for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
			slot = &d->slots[i];
			if (*slot == 0)
				break;
			if (*slot >> 32 == hash >> 32 && same_name(d, (uint32_t)*slot, t)) {
				*again = t;
				return KG_E_PROTO;
			}
		}
		*slot = (hash >> 32 << 32) | t;
	}
	return 0;
}

int json_names_check(struct json_doc *d, uint32_t object, uint32_t *again)
{
	if (d->tok[object].count <= PAIRWISE_MAX)
		return check_pairs(d, object, again);
	return check_hashed(d, object, again);
}
