/* The engine: each event past every rule, each rule to its detector, each alarm to a finding. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sodium.h>

#include "common/guardian/engine.h"

#define LINE 64                /* of the cache */
#define SIGNAL_US 900000000ull /* two weak signals within a quarter of an hour are one strong */
#define SIGNAL_NEW 1           /* in the place of a rule's hash */

static size_t keys_bytes(const struct guard_engine *e)
{
	return e->nsets * WAYS * sizeof(*e->keys);
}

/* Keys are looked up all over their table: on large pages that costs half. */
static bool make_keys(struct guard_engine *e)
{
	void *keys = mmap(NULL, keys_bytes(e), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (keys == MAP_FAILED)
		return false;
	(void)madvise(keys, keys_bytes(e), MADV_HUGEPAGE);
	e->keys = keys;
	e->tags = aligned_alloc(WAYS * sizeof(*e->tags), e->nsets * WAYS * sizeof(*e->tags));
	if (e->tags != NULL)
		memset(e->tags, 0, e->nsets * WAYS * sizeof(*e->tags));
	return e->tags != NULL;
}

struct guard_engine *guard_engine_new(const struct guard_rules *rules, size_t keys, int32_t utc_offset_s,
				      guard_finding_fn fn, void *arg)
{
	struct guard_engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->rules = rules;
	e->fn = fn;
	e->arg = arg;
	e->zone = utc_offset_s;
	randombytes_buf(e->hash_key, sizeof(e->hash_key));
	e->nsets = (keys + WAYS - 1) / WAYS;
	e->signals = calloc(SIGNALS, sizeof(*e->signals));
	e->part = calloc(guard_engine_parts(e), sizeof(*e->part));
	e->calls = calls_table_new();
	if (!make_keys(e) || e->signals == NULL || e->part == NULL || e->calls == NULL) {
		guard_engine_free(e);
		return NULL;
	}
	return e;
}

void guard_engine_free(struct guard_engine *e)
{
	if (e == NULL)
		return;
	if (e->keys != NULL)
		munmap(e->keys, keys_bytes(e));
	free(e->tags);
	free(e->signals);
	free(e->part);
	calls_table_free(e->calls);
	free(e);
}

void guard_engine_zone(struct guard_engine *e, int32_t utc_offset_s)
{
	e->zone = utc_offset_s;
}

void guard_engine_again(struct guard_engine *e, guard_finding_fn fn)
{
	e->again = fn;
}

size_t guard_engine_keys(const struct guard_engine *e)
{
	return e->live;
}

size_t guard_engine_bytes(const struct guard_engine *e)
{
	return sizeof(*e) + keys_bytes(e) + e->nsets * WAYS * sizeof(*e->tags) + SIGNALS * sizeof(*e->signals) +
	       calls_table_bytes();
}

/* The state of a key, made when it is new: in the place of the least recently used of its set. */
struct key_state *engine_key(struct guard_engine *e, uint64_t hash, uint32_t rule)
{
	size_t first = hash % e->nsets * WAYS;
	struct key_state *set = &e->keys[first], *oldest = set;

	for (size_t i = 0; i < WAYS; i++)
		if (e->tags[first + i] == hash && set[i].rule == rule)
			return &set[i];
	for (size_t i = 0; i < WAYS; i++)
		if (oldest->hash != 0 && (set[i].hash == 0 || set[i].last_us < oldest->last_us))
			oldest = &set[i];
	e->live += oldest->hash == 0;
	memset(oldest, 0, sizeof(*oldest));
	oldest->hash = e->tags[first + (size_t)(oldest - set)] = hash;
	oldest->rule = rule;
	return oldest;
}

/* 0 when a part of the key is absent: the event belongs to nobody that the rule could watch. */
static uint64_t key_hash(const struct guard_engine *e, const struct rule *r, const struct guard_event *ev)
{
	uint64_t h = r->hash;

	for (size_t i = 0; i < r->nkey; i++) {
		const struct guard_text *t = &ev->field[r->key[i]];

		if (t->n == 0)
			return 0;
		h = guard_hash(e->hash_key, h, t->p, t->n);
	}
	return r->nkey == 0 ? guard_hash(e->hash_key, h, "", 0) : h;
}

/* What is new for an agent is one signal: a server that it never used has tools that it never used. */
static uint64_t signal_of(const struct rule *r)
{
	return r->kind == DETECT_FIRST ? SIGNAL_NEW : r->hash;
}

/* Whether this is the second of two different rules on one subject. */
static bool second_signal(struct guard_engine *e, uint32_t rule, const struct guard_event *ev)
{
	const struct guard_text *t = &ev->field[ev->field[GUARD_SESSION].n != 0 ? GUARD_SESSION : GUARD_AGENT];
	uint64_t h = guard_hash(e->hash_key, 4, t->p, t->n), own = signal_of(&e->rules->rule[rule]);
	struct signal *s = &e->signals[h % SIGNALS];

	if (t->n == 0)
		return false;
	if (s->hash != h)
		*s = (struct signal){.hash = h, .rule = own};
	e->part[engine_key_parts(e) + h % SIGNALS / PART_SIGNALS].changed = true;
	if (s->rule != own) {
		s->other = s->rule;
		s->other_us = s->ts_us;
		s->rule = own;
		s->ts_us = 0;
	}
	if (ev->ts_us > s->ts_us)
		s->ts_us = ev->ts_us;
	return s->other != 0 && ev->ts_us <= s->other_us + SIGNAL_US;
}

static void copy_subject(struct guard_finding *f, const struct guard_event *ev)
{
	for (size_t i = 0; i < GUARD_FIELDS; i++) {
		size_t n = ev->field[i].n < GUARD_SUBJECT_MAX ? ev->field[i].n : GUARD_SUBJECT_MAX;

		if (n != 0)
			memcpy(f->subject[i], ev->field[i].p, n);
		f->subject[i][n] = '\0';
	}
}

static void copy_evidence(struct guard_finding *f, const struct key_state *k)
{
	size_t n = k->nevidence < GUARD_EVIDENCE_MAX ? k->nevidence : GUARD_EVIDENCE_MAX;

	f->nevidence = n;
	for (size_t i = 0; i < n; i++)
		f->evidence[i] = k->evidence[(k->nevidence - n + i) % GUARD_EVIDENCE_MAX];
}

static bool acts_alone(const struct guard_rule_info *r)
{
	return r->class == GUARD_CERTAIN || (r->class == GUARD_STATISTICAL && r->strong);
}

static void report(struct guard_engine *e, uint32_t number, struct key_state *k, const struct guard_event *ev,
		   const struct verdict *v)
{
	const struct rule *r = &e->rules->rule[number];
	struct guard_finding *f = &e->finding;
	bool again = k->told_us != 0 && ev->ts_us < k->told_us + r->info.suppress_us;
	/* A signal that goes on is one for as long: who waits until it was said long ago gains nothing. */
	bool second = r->info.class == GUARD_STATISTICAL && second_signal(e, number, ev);
	bool acts = acts_alone(&r->info) || second;
	/* What was said while it stood alone is said once more when it acts. */
	bool news = !again || (acts && !k->acted);

	if (!news && (e->again == NULL || !acts_alone(&r->info) || r->info.nresponses == 0))
		return;
	if (news) {
		k->told_us = ev->ts_us;
		k->acted = acts;
	}
	f->rule = &r->info;
	f->rule_number = number;
	f->seq = ev->seq;
	f->ts_us = ev->ts_us;
	f->value = v->value;
	f->threshold = v->threshold;
	f->acts = acts;
	memcpy(f->what, v->what, sizeof(f->what));
	copy_subject(f, ev);
	copy_evidence(f, k);
	(news ? e->fn : e->again)(f, e->arg);
}

/* A rule that looks at the event, and the key by which it does. */
struct match {
	uint64_t hash;
	uint32_t rule;
	bool selected, failed;
};

static bool match_rule(const struct guard_engine *e, uint32_t number, const struct guard_event *ev, struct match *m)
{
	const struct rule *r = &e->rules->rule[number];

	m->rule = number;
	m->selected = selection_holds(&r->select, ev);
	if (!m->selected && !detectors[r->kind].two_sided)
		return false;
	m->failed = r->failure.nconditions != 0 && selection_holds(&r->failure, ev);
	if (!m->selected && !m->failed)
		return false;
	m->hash = key_hash(e, r, ev);
	return m->hash != 0 && ev->seq >= e->part[engine_part_of(e, m->hash)].from;
}

/* The states lie all over the memory: all are asked for at once, before the first is waited for. */
static void fetch_key(const struct guard_engine *e, const struct match *m)
{
	size_t first = m->hash % e->nsets * WAYS;
	const char *key;

	for (size_t i = 0; i < WAYS; i++) {
		if (e->tags[first + i] != m->hash)
			continue;
		key = (const char *)&e->keys[first + i];
		for (size_t at = 0; at < sizeof(struct key_state); at += LINE)
			__builtin_prefetch(key + at, 1);
		return;
	}
}

static void feed_match(struct guard_engine *e, const struct match *m, const struct guard_event *ev)
{
	const struct rule *r = &e->rules->rule[m->rule];
	struct verdict v;
	struct feed f = {.rule = r,
			 .ev = ev,
			 .selected = m->selected,
			 .failed = m->failed,
			 .zone = e->zone,
			 .hash_key = e->hash_key,
			 .v = &v};

	e->part[engine_part_of(e, m->hash)].changed = true;
	f.key = engine_key(e, m->hash, m->rule);
	f.key->evidence[f.key->nevidence % GUARD_EVIDENCE_MAX] = ev->seq;
	f.key->nevidence =
		(uint16_t)(f.key->nevidence + 1 == 2 * GUARD_EVIDENCE_MAX ? GUARD_EVIDENCE_MAX : f.key->nevidence + 1);
	v.alarm = false;
	v.value = v.threshold = 0;
	v.what[0] = '\0';
	detectors[r->kind].feed(&f);
	if (ev->ts_us > f.key->last_us)
		f.key->last_us = ev->ts_us;
	if (v.alarm)
		report(e, m->rule, f.key, ev, &v);
}

void guard_engine_feed(struct guard_engine *e, const struct guard_event *ev)
{
	struct match match[GUARD_RULES_MAX];
	struct guard_event whole;
	size_t n = 0;

	/* An outcome says which call it ends; who made that call, the intent said. */
	if (ev->txn != NULL && ev->field[GUARD_PHASE].n != 0) {
		whole = *ev;
		calls_table_join(e->calls, e->hash_key, &whole);
		ev = &whole;
	}
	for (uint32_t i = 0; i < e->rules->n; i++) {
		if (!match_rule(e, i, ev, &match[n]))
			continue;
		__builtin_prefetch(&e->tags[match[n].hash % e->nsets * WAYS]);
		n++;
	}
	for (size_t i = 0; i < n; i++)
		fetch_key(e, &match[i]);
	for (size_t i = 0; i < n; i++)
		feed_match(e, &match[i], ev);
}
