/* Questions of others (AuthZEN 1.0): any principal, action and resource of the operator's schema. */
#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_data.h"
#include "common/policy/policy_ask.h"

static int refuse(struct asking *a, const char *what)
{
	(void)snprintf(a->d->why, sizeof(a->d->why), "%s", what);
	return KG_E_INVALID;
}

/* JSON of jansson as a tree of the engine's, in the request's arena. NULL: out of memory, or not to be read. */
static const struct cedar_json *tree(struct asking *a, const json_t *value)
{
	struct cedar_json *json = cedar_arena_alloc(&a->d->arena, sizeof(*json));
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	struct cedar_str copy = {NULL, 0};
	int rc = json == NULL || text == NULL || cedar_arena_copy(&a->d->arena, cedar_str_from(text), &copy) != 0 ||
		 cedar_json_parse(copy, &a->d->arena, json, &a->error) != 0;

	free(text);
	return rc != 0 ? NULL : json;
}

/* One value that a caller gives: all of it is data. */
static int read_value(struct asking *a, const json_t *given, const struct cedar_type *type, struct cedar_value *out)
{
	struct cedar_reader reader = {&a->d->arena, a->d->set->schema, CEDAR_NO_ESCAPES, &a->error};
	const struct cedar_json *json = tree(a, given);

	if (json == NULL || cedar_value_from_json(&reader, json, type, out) != 0)
		return refuse(a, a->error.what[0] != '\0' ? a->error.what : "a value cannot be read");
	return 0;
}

static bool is_supplied(const struct cedar_schema_entity *type, struct cedar_str attr)
{
	const struct cedar_str *by = cedar_schema_attr_note(type, attr, CEDAR_STR("caller"));

	return by != NULL && cedar_str_is(*by, "supplied");
}

/* The stored attributes, and those of the caller's that the schema lets it give and that are not stored. */
static int merge(struct asking *a, const struct cedar_schema_entity *type, const struct cedar_entity *stored,
		 const json_t *properties, struct cedar_value *out, size_t *given)
{
	size_t have = stored == NULL ? 0 : stored->attrs.count, n = have;
	struct cedar_field *fields = cedar_arena_array(&a->d->arena, have + type->shape->count, sizeof(*fields));
	int rc = 0;

	if (fields == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < have; i++)
		fields[i] = stored->attrs.u.fields[i];
	for (size_t i = 0; rc == 0 && i < type->shape->count; i++) {
		const struct cedar_attr *attr = &type->shape->attrs[i];
		const json_t *value = json_object_getn(properties, attr->name.p, attr->name.n);

		if (value == NULL || !is_supplied(type, attr->name) ||
		    (stored != NULL && cedar_record_get(&stored->attrs, attr->name) != NULL))
			continue;
		fields[n].key = attr->name;
		rc = read_value(a, value, attr->type, &fields[n++].value);
	}
	*given = n - have;
	return rc != 0 ? rc : cedar_record_make(fields, n, out) == 0 ? 0 : KG_E_NOMEM;
}

/* An entity as the caller knows it stands before the stored one. */
static int add_entity(struct asking *a, const struct cedar_schema_entity *type, const struct cedar_uid *uid,
		      const json_t *properties)
{
	const struct cedar_entity *stored = cedar_entities_find(a->d->set->base, uid);
	struct cedar_entity entity = {.uid = uid};
	size_t given = 0;
	int rc;

	if (type->is_enum || properties == NULL)
		return 0;
	if (stored != NULL)
		entity = *stored;
	else if (cedar_record_make(NULL, 0, &entity.tags) != 0)
		return KG_E_NOMEM;
	rc = merge(a, type, stored, properties, &entity.attrs, &given);
	if (rc != 0 || given == 0)
		return rc;
	/* One that lacks what its type requires is not stored: policies that look at it fail, and a forbid then denies.
	 */
	if (stored == NULL && cedar_schema_check_entity(a->d->set->schema, &entity, NULL) != 0)
		return 0;
	return cedar_entities_cover(a->d->overlay, &entity, NULL) == 0 ? 0 : KG_E_NOMEM;
}

static int read_entity(struct asking *a, const char *type_name, const char *id, const json_t *properties,
		       const struct cedar_uid **out)
{
	struct cedar_str type = cedar_str_from(type_name != NULL ? type_name : ""), copy;
	const struct cedar_schema_entity *declared = cedar_schema_entity(a->d->set->schema, type);
	struct cedar_uid *uid;

	if (declared == NULL || id == NULL)
		return refuse(a, "the schema does not know this type");
	if (cedar_arena_copy(&a->d->arena, cedar_str_from(id), &copy) != 0)
		return KG_E_NOMEM;
	uid = cedar_uid_new(&a->d->arena, declared->name, copy);
	if (uid == NULL)
		return KG_E_NOMEM;
	*out = uid;
	return add_entity(a, declared, uid, properties);
}

int ask_action(struct asking *a, const char *resource_type, const char *name)
{
	struct cedar_str type = cedar_str_from(resource_type), space = type, full = CEDAR_STR("Action");
	struct cedar_uid uid;
	char text[2 * POLICY_NAME_MAX];
	int n;

	while (space.n > 0 && space.p[space.n - 1] != ':')
		space.n--;
	n = snprintf(text, sizeof(text), "%.*sAction", (int)space.n, space.p);
	if (space.n > 0 && n > 0 && (size_t)n < sizeof(text)) {
		cedar_uid_init(&uid, cedar_str_from(text), cedar_str_from(name));
		a->action = cedar_schema_action(a->d->set->schema, &uid);
		if (a->action != NULL)
			return 0;
	}
	cedar_uid_init(&uid, full, cedar_str_from(name));
	a->action = cedar_schema_action(a->d->set->schema, &uid);
	return a->action != NULL ? 0 : refuse(a, "the schema does not know this action");
}

/* Members of the context that the action does not declare mean nothing here. */
static int read_context(struct asking *a, const json_t *given, struct cedar_value *out)
{
	const struct cedar_type *type = a->action->context;
	struct cedar_field *fields = cedar_arena_array(&a->d->arena, type->count, sizeof(*fields));
	size_t n = 0;
	int rc = 0;

	if (fields == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; rc == 0 && i < type->count; i++) {
		const json_t *value = json_object_getn(given, type->attrs[i].name.p, type->attrs[i].name.n);

		if (value == NULL)
			continue;
		fields[n].key = type->attrs[i].name;
		rc = read_value(a, value, type->attrs[i].type, &fields[n++].value);
	}
	return rc != 0 ? rc : cedar_record_make(fields, n, out) == 0 ? 0 : KG_E_NOMEM;
}

static int build(struct asking *a, const struct policy_ask *q)
{
	struct cedar_request *r = &a->d->request;
	int rc;

	cedar_arena_reset(&a->d->arena);
	cedar_entities_reset(a->d->overlay);
	*r = (struct cedar_request){0};
	rc = read_entity(a, q->subject_type, q->subject_id, q->subject_properties, &r->principal);
	if (rc == 0)
		rc = read_entity(a, q->resource_type, q->resource_id, q->resource_properties, &r->resource);
	if (rc == 0 && q->action == NULL)
		rc = refuse(a, "there is no action");
	if (rc == 0)
		rc = ask_action(a, q->resource_type, q->action);
	if (rc != 0)
		return rc;
	r->action = a->action->uid;
	rc = read_context(a, q->context, &r->context);
	if (rc == 0 && cedar_schema_check_request(a->d->set->schema, r, &a->error) != 0)
		return refuse(a, a->error.what);
	if (rc == 0 && cedar_entities_seal(a->d->overlay, NULL) != 0)
		rc = KG_E_NOMEM;
	return rc;
}

int policy_ask(struct policy_decider *d, const struct policy_ask *q, struct policy_decision *out)
{
	struct asking a = {.d = d};
	int rc = build(&a, q);

	if (rc == KG_E_INVALID) {
		decision_refuse(out, "policy-request", d->why);
		return 0;
	}
	if (rc == 0)
		rc = decide_request(d);
	if (rc != 0)
		return rc;
	decision_fill(d, out);
	/* An approval, a consent: those are of MCP's acts. */
	out->help &= POLICY_HELP_STEP_UP;
	if (!out->allow)
		decision_for_strangers(d, out);
	return 0;
}
