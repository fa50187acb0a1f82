/* Could an approval help at all, whoever gives it? Of many people not every one is tried. */
#include "common/policy/policy_set.h"

/* Whether the value depends on who approved. path: only a part of it is used. Bounded by CEDAR_MAX_EXPR_DEPTH. */
static bool speaks(const struct cedar_expr *expr, bool path)
{
	bool into = expr->op == CEDAR_X_ATTR || expr->op == CEDAR_X_HAS;

	if (expr->op == CEDAR_X_VAR)
		return expr->var == CEDAR_CONTEXT && !path;
	if (expr->op == CEDAR_X_ATTR && cedar_str_is(expr->names[0], "approver"))
		return true;
	if (expr->op == CEDAR_X_ATTR && !path &&
	    (cedar_str_is(expr->names[0], "approval") || cedar_str_is(expr->names[0], "base")))
		return true;
	for (uint32_t i = 0; i < expr->count; i++)
		if (speaks(expr->kids[i], into))
			return true;
	return false;
}

static bool rule_speaks(const struct cedar_rule *rule)
{
	for (uint32_t i = 0; i < rule->condition_count; i++)
		if (speaks(rule->conditions[i].body, false))
			return true;
	return false;
}

/* Whether a part of a condition is not met, whoever approves. Arguments that are unknown may do. */
static bool surely_unmet(struct policy_decider *d, const struct cedar_expr *part, bool unless, enum args_mode mode)
{
	struct cedar_eval eval = {
		.request = &d->request, .entities = d->overlay, .arena = &d->arena, .steps = 1u << 20};
	bool value = false;

	if (speaks(part, false))
		return false;
	if (cedar_eval_bool(&eval, part, &value) != 0)
		return mode != ARGS_UNKNOWN;
	return value == unless;
}

static bool could_be_met(struct policy_decider *d, const struct cedar_rule *rule, enum args_mode mode)
{
	for (uint32_t i = 0; i < rule->condition_count; i++) {
		const struct cedar_condition *c = &rule->conditions[i];

		if (c->unless || c->body->op != CEDAR_X_AND) {
			if (surely_unmet(d, c->body, c->unless, mode))
				return false;
			continue;
		}
		for (uint32_t k = 0; k < c->body->count; k++)
			if (surely_unmet(d, c->body->kids[k], false, mode))
				return false;
	}
	return true;
}

/* Whether what failed fails whoever approves, and so denies. */
static bool is_final(const struct cedar_failure *f, enum args_mode mode)
{
	if (f->code == CEDAR_E_LIMIT || f->code == CEDAR_E_MEMORY)
		return true;
	return f->rule->forbid && !rule_speaks(f->rule) && !(mode == ARGS_UNKNOWN && f->code == CEDAR_E_TYPE);
}

static bool is_hope(struct policy_decider *d, const struct cedar_rule *rule, enum args_mode mode)
{
	return !rule->forbid && rule_speaks(rule) && could_be_met(d, rule, mode);
}

bool approver_might(struct policy_decider *d, const struct policy_request *q, enum args_mode mode)
{
	const struct cedar_decision *v = &d->decision;

	if (request_build(d, q, mode) != 0 || decide_request(d) != 0)
		return false;
	for (size_t i = 0; i < v->failure_count; i++)
		if (is_final(&v->failures[i], mode))
			return false;
	if (v->allow)
		return true;
	for (size_t i = 0; i < v->reason_count; i++)
		if (!rule_speaks(v->reasons[i]))
			return false;
	if (v->reason_count > 0)
		return true;
	for (size_t i = 0; i < v->refusal_count; i++)
		if (is_hope(d, v->refusals[i].rule, mode))
			return true;
	for (size_t i = 0; i < v->failure_count; i++)
		if (is_hope(d, v->failures[i].rule, mode))
			return true;
	return false;
}
