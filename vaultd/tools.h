/*
 * The tools of one server as its role has listed them, with the tier that a call needs. A new
 * list takes effect whole, when it is complete.
 */
#ifndef VAULTD_TOOLS_H
#define VAULTD_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

#define TOOLS_MAX 1000
#define TOOL_NAME_MAX 128
#define TOOLS_BYTES_MAX ((size_t)16 * 1048576) /* definitions of one list */

struct tools;

struct tool {
	char name[TOOL_NAME_MAX + 1];
	uint8_t tier, floor;      /* as told; in a present list tier is the one in force */
	uint8_t sha256[HASH_LEN]; /* of its definition */
	uint8_t *definition;      /* owned, canonical JSON; NULL after tools_drop_definitions() */
	size_t len;
};

struct tools *tools_new(void);
void tools_free(struct tools *t);
/* Forgets everything. */
void tools_clear(struct tools *t);

/*
 * One tool of a list to come; another generation begins a new list. The definition is copied, never read.
 * KG_E_LIMIT, KG_E_INVALID, KG_E_NOMEM.
 */
struct tool_told {
	const char *name;
	uint8_t tier, floor;
	const void *definition;
	size_t len;
};
int tools_tell(struct tools *t, uint32_t generation, const struct tool_told *x) MUST_CHECK;
/*
 * The list of this generation is complete and becomes the present one, each tool with the tier that
 * the operator's rules and its annotations give it. KG_E_PROTO for a wrong count or a double name.
 */
int tools_done(struct tools *t, uint32_t generation, uint32_t count, const struct config_server *server) MUST_CHECK;

/* Whether a list has been completed. */
bool tools_known(const struct tools *t);
size_t tools_count(const struct tools *t);
/* Sorted by name. Borrowed until the next list. */
const struct tool *tools_at(const struct tools *t, size_t i);
/* NULL when it is not in the list. */
const struct tool *tools_find(const struct tools *t, const char *name);
/* What they were kept for is done. */
void tools_drop_definitions(struct tools *t);

/* 1 to 128 of A-Z a-z 0-9 _ . - */
bool tool_name_ok(const char *name);

#endif
