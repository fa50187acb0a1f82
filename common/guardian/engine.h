/* The engine's own parts. */
#ifndef GUARDIAN_ENGINE_H
#define GUARDIAN_ENGINE_H

#include "common/guardian/state.h"

#define WAYS 8 /* places of a set: the least recently used of so many makes room */
#define SIGNALS 16384

/* The rule that spoke of one subject last, and the last other one: by their own hashes. */
struct signal {
	uint64_t hash;
	uint64_t rule, ts_us;
	uint64_t other, other_us; /* other 0: none */
};

struct calls_table;
struct calls_table *calls_table_new(void); /* NULL when out of memory */
void calls_table_free(struct calls_table *t);
size_t calls_table_bytes(void);
/* Remembers an intent's texts by its txn; completes an outcome with them. */
void calls_table_join(struct calls_table *t, const uint8_t hash_key[16], struct guard_event *ev);

/* Of the saved state: keys of some sets, or some signals. */
#define PART_SETS 32
#define PART_SIGNALS 2048
struct engine_part {
	uint64_t from; /* events before it are in the state already */
	bool changed;
};

struct guard_engine {
	const struct guard_rules *rules;
	guard_finding_fn fn, again;
	void *arg;
	int32_t zone;
	uint8_t hash_key[16];
	size_t nsets, live;
	struct key_state *keys;   /* owned: sets of WAYS */
	uint64_t *tags;           /* owned: the hashes of keys, those of a set on one line of the cache */
	struct signal *signals;   /* owned */
	struct engine_part *part; /* owned: those of keys, then those of signals */
	struct calls_table *calls;
	struct guard_finding finding; /* the one in hand */
};

struct key_state *engine_key(struct guard_engine *e, uint64_t hash, uint32_t rule);
size_t engine_key_parts(const struct guard_engine *e);
size_t engine_part_of(const struct guard_engine *e, uint64_t hash);
/* The rule whose own hash this is. */
bool engine_rule_of(const struct guard_rules *rules, uint64_t hash, uint32_t *number);
/* Takes a saved key in, unless its rule is not there any more. */
void engine_load_key(struct guard_engine *e, const uint8_t *at);

#endif
