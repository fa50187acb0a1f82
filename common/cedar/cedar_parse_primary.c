#include "common/cedar/cedar_parse_part.h"

#define LONG_MIN_DIGITS (UINT64_C(1) << 63) /* magnitude of INT64_MIN */

struct cedar_maker cedar_parse_maker(struct cedar_lexer *lexer)
{
	return (struct cedar_maker){lexer->arena, lexer->error};
}

struct cedar_span cedar_parse_span(const struct cedar_lexer *lexer, size_t start)
{
	return (struct cedar_span){(uint32_t)start, (uint32_t)lexer->last_end};
}

/* Constructors report through *error; the parser passes the code on. */
int cedar_parse_made(struct cedar_lexer *lexer, struct cedar_expr *expr, struct cedar_expr **out)
{
	if (expr == NULL)
		return -(int)lexer->error->code;
	*out = expr;
	return 0;
}

int cedar_parse_add(struct cedar_lexer *lexer, struct cedar_list *list, void *item)
{
	if (cedar_list_add(list, lexer->arena, item) == 0)
		return 0;
	return cedar_fail(lexer->error, CEDAR_E_MEMORY, lexer->token.start, "out of memory");
}

static int join_path(struct cedar_lexer *lexer, struct cedar_str *path, struct cedar_str word)
{
	struct cedar_str joined = {NULL, path->n + 2 + word.n};
	char *bytes = cedar_arena_alloc(lexer->arena, joined.n);

	if (bytes == NULL)
		return cedar_fail(lexer->error, CEDAR_E_MEMORY, lexer->token.start, "out of memory");
	memcpy(bytes, path->p, path->n);
	memcpy(bytes + path->n, "::", 2);
	memcpy(bytes + path->n + 2, word.p, word.n);
	joined.p = bytes;
	*path = joined;
	return 0;
}

int cedar_parse_path(struct cedar_lexer *lexer, struct cedar_str *path, bool *before_string)
{
	struct cedar_str word;
	int rc = cedar_lex_name(lexer, path);

	*before_string = false;
	while (rc == 0 && (rc = cedar_lex_accept(lexer, "::")) == 1) {
		if (lexer->token.kind == CEDAR_T_STRING) {
			*before_string = true;
			return 0;
		}
		rc = cedar_lex_name(lexer, &word);
		if (rc == 0)
			rc = join_path(lexer, path, word);
	}
	return rc;
}

static int finish_uid(struct cedar_lexer *lexer, struct cedar_str type, struct cedar_uid **uid)
{
	struct cedar_str id;
	int rc = cedar_lex_string(lexer, &id);

	if (rc != 0)
		return rc;
	*uid = cedar_uid_new(lexer->arena, type, id);
	if (*uid == NULL)
		return cedar_fail(lexer->error, CEDAR_E_MEMORY, lexer->token.start, "out of memory");
	return 0;
}

int cedar_parse_uid(struct cedar_lexer *lexer, struct cedar_uid **uid)
{
	struct cedar_str type;
	bool before_string;
	int rc = cedar_parse_path(lexer, &type, &before_string);

	if (rc != 0)
		return rc;
	if (!before_string)
		return cedar_lex_wrong(lexer, "an entity such as Type::\"id\"");
	return finish_uid(lexer, type, uid);
}

int cedar_parse_list(struct cedar_lexer *lexer, const char *close, struct cedar_list *list)
{
	struct cedar_expr *item;
	int rc = 0;

	while (rc == 0 && !cedar_lex_at(lexer, close)) {
		rc = cedar_parse_expr(lexer, &item);
		if (rc == 0)
			rc = cedar_parse_add(lexer, list, item);
		if (rc != 0)
			return rc;
		rc = cedar_lex_accept(lexer, ",");
		if (rc == 0)
			break;
		rc = rc == 1 ? 0 : rc;
	}
	return rc != 0 ? rc : cedar_lex_expect(lexer, close, "after a list");
}

static int parse_uint(struct cedar_lexer *lexer, uint64_t *out)
{
	struct cedar_str digits = lexer->token.text;
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < digits.n; i++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digits.p[i] - '0'), &value))
			return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start,
					  "this integer is too large");
	*out = value;
	return 0;
}

int cedar_parse_int(struct cedar_lexer *lexer, bool negative, size_t start, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	uint64_t magnitude = 0;
	int64_t value;
	int rc = parse_uint(lexer, &magnitude);

	if (rc != 0)
		return rc;
	if (magnitude > LONG_MIN_DIGITS - (negative ? 0 : 1))
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start, "this integer does not fit a Long");
	rc = cedar_lex_next(lexer);
	if (rc != 0)
		return rc;
	/* Negating in unsigned arithmetic reaches INT64_MIN without overflow. */
	value = (int64_t)(negative ? ~magnitude + 1 : magnitude);
	return cedar_parse_made(lexer, cedar_expr_value(&maker, cedar_parse_span(lexer, start), cedar_long(value)),
				out);
}

static int parse_string_literal(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	size_t start = lexer->token.start;
	struct cedar_str s;
	int rc = cedar_lex_string(lexer, &s);

	return rc != 0 ? rc
		       : cedar_parse_made(
				 lexer, cedar_expr_value(&maker, cedar_parse_span(lexer, start), cedar_string(s)), out);
}

static int parse_bool(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	bool value = cedar_lex_at(lexer, "true");
	size_t start = lexer->token.start;
	int rc = cedar_lex_next(lexer);

	return rc != 0 ? rc
		       : cedar_parse_made(lexer,
					  cedar_expr_value(&maker, cedar_parse_span(lexer, start), cedar_bool(value)),
					  out);
}

/* name(...): only constructors of extension types are called by name. */
static int parse_call(struct cedar_lexer *lexer, struct cedar_str name, size_t start, struct cedar_expr **out)
{
	enum cedar_fn fn = cedar_fn_find(name);
	struct cedar_maker maker = cedar_parse_maker(lexer);
	struct cedar_list args = {0};
	int rc;

	if (fn == CEDAR_FN_NONE || cedar_fn_info(fn)->form != CEDAR_FN_CONSTRUCTOR)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, start,
				  "`%.*s` is not a function; the functions are decimal, ip, "
				  "datetime and duration",
				  CEDAR_SHOW(name));
	rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = cedar_parse_list(lexer, ")", &args);
	return rc != 0 ? rc
		       : cedar_parse_made(lexer,
					  cedar_expr_call(&maker, cedar_parse_span(lexer, start), fn,
							  (struct cedar_expr **)args.items, args.count),
					  out);
}

/* A variable, an entity or a call: all begin with a path. */
static int parse_path_primary(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	size_t start = lexer->token.start;
	struct cedar_str path;
	struct cedar_uid *uid;
	bool before_string;
	int rc = cedar_parse_path(lexer, &path, &before_string), var;

	if (rc != 0)
		return rc;
	if (before_string) {
		rc = finish_uid(lexer, path, &uid);
		return rc != 0 ? rc
			       : cedar_parse_made(
					 lexer,
					 cedar_expr_value(&maker, cedar_parse_span(lexer, start), cedar_entity(uid)),
					 out);
	}
	if (cedar_lex_at(lexer, "("))
		return parse_call(lexer, path, start, out);
	var = cedar_var_find(path);
	if (var >= 0)
		return cedar_parse_made(
			lexer, cedar_expr_var(&maker, cedar_parse_span(lexer, start), (enum cedar_var)var), out);
	return cedar_fail(lexer->error, CEDAR_E_SYNTAX, start,
			  "`%.*s` is no variable; write a string in quotes, an entity as "
			  "Type::\"id\"",
			  CEDAR_SHOW(path));
}

static int parse_parens(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	int rc = cedar_lex_next(lexer);

	if (rc == 0)
		rc = cedar_parse_expr(lexer, out);
	return rc != 0 ? rc : cedar_lex_expect(lexer, ")", "after an expression");
}

static int parse_set(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	size_t start = lexer->token.start;
	struct cedar_list items = {0};
	int rc = cedar_lex_next(lexer);

	if (rc == 0)
		rc = cedar_parse_list(lexer, "]", &items);
	return rc != 0 ? rc
		       : cedar_parse_made(lexer,
					  cedar_expr_new(&maker, CEDAR_X_SET, cedar_parse_span(lexer, start),
							 (struct cedar_expr **)items.items, items.count),
					  out);
}

int cedar_parse_key(struct cedar_lexer *lexer, struct cedar_str *key)
{
	if (lexer->token.kind == CEDAR_T_STRING)
		return cedar_lex_string(lexer, key);
	return cedar_lex_name(lexer, key);
}

static int parse_member_init(struct cedar_lexer *lexer, struct cedar_list *keys, struct cedar_list *values)
{
	struct cedar_str *key = cedar_arena_alloc(lexer->arena, sizeof(*key));
	struct cedar_expr *value;
	int rc;

	if (key == NULL)
		return cedar_parse_add(lexer, keys, NULL);
	rc = cedar_parse_key(lexer, key);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, ":", "after a key");
	if (rc == 0)
		rc = cedar_parse_expr(lexer, &value);
	if (rc == 0)
		rc = cedar_parse_add(lexer, keys, key);
	return rc != 0 ? rc : cedar_parse_add(lexer, values, value);
}

/* Joins keys and values; repeated keys are refused. */
static int make_record(struct cedar_lexer *lexer, size_t start, struct cedar_list *keys, struct cedar_list *values,
		       struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	struct cedar_expr *record = cedar_expr_new(&maker, CEDAR_X_RECORD, cedar_parse_span(lexer, start),
						   (struct cedar_expr **)values->items, values->count);
	struct cedar_field *fields = cedar_arena_array(lexer->arena, keys->count, sizeof(*fields));
	struct cedar_value value;
	size_t i;

	if (record == NULL)
		return -(int)lexer->error->code;
	record->names = cedar_arena_array(lexer->arena, keys->count, sizeof(*record->names));
	if (record->names == NULL || fields == NULL)
		return cedar_fail(lexer->error, CEDAR_E_MEMORY, start, "out of memory");
	record->name_count = (uint32_t)keys->count;
	for (i = 0; i < keys->count; i++) {
		record->names[i] = *(struct cedar_str *)keys->items[i];
		fields[i].key = record->names[i];
	}
	if (cedar_record_make(fields, keys->count, &value) != 0)
		return cedar_fail(lexer->error, CEDAR_E_DUPLICATE, start, "this record names a key twice");
	*out = record;
	return 0;
}

static int parse_record(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_list keys = {0}, values = {0};
	size_t start = lexer->token.start;
	int rc = cedar_lex_next(lexer);

	while (rc == 0 && !cedar_lex_at(lexer, "}")) {
		rc = parse_member_init(lexer, &keys, &values);
		if (rc != 0)
			return rc;
		rc = cedar_lex_accept(lexer, ",");
		if (rc == 0)
			break;
		rc = rc == 1 ? 0 : rc;
	}
	if (rc == 0)
		rc = cedar_lex_expect(lexer, "}", "after a record");
	return rc != 0 ? rc : make_record(lexer, start, &keys, &values, out);
}

int cedar_parse_primary(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	switch (lexer->token.kind) {
	case CEDAR_T_INT:
		return cedar_parse_int(lexer, false, lexer->token.start, out);
	case CEDAR_T_STRING:
		return parse_string_literal(lexer, out);
	case CEDAR_T_SLOT:
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start,
				  "slots may only stand in the policy's scope");
	case CEDAR_T_WORD:
		if (cedar_lex_at(lexer, "true") || cedar_lex_at(lexer, "false"))
			return parse_bool(lexer, out);
		if (cedar_lex_at(lexer, "if"))
			return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start,
					  "`if` needs parentheses round it here");
		return parse_path_primary(lexer, out);
	default:
		break;
	}
	if (cedar_lex_at(lexer, "("))
		return parse_parens(lexer, out);
	if (cedar_lex_at(lexer, "["))
		return parse_set(lexer, out);
	if (cedar_lex_at(lexer, "{"))
		return parse_record(lexer, out);
	return cedar_lex_wrong(lexer, "an expression");
}
