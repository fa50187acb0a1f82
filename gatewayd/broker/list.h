/* tools/list: what this session could be allowed to call, in one page. */
#ifndef BROKER_LIST_H
#define BROKER_LIST_H

#include "common/buf.h"
#include "common/err.h"
#include "gatewayd/broker/decide.h"

#define LIST_ALL_SERVERS (-1)

struct list_query {
	const struct session *session;
	enum mcp_era era;
	int server; /* its position: only this one, under its own names; or LIST_ALL_SERVERS */
	struct ipc_bytes source;
	uint64_t now_unix;
};

/*
 * Appends the result object. Servers come in the order of the configuration, tools in that of
 * their names: the same list whatever the connection. KG_E_LIMIT when it passes the buffer's maximum.
 */
int list_build(struct buf *out, struct broker *b, const struct list_query *q) MUST_CHECK;

#endif
