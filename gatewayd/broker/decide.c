#include "gatewayd/broker/decide.h"

#include <stdio.h>
#include <string.h>

#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/text.h"

bool patterns_cover(const struct patterns *p, const char *qualified)
{
	for (size_t i = 0; i < p->count; i++)
		if (glob_match(p->glob[i], qualified))
			return true;
	return false;
}

void source_address(struct ipc_bytes source, char out[DECISION_SOURCE_MAX + 1])
{
	uint32_t first = source.n != 0 && source.p[0] == '[', n = source.n;

	while (n > 0 && source.p[n - 1] != ':')
		n--;
	n = n > 0 ? n - 1 : source.n;
	if (first != 0 && n > 0 && source.p[n - 1] == ']')
		n--;
	if (n < first || n - first > DECISION_SOURCE_MAX)
		n = first;
	memcpy(out, source.p + first, n - first);
	out[n - first] = '\0';
}

/* A question with what is accepted of its tool. */
struct question {
	const struct decision_request *q;
	const struct pin *pin; /* NULL: none */
};

static bool outside_consent(const struct question *s)
{
	return !patterns_cover(&s->q->session->tools, s->q->tool->qualified);
}

static bool consent_over(const struct question *s)
{
	return s->q->now_unix >= s->q->session->expires_unix;
}

static bool pin_pending(const struct question *s)
{
	return s->pin == NULL || s->pin->state == PIN_PENDING;
}

static bool server_held(const struct question *s)
{
	return s->pin->state == PIN_HELD && s->pin->held_by == HELD_WITH_SERVER;
}

static bool pin_held(const struct question *s)
{
	return s->pin->state == PIN_HELD;
}

/* Also where vaultd has not heard of the change yet: our own hash of what is listed decides. */
static bool pin_changed(const struct question *s)
{
	return s->pin->state != PIN_ACCEPTED || memcmp(s->pin->accepted, s->q->tool->def.sha256, HASH_LEN) != 0;
}

static bool suspended(const struct question *s)
{
	const struct patterns *p = &s->q->session->suspended;

	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->glob[i], s->q->tool->qualified) == 0 || strcmp(p->glob[i], "*") == 0)
			return true;
	return false;
}

/* Whatever is not known to be milder. */
static bool destructive(const struct tool *t)
{
	return t->tier != TIER_READ && t->tier != TIER_WRITE;
}

/* There is no consent of tier destructive: one of tier write covers it, and each call needs an approval. */
static bool above_consent(const struct question *s)
{
	uint8_t needed = destructive(s->q->tool) ? TIER_WRITE : s->q->tool->tier;

	return needed > s->q->session->tier;
}

/* The refusals that no policy can lift, in the order in which they are asked. */
static const struct rule {
	bool (*refuses)(const struct question *s);
	bool visible;
	const char *code;
	const char *text; /* "refused: SERVER/TOOL " … */
} rules[] = {
	{outside_consent, false, "not-in-consent", "is not in the consent of this session"},
	{consent_over, true, "consent-expired",
	 "was consented for a time that is over: ask an operator for a new consent"},
	{pin_pending, true, "tool-pending",
	 "is new, and nobody has accepted it yet: an operator does that with: keepgate tools accept"},
	{server_held, true, "server-held", "is quarantined with its whole server by the guardian: ask an operator"},
	{pin_held, true, "tool-held", "is quarantined: an operator releases it with: keepgate tools release"},
	{pin_changed, true, "tool-changed",
	 "is not defined any more as it was accepted: an operator looks at the difference with: keepgate tools diff"},
	{suspended, true, "tool-changed-since-consent",
	 "has changed since this session's consent named it: an operator confirms it with: keepgate consent confirm"},
	{above_consent, true, "tier-above-consent",
	 "writes, and the consent of this session is for reading only: ask an operator for a consent of tier write"},
};

static const struct rule *refused_by(const struct question *s)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].refuses(s))
			return &rules[i];
	return NULL;
}

static bool is_hold(const struct rule *r)
{
	return r->refuses == server_held || r->refuses == pin_held;
}

static struct question question_of(const struct broker *b, const struct decision_request *q)
{
	return (struct question){q, pins_find(b->pins, q->tool->server->name, q->tool->name)};
}

/* The same question in the words of the policies. */
static struct policy_request policy_request_of(const struct broker *b, const struct decision_request *q,
					       const char *source)
{
	const struct session *s = q->session;
	const struct tool *t = q->tool;

	return (struct policy_request){.human = s->human,
				       .agent = s->agent,
				       .session = s->id,
				       .consent = s->consent,
				       .server = t->server->name,
				       .tool = t->name,
				       .tool_sha256 = t->def.sha256,
				       .args_sha256 = q->args_sha256,
				       .args = q->args,
				       .schema_ok = t->schema_ok,
				       .consented = true,
				       .consent_tier = s->tier,
				       .consent_expires_unix = s->expires_unix,
				       .approver = "",
				       .now_unix_ms = q->now_unix * 1000,
				       .utc_offset_s = policies_utc_offset(b->policies, q->now_unix),
				       .source_ip = source,
				       .risk = risks_of(b->risks, s),
				       .labels = s->labels.glob,
				       .nlabels = s->labels.count};
}

static void deny(struct decision *out, const char *code, const struct tool *t, const char *before, const char *text)
{
	out->allow = false;
	out->visible = true;
	out->reason_code = code;
	text_put(out->reason, sizeof(out->reason), "refused: %s %s%s", t->qualified, before, text);
}

/* Whether the arguments fit the tool's own schema; what cannot be checked is told to the policies as schema_ok = false.
 */
static bool arguments_fit(const struct decision_request *q, struct decision *out)
{
	struct jsonschema_error e;
	int r;

	if (!q->tool->schema_ok)
		return true;
	r = tool_schema_check(&q->tool->def, &q->tool->def.input, q->args, 0, &e);
	if (r == KG_OK)
		return true;
	deny(out, "invalid-arguments", q->tool, "", "");
	out->invalid_arguments = true;
	text_put(out->reason, sizeof(out->reason), "%s: the arguments do not fit its inputSchema, %s%s: %s",
		 q->tool->qualified, e.path[0] == '\0' ? "at their root" : "at ", e.path,
		 r == KG_E_NOMEM ? "the gateway is out of memory" : e.what);
	return false;
}

/* Puts the approval of exactly this call into the question. */
static void take_approval(const struct broker *b, const struct decision_request *q, struct policy_request *p,
			  struct decision *out)
{
	const struct approval_key key = {q->session->id, q->tool->server->name, q->tool->name, q->args_sha256,
					 q->tool->def.sha256};
	const struct approval *a = q->offered != NULL ? q->offered : approvals_find(b->approvals, &key, q->now_unix);

	if (a == NULL || a->state != APPROVAL_APPROVED)
		return;
	out->approval = a;
	p->approved = true;
	p->approver = a->approver;
	p->approval_expires_unix = a->expires_unix;
	p->mfa = a->mfa;
}

/* One that the policies do not take must not stand in the way of another that they would. */
static void pass_over(const struct broker *b, struct policy_decider *d, const struct decision_request *q,
		      struct policy_request *p, struct policy_decision *v, struct decision *out)
{
	struct policy_request without = policy_request_of(b, q, p->source_ip);
	struct policy_decision w;

	if (v->allow || out->approval == NULL || q->offered != NULL)
		return;
	policy_decide(d, &without, &w);
	if ((w.help & POLICY_HELP_APPROVAL) == 0)
		return;
	out->spent = out->approval;
	out->approval = NULL;
	*p = without;
	*v = w;
}

/* For a time the guardian wants an approval of what a session's consent lets it do without. */
static bool guarded(const struct decision_request *q)
{
	uint8_t from = q->session->approval_tier;

	return from != 0 && (destructive(q->tool) || q->tool->tier >= from);
}

/* What stands behind the policies' word: no policy lifts it. */
static void conclude(const struct decision_request *q, const struct policy_decision *v, struct decision *out)
{
	out->allow = v->allow;
	out->visible = true;
	out->reason_code = v->reason_code;
	snprintf(out->policies, sizeof(out->policies), "%s", v->policies);
	if (!v->allow) {
		deny(out, v->reason_code, q->tool, "by policy: ", v->reason);
		out->needs_approval = (v->help & POLICY_HELP_APPROVAL) != 0 && out->approval == NULL;
		out->four_eyes = v->four_eyes;
		return;
	}
	out->reason[0] = '\0';
	if ((!destructive(q->tool) && !guarded(q)) || out->approval != NULL)
		return;
	if (destructive(q->tool))
		deny(out, "approval-required", q->tool, "", "is destructive: each call needs the approval of a person");
	else
		deny(out, GUARDIAN_APPROVAL, q->tool, "",
		     "needs the approval of a person for each call of this session now, by the guardian");
	out->needs_approval = true;
}

static void note_facts(struct broker *b, struct policy_decider *d, const struct policy_request *p,
		       const struct policy_decision *v, struct decision *out)
{
	buf_reset(&b->facts);
	if (policy_facts(d, p, v, b->config->policy.record_arguments, DECISION_FACTS_MAX, &b->facts) == KG_OK) {
		out->facts = ipc_mem(buf_ptr(&b->facts), (uint32_t)buf_len(&b->facts));
		return;
	}
	/* What cannot be put on record is not done. */
	if (out->allow)
		*out = (struct decision){.visible = true,
					 .reason_code = "record-limit",
					 .reason = "refused: what this decision rests on cannot be recorded",
					 .policy_sha256 = out->policy_sha256};
}

/*
 * A set that could not be built for a newly accepted definition leaves the one before in force: closed by construction
 * (design: policy, mapping), as for a tool that it has never heard of.
 */
static bool is_known(const struct broker *b, const struct tool *t)
{
	const struct policy_tool known = {
		.server = t->server->name, .name = t->name, .tier = t->tier, .sha256 = t->def.sha256};

	return policies_know(b->policies, &known);
}

static void ask_policies(struct broker *b, const struct decision_request *q, struct decision *out)
{
	const char *why = "";
	struct policy_decider *d = policies_decider(b->policies, &why);
	char source[DECISION_SOURCE_MAX + 1];
	struct policy_decision v;
	struct policy_request p;

	/* Building may have put another set in force. */
	out->policy_sha256 = policies_hash(b->policies);
	if (d == NULL) {
		deny(out, "policy-none", q->tool, "because no valid set of policies is in force: ", why);
		return;
	}
	if (!is_known(b, q->tool)) {
		deny(out, "policy-request", q->tool, "by policy: ",
		     "the set in force was built for another definition of it: see keepgate policy status");
		return;
	}
	source_address(q->source, source);
	p = policy_request_of(b, q, source);
	take_approval(b, q, &p, out);
	policy_decide(d, &p, &v);
	pass_over(b, d, q, &p, &v, out);
	conclude(q, &v, out);
	if (q->offered != NULL)
		return;
	note_facts(b, d, &p, &v, out);
	policies_shadow(b->policies, &p, &v);
}

void decide(struct broker *b, const struct decision_request *q, struct decision *out)
{
	struct question s = question_of(b, q);
	const struct rule *r = refused_by(&s);

	out->invalid_arguments = out->needs_approval = out->four_eyes = false;
	out->policies[0] = '\0';
	out->policy_sha256 = policies_hash(b->policies);
	out->approval = out->spent = NULL;
	out->facts = (struct ipc_bytes){NULL, 0};
	if (r != NULL) {
		if (is_hold(r) && s.pin->reason[0] != '\0')
			deny(out, r->code, q->tool, "is quarantined: ", s.pin->reason);
		else
			deny(out, r->code, q->tool, "", r->text);
		out->visible = r->visible;
		return;
	}
	if (arguments_fit(q, out))
		ask_policies(b, q, out);
}

bool decide_shows(struct broker *b, const struct decision_request *q)
{
	struct question s = question_of(b, q);
	char source[DECISION_SOURCE_MAX + 1];
	struct policy_request p;
	struct policy_decider *d;
	const char *why;

	if (refused_by(&s) != NULL)
		return false;
	d = policies_decider(b->policies, &why);
	if (d == NULL || !is_known(b, q->tool))
		return false;
	source_address(q->source, source);
	p = policy_request_of(b, q, source);
	return policy_shows(d, &p);
}
