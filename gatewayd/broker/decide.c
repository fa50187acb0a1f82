#include "gatewayd/broker/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

#define POLICY_TEXT_MAX (2ul * IPC_CONFIG_MAX)

struct policy {
	uint8_t sha256[HASH_LEN];
};

static int put_rules(struct buf *out, const struct config_server *s)
{
	int r = json_put_string(out, s->name, strlen(s->name));

	if (r == KG_OK)
		r = buf_puts(out, ":[");
	for (size_t i = 0; i < s->ntiers && r == KG_OK; i++) {
		r = buf_puts(out, i == 0 ? "[" : ",[");
		if (r == KG_OK)
			r = json_put_string(out, s->tiers[i].pattern, strlen(s->tiers[i].pattern));
		if (r == KG_OK)
			r = buf_printf(out, ",\"%s\"]", tier_name(s->tiers[i].tier));
	}
	return r == KG_OK ? buf_puts(out, "]") : r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct config_server *const *)a)->name, (*(const struct config_server *const *)b)->name);
}

/* The servers and their tiers in one spelling: the same policy has the same hash. */
static int put_canonical(struct buf *out, const struct config *config)
{
	const struct config_server *sorted[CONFIG_SERVERS_MAX] = {NULL};
	int r = buf_puts(out, "{");

	for (size_t i = 0; i < config->nservers; i++)
		sorted[i] = &config->servers[i];
	qsort(sorted, config->nservers, sizeof(sorted[0]), by_name);
	for (size_t i = 0; i < config->nservers && r == KG_OK; i++) {
		if (i != 0)
			r = buf_puts(out, ",");
		if (r == KG_OK)
			r = put_rules(out, sorted[i]);
	}
	return r == KG_OK ? buf_puts(out, "}") : r;
}

struct policy *policy_new(const struct config *config)
{
	struct policy *p = calloc(1, sizeof(*p));
	struct buf text;

	buf_init(&text, POLICY_TEXT_MAX);
	if (p == NULL || put_canonical(&text, config) != KG_OK)
		log_fatal(KG_EXIT_FAILURE, "policy: out of memory");
	sha256(buf_ptr(&text), buf_len(&text), p->sha256);
	buf_free(&text);
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

void decision_request_session(struct decision_request *q, const struct session *s)
{
	q->session = s->id;
	q->consent = s->consent;
	q->human = s->human;
	q->agent = s->agent;
	q->consent_tier = s->tier;
	q->consent_until_unix = s->expires_unix;
	q->consent_tools = &s->tools;
}

void decision_request_tool(struct decision_request *q, const struct tool *t)
{
	q->upstream = t->server->name;
	q->tool = t->name;
	q->qualified = t->qualified;
	q->def_sha256 = t->def.sha256;
	q->tier = t->tier;
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
