/* Which files a stdio MCP server's sandbox holds beside the system's. Inside the lock alone. */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include "common/config.h"
#include "common/lock_rows.h"

/* A place and its access (enum lock_access); the path is borrowed for the call. */
typedef void (*sandbox_fn)(const char *path, unsigned access, void *arg);

/*
 * Calls fn for every place: what the configuration lists, the command's own file (with the tree around
 * a bin directory), paths among its arguments, and the packages of a script.
 */
void sandbox_places(const struct config_server *s, sandbox_fn fn, void *arg);

#endif
