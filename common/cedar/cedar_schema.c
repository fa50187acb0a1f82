#include "common/cedar/cedar_schema.h"

#include <stdlib.h>

#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_schema_priv.h"

typedef int raw_fn(struct cedar_raw_schema *, struct cedar_str);

static int load(struct cedar_schema *schema, struct cedar_str text, raw_fn *parse, struct cedar_error *error)
{
	struct cedar_raw_schema raw = {.arena = &schema->arena, .error = error};
	struct cedar_str copy;
	int rc;

	if (text.n > CEDAR_MAX_TEXT)
		return cedar_fail(error, CEDAR_E_LIMIT, 0, "the text is longer than %u bytes", CEDAR_MAX_TEXT);
	if (cedar_arena_copy(&schema->arena, text, &copy) != 0)
		return cedar_fail(error, CEDAR_E_MEMORY, 0, "out of memory");
	rc = parse(&raw, copy);
	return rc != 0 ? rc : cedar_schema_resolve(schema, &raw);
}

static struct cedar_schema *new_schema(struct cedar_str text, raw_fn *parse, struct cedar_error *error)
{
	struct cedar_schema *schema = calloc(1, sizeof(*schema));
	struct cedar_error local = {0};

	error = error != NULL ? error : &local;
	*error = (struct cedar_error){0};
	if (schema == NULL) {
		cedar_fail(error, CEDAR_E_MEMORY, 0, "out of memory");
		return NULL;
	}
	cedar_arena_init(&schema->arena, CEDAR_MAX_LOAD_ARENA);
	schema->types.arena = &schema->arena;
	if (load(schema, text, parse, error) == 0)
		return schema;
	cedar_schema_free(schema);
	return NULL;
}

struct cedar_schema *cedar_schema_from_text(struct cedar_str text, struct cedar_error *error)
{
	return new_schema(text, cedar_raw_from_text, error);
}

struct cedar_schema *cedar_schema_from_json(struct cedar_str text, struct cedar_error *error)
{
	return new_schema(text, cedar_raw_from_json, error);
}

void cedar_schema_free(struct cedar_schema *schema)
{
	if (schema == NULL)
		return;
	cedar_entities_free(schema->action_store);
	cedar_arena_free(&schema->arena);
	free(schema);
}

const struct cedar_schema_entity *cedar_schema_entity(const struct cedar_schema *schema, struct cedar_str name)
{
	return cedar_map_get(&schema->entities, CEDAR_STR(""), name);
}

const struct cedar_str *cedar_schema_attr_note(const struct cedar_schema_entity *entity, struct cedar_str attr,
					       struct cedar_str key)
{
	size_t i;

	for (i = 0; i < entity->note_count; i++)
		if (cedar_str_equal(entity->notes[i].attr, attr) && cedar_str_equal(entity->notes[i].note->key, key))
			return &entity->notes[i].note->value;
	return NULL;
}

const struct cedar_schema_action *cedar_schema_action(const struct cedar_schema *schema, const struct cedar_uid *uid)
{
	return cedar_map_find(&schema->actions, uid->hash, uid->type, uid->id);
}

const struct cedar_schema_entity *cedar_schema_entity_at(const struct cedar_schema *schema, size_t i)
{
	return i < schema->entity_list.count ? schema->entity_list.items[i] : NULL;
}

const struct cedar_schema_action *cedar_schema_action_at(const struct cedar_schema *schema, size_t i)
{
	return i < schema->action_list.count ? schema->action_list.items[i] : NULL;
}

const struct cedar_entities *cedar_schema_actions(const struct cedar_schema *schema)
{
	return schema->action_store;
}

const struct cedar_types *cedar_schema_types(const struct cedar_schema *schema)
{
	return &schema->types;
}

bool cedar_schema_is_action_type(const struct cedar_schema *schema, struct cedar_str type)
{
	return cedar_map_get(&schema->action_types, CEDAR_STR(""), type) != NULL;
}

/* Some action of type `type` below some action of type `ancestor`. */
static bool actions_may_descend(const struct cedar_schema *schema, struct cedar_str type, struct cedar_str ancestor)
{
	const struct cedar_entity *action;
	size_t i, j;

	for (i = 0; (action = cedar_entities_at(schema->action_store, i)) != NULL; i++) {
		if (!cedar_str_equal(action->uid->type, type))
			continue;
		for (j = 0; j < action->ancestor_count; j++)
			if (cedar_str_equal(action->ancestors[j]->type, ancestor))
				return true;
	}
	return false;
}

bool cedar_schema_may_descend(const struct cedar_schema *schema, struct cedar_str type, struct cedar_str ancestor)
{
	const struct cedar_schema_entity *below, *above;

	below = cedar_schema_entity(schema, type);
	above = cedar_schema_entity(schema, ancestor);
	if (below == NULL || above == NULL)
		return actions_may_descend(schema, type, ancestor);
	return (below->ancestors[above->number / 64] >> (above->number % 64) & 1) != 0;
}

static bool is_enum_id(const struct cedar_schema_entity *entity, struct cedar_str id)
{
	size_t i;

	for (i = 0; i < entity->id_count; i++)
		if (cedar_str_equal(entity->ids[i], id))
			return true;
	return false;
}

/* An id of an enum type must be one of its list. */
static int check_enum(const struct cedar_schema *schema, const struct cedar_uid *uid, struct cedar_error *error)
{
	const struct cedar_schema_entity *entity = cedar_schema_entity(schema, uid->type);

	if (entity == NULL || !entity->is_enum || is_enum_id(entity, uid->id))
		return 0;
	return cedar_fail(error, CEDAR_E_CONFORM, 0, "\"%.*s\" is no id of enum %.*s", CEDAR_SHOW(uid->id),
			  CEDAR_SHOW(uid->type));
}

int cedar_schema_check_uid(const struct cedar_schema *schema, const struct cedar_uid *uid, struct cedar_error *error)
{
	if (cedar_schema_entity(schema, uid->type) != NULL)
		return check_enum(schema, uid, error);
	if (cedar_schema_action(schema, uid) != NULL)
		return 0;
	return cedar_fail(error, CEDAR_E_UNKNOWN, 0, "the schema does not declare %.*s::\"%.*s\"",
			  CEDAR_SHOW(uid->type), CEDAR_SHOW(uid->id));
}

static int wrong_type(const struct cedar_value *value, const struct cedar_type *type, struct cedar_error *error)
{
	if (type->kind == CEDAR_TY_ENTITY)
		return cedar_fail(error, CEDAR_E_CONFORM, 0, "expected an entity of type %.*s", CEDAR_SHOW(type->name));
	return cedar_fail(error, CEDAR_E_CONFORM, 0, "expected %s, found %s", cedar_type_kind_name(type),
			  cedar_kind_name(value->kind));
}

static int check_record(const struct cedar_schema *schema, const struct cedar_value *value,
			const struct cedar_type *type, struct cedar_error *error)
{
	const struct cedar_attr *attr;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < value->count; i++) {
		attr = cedar_type_attr(type, value->u.fields[i].key);
		if (attr == NULL)
			return cedar_fail(error, CEDAR_E_CONFORM, 0, "the schema declares no attribute \"%.*s\" here",
					  CEDAR_SHOW(value->u.fields[i].key));
		rc = cedar_schema_check_value(schema, &value->u.fields[i].value, attr->type, error);
	}
	for (i = 0; rc == 0 && i < type->count; i++)
		if (type->attrs[i].required && cedar_record_get(value, type->attrs[i].name) == NULL)
			return cedar_fail(error, CEDAR_E_CONFORM, 0, "attribute \"%.*s\" is missing",
					  CEDAR_SHOW(type->attrs[i].name));
	return rc;
}

/* Recursion is bounded by CEDAR_MAX_TYPE_DEPTH. */
int cedar_schema_check_value(const struct cedar_schema *schema, const struct cedar_value *value,
			     const struct cedar_type *type, struct cedar_error *error)
{
	static const uint8_t kinds[] = {
		[CEDAR_TY_FALSE] = CEDAR_BOOL, [CEDAR_TY_TRUE] = CEDAR_BOOL,     [CEDAR_TY_BOOL] = CEDAR_BOOL,
		[CEDAR_TY_LONG] = CEDAR_LONG,  [CEDAR_TY_STRING] = CEDAR_STRING, [CEDAR_TY_ENTITY] = CEDAR_ENTITY,
		[CEDAR_TY_SET] = CEDAR_SET,    [CEDAR_TY_RECORD] = CEDAR_RECORD,
	};
	uint8_t kind = type->kind == CEDAR_TY_EXTENSION ? type->extension : kinds[type->kind];
	size_t i;
	int rc = 0;

	if (value->kind != kind)
		return wrong_type(value, type, error);
	switch (type->kind) {
	case CEDAR_TY_ENTITY:
		if (!cedar_str_equal(value->u.uid->type, type->name))
			return wrong_type(value, type, error);
		return check_enum(schema, value->u.uid, error);
	case CEDAR_TY_SET:
		for (i = 0; rc == 0 && i < value->count; i++)
			rc = cedar_schema_check_value(schema, &value->u.items[i], type->element, error);
		return rc;
	case CEDAR_TY_RECORD:
		return check_record(schema, value, type, error);
	default:
		return 0;
	}
}

static bool is_listed(const struct cedar_str *names, size_t count, struct cedar_str name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (cedar_str_equal(names[i], name))
			return true;
	return false;
}

int cedar_schema_check_request(const struct cedar_schema *schema, const struct cedar_request *request,
			       struct cedar_error *error)
{
	const struct cedar_schema_action *action = cedar_schema_action(schema, request->action);
	int rc;

	if (action == NULL)
		return cedar_fail(error, CEDAR_E_UNKNOWN, 0, "the schema declares no action %.*s::\"%.*s\"",
				  CEDAR_SHOW(request->action->type), CEDAR_SHOW(request->action->id));
	if (!is_listed(action->principals, action->principal_count, request->principal->type))
		return cedar_fail(error, CEDAR_E_CONFORM, 0, "the action does not apply to principals of type %.*s",
				  CEDAR_SHOW(request->principal->type));
	if (!is_listed(action->resources, action->resource_count, request->resource->type))
		return cedar_fail(error, CEDAR_E_CONFORM, 0, "the action does not apply to resources of type %.*s",
				  CEDAR_SHOW(request->resource->type));
	rc = check_enum(schema, request->principal, error);
	if (rc == 0)
		rc = check_enum(schema, request->resource, error);
	return rc != 0 ? rc : cedar_schema_check_value(schema, &request->context, action->context, error);
}

int cedar_schema_check_entity(const struct cedar_schema *schema, const struct cedar_entity *entity,
			      struct cedar_error *error)
{
	const struct cedar_schema_entity *declared = cedar_schema_entity(schema, entity->uid->type);
	size_t i;
	int rc;

	if (declared == NULL)
		return cedar_schema_check_uid(schema, entity->uid, error);
	rc = check_enum(schema, entity->uid, error);
	if (rc == 0)
		rc = cedar_schema_check_value(schema, &entity->attrs, declared->shape, error);
	for (i = 0; rc == 0 && i < entity->tags.count; i++) {
		if (declared->tags == NULL)
			return cedar_fail(error, CEDAR_E_CONFORM, 0, "type %.*s has no tags",
					  CEDAR_SHOW(declared->name));
		rc = cedar_schema_check_value(schema, &entity->tags.u.fields[i].value, declared->tags, error);
	}
	for (i = 0; rc == 0 && i < entity->parent_count; i++) {
		if (!cedar_schema_may_descend(schema, declared->name, entity->parents[i]->type))
			return cedar_fail(error, CEDAR_E_CONFORM, 0, "type %.*s may have no parent of type %.*s",
					  CEDAR_SHOW(declared->name), CEDAR_SHOW(entity->parents[i]->type));
		rc = check_enum(schema, entity->parents[i], error);
	}
	return rc;
}
