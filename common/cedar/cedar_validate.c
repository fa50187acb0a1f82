#include "common/cedar/cedar_validate.h"

#include "common/cedar/cedar_check.h"
#include "common/cedar/cedar_lex.h"
#include "common/cedar/cedar_limits.h"

struct validator {
	struct cedar_checker checker;
	struct cedar_arena arena; /* of one policy */
	struct cedar_types types;
	struct cedar_error error;
	cedar_finding_fn *report;
	void *context;
	int found;
};

static void note(struct validator *v, const struct cedar_policy *policy, struct cedar_str id)
{
	struct cedar_finding finding = {id, policy, v->error};

	if (v->report != NULL && v->found < (int)CEDAR_MAX_FINDINGS)
		v->report(v->context, &finding);
	v->found++;
	v->error = (struct cedar_error){0};
}

/* Types live as long as one policy's check, over those of the schema. */
static int begin_policy(struct validator *v)
{
	struct cedar_checker *checker = &v->checker;

	cedar_arena_reset(&v->arena);
	v->types = (struct cedar_types){.arena = &v->arena, .base = cedar_schema_types(checker->schema)};
	checker->types = &v->types;
	checker->arena = &v->arena;
	checker->error = &v->error;
	checker->no = cedar_type_simple(&v->types, CEDAR_TY_FALSE);
	checker->yes = cedar_type_simple(&v->types, CEDAR_TY_TRUE);
	checker->any = cedar_type_simple(&v->types, CEDAR_TY_BOOL);
	checker->number = cedar_type_simple(&v->types, CEDAR_TY_LONG);
	checker->string = cedar_type_simple(&v->types, CEDAR_TY_STRING);
	v->error = (struct cedar_error){0};
	return checker->string == NULL ? -CEDAR_E_MEMORY : 0;
}

static int check_uid(struct validator *v, const struct cedar_uid *uid, size_t offset)
{
	int rc;

	if (uid == NULL)
		return 0;
	rc = cedar_schema_check_uid(v->checker.schema, uid, &v->error);
	if (rc != 0)
		v->error.offset = offset;
	return rc;
}

static int check_type_name(struct validator *v, struct cedar_str type, size_t offset)
{
	if (cedar_schema_entity(v->checker.schema, type) != NULL || cedar_path_is_action(type))
		return 0;
	return cedar_fail(&v->error, CEDAR_E_UNKNOWN, offset, "undeclared entity type %.*s", CEDAR_SHOW(type));
}

static int check_scope_names(struct validator *v, const struct cedar_scope *scope)
{
	size_t i;
	int rc = check_uid(v, scope->uid, scope->span.start);

	if (rc == 0 && (scope->op == CEDAR_SCOPE_IS || scope->op == CEDAR_SCOPE_IS_IN))
		rc = check_type_name(v, scope->type, scope->span.start);
	for (i = 0; rc == 0 && i < scope->count; i++) {
		rc = check_uid(v, scope->list[i], scope->span.start);
		/* The list is a set, and a set has elements of one type. */
		if (rc == 0 && !cedar_str_equal(scope->list[i]->type, scope->list[0]->type))
			rc = cedar_fail(&v->error, CEDAR_E_TYPE, scope->span.start,
					"the actions of this list have different types");
	}
	return rc;
}

/* Names must be declared even where no type checker goes; depth is bounded. */
static int check_names(struct validator *v, const struct cedar_expr *expr)
{
	uint32_t i;
	int rc = 0;

	if (expr->op == CEDAR_X_VALUE && expr->value.kind == CEDAR_ENTITY)
		return check_uid(v, expr->value.u.uid, expr->span.start);
	if (expr->op == CEDAR_X_IS)
		rc = check_type_name(v, expr->names[0], expr->span.start);
	for (i = 0; rc == 0 && i < expr->count; i++)
		rc = check_names(v, expr->kids[i]);
	return rc;
}

static int check_all_names(struct validator *v, const struct cedar_policy *policy)
{
	size_t i;
	int rc = check_scope_names(v, &policy->principal);

	if (rc == 0)
		rc = check_scope_names(v, &policy->action);
	if (rc == 0)
		rc = check_scope_names(v, &policy->resource);
	for (i = 0; rc == 0 && i < policy->condition_count; i++)
		rc = check_names(v, policy->conditions[i].body);
	return rc;
}

static bool action_matches(const struct cedar_schema *schema, const struct cedar_scope *scope,
			   const struct cedar_uid *action)
{
	const struct cedar_entities *actions = cedar_schema_actions(schema);
	size_t i;

	switch (scope->op) {
	case CEDAR_SCOPE_EQ:
		return cedar_uid_equal(action, scope->uid);
	case CEDAR_SCOPE_IN:
		return cedar_eval_is_in(actions, action, scope->uid);
	case CEDAR_SCOPE_IN_LIST:
		for (i = 0; i < scope->count; i++)
			if (cedar_eval_is_in(actions, action, scope->list[i]))
				return true;
		return false;
	default:
		return true;
	}
}

/* Whether an entity of this type can satisfy the test; a slot can be anything. */
static bool type_matches(const struct cedar_schema *schema, const struct cedar_scope *scope,
			 const struct cedar_uid *uid, struct cedar_str type)
{
	if ((scope->op == CEDAR_SCOPE_IS || scope->op == CEDAR_SCOPE_IS_IN) && !cedar_str_equal(type, scope->type))
		return false;
	if (uid == NULL || cedar_str_equal(type, uid->type))
		return true;
	return scope->op != CEDAR_SCOPE_EQ && cedar_schema_may_descend(schema, type, uid->type);
}

/* The conditions in the present environment, each knowing those before it. */
static int check_conditions(struct validator *v, const struct cedar_policy *policy)
{
	const struct cedar_condition *condition;
	struct cedar_caps known = {0}, caps;
	const struct cedar_type *type;
	size_t i;

	for (i = 0; i < policy->condition_count; i++) {
		condition = &policy->conditions[i];
		type = cedar_check_kind(&v->checker, condition->body, known, CEDAR_TY_BOOL, &caps);
		if (type == NULL)
			return -1;
		if (type == (condition->unless ? v->checker.yes : v->checker.no))
			return 0;
		if (!condition->unless && cedar_caps_join(&v->checker, known, caps, &known) != 0)
			return -1;
	}
	return 0;
}

/* One action with all its types; *applies if any fits the scope. */
static int check_action(struct validator *v, const struct cedar_policy *policy, const struct cedar_uid *principal,
			const struct cedar_uid *resource, bool conditions, bool *applies)
{
	const struct cedar_schema_action *action = v->checker.action;
	const struct cedar_schema *schema = v->checker.schema;
	size_t i, j;

	for (i = 0; i < action->principal_count; i++) {
		if (!type_matches(schema, &policy->principal, principal, action->principals[i]))
			continue;
		for (j = 0; j < action->resource_count; j++) {
			if (!type_matches(schema, &policy->resource, resource, action->resources[j]))
				continue;
			*applies = true;
			v->checker.principal = action->principals[i];
			v->checker.resource = action->resources[j];
			if (conditions && check_conditions(v, policy) != 0)
				return -1;
		}
	}
	return 0;
}

/* Every environment; also the fault that there is none. */
static int check_environments(struct validator *v, const struct cedar_policy *policy, const struct cedar_uid *principal,
			      const struct cedar_uid *resource, bool conditions)
{
	const struct cedar_schema_action *action;
	bool applies = false;
	size_t i;

	for (i = 0; (action = cedar_schema_action_at(v->checker.schema, i)) != NULL; i++) {
		if (!action_matches(v->checker.schema, &policy->action, action->uid))
			continue;
		v->checker.action = action;
		if (check_action(v, policy, principal, resource, conditions, &applies) != 0)
			return -1;
	}
	return applies ? 0
		       : cedar_fail(&v->error, CEDAR_E_TYPE, policy->action.span.start,
				    "no declared action applies to this scope");
}

static int validate_policy(struct validator *v, const struct cedar_policy *policy)
{
	int rc = begin_policy(v);

	if (rc != 0)
		return rc;
	if (check_all_names(v, policy) != 0 ||
	    check_environments(v, policy, policy->principal.uid, policy->resource.uid, true) != 0)
		note(v, policy, policy->id);
	return 0;
}

/* A link's conditions are its template's; its uids are its own. */
static int validate_link(struct validator *v, const struct cedar_rule *rule)
{
	int rc = begin_policy(v);

	if (rc != 0)
		return rc;
	if (check_uid(v, rule->principal, 0) != 0 || check_uid(v, rule->resource, 0) != 0 ||
	    check_environments(v, rule->policy, cedar_rule_principal(rule), cedar_rule_resource(rule), false) != 0)
		note(v, rule->policy, rule->id);
	return 0;
}

int cedar_validate(const struct cedar_policies *set, const struct cedar_schema *schema, cedar_finding_fn *report,
		   void *context)
{
	struct validator v = {.checker = {.schema = schema}, .report = report, .context = context};
	const struct cedar_rule *rule;
	size_t i;
	int rc = 0;

	cedar_arena_init(&v.arena, CEDAR_MAX_LOAD_ARENA);
	for (i = 0; rc == 0 && i < cedar_policies_template_count(set); i++)
		rc = validate_policy(&v, cedar_policies_template(set, i));
	for (i = 0; rc == 0 && i < cedar_policies_rule_count(set); i++) {
		rule = cedar_policies_rule(set, i);
		rc = rule->linked ? validate_link(&v, rule) : validate_policy(&v, rule->policy);
	}
	cedar_arena_free(&v.arena);
	return rc != 0 ? rc : v.found;
}
