/* Why, in the words of the policies' own texts. */
#include "common/policy/policy_record.h"

#define CONDITION_MAX 200u

static json_t *text_json(struct cedar_str s)
{
	return json_stringn(s.p, s.n);
}

static int add(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value);
}

/* {"id", "effect", "file", "line"}; faults of memory show as NULL. */
static json_t *policy_json(const struct policy_set *s, const struct cedar_rule *rule)
{
	const struct cedar_source *source = cedar_policies_source(s->policies, rule->policy->source);
	struct cedar_place place = cedar_locate(source->text, rule->policy->span.start);
	json_t *out = json_object();

	if (out != NULL && add(out, "id", text_json(rule->id)) == 0 &&
	    add(out, "effect", json_string(rule->forbid ? "forbid" : "permit")) == 0 &&
	    add(out, "file", text_json(source->name)) == 0 &&
	    add(out, "line", json_integer((json_int_t)place.line)) == 0)
		return out;
	json_decref(out);
	return NULL;
}

/* The first condition that was false: its text, cut at a whole character, and where it stands. */
static json_t *condition_json(const struct policy_set *s, const struct cedar_rule *rule, struct cedar_span span)
{
	const struct cedar_source *source = cedar_policies_source(s->policies, rule->policy->source);
	struct cedar_place place = cedar_locate(source->text, span.start);
	char cut[CONDITION_MAX + 1] = "";
	struct text text = {cut, 0, sizeof(cut)};
	json_t *out = json_object();

	text_add(&text, (struct cedar_str){source->text.p + span.start, span.end - span.start});
	if (out != NULL && add(out, "condition", json_string(cut)) == 0 &&
	    add(out, "file", text_json(source->name)) == 0 &&
	    add(out, "line", json_integer((json_int_t)place.line)) == 0 &&
	    add(out, "column", json_integer((json_int_t)place.column)) == 0)
		return out;
	json_decref(out);
	return NULL;
}

static int add_reasons(const struct policy_decider *d, json_t *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->decision.reason_count; i++)
		rc = json_array_append_new(list, policy_json(d->set, d->decision.reasons[i]));
	return rc;
}

static int add_failures(const struct policy_decider *d, json_t *list)
{
	char what[CEDAR_ERROR_MAX];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->decision.failure_count; i++) {
		const struct cedar_failure *f = &d->decision.failures[i];
		json_t *policy = policy_json(d->set, f->rule);

		cedar_failure_describe(f, what, sizeof(what));
		rc = json_array_append_new(list, policy);
		if (rc == 0)
			rc = add(policy, "error", json_string(what));
		if (rc == 0)
			rc = add(policy, "at", condition_json(d->set, f->rule, f->expr->span));
	}
	return rc;
}

static int add_refusals(const struct policy_decider *d, json_t *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->decision.refusal_count; i++) {
		const struct cedar_refusal *r = &d->decision.refusals[i];
		json_t *policy = policy_json(d->set, r->rule);

		rc = json_array_append_new(list, policy);
		if (rc == 0)
			rc = add(policy, "false", condition_json(d->set, r->rule, r->span));
	}
	return rc;
}

static int add_missing(uint8_t help, json_t *list)
{
	static const struct {
		uint8_t help;
		const char *name;
	} known[] = {
		{POLICY_HELP_CONSENT, "consent"}, {POLICY_HELP_APPROVAL, "approval"}, {POLICY_HELP_STEP_UP, "step-up"}};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(known) / sizeof(known[0]); i++)
		if ((help & known[i].help) != 0)
			rc = json_array_append_new(list, json_string(known[i].name));
	return rc;
}

/* The last decision of d is asked once more: help has asked others since. */
static json_t *explain(struct policy_decider *d, const struct policy_request *q, enum args_mode mode)
{
	static const char *const lists[] = {"policies", "errors", "considered", "missing"};
	struct policy_decision v;
	json_t *out = json_object();
	bool asked;
	int rc = out == NULL;

	decide_mode(d, q, mode, &v);
	for (size_t i = 0; rc == 0 && i < sizeof(lists) / sizeof(lists[0]); i++)
		rc = add(out, lists[i], json_array());
	if (rc == 0)
		rc = add(out, "decision", json_string(v.allow ? "allow" : "deny")) != 0 ||
		     add(out, "reason_code", json_string(v.reason_code)) != 0 ||
		     add(out, "reason", json_string(v.reason)) != 0 ||
		     add(out, "four_eyes", json_boolean(v.four_eyes)) != 0;
	asked = rc == 0 && request_build(d, q, mode) == 0 && decide_request(d) == 0;
	if (asked)
		rc = add_reasons(d, json_object_get(out, "policies")) != 0 ||
		     add_failures(d, json_object_get(out, "errors")) != 0 ||
		     add_refusals(d, json_object_get(out, "considered")) != 0;
	if (rc == 0)
		rc = add_missing(v.help, json_object_get(out, "missing"));
	if (rc == 0)
		return out;
	json_decref(out);
	return NULL;
}

json_t *policy_explain(struct policy_decider *d, const struct policy_request *q)
{
	return explain(d, q, q->args == NULL ? ARGS_UNKNOWN : ARGS_GIVEN);
}

json_t *policy_explain_facts(struct policy_decider *d, const char *facts, size_t len, const char **why)
{
	struct recorded r;
	json_t *out = NULL;
	int rc = recorded_read(&r, d->set, facts, len, why);

	if (rc == 0 && r.unfit)
		*why = "the request did not fit the schema";
	else if (rc == 0)
		out = explain(d, &r.q, ARGS_RECORDED);
	recorded_free(&r);
	return out;
}
