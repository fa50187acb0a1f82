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

/* A mail address is one person's whatever stands behind a plus (RFC 5233). */
static uint64_t mark_hash(const struct feed *f, const struct guard_text *m)
{
	const char *at = memchr(m->p, '@', m->n), *end = at;

	if (at == NULL)
		return guard_hash(f->hash_key, 2, m->p, m->n);
	for (const char *c = at; c > m->p + 1; c--)
		if (c[-1] == '+')
			end = c - 1;
	return guard_hash(f->hash_key, guard_hash(f->hash_key, 2, m->p, (size_t)(end - m->p)), at,
			  m->n - (size_t)(at - m->p));
}

/*
 * Whether a result has named the domain above a host: who owns a domain is told whatever is asked of the hosts below
 * it, in their very names. A top-level domain is nobody's.
 */
static bool above_is_seen(const struct feed *f, const struct guard_text *m)
{
	const char *end = m->p + m->n, *p = m->p, *dot;

	if (memchr(m->p, '@', m->n) != NULL || memchr(m->p, ':', m->n) != NULL ||
	    (m->p[m->n - 1] >= '0' && m->p[m->n - 1] <= '9'))
		return false;
	while ((dot = memchr(p, '.', (size_t)(end - p))) != NULL) {
		p = dot + 1;
		if (memchr(p, '.', (size_t)(end - p)) == NULL)
			return false;
		if (seen_has(f->key, guard_hash(f->hash_key, 2, p, (size_t)(end - p))))
			return true;
	}
	return false;
}

static void destination_named(struct feed *f, const struct guard_text *m)
{
	uint64_t h = mark_hash(f, m);

	if (!own_has(f->key, h) && !seen_has(f->key, h))
		seen_add(f->key, h);
}

static void destination_used(struct feed *f, const struct guard_text *m)
{
	uint64_t h = mark_hash(f, m);
	bool own = own_has(f->key, h), seen = seen_has(f->key, h), above = !seen && !own && above_is_seen(f, m);

	if (f->failed && seen)
		alarm_of(f, m, "which an earlier result named");
	else if (f->failed && above)
		alarm_of(f, m, "below a domain that an earlier result named");
	else if (f->failed && f->key->u.flow.lost && !own)
		alarm_of(f, m, "and earlier results named more destinations than are remembered");
	else if (!seen && !above)
		own_add(f->key, h);
}

/*
 * Results (outcomes) teach what strangers named; arguments (intents) what the agent used. `failed` is the rule's
 * `sends`: a call of a tool that can send. A destination that the agent had used before a result named it is its own.
 * A result that names so many that some are forgotten, to hide one among them, has named everything.
 */
void detect_flow(struct feed *f)
{
	bool result = f->ev->field[GUARD_PHASE].n == 7; /* "outcome" */

	f->key->u.flow.lost |= result && f->ev->nmarks >= GUARD_MARKS_MAX;
	for (size_t i = 0; i < f->ev->nmarks && i < GUARD_MARKS_MAX; i++) {
		const struct guard_text *m = &f->ev->mark[i];

		if (m->n == 0)
			continue;
		if (result)
			destination_named(f, m);
		else
			destination_used(f, m);
	}
}

/* Puts a source at the front; how many places back it was, or PLACES. */
static size_t place_use(struct key_state *k, uint64_t h, uint64_t ts)
{
	uint64_t *source = k->u.places.source, *used = k->u.places.used_us;
	size_t at = 0, last;

	while (at < PLACES && source[at] != h)
		at++;
	last = at < PLACES ? at : PLACES - 1;
	ts = at < PLACES ? later(used[at], ts) : ts;
	memmove(source + 1, source, last * sizeof(*source));
	memmove(used + 1, used, last * sizeof(*used));
	source[0] = h;
	used[0] = ts;
	return at;
}

/*
 * Back to where it was while another place is in use: a client that moved does not return. Several places are
 * remembered, for who stole a token can change his with each call; so many in one window are no client's.
 */
void detect_places(struct feed *f)
{
	const struct guard_text *t = &f->ev->field[GUARD_SOURCE];
	uint64_t h = guard_hash(f->hash_key, 3, t->p, t->n), ts = f->ev->ts_us, was = 0;
	const struct key_state *k = f->key;
	size_t at;

	if (t->n == 0)
		return;
	for (size_t i = 0; i < PLACES; i++)
		if (k->u.places.source[i] == h)
			was = k->u.places.used_us[i];
	at = place_use(f->key, h, ts);
	if (at == 0 || (at < PLACES && ts > was + f->rule->window_us))
		return;
	if (at == PLACES &&
	    (k->u.places.source[PLACES - 1] == 0 || ts > k->u.places.used_us[PLACES - 1] + f->rule->window_us))
		return;
	f->v->alarm = true;
	f->v->value = f->v->threshold = 1;
	if (at < PLACES)
		snprintf(f->v->what, sizeof(f->v->what), "used from %.*s and another place in turns", (int)t->n, t->p);
	else
		snprintf(f->v->what, sizeof(f->v->what), "used from %d places at once, the last of them %.*s", PLACES,
			 (int)t->n, t->p);
}
