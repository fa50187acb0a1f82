#include "gatewayd/broker/list.h"

#include "gatewayd/broker/broker.h"
#include "gatewayd/broker/reply.h"

static int each_of(struct broker *b, const struct list_query *q, size_t server, list_fn *fn, void *arg)
{
	const struct toolset *set = catalogue_tools(b->catalogue, server);
	int r = KG_OK;

	for (size_t i = 0; set != NULL && i < set->count && r == KG_OK; i++) {
		const struct decision_request question = {
			.session = q->session, .tool = set->tool[i], .source = q->source, .now_unix = q->now_unix};

		if (decide_shows(b, &question))
			r = fn(arg, set->tool[i], server, i);
	}
	return r;
}

int list_each(struct broker *b, const struct list_query *q, list_fn *fn, void *arg)
{
	int r = KG_OK;

	for (size_t i = 0; i < b->config->nservers && r == KG_OK; i++)
		if (q->server == LIST_ALL_SERVERS || (size_t)q->server == i)
			r = each_of(b, q, i, fn, arg);
	return r;
}

struct page {
	struct buf *out;
	const struct list_query *q;
	bool first;
};

static int put_tool(void *arg, const struct tool *t, size_t server, size_t place)
{
	struct page *p = arg;
	const struct list_query *q = p->q;
	int r = KG_OK;

	(void)place;
	if (q->filter != NULL && !q->filter->lets(q->filter->arg, server, t))
		return KG_OK;
	if (!p->first)
		r = buf_put(p->out, ",", 1);
	p->first = false;
	return r != KG_OK ? r
			  : tool_def_put(p->out, &t->def, q->server == LIST_ALL_SERVERS ? t->exposed : t->name, q->era);
}

/* A list that is filtered for one session may be kept by nobody else (MCP 2026-07-28, caching). */
static const char *tail(enum mcp_era era)
{
	return era == ERA_MODERN ? "],\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"}" : "]}";
}

int list_build(struct buf *out, struct broker *b, const struct list_query *q)
{
	struct page p = {out, q, true};
	int r = buf_puts(out, "{\"tools\":[");

	if (r == KG_OK)
		r = list_each(b, q, put_tool, &p);
	return r == KG_OK ? buf_puts(out, tail(q->era)) : r;
}

void list_answer(struct broker *b, const struct list_query *q, struct peer *front, uint64_t request)
{
	struct buf body;

	buf_init(&body, IPC_BODY_MAX);
	if (list_build(&body, b, q) == KG_OK)
		reply_result(front, request, ipc_mem(buf_ptr(&body), buf_len(&body)), NULL);
	else
		reply_error(front, request, 200, RPC_INTERNAL,
			    "the tools of this consent pass 4 MiB in one list: use /mcp/SERVER, or ask for a narrower "
			    "consent");
	buf_free(&body);
}
