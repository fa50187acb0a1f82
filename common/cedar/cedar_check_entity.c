#include "common/cedar/cedar_check.h"

static const struct cedar_caps NONE;

/* Exact answer for a known action: the schema holds its whole hierarchy. */
static bool action_in(const struct cedar_checker *checker, const struct cedar_uid *action, const struct cedar_uid *uid)
{
	return cedar_eval_is_in(cedar_schema_actions(checker->schema), action, uid);
}

/* `action in` literals; NULL when the right side is not all literals. */
static const struct cedar_type *known_action_in(struct cedar_checker *checker, const struct cedar_uid *action,
						const struct cedar_expr *right)
{
	const struct cedar_uid *uid = cedar_check_literal_uid(checker, right);
	const struct cedar_type *result = checker->no;
	uint32_t i;

	if (uid != NULL)
		return action_in(checker, action, uid) ? checker->yes : checker->no;
	if (right->op != CEDAR_X_SET)
		return NULL;
	for (i = 0; i < right->count; i++) {
		uid = cedar_check_literal_uid(checker, right->kids[i]);
		if (uid == NULL)
			return NULL;
		if (action_in(checker, action, uid))
			result = checker->yes;
	}
	return result;
}

/* Also the second half of `is T in x`. */
const struct cedar_type *cedar_check_in(struct cedar_checker *checker, const struct cedar_expr *expr,
					struct cedar_caps in, struct cedar_caps *out)
{
	const struct cedar_type *left, *right, *element, *known;
	struct cedar_caps dropped = NONE;
	const struct cedar_uid *uid;

	(void)out;
	left = cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_ENTITY, &dropped);
	if (left == NULL)
		return NULL;
	right = cedar_check_expr(checker, expr->kids[1], in, &dropped);
	if (right == NULL)
		return NULL;
	element = right->kind == CEDAR_TY_SET ? right->element : right;
	if (element->kind != CEDAR_TY_ENTITY)
		return cedar_check_fail(checker, expr->kids[1], "expected an entity or a set of entities after `in`");
	uid = cedar_check_literal_uid(checker, expr->kids[0]);
	if (uid != NULL && cedar_schema_action(checker->schema, uid) != NULL) {
		known = known_action_in(checker, uid, expr->kids[1]);
		if (known != NULL)
			return known;
	}
	return left == element || cedar_schema_may_descend(checker->schema, left->name, element->name) ? checker->any
												       : checker->no;
}

/* One step of `has`; a new capability is added to *caps. */
static const struct cedar_type *check_has_step(struct cedar_checker *checker, const struct cedar_expr *expr,
					       const struct cedar_cap *wanted, struct cedar_caps in,
					       struct cedar_caps *caps)
{
	const struct cedar_schema_entity *entity;
	struct cedar_caps dropped = NONE;
	const struct cedar_type *type = cedar_check_expr(checker, wanted->base, in, &dropped);
	const struct cedar_type *record = type;
	const struct cedar_attr *attr;
	struct cedar_cap *cap;

	if (type == NULL)
		return NULL;
	if (type->kind == CEDAR_TY_ENTITY) {
		entity = cedar_schema_entity(checker->schema, type->name);
		if (entity == NULL)
			return checker->no;
		record = entity->shape;
	} else if (type->kind != CEDAR_TY_RECORD) {
		return cedar_check_fail(checker, expr, "expected a record or an entity before `has`, found %s",
					cedar_type_kind_name(type));
	}
	attr = cedar_type_attr(record, wanted->attr);
	if (attr == NULL)
		return checker->no;
	if (cedar_caps_have(in, wanted) || (attr->required && type == record))
		return checker->yes;
	cap = cedar_arena_alloc(checker->arena, sizeof(*cap));
	if (cap == NULL)
		return cedar_check_fail(checker, expr, "out of memory");
	*cap = *wanted;
	return cedar_caps_join(checker, *caps, (struct cedar_caps){cap, 1}, caps) != 0 ? NULL : checker->any;
}

/* e has a.b.c is e has a && e.a has b && e.a.b has c. */
const struct cedar_type *cedar_check_has(struct cedar_checker *checker, const struct cedar_expr *expr,
					 struct cedar_caps in, struct cedar_caps *out)
{
	struct cedar_maker maker = {checker->arena, checker->error};
	struct cedar_cap wanted = {.base = expr->kids[0]};
	const struct cedar_type *type, *all = checker->yes;
	struct cedar_expr *base = expr->kids[0];
	struct cedar_caps caps = NONE, known;
	uint32_t i;

	for (i = 0; i < expr->name_count; i++) {
		if (cedar_caps_join(checker, in, caps, &known) != 0)
			return NULL;
		wanted.attr = expr->names[i];
		type = check_has_step(checker, expr, &wanted, known, &caps);
		if (type == NULL || type == checker->no)
			return type;
		if (type != checker->yes)
			all = checker->any;
		if (i + 1 == expr->name_count)
			break;
		base = cedar_expr_named(&maker, CEDAR_X_ATTR, expr->span, base, expr->names[i]);
		if (base == NULL)
			return NULL;
		wanted.base = base;
	}
	*out = caps;
	return all;
}

const struct cedar_type *cedar_check_attr(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out)
{
	const struct cedar_cap needed = {expr->kids[0], expr->names[0], NULL};
	struct cedar_caps dropped = NONE;
	const struct cedar_type *type = cedar_check_expr(checker, expr->kids[0], in, &dropped);
	const struct cedar_schema_entity *entity;
	const struct cedar_attr *attr = NULL;

	(void)out;
	if (type == NULL)
		return NULL;
	if (type->kind == CEDAR_TY_ENTITY) {
		entity = cedar_schema_entity(checker->schema, type->name);
		if (entity != NULL)
			attr = cedar_type_attr(entity->shape, expr->names[0]);
	} else if (type->kind == CEDAR_TY_RECORD) {
		attr = cedar_type_attr(type, expr->names[0]);
	} else {
		return cedar_check_fail(checker, expr, "%s has no attributes", cedar_type_kind_name(type));
	}
	if (attr == NULL)
		return cedar_check_fail(checker, expr, "attribute `%.*s` is not declared", CEDAR_SHOW(expr->names[0]));
	if (!attr->required && !cedar_caps_have(in, &needed))
		return cedar_check_fail(checker, expr, "attribute `%.*s` is optional; test it with `has` first",
					CEDAR_SHOW(expr->names[0]));
	return attr->type;
}

static const struct cedar_type *check_tag(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out)
{
	const struct cedar_cap cap = {expr->kids[0], CEDAR_STR(""), expr->kids[1]};
	const struct cedar_schema_entity *entity;
	struct cedar_caps dropped = NONE;
	const struct cedar_type *type;
	struct cedar_cap *kept;

	type = cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_ENTITY, &dropped);
	if (type == NULL || cedar_check_kind(checker, expr->kids[1], in, CEDAR_TY_STRING, &dropped) == NULL)
		return NULL;
	entity = cedar_schema_entity(checker->schema, type->name);
	if (expr->fn == CEDAR_FN_GET_TAG) {
		if (entity == NULL || entity->tags == NULL)
			return cedar_check_fail(checker, expr, "type %.*s has no tags", CEDAR_SHOW(type->name));
		return cedar_caps_have(in, &cap)
			       ? entity->tags
			       : cedar_check_fail(checker, expr, "this tag may be missing; test it with hasTag first");
	}
	if (entity == NULL || entity->tags == NULL)
		return checker->no;
	if (cedar_caps_have(in, &cap))
		return checker->yes;
	kept = cedar_arena_alloc(checker->arena, sizeof(*kept));
	if (kept == NULL)
		return cedar_check_fail(checker, expr, "out of memory");
	*kept = cap;
	*out = (struct cedar_caps){kept, 1};
	return checker->any;
}

static const struct cedar_type *check_set_method(struct cedar_checker *checker, const struct cedar_expr *expr,
						 struct cedar_caps in)
{
	struct cedar_caps dropped = NONE;
	const struct cedar_type *set, *other;

	set = cedar_check_kind(checker, expr->kids[0], in, CEDAR_TY_SET, &dropped);
	if (set == NULL || expr->fn == CEDAR_FN_IS_EMPTY)
		return set == NULL ? NULL : checker->any;
	other = expr->fn == CEDAR_FN_CONTAINS ? cedar_check_expr(checker, expr->kids[1], in, &dropped)
					      : cedar_check_kind(checker, expr->kids[1], in, CEDAR_TY_SET, &dropped);
	if (other == NULL)
		return NULL;
	if (expr->fn != CEDAR_FN_CONTAINS)
		other = other->element;
	if (cedar_type_lub(checker->types, set->element, other) != NULL)
		return checker->any;
	return cedar_check_fail(checker, expr, "the set never holds what is looked for: %s among %s",
				cedar_type_kind_name(other), cedar_type_kind_name(set->element));
}

static const struct cedar_type *check_constructor(struct cedar_checker *checker, const struct cedar_expr *expr)
{
	const struct cedar_fn_info *info = cedar_fn_info(expr->fn);
	struct cedar_eval eval = {.arena = checker->arena, .steps = 16};
	struct cedar_value value;

	if (expr->count != 1 || expr->kids[0]->op != CEDAR_X_VALUE || expr->kids[0]->value.kind != CEDAR_STRING)
		return cedar_check_fail(checker, expr, "%s takes exactly one string literal", info->name);
	if (cedar_eval_expr(&eval, expr, &value) != 0)
		return cedar_check_fail(checker, expr, "this is no valid argument of %s", info->name);
	return cedar_type_extension(checker->types, (enum cedar_kind)info->result);
}

static const struct cedar_type *check_method(struct cedar_checker *checker, const struct cedar_expr *expr,
					     struct cedar_caps in)
{
	const struct cedar_fn_info *info = cedar_fn_info(expr->fn);
	struct cedar_caps dropped = NONE;
	const struct cedar_type *type;
	uint8_t wanted;
	uint32_t i;

	if (expr->count != info->arity)
		return cedar_check_fail(checker, expr, "%s takes %u arguments, %u given", info->name, info->arity - 1,
					expr->count - 1);
	for (i = 0; i < expr->count; i++) {
		wanted = i == 0 ? info->receiver : info->argument;
		type = cedar_check_expr(checker, expr->kids[i], in, &dropped);
		if (type == NULL)
			return NULL;
		if (type->kind != CEDAR_TY_EXTENSION || type->extension != wanted)
			return cedar_check_fail(checker, expr->kids[i], "expected %s, found %s",
						cedar_kind_name(wanted), cedar_type_kind_name(type));
	}
	if (info->result == CEDAR_BOOL)
		return checker->any;
	if (info->result == CEDAR_LONG)
		return checker->number;
	return cedar_type_extension(checker->types, (enum cedar_kind)info->result);
}

const struct cedar_type *cedar_check_call(struct cedar_checker *checker, const struct cedar_expr *expr,
					  struct cedar_caps in, struct cedar_caps *out)
{
	switch (cedar_fn_info(expr->fn)->form) {
	case CEDAR_FN_CONSTRUCTOR:
		return check_constructor(checker, expr);
	case CEDAR_FN_METHOD:
		return check_method(checker, expr, in);
	default:
		break;
	}
	if (expr->fn == CEDAR_FN_GET_TAG || expr->fn == CEDAR_FN_HAS_TAG)
		return check_tag(checker, expr, in, out);
	return check_set_method(checker, expr, in);
}
