#include "common/cedar/cedar_format.h"

#include "common/cedar/cedar_parse.h"

#define INDENT 2u
#define GROWTH 8u /* output bytes a token may need beside itself */

/* Where in a policy the present token stands. */
enum region { HEAD, SCOPE, BETWEEN, CONDITION };

struct writer {
	struct cedar_lexer lexer;
	struct cedar_token last; /* the token before */
	char *out;
	size_t n;
	size_t capacity;
	enum region region;
	unsigned int depth; /* brackets inside the region */
	bool broad;         /* each scope test has its line */
	bool unary;         /* the token before is a sign */
};

static int reserve(struct writer *w, size_t more)
{
	size_t capacity = w->capacity == 0 ? 1024 : w->capacity;
	char *bytes;

	while (capacity - w->n < more)
		if (__builtin_mul_overflow(capacity, 2u, &capacity))
			return -1;
	if (capacity == w->capacity)
		return 0;
	bytes = cedar_arena_alloc(w->lexer.arena, capacity);
	if (bytes == NULL)
		return cedar_fail(w->lexer.error, CEDAR_E_MEMORY, 0, "out of memory");
	if (w->n > 0)
		memcpy(bytes, w->out, w->n);
	w->out = bytes;
	w->capacity = capacity;
	return 0;
}

static int put(struct writer *w, struct cedar_str s)
{
	int rc = reserve(w, s.n + GROWTH);

	if (rc == 0 && s.n > 0) {
		memcpy(w->out + w->n, s.p, s.n);
		w->n += s.n;
	}
	return rc;
}

static unsigned int indent_of(const struct writer *w)
{
	if (w->region == SCOPE && w->broad)
		return INDENT;
	return w->region == CONDITION ? INDENT * (1 + w->depth) : 0;
}

/* To the start of a line, unless there already; never leaves trailing blanks. */
static int put_line(struct writer *w, unsigned int indent)
{
	int rc = 0;

	while (w->n > 0 && w->out[w->n - 1] == ' ')
		w->n--;
	if (w->n > 0 && w->out[w->n - 1] != '\n')
		rc = put(w, CEDAR_STR("\n"));
	while (rc == 0 && indent-- > 0)
		rc = put(w, CEDAR_STR(" "));
	return rc;
}

static bool at_line_start(const struct writer *w)
{
	size_t i = w->n;

	while (i > 0 && w->out[i - 1] == ' ')
		i--;
	return i == 0 || w->out[i - 1] == '\n';
}

/* The comments between two tokens, each on a line of its own. */
static int put_comments(struct writer *w, size_t from, size_t to)
{
	struct cedar_str text = w->lexer.text, comment;
	int rc = 0;

	while (rc == 0 && from + 1 < to) {
		if (text.p[from] != '/') {
			from++;
			continue;
		}
		comment = (struct cedar_str){text.p + from, 0};
		while (from < to && text.p[from] != '\n' && text.p[from] != '\r')
			from++;
		comment.n = (size_t)(text.p + from - comment.p);
		while (comment.n > 0 && comment.p[comment.n - 1] == ' ')
			comment.n--;
		rc = put_line(w, indent_of(w));
		if (rc == 0)
			rc = put(w, comment);
		if (rc == 0)
			rc = put(w, CEDAR_STR("\n"));
		if (rc == 0)
			rc = put_line(w, indent_of(w));
	}
	return rc;
}

static bool is_one_of(const struct cedar_token *token, const char *const *texts)
{
	if (token->kind != CEDAR_T_WORD && token->kind != CEDAR_T_PUNCT)
		return false;
	for (; *texts != NULL; texts++)
		if (cedar_str_is(token->text, *texts))
			return true;
	return false;
}

/* Whether a value ends with this token, so that - is binary and [ an index. */
static bool ends_value(const struct cedar_token *token)
{
	static const char *const words[] = {"if", "then", "else", "in", "is", "has", "like", NULL};
	static const char *const closing[] = {")", "]", "}", NULL};

	if (token->kind == CEDAR_T_WORD)
		return !is_one_of(token, words);
	return token->kind == CEDAR_T_PUNCT ? is_one_of(token, closing) : token->kind != CEDAR_T_END;
}

static bool needs_space(const struct writer *w)
{
	static const char *const tight_after[] = {"(", "[", "{", ".", "::", "@", "!", NULL};
	static const char *const tight_before[] = {")", "]", "}", ",", ";", ".", "::", ":", NULL};
	static const char *const opening[] = {"(", "[", NULL};
	const struct cedar_token *token = &w->lexer.token;

	if (w->unary || is_one_of(&w->last, tight_after) || is_one_of(token, tight_before))
		return false;
	if (is_one_of(token, opening) && w->region != HEAD)
		return !ends_value(&w->last);
	return w->region != HEAD || !is_one_of(token, opening) || w->last.text.n == 6;
}

/* Whether a scope test stands in the scope that begins here. */
static bool scope_is_broad(const struct cedar_lexer *lexer)
{
	static const char *const tests[] = {"==", "in", "is", NULL};
	struct cedar_lexer ahead = *lexer;

	while (ahead.token.kind != CEDAR_T_END && !cedar_lex_at(&ahead, ")")) {
		if (is_one_of(&ahead.token, tests))
			return true;
		if (cedar_lex_next(&ahead) != 0)
			break;
	}
	return false;
}

static bool opens(const struct cedar_token *token)
{
	static const char *const texts[] = {"(", "[", "{", NULL};

	return is_one_of(token, texts);
}

static bool closes(const struct cedar_token *token)
{
	static const char *const texts[] = {")", "]", "}", NULL};

	return is_one_of(token, texts);
}

/* Lines that must begin before the token. */
static int break_before(struct writer *w)
{
	static const char *const heads[] = {"permit", "forbid", "@", NULL};
	const struct cedar_token *token = &w->lexer.token;

	if (w->region == HEAD && is_one_of(token, heads) && !cedar_str_is(w->last.text, "@"))
		return put_line(w, 0);
	if (w->depth == 0 && closes(token) && (w->region == CONDITION || (w->region == SCOPE && w->broad))) {
		w->region = BETWEEN;
		return put_line(w, 0);
	}
	if (w->region == BETWEEN && token->kind == CEDAR_T_WORD)
		return put_line(w, 0);
	return 0;
}

/* A region's end and start, and the lines that follow some tokens. */
static int break_after(struct writer *w)
{
	static const char *const logic[] = {"&&", "||", NULL};
	const struct cedar_token *token = &w->last;

	if (w->region == HEAD && cedar_str_is(token->text, "(") && w->depth == 0 && token->kind == CEDAR_T_PUNCT) {
		w->region = SCOPE;
		w->broad = scope_is_broad(&w->lexer);
		return w->broad ? put_line(w, INDENT) : 0;
	}
	if (w->region == SCOPE && w->depth == 0 && w->broad && is_one_of(token, (const char *const[]){",", NULL}))
		return put_line(w, INDENT);
	if (w->region == BETWEEN && is_one_of(token, (const char *const[]){"{", NULL})) {
		w->region = CONDITION;
		return put_line(w, INDENT);
	}
	if (w->region == BETWEEN && is_one_of(token, (const char *const[]){";", NULL})) {
		w->region = HEAD;
		w->last = (struct cedar_token){.end = token->end};
		/* Policies are apart by one empty line. */
		return put(w, w->lexer.token.kind == CEDAR_T_END ? CEDAR_STR("\n") : CEDAR_STR("\n\n"));
	}
	if (w->region == CONDITION && w->depth == 0 && is_one_of(token, logic))
		return put_line(w, INDENT);
	return 0;
}

/* Brackets inside a region; those that bound it are not counted. */
static void count_brackets(struct writer *w)
{
	const struct cedar_token *token = &w->lexer.token;

	if (w->region == SCOPE && w->depth == 0 && closes(token) && cedar_str_is(token->text, ")")) {
		w->region = BETWEEN;
		return;
	}
	if (w->region != SCOPE && w->region != CONDITION && !(w->region == HEAD && cedar_str_is(w->last.text, "@")))
		return;
	if (opens(token))
		w->depth++;
	else if (closes(token) && w->depth > 0)
		w->depth--;
}

/* An annotation's value in parentheses is no scope. */
static bool opens_annotation(const struct writer *w, bool after_at)
{
	return w->region == HEAD && after_at && cedar_lex_at(&w->lexer, "(");
}

static int put_annotation_value(struct writer *w)
{
	int rc = 0;

	while (rc == 0 && !cedar_str_is(w->last.text, ")")) {
		rc = put(w, w->lexer.token.text);
		w->last = w->lexer.token;
		if (rc == 0)
			rc = cedar_lex_next(&w->lexer);
		if (rc == 0)
			rc = put_comments(w, w->last.end, w->lexer.token.start);
	}
	return rc != 0 ? rc : put_line(w, 0);
}

static int put_token(struct writer *w)
{
	static const char *const signs[] = {"-", "!", NULL};
	const struct cedar_token token = w->lexer.token;
	bool sign = is_one_of(&token, signs) && !ends_value(&w->last);
	int rc = break_before(w);

	if (rc == 0 && !at_line_start(w) && needs_space(w))
		rc = put(w, CEDAR_STR(" "));
	if (rc == 0)
		rc = put(w, token.text);
	count_brackets(w);
	w->unary = sign;
	w->last = token;
	if (rc == 0)
		rc = cedar_lex_next(&w->lexer);
	return rc != 0 ? rc : break_after(w);
}

static int write_all(struct writer *w)
{
	bool after_at = false, was_at;
	int rc = put_comments(w, 0, w->lexer.token.start);

	while (rc == 0 && w->lexer.token.kind != CEDAR_T_END) {
		if (opens_annotation(w, after_at)) {
			rc = put_annotation_value(w);
			after_at = false;
			continue;
		}
		was_at = cedar_str_is(w->last.text, "@");
		rc = put_token(w);
		after_at = was_at;
		if (rc == 0)
			rc = put_comments(w, w->last.end, w->lexer.token.start);
	}
	return rc != 0 ? rc : put_line(w, 0);
}

int cedar_format_policies(struct cedar_str text, struct cedar_arena *arena, struct cedar_str *out,
			  struct cedar_error *error)
{
	struct cedar_list parsed = {0};
	struct writer w = {0};
	int rc = cedar_parse_policies(text, arena, &parsed, error);

	if (rc == 0)
		rc = cedar_lex_init(&w.lexer, text, arena, error);
	if (rc == 0)
		rc = write_all(&w);
	if (rc == 0)
		*out = (struct cedar_str){w.out, w.n};
	return rc;
}
