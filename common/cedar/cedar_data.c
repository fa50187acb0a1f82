#include "common/cedar/cedar_data.h"

#include "common/cedar/cedar_lex.h"
#include "common/cedar/cedar_limits.h"

static int no_memory(struct cedar_error *error)
{
	return cedar_fail(error, CEDAR_E_MEMORY, 0, "out of memory");
}

int cedar_context_from_json(const struct cedar_reader *reader, struct cedar_str text, const struct cedar_uid *action,
			    struct cedar_value *out)
{
	const struct cedar_schema_action *declared;
	const struct cedar_type *type = NULL;
	struct cedar_json json;
	int rc = cedar_json_parse(text, reader->arena, &json, reader->error);

	if (rc != 0)
		return rc;
	if (reader->schema != NULL) {
		declared = cedar_schema_action(reader->schema, action);
		if (declared == NULL)
			return cedar_fail(reader->error, CEDAR_E_UNKNOWN, 0,
					  "the schema declares no action %.*s::\"%.*s\"", CEDAR_SHOW(action->type),
					  CEDAR_SHOW(action->id));
		type = declared->context;
	}
	rc = cedar_value_from_json(reader, &json, type, out);
	if (rc == 0 && out->kind != CEDAR_RECORD)
		return cedar_fail(reader->error, CEDAR_E_FORMAT, json.start, "a context must be a record");
	return rc;
}

static int read_parents(const struct cedar_reader *reader, const struct cedar_json *json, struct cedar_entity *entity)
{
	const struct cedar_uid **parents = cedar_arena_array(reader->arena, json->count, sizeof(*parents));
	size_t i;
	int rc = 0;

	if (parents == NULL)
		return no_memory(reader->error);
	for (i = 0; rc == 0 && i < json->count; i++)
		rc = cedar_uid_from_json(reader, &json->u.items[i], &parents[i]);
	entity->parents = parents;
	entity->parent_count = json->count;
	return rc;
}

/* Tags are a record whose members all have one type. */
static int read_tags(const struct cedar_reader *reader, const struct cedar_json *json, const struct cedar_type *type,
		     struct cedar_value *out)
{
	struct cedar_field *fields;
	size_t i, count = json == NULL ? 0 : json->count;
	int rc = 0;

	fields = cedar_arena_array(reader->arena, count, sizeof(*fields));
	if (fields == NULL)
		return no_memory(reader->error);
	if (count > 0 && reader->schema != NULL && type == NULL)
		return cedar_fail(reader->error, CEDAR_E_CONFORM, json->start,
				  "the schema declares no tags for this entity");
	for (i = 0; rc == 0 && i < count; i++) {
		fields[i].key = json->u.members[i].key;
		rc = cedar_value_from_json(reader, &json->u.members[i].value, type, &fields[i].value);
	}
	return rc != 0 ? rc : cedar_record_make(fields, count, out);
}

static int read_parts(const struct cedar_reader *reader, const struct cedar_json *json,
		      const struct cedar_schema_entity *declared, struct cedar_entity *entity)
{
	const struct cedar_json *attrs = cedar_json_get(json, "attrs");
	const struct cedar_json *parents = cedar_json_get(json, "parents");
	const struct cedar_json *tags = cedar_json_get(json, "tags");
	int rc = cedar_json_need(attrs, CEDAR_J_OBJECT, json, "\"attrs\"", reader->error);
	const struct cedar_type *shape = declared == NULL ? NULL : declared->shape;

	if (rc == 0)
		rc = cedar_json_need(parents, CEDAR_J_ARRAY, json, "\"parents\"", reader->error);
	if (rc == 0 && tags != NULL)
		rc = cedar_json_need(tags, CEDAR_J_OBJECT, json, "\"tags\"", reader->error);
	if (rc == 0 && shape != NULL)
		rc = cedar_value_from_json(reader, attrs, shape, &entity->attrs);
	else if (rc == 0)
		rc = read_tags(&(struct cedar_reader){reader->arena, NULL, reader->escapes, reader->error}, attrs, NULL,
			       &entity->attrs);
	if (rc == 0)
		rc = read_tags(reader, tags, declared == NULL ? NULL : declared->tags, &entity->tags);
	return rc != 0 ? rc : read_parents(reader, parents, entity);
}

/* An action in the file says nothing new: it has the ancestors it has anyway. */
static int check_action(const struct cedar_reader *reader, const struct cedar_entity *entity)
{
	const struct cedar_entity *declared = cedar_entities_find(cedar_schema_actions(reader->schema), entity->uid);
	size_t i;
	bool same;

	if (declared == NULL)
		return cedar_fail(reader->error, CEDAR_E_UNKNOWN, 0, "the schema declares no action %.*s::\"%.*s\"",
				  CEDAR_SHOW(entity->uid->type), CEDAR_SHOW(entity->uid->id));
	same = entity->attrs.count == 0 && entity->tags.count == 0 &&
	       entity->ancestor_count == declared->ancestor_count;
	for (i = 0; same && i < entity->ancestor_count; i++)
		same = cedar_entity_has_ancestor(declared, entity->ancestors[i]);
	return same ? 0
		    : cedar_fail(reader->error, CEDAR_E_CONFORM, 0, "action %.*s::\"%.*s\" differs from the schema",
				 CEDAR_SHOW(entity->uid->type), CEDAR_SHOW(entity->uid->id));
}

/* All actions of the file, once their hierarchy is known. */
static int check_actions(const struct cedar_reader *reader, struct cedar_entities *actions)
{
	const struct cedar_entity *action;
	size_t i;
	int rc = cedar_entities_seal(actions, reader->error);

	for (i = 0; rc == 0 && (action = cedar_entities_at(actions, i)) != NULL; i++)
		rc = check_action(reader, action);
	return rc;
}

/* An action's ancestors must be actions, with or without a schema. */
static int check_action_parents(const struct cedar_reader *reader, size_t offset, const struct cedar_entity *entity)
{
	size_t i;

	for (i = 0; i < entity->parent_count; i++)
		if (!cedar_path_is_action(entity->parents[i]->type))
			return cedar_fail(reader->error, CEDAR_E_CONFORM, offset,
					  "the parent of an action is no action");
	return 0;
}

static int add_entity(const struct cedar_reader *reader, const struct cedar_json *json, struct cedar_entities *store,
		      struct cedar_entities *actions)
{
	const struct cedar_schema_entity *declared = NULL;
	struct cedar_entity entity = {0};
	bool action;
	int rc = cedar_json_need(cedar_json_get(json, "uid"), CEDAR_J_OBJECT, json, "\"uid\"", reader->error);

	if (rc == 0)
		rc = cedar_uid_from_json(reader, cedar_json_get(json, "uid"), &entity.uid);
	if (rc != 0)
		return rc;
	action = cedar_path_is_action(entity.uid->type);
	if (reader->schema != NULL && !action) {
		declared = cedar_schema_entity(reader->schema, entity.uid->type);
		if (declared == NULL)
			return cedar_fail(reader->error, CEDAR_E_UNKNOWN, json->start,
					  "the schema declares no entity type "
					  "%.*s",
					  CEDAR_SHOW(entity.uid->type));
	}
	rc = read_parts(reader, json, declared, &entity);
	if (rc == 0 && action)
		rc = check_action_parents(reader, json->start, &entity);
	if (rc == 0 && declared != NULL)
		rc = cedar_schema_check_entity(reader->schema, &entity, reader->error);
	if (rc == 0)
		rc = cedar_entities_add(action && reader->schema != NULL ? actions : store, &entity, reader->error);
	if (rc != 0 && reader->error->offset == 0)
		reader->error->offset = json->start;
	return rc;
}

/* The schema's actions, with their parents, as if the file had held them. */
static int add_actions(const struct cedar_schema *schema, struct cedar_entities *store, struct cedar_error *error)
{
	const struct cedar_entity *action;
	struct cedar_entity copy;
	struct cedar_arena *arena = cedar_entities_arena(store);
	const struct cedar_uid **parents;
	struct cedar_str type, id;
	size_t i, j;
	int rc = 0;

	for (i = 0; rc == 0; i++) {
		action = cedar_entities_at(cedar_schema_actions(schema), i);
		if (action == NULL)
			return 0;
		copy = *action;
		parents = cedar_arena_array(arena, action->parent_count, sizeof(*parents));
		if (parents == NULL || cedar_arena_copy(arena, action->uid->type, &type) != 0 ||
		    cedar_arena_copy(arena, action->uid->id, &id) != 0)
			return no_memory(error);
		copy.uid = cedar_uid_new(arena, type, id);
		for (j = 0; j < action->parent_count; j++) {
			if (cedar_arena_copy(arena, action->parents[j]->type, &type) != 0 ||
			    cedar_arena_copy(arena, action->parents[j]->id, &id) != 0)
				return no_memory(error);
			parents[j] = cedar_uid_new(arena, type, id);
			if (parents[j] == NULL)
				return no_memory(error);
		}
		copy.parents = parents;
		rc = copy.uid == NULL ? no_memory(error) : cedar_entities_add(store, &copy, error);
	}
	return rc;
}

static int fill_store(struct cedar_str text, const struct cedar_schema *schema, struct cedar_entities *store,
		      struct cedar_entities *actions, struct cedar_error *error)
{
	struct cedar_arena *arena = cedar_entities_arena(store);
	struct cedar_reader reader = {arena, schema, CEDAR_ESCAPES, error};
	struct cedar_str copy;
	struct cedar_json json;
	size_t i;
	int rc;

	if (text.n > CEDAR_MAX_TEXT)
		return cedar_fail(error, CEDAR_E_LIMIT, 0, "the text is longer than %u bytes", CEDAR_MAX_TEXT);
	if (cedar_arena_copy(arena, text, &copy) != 0)
		return no_memory(error);
	rc = cedar_json_parse(copy, arena, &json, error);
	if (rc == 0)
		rc = cedar_json_need(&json, CEDAR_J_ARRAY, &json, "entities", error);
	for (i = 0; rc == 0 && i < json.count; i++)
		rc = add_entity(&reader, &json.u.items[i], store, actions);
	if (rc == 0 && schema != NULL)
		rc = check_actions(&reader, actions);
	if (rc == 0 && schema != NULL)
		rc = add_actions(schema, store, error);
	return rc != 0 ? rc : cedar_entities_seal(store, error);
}

struct cedar_entities *cedar_entities_from_json(struct cedar_str text, const struct cedar_schema *schema,
						struct cedar_error *error)
{
	struct cedar_entities *store = cedar_entities_new(NULL);
	struct cedar_entities *actions = cedar_entities_new(NULL);
	struct cedar_error local = {0};
	int rc;

	error = error != NULL ? error : &local;
	*error = (struct cedar_error){0};
	rc = store == NULL || actions == NULL ? no_memory(error) : fill_store(text, schema, store, actions, error);
	cedar_entities_free(actions);
	if (rc == 0)
		return store;
	cedar_entities_free(store);
	return NULL;
}
