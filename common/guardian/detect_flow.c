/*
 * Data that flows where it should not: much read and then written, sent to a destination that a tool's result named
 * first, one key in two places.
 */
#include <stdio.h>
#include <string.h>

#include "common/guardian/state.h"

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Reads are counted by what came back (outcomes), writes by what was sent (intents): `failed` is the rule's `writes`.
 */
void detect_volume(struct feed *f)
{
	const struct rule *r = f->rule;
	struct key_state *k = f->key;
	uint64_t part = f->ev->ts_us / r->window_us, read, written;

	if (part > k->u.volume.part) {
		bool next = part == k->u.volume.part + 1;

		k->u.volume.read[1] = next ? k->u.volume.read[0] : 0;
		k->u.volume.written[1] = next ? k->u.volume.written[0] : 0;
		k->u.volume.read[0] = k->u.volume.written[0] = 0;
		k->u.volume.part = part;
	}
	if (f->selected)
		k->u.volume.read[0] += f->ev->bytes_out;
	read = k->u.volume.read[0] + k->u.volume.read[1];
	/* What is written before anything was read carries nothing off. */
	if (f->failed && read >= r->read_bytes)
		k->u.volume.written[0] += f->ev->bytes_in;
	written = k->u.volume.written[0] + k->u.volume.written[1];
	f->v->value = (double)written;
	f->v->threshold = (double)r->write_bytes;
	f->v->alarm = f->failed && read >= r->read_bytes && written >= r->write_bytes;
	if (f->v->alarm)
		snprintf(f->v->what, sizeof(f->v->what), "%llu bytes written after %llu were read",
			 (unsigned long long)written, (unsigned long long)read);
}

#define OWN_BITS (BLOOM_WORDS / 2 * 64ul)

/* The four bits of a destination that the agent used itself. */
static bool own_has(const struct key_state *k, uint64_t h)
{
	for (int i = 0; i < 4; i++, h >>= 16) {
		size_t bit = (h & 0xffff) % OWN_BITS;

		if ((k->u.flow.own[bit / 64] >> bit % 64 & 1) == 0)
			return false;
	}
	return true;
}

/* Half full it takes no more: in a full one everything would be the agent's own. */
static void own_add(struct key_state *k, uint64_t h)
{
	unsigned set = 0;

	for (size_t i = 0; i < BLOOM_WORDS / 2; i++)
		set += (unsigned)__builtin_popcountll(k->u.flow.own[i]);
	if (set >= OWN_BITS / 2)
		return;
	for (int i = 0; i < 4; i++, h >>= 16) {
		size_t bit = (h & 0xffff) % OWN_BITS;

		k->u.flow.own[bit / 64] |= 1ull << bit % 64;
	}
}

static bool seen_has(const struct key_state *k, uint64_t h)
{
	uint32_t n = k->u.flow.nseen < FLOW_SEEN ? k->u.flow.nseen : FLOW_SEEN;

	for (uint32_t i = 0; i < n; i++)
		if (k->u.flow.seen[i] == (uint32_t)h)
			return true;
	return false;
}

static void seen_add(struct key_state *k, uint64_t h)
{
	k->u.flow.lost |= k->u.flow.nseen >= FLOW_SEEN;
	k->u.flow.seen[k->u.flow.nseen % FLOW_SEEN] = (uint32_t)h;
	k->u.flow.nseen = k->u.flow.nseen + 1 == 2 * FLOW_SEEN ? FLOW_SEEN : k->u.flow.nseen + 1;
}

static void alarm_of(struct feed *f, const struct guard_text *m, const char *why)
{
	f->v->alarm = true;
	f->v->value = f->v->threshold = 1;
	snprintf(f->v->what, sizeof(f->v->what), "sends to %.*s, %s", (int)m->n, m->p, why);
}

/*
 * Results (outcomes) teach what strangers named; arguments (intents) what the agent used. `failed` is the rule's
 * `sends`: a call of a tool that can send. A destination that the agent had used before a result named it is its own.
 * A result that names so many that some are forgotten, to hide one among them, has named everything.
 */
void detect_flow(struct feed *f)
{
	struct key_state *k = f->key;
	bool result = f->ev->field[GUARD_PHASE].n == 7; /* "outcome" */

	k->u.flow.lost |= result && f->ev->nmarks >= GUARD_MARKS_MAX;
	for (size_t i = 0; i < f->ev->nmarks && i < GUARD_MARKS_MAX; i++) {
		const struct guard_text *m = &f->ev->mark[i];
		uint64_t h = guard_hash(f->hash_key, 2, m->p, m->n);
		bool own = own_has(k, h), seen = seen_has(k, h);

		if (result && !own && !seen)
			seen_add(k, h);
		else if (!result && f->failed && seen)
			alarm_of(f, m, "which an earlier result named");
		else if (!result && f->failed && k->u.flow.lost && !own)
			alarm_of(f, m, "and earlier results named more destinations than are remembered");
		else if (!result)
			own_add(k, h);
	}
}

void detect_places(struct feed *f)
{
	const struct guard_text *t = &f->ev->field[GUARD_SOURCE];
	struct key_state *k = f->key;
	uint64_t h = guard_hash(f->hash_key, 3, t->p, t->n), ts = f->ev->ts_us;

	if (t->n == 0)
		return;
	if (h == k->u.places.here) {
		k->u.places.here_us = later(k->u.places.here_us, ts);
		return;
	}
	/* Back to where it was while the other place is still in use: a client that moved does not return. */
	if (h == k->u.places.there && ts <= k->u.places.there_us + f->rule->window_us) {
		f->v->alarm = true;
		f->v->value = f->v->threshold = 1;
		snprintf(f->v->what, sizeof(f->v->what), "used from %.*s and another place in turns", (int)t->n, t->p);
	}
	k->u.places.there = k->u.places.here;
	k->u.places.there_us = k->u.places.here_us;
	k->u.places.here = h;
	k->u.places.here_us = ts;
}
