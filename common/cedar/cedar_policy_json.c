#include "common/cedar/cedar_policy_json.h"

#include "common/cedar/cedar_data.h"
#include "common/cedar/cedar_lex.h"

struct reading {
	struct cedar_arena *arena;
	struct cedar_error *error;
};

static int wrong(struct reading *r, const struct cedar_json *json, const char *what)
{
	return cedar_fail(r->error, CEDAR_E_FORMAT, json->start, "%s", what);
}

static int no_memory(struct reading *r)
{
	return cedar_fail(r->error, CEDAR_E_MEMORY, 0, "out of memory");
}

static int need(struct reading *r, const struct cedar_json *json, const char *key, enum cedar_json_kind kind,
		const struct cedar_json **out)
{
	*out = cedar_json_get(json, key);
	return cedar_json_need(*out, kind, json, key, r->error);
}

static int read_uid(struct reading *r, const struct cedar_json *json, const struct cedar_uid **out)
{
	const struct cedar_reader reader = {r->arena, NULL, CEDAR_ESCAPES, r->error};

	return cedar_uid_from_json(&reader, json, out);
}

/* "entity" or "slot", one of the two. */
static int read_target(struct reading *r, const struct cedar_json *json, const char *slot, struct cedar_scope *scope)
{
	const struct cedar_json *entity = cedar_json_get(json, "entity");
	const struct cedar_json *name = cedar_json_get(json, "slot");

	if (entity == NULL && name == NULL)
		return wrong(r, json, "expected \"entity\" or \"slot\"");
	if (entity != NULL)
		return read_uid(r, entity, &scope->uid);
	if (slot == NULL || name->kind != CEDAR_J_STRING || !cedar_str_is(name->u.s, slot))
		return wrong(r, name, "this slot cannot stand here");
	scope->slot = true;
	return 0;
}

static int read_is(struct reading *r, const struct cedar_json *json, const char *slot, struct cedar_scope *scope)
{
	static const char *const keys[] = {"op", "entity_type", "in", NULL};
	const struct cedar_json *type, *in = cedar_json_get(json, "in");
	int rc = need(r, json, "entity_type", CEDAR_J_STRING, &type);

	if (in != NULL && in->kind == CEDAR_J_NULL)
		in = NULL;
	if (rc == 0)
		rc = cedar_json_only(json, keys, "an `is` scope", r->error);
	if (rc == 0 && !cedar_path_is_valid(type->u.s))
		return wrong(r, type, "this is no entity type");
	if (rc != 0)
		return rc;
	scope->type = type->u.s;
	scope->op = in != NULL ? CEDAR_SCOPE_IS_IN : CEDAR_SCOPE_IS;
	if (in == NULL)
		return 0;
	rc = cedar_json_need(in, CEDAR_J_OBJECT, json, "\"in\"", r->error);
	return rc != 0 ? rc : read_target(r, in, slot, scope);
}

static int read_list(struct reading *r, const struct cedar_json *json, struct cedar_scope *scope)
{
	size_t i;
	int rc = cedar_json_need(json, CEDAR_J_ARRAY, json, "\"entities\"", r->error);

	if (rc != 0)
		return rc;
	scope->op = CEDAR_SCOPE_IN_LIST;
	scope->list = cedar_arena_array(r->arena, json->count, sizeof(*scope->list));
	if (scope->list == NULL)
		return no_memory(r);
	for (i = 0; rc == 0 && i < json->count; i++)
		rc = read_uid(r, &json->u.items[i], &scope->list[i]);
	scope->count = json->count;
	return rc;
}

/* Only `is` refuses unknown members, as in the reference. */
static int read_scope(struct reading *r, const struct cedar_json *policy, const char *key, const char *slot,
		      struct cedar_scope *scope)
{
	const struct cedar_json *json, *op, *list;
	int rc = need(r, policy, key, CEDAR_J_OBJECT, &json);

	if (rc == 0)
		rc = need(r, json, "op", CEDAR_J_STRING, &op);
	if (rc != 0)
		return rc;
	scope->span = (struct cedar_span){json->start, json->end};
	if (cedar_str_is(op->u.s, "All") || cedar_str_is(op->u.s, "all"))
		return 0;
	if (slot != NULL && cedar_str_is(op->u.s, "is"))
		return read_is(r, json, slot, scope);
	list = cedar_json_get(json, "entities");
	if (slot == NULL && list != NULL && cedar_str_is(op->u.s, "in") && cedar_json_get(json, "entity") == NULL)
		return read_list(r, list, scope);
	if (!cedar_str_is(op->u.s, "==") && !cedar_str_is(op->u.s, "in"))
		return wrong(r, op, "unknown scope operator");
	scope->op = cedar_str_is(op->u.s, "==") ? CEDAR_SCOPE_EQ : CEDAR_SCOPE_IN;
	return read_target(r, json, slot, scope);
}

static bool is_action(const struct cedar_uid *uid)
{
	static const struct cedar_str last = {"Action", 6};
	struct cedar_str type = uid->type;

	return type.n >= last.n && memcmp(type.p + type.n - last.n, last.p, last.n) == 0 &&
	       (type.n == last.n || type.p[type.n - last.n - 1] == ':');
}

static int check_actions(struct reading *r, const struct cedar_policy *policy)
{
	const struct cedar_scope *scope = &policy->action;
	bool good = scope->uid == NULL || is_action(scope->uid);
	size_t i;

	for (i = 0; i < scope->count; i++)
		good = good && is_action(scope->list[i]);
	return good ? 0
		    : cedar_fail(r->error, CEDAR_E_FORMAT, scope->span.start,
				 "an action must be of a type named Action");
}

static int read_condition(struct reading *r, const struct cedar_json *json, struct cedar_condition *condition)
{
	static const char *const keys[] = {"kind", "body", NULL};
	struct cedar_maker maker = {r->arena, r->error};
	const struct cedar_json *kind, *body;
	int rc = cedar_json_need(json, CEDAR_J_OBJECT, json, "a condition", r->error);

	if (rc == 0)
		rc = cedar_json_only(json, keys, "a condition", r->error);
	if (rc == 0)
		rc = need(r, json, "kind", CEDAR_J_STRING, &kind);
	if (rc == 0)
		rc = need(r, json, "body", CEDAR_J_OBJECT, &body);
	if (rc != 0)
		return rc;
	condition->unless = cedar_str_is(kind->u.s, "unless");
	if (!condition->unless && !cedar_str_is(kind->u.s, "when"))
		return wrong(r, kind, "expected \"when\" or \"unless\"");
	condition->span = (struct cedar_span){json->start, json->end};
	return cedar_expr_from_json(body, &maker, &condition->body);
}

static int read_conditions(struct reading *r, const struct cedar_json *json, struct cedar_policy *policy)
{
	const struct cedar_json *list;
	size_t i;
	int rc = need(r, json, "conditions", CEDAR_J_ARRAY, &list);

	if (rc != 0)
		return rc;
	policy->conditions = cedar_arena_array(r->arena, list->count, sizeof(*policy->conditions));
	if (policy->conditions == NULL)
		return no_memory(r);
	for (i = 0; rc == 0 && i < list->count; i++)
		rc = read_condition(r, &list->u.items[i], &policy->conditions[i]);
	policy->condition_count = list->count;
	return rc;
}

static int read_annotations(struct reading *r, const struct cedar_json *json, struct cedar_policy *policy)
{
	const struct cedar_json_member *member;
	struct cedar_annotation *note;
	size_t i;
	int rc;

	if (json == NULL)
		return 0;
	rc = cedar_json_need(json, CEDAR_J_OBJECT, json, "\"annotations\"", r->error);
	if (rc != 0)
		return rc;
	policy->annotations = cedar_arena_array(r->arena, json->count, sizeof(*policy->annotations));
	if (policy->annotations == NULL)
		return no_memory(r);
	for (i = 0; i < json->count; i++) {
		member = &json->u.members[i];
		note = &policy->annotations[i];
		if (!cedar_word_is_valid(member->key) ||
		    (member->value.kind != CEDAR_J_STRING && member->value.kind != CEDAR_J_NULL))
			return wrong(r, &member->value, "a bad annotation");
		note->key = member->key;
		note->has_value = member->value.kind == CEDAR_J_STRING;
		if (note->has_value)
			note->value = member->value.u.s;
	}
	policy->annotation_count = json->count;
	return 0;
}

int cedar_policy_from_json(const struct cedar_json *json, struct cedar_arena *arena, struct cedar_policy *policy,
			   struct cedar_error *error)
{
	static const char *const keys[] = {"effect",     "principal",   "action", "resource",
					   "conditions", "annotations", NULL};
	struct reading r = {arena, error};
	const struct cedar_json *effect;
	int rc = cedar_json_need(json, CEDAR_J_OBJECT, json, "a policy", error);

	if (rc == 0)
		rc = cedar_json_only(json, keys, "a policy", error);
	if (rc == 0)
		rc = need(&r, json, "effect", CEDAR_J_STRING, &effect);
	if (rc != 0)
		return rc;
	policy->forbid = cedar_str_is(effect->u.s, "forbid");
	if (!policy->forbid && !cedar_str_is(effect->u.s, "permit"))
		return wrong(&r, effect, "expected \"permit\" or \"forbid\"");
	policy->span = (struct cedar_span){json->start, json->end};
	rc = read_scope(&r, json, "principal", "?principal", &policy->principal);
	if (rc == 0)
		rc = read_scope(&r, json, "action", NULL, &policy->action);
	if (rc == 0)
		rc = check_actions(&r, policy);
	if (rc == 0)
		rc = read_scope(&r, json, "resource", "?resource", &policy->resource);
	if (rc == 0)
		rc = read_conditions(&r, json, policy);
	if (rc == 0)
		rc = read_annotations(&r, cedar_json_get(json, "annotations"), policy);
	policy->is_template = policy->principal.slot || policy->resource.slot;
	return rc;
}

static int add_policies(struct cedar_policies *set, struct reading *r, const struct cedar_json *json, bool templates,
			uint32_t source)
{
	struct cedar_policy *policy;
	size_t i;
	int rc;

	if (json == NULL)
		return 0;
	rc = cedar_json_need(json, CEDAR_J_OBJECT, json, templates ? "\"templates\"" : "\"staticPolicies\"", r->error);
	for (i = 0; rc == 0 && i < json->count; i++) {
		policy = cedar_arena_alloc(r->arena, sizeof(*policy));
		if (policy == NULL)
			return no_memory(r);
		rc = cedar_policy_from_json(&json->u.members[i].value, r->arena, policy, r->error);
		if (rc == 0 && policy->is_template != templates)
			return wrong(r, &json->u.members[i].value,
				     templates ? "a template needs a slot" : "a static policy has no slots");
		policy->id = json->u.members[i].key;
		policy->source = source;
		if (rc == 0)
			rc = cedar_policies_add_policy(set, policy, r->error);
	}
	return rc;
}

static int read_values(struct reading *r, const struct cedar_json *json, const struct cedar_uid **principal,
		       const struct cedar_uid **resource)
{
	static const char *const keys[] = {"?principal", "?resource", NULL};
	const struct cedar_json *first = cedar_json_get(json, keys[0]);
	const struct cedar_json *second = cedar_json_get(json, keys[1]);
	int rc = cedar_json_only(json, keys, "\"values\"", r->error);

	if (rc == 0 && first != NULL)
		rc = read_uid(r, first, principal);
	if (rc == 0 && second != NULL)
		rc = read_uid(r, second, resource);
	return rc;
}

static int add_link(struct cedar_policies *set, struct reading *r, const struct cedar_json *json)
{
	static const char *const keys[] = {"templateId", "newId", "values", NULL};
	const struct cedar_uid *principal = NULL, *resource = NULL;
	const struct cedar_json *template, *id, *values;
	int rc = cedar_json_need(json, CEDAR_J_OBJECT, json, "a link", r->error);

	if (rc == 0)
		rc = cedar_json_only(json, keys, "a link", r->error);
	if (rc == 0)
		rc = need(r, json, "templateId", CEDAR_J_STRING, &template);
	if (rc == 0)
		rc = need(r, json, "newId", CEDAR_J_STRING, &id);
	if (rc == 0)
		rc = need(r, json, "values", CEDAR_J_OBJECT, &values);
	if (rc == 0)
		rc = read_values(r, values, &principal, &resource);
	if (rc == 0)
		rc = cedar_policies_link(set, template->u.s, id->u.s, principal, resource, r->error);
	if (rc != 0 && r->error->offset == 0)
		r->error->offset = json->start;
	return rc;
}

int cedar_policies_add_json(struct cedar_policies *set, struct cedar_str name, struct cedar_str text,
			    struct cedar_error *error)
{
	static const char *const keys[] = {"staticPolicies", "templates", "templateLinks", NULL};
	struct cedar_error local;
	struct reading r = {cedar_policies_arena(set), error != NULL ? error : &local};
	const struct cedar_source *source = NULL;
	const struct cedar_json *links;
	struct cedar_json json = {0};
	size_t i;
	int number, rc;

	number = cedar_policies_add_source(set, name, text, &source, r.error);
	if (number < 0)
		return number;
	*r.error = (struct cedar_error){0};
	rc = cedar_json_parse(source->text, r.arena, &json, r.error);
	if (rc != 0)
		return rc;
	rc = cedar_json_need(&json, CEDAR_J_OBJECT, &json, "a policy set", r.error);
	if (rc == 0)
		rc = cedar_json_only(&json, keys, "a policy set", r.error);
	if (rc == 0)
		rc = add_policies(set, &r, cedar_json_get(&json, keys[0]), false, (uint32_t)number);
	if (rc == 0)
		rc = add_policies(set, &r, cedar_json_get(&json, keys[1]), true, (uint32_t)number);
	links = cedar_json_get(&json, keys[2]);
	if (rc == 0 && links != NULL)
		rc = cedar_json_need(links, CEDAR_J_ARRAY, &json, keys[2], r.error);
	for (i = 0; rc == 0 && links != NULL && i < links->count; i++)
		rc = add_link(set, &r, &links->u.items[i]);
	return rc;
}
