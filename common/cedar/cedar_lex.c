#include "common/cedar/cedar_lex.h"

#include <stdio.h>

#include "common/cedar/cedar_escape.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_utf8.h"

static bool is_word_start(char c)
{
	return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
	return is_word_start(c) || is_digit(c);
}

bool cedar_word_is_reserved(struct cedar_str word)
{
	static const char *const reserved[] = {"if", "true", "false", "then", "else",
					       "in", "is",   "has",   "like", "__cedar"};
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (cedar_str_is(word, reserved[i]))
			return true;
	return false;
}

bool cedar_word_is_valid(struct cedar_str s)
{
	size_t i;

	if (s.n == 0 || !is_word_start(s.p[0]))
		return false;
	for (i = 1; i < s.n; i++)
		if (!is_word_char(s.p[i]))
			return false;
	return true;
}

bool cedar_path_is_valid(struct cedar_str s)
{
	size_t start = 0, i;
	struct cedar_str word;

	for (i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != ':')
			continue;
		word = (struct cedar_str){s.p + start, i - start};
		if (!cedar_word_is_valid(word) || cedar_word_is_reserved(word))
			return false;
		if (i < s.n && (i + 1 == s.n || s.p[++i] != ':'))
			return false;
		start = i + 1;
	}
	return true;
}

bool cedar_path_is_action(struct cedar_str type)
{
	static const struct cedar_str last = {"Action", 6};

	return type.n >= last.n && memcmp(type.p + type.n - last.n, last.p, last.n) == 0 &&
	       (type.n == last.n || type.p[type.n - last.n - 1] == ':');
}

static size_t skip_comment(struct cedar_str text, size_t at)
{
	while (at < text.n && text.p[at] != '\n' && text.p[at] != '\r')
		at++;
	return at;
}

/* The first byte that is neither white space nor in a comment. */
static size_t skip_blank(struct cedar_str text, size_t at)
{
	struct cedar_str rest;
	uint32_t scalar;
	size_t length;

	while (at < text.n) {
		rest = (struct cedar_str){text.p + at, text.n - at};
		if (rest.n >= 2 && rest.p[0] == '/' && rest.p[1] == '/') {
			at = skip_comment(text, at);
			continue;
		}
		length = cedar_utf8_decode(rest, &scalar);
		if (!cedar_utf8_is_space(scalar))
			break;
		at += length;
	}
	return at;
}

static int scan_string(struct cedar_lexer *lexer, size_t start)
{
	struct cedar_str text = lexer->text;
	size_t at = start + 1;

	while (at < text.n && text.p[at] != '"') {
		if (text.p[at] == '\\' && at + 1 < text.n && text.p[at + 1] == '\n')
			return cedar_fail(lexer->error, CEDAR_E_SYNTAX, at,
					  "a backslash at the end of a line in a string");
		at += text.p[at] == '\\' ? 2 : 1;
	}
	if (at >= text.n)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, start, "this string is not closed");
	lexer->at = at + 1;
	return 0;
}

static size_t scan_while(struct cedar_str text, size_t at, bool (*belongs)(char))
{
	while (at < text.n && belongs(text.p[at]))
		at++;
	return at;
}

/* Length of the punctuation at `s`, longest first; 0 if there is none. */
static size_t match_punct(struct cedar_str s)
{
	static const char pairs[][3] = {"::", "==", "!=", "<=", ">=", "||", "&&"};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (s.n >= 2 && memcmp(s.p, pairs[i], 2) == 0)
			return 2;
	return s.p[0] != '\0' && strchr("@.,;:(){}[]<>+-*/%!=?", s.p[0]) != NULL;
}

static int scan_token(struct cedar_lexer *lexer, size_t start, enum cedar_token_kind *kind)
{
	struct cedar_str text = lexer->text;
	char c = text.p[start];
	size_t length;

	if (c == '"') {
		*kind = CEDAR_T_STRING;
		return scan_string(lexer, start);
	}
	if (is_word_start(c) || is_digit(c)) {
		*kind = is_digit(c) ? CEDAR_T_INT : CEDAR_T_WORD;
		lexer->at = scan_while(text, start, is_digit(c) ? is_digit : is_word_char);
		return 0;
	}
	if (c == '?' && start + 1 < text.n && is_word_start(text.p[start + 1])) {
		*kind = CEDAR_T_SLOT;
		lexer->at = scan_while(text, start + 1, is_word_char);
		return 0;
	}
	length = match_punct((struct cedar_str){text.p + start, text.n - start});
	if (length == 0)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, start, "this character begins no token");
	*kind = CEDAR_T_PUNCT;
	lexer->at = start + length;
	return 0;
}

int cedar_lex_next(struct cedar_lexer *lexer)
{
	enum cedar_token_kind kind = CEDAR_T_END;
	size_t start;
	int rc;

	lexer->last_end = lexer->token.end;
	start = skip_blank(lexer->text, lexer->at);
	lexer->at = start;
	if (start < lexer->text.n) {
		rc = scan_token(lexer, start, &kind);
		if (rc != 0)
			return rc;
	}
	lexer->token = (struct cedar_token){kind, start, lexer->at, {lexer->text.p + start, lexer->at - start}};
	return 0;
}

int cedar_lex_init(struct cedar_lexer *lexer, struct cedar_str text, struct cedar_arena *arena,
		   struct cedar_error *error)
{
	size_t bad;

	*lexer = (struct cedar_lexer){.text = text, .arena = arena, .error = error};
	if (text.n == 0)
		lexer->text.p = "";
	if (text.n > CEDAR_MAX_TEXT)
		return cedar_fail(error, CEDAR_E_LIMIT, 0, "the text is longer than %u bytes", CEDAR_MAX_TEXT);
	bad = cedar_utf8_check(text);
	if (bad < text.n)
		return cedar_fail(error, CEDAR_E_SYNTAX, bad, "the text is not UTF-8 here");
	return cedar_lex_next(lexer);
}

bool cedar_lex_at(const struct cedar_lexer *lexer, const char *text)
{
	return (lexer->token.kind == CEDAR_T_WORD || lexer->token.kind == CEDAR_T_PUNCT) &&
	       cedar_str_is(lexer->token.text, text);
}

int cedar_lex_accept(struct cedar_lexer *lexer, const char *text)
{
	int rc;

	if (!cedar_lex_at(lexer, text))
		return 0;
	rc = cedar_lex_next(lexer);
	return rc != 0 ? rc : 1;
}

int cedar_lex_wrong(struct cedar_lexer *lexer, const char *what)
{
	if (lexer->token.kind == CEDAR_T_END)
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start, "expected %s, found the end", what);
	return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start, "expected %s, found `%.*s`", what,
			  CEDAR_SHOW(lexer->token.text));
}

int cedar_lex_expect(struct cedar_lexer *lexer, const char *text, const char *where)
{
	char what[64];

	if (cedar_lex_at(lexer, text))
		return cedar_lex_next(lexer);
	(void)snprintf(what, sizeof(what), "`%s` %s", text, where);
	return cedar_lex_wrong(lexer, what);
}

int cedar_lex_name(struct cedar_lexer *lexer, struct cedar_str *name)
{
	struct cedar_str word = lexer->token.text;

	if (lexer->token.kind != CEDAR_T_WORD)
		return cedar_lex_wrong(lexer, "a name");
	if (cedar_word_is_reserved(word))
		return cedar_fail(lexer->error, CEDAR_E_SYNTAX, lexer->token.start, "`%.*s` is a reserved word",
				  CEDAR_SHOW(word));
	*name = word;
	return cedar_lex_next(lexer);
}

int cedar_lex_string(struct cedar_lexer *lexer, struct cedar_str *out)
{
	struct cedar_token token = lexer->token;
	struct cedar_str raw = {token.text.p + 1, token.text.n - 2};
	int rc;

	if (token.kind != CEDAR_T_STRING)
		return cedar_lex_wrong(lexer, "a string literal");
	rc = cedar_unescape(lexer->arena, raw, token.start + 1, out, lexer->error);
	return rc != 0 ? rc : cedar_lex_next(lexer);
}

int cedar_lex_enter(struct cedar_lexer *lexer)
{
	if (++lexer->nest <= CEDAR_MAX_NEST)
		return 0;
	return cedar_fail(lexer->error, CEDAR_E_LIMIT, lexer->token.start, "more than %u levels of nesting",
			  CEDAR_MAX_NEST);
}

void cedar_lex_leave(struct cedar_lexer *lexer)
{
	lexer->nest--;
}
