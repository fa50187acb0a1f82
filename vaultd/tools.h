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

struct tools;

struct tools *tools_new(void);
void tools_free(struct tools *t);
/* Forgets everything. */
void tools_clear(struct tools *t);

/* One tool of a list to come; another generation begins a new list. KG_E_LIMIT, KG_E_INVALID. */
int tools_tell(struct tools *t, uint32_t generation, const char *name, uint8_t tier, uint8_t floor) MUST_CHECK;
/*
 * The list of this generation is complete and becomes the present one, each tool with the tier that
 * the operator's rules and its annotations give it. KG_E_PROTO for a wrong count or a double name.
 */
int tools_done(struct tools *t, uint32_t generation, uint32_t count, const struct config_server *server) MUST_CHECK;

/* Whether a list has been completed. */
bool tools_known(const struct tools *t);
size_t tools_count(const struct tools *t);
/* TIER_DESTRUCTIVE for a tool that is not in the list. */
uint8_t tools_tier(const struct tools *t, const char *name);

#endif
