#include "common/cedar/cedar_eval.h"
#include "common/cedar/cedar_limits.h"

#define MAX_ARGS 2u /* no function takes more */

/* The set of the two that `left` method `right` speaks of. */
static int call_contains(struct cedar_eval *eval, const struct cedar_expr *expr, const struct cedar_value *args,
			 struct cedar_value *out)
{
	bool all = expr->fn == CEDAR_FN_CONTAINS_ALL, found = false;
	uint32_t i;
	int rc;

	if (args[0].kind != CEDAR_SET || (expr->fn != CEDAR_FN_CONTAINS && args[1].kind != CEDAR_SET))
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	if (expr->fn == CEDAR_FN_CONTAINS) {
		*out = cedar_bool(cedar_set_has(&args[0], &args[1]));
		return 0;
	}
	rc = cedar_eval_charge(eval, expr, args[1].count);
	if (rc != 0)
		return rc;
	/* containsAll looks for one that is missing, containsAny for one there. */
	for (i = 0; i < args[1].count; i++) {
		found = cedar_set_has(&args[0], &args[1].u.items[i]);
		if (found != all)
			break;
	}
	*out = cedar_bool((i < args[1].count) != all);
	return 0;
}

static int call_tag(struct cedar_eval *eval, const struct cedar_expr *expr, const struct cedar_value *args,
		    struct cedar_value *out)
{
	const struct cedar_entity *entity;
	const struct cedar_value *tag = NULL;

	if (args[0].kind != CEDAR_ENTITY || args[1].kind != CEDAR_STRING)
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	entity = cedar_entities_find(eval->entities, args[0].u.uid);
	if (entity != NULL)
		tag = cedar_record_get(&entity->tags, cedar_string_of(args[1]));
	if (expr->fn == CEDAR_FN_HAS_TAG) {
		*out = cedar_bool(tag != NULL);
		return 0;
	}
	if (tag == NULL)
		return cedar_eval_fail(eval, expr, entity == NULL ? CEDAR_E_NO_ENTITY : CEDAR_E_NO_TAG);
	*out = *tag;
	return 0;
}

static int call_builtin(struct cedar_eval *eval, const struct cedar_expr *expr, const struct cedar_value *args,
			struct cedar_value *out)
{
	switch (expr->fn) {
	case CEDAR_FN_IS_EMPTY:
		if (args[0].kind != CEDAR_SET)
			return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
		*out = cedar_bool(args[0].count == 0);
		return 0;
	case CEDAR_FN_GET_TAG:
	case CEDAR_FN_HAS_TAG:
		return call_tag(eval, expr, args, out);
	default:
		return call_contains(eval, expr, args, out);
	}
}

/* All arguments are evaluated before their number or types matter. */
int cedar_eval_call(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	const struct cedar_fn_info *info = cedar_fn_info(expr->fn);
	struct cedar_value args[MAX_ARGS], extra;
	uint32_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < expr->count; i++)
		rc = cedar_eval_expr(eval, expr->kids[i], i < MAX_ARGS ? &args[i] : &extra);
	if (rc != 0)
		return rc;
	if (expr->count != info->arity)
		return cedar_eval_fail(eval, expr, CEDAR_E_ARITY);
	if (info->form == CEDAR_FN_BUILTIN)
		return call_builtin(eval, expr, args, out);
	if (args[0].kind != info->receiver || (info->arity == 2 && args[1].kind != info->argument))
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	return cedar_eval_extension(eval, expr, args, out);
}

static bool is_constant(const struct cedar_expr *expr)
{
	return expr->op == CEDAR_X_VALUE || expr->folded;
}

/* Recursion is bounded by CEDAR_MAX_EXPR_DEPTH. */
void cedar_fold_expr(struct cedar_expr *expr, struct cedar_arena *arena)
{
	struct cedar_eval eval = {.arena = arena, .steps = CEDAR_MAX_STEPS};
	struct cedar_value value;
	bool constant = true;
	uint32_t i;

	for (i = 0; i < expr->count; i++) {
		cedar_fold_expr(expr->kids[i], arena);
		constant = constant && is_constant(expr->kids[i]);
	}
	if (!constant || (expr->op != CEDAR_X_SET && expr->op != CEDAR_X_RECORD &&
			  (expr->op != CEDAR_X_CALL || cedar_fn_info(expr->fn)->form != CEDAR_FN_CONSTRUCTOR)))
		return;
	if (cedar_eval_expr(&eval, expr, &value) == 0) {
		expr->value = value;
		expr->folded = true;
	}
}

/* Recursion is bounded by CEDAR_MAX_EXPR_DEPTH. */
struct cedar_expr *cedar_compact_expr(const struct cedar_expr *expr, struct cedar_arena *arena)
{
	struct cedar_expr *copy = cedar_arena_alloc(arena, sizeof(*copy));
	struct cedar_str *names;
	uint32_t i;

	if (copy == NULL)
		return NULL;
	*copy = *expr;
	if (is_constant(expr))
		return copy;
	names = cedar_arena_array(arena, expr->name_count, sizeof(*names));
	copy->kids = cedar_arena_array(arena, expr->count, sizeof(*copy->kids));
	if (names == NULL || copy->kids == NULL)
		return NULL;
	if (expr->name_count > 0)
		memcpy(names, expr->names, expr->name_count * sizeof(*names));
	copy->names = names;
	for (i = 0; i < expr->count; i++) {
		copy->kids[i] = cedar_compact_expr(expr->kids[i], arena);
		if (copy->kids[i] == NULL)
			return NULL;
	}
	return copy;
}
