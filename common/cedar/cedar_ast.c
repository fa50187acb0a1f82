#include "common/cedar/cedar_ast.h"

#include "common/cedar/cedar_limits.h"

static const char *const var_names[] = {"principal", "action", "resource", "context"};

#define VARS (sizeof(var_names) / sizeof(var_names[0]))

const char *cedar_var_name(unsigned int var)
{
	return var_names[var];
}

int cedar_var_find(struct cedar_str name)
{
	int var;

	for (var = 0; var < (int)VARS; var++)
		if (cedar_str_is(name, var_names[var]))
			return var;
	return -1;
}

int cedar_list_add(struct cedar_list *list, struct cedar_arena *arena, void *item)
{
	size_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
	void **items;

	if (list->count == list->capacity) {
		items = cedar_arena_array(arena, capacity, sizeof(*items));
		if (items == NULL)
			return -CEDAR_E_MEMORY;
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = item;
	return 0;
}

static void *no_memory(struct cedar_maker *maker, struct cedar_span span)
{
	cedar_fail(maker->error, CEDAR_E_MEMORY, span.start, "out of memory");
	return NULL;
}

struct cedar_expr *cedar_expr_new(struct cedar_maker *maker, enum cedar_op op, struct cedar_span span,
				  struct cedar_expr *const *kids, size_t count)
{
	struct cedar_expr *expr = cedar_arena_alloc(maker->arena, sizeof(*expr));
	uint16_t depth = 0;
	size_t i;

	if (expr == NULL || count > UINT32_MAX)
		return no_memory(maker, span);
	expr->kids = cedar_arena_array(maker->arena, count, sizeof(*kids));
	if (expr->kids == NULL)
		return no_memory(maker, span);
	for (i = 0; i < count; i++) {
		expr->kids[i] = kids[i];
		if (kids[i]->depth > depth)
			depth = kids[i]->depth;
	}
	if (depth >= CEDAR_MAX_EXPR_DEPTH) {
		cedar_fail(maker->error, CEDAR_E_LIMIT, span.start, "the expression is more than %u levels deep",
			   CEDAR_MAX_EXPR_DEPTH);
		return NULL;
	}
	expr->op = (uint8_t)op;
	expr->depth = (uint16_t)(depth + 1);
	expr->span = span;
	expr->count = (uint32_t)count;
	return expr;
}

struct cedar_expr *cedar_expr_value(struct cedar_maker *maker, struct cedar_span span, struct cedar_value value)
{
	struct cedar_expr *expr = cedar_expr_new(maker, CEDAR_X_VALUE, span, NULL, 0);

	if (expr != NULL)
		expr->value = value;
	return expr;
}

struct cedar_expr *cedar_expr_var(struct cedar_maker *maker, struct cedar_span span, enum cedar_var var)
{
	struct cedar_expr *expr = cedar_expr_new(maker, CEDAR_X_VAR, span, NULL, 0);

	if (expr != NULL)
		expr->var = (uint8_t)var;
	return expr;
}

struct cedar_expr *cedar_expr_named(struct cedar_maker *maker, enum cedar_op op, struct cedar_span span,
				    struct cedar_expr *kid, struct cedar_str name)
{
	struct cedar_expr *expr = cedar_expr_new(maker, op, span, &kid, 1);

	if (expr == NULL)
		return NULL;
	expr->names = cedar_arena_array(maker->arena, 1, sizeof(name));
	if (expr->names == NULL)
		return no_memory(maker, span);
	expr->names[0] = name;
	expr->name_count = 1;
	return expr;
}

struct cedar_expr *cedar_expr_call(struct cedar_maker *maker, struct cedar_span span, enum cedar_fn fn,
				   struct cedar_expr *const *kids, size_t count)
{
	struct cedar_expr *expr = cedar_expr_new(maker, CEDAR_X_CALL, span, kids, count);

	if (expr != NULL)
		expr->fn = (uint8_t)fn;
	return expr;
}

struct cedar_expr *cedar_expr_chain(struct cedar_maker *maker, enum cedar_op op, struct cedar_span span,
				    struct cedar_expr *const *kids, const char *signs, size_t count)
{
	struct cedar_expr *first = kids[0], **all, *expr;
	size_t spliced = first->op == op ? first->count : 1, total;
	char *all_signs;

	total = spliced + count - 1;
	all = cedar_arena_array(maker->arena, total, sizeof(*all));
	all_signs = cedar_arena_alloc(maker->arena, total);
	if (all == NULL || all_signs == NULL)
		return no_memory(maker, span);
	memset(all_signs, '+', total);
	all[0] = first;
	if (first->op == op) {
		memcpy(all, first->kids, spliced * sizeof(*all));
		memcpy(all_signs, first->signs, spliced);
	}
	memcpy(all + spliced, kids + 1, (count - 1) * sizeof(*all));
	if (signs != NULL)
		memcpy(all_signs + spliced, signs + 1, count - 1);
	expr = cedar_expr_new(maker, op, span, all, total);
	if (expr != NULL)
		expr->signs = all_signs;
	return expr;
}

static bool same_pattern(const struct cedar_pattern *a, const struct cedar_pattern *b)
{
	size_t i;

	if (a == NULL || b == NULL || a->count != b->count)
		return a == b;
	for (i = 0; i < a->count; i++)
		if (!cedar_str_equal(a->pieces[i], b->pieces[i]))
			return false;
	return true;
}

/* Recursion is bounded by CEDAR_MAX_EXPR_DEPTH. */
bool cedar_expr_same(const struct cedar_expr *a, const struct cedar_expr *b)
{
	uint32_t i;

	if (a == b)
		return true;
	if (a->op != b->op || a->fn != b->fn || a->var != b->var || a->count != b->count ||
	    a->name_count != b->name_count || a->depth != b->depth || !same_pattern(a->pattern, b->pattern))
		return false;
	if (a->op == CEDAR_X_VALUE && cedar_value_order(&a->value, &b->value) != 0)
		return false;
	if (a->op == CEDAR_X_SUM && memcmp(a->signs, b->signs, a->count) != 0)
		return false;
	for (i = 0; i < a->name_count; i++)
		if (!cedar_str_equal(a->names[i], b->names[i]))
			return false;
	for (i = 0; i < a->count; i++)
		if (!cedar_expr_same(a->kids[i], b->kids[i]))
			return false;
	return true;
}

const struct cedar_str *cedar_policy_annotation(const struct cedar_policy *policy, struct cedar_str key)
{
	size_t i;

	for (i = 0; i < policy->annotation_count; i++)
		if (cedar_str_equal(policy->annotations[i].key, key))
			return &policy->annotations[i].value;
	return NULL;
}
