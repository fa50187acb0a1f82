/* The words of selections: a rule that asks for one that no record has would be silent for good, and nobody would know.
 */
#include <stdio.h>
#include <string.h>

#include "common/guardian/rules_read.h"

#define WORDS_MAX 8

/* Fields that take few words, as a record has them. */
static const struct {
	enum guard_field field;
	const char *words[WORDS_MAX];
} known[] = {
	{GUARD_KIND, {"call", "self", "admin", "policy", "violation", "recorder"}},
	{GUARD_PHASE, {"intent", "outcome", "state"}},
	{GUARD_DECISION, {"allow", "deny"}},
	{GUARD_TIER, {"read", "write", "destructive"}},
	{GUARD_OUTCOME, {"ok", "tool-error", "rpc-error", "cancelled", "timeout", "unsent", "lost"}},
};

struct check {
	const char *part;
	schema_report_fn fault;
	void *arg;
};

static void check_value(const struct check *x, const struct condition *c, const char *value, const char *const *words)
{
	char path[SCHEMA_PATH_MAX], name[64], all[256] = "", what[384];

	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
		size_t used = strlen(all);

		if (pattern_matches(value, &(struct guard_text){words[i], (uint32_t)strlen(words[i])}))
			return;
		snprintf(all + used, sizeof(all) - used, "%s%s", i == 0 ? "" : ", ", words[i]);
	}
	snprintf(name, sizeof(name), "%s%s", guard_field_name(c->field), c->not ? "|not" : "");
	snprintf(path, sizeof(path), "detection.%s", x->part);
	schema_path_member(path, name);
	snprintf(what, sizeof(what), "\"%.64s\" is none of %s", value, all);
	x->fault(x->arg, path, what);
}

static void check_selection(const struct check *x, const struct selection *s)
{
	for (size_t i = 0; i < s->nconditions; i++) {
		const struct condition *c = &s->condition[i];

		for (size_t row = 0; row < sizeof(known) / sizeof(known[0]); row++)
			for (size_t v = 0; known[row].field == c->field && v < c->nvalues; v++)
				check_value(x, c, c->value[v], known[row].words);
	}
}

void rule_check_words(const json_t *doc, const struct rule *r, schema_report_fn fault, void *arg)
{
	static const char *const seconds[] = {"failure", "writes", "sends"};
	const json_t *detection = json_object_get(doc, "detection");
	struct check x = {"selection", fault, arg};

	check_selection(&x, &r->select);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		if (json_object_get(detection, seconds[i]) != NULL) {
			x.part = seconds[i];
			break;
		}
	check_selection(&x, &r->failure);
}
