#include "common/cedar/cedar_data.h"
#include "common/cedar/cedar_lex.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_policy_json.h"

typedef int read_fn(struct cedar_maker *, const struct cedar_json *, enum cedar_op, struct cedar_expr **);

static int value_expr(struct cedar_maker *maker, const struct cedar_json *json, struct cedar_expr **out);

static struct cedar_span span_of(const struct cedar_json *json)
{
	return (struct cedar_span){json->start, json->end};
}

static int made(struct cedar_maker *maker, struct cedar_expr *expr, struct cedar_expr **out)
{
	if (expr == NULL)
		return -(int)maker->error->code;
	*out = expr;
	return 0;
}

static int wrong(struct cedar_maker *maker, const struct cedar_json *json, const char *what)
{
	return cedar_fail(maker->error, CEDAR_E_FORMAT, json->start, "%s", what);
}

static int no_memory(struct cedar_maker *maker)
{
	return cedar_fail(maker->error, CEDAR_E_MEMORY, 0, "out of memory");
}

static int need(struct cedar_maker *maker, const struct cedar_json *json, const char *key, enum cedar_json_kind kind,
		const struct cedar_json **out)
{
	*out = cedar_json_get(json, key);
	return cedar_json_need(*out, kind, json, key, maker->error);
}

/* The expression under `key`. */
static int read_kid(struct cedar_maker *maker, const struct cedar_json *json, const char *key, struct cedar_expr **out)
{
	const struct cedar_json *kid;
	int rc = need(maker, json, key, CEDAR_J_OBJECT, &kid);

	return rc != 0 ? rc : cedar_expr_from_json(kid, maker, out);
}

static int read_only(struct cedar_maker *maker, const struct cedar_json *json, const char *const *keys)
{
	int rc = cedar_json_need(json, CEDAR_J_OBJECT, json, "an operand", maker->error);

	return rc != 0 ? rc : cedar_json_only(json, keys, "this operator", maker->error);
}

static int read_unary(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		      struct cedar_expr **out)
{
	static const char *const keys[] = {"arg", NULL};
	struct cedar_expr *kid;
	int rc = read_only(maker, json, keys);

	if (rc == 0)
		rc = read_kid(maker, json, "arg", &kid);
	return rc != 0 ? rc : made(maker, cedar_expr_new(maker, op, span_of(json), &kid, 1), out);
}

static int read_pair(struct cedar_maker *maker, const struct cedar_json *json, struct cedar_expr *kids[2])
{
	static const char *const keys[] = {"left", "right", NULL};
	int rc = read_only(maker, json, keys);

	if (rc == 0)
		rc = read_kid(maker, json, "left", &kids[0]);
	return rc != 0 ? rc : read_kid(maker, json, "right", &kids[1]);
}

static int read_binary(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		       struct cedar_expr **out)
{
	struct cedar_expr *kids[2];
	int rc = read_pair(maker, json, kids);

	return rc != 0 ? rc : made(maker, cedar_expr_new(maker, op, span_of(json), kids, 2), out);
}

static int read_chain(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		      struct cedar_expr **out)
{
	struct cedar_expr *kids[2];
	int rc = read_pair(maker, json, kids);

	return rc != 0 ? rc : made(maker, cedar_expr_chain(maker, op, span_of(json), kids, NULL, 2), out);
}

/* "-" shares the sum's node with "+". */
static int read_minus(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		      struct cedar_expr **out)
{
	struct cedar_expr *kids[2];
	int rc = read_pair(maker, json, kids);

	return rc != 0 ? rc : made(maker, cedar_expr_chain(maker, op, span_of(json), kids, "+-", 2), out);
}

static int read_attr(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		     struct cedar_expr **out)
{
	static const char *const keys[] = {"left", "attr", NULL};
	const struct cedar_json *attr;
	struct cedar_expr *kid;
	int rc = op == CEDAR_X_HAS ? 0 : read_only(maker, json, keys);

	if (rc == 0)
		rc = read_kid(maker, json, "left", &kid);
	if (rc == 0)
		rc = need(maker, json, "attr", CEDAR_J_STRING, &attr);
	return rc != 0 ? rc : made(maker, cedar_expr_named(maker, op, span_of(json), kid, attr->u.s), out);
}

/* "attr" of `has` may be a list of names; unknown members are ignored. */
static int read_has(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op, struct cedar_expr **out)
{
	const struct cedar_json *attr = cedar_json_get(json, "attr");
	struct cedar_expr *kid, *has = NULL;
	size_t i;
	int rc;

	if (attr == NULL || attr->kind != CEDAR_J_ARRAY)
		return read_attr(maker, json, op, out);
	if (attr->count == 0)
		return wrong(maker, attr, "\"attr\" names no attribute");
	rc = read_kid(maker, json, "left", &kid);
	if (rc == 0)
		rc = made(maker, cedar_expr_new(maker, op, span_of(json), &kid, 1), &has);
	if (rc != 0)
		return rc;
	has->names = cedar_arena_array(maker->arena, attr->count, sizeof(*has->names));
	if (has->names == NULL)
		return no_memory(maker);
	for (i = 0; i < attr->count; i++) {
		if (attr->u.items[i].kind != CEDAR_J_STRING)
			return wrong(maker, attr, "\"attr\" holds no string");
		has->names[i] = attr->u.items[i].u.s;
	}
	has->name_count = (uint32_t)attr->count;
	*out = has;
	return 0;
}

static int append(struct cedar_maker *maker, struct cedar_str *piece, struct cedar_str more)
{
	char *bytes = cedar_arena_alloc(maker->arena, piece->n + more.n);

	if (bytes == NULL)
		return no_memory(maker);
	if (piece->n > 0)
		memcpy(bytes, piece->p, piece->n);
	if (more.n > 0)
		memcpy(bytes + piece->n, more.p, more.n);
	*piece = (struct cedar_str){bytes, piece->n + more.n};
	return 0;
}

/* "Wildcard", or the object that the reference reads as the same. */
static bool is_wildcard(const struct cedar_json *json)
{
	const struct cedar_json *inside = cedar_json_get(json, "Wildcard");

	if (json->kind == CEDAR_J_STRING)
		return cedar_str_is(json->u.s, "Wildcard");
	return inside != NULL && inside->kind == CEDAR_J_NULL && json->count == 1;
}

static int read_pattern(struct cedar_maker *maker, const struct cedar_json *json, struct cedar_pattern *pattern)
{
	const struct cedar_json *item, *literal;
	size_t i;
	int rc = 0;

	pattern->pieces = cedar_arena_array(maker->arena, json->count + 1, sizeof(*pattern->pieces));
	if (pattern->pieces == NULL)
		return no_memory(maker);
	pattern->count = 1;
	for (i = 0; rc == 0 && i < json->count; i++) {
		item = &json->u.items[i];
		literal = cedar_json_get(item, "Literal");
		if (is_wildcard(item))
			pattern->count++;
		else if (literal != NULL && literal->kind == CEDAR_J_STRING && item->count == 1)
			rc = append(maker, &pattern->pieces[pattern->count - 1], literal->u.s);
		else
			return wrong(maker, item, "a pattern holds \"Wildcard\" and {\"Literal\"}");
	}
	return rc;
}

static int read_like(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		     struct cedar_expr **out)
{
	static const char *const keys[] = {"left", "pattern", NULL};
	struct cedar_pattern *pattern = cedar_arena_alloc(maker->arena, sizeof(*pattern));
	const struct cedar_json *list;
	struct cedar_expr *kid;
	int rc = read_only(maker, json, keys);

	if (pattern == NULL)
		return no_memory(maker);
	if (rc == 0)
		rc = read_kid(maker, json, "left", &kid);
	if (rc == 0)
		rc = need(maker, json, "pattern", CEDAR_J_ARRAY, &list);
	if (rc == 0)
		rc = read_pattern(maker, list, pattern);
	if (rc == 0)
		rc = made(maker, cedar_expr_new(maker, op, span_of(json), &kid, 1), out);
	if (rc == 0)
		(*out)->pattern = pattern;
	return rc;
}

static int read_is(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op, struct cedar_expr **out)
{
	static const char *const keys[] = {"left", "entity_type", "in", NULL};
	const struct cedar_json *type, *in = cedar_json_get(json, "in");
	struct cedar_expr *kids[2], *is = NULL;
	int rc = read_only(maker, json, keys);

	if (in != NULL && in->kind == CEDAR_J_NULL)
		in = NULL;
	if (rc == 0)
		rc = read_kid(maker, json, "left", &kids[0]);
	if (rc == 0)
		rc = need(maker, json, "entity_type", CEDAR_J_STRING, &type);
	if (rc == 0 && !cedar_path_is_valid(type->u.s))
		return wrong(maker, type, "this is no entity type");
	if (rc == 0 && in != NULL)
		rc = read_kid(maker, json, "in", &kids[1]);
	if (rc == 0)
		rc = made(maker, cedar_expr_new(maker, op, span_of(json), kids, in != NULL ? 2 : 1), &is);
	if (rc != 0)
		return rc;
	is->names = cedar_arena_array(maker->arena, 1, sizeof(*is->names));
	if (is->names == NULL)
		return no_memory(maker);
	is->names[0] = type->u.s;
	is->name_count = 1;
	*out = is;
	return 0;
}

static int read_if(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op, struct cedar_expr **out)
{
	static const char *const keys[] = {"if", "then", "else", NULL};
	struct cedar_expr *kids[3];
	size_t i;
	int rc = read_only(maker, json, keys);

	for (i = 0; rc == 0 && i < 3; i++)
		rc = read_kid(maker, json, keys[i], &kids[i]);
	return rc != 0 ? rc : made(maker, cedar_expr_new(maker, op, span_of(json), kids, 3), out);
}

typedef int kid_fn(struct cedar_maker *, const struct cedar_json *, struct cedar_expr **);

static int operand_expr(struct cedar_maker *maker, const struct cedar_json *json, struct cedar_expr **out)
{
	return cedar_expr_from_json(json, maker, out);
}

static int read_items(struct cedar_maker *maker, const struct cedar_json *items, size_t count, kid_fn *read,
		      struct cedar_expr ***out)
{
	struct cedar_expr **kids = cedar_arena_array(maker->arena, count, sizeof(*kids));
	size_t i;
	int rc = kids == NULL ? no_memory(maker) : 0;

	for (i = 0; rc == 0 && i < count; i++)
		rc = read(maker, &items[i], &kids[i]);
	*out = kids;
	return rc;
}

static int set_expr(struct cedar_maker *maker, const struct cedar_json *json, kid_fn *read, struct cedar_expr **out)
{
	struct cedar_expr **kids;
	int rc = cedar_json_need(json, CEDAR_J_ARRAY, json, "a set", maker->error);

	if (rc == 0)
		rc = read_items(maker, json->u.items, json->count, read, &kids);
	return rc != 0 ? rc : made(maker, cedar_expr_new(maker, CEDAR_X_SET, span_of(json), kids, json->count), out);
}

static int record_expr(struct cedar_maker *maker, const struct cedar_json *json, kid_fn *read, struct cedar_expr **out)
{
	struct cedar_expr **kids = cedar_arena_array(maker->arena, json->count, sizeof(*kids)), *record = NULL;
	struct cedar_str *names = cedar_arena_array(maker->arena, json->count, sizeof(*names));
	size_t i;
	int rc = cedar_json_need(json, CEDAR_J_OBJECT, json, "a record", maker->error);

	if (rc != 0 || kids == NULL || names == NULL)
		return rc != 0 ? rc : no_memory(maker);
	for (i = 0; rc == 0 && i < json->count; i++) {
		names[i] = json->u.members[i].key;
		rc = read(maker, &json->u.members[i].value, &kids[i]);
	}
	if (rc == 0)
		rc = made(maker, cedar_expr_new(maker, CEDAR_X_RECORD, span_of(json), kids, json->count), &record);
	if (rc != 0)
		return rc;
	record->names = names;
	record->name_count = (uint32_t)json->count;
	*out = record;
	return 0;
}

static int read_set(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op, struct cedar_expr **out)
{
	(void)op;
	return set_expr(maker, json, operand_expr, out);
}

static int read_record(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		       struct cedar_expr **out)
{
	(void)op;
	return record_expr(maker, json, operand_expr, out);
}

static int read_var(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op, struct cedar_expr **out)
{
	int var = json->kind == CEDAR_J_STRING ? cedar_var_find(json->u.s) : -1;

	(void)op;
	if (var < 0)
		return wrong(maker, json, "this is no variable");
	return made(maker, cedar_expr_var(maker, span_of(json), (enum cedar_var)var), out);
}

static bool is_string(const struct cedar_json *json)
{
	return json != NULL && json->kind == CEDAR_J_STRING;
}

/* {"fn", "arg"} or {"fn", "args"} inside __extn. */
static int extension_expr(struct cedar_maker *maker, const struct cedar_json *json, struct cedar_expr **out)
{
	const struct cedar_json *one = cedar_json_get(json, "arg");
	const struct cedar_json *list = cedar_json_get(json, "args");
	enum cedar_fn fn = cedar_fn_find(cedar_json_get(json, "fn")->u.s);
	const struct cedar_json *items = one != NULL ? one : list->u.items;
	size_t count = one != NULL ? 1 : list->count;
	struct cedar_expr **kids;
	int rc;

	/* A name nobody knows loads and fails in use: so does decimal(). */
	if (fn == CEDAR_FN_NONE || cedar_fn_info(fn)->form == CEDAR_FN_BUILTIN)
		return made(maker, cedar_expr_call(maker, span_of(json), CEDAR_FN_DECIMAL, NULL, 0), out);
	rc = read_items(maker, items, count, value_expr, &kids);
	return rc != 0 ? rc : made(maker, cedar_expr_call(maker, span_of(json), fn, kids, count), out);
}

/* An object of a literal: an escape, or a record. */
static int object_expr(struct cedar_maker *maker, const struct cedar_json *json, struct cedar_expr **out)
{
	const struct cedar_reader reader = {maker->arena, NULL, CEDAR_ESCAPES, maker->error};
	const struct cedar_json *entity = cedar_json_get(json, "__entity");
	const struct cedar_json *call = cedar_json_get(json, "__extn");
	const struct cedar_json *args = cedar_json_get(call, "args");
	const struct cedar_uid *uid;
	int rc;

	if (json->count != 1)
		return record_expr(maker, json, value_expr, out);
	if (is_string(cedar_json_get(entity, "type")) && is_string(cedar_json_get(entity, "id"))) {
		rc = cedar_uid_from_json(&reader, json, &uid);
		return rc != 0 ? rc : made(maker, cedar_expr_value(maker, span_of(json), cedar_entity(uid)), out);
	}
	if (is_string(cedar_json_get(call, "fn")) &&
	    (cedar_json_get(call, "arg") != NULL || (args != NULL && args->kind == CEDAR_J_ARRAY)))
		return extension_expr(maker, call, out);
	if (is_string(cedar_json_get(json, "__expr")))
		return wrong(maker, json, "the __expr escape is not allowed");
	return record_expr(maker, json, value_expr, out);
}

/* A literal as a tree: constructors stay calls, to fail where they are used. */
static int value_expr(struct cedar_maker *maker, const struct cedar_json *json, struct cedar_expr **out)
{
	struct cedar_value value;

	switch (json->kind) {
	case CEDAR_J_BOOL:
		value = cedar_bool(json->u.b);
		break;
	case CEDAR_J_INT:
		value = cedar_long(json->u.i);
		break;
	case CEDAR_J_STRING:
		value = cedar_string(json->u.s);
		break;
	case CEDAR_J_ARRAY:
		return set_expr(maker, json, value_expr, out);
	case CEDAR_J_OBJECT:
		return object_expr(maker, json, out);
	default:
		return wrong(maker, json, "this is no Cedar value");
	}
	return made(maker, cedar_expr_value(maker, span_of(json), value), out);
}

static int read_value(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		      struct cedar_expr **out)
{
	(void)op;
	return value_expr(maker, json, out);
}

static int read_slot(struct cedar_maker *maker, const struct cedar_json *json, enum cedar_op op,
		     struct cedar_expr **out)
{
	(void)op;
	(void)out;
	return wrong(maker, json, "slots may only stand in the scope");
}

/* Functions and methods: the built-in ones have named operands. */
static int read_call(struct cedar_maker *maker, enum cedar_fn fn, const struct cedar_json *json,
		     struct cedar_expr **out)
{
	const struct cedar_fn_info *info = cedar_fn_info(fn);
	struct cedar_expr *pair[2], **kids = pair;
	size_t count = info->arity;
	int rc;

	if (info->form != CEDAR_FN_BUILTIN) {
		count = json->count;
		rc = cedar_json_need(json, CEDAR_J_ARRAY, json, info->name, maker->error);
		if (rc == 0)
			rc = read_items(maker, json->u.items, count, operand_expr, &kids);
	} else if (fn == CEDAR_FN_IS_EMPTY) {
		rc = read_unary(maker, json, CEDAR_X_NOT, &pair[0]);
		if (rc == 0)
			pair[0] = pair[0]->kids[0];
	} else {
		rc = read_pair(maker, json, pair);
	}
	return rc != 0 ? rc : made(maker, cedar_expr_call(maker, span_of(json), fn, kids, count), out);
}

/* Recursion is bounded by CEDAR_MAX_JSON_NEST. */
int cedar_expr_from_json(const struct cedar_json *json, struct cedar_maker *maker, struct cedar_expr **expr)
{
	static const struct {
		const char *name;
		read_fn *read;
		enum cedar_op op;
	} forms[] = {
		{"Value", read_value, 0},
		{"Var", read_var, 0},
		{"Slot", read_slot, 0},
		{"!", read_unary, CEDAR_X_NOT},
		{"neg", read_unary, CEDAR_X_NEG},
		{"==", read_binary, CEDAR_X_EQ},
		{"!=", read_binary, CEDAR_X_NE},
		{"<", read_binary, CEDAR_X_LT},
		{"<=", read_binary, CEDAR_X_LE},
		{">", read_binary, CEDAR_X_GT},
		{">=", read_binary, CEDAR_X_GE},
		{"in", read_binary, CEDAR_X_IN},
		{"&&", read_chain, CEDAR_X_AND},
		{"||", read_chain, CEDAR_X_OR},
		{"+", read_chain, CEDAR_X_SUM},
		{"-", read_minus, CEDAR_X_SUM},
		{"*", read_chain, CEDAR_X_PRODUCT},
		{".", read_attr, CEDAR_X_ATTR},
		{"has", read_has, CEDAR_X_HAS},
		{"like", read_like, CEDAR_X_LIKE},
		{"is", read_is, CEDAR_X_IS},
		{"if-then-else", read_if, CEDAR_X_IF},
		{"Set", read_set, 0},
		{"Record", read_record, 0},
	};
	enum cedar_fn fn;
	struct cedar_str name;
	size_t i;

	if (json->kind != CEDAR_J_OBJECT || json->count != 1)
		return wrong(maker, json, "an expression is an object with one member");
	name = json->u.members[0].key;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (cedar_str_is(name, forms[i].name))
			return forms[i].read(maker, &json->u.members[0].value, forms[i].op, expr);
	fn = cedar_fn_find(name);
	if (fn == CEDAR_FN_NONE)
		return cedar_fail(maker->error, CEDAR_E_FORMAT, json->start, "\"%.*s\" is no operator or function",
				  CEDAR_SHOW(name));
	return read_call(maker, fn, &json->u.members[0].value, expr);
}
