/* What a list shows: the question of a call whose arguments are not known yet. */
#include "common/policy/policy_set.h"

/* Validated policies fail so only where they look into the arguments, which are unknown here. */
static bool is_unknown(const struct cedar_failure *failure)
{
	return failure->code == CEDAR_E_TYPE;
}

/* Whether a condition is false whatever the arguments: one of its conjuncts is. */
static bool surely_false(struct cedar_eval *eval, const struct cedar_condition *condition)
{
	const struct cedar_expr *body = condition->body;
	bool value = false;

	if (condition->unless || body->op != CEDAR_X_AND)
		return cedar_eval_bool(eval, body, &value) == 0 && value == condition->unless;
	for (uint32_t i = 0; i < body->count; i++)
		if (cedar_eval_bool(eval, body->kids[i], &value) == 0 && !value)
			return true;
	return false;
}

static bool could_hold(struct policy_decider *d, const struct cedar_rule *rule)
{
	struct cedar_eval eval = {
		.request = &d->request, .entities = d->overlay, .arena = &d->arena, .steps = 1u << 20};

	for (uint32_t i = 0; i < rule->condition_count; i++)
		if (surely_false(&eval, &rule->conditions[i]))
			return false;
	return true;
}

static bool could_allow(struct policy_decider *d, const struct policy_request *q, enum args_mode mode)
{
	const struct cedar_decision *v = &d->decision;

	if (request_build(d, q, mode) != 0 || decide_request(d) != 0)
		return false;
	if (!v->allow && v->reason_count > 0)
		return false;
	for (size_t i = 0; i < v->failure_count; i++)
		if (!is_unknown(&v->failures[i]) &&
		    (v->failures[i].rule->forbid || v->failures[i].code == CEDAR_E_LIMIT))
			return false;
	if (v->allow)
		return true;
	for (size_t i = 0; i < v->failure_count; i++)
		if (!v->failures[i].rule->forbid && is_unknown(&v->failures[i]) && could_hold(d, v->failures[i].rule))
			return true;
	return false;
}

bool policy_shows(struct policy_decider *d, const struct policy_request *q)
{
	bool four_eyes;

	if (could_allow(d, q, ARGS_UNKNOWN))
		return true;
	return d->set->names.approval && !q->approved && help_approval(d, q, ARGS_UNKNOWN, could_allow, &four_eyes);
}
