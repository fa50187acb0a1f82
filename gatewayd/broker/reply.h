/*
 * Answers to fronts. A front that is away, or has too much unread, loses answers of its own clients
 * and nobody else's.
 */
#ifndef BROKER_REPLY_H
#define BROKER_REPLY_H

#include <stdint.h>

#include "common/ipc.h"

/* JSON-RPC error codes. */
enum rpc_code {
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_BAD_REQUEST = -32000, /* the MCP SDKs' codes for what concerns sessions */
	RPC_REFUSED = -32001,
	RPC_CANCELLED = -32800,
};

#define REPLY_QUEUE_HIGH (IPC_QUEUE_MAX / 2)     /* then results become errors */
#define PROGRESS_QUEUE_HIGH (IPC_QUEUE_MAX / 64) /* then progress is dropped: it is only a courtesy */

/* What absence means to an agent. */
#define AUDIT_AWAY                                                                                                     \
	"the audit log (guardiand) is away, and no call is made without its record: try again, or see: keepgate "      \
	"status"
#define VAULT_AWAY                                                                                                     \
	"the vault (vaultd) is away, and no call is made without its consent: try again, or see: keepgate status"

struct peer;

void reply_error(struct peer *front, uint64_t request, uint32_t http, int32_t code, const char *text);
/* The same with error.data, raw JSON; empty for none. */
void reply_rpc_error(struct peer *front, uint64_t request, int32_t code, struct ipc_bytes message,
		     struct ipc_bytes data);
void reply_result(struct peer *front, uint64_t request, struct ipc_bytes body, const char *mcp_session);
/* A tool result with isError and this text. */
void reply_tool_error(struct peer *front, uint64_t request, const char *text);
void reply_accepted(struct peer *front, uint64_t request, uint32_t http);
void reply_progress(struct peer *front, uint64_t request, struct ipc_bytes members);

#endif
