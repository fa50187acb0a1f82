/* Policy text to trees (spec, "Policy grammar"). */
#ifndef CEDAR_PARSE_H
#define CEDAR_PARSE_H

#include "common/cedar/cedar_ast.h"
#include "common/cedar/cedar_lex.h"

/*
 * Parses all policies of `text` and appends `struct cedar_policy *` to `list`,
 * without ids. The trees borrow `text`; all else is in `arena`. An empty text is
 * an empty set. 0 or a negated code with *error set.
 */
int cedar_parse_policies(struct cedar_str text, struct cedar_arena *arena, struct cedar_list *list,
			 struct cedar_error *error);

/* Parses one expression that fills the whole of `text`. */
int cedar_parse_expr_text(struct cedar_str text, struct cedar_arena *arena, struct cedar_expr **expr,
			  struct cedar_error *error);

/* Parses one entity uid, such as `A::B::"id"`, that fills `text`. */
int cedar_parse_uid_text(struct cedar_str text, struct cedar_arena *arena, struct cedar_uid **uid,
			 struct cedar_error *error);

/* For the parsers themselves: one expression at the lexer's token. */
int cedar_parse_expr(struct cedar_lexer *lexer, struct cedar_expr **expr);

/* A path at the lexer's token, "::" without space; `stop` at `:: STRING`. */
int cedar_parse_path(struct cedar_lexer *lexer, struct cedar_str *path, bool *before_string);

/* path :: STRING at the lexer's token. */
int cedar_parse_uid(struct cedar_lexer *lexer, struct cedar_uid **uid);

#endif
