#include "common/cedar/cedar_ext.h"
#include "common/cedar/cedar_lex.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_schema_priv.h"

#define MAX_ENTITY_TYPES 16384u

struct resolver {
	struct cedar_schema *schema;
	struct cedar_raw_schema *raw;
	struct cedar_map commons;  /* (space, name) */
	struct cedar_map entities; /* (space, name) */
	unsigned int depth;        /* of types in each other */
};

static const struct cedar_type *resolve_type(struct resolver *r, const struct cedar_raw_type *raw,
					     struct cedar_str space);

static int fail(struct resolver *r, enum cedar_code code, size_t offset, const char *what, struct cedar_str name)
{
	return cedar_fail(r->raw->error, code, offset, "%s: %.*s", what, CEDAR_SHOW(name));
}

static int no_memory(struct resolver *r)
{
	return cedar_fail(r->raw->error, CEDAR_E_MEMORY, 0, "out of memory");
}

/* "N::x" split at its last "::". */
static struct cedar_str split_path(struct cedar_str path, struct cedar_str *name)
{
	size_t i;

	for (i = path.n; i >= 2; i--)
		if (path.p[i - 1] == ':')
			break;
	if (i < 2) {
		*name = path;
		return (struct cedar_str){path.p, 0};
	}
	*name = (struct cedar_str){path.p + i, path.n - i};
	return (struct cedar_str){path.p, i - 2};
}

/* space::name, or name alone in the empty namespace. */
static int full_name(struct resolver *r, struct cedar_str space, struct cedar_str name, struct cedar_str *out)
{
	char *bytes;

	if (space.n == 0) {
		*out = name;
		return 0;
	}
	bytes = cedar_arena_alloc(&r->schema->arena, space.n + 2 + name.n);
	if (bytes == NULL)
		return no_memory(r);
	memcpy(bytes, space.p, space.n);
	memcpy(bytes + space.n, "::", 2);
	memcpy(bytes + space.n + 2, name.p, name.n);
	*out = (struct cedar_str){bytes, space.n + 2 + name.n};
	return 0;
}

/* Looks for a declared name as seen from `space`: there, then at the top. */
static void *look_up(const struct cedar_map *map, struct cedar_str space, struct cedar_str path, bool top)
{
	struct cedar_str name, prefix = split_path(path, &name);

	if (prefix.n > 0)
		return top ? NULL : cedar_map_get(map, prefix, name);
	return cedar_map_get(map, top ? CEDAR_STR("") : space, name);
}

static const struct cedar_type *resolve_builtin(struct resolver *r, struct cedar_str name)
{
	static const struct {
		const char *name;
		enum cedar_type_kind kind;
		enum cedar_kind extension;
	} known[] = {
		{"Long", CEDAR_TY_LONG, 0},
		{"String", CEDAR_TY_STRING, 0},
		{"Bool", CEDAR_TY_BOOL, 0},
		{"ipaddr", CEDAR_TY_EXTENSION, CEDAR_IP},
		{"decimal", CEDAR_TY_EXTENSION, CEDAR_DECIMAL},
		{"datetime", CEDAR_TY_EXTENSION, CEDAR_DATETIME},
		{"duration", CEDAR_TY_EXTENSION, CEDAR_DURATION},
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!cedar_str_is(name, known[i].name))
			continue;
		return known[i].kind == CEDAR_TY_EXTENSION ? cedar_type_extension(&r->schema->types, known[i].extension)
							   : cedar_type_simple(&r->schema->types, known[i].kind);
	}
	return NULL;
}

static const struct cedar_type *resolve_common(struct resolver *r, struct cedar_raw_common *common)
{
	if (common->resolved != NULL)
		return common->resolved;
	if (common->busy) {
		fail(r, CEDAR_E_CYCLE, common->offset, "common type contains itself", common->name);
		return NULL;
	}
	common->busy = true;
	common->resolved = resolve_type(r, common->type, common->space);
	common->busy = false;
	return common->resolved;
}

static const struct cedar_type *entity_type(struct resolver *r, const struct cedar_raw_entity *entity)
{
	struct cedar_str name;

	if (full_name(r, entity->space, entity->name, &name) != 0)
		return NULL;
	return cedar_type_entity(&r->schema->types, name);
}

/* An attribute may hold an action where a namespace declares some; nothing else may. */
static const struct cedar_type *action_type(struct resolver *r, struct cedar_str space, struct cedar_str path, bool top)
{
	struct cedar_str name, prefix = split_path(path, &name), full;
	const struct cedar_raw_action *action;
	size_t i;

	if (!cedar_str_is(name, "Action") || (prefix.n > 0 && top))
		return NULL;
	if (prefix.n == 0)
		prefix = top ? CEDAR_STR("") : space;
	for (i = 0; i < r->raw->actions.count; i++) {
		action = r->raw->actions.items[i];
		if (cedar_str_equal(action->space, prefix))
			return full_name(r, prefix, name, &full) != 0 ? NULL
								      : cedar_type_entity(&r->schema->types, full);
	}
	return NULL;
}

/* Common before entity, the own namespace before the empty one. */
static const struct cedar_type *resolve_name(struct resolver *r, const struct cedar_raw_type *raw,
					     struct cedar_str space)
{
	const struct cedar_type *type = NULL;
	struct cedar_raw_common *common;
	const struct cedar_raw_entity *entity;
	int top;

	for (top = 0; top <= 1; top++) {
		common = raw->kind == CEDAR_RAW_ENTITY ? NULL : look_up(&r->commons, space, raw->name, top);
		if (common != NULL)
			return resolve_common(r, common);
		entity = raw->kind == CEDAR_RAW_COMMON ? NULL : look_up(&r->entities, space, raw->name, top);
		if (entity != NULL)
			return entity_type(r, entity);
		if (raw->kind != CEDAR_RAW_COMMON)
			type = action_type(r, space, raw->name, top);
		if (type != NULL)
			return type;
	}
	if (raw->kind != CEDAR_RAW_ENTITY)
		type = resolve_builtin(r, raw->name);
	if (type == NULL)
		fail(r, CEDAR_E_UNKNOWN, raw->offset, "undeclared type", raw->name);
	return type;
}

static const struct cedar_type *resolve_record(struct resolver *r, const struct cedar_raw_type *raw,
					       struct cedar_str space)
{
	struct cedar_attr *attrs = cedar_arena_array(&r->schema->arena, raw->attrs.count, sizeof(*attrs));
	const struct cedar_raw_attr *attr;
	const struct cedar_type *type;
	size_t i;

	if (attrs == NULL) {
		no_memory(r);
		return NULL;
	}
	for (i = 0; i < raw->attrs.count; i++) {
		attr = raw->attrs.items[i];
		type = resolve_type(r, attr->type, space);
		if (type == NULL)
			return NULL;
		attrs[i] = (struct cedar_attr){attr->name, type, attr->required};
	}
	type = cedar_type_record(&r->schema->types, attrs, raw->attrs.count);
	if (type == NULL)
		cedar_fail(r->raw->error, CEDAR_E_DUPLICATE, raw->offset,
			   "this record declares an attribute twice, or is too deep");
	return type;
}

static const struct cedar_type *resolve_form(struct resolver *r, const struct cedar_raw_type *raw,
					     struct cedar_str space)
{
	const struct cedar_type *type;

	switch (raw->kind) {
	case CEDAR_RAW_SET:
		type = resolve_type(r, raw->element, space);
		if (type == NULL)
			return NULL;
		type = cedar_type_set(&r->schema->types, type);
		break;
	case CEDAR_RAW_RECORD:
		return resolve_record(r, raw, space);
	case CEDAR_RAW_BUILTIN:
		type = resolve_builtin(r, raw->name);
		if (type == NULL)
			fail(r, CEDAR_E_UNKNOWN, raw->offset, "no such built-in type", raw->name);
		return type;
	default:
		return resolve_name(r, raw, space);
	}
	if (type == NULL)
		cedar_fail(r->raw->error, CEDAR_E_LIMIT, raw->offset, "this type is too deep");
	return type;
}

/* Recursion runs through here, bounded also through common types. */
static const struct cedar_type *resolve_type(struct resolver *r, const struct cedar_raw_type *raw,
					     struct cedar_str space)
{
	const struct cedar_type *type;

	if (r->depth == CEDAR_MAX_TYPE_DEPTH) {
		cedar_fail(r->raw->error, CEDAR_E_LIMIT, raw->offset, "types are more than %u levels deep",
			   CEDAR_MAX_TYPE_DEPTH);
		return NULL;
	}
	r->depth++;
	type = resolve_form(r, raw, space);
	r->depth--;
	return type;
}

/* The full name of a declared entity type as seen from `space`. */
static int resolve_entity_name(struct resolver *r, const struct cedar_raw_name *raw, struct cedar_str space,
			       struct cedar_str *out)
{
	const struct cedar_raw_entity *entity = look_up(&r->entities, space, raw->name, false);

	if (entity == NULL)
		entity = look_up(&r->entities, space, raw->name, true);
	if (entity == NULL)
		return fail(r, CEDAR_E_UNKNOWN, raw->offset, "undeclared entity type", raw->name);
	return full_name(r, entity->space, entity->name, out);
}

static int resolve_entity_names(struct resolver *r, const struct cedar_list *raw, struct cedar_str space,
				struct cedar_str **out, size_t *count)
{
	struct cedar_str *names = cedar_arena_array(&r->schema->arena, raw->count, sizeof(*names));
	size_t i;
	int rc = names == NULL ? no_memory(r) : 0;

	for (i = 0; rc == 0 && i < raw->count; i++)
		rc = resolve_entity_name(r, raw->items[i], space, &names[i]);
	*out = names;
	*count = raw->count;
	return rc;
}

static bool is_reserved_type(struct cedar_str name)
{
	static const char *const reserved[] = {"Bool", "Boolean", "Entity", "Extension",
					       "Long", "Record",  "Set",    "String"};
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (cedar_str_is(name, reserved[i]))
			return true;
	return false;
}

static int declare(struct resolver *r, struct cedar_map *map, struct cedar_str space, struct cedar_str name,
		   size_t offset, void *object)
{
	int rc = cedar_map_put(map, &r->schema->arena, space, name, object);

	if (rc == -CEDAR_E_DUPLICATE)
		return fail(r, CEDAR_E_DUPLICATE, offset, "declared twice", name);
	return rc != 0 ? no_memory(r) : 0;
}

/* No name of a namespace may hide one of the empty namespace. */
static int check_shadow(struct resolver *r, struct cedar_str space, struct cedar_str name, size_t offset)
{
	if (space.n == 0 || (cedar_map_get(&r->commons, CEDAR_STR(""), name) == NULL &&
			     cedar_map_get(&r->entities, CEDAR_STR(""), name) == NULL))
		return 0;
	return fail(r, CEDAR_E_DUPLICATE, offset, "this hides a declaration of the empty namespace", name);
}

static int declare_all(struct resolver *r)
{
	struct cedar_raw_common *common;
	struct cedar_raw_entity *entity;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < r->raw->commons.count; i++) {
		common = r->raw->commons.items[i];
		if (is_reserved_type(common->name))
			return fail(r, CEDAR_E_SYNTAX, common->offset, "a common type may not be called", common->name);
		rc = declare(r, &r->commons, common->space, common->name, common->offset, common);
	}
	for (i = 0; rc == 0 && i < r->raw->entities.count; i++) {
		entity = r->raw->entities.items[i];
		if (cedar_str_is(entity->name, "Action"))
			return fail(r, CEDAR_E_SYNTAX, entity->offset, "an entity type may not be called",
				    entity->name);
		rc = declare(r, &r->entities, entity->space, entity->name, entity->offset, entity);
	}
	for (i = 0; rc == 0 && i < r->raw->commons.count; i++) {
		common = r->raw->commons.items[i];
		rc = check_shadow(r, common->space, common->name, common->offset);
	}
	for (i = 0; rc == 0 && i < r->raw->entities.count; i++) {
		entity = r->raw->entities.items[i];
		rc = check_shadow(r, entity->space, entity->name, entity->offset);
	}
	return rc;
}

static int check_spaces(struct resolver *r)
{
	struct cedar_map seen = {0};
	struct cedar_raw_name *space;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < r->raw->spaces.count; i++) {
		space = r->raw->spaces.items[i];
		rc = declare(r, &seen, CEDAR_STR(""), space->name, space->offset, space);
	}
	return rc;
}

static int add_ids(struct resolver *r, const struct cedar_raw_entity *raw, struct cedar_schema_entity *entity)
{
	const struct cedar_raw_name *id;
	size_t i;

	entity->is_enum = raw->is_enum;
	entity->ids = cedar_arena_array(&r->schema->arena, raw->ids.count, sizeof(*entity->ids));
	if (entity->ids == NULL)
		return no_memory(r);
	/* A repeated id means nothing; the reference's own corpus has them. */
	for (i = 0; i < raw->ids.count; i++) {
		id = raw->ids.items[i];
		entity->ids[i] = id->id;
	}
	entity->id_count = raw->ids.count;
	return 0;
}

/* Types are shared by all that are equal: annotations stand beside them. */
static int add_notes(struct resolver *r, const struct cedar_raw_type *shape, struct cedar_schema_entity *entity)
{
	const struct cedar_raw_attr *attr;
	size_t i, j, count = 0;

	for (i = 0; i < shape->attrs.count; i++)
		count += ((const struct cedar_raw_attr *)shape->attrs.items[i])->notes.count;
	entity->notes = cedar_arena_array(&r->schema->arena, count, sizeof(*entity->notes));
	if (entity->notes == NULL)
		return no_memory(r);
	for (i = 0; i < shape->attrs.count; i++) {
		attr = shape->attrs.items[i];
		for (j = 0; j < attr->notes.count; j++)
			entity->notes[entity->note_count++] =
				(struct cedar_attr_note){attr->name, attr->notes.items[j]};
	}
	return 0;
}

static int add_entity(struct resolver *r, const struct cedar_raw_entity *raw)
{
	struct cedar_schema_entity *entity = cedar_arena_alloc(&r->schema->arena, sizeof(*entity));
	const struct cedar_raw_type empty = {.kind = CEDAR_RAW_RECORD, .offset = raw->offset};
	int rc;

	if (entity == NULL)
		return no_memory(r);
	rc = full_name(r, raw->space, raw->name, &entity->name);
	if (rc == 0)
		rc = add_ids(r, raw, entity);
	if (rc == 0)
		rc = resolve_entity_names(r, &raw->parents, raw->space, &entity->parents, &entity->parent_count);
	if (rc != 0)
		return rc;
	entity->shape = resolve_type(r, raw->shape != NULL ? raw->shape : &empty, raw->space);
	if (entity->shape == NULL)
		return -(int)r->raw->error->code;
	if (entity->shape->kind != CEDAR_TY_RECORD)
		return fail(r, CEDAR_E_FORMAT, raw->offset, "the attributes must be a record", raw->name);
	rc = add_notes(r, raw->shape != NULL ? raw->shape : &empty, entity);
	if (rc != 0)
		return rc;
	if (raw->tags != NULL) {
		entity->tags = resolve_type(r, raw->tags, raw->space);
		if (entity->tags == NULL)
			return -(int)r->raw->error->code;
	}
	entity->number = (uint32_t)r->schema->entity_list.count;
	rc = declare(r, &r->schema->entities, CEDAR_STR(""), entity->name, raw->offset, entity);
	if (rc == 0 && cedar_list_add(&r->schema->entity_list, &r->schema->arena, entity) != 0)
		rc = no_memory(r);
	return rc;
}

/* All ancestors of one type: a walk with a list of its own. */
static int close_entity(struct resolver *r, struct cedar_schema_entity *entity, size_t words,
			const struct cedar_schema_entity **queue)
{
	const struct cedar_schema_entity *next = entity, *parent;
	size_t head = 0, tail = 0, i;
	uint64_t bit;

	entity->ancestors = cedar_arena_array(&r->schema->arena, words, sizeof(*entity->ancestors));
	if (entity->ancestors == NULL)
		return no_memory(r);
	for (;;) {
		for (i = 0; i < next->parent_count; i++) {
			parent = cedar_schema_entity(r->schema, next->parents[i]);
			bit = UINT64_C(1) << (parent->number % 64);
			if ((entity->ancestors[parent->number / 64] & bit) != 0)
				continue;
			entity->ancestors[parent->number / 64] |= bit;
			queue[tail++] = parent;
		}
		if (head == tail)
			return 0;
		next = queue[head++];
	}
}

static int close_entities(struct resolver *r)
{
	size_t count = r->schema->entity_list.count, i;
	const struct cedar_schema_entity **queue;
	int rc = 0;

	if (count > MAX_ENTITY_TYPES)
		return cedar_fail(r->raw->error, CEDAR_E_LIMIT, 0, "more than %u entity types", MAX_ENTITY_TYPES);
	queue = cedar_arena_array(&r->schema->arena, count, sizeof(*queue));
	if (queue == NULL)
		return no_memory(r);
	for (i = 0; rc == 0 && i < count; i++)
		rc = close_entity(r, r->schema->entity_list.items[i], count / 64 + 1, queue);
	return rc;
}

static int action_uid(struct resolver *r, struct cedar_str space, struct cedar_str id, const struct cedar_uid **out)
{
	struct cedar_str type;
	int rc = full_name(r, space, CEDAR_STR("Action"), &type);

	if (rc != 0)
		return rc;
	*out = cedar_uid_new(&r->schema->arena, type, id);
	return *out == NULL ? no_memory(r) : 0;
}

static int add_action(struct resolver *r, const struct cedar_raw_action *raw)
{
	struct cedar_schema_action *action = cedar_arena_alloc(&r->schema->arena, sizeof(*action));
	const struct cedar_raw_type empty = {.kind = CEDAR_RAW_RECORD};
	int rc;

	if (action == NULL)
		return no_memory(r);
	rc = action_uid(r, raw->space, raw->id, &action->uid);
	action->applies = raw->applies;
	if (rc == 0)
		rc = resolve_entity_names(r, &raw->principals, raw->space, &action->principals,
					  &action->principal_count);
	if (rc == 0)
		rc = resolve_entity_names(r, &raw->resources, raw->space, &action->resources, &action->resource_count);
	if (rc != 0)
		return rc;
	action->context = resolve_type(r, raw->context != NULL ? raw->context : &empty, raw->space);
	if (action->context == NULL)
		return -(int)r->raw->error->code;
	if (action->context->kind != CEDAR_TY_RECORD)
		return fail(r, CEDAR_E_FORMAT, raw->offset, "the context must be a record", raw->id);
	rc = cedar_map_put(&r->schema->actions, &r->schema->arena, action->uid->type, action->uid->id, action);
	if (rc == -CEDAR_E_DUPLICATE)
		return fail(r, CEDAR_E_DUPLICATE, raw->offset, "action declared twice", raw->id);
	if (rc != 0 || cedar_list_add(&r->schema->action_list, &r->schema->arena, action) != 0)
		return no_memory(r);
	(void)cedar_map_put(&r->schema->action_types, &r->schema->arena, CEDAR_STR(""), action->uid->type, action);
	return 0;
}

/* The action that a reference names: in its own namespace, then at the top. */
static int resolve_action(struct resolver *r, const struct cedar_raw_name *ref, struct cedar_str space,
			  const struct cedar_uid **out)
{
	const struct cedar_schema_action *action;
	struct cedar_str type = ref->name, full;
	int rc;

	if (type.n == 0)
		type = CEDAR_STR("Action");
	rc = full_name(r, space, type, &full);
	if (rc != 0)
		return rc;
	action = memchr(type.p, ':', type.n) != NULL ? NULL : cedar_map_get(&r->schema->actions, full, ref->id);
	if (action == NULL)
		action = cedar_map_get(&r->schema->actions, type, ref->id);
	if (action == NULL)
		return fail(r, CEDAR_E_UNKNOWN, ref->offset, "undeclared action", ref->id);
	*out = action->uid;
	return 0;
}

/* As with types, no action of a namespace may hide one of the empty namespace. */
static int check_action_shadow(struct resolver *r, const struct cedar_raw_action *raw)
{
	if (raw->space.n == 0 || cedar_map_get(&r->schema->actions, CEDAR_STR("Action"), raw->id) == NULL)
		return 0;
	return fail(r, CEDAR_E_DUPLICATE, raw->offset, "this action hides one of the empty namespace", raw->id);
}

static int link_action(struct resolver *r, const struct cedar_raw_action *raw, const struct cedar_uid *uid)
{
	struct cedar_entity entity = {.uid = uid};
	size_t i;
	int rc = 0;

	entity.parents = cedar_arena_array(&r->schema->arena, raw->parents.count, sizeof(*entity.parents));
	if (entity.parents == NULL)
		return no_memory(r);
	for (i = 0; rc == 0 && i < raw->parents.count; i++)
		rc = resolve_action(r, raw->parents.items[i], raw->space, &entity.parents[i]);
	entity.parent_count = raw->parents.count;
	entity.attrs.kind = CEDAR_RECORD;
	entity.attrs.depth = 1;
	entity.tags = entity.attrs;
	return rc != 0 ? rc : cedar_entities_add(r->schema->action_store, &entity, r->raw->error);
}

static int add_actions(struct resolver *r)
{
	const struct cedar_schema_action *action;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < r->raw->actions.count; i++)
		rc = add_action(r, r->raw->actions.items[i]);
	r->schema->action_store = cedar_entities_new(NULL);
	if (r->schema->action_store == NULL)
		return no_memory(r);
	for (i = 0; rc == 0 && i < r->raw->actions.count; i++)
		rc = check_action_shadow(r, r->raw->actions.items[i]);
	for (i = 0; rc == 0 && i < r->raw->actions.count; i++) {
		action = r->schema->action_list.items[i];
		rc = link_action(r, r->raw->actions.items[i], action->uid);
	}
	return rc != 0 ? rc : cedar_entities_seal(r->schema->action_store, r->raw->error);
}

int cedar_schema_resolve(struct cedar_schema *schema, struct cedar_raw_schema *raw)
{
	struct resolver r = {.schema = schema, .raw = raw};
	struct cedar_raw_common *common;
	size_t i;
	int rc = check_spaces(&r);

	if (rc == 0)
		rc = declare_all(&r);
	/* Unused common types must be sound too. */
	for (i = 0; rc == 0 && i < raw->commons.count; i++) {
		common = raw->commons.items[i];
		if (resolve_common(&r, common) == NULL)
			rc = -(int)raw->error->code;
	}
	for (i = 0; rc == 0 && i < raw->entities.count; i++)
		rc = add_entity(&r, raw->entities.items[i]);
	if (rc == 0)
		rc = close_entities(&r);
	return rc != 0 ? rc : add_actions(&r);
}
