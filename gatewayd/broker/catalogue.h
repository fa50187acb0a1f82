/*
 * The tools of every upstream, by generation: a listing is staged tool by tool and takes the place
 * of the one before as a whole, or not at all.
 */
#ifndef BROKER_CATALOGUE_H
#define BROKER_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/ipc.h"
#include "gatewayd/broker/names.h"
#include "gatewayd/broker/tool_def.h"

#define CATALOGUE_TOOLS_MAX 1000               /* of one server */
#define CATALOGUE_BYTES_MAX (16ul * 1048576u)  /* of one server's definitions */
#define CATALOGUE_SCHEMAS_MAX (2ul * 1048576u) /* of the schemas in them that are compiled */

struct tool {
	const struct config_server *server;
	char name[NAME_TOOL_MAX + 1];                        /* the server's own */
	char exposed[NAME_EXPOSED_MAX + 1];                  /* server__tool */
	char qualified[SERVER_NAME_MAX + NAME_TOOL_MAX + 2]; /* server/tool, as consents say it */
	/*
	 * A tool with a schema that cannot be used is unclassified (design: policy, mapping): its arguments
	 * and results cannot be checked, so it counts as destructive, and policies are told schema_ok = false, on
	 * which the default set refuses it. Nothing lists it then until its server mends the schema.
	 */
	bool schema_ok;
	uint8_t tier; /* the effective one */
	struct tool_def def;
};

/* A listing that is complete; the tools in the order of their names. Dead with the next one. */
struct toolset {
	uint32_t generation;
	size_t count;
	struct tool **tool;
};

struct catalogue;

/* config is borrowed and outlives the catalogue. Fatal when out of memory. */
struct catalogue *catalogue_new(const struct config *config);
void catalogue_free(struct catalogue *c);

/*
 * One tool of server number `server` (its position in the configuration). A tool that cannot be shown is left
 * out with a warning; KG_E_PROTO only when the sender broke the order of the listing.
 */
int catalogue_put(struct catalogue *c, size_t server, const struct ipc_tool *m) MUST_CHECK;
/* The listing is complete and takes effect. */
int catalogue_done(struct catalogue *c, size_t server, const struct ipc_tools_done *m) MUST_CHECK;
/* Forgets what was staged: its sender is gone. */
void catalogue_unstage(struct catalogue *c, size_t server);

/* The current listing; NULL when there has been none. Borrowed until the next catalogue_done(). */
const struct toolset *catalogue_tools(const struct catalogue *c, size_t server);

/* The position of a server; -1 when there is none of this name. */
int catalogue_server(const struct catalogue *c, const void *name, size_t len);
/* A tool by the name agents know it by, and by its own name at its server; NULL when there is none. */
const struct tool *catalogue_find(const struct catalogue *c, const void *exposed, size_t len);
const struct tool *catalogue_find_own(const struct catalogue *c, size_t server, const void *name, size_t len);

#endif
