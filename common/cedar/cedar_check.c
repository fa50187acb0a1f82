#include "common/cedar/cedar_check.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/cedar/cedar_lex.h"

typedef const struct cedar_type *check_fn(struct cedar_checker *, const struct cedar_expr *, struct cedar_caps,
					  struct cedar_caps *);

static const struct cedar_caps NONE;

const struct cedar_type *cedar_check_fail(struct cedar_checker *checker, const struct cedar_expr *expr,
					  const char *format, ...)
{
	char what[CEDAR_ERROR_MAX];
	va_list ap;

	va_start(ap, format);
	if (vsnprintf(what, sizeof(what), format, ap) < 0)
		what[0] = '\0';
	va_end(ap);
	cedar_fail(checker->error, CEDAR_E_TYPE, expr->span.start, "%s", what);
	return NULL;
}

static bool is_bool(const struct cedar_type *type)
{
	return type->kind <= CEDAR_TY_BOOL;
}

const struct cedar_type *cedar_check_kind(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, enum cedar_type_kind kind, struct cedar_caps *out)
{
	static const char *const names[] = {
		[CEDAR_TY_BOOL] = "a Bool",      [CEDAR_TY_LONG] = "a Long", [CEDAR_TY_STRING] = "a String",
		[CEDAR_TY_ENTITY] = "an entity", [CEDAR_TY_SET] = "a Set",   [CEDAR_TY_RECORD] = "a record",
	};
	const struct cedar_type *type = cedar_check_expr(checker, expr, in, out);

	if (type == NULL || type->kind == kind || (kind == CEDAR_TY_BOOL && is_bool(type)))
		return type;
	return cedar_check_fail(checker, expr, "expected %s, found %s", names[kind], cedar_type_kind_name(type));
}

const struct cedar_uid *cedar_check_literal_uid(const struct cedar_checker *checker, const struct cedar_expr *expr)
{
	if (expr->op == CEDAR_X_VAR && expr->var == CEDAR_ACTION)
		return checker->action->uid;
	if (expr->op == CEDAR_X_VALUE && expr->value.kind == CEDAR_ENTITY)
		return expr->value.u.uid;
	return NULL;
}

static const struct cedar_type *check_value(struct cedar_checker *checker, const struct cedar_expr *expr,
					    struct cedar_caps in, struct cedar_caps *out)
{
	(void)in;
	(void)out;
	switch (expr->value.kind) {
	case CEDAR_BOOL:
		return expr->value.u.b ? checker->yes : checker->no;
	case CEDAR_LONG:
		return checker->number;
	case CEDAR_STRING:
		return checker->string;
	default:
		if (cedar_schema_check_uid(checker->schema, expr->value.u.uid, checker->error) != 0) {
			checker->error->offset = expr->span.start;
			return NULL;
		}
		return cedar_type_entity(checker->types, expr->value.u.uid->type);
	}
}

static const struct cedar_type *check_var(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out)
{
	(void)in;
	(void)out;
	switch (expr->var) {
	case CEDAR_PRINCIPAL:
		return cedar_type_entity(checker->types, checker->principal);
	case CEDAR_ACTION:
		return cedar_type_entity(checker->types, checker->action->uid->type);
	case CEDAR_RESOURCE:
		return cedar_type_entity(checker->types, checker->resource);
	default:
		return checker->action->context;
	}
}

/* a && b: b is not looked at once a is False; it may use what a tested. */
static const struct cedar_type *check_and(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out)
{
	const struct cedar_type *left, *right;
	struct cedar_caps caps = NONE, more, known;
	uint32_t i;

	left = cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_BOOL, &caps);
	for (i = 1; i < expr->count; i++) {
		if (left == NULL || left == checker->no)
			return left;
		if (cedar_caps_join(checker, in, caps, &known) != 0)
			return NULL;
		more = NONE;
		right = cedar_check_kind(checker, expr->kids[i], known, CEDAR_TY_BOOL, &more);
		if (right == NULL || right == checker->no)
			return right;
		if (right != checker->yes)
			left = checker->any;
		if (cedar_caps_join(checker, caps, more, &caps) != 0)
			return NULL;
	}
	*out = caps;
	return left;
}

/* One step of a || b, where `left` and *caps describe a, which is not True. */
static const struct cedar_type *check_or_step(struct cedar_checker *checker, const struct cedar_expr *kid,
					      struct cedar_caps in, const struct cedar_type *left,
					      struct cedar_caps *caps)
{
	struct cedar_caps more = NONE;
	const struct cedar_type *right = cedar_check_kind(checker, kid, in, CEDAR_TY_BOOL, &more);

	if (right == NULL)
		return NULL;
	if (left == checker->no) {
		*caps = more;
		return right;
	}
	if (right == checker->yes) {
		*caps = NONE;
		return right;
	}
	if (right != checker->no && cedar_caps_meet(checker, *caps, more, caps) != 0)
		return NULL;
	return checker->any;
}

static const struct cedar_type *check_or(struct cedar_checker *checker, const struct cedar_expr *expr,
					 struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps caps = NONE;
	const struct cedar_type *left = cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_BOOL, &caps);
	uint32_t i;

	for (i = 1; i < expr->count; i++) {
		if (left == NULL || left == checker->yes)
			return left;
		left = check_or_step(checker, expr->kids[i], in, left, &caps);
	}
	if (left != checker->yes)
		*out = caps;
	return left;
}

static const struct cedar_type *check_not(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps dropped = NONE;
	const struct cedar_type *type = cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_BOOL, &dropped);

	(void)out;
	if (type == checker->no)
		return checker->yes;
	return type == checker->yes ? checker->no : type;
}

static const struct cedar_type *check_arithmetic(struct cedar_checker *checker, const struct cedar_expr *expr,
						 struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps dropped = NONE;
	uint32_t i;

	(void)out;
	for (i = 0; i < expr->count; i++)
		if (cedar_check_kind(checker, expr->kids[i], in, CEDAR_TY_LONG, &dropped) == NULL)
			return NULL;
	return checker->number;
}

/* Both literals, or the action variable, whose value is known here. */
static const struct cedar_type *compare_literals(struct cedar_checker *checker, const struct cedar_expr *a,
						 const struct cedar_expr *b)
{
	const struct cedar_uid *x = cedar_check_literal_uid(checker, a);
	const struct cedar_uid *y = cedar_check_literal_uid(checker, b);
	bool equal;

	if ((x == NULL && a->op != CEDAR_X_VALUE) || (y == NULL && b->op != CEDAR_X_VALUE))
		return NULL;
	if (x != NULL || y != NULL)
		equal = x != NULL && y != NULL && cedar_uid_equal(x, y);
	else
		equal = cedar_value_order(&a->value, &b->value) == 0;
	return equal ? checker->yes : checker->no;
}

static const struct cedar_type *check_equal(struct cedar_checker *checker, const struct cedar_expr *expr,
					    struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps dropped = NONE;
	const struct cedar_type *left, *right, *result;

	(void)out;
	left = cedar_check_expr(checker, expr->kids[0], in, &dropped);
	if (left == NULL)
		return NULL;
	right = cedar_check_expr(checker, expr->kids[1], in, &dropped);
	if (right == NULL)
		return NULL;
	result = compare_literals(checker, expr->kids[0], expr->kids[1]);
	if (result == NULL && left->kind == CEDAR_TY_ENTITY && right->kind == CEDAR_TY_ENTITY && left != right)
		result = checker->no;
	if (result == NULL && cedar_type_lub(checker->types, left, right) != NULL)
		return checker->any;
	if (result == NULL)
		return cedar_check_fail(checker, expr, "%s and %s here can never be equal", cedar_type_kind_name(left),
					cedar_type_kind_name(right));
	if (expr->op == CEDAR_X_EQ)
		return result;
	return result == checker->no ? checker->yes : checker->no;
}

static const struct cedar_type *check_compare(struct cedar_checker *checker, const struct cedar_expr *expr,
					      struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps dropped = NONE;
	const struct cedar_type *left, *right;

	(void)out;
	left = cedar_check_expr(checker, expr->kids[0], in, &dropped);
	if (left == NULL)
		return NULL;
	right = cedar_check_expr(checker, expr->kids[1], in, &dropped);
	if (right == NULL)
		return NULL;
	if (left == right &&
	    (left->kind == CEDAR_TY_LONG || (left->kind == CEDAR_TY_EXTENSION &&
					     (left->extension == CEDAR_DATETIME || left->extension == CEDAR_DURATION))))
		return checker->any;
	return cedar_check_fail(checker, expr,
				"%s cannot be ordered against "
				"%s; both must be Long, datetime or duration",
				cedar_type_kind_name(left), cedar_type_kind_name(right));
}

static const struct cedar_type *check_like(struct cedar_checker *checker, const struct cedar_expr *expr,
					   struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps dropped = NONE;

	(void)out;
	return cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_STRING, &dropped) == NULL ? NULL : checker->any;
}

static const struct cedar_type *check_is(struct cedar_checker *checker, const struct cedar_expr *expr,
					 struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps dropped = NONE;
	const struct cedar_type *type = cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_ENTITY, &dropped), *below;

	if (type == NULL)
		return NULL;
	if (cedar_schema_entity(checker->schema, expr->names[0]) == NULL && !cedar_path_is_action(expr->names[0]))
		return cedar_check_fail(checker, expr, "undeclared entity type %.*s", CEDAR_SHOW(expr->names[0]));
	if (!cedar_str_equal(type->name, expr->names[0]))
		return checker->no;
	if (expr->count == 1)
		return checker->yes;
	below = cedar_check_in(checker, expr, in, out);
	return below == NULL || below == checker->no ? below : below == checker->yes ? checker->yes : checker->any;
}

static const struct cedar_type *check_if(struct cedar_checker *checker, const struct cedar_expr *expr,
					 struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps test = NONE, then = NONE, other = NONE, known;
	const struct cedar_type *type, *a, *b;

	type = cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_BOOL, &test);
	if (type == NULL)
		return NULL;
	if (type == checker->no)
		return cedar_check_expr(checker, expr->kids[2], in, out);
	if (cedar_caps_join(checker, in, test, &known) != 0)
		return NULL;
	a = cedar_check_expr(checker, expr->kids[1], known, &then);
	if (a == NULL || cedar_caps_join(checker, test, then, &then) != 0)
		return NULL;
	if (type == checker->yes) {
		*out = then;
		return a;
	}
	b = cedar_check_expr(checker, expr->kids[2], in, &other);
	if (b == NULL || cedar_caps_meet(checker, then, other, out) != 0)
		return NULL;
	type = cedar_type_lub(checker->types, a, b);
	return type != NULL ? type : cedar_check_fail(checker, expr, "the branches of this `if` have different types");
}

static const struct cedar_type *check_set(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_caps dropped = NONE;
	const struct cedar_type *all = NULL, *type;
	uint32_t i;

	(void)out;
	if (expr->count == 0)
		return cedar_check_fail(checker, expr, "the type of an empty set is unknown");
	for (i = 0; i < expr->count; i++) {
		type = cedar_check_expr(checker, expr->kids[i], in, &dropped);
		if (type == NULL)
			return NULL;
		all = all == NULL ? type : cedar_type_lub(checker->types, all, type);
		if (all == NULL)
			return cedar_check_fail(checker, expr->kids[i],
						"the elements of this set have different types");
	}
	return cedar_type_set(checker->types, all);
}

static const struct cedar_type *check_record(struct cedar_checker *checker, const struct cedar_expr *expr,
					     struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_attr *attrs = cedar_arena_array(checker->arena, expr->count, sizeof(*attrs));
	struct cedar_caps dropped = NONE;
	uint32_t i;

	(void)out;
	if (attrs == NULL)
		return cedar_check_fail(checker, expr, "out of memory");
	for (i = 0; i < expr->count; i++) {
		attrs[i].name = expr->names[i];
		attrs[i].required = true;
		attrs[i].type = cedar_check_expr(checker, expr->kids[i], in, &dropped);
		if (attrs[i].type == NULL)
			return NULL;
	}
	return cedar_type_record(checker->types, attrs, expr->count);
}

/* Recursion is bounded by CEDAR_MAX_EXPR_DEPTH. */
const struct cedar_type *cedar_check_expr(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out)
{
	static check_fn *const checks[] = {
		[CEDAR_X_VALUE] = check_value,     [CEDAR_X_VAR] = check_var,
		[CEDAR_X_AND] = check_and,         [CEDAR_X_OR] = check_or,
		[CEDAR_X_NOT] = check_not,         [CEDAR_X_NEG] = check_arithmetic,
		[CEDAR_X_SUM] = check_arithmetic,  [CEDAR_X_PRODUCT] = check_arithmetic,
		[CEDAR_X_EQ] = check_equal,        [CEDAR_X_NE] = check_equal,
		[CEDAR_X_LT] = check_compare,      [CEDAR_X_LE] = check_compare,
		[CEDAR_X_GT] = check_compare,      [CEDAR_X_GE] = check_compare,
		[CEDAR_X_IN] = cedar_check_in,     [CEDAR_X_HAS] = cedar_check_has,
		[CEDAR_X_LIKE] = check_like,       [CEDAR_X_IS] = check_is,
		[CEDAR_X_IF] = check_if,           [CEDAR_X_ATTR] = cedar_check_attr,
		[CEDAR_X_CALL] = cedar_check_call, [CEDAR_X_SET] = check_set,
		[CEDAR_X_RECORD] = check_record,
	};
	const struct cedar_type *type;

	*out = NONE;
	type = checks[expr->op](checker, expr, in, out);
	/* A constructor of types gives NULL only at a limit. */
	if (type == NULL && checker->error->code == CEDAR_OK)
		return cedar_check_fail(checker, expr, "the type of this expression is too large");
	return type;
}
