/* Escapes of string literals and of `like` patterns. */
#ifndef CEDAR_ESCAPE_H
#define CEDAR_ESCAPE_H

#include "common/cedar/cedar_arena.h"
#include "common/cedar/cedar_error.h"

/* A pattern: literal pieces with one wildcard between each two. */
struct cedar_pattern {
	struct cedar_str *pieces; /* some may be empty */
	size_t count;             /* at least 1 */
};

/* Undoes the escapes of `raw` (no quotes), which begins at byte `offset`. */
int cedar_unescape(struct cedar_arena *arena, struct cedar_str raw, size_t offset, struct cedar_str *out,
		   struct cedar_error *error);

/* The same for a pattern: '*' is a wildcard unless written "\*". */
int cedar_unescape_pattern(struct cedar_arena *arena, struct cedar_str raw, size_t offset, struct cedar_pattern *out,
			   struct cedar_error *error);

#endif
