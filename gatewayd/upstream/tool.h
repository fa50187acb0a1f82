/* One tool of the server, as it was listed, and what its definition says to us. */
#ifndef UPSTREAM_TOOL_H
#define UPSTREAM_TOOL_H

#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "common/outbound/header.h"

#define TOOL_NAME_MAX 128
#define TOOL_DEFINITION_MAX 262144
#define TOOL_PARAMS_MAX 32
#define TOOL_PARAM_NAME_MAX 64
#define TOOL_PATH_MAX 512

enum tool_param_type { PARAM_STRING, PARAM_INTEGER, PARAM_BOOLEAN };

/* An argument that also goes into a header (x-mcp-header, digest 2.5). */
struct tool_param {
	enum tool_param_type type;
	unsigned depth;                        /* names in path */
	char path[TOOL_PATH_MAX];              /* member names from the arguments' root, each with its NUL */
	char header[11 + TOOL_PARAM_NAME_MAX]; /* "Mcp-Param-Region" */
};

struct tool {
	char name[TOOL_NAME_MAX + 1];
	uint8_t tier, floor; /* what explicit annotations say; 0 nothing */
	char *definition;    /* owned: its compact JSON */
	size_t definition_len;
	char *canonical; /* owned: the same in canonical form, which is pinned */
	size_t canonical_len;
	struct tool_param *params; /* owned */
	size_t nparams;
};

/*
 * Reads the definition at token t. KG_E_INVALID with *why (static) for a tool that must be dropped;
 * with_headers: the server speaks HTTP, so that a bad x-mcp-header counts.
 */
int tool_read(const struct json_doc *d, uint32_t t, bool with_headers, struct tool *out, const char **why) MUST_CHECK;
void tool_free(struct tool *t);

/*
 * Adds the Mcp-Param-* lines for these arguments (an object). KG_E_INVALID when an argument has not
 * the type that the schema names.
 */
int tool_param_headers(const struct tool *t, const struct json_doc *args, struct headers *h) MUST_CHECK;

/* Whether a name may be shown and called: 1 to 128 of [A-Za-z0-9_.-]. */
bool tool_name_ok(const char *name);

#endif
