/*
 * A tool's definition as its server listed it: checked once, kept as the bytes that came, and
 * shown to agents as those bytes with few edits at known places.
 */
#ifndef BROKER_TOOL_DEF_H
#define BROKER_TOOL_DEF_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "common/json.h"
#include "gatewayd/broker/tool_schemas.h"

/* A place in the definition that is left out towards clients of these eras, or the name's place. */
struct tool_edit {
	uint32_t start, end;
	uint8_t eras; /* bits 1 << enum mcp_era; 0: the value of `name` */
};

#define TOOL_EDITS_MAX 3
#define TOOL_DEF_MAX 262144u /* of its canonical form, as vaultd takes it */

struct tool_def {
	char *text; /* owned */
	size_t len;
	uint8_t sha256[HASH_LEN];              /* of its canonical form: what the tool is pinned by */
	struct tool_edit edit[TOOL_EDITS_MAX]; /* in the order of the text */
	size_t nedits;
	struct tool_schema input, output;
};

/*
 * Checks a definition: a JSON object whose `name` is this name and whose `inputSchema` is an
 * object (MCP, tools). On KG_E_PROTO *why says what is wrong, without quoting it. doc is scratch memory.
 */
int tool_def_read(struct tool_def *out, const void *text, size_t len, const char *name, struct json_doc *doc,
		  const char **why) MUST_CHECK;
void tool_def_free(struct tool_def *d);

/* Appends the definition for a client of this era, with another name. */
int tool_def_put(struct buf *out, const struct tool_def *d, const char *name, enum mcp_era era) MUST_CHECK;

#endif
