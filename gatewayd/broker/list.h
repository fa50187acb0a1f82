/* tools/list: what this session could be allowed to call, in one page. */
#ifndef BROKER_LIST_H
#define BROKER_LIST_H

#include "common/buf.h"
#include "common/err.h"
#include "gatewayd/broker/decide.h"

#define LIST_ALL_SERVERS (-1)

/* What the decision point of others lets a list show. */
struct list_filter {
	bool (*lets)(void *arg, size_t server, const struct tool *t);
	void *arg;
};

struct list_query {
	const struct session *session;
	enum mcp_era era;
	int server; /* its position: only this one, under its own names; or LIST_ALL_SERVERS */
	struct ipc_bytes source;
	uint64_t now_unix;
	const struct list_filter *filter; /* NULL: the local decision alone */
};

/* Gets each tool that the local decision shows, with its server's position and its own there. Ends when it returns
 * other than KG_OK. */
typedef int list_fn(void *arg, const struct tool *t, size_t server, size_t place);
int list_each(struct broker *b, const struct list_query *q, list_fn *fn, void *arg) MUST_CHECK;

/*
 * Appends the result object. Servers come in the order of the configuration, tools in that of
 * their names: the same list whatever the connection. KG_E_LIMIT when it passes the buffer's maximum.
 */
int list_build(struct buf *out, struct broker *b, const struct list_query *q) MUST_CHECK;

/* Builds it, and answers the request; or says that it is too long. */
struct peer;
void list_answer(struct broker *b, const struct list_query *q, struct peer *front, uint64_t request);

#endif
