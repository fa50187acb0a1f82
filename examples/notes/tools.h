/* The tools of the notes server: one in each tier. */
#ifndef EXAMPLES_NOTES_TOOLS_H
#define EXAMPLES_NOTES_TOOLS_H

#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"

/* Appends the array of all tools' definitions. */
void tools_put_list(struct buf *out);

/* The tool that string token `name` names; NULL when there is none. */
struct tool;
const struct tool *tools_find(const struct json_doc *d, uint32_t name);

/* Runs it and appends the members "content" and "isError" of its result. args is a token of d, or JSON_NONE. */
void tools_run(const struct tool *tool, const struct json_doc *d, uint32_t args, struct buf *out);

/* Appends text; a reply over the buffer's maximum ends the program. */
void put(struct buf *out, const char *text);
void put_string(struct buf *out, const char *text);

#endif
