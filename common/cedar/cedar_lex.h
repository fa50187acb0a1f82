/* Tokens of Cedar policy and schema text (spec, "Grammar", lexical part). */
#ifndef CEDAR_LEX_H
#define CEDAR_LEX_H

#include "common/cedar/cedar_arena.h"
#include "common/cedar/cedar_error.h"

enum cedar_token_kind {
	CEDAR_T_END,
	CEDAR_T_WORD,
	CEDAR_T_INT,
	CEDAR_T_STRING, /* with its quotes and escapes */
	CEDAR_T_SLOT,   /* ?name */
	CEDAR_T_PUNCT   /* compare .text */
};

struct cedar_token {
	enum cedar_token_kind kind;
	size_t start;
	size_t end;
	struct cedar_str text;
};

/* One token of lookahead over a text that the caller keeps alive. */
struct cedar_lexer {
	struct cedar_str text;
	size_t at;       /* first byte after `token` */
	size_t last_end; /* end of the token before */
	struct cedar_token token;
	unsigned int nest;         /* brackets open now */
	struct cedar_arena *arena; /* for unescaped strings */
	struct cedar_error *error;
};

/* Checks size and UTF-8 and reads the first token: 0 or a negated code. */
int cedar_lex_init(struct cedar_lexer *lexer, struct cedar_str text, struct cedar_arena *arena,
		   struct cedar_error *error);

/* Goes to the next token. */
int cedar_lex_next(struct cedar_lexer *lexer);

/* Whether the current token is this punctuation or this word. */
bool cedar_lex_at(const struct cedar_lexer *lexer, const char *text);

/* Goes on if the current token is `text`: 1 taken, 0 not there, negative error. */
int cedar_lex_accept(struct cedar_lexer *lexer, const char *text);

/* The same, and a syntax error naming `where` if it is not there. */
int cedar_lex_expect(struct cedar_lexer *lexer, const char *text, const char *where);

/* A syntax error at the current token: "expected <what>, found <token>". */
int cedar_lex_wrong(struct cedar_lexer *lexer, const char *what);

/* A word that is not reserved; then goes on. */
int cedar_lex_name(struct cedar_lexer *lexer, struct cedar_str *name);

/* A string literal, unescaped into the arena; then goes on. */
int cedar_lex_string(struct cedar_lexer *lexer, struct cedar_str *out);

/* Counts one more open bracket against CEDAR_MAX_NEST. */
int cedar_lex_enter(struct cedar_lexer *lexer);
void cedar_lex_leave(struct cedar_lexer *lexer);

/* Whether `word` may never be an identifier. */
bool cedar_word_is_reserved(struct cedar_str word);

/* Whether `s` is [_A-Za-z][_A-Za-z0-9]*. */
bool cedar_word_is_valid(struct cedar_str s);

/* Whether `s` is words joined by "::", none reserved, without space. */
bool cedar_path_is_valid(struct cedar_str s);

/* Whether a valid path ends in `Action`, as the types of actions do (spec, "Scope"). */
bool cedar_path_is_action(struct cedar_str type);

#endif
