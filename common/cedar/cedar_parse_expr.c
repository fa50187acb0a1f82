#include "cedar_parse.h"

#define MAX_UNARY	4u
#define LONG_MIN_DIGITS	(UINT64_C(1) << 63)	/* magnitude of INT64_MIN */

typedef int parse_fn(struct cedar_lexer *, struct cedar_expr **);

static parse_fn parse_unary, parse_primary;

static struct cedar_maker
maker_of(struct cedar_lexer *lexer)
{
	return (struct cedar_maker){ lexer->arena, lexer->error };
}

static struct cedar_span
span_from(const struct cedar_lexer *lexer, size_t start)
{
	return (struct cedar_span){ (uint32_t)start,
	    (uint32_t)lexer->last_end };
}

/* Constructors report through *error; the parser passes the code on. */
static int
made(struct cedar_lexer *lexer, struct cedar_expr *expr, struct cedar_expr **out)
{
	if (expr == NULL)
		return -(int)lexer->error->code;
	*out = expr;
	return 0;
}

static int
add(struct cedar_lexer *lexer, struct cedar_list *list, void *item)
{
	if (cedar_list_add(list, lexer->arena, item) == 0)
		return 0;
	return cedar_fail(lexer->error, CEDAR_E_MEMORY, lexer->token.start,
	    "out of memory");
}

static int
join_path(struct cedar_lexer *lexer, struct cedar_str *path,
    struct cedar_str word)
{
	struct cedar_str joined = { NULL, path->n + 2 + word.n };
	char *bytes = cedar_arena_alloc(lexer->arena, joined.n);

	if (bytes == NULL)
		return cedar_fail(lexer->error, CEDAR_E_MEMORY,
		    lexer->token.start, "out of memory");
	memcpy(bytes, path->p, path->n);
	memcpy(bytes + path->n, "::", 2);
	memcpy(bytes + path->n + 2, word.p, word.n);
	joined.p = bytes;
	*path = joined;
	return 0;
}

int
cedar_parse_path(struct cedar_lexer *lexer, struct cedar_str *path,
    bool *before_string)
{
	struct cedar_str word;
	int rc = cedar_lex_name(lexer, path);

	*before_string = false;
	while (rc == 0 && (rc = cedar_lex_accept(lexer, "::")) == 1) {
		rc = 0;
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

static int
finish_uid(struct cedar_lexer *lexer, struct cedar_str type,
    struct cedar_uid **uid)
{
	struct cedar_str id;
	int rc = cedar_lex_string(lexer, &id);

	if (rc != 0)
		return rc;
	*uid = cedar_uid_new(lexer->arena, type, id);
	if (*uid == NULL)
		return cedar_fail(lexer->error, CEDAR_E_MEMORY,
		    lexer->token.start, "out of memory");
	return 0;
}

int
cedar_parse_uid(struct cedar_lexer *lexer, struct cedar_uid **uid)
{
	struct cedar_str type;
	bool before_string;
	int rc = cedar_parse_path(lexer, &type, &before_string);

	if (rc != 0)
		return rc;
	if (!before_string)
		return cedar_lex_wrong(lexer,
		    "an entity such as Type::\"id\"");
	return finish_uid(lexer, type, uid);
}

/* Expressions separated by commas up to `close`, which is taken too. */
static int
parse_list(struct cedar_lexer *lexer, const char *close,
    struct cedar_list *list)
{
	struct cedar_expr *item;
	int rc = 0;

	while (rc == 0 && !cedar_lex_at(lexer, close)) {
		rc = cedar_parse_expr(lexer, &item);
		if (rc == 0)
			rc = add(lexer, list, item);
		if (rc != 0)
			return rc;
		rc = cedar_lex_accept(lexer, ",");
		if (rc == 0)
			break;
		rc = rc == 1 ? 0 : rc;
	}
	return rc != 0 ? rc : cedar_lex_expect(lexer, close, "after a list");
}

static int
parse_uint(struct cedar_lexer *lexer, uint64_t *out)
{
	struct cedar_str digits = lexer->token.text;
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < digits.n; i++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value,
		    (uint64_t)(digits.p[i] - '0'), &value))
			return cedar_fail(lexer->error, CEDAR_E_SYNTAX,
			    lexer->token.start, "this integer is too large");
	*out = value;
	return 0;
}

static int
parse_int(struct cedar_lexer *lexer, bool negative, size_t start,
    struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	uint64_t magnitude = 0;
	int64_t value;
	int rc = parse_uint(lexer, &magnitude);

	if (rc != 0)
		return rc;
	if (magnitude > LONG_MIN_DIGITS - (negative ? 0 : 1))
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX,
		    lexer->token.start, "this integer does not fit a Long");
	rc = cedar_lex_next(lexer);
	if (rc != 0)
		return rc;
	/* Negating in unsigned arithmetic reaches INT64_MIN without overflow. */
	value = (int64_t)(negative ? ~magnitude + 1 : magnitude);
	return made(lexer, cedar_expr_value(&maker, span_from(lexer, start),
	    cedar_long(value)), out);
}

static int
parse_string_literal(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	size_t start = lexer->token.start;
	struct cedar_str s;
	int rc = cedar_lex_string(lexer, &s);

	return rc != 0 ? rc : made(lexer, cedar_expr_value(&maker,
	    span_from(lexer, start), cedar_string(s)), out);
}

static int
parse_bool(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	bool value = cedar_lex_at(lexer, "true");
	size_t start = lexer->token.start;
	int rc = cedar_lex_next(lexer);

	return rc != 0 ? rc : made(lexer, cedar_expr_value(&maker,
	    span_from(lexer, start), cedar_bool(value)), out);
}

/* name(...): only constructors of extension types are called by name. */
static int
parse_call(struct cedar_lexer *lexer, struct cedar_str name, size_t start,
    struct cedar_expr **out)
{
	enum cedar_fn fn = cedar_fn_find(name);
	struct cedar_maker maker = maker_of(lexer);
	struct cedar_list args = { 0 };
	int rc;

	if (fn == CEDAR_FN_NONE ||
	    cedar_fn_info(fn)->form != CEDAR_FN_CONSTRUCTOR)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, start,
		    "`%.*s` is not a function; the functions are decimal, ip, "
		    "datetime and duration", CEDAR_SHOW(name));
	rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = parse_list(lexer, ")", &args);
	return rc != 0 ? rc : made(lexer, cedar_expr_call(&maker,
	    span_from(lexer, start), fn, (struct cedar_expr **)args.items,
	    args.count), out);
}

/* A variable, an entity or a call: all begin with a path. */
static int
parse_path_primary(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	size_t start = lexer->token.start;
	struct cedar_str path;
	struct cedar_uid *uid;
	bool before_string;
	int rc = cedar_parse_path(lexer, &path, &before_string), var;

	if (rc != 0)
		return rc;
	if (before_string) {
		rc = finish_uid(lexer, path, &uid);
		return rc != 0 ? rc : made(lexer, cedar_expr_value(&maker,
		    span_from(lexer, start), cedar_entity(uid)), out);
	}
	if (cedar_lex_at(lexer, "("))
		return parse_call(lexer, path, start, out);
	var = cedar_var_find(path);
	if (var >= 0)
		return made(lexer, cedar_expr_var(&maker,
		    span_from(lexer, start), (enum cedar_var)var), out);
	return cedar_fail(lexer->error, CEDAR_E_SYNTAX, start,
	    "`%.*s` is no variable; write a string in quotes, an entity as "
	    "Type::\"id\"", CEDAR_SHOW(path));
}

static int
parse_parens(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	int rc = cedar_lex_next(lexer);

	if (rc == 0)
		rc = cedar_parse_expr(lexer, out);
	return rc != 0 ? rc :
	    cedar_lex_expect(lexer, ")", "after an expression");
}

static int
parse_set(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	size_t start = lexer->token.start;
	struct cedar_list items = { 0 };
	int rc = cedar_lex_next(lexer);

	if (rc == 0)
		rc = parse_list(lexer, "]", &items);
	return rc != 0 ? rc : made(lexer, cedar_expr_new(&maker, CEDAR_X_SET,
	    span_from(lexer, start), (struct cedar_expr **)items.items,
	    items.count), out);
}

static int
parse_key(struct cedar_lexer *lexer, struct cedar_str *key)
{
	if (lexer->token.kind == CEDAR_T_STRING)
		return cedar_lex_string(lexer, key);
	return cedar_lex_name(lexer, key);
}

static int
parse_member_init(struct cedar_lexer *lexer, struct cedar_list *keys,
    struct cedar_list *values)
{
	struct cedar_str *key = cedar_arena_alloc(lexer->arena, sizeof(*key));
	struct cedar_expr *value;
	int rc;

	if (key == NULL)
		return add(lexer, keys, NULL);
	rc = parse_key(lexer, key);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, ":", "after a key");
	if (rc == 0)
		rc = cedar_parse_expr(lexer, &value);
	if (rc == 0)
		rc = add(lexer, keys, key);
	return rc != 0 ? rc : add(lexer, values, value);
}

/* Joins keys and values; repeated keys are refused. */
static int
make_record(struct cedar_lexer *lexer, size_t start, struct cedar_list *keys,
    struct cedar_list *values, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	struct cedar_expr *record = cedar_expr_new(&maker, CEDAR_X_RECORD,
	    span_from(lexer, start), (struct cedar_expr **)values->items,
	    values->count);
	struct cedar_field *fields = cedar_arena_array(lexer->arena,
	    keys->count, sizeof(*fields));
	struct cedar_value value;
	size_t i;

	if (record == NULL)
		return -(int)lexer->error->code;
	record->names = cedar_arena_array(lexer->arena, keys->count,
	    sizeof(*record->names));
	if (record->names == NULL || fields == NULL)
		return cedar_fail(lexer->error, CEDAR_E_MEMORY, start,
		    "out of memory");
	record->name_count = (uint32_t)keys->count;
	for (i = 0; i < keys->count; i++) {
		record->names[i] = *(struct cedar_str *)keys->items[i];
		fields[i].key = record->names[i];
	}
	if (cedar_record_make(fields, keys->count, &value) != 0)
		return cedar_fail(lexer->error, CEDAR_E_DUPLICATE, start,
		    "this record names a key twice");
	*out = record;
	return 0;
}

static int
parse_record(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_list keys = { 0 }, values = { 0 };
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

static int
parse_primary(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	switch (lexer->token.kind) {
	case CEDAR_T_INT:
		return parse_int(lexer, false, lexer->token.start, out);
	case CEDAR_T_STRING:
		return parse_string_literal(lexer, out);
	case CEDAR_T_SLOT:
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX,
		    lexer->token.start,
		    "slots may only stand in the policy's scope");
	case CEDAR_T_WORD:
		if (cedar_lex_at(lexer, "true") || cedar_lex_at(lexer, "false"))
			return parse_bool(lexer, out);
		if (cedar_lex_at(lexer, "if"))
			return cedar_fail(lexer->error, CEDAR_E_SYNTAX,
			    lexer->token.start,
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

static int
parse_method(struct cedar_lexer *lexer, struct cedar_str name, size_t start,
    size_t name_at, struct cedar_expr **expr)
{
	enum cedar_fn fn = cedar_fn_find(name);
	struct cedar_maker maker = maker_of(lexer);
	struct cedar_list args = { 0 };
	const struct cedar_fn_info *info;
	int rc;

	if (fn == CEDAR_FN_NONE ||
	    cedar_fn_info(fn)->form == CEDAR_FN_CONSTRUCTOR)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, name_at,
		    "`%.*s` is not a method", CEDAR_SHOW(name));
	rc = add(lexer, &args, *expr);
	if (rc == 0)
		rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = parse_list(lexer, ")", &args);
	if (rc != 0)
		return rc;
	info = cedar_fn_info(fn);
	if (info->form == CEDAR_FN_BUILTIN && args.count != info->arity)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, name_at,
		    "%s takes %u argument%s, %zu given", info->name,
		    info->arity - 1, info->arity == 2 ? "" : "s",
		    args.count - 1);
	return made(lexer, cedar_expr_call(&maker, span_from(lexer, start), fn,
	    (struct cedar_expr **)args.items, args.count), expr);
}

/* .name, .name(...) or ["name"] after an expression. */
static int
parse_access(struct cedar_lexer *lexer, size_t start, struct cedar_expr **expr)
{
	struct cedar_maker maker = maker_of(lexer);
	bool index = cedar_lex_at(lexer, "[");
	struct cedar_str name;
	size_t name_at;
	int rc = cedar_lex_next(lexer);

	name_at = lexer->token.start;
	if (rc == 0)
		rc = index ? cedar_lex_string(lexer, &name) :
		    cedar_lex_name(lexer, &name);
	if (rc == 0 && index)
		rc = cedar_lex_expect(lexer, "]", "after an attribute's name");
	if (rc != 0)
		return rc;
	if (!index && cedar_lex_at(lexer, "("))
		return parse_method(lexer, name, start, name_at, expr);
	return made(lexer, cedar_expr_named(&maker, CEDAR_X_ATTR,
	    span_from(lexer, start), *expr, name), expr);
}

static int
parse_member(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	size_t start = lexer->token.start;
	int rc = parse_primary(lexer, out);

	while (rc == 0 &&
	    (cedar_lex_at(lexer, ".") || cedar_lex_at(lexer, "[")))
		rc = parse_access(lexer, start, out);
	if (rc == 0 && cedar_lex_at(lexer, "("))
		rc = cedar_fail(lexer->error, CEDAR_E_SYNTAX,
		    lexer->token.start, "this expression cannot be called");
	return rc;
}

/* Whether the token after an integer makes it part of a member access. */
static bool
access_follows(const struct cedar_lexer *lexer)
{
	struct cedar_lexer ahead = *lexer;
	struct cedar_error ignored;

	ahead.error = &ignored;
	return cedar_lex_next(&ahead) == 0 && (cedar_lex_at(&ahead, ".") ||
	    cedar_lex_at(&ahead, "[") || cedar_lex_at(&ahead, "("));
}

static int
parse_unary(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	bool minus = cedar_lex_at(lexer, "-");
	size_t starts[MAX_UNARY + 1] = { lexer->token.start }, count = 0;
	int rc = 0;

	if (!minus && !cedar_lex_at(lexer, "!"))
		return parse_member(lexer, out);
	while (rc == 0 && cedar_lex_at(lexer, minus ? "-" : "!")) {
		if (count == MAX_UNARY)
			return cedar_fail(lexer->error, CEDAR_E_SYNTAX,
			    lexer->token.start,
			    "more than %u unary operators in a row", MAX_UNARY);
		starts[count++] = lexer->token.start;
		rc = cedar_lex_next(lexer);
	}
	if (rc != 0)
		return rc;
	if (minus && lexer->token.kind == CEDAR_T_INT &&
	    !access_follows(lexer)) {
		count--;
		rc = parse_int(lexer, true, starts[count], out);
	} else {
		rc = parse_member(lexer, out);
	}
	while (rc == 0 && count-- > 0)
		rc = made(lexer, cedar_expr_new(&maker,
		    minus ? CEDAR_X_NEG : CEDAR_X_NOT,
		    span_from(lexer, starts[count]), out, 1), out);
	return rc;
}

/* item { separator item }, flattened; `second` is the other separator or NULL. */
static int
parse_chain(struct cedar_lexer *lexer, parse_fn *item, enum cedar_op op,
    const char *separator, const char *second, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	size_t start = lexer->token.start, i;
	struct cedar_list kids = { 0 }, signs = { 0 };
	struct cedar_expr *kid;
	char *marks;
	int rc = item(lexer, out);

	if (rc != 0 || (!cedar_lex_at(lexer, separator) &&
	    (second == NULL || !cedar_lex_at(lexer, second))))
		return rc;
	rc = add(lexer, &kids, *out);
	if (rc == 0)
		rc = add(lexer, &signs, (void *)(uintptr_t)'+');
	while (rc == 0 && (cedar_lex_at(lexer, separator) ||
	    (second != NULL && cedar_lex_at(lexer, second)))) {
		rc = add(lexer, &signs,
		    (void *)(uintptr_t)lexer->token.text.p[0]);
		if (rc == 0)
			rc = cedar_lex_next(lexer);
		if (rc == 0)
			rc = item(lexer, &kid);
		if (rc == 0)
			rc = add(lexer, &kids, kid);
	}
	marks = cedar_arena_alloc(lexer->arena, kids.count);
	if (rc != 0 || marks == NULL)
		return rc != 0 ? rc : add(lexer, &kids, NULL);
	for (i = 0; i < kids.count; i++)
		marks[i] = (char)(uintptr_t)signs.items[i];
	return made(lexer, cedar_expr_chain(&maker, op, span_from(lexer, start),
	    (struct cedar_expr **)kids.items, marks, kids.count), out);
}

static int
parse_product(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	int rc = parse_chain(lexer, parse_unary, CEDAR_X_PRODUCT, "*", NULL,
	    out);

	if (rc == 0 && (cedar_lex_at(lexer, "/") || cedar_lex_at(lexer, "%")))
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX,
		    lexer->token.start, "Cedar has no division or remainder");
	return rc;
}

static int
parse_sum(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	return parse_chain(lexer, parse_product, CEDAR_X_SUM, "+", "-", out);
}

/* `has` a.b.c or "a", after the word. */
static int
parse_has(struct cedar_lexer *lexer, size_t start, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	struct cedar_list words = { 0 };
	bool quoted = lexer->token.kind == CEDAR_T_STRING;
	struct cedar_str name, *kept;
	size_t i;
	int rc = parse_key(lexer, &name), more = 1;

	while (rc == 0 && more == 1) {
		kept = cedar_arena_alloc(lexer->arena, sizeof(*kept));
		if (kept != NULL)
			*kept = name;
		rc = kept == NULL ? -CEDAR_E_MEMORY : add(lexer, &words, kept);
		more = rc != 0 || quoted ? 0 : cedar_lex_accept(lexer, ".");
		if (more == 1)
			rc = cedar_lex_name(lexer, &name);
		else if (more < 0)
			rc = more;
	}
	if (rc == 0)
		rc = made(lexer, cedar_expr_new(&maker, CEDAR_X_HAS,
		    span_from(lexer, start), out, 1), out);
	if (rc != 0)
		return rc;
	(*out)->names = cedar_arena_array(lexer->arena, words.count,
	    sizeof(name));
	if ((*out)->names == NULL)
		return add(lexer, &words, NULL);
	for (i = 0; i < words.count; i++)
		(*out)->names[i] = *(struct cedar_str *)words.items[i];
	(*out)->name_count = (uint32_t)words.count;
	return 0;
}

static int
parse_like(struct cedar_lexer *lexer, size_t start, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	struct cedar_token token = lexer->token;
	struct cedar_pattern *pattern;
	int rc;

	if (token.kind != CEDAR_T_STRING)
		return cedar_lex_wrong(lexer, "a string literal after `like`");
	pattern = cedar_arena_alloc(lexer->arena, sizeof(*pattern));
	if (pattern == NULL)
		return cedar_fail(lexer->error, CEDAR_E_MEMORY, start,
		    "out of memory");
	rc = cedar_unescape_pattern(lexer->arena, (struct cedar_str){
	    token.text.p + 1, token.text.n - 2 }, token.start + 1, pattern,
	    lexer->error);
	if (rc == 0)
		rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = made(lexer, cedar_expr_new(&maker, CEDAR_X_LIKE,
		    span_from(lexer, start), out, 1), out);
	if (rc == 0)
		(*out)->pattern = pattern;
	return rc;
}

static int
parse_is(struct cedar_lexer *lexer, size_t start, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	struct cedar_expr *kids[2] = { *out, NULL };
	struct cedar_str type;
	bool before_string;
	size_t count = 1;
	int rc = cedar_parse_path(lexer, &type, &before_string);

	if (rc == 0 && before_string)
		return cedar_lex_wrong(lexer, "an entity type after `is`");
	if (rc == 0)
		rc = cedar_lex_accept(lexer, "in");
	if (rc == 1) {
		rc = parse_sum(lexer, &kids[1]);
		count = 2;
	}
	if (rc == 0)
		rc = made(lexer, cedar_expr_named(&maker, CEDAR_X_IS,
		    span_from(lexer, start), kids[0], type), out);
	if (rc != 0 || count == 1)
		return rc;
	type = *(*out)->names;
	rc = made(lexer, cedar_expr_new(&maker, CEDAR_X_IS,
	    span_from(lexer, start), kids, 2), &kids[0]);
	if (rc == 0) {
		kids[0]->names = (*out)->names;
		kids[0]->name_count = 1;
		*out = kids[0];
	}
	return rc;
}

static int
relation_op(const struct cedar_lexer *lexer)
{
	static const struct {
		const char	*text;
		enum cedar_op	 op;
	} relations[] = {
		{ "==", CEDAR_X_EQ }, { "!=", CEDAR_X_NE },
		{ "<", CEDAR_X_LT }, { "<=", CEDAR_X_LE },
		{ ">", CEDAR_X_GT }, { ">=", CEDAR_X_GE },
		{ "in", CEDAR_X_IN }, { "has", CEDAR_X_HAS },
		{ "like", CEDAR_X_LIKE }, { "is", CEDAR_X_IS },
	};
	size_t i;

	for (i = 0; i < sizeof(relations) / sizeof(relations[0]); i++)
		if (cedar_lex_at(lexer, relations[i].text))
			return (int)relations[i].op;
	return -1;
}

static int
parse_relation(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	size_t start = lexer->token.start;
	struct cedar_expr *kids[2];
	int rc = parse_sum(lexer, out), op;

	if (rc != 0)
		return rc;
	op = relation_op(lexer);
	if (op < 0 && cedar_lex_at(lexer, "="))
		return cedar_lex_wrong(lexer, "`==` for equality");
	if (op < 0)
		return 0;
	rc = cedar_lex_next(lexer);
	if (rc != 0)
		return rc;
	if (op == CEDAR_X_HAS) {
		rc = parse_has(lexer, start, out);
	} else if (op == CEDAR_X_LIKE) {
		rc = parse_like(lexer, start, out);
	} else if (op == CEDAR_X_IS) {
		rc = parse_is(lexer, start, out);
	} else {
		kids[0] = *out;
		rc = parse_sum(lexer, &kids[1]);
		if (rc == 0)
			rc = made(lexer, cedar_expr_new(&maker,
			    (enum cedar_op)op, span_from(lexer, start), kids,
			    2), out);
	}
	if (rc == 0 && relation_op(lexer) >= 0)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX,
		    lexer->token.start,
		    "relations cannot be chained; add parentheses");
	return rc;
}

static int
parse_and(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	return parse_chain(lexer, parse_relation, CEDAR_X_AND, "&&", NULL, out);
}

static int
parse_or(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	return parse_chain(lexer, parse_and, CEDAR_X_OR, "||", NULL, out);
}

static int
parse_if(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = maker_of(lexer);
	size_t start = lexer->token.start;
	struct cedar_expr *kids[3];
	int rc = cedar_lex_next(lexer);

	if (rc == 0)
		rc = cedar_parse_expr(lexer, &kids[0]);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, "then", "after a condition");
	if (rc == 0)
		rc = cedar_parse_expr(lexer, &kids[1]);
	if (rc == 0)
		rc = cedar_lex_expect(lexer, "else", "after a then branch");
	if (rc == 0)
		rc = cedar_parse_expr(lexer, &kids[2]);
	return rc != 0 ? rc : made(lexer, cedar_expr_new(&maker, CEDAR_X_IF,
	    span_from(lexer, start), kids, 3), out);
}

/* Recursion runs through here and is bounded by CEDAR_MAX_NEST. */
int
cedar_parse_expr(struct cedar_lexer *lexer, struct cedar_expr **expr)
{
	int rc = cedar_lex_enter(lexer);

	if (rc != 0)
		return rc;
	rc = (cedar_lex_at(lexer, "if") ? parse_if : parse_or)(lexer, expr);
	cedar_lex_leave(lexer);
	return rc;
}
