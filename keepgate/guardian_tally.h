/* What rules would have said of a history: counts for each, and for each of its keys. Bounded in memory. */
#ifndef KEEPGATE_GUARDIAN_TALLY_H
#define KEEPGATE_GUARDIAN_TALLY_H

#include <stdio.h>

#include <jansson.h>

#include "common/guardian/guardian.h"

#define TALLY_KEYS_MAX 10000 /* of one rule; what comes later is counted without its key */
#define TALLY_TOP 20         /* shown of them */

/* How often, and between which times (microseconds). */
struct tally_count {
	uint64_t findings, acts, first_us, last_us;
};

struct tally_rule {
	struct tally_count all;
	uint64_t unkeyed; /* findings of keys beyond the limit */
	json_t *keys;     /* key -> {a field each, human, agent, findings, acts, first, last, what} */
};

struct tally {
	const struct guard_rules *rules; /* borrowed */
	struct tally_rule rule[GUARD_RULES_MAX];
};

/* KG_E_NOMEM. */
int tally_init(struct tally *t, const struct guard_rules *rules) MUST_CHECK;
void tally_free(struct tally *t);
/* A guard_finding_fn over a struct tally. */
void tally_add(const struct guard_finding *f, void *tally);

/* One rule as JSON with its keys, those first that it named most often; a new reference. */
json_t *tally_json(const struct tally *t, size_t rule);
/* The same for people. days: the length of the history. */
void tally_print(FILE *out, const struct tally *t, size_t rule, double days);

#endif
