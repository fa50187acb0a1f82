#include "common/cedar/cedar_json.h"
#include "common/cedar/cedar_lex.h"
#include "common/cedar/cedar_schema_raw.h"

/* Where a type stands: it decides which members it may have beside its form's own. */
enum place { PLACE_PLAIN, PLACE_COMMON, PLACE_ATTRIBUTE };

static int read_type(struct cedar_raw_schema *raw, const struct cedar_json *json, enum place place,
		     struct cedar_raw_type **out);

static int need(struct cedar_raw_schema *raw, const struct cedar_json *json, enum cedar_json_kind kind,
		const struct cedar_json *parent, const char *what)
{
	return cedar_json_need(json, kind, parent, what, raw->error);
}

/*
 * The reference reads an array in place of an object as its members in order; of
 * these only the ones that say nothing are taken here.
 */
static bool says_nothing(const struct cedar_json *json)
{
	size_t i;

	for (i = 0; json->kind == CEDAR_J_ARRAY && i < json->count; i++)
		if (json->u.items[i].kind != CEDAR_J_NULL)
			return false;
	return json->kind == CEDAR_J_ARRAY;
}

static int check_path(struct cedar_raw_schema *raw, struct cedar_str path, size_t offset)
{
	if (cedar_path_is_valid(path))
		return 0;
	return cedar_fail(raw->error, CEDAR_E_FORMAT, offset, "\"%.*s\" is no valid name", CEDAR_SHOW(path));
}

/* Annotations are checked and dropped: words with a string or null each. */
static int check_annotations(struct cedar_raw_schema *raw, const struct cedar_json *parent)
{
	const struct cedar_json *json = cedar_json_get(parent, "annotations"), *value;
	size_t i;
	int rc;

	if (json == NULL)
		return 0;
	rc = need(raw, json, CEDAR_J_OBJECT, parent, "\"annotations\"");
	for (i = 0; rc == 0 && i < json->count; i++) {
		value = &json->u.members[i].value;
		if (!cedar_word_is_valid(json->u.members[i].key))
			rc = check_path(raw, json->u.members[i].key, value->start);
		if (rc == 0 && value->kind != CEDAR_J_NULL)
			rc = need(raw, value, CEDAR_J_STRING, json, "an annotation's value");
	}
	return rc;
}

/* A type name into `type`; "__cedar::X" means the built-in X. */
static int read_name(struct cedar_raw_schema *raw, const struct cedar_json *json, enum cedar_raw_kind kind,
		     struct cedar_raw_type *type)
{
	static const struct cedar_str prefix = {"__cedar::", 9};
	struct cedar_str name = json->u.s;

	type->kind = kind;
	if (name.n > prefix.n && memcmp(name.p, prefix.p, prefix.n) == 0) {
		type->kind = CEDAR_RAW_BUILTIN;
		name.p += prefix.n;
		name.n -= prefix.n;
	}
	type->name = name;
	return check_path(raw, name, json->start);
}

static int read_attributes(struct cedar_raw_schema *raw, const struct cedar_json *json, struct cedar_raw_type *type)
{
	const struct cedar_json *attributes = cedar_json_get(json, "attributes"),
				*more = cedar_json_get(json, "additionalAttributes");
	const struct cedar_json *value, *required;
	struct cedar_raw_attr *attr;
	size_t i;
	int rc = need(raw, attributes, CEDAR_J_OBJECT, json, "\"attributes\"");

	type->kind = CEDAR_RAW_RECORD;
	if (rc == 0 && more != NULL)
		rc = need(raw, more, CEDAR_J_BOOL, json, "\"additionalAttributes\"");
	if (rc == 0 && more != NULL && more->u.b)
		return cedar_fail(raw->error, CEDAR_E_FORMAT, more->start,
				  "records with undeclared attributes are not supported");
	for (i = 0; rc == 0 && i < attributes->count; i++) {
		value = &attributes->u.members[i].value;
		required = cedar_json_get(value, "required");
		attr = cedar_raw_add(raw, &type->attrs, sizeof(*attr));
		if (attr == NULL)
			return -CEDAR_E_MEMORY;
		attr->name = attributes->u.members[i].key;
		attr->required = true;
		if (required != NULL)
			rc = need(raw, required, CEDAR_J_BOOL, value, "\"required\"");
		if (rc == 0 && required != NULL)
			attr->required = required->u.b;
		if (rc == 0)
			rc = read_type(raw, value, PLACE_ATTRIBUTE, &attr->type);
	}
	return rc;
}

/* The kinds of type that carry a "name". */
static int read_named(struct cedar_raw_schema *raw, const struct cedar_json *json, enum cedar_raw_kind kind,
		      struct cedar_raw_type *type)
{
	const struct cedar_json *name = cedar_json_get(json, "name");
	int rc = need(raw, name, CEDAR_J_STRING, json, "\"name\"");

	return rc != 0 ? rc : read_name(raw, name, kind, type);
}

/* An extension type is named without a namespace. */
static int read_extension(struct cedar_raw_schema *raw, const struct cedar_json *json, struct cedar_raw_type *type)
{
	const struct cedar_json *name = cedar_json_get(json, "name");
	int rc = need(raw, name, CEDAR_J_STRING, json, "\"name\"");

	type->kind = CEDAR_RAW_BUILTIN;
	if (rc != 0)
		return rc;
	type->name = name->u.s;
	return check_path(raw, type->name, name->start);
}

static int fill_type(struct cedar_raw_schema *raw, const struct cedar_json *json, struct cedar_raw_type *type)
{
	const struct cedar_json *kind = cedar_json_get(json, "type"), *element;
	int rc = need(raw, kind, CEDAR_J_STRING, json, "\"type\"");

	if (rc != 0)
		return rc;
	if (cedar_str_is(kind->u.s, "Set")) {
		element = cedar_json_get(json, "element");
		type->kind = CEDAR_RAW_SET;
		rc = need(raw, element, CEDAR_J_OBJECT, json, "\"element\"");
		return rc != 0 ? rc : read_type(raw, element, PLACE_PLAIN, &type->element);
	}
	if (cedar_str_is(kind->u.s, "Record"))
		return read_attributes(raw, json, type);
	if (cedar_str_is(kind->u.s, "Entity"))
		return read_named(raw, json, CEDAR_RAW_ENTITY, type);
	if (cedar_str_is(kind->u.s, "EntityOrCommon"))
		return read_named(raw, json, CEDAR_RAW_NAME, type);
	if (cedar_str_is(kind->u.s, "Extension"))
		return read_extension(raw, json, type);
	if (cedar_str_is(kind->u.s, "Boolean") || cedar_str_is(kind->u.s, "Long") ||
	    cedar_str_is(kind->u.s, "String")) {
		type->kind = CEDAR_RAW_BUILTIN;
		type->name = cedar_str_is(kind->u.s, "Boolean") ? CEDAR_STR("Bool") : kind->u.s;
		return 0;
	}
	return read_name(raw, kind, CEDAR_RAW_COMMON, type);
}

/* Members that a type of this form may have at this place. */
static int check_members(struct cedar_raw_schema *raw, const struct cedar_json *json, enum place place)
{
	const struct cedar_json *kind = cedar_json_get(json, "type");
	const char *keys[8] = {"type"};
	size_t count = 1;

	if (kind == NULL || kind->kind != CEDAR_J_STRING)
		return 0; /* refused where it is read */
	if (cedar_str_is(kind->u.s, "Set")) {
		keys[count++] = "element";
	} else if (cedar_str_is(kind->u.s, "Record")) {
		keys[count++] = "attributes";
		keys[count++] = "additionalAttributes";
	} else if (cedar_str_is(kind->u.s, "Entity") || cedar_str_is(kind->u.s, "EntityOrCommon") ||
		   cedar_str_is(kind->u.s, "Extension")) {
		keys[count++] = "name";
	}
	if (place != PLACE_PLAIN)
		keys[count++] = "annotations";
	if (place == PLACE_ATTRIBUTE)
		keys[count++] = "required";
	return cedar_json_only(json, keys, "a type", raw->error);
}

/* Recursion is bounded by CEDAR_MAX_JSON_NEST. */
static int read_type(struct cedar_raw_schema *raw, const struct cedar_json *json, enum place place,
		     struct cedar_raw_type **out)
{
	struct cedar_raw_type *type = cedar_arena_alloc(raw->arena, sizeof(*type));
	int rc = need(raw, json, CEDAR_J_OBJECT, json, "a type");

	if (type == NULL)
		return cedar_fail(raw->error, CEDAR_E_MEMORY, 0, "out of memory");
	if (rc == 0)
		rc = check_members(raw, json, place);
	if (rc == 0)
		rc = check_annotations(raw, json);
	type->offset = json->start;
	*out = type;
	return rc != 0 ? rc : fill_type(raw, json, type);
}

/* An array of type names; absent is empty. */
static int read_names(struct cedar_raw_schema *raw, const struct cedar_json *json, struct cedar_list *list)
{
	struct cedar_raw_name *name;
	size_t i;
	int rc;

	if (json == NULL)
		return 0;
	rc = need(raw, json, CEDAR_J_ARRAY, json, "a list of types");
	for (i = 0; rc == 0 && i < json->count; i++) {
		rc = need(raw, &json->u.items[i], CEDAR_J_STRING, json, "an entity type");
		name = cedar_raw_add(raw, list, sizeof(*name));
		if (rc != 0 || name == NULL)
			return rc != 0 ? rc : -CEDAR_E_MEMORY;
		name->name = json->u.items[i].u.s;
		name->offset = json->u.items[i].start;
		rc = check_path(raw, name->name, name->offset);
	}
	return rc;
}

static int read_enum(struct cedar_raw_schema *raw, const struct cedar_json *json, struct cedar_raw_entity *entity)
{
	struct cedar_raw_name *id;
	size_t i;
	int rc = need(raw, json, CEDAR_J_ARRAY, json, "\"enum\"");

	entity->is_enum = true;
	if (rc == 0 && json->count == 0)
		return cedar_fail(raw->error, CEDAR_E_FORMAT, json->start, "an enum needs at least one id");
	for (i = 0; rc == 0 && i < json->count; i++) {
		rc = need(raw, &json->u.items[i], CEDAR_J_STRING, json, "an enum's id");
		id = cedar_raw_add(raw, &entity->ids, sizeof(*id));
		if (rc != 0 || id == NULL)
			return rc != 0 ? rc : -CEDAR_E_MEMORY;
		id->id = json->u.items[i].u.s;
		id->offset = json->u.items[i].start;
	}
	return rc;
}

static int read_entity(struct cedar_raw_schema *raw, struct cedar_str space, const struct cedar_json_member *member)
{
	static const char *const keys[] = {"memberOfTypes", "shape", "tags", "enum", "annotations", NULL};
	static const char *const enum_keys[] = {"enum", "annotations", NULL};
	const struct cedar_json *json = &member->value;
	const struct cedar_json *shape, *tags, *ids;
	struct cedar_raw_entity *entity = cedar_raw_add(raw, &raw->entities, sizeof(*entity));
	bool empty = says_nothing(json) && json->count == 0;
	int rc = empty ? 0 : need(raw, json, CEDAR_J_OBJECT, json, "an entity type");

	if (entity == NULL)
		return -CEDAR_E_MEMORY;
	entity->space = space;
	entity->name = member->key;
	entity->offset = json->start;
	if (rc == 0 && (!cedar_word_is_valid(entity->name) || cedar_word_is_reserved(entity->name)))
		rc = check_path(raw, CEDAR_STR(""), json->start);
	ids = cedar_json_get(json, "enum");
	if (rc == 0 && !empty)
		rc = cedar_json_only(json, ids != NULL ? enum_keys : keys, "an entity type", raw->error);
	if (rc == 0)
		rc = check_annotations(raw, json);
	if (rc != 0 || ids != NULL)
		return rc != 0 ? rc : read_enum(raw, ids, entity);
	shape = cedar_json_get(json, "shape");
	tags = cedar_json_get(json, "tags");
	rc = read_names(raw, cedar_json_get(json, "memberOfTypes"), &entity->parents);
	if (rc == 0 && shape != NULL)
		rc = read_type(raw, shape, PLACE_PLAIN, &entity->shape);
	if (rc == 0 && tags != NULL)
		rc = read_type(raw, tags, PLACE_PLAIN, &entity->tags);
	return rc;
}

static int read_action_ref(struct cedar_raw_schema *raw, const struct cedar_json *json, struct cedar_list *list)
{
	static const char *const keys[] = {"id", "type", NULL};
	const struct cedar_json *id = cedar_json_get(json, "id");
	const struct cedar_json *type = cedar_json_get(json, "type");
	struct cedar_raw_name *ref = cedar_raw_add(raw, list, sizeof(*ref));
	int rc = need(raw, json, CEDAR_J_OBJECT, json, "an action's parent");

	if (ref == NULL)
		return -CEDAR_E_MEMORY;
	if (rc == 0)
		rc = cedar_json_only(json, keys, "an action's parent", raw->error);
	if (type != NULL && type->kind == CEDAR_J_NULL)
		type = NULL;
	if (rc == 0)
		rc = need(raw, id, CEDAR_J_STRING, json, "\"id\"");
	if (rc == 0 && type != NULL)
		rc = need(raw, type, CEDAR_J_STRING, json, "\"type\"");
	if (rc != 0)
		return rc;
	ref->id = id->u.s;
	ref->offset = json->start;
	ref->name = type != NULL ? type->u.s : CEDAR_STR("");
	return type != NULL ? check_path(raw, ref->name, type->start) : 0;
}

static int read_applies_to(struct cedar_raw_schema *raw, const struct cedar_json *json, struct cedar_raw_action *action)
{
	static const char *const keys[] = {"principalTypes", "resourceTypes", "context", NULL};
	const struct cedar_json *context = cedar_json_get(json, "context");
	const struct cedar_json *principals, *resources;
	int rc = need(raw, json, CEDAR_J_OBJECT, json, "\"appliesTo\"");

	action->applies = true;
	principals = cedar_json_get(json, "principalTypes");
	resources = cedar_json_get(json, "resourceTypes");
	if (rc == 0)
		rc = cedar_json_only(json, keys, "\"appliesTo\"", raw->error);
	if (rc == 0)
		rc = need(raw, principals, CEDAR_J_ARRAY, json, "\"principalTypes\"");
	if (rc == 0)
		rc = need(raw, resources, CEDAR_J_ARRAY, json, "\"resourceTypes\"");
	if (rc == 0)
		rc = read_names(raw, principals, &action->principals);
	if (rc == 0)
		rc = read_names(raw, resources, &action->resources);
	return rc != 0 || context == NULL ? rc : read_type(raw, context, PLACE_PLAIN, &action->context);
}

static int read_action(struct cedar_raw_schema *raw, struct cedar_str space, const struct cedar_json_member *member)
{
	static const char *const keys[] = {"memberOf", "appliesTo", "attributes", "annotations", NULL};
	const struct cedar_json *json = &member->value;
	const struct cedar_json *parents = cedar_json_get(json, "memberOf");
	const struct cedar_json *applies = cedar_json_get(json, "appliesTo");
	const struct cedar_json *attributes = cedar_json_get(json, "attributes");
	struct cedar_raw_action *action = cedar_raw_add(raw, &raw->actions, sizeof(*action));
	size_t i;
	int rc;

	if (action == NULL)
		return -CEDAR_E_MEMORY;
	action->space = space;
	action->id = member->key;
	action->offset = json->start;
	if (says_nothing(json))
		return 0;
	rc = need(raw, json, CEDAR_J_OBJECT, json, "an action");
	if (rc == 0)
		rc = cedar_json_only(json, keys, "an action", raw->error);
	if (rc == 0)
		rc = check_annotations(raw, json);
	if (rc == 0 && attributes != NULL && attributes->kind != CEDAR_J_NULL)
		rc = cedar_fail(raw->error, CEDAR_E_FORMAT, attributes->start, "actions have no attributes");
	if (parents != NULL && parents->kind == CEDAR_J_NULL)
		parents = NULL;
	if (applies != NULL && applies->kind == CEDAR_J_NULL)
		applies = NULL;
	if (rc == 0 && parents != NULL)
		rc = need(raw, parents, CEDAR_J_ARRAY, json, "\"memberOf\"");
	for (i = 0; rc == 0 && parents != NULL && i < parents->count; i++)
		rc = read_action_ref(raw, &parents->u.items[i], &action->parents);
	return rc != 0 || applies == NULL ? rc : read_applies_to(raw, applies, action);
}

static int read_common(struct cedar_raw_schema *raw, struct cedar_str space, const struct cedar_json_member *member)
{
	struct cedar_raw_common *common = cedar_raw_add(raw, &raw->commons, sizeof(*common));

	if (common == NULL)
		return -CEDAR_E_MEMORY;
	common->space = space;
	common->name = member->key;
	common->offset = member->value.start;
	if (!cedar_word_is_valid(common->name) || cedar_word_is_reserved(common->name))
		return check_path(raw, CEDAR_STR(""), common->offset);
	return read_type(raw, &member->value, PLACE_COMMON, &common->type);
}

typedef int member_fn(struct cedar_raw_schema *, struct cedar_str, const struct cedar_json_member *);

static int read_members(struct cedar_raw_schema *raw, struct cedar_str space, const struct cedar_json *parent,
			const char *key, bool required, member_fn *read)
{
	const struct cedar_json *json = cedar_json_get(parent, key);
	size_t i;
	int rc;

	if (json == NULL && !required)
		return 0;
	rc = need(raw, json, CEDAR_J_OBJECT, parent, key);
	for (i = 0; rc == 0 && i < json->count; i++)
		rc = read(raw, space, &json->u.members[i]);
	return rc;
}

static int read_namespace(struct cedar_raw_schema *raw, const struct cedar_json_member *member)
{
	static const char *const keys[] = {"entityTypes", "actions", "commonTypes", "annotations", NULL};
	const struct cedar_json *json = &member->value, *notes;
	int rc = need(raw, json, CEDAR_J_OBJECT, json, "a namespace");

	if (rc == 0 && member->key.n > 0)
		rc = check_path(raw, member->key, json->start);
	if (rc == 0)
		rc = cedar_json_only(json, keys, "a namespace", raw->error);
	if (rc == 0)
		rc = check_annotations(raw, json);
	notes = cedar_json_get(json, "annotations");
	if (rc == 0 && member->key.n == 0 && notes != NULL && notes->count > 0)
		rc = cedar_fail(raw->error, CEDAR_E_FORMAT, notes->start, "the empty namespace takes no annotations");
	if (rc == 0)
		rc = read_members(raw, member->key, json, "commonTypes", false, read_common);
	if (rc == 0)
		rc = read_members(raw, member->key, json, "entityTypes", true, read_entity);
	return rc != 0 ? rc : read_members(raw, member->key, json, "actions", true, read_action);
}

int cedar_raw_from_json(struct cedar_raw_schema *raw, struct cedar_str text)
{
	struct cedar_json json;
	size_t i;
	int rc = cedar_json_parse(text, raw->arena, &json, raw->error);

	if (rc == 0)
		rc = need(raw, &json, CEDAR_J_OBJECT, &json, "a schema");
	for (i = 0; rc == 0 && i < json.count; i++)
		rc = read_namespace(raw, &json.u.members[i]);
	return rc;
}
