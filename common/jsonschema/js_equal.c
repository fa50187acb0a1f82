/* Deep equality (2020-12 core, section 4.2.2): members in any order, 1.0 equal to 1. Depth is the scanner's. */
#include <string.h>

#include "common/json_text.h"
#include "common/jsonschema/js_number.h"
#include "common/jsonschema/js_value.h"

#define CHUNK 64

struct hasher {
	struct jsonschema *s;
	struct js_meter *m;
	const struct json_doc *d;
};

/* The hash of some bytes behind another hash. */
static uint64_t chain(const struct jsonschema *s, uint64_t before, const void *bytes, size_t n)
{
	uint8_t block[sizeof(before) + CHUNK], out[crypto_shorthash_BYTES];
	uint64_t hash;

	memcpy(block, &before, sizeof(before));
	memcpy(block + sizeof(before), bytes, n);
	crypto_shorthash(out, block, sizeof(before) + n, s->key);
	memcpy(&hash, out, sizeof(hash));
	return hash;
}

static uint64_t chain_hash(const struct jsonschema *s, uint64_t before, uint64_t hash)
{
	return chain(s, before, &hash, sizeof(hash));
}

static int hash_number(const struct hasher *h, uint32_t t, uint64_t *out)
{
	struct js_num n;
	uint8_t digits[CHUNK];
	size_t used = 0;
	const char *p;
	int digit, r = js_spend(h->m, (h->d->tok[t].end - h->d->tok[t].start) / 32);

	if (r == 0)
		r = js_num_read(h->d, t, &n);
	if (r != 0)
		return r;
	*out = chain_hash(h->s, n.negative ? 2 : 1, (uint64_t)n.point);
	p = n.p;
	while ((digit = js_num_digit(&p, n.end)) >= 0) {
		digits[used++] = (uint8_t)digit;
		if (used == CHUNK) {
			*out = chain(h->s, *out, digits, used);
			used = 0;
		}
	}
	*out = chain(h->s, *out, digits, used);
	return 0;
}

static int hash_string(const struct hasher *h, uint32_t t, uint64_t *out)
{
	uint8_t hash[crypto_shorthash_BYTES];
	const char *text;
	size_t len;
	int r = js_spend(h->m, 1 + (h->d->tok[t].end - h->d->tok[t].start) / 32);

	if (r == 0)
		r = js_text(h->s, h->d, t, &text, &len);
	if (r != 0)
		return r;
	crypto_shorthash(hash, (const uint8_t *)text, len, h->s->key);
	memcpy(out, hash, sizeof(*out));
	return 0;
}

static int hash_value(const struct hasher *h, uint32_t t, uint64_t *out);

static int hash_array(const struct hasher *h, uint32_t t, uint64_t *out)
{
	uint64_t hash = JK_ARRAY, element;
	int r = 0;

	for (uint32_t e = json_first(h->d, t); e != JSON_NONE && r == 0; e = json_after(h->d, t, e)) {
		r = hash_value(h, e, &element);
		if (r == 0)
			hash = chain_hash(h->s, hash, element);
	}
	*out = hash;
	return r;
}

/* A sum: in whatever order the members stand. */
static int hash_object(const struct hasher *h, uint32_t t, uint64_t *out)
{
	uint64_t sum = 0, name, value;
	int r = 0;

	for (uint32_t m = json_first(h->d, t); m != JSON_NONE && r == 0; m = json_after(h->d, t, m + 1)) {
		r = hash_string(h, m, &name);
		if (r == 0)
			r = hash_value(h, m + 1, &value);
		if (r == 0)
			sum += chain_hash(h->s, name, value);
	}
	*out = chain_hash(h->s, JK_OBJECT, sum);
	return r;
}

static int hash_value(const struct hasher *h, uint32_t t, uint64_t *out)
{
	int r = js_spend(h->m, 1);

	if (r != 0)
		return r;
	switch (h->d->tok[t].type) {
	case JK_OBJECT:
		return hash_object(h, t, out);
	case JK_ARRAY:
		return hash_array(h, t, out);
	case JK_STRING:
		return hash_string(h, t, out);
	case JK_NUMBER:
		return hash_number(h, t, out);
	default:
		*out = chain_hash(h->s, 0, h->d->tok[t].type);
		return 0;
	}
}

int js_hash(struct jsonschema *s, struct js_meter *m, const struct json_doc *d, uint32_t t, uint64_t *out)
{
	struct hasher h = {s, m, d};

	return hash_value(&h, t, out);
}

static int equal_numbers(const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y)
{
	struct js_num n, m;
	int r = js_num_read(a, x, &n);

	if (r == 0)
		r = js_num_read(b, y, &m);
	if (r != 0)
		return r;
	return js_num_compare(&n, &m) == 0 ? 0 : KG_E_INVALID;
}

static bool equal_strings(const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y)
{
	struct json_chars p, q;
	uint8_t c[4], e[4];

	if (!a->tok[x].escaped)
		return js_text_is(b, y, a->text + a->tok[x].start + 1, a->tok[x].end - a->tok[x].start - 2);
	if (!b->tok[y].escaped)
		return js_text_is(a, x, b->text + b->tok[y].start + 1, b->tok[y].end - b->tok[y].start - 2);
	p = (struct json_chars){(const uint8_t *)a->text + a->tok[x].start + 1,
				(const uint8_t *)a->text + a->tok[x].end - 1};
	q = (struct json_chars){(const uint8_t *)b->text + b->tok[y].start + 1,
				(const uint8_t *)b->text + b->tok[y].end - 1};
	for (;;) {
		size_t n = json_chars_next(&p, c), m = json_chars_next(&q, e);

		if (n != m || memcmp(c, e, n) != 0)
			return false;
		if (n == 0)
			return true;
	}
}

static int equal_arrays(struct js_meter *m, const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y)
{
	uint32_t p = json_first(a, x), q = json_first(b, y);
	int r = 0;

	for (; p != JSON_NONE && r == 0; p = json_after(a, x, p), q = json_after(b, y, q))
		r = js_equal(m, a, p, b, q);
	return r;
}

/* The member of the same name, looked for from *from on: members mostly stand in the same order. */
static int find_member(struct js_meter *m, const struct json_doc *a, uint32_t name, const struct json_doc *b,
		       uint32_t y, uint32_t *from)
{
	uint64_t cost = 1 + (a->tok[name].end - a->tok[name].start) / 64;

	for (uint32_t i = 0; i < b->tok[y].count; i++) {
		int r = js_spend(m, cost);

		if (r != 0)
			return r;
		if (*from == JSON_NONE)
			*from = json_first(b, y);
		if (equal_strings(a, name, b, *from))
			return 0;
		*from = json_after(b, y, *from + 1);
	}
	return KG_E_INVALID;
}

static int equal_objects(struct js_meter *m, const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y)
{
	uint32_t from = json_first(b, y);

	for (uint32_t name = json_first(a, x); name != JSON_NONE; name = json_after(a, x, name + 1)) {
		int r = find_member(m, a, name, b, y, &from);

		if (r == 0)
			r = js_equal(m, a, name + 1, b, from + 1);
		if (r != 0)
			return r;
		from = json_after(b, y, from + 1);
	}
	return 0;
}

int js_equal(struct js_meter *m, const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y)
{
	const struct json_tok *p = &a->tok[x], *q = &b->tok[y];
	int r = js_spend(m, 1 + (p->type == JK_STRING || p->type == JK_NUMBER ? (p->end - p->start) / 64 : 0));

	if (r != 0)
		return r;
	if (p->type != q->type || p->count != q->count)
		return KG_E_INVALID;
	switch (p->type) {
	case JK_OBJECT:
		return equal_objects(m, a, x, b, y);
	case JK_ARRAY:
		return equal_arrays(m, a, x, b, y);
	case JK_STRING:
		return equal_strings(a, x, b, y) ? 0 : KG_E_INVALID;
	case JK_NUMBER:
		return equal_numbers(a, x, b, y);
	default:
		return 0;
	}
}
