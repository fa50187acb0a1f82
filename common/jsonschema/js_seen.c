#include <stdlib.h>
#include <string.h>

#include "common/jsonschema/js_check.h"

static size_t words(const struct js_seen *seen)
{
	return ((size_t)seen->n + 63) / 64;
}

int js_seen_init(struct js_seen *seen, uint32_t n)
{
	*seen = (struct js_seen){.n = n};
	if (words(seen) <= JS_SEEN_SMALL) {
		seen->bits = seen->small;
		return 0;
	}
	seen->bits = calloc(words(seen), sizeof(*seen->bits));
	return seen->bits == NULL ? KG_E_NOMEM : 0;
}

void js_seen_free(struct js_seen *seen)
{
	if (seen->bits != seen->small)
		free(seen->bits);
}

void js_seen_set(struct js_seen *seen, uint32_t i)
{
	seen->bits[i / 64] |= 1ull << (i % 64);
}

bool js_seen_is(const struct js_seen *seen, uint32_t i)
{
	return (seen->bits[i / 64] >> (i % 64) & 1) != 0;
}

void js_seen_all(struct js_seen *seen)
{
	for (size_t i = 0; i < words(seen); i++)
		seen->bits[i] = UINT64_MAX;
}

void js_seen_add(struct js_seen *seen, const struct js_seen *more)
{
	for (size_t i = 0; i < words(seen); i++)
		seen->bits[i] |= more->bits[i];
}
