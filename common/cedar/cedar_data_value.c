#include "common/cedar/cedar_data.h"

#include "common/cedar/cedar_lex.h"
#include "common/cedar/cedar_limits.h"

static int no_memory(const struct cedar_reader *reader)
{
	return cedar_fail(reader->error, CEDAR_E_MEMORY, 0, "out of memory");
}

static int read_uid(const struct cedar_reader *reader, const struct cedar_json *json, const struct cedar_uid **out)
{
	const struct cedar_json *type = cedar_json_get(json, "type");
	const struct cedar_json *id = cedar_json_get(json, "id");

	if (!cedar_path_is_valid(type->u.s))
		return cedar_fail(reader->error, CEDAR_E_FORMAT, type->start, "\"%.*s\" is no entity type",
				  CEDAR_SHOW(type->u.s));
	*out = cedar_uid_new(reader->arena, type->u.s, id->u.s);
	return *out == NULL ? no_memory(reader) : 0;
}

static bool is_string(const struct cedar_json *json)
{
	return json != NULL && json->kind == CEDAR_J_STRING;
}

static bool is_type_and_id(const struct cedar_json *json)
{
	return is_string(cedar_json_get(json, "type")) && is_string(cedar_json_get(json, "id"));
}

/* The inside of {"key": inside} when that is the object's only key. */
static const struct cedar_json *only_member(const struct cedar_json *json, const char *key)
{
	if (json->kind != CEDAR_J_OBJECT || json->count != 1)
		return NULL;
	return cedar_json_get(json, key);
}

static bool is_call(const struct cedar_json *json)
{
	const struct cedar_json *args = cedar_json_get(json, "args");

	return is_string(cedar_json_get(json, "fn")) &&
	       (cedar_json_get(json, "arg") != NULL || (args != NULL && args->kind == CEDAR_J_ARRAY));
}

int cedar_uid_from_json(const struct cedar_reader *reader, const struct cedar_json *json, const struct cedar_uid **out)
{
	const struct cedar_json *inside = cedar_json_get(json, "__entity");

	/* Where only an entity can stand, further members change nothing. */
	if (!is_type_and_id(inside))
		inside = json;
	if (is_type_and_id(inside))
		return read_uid(reader, inside, out);
	return cedar_fail(reader->error, CEDAR_E_FORMAT, json->start, "an entity must be {\"type\": ..., \"id\": ...}");
}

/* Extension calls are evaluated as a policy would evaluate them. */
static int call_extension(const struct cedar_reader *reader, enum cedar_fn fn, const struct cedar_value *args,
			  size_t count, size_t offset, struct cedar_value *out)
{
	struct cedar_maker maker = {reader->arena, reader->error};
	struct cedar_eval eval = {.arena = reader->arena, .steps = CEDAR_MAX_STEPS};
	struct cedar_expr *call, **kids;
	struct cedar_span span = {(uint32_t)offset, (uint32_t)offset};
	size_t i;

	kids = cedar_arena_array(reader->arena, count, sizeof(*kids));
	if (kids == NULL)
		return no_memory(reader);
	for (i = 0; i < count; i++) {
		kids[i] = cedar_expr_value(&maker, span, args[i]);
		if (kids[i] == NULL)
			return -(int)reader->error->code;
	}
	call = cedar_expr_call(&maker, span, fn, kids, count);
	if (call == NULL)
		return -(int)reader->error->code;
	if (cedar_eval_expr(&eval, call, out) != 0)
		return cedar_fail(reader->error, CEDAR_E_EXTENSION, offset, "this is no valid argument of %s",
				  cedar_fn_info(fn)->name);
	return 0;
}

/* What the function takes at that place where its type alone tells how to read it, else NULL. */
static const struct cedar_type *parameter_type(const struct cedar_fn_info *info, size_t place)
{
	static const struct cedar_type types[] = {
		{.kind = CEDAR_TY_EXTENSION, .extension = CEDAR_DECIMAL},
		{.kind = CEDAR_TY_EXTENSION, .extension = CEDAR_IP},
		{.kind = CEDAR_TY_EXTENSION, .extension = CEDAR_DATETIME},
		{.kind = CEDAR_TY_EXTENSION, .extension = CEDAR_DURATION},
	};
	uint8_t wanted = place == 0 ? info->receiver : info->argument;
	size_t i;

	for (i = 0; place < info->arity && i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].extension == wanted)
			return &types[i];
	return NULL;
}

/* An extension call; below a declared type its arguments may be implicit too. */
static int read_call(const struct cedar_reader *reader, const struct cedar_json *json, bool typed,
		     struct cedar_value *out)
{
	const struct cedar_json *name = cedar_json_get(json, "fn");
	const struct cedar_json *one = cedar_json_get(json, "arg");
	const struct cedar_json *list = cedar_json_get(json, "args");
	const struct cedar_json *items = one != NULL ? one : list->u.items;
	size_t count = one != NULL ? 1 : list->count, i;
	enum cedar_fn fn = cedar_fn_find(name->u.s);
	struct cedar_value *args;
	int rc = 0;

	if (fn == CEDAR_FN_NONE || cedar_fn_info(fn)->form == CEDAR_FN_BUILTIN)
		return cedar_fail(reader->error, CEDAR_E_FORMAT, name->start, "\"%.*s\" is no extension function",
				  CEDAR_SHOW(name->u.s));
	args = cedar_arena_array(reader->arena, count, sizeof(*args));
	if (args == NULL)
		return no_memory(reader);
	for (i = 0; rc == 0 && i < count; i++)
		rc = cedar_value_from_json(reader, &items[i], typed ? parameter_type(cedar_fn_info(fn), i) : NULL,
					   &args[i]);
	return rc != 0 ? rc : call_extension(reader, fn, args, count, json->start, out);
}

static int read_set(const struct cedar_reader *reader, const struct cedar_json *json, const struct cedar_type *element,
		    struct cedar_value *out)
{
	struct cedar_value *items = cedar_arena_array(reader->arena, json->count, sizeof(*items));
	size_t i;
	int rc = 0;

	if (items == NULL)
		return no_memory(reader);
	for (i = 0; rc == 0 && i < json->count; i++)
		rc = cedar_value_from_json(reader, &json->u.items[i], element, &items[i]);
	if (rc == 0 && cedar_set_make(items, json->count, out) != 0)
		return cedar_fail(reader->error, CEDAR_E_LIMIT, json->start, "this set is too large");
	return rc;
}

/* The declared type of a member, NULL in `*type` when nothing is declared. */
static int member_type(const struct cedar_reader *reader, const struct cedar_type *record,
		       const struct cedar_json_member *member, const struct cedar_type **type)
{
	const struct cedar_attr *attr;

	*type = NULL;
	if (record == NULL)
		return 0;
	attr = cedar_type_attr(record, member->key);
	if (attr == NULL)
		return cedar_fail(reader->error, CEDAR_E_CONFORM, member->value.start,
				  "the schema declares no attribute "
				  "\"%.*s\" here",
				  CEDAR_SHOW(member->key));
	*type = attr->type;
	return 0;
}

static int check_required(const struct cedar_reader *reader, const struct cedar_json *json,
			  const struct cedar_type *record, const struct cedar_value *value)
{
	size_t i;

	for (i = 0; record != NULL && i < record->count; i++)
		if (record->attrs[i].required && cedar_record_get(value, record->attrs[i].name) == NULL)
			return cedar_fail(reader->error, CEDAR_E_CONFORM, json->start, "attribute \"%.*s\" is missing",
					  CEDAR_SHOW(record->attrs[i].name));
	return 0;
}

static int read_record(const struct cedar_reader *reader, const struct cedar_json *json,
		       const struct cedar_type *record, struct cedar_value *out)
{
	struct cedar_field *fields = cedar_arena_array(reader->arena, json->count, sizeof(*fields));
	const struct cedar_type *type;
	size_t i;
	int rc = 0;

	if (fields == NULL)
		return no_memory(reader);
	for (i = 0; rc == 0 && i < json->count; i++) {
		fields[i].key = json->u.members[i].key;
		rc = member_type(reader, record, &json->u.members[i], &type);
		if (rc == 0)
			rc = cedar_value_from_json(reader, &json->u.members[i].value, type, &fields[i].value);
	}
	if (rc == 0 && cedar_record_make(fields, json->count, out) != 0)
		return cedar_fail(reader->error, CEDAR_E_LIMIT, json->start, "this record is too large");
	return rc != 0 ? rc : check_required(reader, json, record, out);
}

/*
 * Members that an escape ignores must still be Cedar values: the reference reads
 * the whole before it looks inside. Recursion as deep as JSON may nest.
 */
static bool has_fraction(const struct cedar_json *json)
{
	size_t i;

	for (i = 0; i < json->count; i++)
		if (has_fraction(json->kind == CEDAR_J_ARRAY ? &json->u.items[i] : &json->u.members[i].value))
			return true;
	return json->kind == CEDAR_J_NUMBER;
}

static int read_object(const struct cedar_reader *reader, const struct cedar_json *json, struct cedar_value *out)
{
	const struct cedar_uid *uid = NULL;
	const struct cedar_json *inside;
	int rc;

	if (reader->escapes == CEDAR_NO_ESCAPES)
		return read_record(reader, json, NULL, out);
	if (has_fraction(json))
		return cedar_fail(reader->error, CEDAR_E_FORMAT, json->start,
				  "only integers of 64 bits are Cedar numbers");
	inside = only_member(json, "__entity");
	if (is_type_and_id(inside)) {
		rc = read_uid(reader, inside, &uid);
		if (rc == 0)
			*out = cedar_entity(uid);
		return rc;
	}
	inside = only_member(json, "__extn");
	if (is_call(inside))
		return read_call(reader, inside, false, out);
	inside = only_member(json, "__expr");
	if (is_string(inside))
		return cedar_fail(reader->error, CEDAR_E_FORMAT, json->start, "the __expr escape is no longer allowed");
	return read_record(reader, json, NULL, out);
}

static int read_untyped(const struct cedar_reader *reader, const struct cedar_json *json, struct cedar_value *out)
{
	switch (json->kind) {
	case CEDAR_J_BOOL:
		*out = cedar_bool(json->u.b);
		return 0;
	case CEDAR_J_INT:
		*out = cedar_long(json->u.i);
		return 0;
	case CEDAR_J_STRING:
		*out = cedar_string(json->u.s);
		return 0;
	case CEDAR_J_ARRAY:
		return read_set(reader, json, NULL, out);
	case CEDAR_J_OBJECT:
		return read_object(reader, json, out);
	case CEDAR_J_NULL:
		return cedar_fail(reader->error, CEDAR_E_FORMAT, json->start, "null is no Cedar value");
	default:
		return cedar_fail(reader->error, CEDAR_E_FORMAT, json->start,
				  "only integers of 64 bits are Cedar numbers");
	}
}

static enum cedar_fn constructor_of(uint8_t extension)
{
	switch (extension) {
	case CEDAR_DECIMAL:
		return CEDAR_FN_DECIMAL;
	case CEDAR_IP:
		return CEDAR_FN_IP;
	case CEDAR_DATETIME:
		return CEDAR_FN_DATETIME;
	default:
		return CEDAR_FN_DURATION;
	}
}

/* The escape, {"fn","arg"}, or the constructor's argument alone. */
static int read_extension(const struct cedar_reader *reader, const struct cedar_json *json,
			  const struct cedar_type *type, struct cedar_value *out)
{
	const struct cedar_json *inside = cedar_json_get(json, "__extn");
	struct cedar_value arg;

	if (!is_call(inside))
		inside = json;
	if (reader->escapes == CEDAR_ESCAPES && is_call(inside))
		return read_call(reader, inside, true, out);
	if (json->kind != CEDAR_J_STRING)
		return cedar_fail(reader->error, CEDAR_E_CONFORM, json->start, "expected %s",
				  cedar_kind_name(type->extension));
	arg = cedar_string(json->u.s);
	return call_extension(reader, constructor_of(type->extension), &arg, 1, json->start, out);
}

static int read_entity(const struct cedar_reader *reader, const struct cedar_json *json, struct cedar_value *out)
{
	const struct cedar_uid *uid = NULL;
	int rc;

	if (reader->escapes == CEDAR_NO_ESCAPES)
		return cedar_fail(reader->error, CEDAR_E_CONFORM, json->start, "an entity cannot be given here");
	rc = cedar_uid_from_json(reader, json, &uid);
	if (rc == 0)
		*out = cedar_entity(uid);
	return rc;
}

/* Recursion is bounded by CEDAR_MAX_JSON_NEST. */
int cedar_value_from_json(const struct cedar_reader *reader, const struct cedar_json *json,
			  const struct cedar_type *type, struct cedar_value *out)
{
	int rc;

	if (type == NULL)
		return read_untyped(reader, json, out);
	if (type->kind == CEDAR_TY_ENTITY)
		rc = read_entity(reader, json, out);
	else if (type->kind == CEDAR_TY_EXTENSION)
		rc = read_extension(reader, json, type, out);
	else if (type->kind == CEDAR_TY_SET && json->kind == CEDAR_J_ARRAY)
		return read_set(reader, json, type->element, out);
	else if (type->kind == CEDAR_TY_RECORD && json->kind == CEDAR_J_OBJECT)
		return read_record(reader, json, type, out);
	else
		rc = read_untyped(reader, json, out);
	if (rc == 0)
		rc = cedar_schema_check_value(reader->schema, out, type, reader->error);
	if (rc != 0 && reader->error->offset == 0)
		reader->error->offset = json->start;
	return rc;
}
