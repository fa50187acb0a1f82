/* Open calls: what their intents said, for the outcomes that say only which call they end. */
#include <stdlib.h>
#include <string.h>

#include "common/guardian/engine.h"

#define OPEN_SETS 512 /* of WAYS calls: the oldest of its set makes room */
#define OPEN_TEXT 480

static const enum guard_field kept[] = {GUARD_METHOD,  GUARD_TIER,   GUARD_AGENT, GUARD_HUMAN,  GUARD_SESSION,
					GUARD_CONSENT, GUARD_SERVER, GUARD_TOOL,  GUARD_CLIENT, GUARD_SOURCE};
#define KEPT (sizeof(kept) / sizeof(kept[0]))

struct open_call {
	uint64_t hash, since; /* hash 0: free */
	uint16_t len[KEPT];
	char text[OPEN_TEXT];
};

struct calls_table {
	struct open_call call[OPEN_SETS * WAYS];
	uint64_t made; /* intents so far */
};

struct calls_table *calls_table_new(void)
{
	return calloc(1, sizeof(struct calls_table));
}

void calls_table_free(struct calls_table *t)
{
	free(t);
}

size_t calls_table_bytes(void)
{
	return sizeof(struct calls_table);
}

static struct open_call *find(struct calls_table *t, uint64_t hash)
{
	struct open_call *set = &t->call[hash % OPEN_SETS * WAYS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].hash == hash)
			return &set[i];
	return NULL;
}

/* A free place, or that of the oldest: who hurries many calls past a slow one does not take its place. */
static struct open_call *make_place(struct calls_table *t, uint64_t hash)
{
	struct open_call *set = &t->call[hash % OPEN_SETS * WAYS], *oldest = find(t, hash);

	for (size_t i = 0; oldest == NULL && i < WAYS; i++)
		if (set[i].hash == 0)
			oldest = &set[i];
	if (oldest != NULL)
		return oldest;
	oldest = set;
	for (size_t i = 1; i < WAYS; i++)
		if (set[i].since < oldest->since)
			oldest = &set[i];
	return oldest;
}

static void remember(struct calls_table *t, uint64_t hash, const struct guard_event *ev)
{
	struct open_call *c = make_place(t, hash);
	size_t at = 0;

	c->hash = hash;
	c->since = ++t->made;
	for (size_t i = 0; i < KEPT; i++) {
		const struct guard_text *text = &ev->field[kept[i]];
		size_t n = text->n < OPEN_TEXT - at ? text->n : OPEN_TEXT - at;

		if (n != 0)
			memcpy(c->text + at, text->p, n);
		c->len[i] = (uint16_t)n;
		at += n;
	}
}

static void complete(const struct open_call *c, struct guard_event *ev)
{
	size_t at = 0;

	for (size_t i = 0; i < KEPT; i++) {
		if (ev->field[kept[i]].n == 0)
			ev->field[kept[i]] = (struct guard_text){c->text + at, c->len[i]};
		at += c->len[i];
	}
}

static bool is_denied(const struct guard_event *ev)
{
	return ev->field[GUARD_DECISION].n != 0 && ev->field[GUARD_DECISION].p[0] == 'd';
}

void calls_table_join(struct calls_table *t, const uint8_t hash_key[16], struct guard_event *ev)
{
	uint64_t hash = guard_hash(hash_key, 5, ev->txn, 16);
	struct open_call *c;

	if (ev->field[GUARD_PHASE].p[0] == 'i') {
		/* What is denied has no outcome. */
		if (!is_denied(ev))
			remember(t, hash, ev);
		return;
	}
	c = find(t, hash);
	if (c == NULL)
		return;
	complete(c, ev);
	c->hash = 0;
}
