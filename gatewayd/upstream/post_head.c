#include "gatewayd/upstream/post_head.h"

#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "gatewayd/upstream/upstream.h"
#include "gatewayd/upstream/wire.h"

void post_head_check(const struct config_server *s)
{
	for (size_t i = 0; i < s->nheaders; i++)
		if (header_is_reserved(s->headers[i].name))
			log_fatal(KG_EXIT_CONFIG,
				  "server %s: header \"%s\" is written by Keepgate itself: take it out of \"headers\"",
				  s->name, s->headers[i].name);
}

static int put_percent(struct buf *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	int err = 0;

	for (; *text && err == 0; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain =
			(c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~", c);
		char coded[3] = {'%', hex[c >> 4], hex[c & 15]};

		err = plain ? buf_put(out, text, 1) : buf_put(out, coded, 3);
	}
	return err;
}

static int put_query(struct buf *query, const struct credential *c)
{
	int err = buf_len(query) > 0 ? buf_puts(query, "&") : 0;

	if (err == 0)
		err = put_percent(query, c->slot);
	if (err == 0)
		err = buf_puts(query, "=");
	return err != 0 ? err : put_percent(query, c->value);
}

int post_head_fixed(const struct upstream *u, struct headers *h, struct buf *query, const struct credential_set *set)
{
	int err = 0;

	for (size_t i = 0; i < u->server->nheaders && err == 0; i++)
		err = headers_puts(h, u->server->headers[i].name, u->server->headers[i].value);
	for (size_t i = 0; set && i < set->count && err == 0; i++) {
		const struct credential *c = &set->item[i];

		if (c->kind == CRED_QUERY)
			err = put_query(query, c);
		else if (c->kind != CRED_ENV)
			err = header_is_reserved(c->slot) ? KG_E_INVALID : headers_puts(h, c->slot, c->value);
	}
	return err;
}

/* An old server learns the revision after initialize only; the session is its own idea. */
static int put_era(const struct upstream *u, struct headers *h)
{
	const struct session *s = &u->session;
	int err = 0;

	if (s->version[0] != '\0')
		err = headers_puts(h, "MCP-Protocol-Version", s->version);
	if (err == 0 && s->era == ERA_LEGACY && s->id[0] != '\0')
		err = headers_puts(h, "Mcp-Session-Id", s->id);
	return err;
}

int post_head_request(const struct upstream *u, struct headers *h, const struct rpc_request *q)
{
	int err = headers_put_line(h, "Content-Type: application/json");

	if (err == 0)
		err = headers_put_line(h, "Accept: application/json, text/event-stream");
	if (err == 0)
		err = put_era(u, h);
	if (err != 0 || u->session.era != ERA_MODERN || !q->method)
		return err;
	err = headers_puts(h, "Mcp-Method", q->method);
	if (err == 0 && q->name)
		err = headers_put_encoded(h, "Mcp-Name", q->name, strlen(q->name));
	if (err == 0 && q->tool)
		err = tool_param_headers(q->tool, q->args, h);
	return err;
}

int post_head_get(const struct upstream *u, struct headers *h, const char *last_event)
{
	int err = headers_put_line(h, "Accept: text/event-stream");

	if (err == 0)
		err = put_era(u, h);
	if (err == 0 && last_event[0] != '\0')
		err = headers_puts(h, "Last-Event-ID", last_event);
	return err;
}
