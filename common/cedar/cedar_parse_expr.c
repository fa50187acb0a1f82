#include "common/cedar/cedar_parse_part.h"

#define MAX_UNARY 4u

typedef int parse_fn(struct cedar_lexer *, struct cedar_expr **);

static int parse_method(struct cedar_lexer *lexer, struct cedar_str name, size_t start, size_t name_at,
			struct cedar_expr **expr)
{
	enum cedar_fn fn = cedar_fn_find(name);
	struct cedar_maker maker = cedar_parse_maker(lexer);
	struct cedar_list args = {0};
	const struct cedar_fn_info *info;
	int rc;

	if (fn == CEDAR_FN_NONE || cedar_fn_info(fn)->form == CEDAR_FN_CONSTRUCTOR)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, name_at, "`%.*s` is not a method", CEDAR_SHOW(name));
	rc = cedar_parse_add(lexer, &args, *expr);
	if (rc == 0)
		rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = cedar_parse_list(lexer, ")", &args);
	if (rc != 0)
		return rc;
	info = cedar_fn_info(fn);
	if (info->form == CEDAR_FN_BUILTIN && args.count != info->arity)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, name_at, "%s takes %u argument%s, %zu given",
				  info->name, info->arity - 1, info->arity == 2 ? "" : "s", args.count - 1);
	return cedar_parse_made(lexer,
				cedar_expr_call(&maker, cedar_parse_span(lexer, start), fn,
						(struct cedar_expr **)args.items, args.count),
				expr);
}

/* .name, .name(...) or ["name"] after an expression. */
static int parse_access(struct cedar_lexer *lexer, size_t start, struct cedar_expr **expr)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	bool index = cedar_lex_at(lexer, "[");
	struct cedar_str name;
	size_t name_at;
	int rc = cedar_lex_next(lexer);

	name_at = lexer->token.start;
	if (rc == 0)
		rc = index ? cedar_lex_string(lexer, &name) : cedar_lex_name(lexer, &name);
	if (rc == 0 && index)
		rc = cedar_lex_expect(lexer, "]", "after an attribute's name");
	if (rc != 0)
		return rc;
	if (!index && cedar_lex_at(lexer, "("))
		return parse_method(lexer, name, start, name_at, expr);
	return cedar_parse_made(
		lexer, cedar_expr_named(&maker, CEDAR_X_ATTR, cedar_parse_span(lexer, start), *expr, name), expr);
}

static int parse_member(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	size_t start = lexer->token.start;
	int rc = cedar_parse_primary(lexer, out);

	while (rc == 0 && (cedar_lex_at(lexer, ".") || cedar_lex_at(lexer, "[")))
		rc = parse_access(lexer, start, out);
	if (rc == 0 && cedar_lex_at(lexer, "("))
		rc = cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start, "this expression cannot be called");
	return rc;
}

/* Whether the token after an integer makes it part of a member access. */
static bool access_follows(const struct cedar_lexer *lexer)
{
	struct cedar_lexer ahead = *lexer;
	struct cedar_error ignored;

	ahead.error = &ignored;
	return cedar_lex_next(&ahead) == 0 &&
	       (cedar_lex_at(&ahead, ".") || cedar_lex_at(&ahead, "[") || cedar_lex_at(&ahead, "("));
}

static int parse_unary(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	bool minus = cedar_lex_at(lexer, "-");
	size_t starts[MAX_UNARY + 1] = {lexer->token.start}, count = 0;
	int rc = 0;

	if (!minus && !cedar_lex_at(lexer, "!"))
		return parse_member(lexer, out);
	while (rc == 0 && cedar_lex_at(lexer, minus ? "-" : "!")) {
		if (count == MAX_UNARY)
			return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start,
					  "more than %u unary operators in a row", MAX_UNARY);
		starts[count++] = lexer->token.start;
		rc = cedar_lex_next(lexer);
	}
	if (rc != 0)
		return rc;
	if (minus && lexer->token.kind == CEDAR_T_INT && !access_follows(lexer)) {
		count--;
		rc = cedar_parse_int(lexer, true, starts[count], out);
	} else {
		rc = parse_member(lexer, out);
	}
	while (rc == 0 && count-- > 0)
		rc = cedar_parse_made(lexer,
				      cedar_expr_new(&maker, minus ? CEDAR_X_NEG : CEDAR_X_NOT,
						     cedar_parse_span(lexer, starts[count]), out, 1),
				      out);
	return rc;
}

/* item { separator item },
    flattened; `second` is the other separator or NULL. */
static int parse_chain(struct cedar_lexer *lexer, parse_fn *item, enum cedar_op op, const char *separator,
		       const char *second, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	size_t start = lexer->token.start, i;
	struct cedar_list kids = {0}, signs = {0};
	struct cedar_expr *kid;
	char *marks;
	int rc = item(lexer, out);

	if (rc != 0 || (!cedar_lex_at(lexer, separator) && (second == NULL || !cedar_lex_at(lexer, second))))
		return rc;
	rc = cedar_parse_add(lexer, &kids, *out);
	if (rc == 0)
		rc = cedar_parse_add(lexer, &signs, (void *)(uintptr_t)'+');
	while (rc == 0 && (cedar_lex_at(lexer, separator) || (second != NULL && cedar_lex_at(lexer, second)))) {
		rc = cedar_parse_add(lexer, &signs, (void *)(uintptr_t)lexer->token.text.p[0]);
		if (rc == 0)
			rc = cedar_lex_next(lexer);
		if (rc == 0)
			rc = item(lexer, &kid);
		if (rc == 0)
			rc = cedar_parse_add(lexer, &kids, kid);
	}
	marks = cedar_arena_alloc(lexer->arena, kids.count);
	if (rc != 0 || marks == NULL)
		return rc != 0 ? rc : cedar_parse_add(lexer, &kids, NULL);
	for (i = 0; i < kids.count; i++)
		marks[i] = (char)(uintptr_t)signs.items[i];
	return cedar_parse_made(lexer,
				cedar_expr_chain(&maker, op, cedar_parse_span(lexer, start),
						 (struct cedar_expr **)kids.items, marks, kids.count),
				out);
}

static int parse_product(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	int rc = parse_chain(lexer, parse_unary, CEDAR_X_PRODUCT, "*", NULL, out);

	if (rc == 0 && (cedar_lex_at(lexer, "/") || cedar_lex_at(lexer, "%")))
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start,
				  "Cedar has no division or remainder");
	return rc;
}

static int parse_sum(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	return parse_chain(lexer, parse_product, CEDAR_X_SUM, "+", "-", out);
}

/* `has` a.b.c or "a", after the word. */
static int parse_has(struct cedar_lexer *lexer, size_t start, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	struct cedar_list words = {0};
	bool quoted = lexer->token.kind == CEDAR_T_STRING;
	struct cedar_str name, *kept;
	size_t i;
	int rc = cedar_parse_key(lexer, &name), more = 1;

	while (rc == 0 && more == 1) {
		kept = cedar_arena_alloc(lexer->arena, sizeof(*kept));
		if (kept != NULL)
			*kept = name;
		rc = kept == NULL ? -CEDAR_E_MEMORY : cedar_parse_add(lexer, &words, kept);
		more = rc != 0 || quoted ? 0 : cedar_lex_accept(lexer, ".");
		if (more == 1)
			rc = cedar_lex_name(lexer, &name);
		else if (more < 0)
			rc = more;
	}
	if (rc == 0)
		rc = cedar_parse_made(lexer,
				      cedar_expr_new(&maker, CEDAR_X_HAS, cedar_parse_span(lexer, start), out, 1), out);
	if (rc != 0)
		return rc;
	(*out)->names = cedar_arena_array(lexer->arena, words.count, sizeof(name));
	if ((*out)->names == NULL)
		return cedar_parse_add(lexer, &words, NULL);
	for (i = 0; i < words.count; i++)
		(*out)->names[i] = *(struct cedar_str *)words.items[i];
	(*out)->name_count = (uint32_t)words.count;
	return 0;
}

static int parse_like(struct cedar_lexer *lexer, size_t start, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	struct cedar_token token = lexer->token;
	struct cedar_pattern *pattern;
	int rc;

	if (token.kind != CEDAR_T_STRING)
		return cedar_lex_wrong(lexer, "a string literal after `like`");
	pattern = cedar_arena_alloc(lexer->arena, sizeof(*pattern));
	if (pattern == NULL)
		return cedar_fail(lexer->error, CEDAR_E_MEMORY, start, "out of memory");
	rc = cedar_unescape_pattern(lexer->arena, (struct cedar_str){token.text.p + 1, token.text.n - 2},
				    token.start + 1, pattern, lexer->error);
	if (rc == 0)
		rc = cedar_lex_next(lexer);
	if (rc == 0)
		rc = cedar_parse_made(
			lexer, cedar_expr_new(&maker, CEDAR_X_LIKE, cedar_parse_span(lexer, start), out, 1), out);
	if (rc == 0)
		(*out)->pattern = pattern;
	return rc;
}

static int parse_is(struct cedar_lexer *lexer, size_t start, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
	struct cedar_expr *kids[2] = {*out, NULL};
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
		rc = cedar_parse_made(
			lexer, cedar_expr_named(&maker, CEDAR_X_IS, cedar_parse_span(lexer, start), kids[0], type),
			out);
	if (rc != 0 || count == 1)
		return rc;
	type = *(*out)->names;
	rc = cedar_parse_made(lexer, cedar_expr_new(&maker, CEDAR_X_IS, cedar_parse_span(lexer, start), kids, 2),
			      &kids[0]);
	if (rc == 0) {
		kids[0]->names = (*out)->names;
		kids[0]->name_count = 1;
		*out = kids[0];
	}
	return rc;
}

static int relation_op(const struct cedar_lexer *lexer)
{
	static const struct {
		const char *text;
		enum cedar_op op;
	} relations[] = {
		{"==", CEDAR_X_EQ},     {"!=", CEDAR_X_NE}, {"<", CEDAR_X_LT},  {"<=", CEDAR_X_LE},
		{">", CEDAR_X_GT},      {">=", CEDAR_X_GE}, {"in", CEDAR_X_IN}, {"has", CEDAR_X_HAS},
		{"like", CEDAR_X_LIKE}, {"is", CEDAR_X_IS},
	};
	size_t i;

	for (i = 0; i < sizeof(relations) / sizeof(relations[0]); i++)
		if (cedar_lex_at(lexer, relations[i].text))
			return (int)relations[i].op;
	return -1;
}

static int parse_relation(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
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
			rc = cedar_parse_made(
				lexer,
				cedar_expr_new(&maker, (enum cedar_op)op, cedar_parse_span(lexer, start), kids, 2),
				out);
	}
	if (rc == 0 && relation_op(lexer) >= 0)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start,
				  "relations cannot be chained; add parentheses");
	return rc;
}

static int parse_and(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	return parse_chain(lexer, parse_relation, CEDAR_X_AND, "&&", NULL, out);
}

static int parse_or(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	return parse_chain(lexer, parse_and, CEDAR_X_OR, "||", NULL, out);
}

static int parse_if(struct cedar_lexer *lexer, struct cedar_expr **out)
{
	struct cedar_maker maker = cedar_parse_maker(lexer);
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
	return rc != 0 ? rc
		       : cedar_parse_made(lexer,
					  cedar_expr_new(&maker, CEDAR_X_IF, cedar_parse_span(lexer, start), kids, 3),
					  out);
}

/* Recursion runs through here and is bounded by CEDAR_MAX_NEST. */
int cedar_parse_expr(struct cedar_lexer *lexer, struct cedar_expr **expr)
{
	int rc = cedar_lex_enter(lexer);

	if (rc != 0)
		return rc;
	rc = (cedar_lex_at(lexer, "if") ? parse_if : parse_or)(lexer, expr);
	cedar_lex_leave(lexer);
	return rc;
}
