#include "gatewayd/broker/list.h"

#include "gatewayd/broker/broker.h"

static int put_server(struct buf *out, struct broker *b, const struct list_query *q, size_t server, bool *first)
{
	const struct toolset *set = catalogue_tools(b->catalogue, server);
	int r = KG_OK;

	for (size_t i = 0; set != NULL && i < set->count && r == KG_OK; i++) {
		const struct tool *t = set->tool[i];
		const struct decision_request question = {
			.session = q->session, .tool = t, .source = q->source, .now_unix = q->now_unix};

		if (!decide_shows(b, &question))
			continue;
		if (!*first)
			r = buf_put(out, ",", 1);
		if (r == KG_OK)
			r = tool_def_put(out, &t->def, q->server == LIST_ALL_SERVERS ? t->exposed : t->name, q->era);
		*first = false;
	}
	return r;
}

/* A list that is filtered for one session may be kept by nobody else (MCP 2026-07-28, caching). */
static const char *tail(enum mcp_era era)
{
	return era == ERA_MODERN ? "],\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"}" : "]}";
}

int list_build(struct buf *out, struct broker *b, const struct list_query *q)
{
	bool first = true;
	int r = buf_puts(out, "{\"tools\":[");

	for (size_t i = 0; i < b->config->nservers && r == KG_OK; i++)
		if (q->server == LIST_ALL_SERVERS || (size_t)q->server == i)
			r = put_server(out, b, q, i, &first);
	return r == KG_OK ? buf_puts(out, tail(q->era)) : r;
}
