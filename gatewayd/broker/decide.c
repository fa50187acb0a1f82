#include "gatewayd/broker/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/log.h"

struct policy {
	uint8_t sha256[HASH_LEN];
};

static json_t *tiers_json(const struct config_server *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->ntiers; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "pattern", s->tiers[i].pattern, "tier",
						      tier_name(s->tiers[i].tier)));
	return list;
}

/* What decides until policies are files of their own: the servers and their tiers, as canonical JSON. */
struct policy *policy_new(const struct config *config)
{
	struct policy *p = calloc(1, sizeof(*p));
	json_t *root = json_object();
	char *text;

	for (size_t i = 0; i < config->nservers; i++)
		json_object_set_new(root, config->servers[i].name, tiers_json(&config->servers[i]));
	text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(root);
	if (p == NULL || text == NULL)
		log_fatal(KG_EXIT_FAILURE, "policy: out of memory");
	sha256(text, strlen(text), p->sha256);
	free(text);
	return p;
}

void policy_free(struct policy *p)
{
	free(p);
}

const uint8_t *policy_hash(const struct policy *p)
{
	return p->sha256;
}

bool patterns_cover(const struct patterns *p, const char *qualified)
{
	for (size_t i = 0; i < p->count; i++)
		if (glob_match(p->glob[i], qualified))
			return true;
	return false;
}

static bool outside_consent(const struct decision_request *q)
{
	return !patterns_cover(q->consent_tools, q->qualified);
}

static bool consent_over(const struct decision_request *q)
{
	return q->now_unix >= q->consent_until_unix;
}

static bool destructive(const struct decision_request *q)
{
	return q->tier != TIER_READ && q->tier != TIER_WRITE;
}

static bool above_consent(const struct decision_request *q)
{
	return q->tier > q->consent_tier;
}

/* The refusals, in the order in which they are asked; what none of them refuses is allowed. */
static const struct rule {
	bool (*refuses)(const struct decision_request *q);
	bool visible;
	const char *code;
	const char *text; /* "refused by policy: SERVER/TOOL " … */
} rules[] = {
	{outside_consent, false, "not-in-consent", "is not in the consent of this session"},
	{consent_over, true, "consent-expired",
	 "was consented for a time that is over: ask an operator for a new consent"},
	{destructive, true, "destructive",
	 "is destructive, and destructive tools are refused: ask an operator to do it"},
	{above_consent, true, "tier-above-consent",
	 "writes, and the consent of this session is for reading only: ask an operator for a consent of tier write"},
};

void decide(const struct policy *p, const struct decision_request *q, struct decision *out)
{
	out->policy_sha256 = p->sha256;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];

		if (!r->refuses(q))
			continue;
		out->allow = false;
		out->visible = r->visible;
		out->reason_code = r->code;
		snprintf(out->reason, sizeof(out->reason), "refused by policy: %s %s", q->qualified, r->text);
		return;
	}
	out->allow = out->visible = true;
	out->reason_code = "consent";
	out->reason[0] = '\0';
}
