/* A connection as a front sees it: the server's part, and what was copied of the MCP request on it. */
#ifndef GATEWAYD_FRONT_CONN_H
#define GATEWAYD_FRONT_CONN_H

#include "common/call.h"
#include "common/http/server.h"
#include "common/token.h"
#include "gatewayd/front/front.h"

#define CONN_OUT_MAX (2u * IPC_BODY_MAX + 65536u)

#define RAW_ID_MAX 256
#define PAGE_ID_LEN 32
#define HEADER_MAX 512

/* What the header fields said, copied: the buffer moves on. Strings are empty when the field was absent. */
struct request_head {
	enum http1_method method;
	char server[64];                /* /mcp/SERVER; "" for /mcp */
	char approval[PAGE_ID_LEN + 1]; /* /approvals/ID; "" for /mcp */
	char token[TOKEN_LEN + 1];
	char version[32], mcp_method[128], mcp_session[65], origin[HEADER_MAX], mcp_name[HEADER_MAX];
	bool has_mcp_name, has_mcp_method;
	bool accepts_both, is_json;
	int refused; /* a status to answer with once the body has been read; 0: none */
};

/* The request that is being answered. */
struct open_request {
	uint8_t era, method;
	bool notification;
	char id[RAW_ID_MAX + 1];       /* raw bytes, "null" when it could not be read */
	char progress[RAW_ID_MAX + 1]; /* the client's raw progress token; "" */
};

struct conn {
	struct http_conn http; /* first: one address for both */
	struct front *front;
	struct request_head head;
	struct open_request request;
};

/* What a front does with a connection (server.h). */
extern const struct http_service front_service;

static inline struct conn *conn_of(struct http_conn *c)
{
	return (struct conn *)c;
}

static inline struct conn *conn_of_call(struct front *f, uint64_t call)
{
	return conn_of(http_of_call(&f->http, call));
}

static inline uint64_t conn_call(const struct conn *c)
{
	return http_call(&c->http);
}

static inline void conn_respond(struct conn *c, int status, const char *type, const char *fields, const void *body,
				size_t len)
{
	http_respond(&c->http, status, type, fields, body, len);
}

#endif
