/* Policy text in one layout. */
#ifndef CEDAR_FORMAT_H
#define CEDAR_FORMAT_H

#include "common/cedar/cedar_arena.h"
#include "common/cedar/cedar_error.h"

/* Enough for the largest text. */
#define CEDAR_FORMAT_ARENA ((size_t)8 << 30)

/*
 * Lays out `text`, which must parse, into *out (in `arena`). Tokens and comments
 * stay as they are, only white space changes; formatting twice changes nothing
 * more. 0 or a negated code with *error set.
 */
int cedar_format_policies(struct cedar_str text, struct cedar_arena *arena, struct cedar_str *out,
			  struct cedar_error *error);

#endif
