/* What the files of the expression parser share; private to them. */
#ifndef CEDAR_PARSE_PART_H
#define CEDAR_PARSE_PART_H

#include "common/cedar/cedar_parse.h"

struct cedar_maker cedar_parse_maker(struct cedar_lexer *lexer);

/* From byte `start` to the end of the last token taken. */
struct cedar_span cedar_parse_span(const struct cedar_lexer *lexer, size_t start);

/* Constructors report through *error; this passes the code on. */
int cedar_parse_made(struct cedar_lexer *lexer, struct cedar_expr *expr, struct cedar_expr **out);

/* Adds to a list, with a memory error if that fails. */
int cedar_parse_add(struct cedar_lexer *lexer, struct cedar_list *list, void *item);

/* Expressions separated by commas up to `close`, which is taken too. */
int cedar_parse_list(struct cedar_lexer *lexer, const char *close, struct cedar_list *list);

/* A literal, variable, entity, call, set, record or parentheses. */
int cedar_parse_primary(struct cedar_lexer *lexer, struct cedar_expr **out);

/* An integer token; `start` is where its sign stands, if negative. */
int cedar_parse_int(struct cedar_lexer *lexer, bool negative, size_t start, struct cedar_expr **out);

/* An attribute's name: a word or a string literal. */
int cedar_parse_key(struct cedar_lexer *lexer, struct cedar_str *key);

#endif
