/*
 * Which members of arguments policies may look at. Names are taken wherever the context's arguments could be meant;
 * a path that ends in a value which is then compared as a whole makes all below it count.
 */
#include "common/policy/policy_set.h"

struct collector {
	struct policy_set *set;
	bool starved;
};

static void add_name(struct collector *c, struct cedar_map *map, struct cedar_str name)
{
	static char present;

	if (cedar_map_put(map, &c->set->arena, CEDAR_STR(""), name, &present) == -CEDAR_E_MEMORY)
		c->starved = true;
}

static bool has_name(const struct cedar_map *map, struct cedar_str name)
{
	return cedar_map_get(map, CEDAR_STR(""), name) != NULL;
}

/* Whether a path of attributes can lead into the arguments. */
static bool leads_to_args(const struct cedar_expr *expr)
{
	const struct cedar_expr *last = NULL;

	for (; expr->op == CEDAR_X_ATTR; expr = expr->kids[0])
		last = expr;
	if (expr->op == CEDAR_X_VALUE)
		return false;
	if (expr->op != CEDAR_X_VAR)
		return true;
	return expr->var == CEDAR_CONTEXT && (last == NULL || !cedar_str_is(last->names[0], "base"));
}

static void note_special(struct collector *c, const struct cedar_expr *expr)
{
	for (uint32_t i = 0; i < expr->name_count; i++) {
		if (cedar_str_is(expr->names[i], "approval"))
			c->set->names.approval = true;
		if (cedar_str_is(expr->names[i], "approver"))
			c->set->names.approver = true;
	}
}

static void walk(struct collector *c, const struct cedar_expr *expr, bool path);

static void walk_kids(struct collector *c, const struct cedar_expr *expr, bool path)
{
	for (uint32_t i = 0; i < expr->count; i++)
		walk(c, expr->kids[i], path);
}

/* path: the value is only looked into by another step. Recursion is bounded by CEDAR_MAX_EXPR_DEPTH. */
static void walk(struct collector *c, const struct cedar_expr *expr, bool path)
{
	struct gate_names *names = &c->set->names;

	if (expr->op == CEDAR_X_VAR && expr->var == CEDAR_CONTEXT && !path)
		names->everything = true;
	if (expr->op == CEDAR_X_ATTR || expr->op == CEDAR_X_HAS) {
		note_special(c, expr);
		if (leads_to_args(expr->op == CEDAR_X_ATTR ? expr : expr->kids[0])) {
			for (uint32_t i = 0; i < expr->name_count; i++)
				add_name(c, &names->spoken, expr->names[i]);
			if (expr->op == CEDAR_X_ATTR && !path)
				add_name(c, &names->whole, expr->names[0]);
		}
		walk_kids(c, expr, true);
		return;
	}
	if (expr->op == CEDAR_X_RECORD)
		for (uint32_t i = 0; i < expr->name_count; i++)
			add_name(c, &names->spoken, expr->names[i]);
	walk_kids(c, expr, false);
}

int names_collect(struct policy_set *s)
{
	struct collector c = {.set = s};

	for (size_t i = 0; i < cedar_policies_rule_count(s->policies); i++) {
		const struct cedar_policy *policy = cedar_policies_rule(s->policies, i)->policy;

		for (size_t k = 0; k < policy->condition_count; k++)
			walk(&c, policy->conditions[k].body, false);
	}
	return c.starved ? KG_E_NOMEM : 0;
}

static void mark(const struct gate_names *names, struct plan *plan, bool whole)
{
	plan->spoken = whole || has_name(&names->spoken, plan->name);
	plan->whole = whole || has_name(&names->whole, plan->name);
	/* A set is only ever looked at with all that it holds. */
	if (plan->kind == PLAN_SET)
		mark(names, plan->element, plan->spoken);
	for (uint32_t i = 0; i < plan->count; i++)
		mark(names, &plan->members[i], plan->whole);
}

void names_mark(const struct policy_set *s)
{
	bool everything = s->names.everything || has_name(&s->names.whole, CEDAR_STR("args"));

	for (size_t i = 0; i < s->ntools; i++)
		mark(&s->names, &s->tools[i]->args, everything);
}
