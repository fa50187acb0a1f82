/* Open calls: what their intents said, for the outcomes that say only which call they end. */
#include <stdlib.h>
#include <string.h>

#include "common/guardian/engine.h"

#define OPEN_CALLS 4096 /* a newer call takes the place of an older one */
#define OPEN_TEXT 480

static const enum guard_field kept[] = {GUARD_METHOD,  GUARD_TIER,   GUARD_AGENT, GUARD_HUMAN,  GUARD_SESSION,
					GUARD_CONSENT, GUARD_SERVER, GUARD_TOOL,  GUARD_CLIENT, GUARD_SOURCE};
#define KEPT (sizeof(kept) / sizeof(kept[0]))

struct open_call {
	uint64_t hash;
	uint16_t len[KEPT];
	char text[OPEN_TEXT];
};

struct calls_table {
	struct open_call call[OPEN_CALLS];
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

static void remember(struct open_call *c, uint64_t hash, const struct guard_event *ev)
{
	size_t at = 0;

	c->hash = hash;
	for (size_t i = 0; i < KEPT; i++) {
		const struct guard_text *t = &ev->field[kept[i]];
		size_t n = t->n < OPEN_TEXT - at ? t->n : OPEN_TEXT - at;

		if (n != 0)
			memcpy(c->text + at, t->p, n);
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

void calls_table_join(struct calls_table *t, const uint8_t hash_key[16], struct guard_event *ev)
{
	uint64_t hash = guard_hash(hash_key, 5, ev->txn, 16);
	struct open_call *c = &t->call[hash % OPEN_CALLS];
	bool intent = ev->field[GUARD_PHASE].p[0] == 'i';

	if (intent)
		remember(c, hash, ev);
	else if (c->hash == hash)
		complete(c, ev);
}
