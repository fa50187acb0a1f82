/* What is told by values: one that the key never had, and how many different ones. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/guardian/state.h"

static uint64_t value_hash(const struct feed *f)
{
	const struct guard_text *t = &f->ev->field[f->rule->value];

	return guard_hash(f->hash_key, 1, t->p, t->n);
}

/* Four bits of a Bloom filter; whether all were set before. */
static bool bloom_add(uint64_t *bits, size_t words, uint64_t h)
{
	bool known = true;

	for (int i = 0; i < 4; i++, h >>= 16) {
		size_t bit = (h & 0xffff) % (words * 64);

		known &= (bits[bit / 64] >> bit % 64 & 1) != 0;
		bits[bit / 64] |= 1ull << bit % 64;
	}
	return known;
}

void detect_first(struct feed *f)
{
	const struct rule *r = f->rule;
	struct key_state *k = f->key;
	const struct guard_text *t = &f->ev->field[r->value];
	bool learnt;

	if (t->n == 0)
		return;
	if (k->u.first.since_us == 0)
		k->u.first.since_us = f->ev->ts_us;
	learnt = f->ev->ts_us >= k->u.first.since_us + r->learn_us && k->u.first.events >= r->minimum;
	if (k->u.first.events < UINT32_MAX)
		k->u.first.events++;
	if (bloom_add(k->u.first.bloom, BLOOM_WORDS, value_hash(f)) || !learnt)
		return;
	f->v->alarm = true;
	f->v->value = f->v->threshold = 1;
	snprintf(f->v->what, sizeof(f->v->what), "%s %.*s for the first time in %u events", guard_field_name(r->value),
		 (int)t->n, t->p, k->u.first.events);
}

/* Linear counting (Whang, Vander-Zanden, Taylor, 1990): how many values fill so many bits. */
static double sketch_count(const uint64_t *a, const uint64_t *b)
{
	unsigned set = 0, bits = SKETCH_WORDS * 64;

	for (size_t i = 0; i < SKETCH_WORDS; i++)
		set += (unsigned)__builtin_popcountll(a[i] | b[i]);
	return set == bits ? bits * 8.0 : -(double)bits * log(1 - (double)set / bits);
}

void detect_distinct(struct feed *f)
{
	const struct rule *r = f->rule;
	struct key_state *k = f->key;
	uint64_t half = r->window_us / 2, part = f->ev->ts_us / (half == 0 ? 1 : half), bit;

	if (f->ev->field[r->value].n == 0 || part + 1 < k->u.distinct.part)
		return;
	if (part > k->u.distinct.part) {
		if (part == k->u.distinct.part + 1)
			memcpy(k->u.distinct.before, k->u.distinct.now, sizeof(k->u.distinct.now));
		else
			memset(k->u.distinct.before, 0, sizeof(k->u.distinct.before));
		memset(k->u.distinct.now, 0, sizeof(k->u.distinct.now));
		k->u.distinct.part = part;
	}
	bit = value_hash(f) % (SKETCH_WORDS * 64ul);
	(part < k->u.distinct.part ? k->u.distinct.before : k->u.distinct.now)[bit / 64] |= 1ull << bit % 64;
	f->v->value = sketch_count(k->u.distinct.now, k->u.distinct.before);
	f->v->threshold = r->threshold;
	f->v->alarm = f->v->value >= r->threshold;
	if (f->v->alarm)
		snprintf(f->v->what, sizeof(f->v->what), "some %.0f different %ss in %llu s", f->v->value,
			 guard_field_name(r->value), (unsigned long long)(r->window_us / 1000000));
}
