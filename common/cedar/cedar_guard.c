#include "common/cedar/cedar_guard.h"

/* The slot of variable.name from 1, or 0 when the table is full. */
static uint8_t slot_of(struct cedar_guard_table *table, enum cedar_var var, struct cedar_str name)
{
	size_t i;

	for (i = 0; i < table->count; i++)
		if (table->slots[i].var == var && cedar_str_equal(table->slots[i].name, name))
			return (uint8_t)(i + 1);
	if (table->count == CEDAR_GUARD_SLOTS)
		return 0;
	table->slots[table->count].var = var;
	table->slots[table->count].name = name;
	return (uint8_t)++table->count;
}

static bool is_attribute(const struct cedar_expr *expr)
{
	return expr->op == CEDAR_X_ATTR && !expr->folded && expr->kids[0]->op == CEDAR_X_VAR &&
	       expr->kids[0]->var != CEDAR_ACTION;
}

static bool is_comparison(const struct cedar_expr *expr)
{
	return expr->op == CEDAR_X_LT || expr->op == CEDAR_X_LE || expr->op == CEDAR_X_GT || expr->op == CEDAR_X_GE;
}

struct cedar_guard cedar_guard_make(struct cedar_guard_table *table, const struct cedar_rule *rule)
{
	struct cedar_guard guard = {.forbid = rule->forbid};
	const struct cedar_expr *test, *attribute;

	if (rule->typed || rule->condition_count == 0)
		return guard;
	guard.unless = rule->conditions[0].unless;
	test = rule->conditions[0].body;
	if (test->op == CEDAR_X_AND && !guard.unless && !test->folded)
		test = test->kids[0];
	guard.op = test->op;
	guard.span = test->span;
	attribute = test;
	if (is_comparison(test) && !test->folded && test->kids[1]->op == CEDAR_X_VALUE &&
	    test->kids[1]->value.kind == CEDAR_LONG) {
		attribute = test->kids[0];
		guard.value = test->kids[1]->value.u.i;
	}
	if (is_attribute(attribute))
		guard.slot = slot_of(table, (enum cedar_var)attribute->kids[0]->var, attribute->names[0]);
	return guard;
}

static const struct cedar_value *look_up(const struct cedar_guard_table *table, size_t slot,
					 const struct cedar_eval *eval)
{
	const struct cedar_entity *entity;

	if (table->slots[slot].var == CEDAR_CONTEXT)
		return cedar_record_get(&eval->request->context, table->slots[slot].name);
	entity = cedar_eval_entity(eval, table->slots[slot].var == CEDAR_PRINCIPAL ? eval->request->principal
										   : eval->request->resource);
	return entity == NULL ? NULL : cedar_record_get(&entity->attrs, table->slots[slot].name);
}

static bool compare(enum cedar_op op, int64_t a, int64_t b)
{
	switch (op) {
	case CEDAR_X_LT:
		return a < b;
	case CEDAR_X_LE:
		return a <= b;
	case CEDAR_X_GT:
		return a > b;
	default:
		return a >= b;
	}
}

bool cedar_guard_refuses(const struct cedar_guard_table *table, const struct cedar_guard *guard,
			 const struct cedar_eval *eval, struct cedar_guard_values *values)
{
	const struct cedar_value *value;
	size_t slot = guard->slot - (size_t)1;

	if (guard->slot == 0)
		return false;
	if ((values->known >> slot & 1) == 0) {
		values->values[slot] = look_up(table, slot, eval);
		values->known |= UINT32_C(1) << slot;
	}
	value = values->values[slot];
	if (value == NULL)
		return false;
	if (guard->op == CEDAR_X_ATTR)
		return value->kind == CEDAR_BOOL && value->u.b == guard->unless;
	return value->kind == CEDAR_LONG &&
	       compare((enum cedar_op)guard->op, value->u.i, guard->value) == guard->unless;
}
