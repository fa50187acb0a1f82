/* What a rule is made of, for those who show rules; and one rule alone, for those who try it. */
#include <string.h>

#include "common/guardian/state.h"

const char *guard_rule_detector(const struct guard_rules *r, size_t i)
{
	return detectors[r->rule[i].kind].name;
}

size_t guard_rule_key(const struct guard_rules *r, size_t i, enum guard_field key[GUARD_KEY_MAX])
{
	const struct rule *rule = &r->rule[i];

	for (size_t n = 0; n < rule->nkey; n++)
		key[n] = rule->key[n];
	return rule->nkey;
}

int guard_rules_keep(struct guard_rules *r, const char *id)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->rule[i].info.id, id) != 0)
			continue;
		if (i != 0)
			memcpy(&r->rule[0], &r->rule[i], sizeof(r->rule[0]));
		r->n = 1;
		return KG_OK;
	}
	return KG_E_NOTFOUND;
}
