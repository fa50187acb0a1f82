#include <string.h>

#include "common/jsonschema/js_value.h"

#define FEW 8 /* comparing lengths is cheaper than hashing */

int js_names_init(struct jsonschema *s, struct js_names *names, uint32_t n)
{
	uint32_t slots = 16;
	int r;

	*names = (struct js_names){0};
	r = js_alloc_n(s, n, sizeof(*names->at), &names->at);
	if (r != 0 || n <= FEW)
		return r;
	while (slots < n * 2)
		slots *= 2;
	names->mask = slots - 1;
	return js_alloc_n(s, slots, sizeof(*names->slot), &names->slot);
}

static uint32_t slot_of(const struct jsonschema *s, const struct js_names *names, const char *text, size_t len)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint32_t slot;

	crypto_shorthash(hash, (const uint8_t *)text, len, s->key);
	memcpy(&slot, hash, sizeof(slot));
	return slot & names->mask;
}

static bool is(const struct js_name *name, const char *text, size_t len)
{
	return name->len == len && memcmp(name->text, text, len) == 0;
}

uint32_t js_names_find(const struct jsonschema *s, const struct js_names *names, const char *text, size_t len)
{
	if (names->slot == NULL) {
		for (uint32_t i = 0; i < names->n; i++) {
			if (is(&names->at[i], text, len))
				return i;
		}
		return JS_NO_NAME;
	}
	for (uint32_t i = names->slot[slot_of(s, names, text, len)]; i != 0; i = names->at[i - 1].next) {
		if (is(&names->at[i - 1], text, len))
			return i - 1;
	}
	return JS_NO_NAME;
}

int js_names_add(struct jsonschema *s, struct js_names *names, const struct json_doc *d, uint32_t t, uint32_t *place)
{
	struct js_name *name = &names->at[names->n];
	const char *text;
	size_t len;
	int r = js_text(s, d, t, &text, &len);

	if (r == 0 && d->tok[t].escaped)
		r = js_copy(s, text, len, &text);
	if (r != 0)
		return r;
	*place = js_names_find(s, names, text, len);
	if (*place != JS_NO_NAME)
		return 0;
	*name = (struct js_name){.text = text, .len = (uint32_t)len};
	*place = names->n++;
	if (names->slot != NULL) {
		uint32_t *slot = &names->slot[slot_of(s, names, text, len)];

		name->next = *slot;
		*slot = names->n;
	}
	return 0;
}
