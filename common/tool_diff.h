/* The difference between two definitions of a tool, for people: one line for each member that was added, removed or
 * changed. */
#ifndef COMMON_TOOL_DIFF_H
#define COMMON_TOOL_DIFF_H

#include "common/buf.h"
#include "common/err.h"

#define TOOL_DIFF_LINES_MAX 200

/*
 * Appends lines "+ /inputSchema/properties/bcc: {…}", "- PATH: …", "~ PATH: OLD -> NEW" (paths are JSON pointers,
 * values compact and cut at 200 bytes of whole characters, control characters escaped), at most TOOL_DIFF_LINES_MAX,
 * then how many more there are. Both texts are JSON; KG_E_PROTO when one is not.
 */
int tool_diff(struct buf *out, const char *before, size_t before_len, const char *after, size_t after_len) MUST_CHECK;

#endif
