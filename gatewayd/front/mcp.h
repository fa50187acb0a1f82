/* The Model Context Protocol as a front sees it: what arrives is classified, checked and sent on as one message. */
#ifndef GATEWAYD_FRONT_MCP_H
#define GATEWAYD_FRONT_MCP_H

#include "gatewayd/front/conn.h"

#define VERSION_MODERN "2026-07-28"
#define META_MAX 65536u
#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_CLIENT "io.modelcontextprotocol/clientInfo"
#define META_SERVER "io.modelcontextprotocol/serverInfo"

/* JSON-RPC 2.0, section 5.1, and the codes of revision 2026-07-28. */
enum rpc_code {
	RPC_PARSE = -32700,
	RPC_INVALID = -32600,
	RPC_NO_METHOD = -32601,
	RPC_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_HEADER = -32020,
	RPC_VERSION = -32022,
};

/* A refusal: what goes to the client. code 0: no refusal. */
struct refusal {
	int status;
	int code;
	const char *data; /* JSON for error.data, or NULL */
	char text[256];
};

/* Copies what matters of a head into c->head; a refusal is kept until the body has been read. */
void mcp_head(struct conn *c, const struct http1_head *h);
/* Handles a whole request; json is borrowed for the call. Answers at once or sends REQUEST to the broker. */
void mcp_body(struct conn *c, const char *json, size_t len);
/* The client has gone while its request was under way. */
void mcp_gone(struct conn *c);
/* What the broker answers. */
void mcp_reply(struct front *f, const struct ipc_reply *r);
void mcp_progress(struct front *f, const struct ipc_progress *p);
/* The broker is gone: every request that waits for it ends. */
void mcp_broker_lost(struct front *f);

/* Answers with a JSON-RPC error. fields: further header lines or "". */
void mcp_error(struct conn *c, const struct refusal *r, const char *fields);

/* One method that clients may call. */
struct mcp_rule {
	const char *name;
	uint8_t method; /* enum mcp_method */
	uint8_t eras;   /* enum mcp_era bits */
	bool notification;
	bool is_list;           /* its result carries cache hints in the modern era */
	const char *name_param; /* the member of params that Mcp-Name repeats; NULL: none */
	const char
		*unissued; /* a member of params that only an answer of ours could have given, and none does; or NULL */
};
/* NULL when the method is not known. */
const struct mcp_rule *mcp_rule_find(const struct json_doc *d, uint32_t method);
const struct mcp_rule *mcp_rule_of(uint8_t method);

/*
 * Classification and checks of digest 2.4, in the SDK's order: fills c->request and q (borrowing from d and
 * scratch). rule is NULL for notifications that change nothing.
 */
void mcp_classify(struct conn *c, const struct json_doc *d, struct ipc_request *q, struct refusal *r);

#endif
