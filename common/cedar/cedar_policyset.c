#include "common/cedar/cedar_policyset.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_eval.h"
#include "common/cedar/cedar_index.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_map.h"
#include "common/cedar/cedar_parse.h"

#define ID_TEXT_MAX 32

struct cedar_policies {
	struct cedar_arena arena;
	struct cedar_map ids; /* to struct named */
	struct cedar_list rules;
	struct cedar_list templates;
	struct cedar_list sources;
	struct cedar_index *index;
};

/* What an id stands for: one of the two. */
struct named {
	struct cedar_rule *rule;
	struct cedar_policy *template;
};

static int no_memory(struct cedar_error *error)
{
	return cedar_fail(error, CEDAR_E_MEMORY, 0, "out of memory for policies");
}

struct cedar_policies *cedar_policies_new(void)
{
	struct cedar_policies *set = calloc(1, sizeof(*set));

	if (set != NULL)
		cedar_arena_init(&set->arena, CEDAR_MAX_LOAD_ARENA);
	return set;
}

void cedar_policies_free(struct cedar_policies *set)
{
	if (set == NULL)
		return;
	cedar_arena_free(&set->arena);
	free(set);
}

static int register_id(struct cedar_policies *set, struct cedar_str id, struct cedar_rule *rule,
		       struct cedar_policy *template, size_t offset, struct cedar_error *error)
{
	struct named *named = cedar_arena_alloc(&set->arena, sizeof(*named));
	int rc;

	if (named == NULL)
		return no_memory(error);
	if (set->ids.count >= CEDAR_MAX_POLICIES)
		return cedar_fail(error, CEDAR_E_LIMIT, offset, "more than %u policies", CEDAR_MAX_POLICIES);
	*named = (struct named){rule, template};
	rc = cedar_map_put(&set->ids, &set->arena, CEDAR_STR(""), id, named);
	if (rc == -CEDAR_E_DUPLICATE)
		return cedar_fail(error, CEDAR_E_DUPLICATE, offset, "policy id \"%.*s\" is used twice", CEDAR_SHOW(id));
	return rc != 0 ? no_memory(error) : 0;
}

static int add_rule(struct cedar_policies *set, const struct cedar_rule *given, struct cedar_error *error)
{
	struct cedar_rule *rule = cedar_arena_alloc(&set->arena, sizeof(*rule));
	int rc;

	if (rule == NULL)
		return no_memory(error);
	*rule = *given;
	rule->order = (uint32_t)set->rules.count;
	rc = register_id(set, rule->id, rule, NULL, rule->policy->span.start, error);
	if (rc == 0 && cedar_list_add(&set->rules, &set->arena, rule) != 0)
		rc = no_memory(error);
	return rc;
}

int cedar_policies_add_policy(struct cedar_policies *set, struct cedar_policy *policy, struct cedar_error *error)
{
	struct cedar_rule rule = {.id = policy->id, .policy = policy};
	int rc;

	if (!policy->is_template)
		return add_rule(set, &rule, error);
	rc = register_id(set, policy->id, NULL, policy, policy->span.start, error);
	if (rc == 0 && cedar_list_add(&set->templates, &set->arena, policy) != 0)
		rc = no_memory(error);
	return rc;
}

int cedar_policies_add_source(struct cedar_policies *set, struct cedar_str name, struct cedar_str text,
			      const struct cedar_source **source, struct cedar_error *error)
{
	struct cedar_source *copy = cedar_arena_alloc(&set->arena, sizeof(*copy));

	if (text.n > CEDAR_MAX_TEXT)
		return cedar_fail(error, CEDAR_E_LIMIT, 0, "the text is longer than %u bytes", CEDAR_MAX_TEXT);
	if (copy == NULL || cedar_arena_copy(&set->arena, name, &copy->name) != 0 ||
	    cedar_arena_copy(&set->arena, text, &copy->text) != 0 ||
	    cedar_list_add(&set->sources, &set->arena, copy) != 0)
		return no_memory(error);
	*source = copy;
	return (int)(set->sources.count - 1);
}

/* policyN, or the @id annotation where that is asked for. */
static int name_policy(struct cedar_policies *set, struct cedar_policy *policy, size_t number, unsigned int flags,
		       struct cedar_error *error)
{
	const struct cedar_str *id = NULL;
	char text[ID_TEXT_MAX];

	if ((flags & CEDAR_ID_FROM_ANNOTATION) != 0)
		id = cedar_policy_annotation(policy, CEDAR_STR("id"));
	if (id != NULL) {
		policy->id = *id;
		return 0;
	}
	(void)snprintf(text, sizeof(text), "policy%zu", number);
	if (cedar_arena_copy(&set->arena, cedar_str_from(text), &policy->id) != 0)
		return no_memory(error);
	return 0;
}

int cedar_policies_add_text(struct cedar_policies *set, struct cedar_str name, struct cedar_str text,
			    unsigned int flags, struct cedar_error *error)
{
	const struct cedar_source *source = NULL;
	struct cedar_error local = {0};
	struct cedar_list list = {0};
	struct cedar_policy *policy;
	size_t i, first = set->rules.count + set->templates.count;
	int number, rc;

	/* The parser reports through the error: it must have one. */
	error = error != NULL ? error : &local;
	number = cedar_policies_add_source(set, name, text, &source, error);
	if (number < 0)
		return number;
	rc = cedar_parse_policies(source->text, &set->arena, &list, error);
	for (i = 0; rc == 0 && i < list.count; i++) {
		policy = list.items[i];
		policy->source = (uint32_t)number;
		rc = name_policy(set, policy, first + i, flags, error);
		if (rc == 0)
			rc = cedar_policies_add_policy(set, policy, error);
	}
	return rc;
}

static int check_slots(const struct cedar_policy *template, const struct cedar_uid *principal,
		       const struct cedar_uid *resource, struct cedar_error *error)
{
	const char *slot = NULL;

	if (template->principal.slot != (principal != NULL))
		slot = "?principal";
	if (template->resource.slot != (resource != NULL))
		slot = "?resource";
	if (slot == NULL)
		return 0;
	return cedar_fail(error, CEDAR_E_TEMPLATE, 0, "the link's %s does not fit template \"%.*s\"", slot,
			  CEDAR_SHOW(template->id));
}

static int copy_uid(struct cedar_policies *set, const struct cedar_uid *uid, const struct cedar_uid **copy)
{
	struct cedar_str type, id;

	if (uid == NULL)
		return 0;
	if (cedar_arena_copy(&set->arena, uid->type, &type) != 0 || cedar_arena_copy(&set->arena, uid->id, &id) != 0)
		return -1;
	*copy = cedar_uid_new(&set->arena, type, id);
	return *copy == NULL ? -1 : 0;
}

int cedar_policies_link(struct cedar_policies *set, struct cedar_str template_id, struct cedar_str new_id,
			const struct cedar_uid *principal, const struct cedar_uid *resource, struct cedar_error *error)
{
	struct named *named = cedar_map_get(&set->ids, CEDAR_STR(""), template_id);
	struct cedar_rule rule = {.linked = true};
	int rc;

	if (named == NULL || named->template == NULL)
		return cedar_fail(error, CEDAR_E_TEMPLATE, 0, "\"%.*s\" is no template", CEDAR_SHOW(template_id));
	rc = check_slots(named->template, principal, resource, error);
	if (rc != 0)
		return rc;
	rule.policy = named->template;
	if (cedar_arena_copy(&set->arena, new_id, &rule.id) != 0 || copy_uid(set, principal, &rule.principal) != 0 ||
	    copy_uid(set, resource, &rule.resource) != 0)
		return no_memory(error);
	return add_rule(set, &rule, error);
}

/* Constants are computed and each tree is laid out in the order of its use. */
static int compile_policy(struct cedar_policies *set, const struct cedar_policy *policy)
{
	struct cedar_condition *condition;
	size_t i;

	for (i = 0; i < policy->condition_count; i++) {
		condition = &policy->conditions[i];
		cedar_fold_expr(condition->body, &set->arena);
		condition->body = cedar_compact_expr(condition->body, &set->arena);
		if (condition->body == NULL)
			return -CEDAR_E_MEMORY;
	}
	return 0;
}

static void compile_rule(struct cedar_rule *rule)
{
	const struct cedar_policy *policy = rule->policy;

	rule->forbid = policy->forbid;
	rule->typed = policy->principal.op == CEDAR_SCOPE_IS_IN || policy->resource.op == CEDAR_SCOPE_IS_IN;
	rule->conditions = policy->conditions;
	rule->condition_count = (uint32_t)policy->condition_count;
}

int cedar_policies_seal(struct cedar_policies *set, struct cedar_error *error)
{
	struct cedar_rule *rule;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < set->templates.count; i++)
		rc = compile_policy(set, set->templates.items[i]);
	for (i = 0; rc == 0 && i < set->rules.count; i++) {
		rule = set->rules.items[i];
		if (!rule->linked)
			rc = compile_policy(set, rule->policy);
		compile_rule(rule);
	}
	if (rc != 0)
		return no_memory(error);
	set->index = cedar_index_new(&set->arena, (struct cedar_rule **)set->rules.items, set->rules.count);
	return set->index == NULL ? no_memory(error) : 0;
}

struct cedar_arena *cedar_policies_arena(struct cedar_policies *set)
{
	return &set->arena;
}

const struct cedar_index *cedar_policies_index(const struct cedar_policies *set)
{
	return set->index;
}

size_t cedar_policies_rule_count(const struct cedar_policies *set)
{
	return set->rules.count;
}

const struct cedar_rule *cedar_policies_rule(const struct cedar_policies *set, size_t i)
{
	return set->rules.items[i];
}

size_t cedar_policies_template_count(const struct cedar_policies *set)
{
	return set->templates.count;
}

const struct cedar_policy *cedar_policies_template(const struct cedar_policies *set, size_t i)
{
	return set->templates.items[i];
}

const struct cedar_rule *cedar_policies_find(const struct cedar_policies *set, struct cedar_str id)
{
	const struct named *named = cedar_map_get(&set->ids, CEDAR_STR(""), id);

	return named == NULL ? NULL : named->rule;
}

const struct cedar_source *cedar_policies_source(const struct cedar_policies *set, size_t i)
{
	return set->sources.items[i];
}

const struct cedar_uid *cedar_rule_principal(const struct cedar_rule *rule)
{
	return rule->policy->principal.slot ? rule->principal : rule->policy->principal.uid;
}

const struct cedar_uid *cedar_rule_resource(const struct cedar_rule *rule)
{
	return rule->policy->resource.slot ? rule->resource : rule->policy->resource.uid;
}
