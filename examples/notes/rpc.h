/* JSON-RPC and the two eras of MCP: 2025-11-25 with its handshake, 2026-07-28 with metadata in each request. */
#ifndef EXAMPLES_NOTES_RPC_H
#define EXAMPLES_NOTES_RPC_H

#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"

/* Appends the answer to one message, without a newline; nothing for a notification. d is scratch memory. */
void rpc_answer(struct json_doc *d, const char *line, size_t len, struct buf *out);

#endif
