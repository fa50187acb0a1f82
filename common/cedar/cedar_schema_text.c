#include "common/cedar/cedar_lex.h"
#include "common/cedar/cedar_parse.h"
#include "common/cedar/cedar_schema_raw.h"

struct parser {
	struct cedar_lexer lexer;
	struct cedar_raw_schema *raw;
	struct cedar_str space;
};

static int parse_type(struct parser *p, struct cedar_raw_type **out);

void *cedar_raw_add(struct cedar_raw_schema *raw, struct cedar_list *list, size_t size)
{
	void *object = cedar_arena_alloc(raw->arena, size);

	if (object == NULL || cedar_list_add(list, raw->arena, object) != 0) {
		cedar_fail(raw->error, CEDAR_E_MEMORY, 0, "out of memory");
		return NULL;
	}
	return object;
}

/* A repeated key is an error. Only those of attributes are kept: what they mean is for others to say. */
static int read_annotations(struct parser *p, struct cedar_list *notes)
{
	struct cedar_annotation *note;
	size_t i;
	int rc = 0;

	while (rc == 0 && cedar_lex_at(&p->lexer, "@")) {
		rc = cedar_lex_next(&p->lexer);
		if (rc == 0 && p->lexer.token.kind != CEDAR_T_WORD)
			return cedar_lex_wrong(&p->lexer, "an annotation");
		note = cedar_raw_add(p->raw, notes, sizeof(*note));
		if (rc != 0 || note == NULL)
			return rc != 0 ? rc : -CEDAR_E_MEMORY;
		note->key = p->lexer.token.text;
		for (i = 0; i + 1 < notes->count; i++)
			if (cedar_str_equal(note->key, ((struct cedar_annotation *)notes->items[i])->key))
				return cedar_fail(p->lexer.error, CEDAR_E_DUPLICATE, p->lexer.token.start,
						  "this annotation stands twice");
		rc = cedar_lex_next(&p->lexer);
		if (rc == 0 && (rc = cedar_lex_accept(&p->lexer, "(")) == 1) {
			note->has_value = true;
			rc = cedar_lex_string(&p->lexer, &note->value);
			if (rc == 0)
				rc = cedar_lex_expect(&p->lexer, ")", "after a value");
		}
	}
	return rc;
}

static int skip_annotations(struct parser *p)
{
	struct cedar_list notes = {0};

	return read_annotations(p, &notes);
}

/* A path that may begin with __cedar. */
static int parse_path(struct parser *p, struct cedar_str *path)
{
	size_t start = p->lexer.token.start;
	bool before_string, built_in = cedar_lex_at(&p->lexer, "__cedar");
	int rc;

	if (!built_in) {
		rc = cedar_parse_path(&p->lexer, path, &before_string);
		if (rc == 0 && before_string)
			return cedar_lex_wrong(&p->lexer, "a type name");
		return rc;
	}
	rc = cedar_lex_next(&p->lexer);
	if (rc == 0)
		rc = cedar_lex_expect(&p->lexer, "::", "after __cedar");
	if (rc == 0)
		rc = cedar_lex_name(&p->lexer, path);
	if (rc == 0 && cedar_lex_at(&p->lexer, "::"))
		return cedar_fail(p->lexer.error, CEDAR_E_SYNTAX, start, "__cedar holds no namespaces");
	return rc;
}

static int parse_name(struct parser *p, struct cedar_str *name)
{
	if (p->lexer.token.kind == CEDAR_T_STRING)
		return cedar_lex_string(&p->lexer, name);
	/* Only types and namespaces keep clear of the reserved namespace. */
	if (!cedar_lex_at(&p->lexer, "__cedar"))
		return cedar_lex_name(&p->lexer, name);
	*name = p->lexer.token.text;
	return cedar_lex_next(&p->lexer);
}

/* Goes past a comma; 1 if another item follows before `close`. */
static int more_items(struct parser *p, const char *close)
{
	int rc = cedar_lex_accept(&p->lexer, ",");

	return rc != 1 ? rc : !cedar_lex_at(&p->lexer, close);
}

static int parse_attr(struct parser *p, struct cedar_list *attrs)
{
	struct cedar_raw_attr *attr = cedar_raw_add(p->raw, attrs, sizeof(*attr));
	int rc;

	if (attr == NULL)
		return -CEDAR_E_MEMORY;
	rc = read_annotations(p, &attr->notes);
	if (rc == 0)
		rc = parse_name(p, &attr->name);
	if (rc == 0)
		rc = cedar_lex_accept(&p->lexer, "?");
	attr->required = rc == 0;
	if (rc >= 0)
		rc = cedar_lex_expect(&p->lexer, ":", "after an attribute");
	return rc != 0 ? rc : parse_type(p, &attr->type);
}

static int parse_record(struct parser *p, struct cedar_raw_type *type)
{
	int rc = cedar_lex_next(&p->lexer);
	int more = !cedar_lex_at(&p->lexer, "}");

	type->kind = CEDAR_RAW_RECORD;
	while (rc == 0 && more == 1) {
		rc = parse_attr(p, &type->attrs);
		if (rc == 0)
			more = more_items(p, "}");
		if (more < 0)
			return more;
	}
	return rc != 0 ? rc : cedar_lex_expect(&p->lexer, "}", "after attributes");
}

static int parse_set(struct parser *p, struct cedar_raw_type *type)
{
	int rc = cedar_lex_next(&p->lexer);

	type->kind = CEDAR_RAW_SET;
	if (rc == 0)
		rc = cedar_lex_expect(&p->lexer, "<", "after Set");
	if (rc == 0)
		rc = parse_type(p, &type->element);
	return rc != 0 ? rc : cedar_lex_expect(&p->lexer, ">", "after a Set's type");
}

/* `Set` begins a set type only before `<`: else it is a name. */
static bool at_set(const struct parser *p)
{
	struct cedar_lexer ahead = p->lexer;
	struct cedar_error ignored;

	ahead.error = &ignored;
	return cedar_lex_at(&ahead, "Set") && cedar_lex_next(&ahead) == 0 && cedar_lex_at(&ahead, "<");
}

/* Recursion is bounded by CEDAR_MAX_NEST. */
static int parse_type(struct parser *p, struct cedar_raw_type **out)
{
	struct cedar_raw_type *type = cedar_arena_alloc(p->raw->arena, sizeof(*type));
	int rc = cedar_lex_enter(&p->lexer);

	if (type == NULL)
		return cedar_fail(p->lexer.error, CEDAR_E_MEMORY, 0, "out of memory");
	if (rc != 0)
		return rc;
	type->offset = p->lexer.token.start;
	if (cedar_lex_at(&p->lexer, "{")) {
		rc = parse_record(p, type);
	} else if (at_set(p)) {
		rc = parse_set(p, type);
	} else {
		type->kind = cedar_lex_at(&p->lexer, "__cedar") ? CEDAR_RAW_BUILTIN : CEDAR_RAW_NAME;
		rc = parse_path(p, &type->name);
	}
	cedar_lex_leave(&p->lexer);
	*out = type;
	return rc;
}

static int parse_type_name(struct parser *p, struct cedar_list *list)
{
	struct cedar_raw_name *name = cedar_raw_add(p->raw, list, sizeof(*name));

	if (name == NULL)
		return -CEDAR_E_MEMORY;
	name->offset = p->lexer.token.start;
	return parse_path(p, &name->name);
}

/* One type, or a list of them in brackets. */
static int parse_type_names(struct parser *p, struct cedar_list *list)
{
	int rc = cedar_lex_accept(&p->lexer, "["), more;

	if (rc != 1)
		return rc != 0 ? rc : parse_type_name(p, list);
	more = !cedar_lex_at(&p->lexer, "]");
	while (more == 1) {
		rc = parse_type_name(p, list);
		if (rc != 0)
			return rc;
		more = cedar_lex_accept(&p->lexer, ",");
	}
	return more < 0 ? more : cedar_lex_expect(&p->lexer, "]", "after types");
}

static int parse_enum(struct parser *p, struct cedar_raw_entity *entity)
{
	struct cedar_raw_name *id;
	int rc = cedar_lex_expect(&p->lexer, "[", "after enum"), more = 1;

	entity->is_enum = true;
	while (rc == 0 && more == 1) {
		id = cedar_raw_add(p->raw, &entity->ids, sizeof(*id));
		if (id == NULL)
			return -CEDAR_E_MEMORY;
		id->offset = p->lexer.token.start;
		rc = cedar_lex_string(&p->lexer, &id->id);
		if (rc == 0)
			more = cedar_lex_accept(&p->lexer, ",");
		if (more < 0)
			return more;
	}
	return rc != 0 ? rc : cedar_lex_expect(&p->lexer, "]", "after an enum's ids");
}

/* What follows the names of an entity declaration. */
static int parse_entity_body(struct parser *p, struct cedar_raw_entity *entity)
{
	int rc = cedar_lex_accept(&p->lexer, "enum");

	if (rc != 0)
		return rc < 0 ? rc : parse_enum(p, entity);
	rc = cedar_lex_accept(&p->lexer, "in");
	if (rc == 1)
		rc = parse_type_names(p, &entity->parents);
	if (rc == 0)
		rc = cedar_lex_accept(&p->lexer, "=");
	if (rc == 1 && !cedar_lex_at(&p->lexer, "{"))
		return cedar_lex_wrong(&p->lexer, "{ with attributes");
	if (rc >= 0 && cedar_lex_at(&p->lexer, "{"))
		rc = parse_type(p, &entity->shape);
	if (rc == 0)
		rc = cedar_lex_accept(&p->lexer, "tags");
	return rc == 1 ? parse_type(p, &entity->tags) : rc;
}

/* Every name of the declaration gets the whole of its body. */
static int parse_entity(struct parser *p)
{
	struct cedar_raw_entity body = {.space = p->space}, *entity;
	size_t first = p->raw->entities.count, i;
	int rc = cedar_lex_next(&p->lexer), more = 1;

	while (rc == 0 && more == 1) {
		entity = cedar_raw_add(p->raw, &p->raw->entities, sizeof(*entity));
		if (entity == NULL)
			return -CEDAR_E_MEMORY;
		entity->offset = p->lexer.token.start;
		rc = cedar_lex_name(&p->lexer, &entity->name);
		if (rc == 0)
			more = cedar_lex_accept(&p->lexer, ",");
		if (more < 0)
			return more;
	}
	if (rc == 0)
		rc = parse_entity_body(p, &body);
	for (i = first; rc == 0 && i < p->raw->entities.count; i++) {
		entity = p->raw->entities.items[i];
		body.name = entity->name;
		body.offset = entity->offset;
		*entity = body;
	}
	return rc != 0 ? rc : cedar_lex_expect(&p->lexer, ";", "after an entity declaration");
}

/* "id", id, or Type::"id". */
static int parse_action_ref(struct parser *p, struct cedar_list *list)
{
	struct cedar_raw_name *ref = cedar_raw_add(p->raw, list, sizeof(*ref));
	bool before_string;
	int rc;

	if (ref == NULL)
		return -CEDAR_E_MEMORY;
	ref->offset = p->lexer.token.start;
	if (p->lexer.token.kind == CEDAR_T_STRING)
		return cedar_lex_string(&p->lexer, &ref->id);
	rc = cedar_parse_path(&p->lexer, &ref->name, &before_string);
	if (rc == 0 && before_string)
		return cedar_lex_string(&p->lexer, &ref->id);
	if (rc == 0 && !cedar_word_is_valid(ref->name))
		return cedar_lex_wrong(&p->lexer, "an action's id");
	ref->id = ref->name;
	ref->name = CEDAR_STR("");
	return rc;
}

static int parse_action_refs(struct parser *p, struct cedar_list *list)
{
	int rc = cedar_lex_accept(&p->lexer, "["), more = 1;

	if (rc != 1)
		return rc != 0 ? rc : parse_action_ref(p, list);
	rc = 0;
	while (rc == 0 && more == 1) {
		rc = parse_action_ref(p, list);
		if (rc == 0)
			more = cedar_lex_accept(&p->lexer, ",");
	}
	if (rc != 0 || more < 0)
		return rc != 0 ? rc : more;
	return cedar_lex_expect(&p->lexer, "]", "after actions");
}

static int parse_application(struct parser *p, struct cedar_raw_action *action)
{
	struct cedar_list *types = NULL;
	size_t at = p->lexer.token.start;
	int rc;

	if (cedar_lex_at(&p->lexer, "principal"))
		types = &action->principals;
	else if (cedar_lex_at(&p->lexer, "resource"))
		types = &action->resources;
	else if (!cedar_lex_at(&p->lexer, "context"))
		return cedar_lex_wrong(&p->lexer, "principal, resource or context");
	if (types == NULL ? action->context != NULL : types->count > 0)
		return cedar_fail(p->lexer.error, CEDAR_E_DUPLICATE, at, "this stands twice in appliesTo");
	rc = cedar_lex_next(&p->lexer);
	if (rc == 0)
		rc = cedar_lex_expect(&p->lexer, ":", "in appliesTo");
	if (rc != 0)
		return rc;
	rc = types == NULL ? parse_type(p, &action->context) : parse_type_names(p, types);
	if (rc == 0 && types != NULL && types->count == 0)
		return cedar_fail(p->lexer.error, CEDAR_E_SYNTAX, at, "appliesTo needs at least one type here");
	return rc;
}

static int parse_applies_to(struct parser *p, struct cedar_raw_action *action)
{
	size_t at = p->lexer.token.start;
	int rc = cedar_lex_expect(&p->lexer, "{", "after appliesTo"), more = 1;

	action->applies = true;
	while (rc == 0 && more == 1) {
		rc = parse_application(p, action);
		if (rc == 0)
			more = more_items(p, "}");
	}
	if (rc != 0 || more < 0)
		return rc != 0 ? rc : more;
	if (action->principals.count == 0 || action->resources.count == 0)
		return cedar_fail(p->lexer.error, CEDAR_E_SYNTAX, at, "appliesTo needs a principal and a resource");
	return cedar_lex_expect(&p->lexer, "}", "after appliesTo");
}

static int parse_action_body(struct parser *p, struct cedar_raw_action *action)
{
	int rc = cedar_lex_accept(&p->lexer, "in");

	if (rc == 1)
		rc = parse_action_refs(p, &action->parents);
	if (rc == 0)
		rc = cedar_lex_accept(&p->lexer, "appliesTo");
	if (rc == 1)
		rc = parse_applies_to(p, action);
	if (rc == 0)
		rc = cedar_lex_accept(&p->lexer, "attributes");
	if (rc != 1)
		return rc;
	rc = cedar_lex_expect(&p->lexer, "{", "after attributes");
	return rc != 0 ? rc : cedar_lex_expect(&p->lexer, "}", "after attributes {");
}

static int parse_action(struct parser *p)
{
	struct cedar_raw_action body = {.space = p->space}, *action;
	size_t first = p->raw->actions.count, i;
	int rc = cedar_lex_next(&p->lexer), more = 1;

	while (rc == 0 && more == 1) {
		action = cedar_raw_add(p->raw, &p->raw->actions, sizeof(*action));
		if (action == NULL)
			return -CEDAR_E_MEMORY;
		action->offset = p->lexer.token.start;
		rc = parse_name(p, &action->id);
		if (rc == 0)
			more = cedar_lex_accept(&p->lexer, ",");
		if (more < 0)
			return more;
	}
	if (rc == 0)
		rc = parse_action_body(p, &body);
	for (i = first; rc == 0 && i < p->raw->actions.count; i++) {
		action = p->raw->actions.items[i];
		body.id = action->id;
		body.offset = action->offset;
		*action = body;
	}
	return rc != 0 ? rc : cedar_lex_expect(&p->lexer, ";", "after an action declaration");
}

static int parse_common(struct parser *p)
{
	struct cedar_raw_common *common = cedar_raw_add(p->raw, &p->raw->commons, sizeof(*common));
	int rc = cedar_lex_next(&p->lexer);

	if (common == NULL)
		return -CEDAR_E_MEMORY;
	common->space = p->space;
	common->offset = p->lexer.token.start;
	if (rc == 0)
		rc = cedar_lex_name(&p->lexer, &common->name);
	if (rc == 0)
		rc = cedar_lex_expect(&p->lexer, "=", "after a type's name");
	if (rc == 0)
		rc = parse_type(p, &common->type);
	return rc != 0 ? rc : cedar_lex_expect(&p->lexer, ";", "after a type declaration");
}

static int parse_declaration(struct parser *p)
{
	if (cedar_lex_at(&p->lexer, "entity"))
		return parse_entity(p);
	if (cedar_lex_at(&p->lexer, "action"))
		return parse_action(p);
	if (cedar_lex_at(&p->lexer, "type"))
		return parse_common(p);
	return cedar_lex_wrong(&p->lexer, "entity, action or type");
}

static int parse_namespace(struct parser *p)
{
	struct cedar_raw_name *space = cedar_raw_add(p->raw, &p->raw->spaces, sizeof(*space));
	bool before_string;
	int rc = cedar_lex_next(&p->lexer);

	if (space == NULL)
		return -CEDAR_E_MEMORY;
	space->offset = p->lexer.token.start;
	if (rc == 0)
		rc = cedar_parse_path(&p->lexer, &space->name, &before_string);
	if (rc == 0 && before_string)
		return cedar_lex_wrong(&p->lexer, "a namespace");
	if (rc == 0)
		rc = cedar_lex_expect(&p->lexer, "{", "after a namespace");
	p->space = space->name;
	while (rc == 0 && !cedar_lex_at(&p->lexer, "}")) {
		rc = skip_annotations(p);
		if (rc == 0)
			rc = parse_declaration(p);
	}
	p->space = CEDAR_STR("");
	return rc != 0 ? rc : cedar_lex_next(&p->lexer);
}

int cedar_raw_from_text(struct cedar_raw_schema *raw, struct cedar_str text)
{
	struct parser p = {.raw = raw, .space = CEDAR_STR("")};
	int rc = cedar_lex_init(&p.lexer, text, raw->arena, raw->error);

	while (rc == 0 && p.lexer.token.kind != CEDAR_T_END) {
		rc = skip_annotations(&p);
		if (rc == 0)
			rc = cedar_lex_at(&p.lexer, "namespace") ? parse_namespace(&p) : parse_declaration(&p);
	}
	return rc;
}
