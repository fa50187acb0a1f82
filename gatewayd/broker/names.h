/*
 * The names under which tools appear: server__tool, at most 64 characters.
 *
 * A server's name has no underscore, so the first "__" splits a name in one way only. A name
 * that would be longer keeps the first part of the tool's name and ends with "_" and 8 hexadecimal digits of
 * SHA-256(tool name), exactly 64 long. A name of exactly 64 that already ends so is rewritten
 * too: no whole name ever equals a shortened one, whatever tools a server adds later.
 */
#ifndef BROKER_NAMES_H
#define BROKER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define NAME_EXPOSED_MAX 64
#define NAME_TOOL_MAX 128

/* Whether this is a tool's name: 1-128 of [A-Za-z0-9_.-] (MCP, tools: names). */
bool name_is_tool(const void *name, size_t len);

/* What a tool of a server is called towards agents. */
void name_expose(const char *server, const char *tool, char out[NAME_EXPOSED_MAX + 1]);

/* How long the server's part before the first "__" is; 0 when there is none. */
size_t name_server_len(const void *name, size_t len);

#endif
