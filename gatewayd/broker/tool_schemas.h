/*
 * The JSON Schemas of a tool, compiled: what its arguments and its results are checked against. They
 * stay compiled while all together are within a bound; past it one is compiled for each check.
 */
#ifndef BROKER_TOOL_SCHEMAS_H
#define BROKER_TOOL_SCHEMAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "common/jsonschema/jsonschema.h"

#define TOOL_SCHEMAS_BYTES_MAX (4ul * 1048576u) /* of the texts of those that stay compiled */

struct tool_schema {
	uint32_t at, len;        /* its text in the definition; len 0: there is none */
	struct jsonschema *kept; /* owned; NULL: compiled when it is needed */
};

struct tool_def;

/* How much the texts of those that are kept have together; one for all tools. */
struct tool_schemas_room {
	size_t bytes;
};

/*
 * Compiles the schemas of a definition. False, with *error, when one of them does not compile (or leads to the
 * network): then nothing of the tool can be checked.
 */
bool tool_schemas_make(struct tool_def *d, struct tool_schemas_room *room, struct jsonschema_error *error);
void tool_schemas_free(struct tool_def *d, struct tool_schemas_room *room);

/* Checks token t of doc; KG_OK where there is no schema. As jsonschema_check() otherwise, or KG_E_NOMEM. */
int tool_schema_check(const struct tool_def *d, const struct tool_schema *s, const struct json_doc *doc, uint32_t t,
		      struct jsonschema_error *error) MUST_CHECK;

#endif
