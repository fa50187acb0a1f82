#include "common/cedar/cedar_eval.h"

typedef int eval_fn(struct cedar_eval *, const struct cedar_expr *, struct cedar_value *);

int cedar_eval_fail(struct cedar_eval *eval, const struct cedar_expr *expr, enum cedar_code code)
{
	eval->fault = (struct cedar_fault){code, expr};
	return -(int)code;
}

int cedar_eval_charge(struct cedar_eval *eval, const struct cedar_expr *expr, size_t steps)
{
	if (steps > eval->steps)
		return cedar_eval_fail(eval, expr, CEDAR_E_LIMIT);
	eval->steps -= (uint32_t)steps;
	return 0;
}

const struct cedar_entity *cedar_eval_entity(const struct cedar_eval *eval, const struct cedar_uid *uid)
{
	if (uid == eval->known[0].uid)
		return eval->known[0].entity;
	if (uid == eval->known[1].uid)
		return eval->known[1].entity;
	return cedar_entities_find(eval->entities, uid);
}

int cedar_eval_bool(struct cedar_eval *eval, const struct cedar_expr *expr, bool *out)
{
	struct cedar_value value;
	int rc = cedar_eval_expr(eval, expr, &value);

	if (rc != 0)
		return rc;
	if (value.kind != CEDAR_BOOL)
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	*out = value.u.b;
	return 0;
}

static int eval_kind(struct cedar_eval *eval, const struct cedar_expr *expr, enum cedar_kind kind,
		     struct cedar_value *out)
{
	int rc = cedar_eval_expr(eval, expr, out);

	if (rc == 0 && out->kind != kind)
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	return rc;
}

static int eval_var(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	const struct cedar_request *request = eval->request;

	if (request == NULL)
		return cedar_eval_fail(eval, expr, CEDAR_E_UNKNOWN);
	switch (expr->var) {
	case CEDAR_PRINCIPAL:
		*out = cedar_entity(request->principal);
		break;
	case CEDAR_ACTION:
		*out = cedar_entity(request->action);
		break;
	case CEDAR_RESOURCE:
		*out = cedar_entity(request->resource);
		break;
	default:
		*out = request->context;
		break;
	}
	return 0;
}

/* && stops at the first false, || at the first true. */
static int eval_logic(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	bool stop = expr->op == CEDAR_X_OR, value = !stop;
	uint32_t i;
	int rc;

	for (i = 0; i < expr->count; i++) {
		rc = cedar_eval_bool(eval, expr->kids[i], &value);
		if (rc != 0)
			return rc;
		if (value == stop)
			break;
	}
	*out = cedar_bool(value);
	return 0;
}

static int eval_not(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	bool value = false;
	int rc = cedar_eval_bool(eval, expr->kids[0], &value);

	if (rc == 0)
		*out = cedar_bool(!value);
	return rc;
}

static int eval_neg(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	int rc = eval_kind(eval, expr->kids[0], CEDAR_LONG, out);

	if (rc == 0 && __builtin_sub_overflow(0, out->u.i, &out->u.i))
		return cedar_eval_fail(eval, expr, CEDAR_E_OVERFLOW);
	return rc;
}

/* Both operands are evaluated before either's type matters, chain or not. */
static int eval_arithmetic(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_value left, right;
	bool overflow;
	uint32_t i;
	int rc = cedar_eval_expr(eval, expr->kids[0], &left);

	for (i = 1; rc == 0 && i < expr->count; i++) {
		rc = cedar_eval_expr(eval, expr->kids[i], &right);
		if (rc != 0)
			break;
		if (left.kind != CEDAR_LONG || right.kind != CEDAR_LONG)
			return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
		if (expr->op == CEDAR_X_PRODUCT)
			overflow = __builtin_mul_overflow(left.u.i, right.u.i, &left.u.i);
		else if (expr->signs[i] == '+')
			overflow = __builtin_add_overflow(left.u.i, right.u.i, &left.u.i);
		else
			overflow = __builtin_sub_overflow(left.u.i, right.u.i, &left.u.i);
		if (overflow)
			return cedar_eval_fail(eval, expr, CEDAR_E_OVERFLOW);
	}
	if (rc == 0)
		*out = left;
	return rc;
}

static int eval_pair(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value pair[2])
{
	int rc = cedar_eval_expr(eval, expr->kids[0], &pair[0]);

	return rc != 0 ? rc : cedar_eval_expr(eval, expr->kids[1], &pair[1]);
}

static int eval_equal(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_value pair[2];
	bool equal;
	int rc = eval_pair(eval, expr, pair);

	if (rc == 0)
		rc = cedar_eval_charge(eval, expr, pair[0].count);
	if (rc != 0)
		return rc;
	equal = cedar_value_order(&pair[0], &pair[1]) == 0;
	*out = cedar_bool(equal == (expr->op == CEDAR_X_EQ));
	return 0;
}

static int eval_compare(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_value pair[2];
	int64_t a, b;
	int rc = eval_pair(eval, expr, pair);

	if (rc != 0)
		return rc;
	if (pair[0].kind != pair[1].kind ||
	    (pair[0].kind != CEDAR_LONG && pair[0].kind != CEDAR_DATETIME && pair[0].kind != CEDAR_DURATION))
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	a = pair[0].u.i;
	b = pair[1].u.i;
	switch (expr->op) {
	case CEDAR_X_LT:
		*out = cedar_bool(a < b);
		break;
	case CEDAR_X_LE:
		*out = cedar_bool(a <= b);
		break;
	case CEDAR_X_GT:
		*out = cedar_bool(a > b);
		break;
	default:
		*out = cedar_bool(a >= b);
		break;
	}
	return 0;
}

bool cedar_eval_is_in(const struct cedar_entities *entities, const struct cedar_uid *uid,
		      const struct cedar_uid *ancestor)
{
	const struct cedar_entity *entity;

	if (cedar_uid_equal(uid, ancestor))
		return true;
	entity = cedar_entities_find(entities, uid);
	return entity != NULL && cedar_entity_has_ancestor(entity, ancestor);
}

/* The whole set must be entities, even if the first one already matches. */
static int is_in_set(struct cedar_eval *eval, const struct cedar_expr *expr, const struct cedar_uid *uid,
		     const struct cedar_value *set, bool *out)
{
	uint32_t i;
	int rc = cedar_eval_charge(eval, expr, set->count);

	if (rc != 0)
		return rc;
	for (i = 0; i < set->count; i++)
		if (set->u.items[i].kind != CEDAR_ENTITY)
			return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	*out = false;
	for (i = 0; i < set->count && !*out; i++)
		*out = cedar_eval_is_in(eval->entities, uid, set->u.items[i].u.uid);
	return 0;
}

static int test_in(struct cedar_eval *eval, const struct cedar_expr *expr, const struct cedar_value pair[2],
		   struct cedar_value *out)
{
	bool result = false;
	int rc = 0;

	if (pair[0].kind != CEDAR_ENTITY)
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	if (pair[1].kind == CEDAR_ENTITY)
		result = cedar_eval_is_in(eval->entities, pair[0].u.uid, pair[1].u.uid);
	else if (pair[1].kind == CEDAR_SET)
		rc = is_in_set(eval, expr, pair[0].u.uid, &pair[1], &result);
	else
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	if (rc == 0)
		*out = cedar_bool(result);
	return rc;
}

static int eval_in(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_value pair[2];
	int rc = eval_pair(eval, expr, pair);

	return rc != 0 ? rc : test_in(eval, expr, pair, out);
}

static int eval_is(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_value pair[2];
	int rc = eval_kind(eval, expr->kids[0], CEDAR_ENTITY, &pair[0]);

	if (rc != 0)
		return rc;
	*out = cedar_bool(cedar_str_equal(pair[0].u.uid->type, expr->names[0]));
	if (!out->u.b || expr->count == 1)
		return 0;
	rc = cedar_eval_expr(eval, expr->kids[1], &pair[1]);
	return rc != 0 ? rc : test_in(eval, expr, pair, out);
}

/*
 * The attribute of a record or entity into *found, NULL if it has none. An entity
 * that is not stored has none; `*stored` tells.
 */
static int find_attribute(struct cedar_eval *eval, const struct cedar_expr *expr, const struct cedar_value *value,
			  struct cedar_str name, const struct cedar_value **found, bool *stored)
{
	const struct cedar_entity *entity;

	*stored = true;
	if (value->kind == CEDAR_RECORD) {
		*found = cedar_record_get(value, name);
		return 0;
	}
	if (value->kind != CEDAR_ENTITY)
		return cedar_eval_fail(eval, expr, CEDAR_E_TYPE);
	entity = cedar_eval_entity(eval, value->u.uid);
	*stored = entity != NULL;
	*found = entity == NULL ? NULL : cedar_record_get(&entity->attrs, name);
	return 0;
}

/* e has a.b is e has a && e.a has b. */
static int eval_has(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_value value;
	const struct cedar_value *found = NULL;
	bool stored;
	uint32_t i;
	int rc = cedar_eval_expr(eval, expr->kids[0], &value);

	for (i = 0; rc == 0 && i < expr->name_count; i++) {
		rc = find_attribute(eval, expr, &value, expr->names[i], &found, &stored);
		if (rc == 0 && found == NULL)
			break;
		if (rc == 0)
			value = *found;
	}
	if (rc == 0)
		*out = cedar_bool(found != NULL);
	return rc;
}

static int eval_attr(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_value value;
	const struct cedar_value *found;
	bool stored;
	int rc = cedar_eval_expr(eval, expr->kids[0], &value);

	if (rc == 0)
		rc = find_attribute(eval, expr, &value, expr->names[0], &found, &stored);
	if (rc != 0)
		return rc;
	if (found == NULL)
		return cedar_eval_fail(eval, expr, stored ? CEDAR_E_NO_ATTRIBUTE : CEDAR_E_NO_ENTITY);
	*out = *found;
	return 0;
}

static int eval_like(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	int rc = eval_kind(eval, expr->kids[0], CEDAR_STRING, out);

	if (rc == 0)
		rc = cedar_eval_charge(eval, expr, out->count / 16);
	if (rc == 0)
		*out = cedar_bool(cedar_pattern_match(expr->pattern, cedar_string_of(*out)));
	return rc;
}

static int eval_if(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	bool condition = false;
	int rc = cedar_eval_bool(eval, expr->kids[0], &condition);

	return rc != 0 ? rc : cedar_eval_expr(eval, expr->kids[condition ? 1 : 2], out);
}

static int eval_set(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_value *items = cedar_arena_array(eval->arena, expr->count, sizeof(*items));
	uint32_t i;
	int rc = 0;

	if (items == NULL)
		return cedar_eval_fail(eval, expr, CEDAR_E_MEMORY);
	for (i = 0; rc == 0 && i < expr->count; i++)
		rc = cedar_eval_expr(eval, expr->kids[i], &items[i]);
	if (rc == 0 && cedar_set_make(items, expr->count, out) != 0)
		return cedar_eval_fail(eval, expr, CEDAR_E_LIMIT);
	return rc;
}

static int eval_record(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	struct cedar_field *fields = cedar_arena_array(eval->arena, expr->count, sizeof(*fields));
	uint32_t i;
	int rc = 0;

	if (fields == NULL)
		return cedar_eval_fail(eval, expr, CEDAR_E_MEMORY);
	for (i = 0; rc == 0 && i < expr->count; i++) {
		fields[i].key = expr->names[i];
		rc = cedar_eval_expr(eval, expr->kids[i], &fields[i].value);
	}
	if (rc == 0 && cedar_record_make(fields, expr->count, out) != 0)
		return cedar_eval_fail(eval, expr, CEDAR_E_LIMIT);
	return rc;
}

/* Recursion is bounded by CEDAR_MAX_EXPR_DEPTH, work by eval->steps. */
int cedar_eval_expr(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out)
{
	static eval_fn *const ops[] = {
		[CEDAR_X_VAR] = eval_var,
		[CEDAR_X_AND] = eval_logic,
		[CEDAR_X_OR] = eval_logic,
		[CEDAR_X_NOT] = eval_not,
		[CEDAR_X_NEG] = eval_neg,
		[CEDAR_X_SUM] = eval_arithmetic,
		[CEDAR_X_PRODUCT] = eval_arithmetic,
		[CEDAR_X_EQ] = eval_equal,
		[CEDAR_X_NE] = eval_equal,
		[CEDAR_X_LT] = eval_compare,
		[CEDAR_X_LE] = eval_compare,
		[CEDAR_X_GT] = eval_compare,
		[CEDAR_X_GE] = eval_compare,
		[CEDAR_X_IN] = eval_in,
		[CEDAR_X_HAS] = eval_has,
		[CEDAR_X_LIKE] = eval_like,
		[CEDAR_X_IS] = eval_is,
		[CEDAR_X_IF] = eval_if,
		[CEDAR_X_ATTR] = eval_attr,
		[CEDAR_X_CALL] = cedar_eval_call,
		[CEDAR_X_SET] = eval_set,
		[CEDAR_X_RECORD] = eval_record,
	};

	if (eval->steps == 0)
		return cedar_eval_fail(eval, expr, CEDAR_E_LIMIT);
	eval->steps--;
	if (expr->op == CEDAR_X_VALUE || expr->folded) {
		*out = expr->value;
		return 0;
	}
	return ops[expr->op](eval, expr, out);
}
