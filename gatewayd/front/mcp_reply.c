/* What the broker answers, in the form of the client's era. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/version.h"
#include "gatewayd/front/mcp.h"
#include "gatewayd/front/respond.h"

static const char identity[] = "\"" META_SERVER "\":{\"name\":\"keepgate\",\"version\":\"" KEEPGATE_VERSION "\"}";

/* Members that only one era knows. Of the last two that is so in lists alone: elsewhere they are the server's own. */
static bool is_modern_member(const struct json_doc *d, uint32_t name)
{
	return json_is(d, name, "resultType") || json_is(d, name, "ttlMs") || json_is(d, name, "cacheScope");
}

/* The _meta of a modern result: who answered, and the server's own members beside it. */
static int put_modern_meta(struct buf *out, const struct json_doc *d, uint32_t meta)
{
	if (buf_printf(out, "\"_meta\":{%s", identity) != KG_OK)
		return KG_E_LIMIT;
	for (uint32_t t = json_kind(d, meta) == JK_OBJECT ? json_first(d, meta) : JSON_NONE; t != JSON_NONE;
	     t = json_after(d, meta, t + 1)) {
		if (json_is(d, t, META_SERVER))
			continue;
		if (buf_puts(out, ",") != KG_OK || json_put_compact(out, d, t) != KG_OK ||
		    buf_puts(out, ":") != KG_OK || json_put_compact(out, d, t + 1) != KG_OK)
			return KG_E_LIMIT;
	}
	return buf_puts(out, "}");
}

/* What a modern result must say and the body does not. */
static int put_modern_head(struct buf *out, const struct json_doc *d, uint8_t method)
{
	const struct mcp_rule *rule = mcp_rule_of(method);

	if (json_get(d, 0, "resultType") == JSON_NONE && buf_puts(out, "\"resultType\":\"complete\",") != KG_OK)
		return KG_E_LIMIT;
	if (rule == NULL || !rule->is_list)
		return KG_OK;
	/* A list shows what this session may do: never for a shared cache. */
	return buf_puts(out, "\"ttlMs\":0,\"cacheScope\":\"private\",");
}

/* The body's members, without those that the era does not know or that were written already. */
static int put_members(struct buf *out, const struct json_doc *d, const struct open_request *q)
{
	const struct mcp_rule *rule = mcp_rule_of(q->method);
	bool modern = q->era == ERA_MODERN, lists = rule != NULL && rule->is_list, first = true;

	for (uint32_t t = json_first(d, 0); t != JSON_NONE; t = json_after(d, 0, t + 1)) {
		bool type = json_is(d, t, "resultType");

		if (modern ? json_is(d, t, "_meta") || (lists && !type && is_modern_member(d, t))
			   : type || (lists && is_modern_member(d, t)))
			continue;
		if ((!first && buf_puts(out, ",") != KG_OK) || json_put_compact(out, d, t) != KG_OK ||
		    buf_puts(out, ":") != KG_OK || json_put_compact(out, d, t + 1) != KG_OK)
			return KG_E_LIMIT;
		first = false;
	}
	if (modern && !first)
		return buf_puts(out, ",");
	return KG_OK;
}

static int put_result(struct buf *out, const struct json_doc *d, const struct open_request *q)
{
	bool modern = q->era == ERA_MODERN;

	if (buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{", q->id) != KG_OK ||
	    (modern && put_modern_head(out, d, q->method) != KG_OK) || put_members(out, d, q) != KG_OK ||
	    (modern && put_modern_meta(out, d, json_get(d, 0, "_meta")) != KG_OK))
		return KG_E_LIMIT;
	return buf_puts(out, "}}");
}

/* The answer as JSON, or as the last event of a stream that has begun. */
static void deliver(struct conn *c, int status, const char *fields, const void *json, size_t len)
{
	struct front *f = c->front;
	uint64_t call = conn_call(c);

	if (c->http.state != HTTP_STREAMING) {
		conn_respond(c, status, "application/json", fields, json, len);
		return;
	}
	http_stream_event(&c->http, json, len);
	c = conn_of_call(f, call);
	if (c != NULL)
		http_stream_end(&c->http);
}

static const char last_words[] =
	"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"the gateway is out of memory\"}}";

static void reply_error(struct conn *c, int status, int code, struct ipc_bytes message, struct ipc_bytes data)
{
	struct buf *b = &c->front->scratch;
	struct json_doc *d = &c->front->doc;
	bool has_data = data.n != 0 && json_scan(d, (const char *)data.p, data.n, NULL) == KG_OK;
	const char *fields = status == 401 ? "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n" : "";

	buf_reset(b);
	if (buf_printf(b, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":",
		       c->request.id[0] ? c->request.id : "null", code) != KG_OK ||
	    json_put_string(b, (const char *)message.p, message.n) != KG_OK ||
	    (has_data && (buf_puts(b, ",\"data\":") != KG_OK || json_put_compact(b, d, 0) != KG_OK)) ||
	    buf_puts(b, "}}") != KG_OK)
		deliver(c, 500, "", last_words, sizeof(last_words) - 1);
	else
		deliver(c, status, fields, buf_ptr(b), buf_len(b));
}

static void reply_result(struct conn *c, const struct ipc_reply *r)
{
	struct json_doc *d = &c->front->doc;
	struct buf *b = &c->front->scratch;
	char fields[96] = "", session[65];

	buf_reset(b);
	/* The broker's bytes are not believed either: one object, or nothing of it reaches the client. */
	if (json_scan(d, (const char *)r->body.p, r->body.n, NULL) != KG_OK || json_kind(d, 0) != JK_OBJECT ||
	    put_result(b, d, &c->request) != KG_OK) {
		reply_error(c, 502, RPC_INTERNAL,
			    ipc_text("the answer cannot be passed on: it is not one JSON object within the limits"),
			    (struct ipc_bytes){0});
		return;
	}
	if (r->mcp_session.n != 0 && ipc_copy(r->mcp_session, session, sizeof(session)) == KG_OK &&
	    strspn(session, "0123456789abcdef") == r->mcp_session.n)
		snprintf(fields, sizeof(fields), "Mcp-Session-Id: %s\r\n", session);
	deliver(c, 200, fields, buf_ptr(b), buf_len(b));
}

/* The statuses an error may have. Others, some of which have no body, are not for the broker to choose. */
static int status_of_error(uint32_t status)
{
	static const uint32_t allowed[] = {200, 400, 401, 403, 404, 500, 502, 503, 504};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i] == status)
			return (int)status;
	return 500;
}

void mcp_reply(struct front *f, const struct ipc_reply *r)
{
	struct conn *c = conn_of_call(f, r->call);

	/* The client has gone, and the broker has not heard of it yet. */
	if (c == NULL)
		return;
	if (r->kind == REPLY_RESULT && !c->request.notification)
		reply_result(c, r);
	else if (r->kind == REPLY_ERROR)
		reply_error(c, status_of_error(r->http_status), r->code, r->message, r->body);
	else if (r->kind == REPLY_ACCEPTED && c->request.notification)
		conn_respond(c, r->http_status == 200 ? 200 : 202, NULL, "", NULL, 0);
	else
		reply_error(c, 500, RPC_INTERNAL, ipc_text("the answer does not fit the request"),
			    (struct ipc_bytes){0});
}

void mcp_progress(struct front *f, const struct ipc_progress *p)
{
	struct conn *c = conn_of_call(f, p->call);
	struct json_doc *d = &f->doc;
	struct buf *b = &f->scratch;

	/* A courtesy: dropped before it piles up for a client that does not read. */
	if (c == NULL || c->request.notification || c->request.progress[0] == '\0' ||
	    buf_len(&c->http.out) > HTTP_OUT_HIGH)
		return;
	if (json_scan(d, (const char *)p->members.p, p->members.n, NULL) != KG_OK || json_kind(d, 0) != JK_OBJECT ||
	    json_get(d, 0, "progress") == JSON_NONE)
		return;
	buf_reset(b);
	if (buf_printf(b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":%s",
		       c->request.progress) != KG_OK)
		return;
	for (uint32_t t = json_first(d, 0); t != JSON_NONE; t = json_after(d, 0, t + 1)) {
		if (json_is(d, t, "progressToken"))
			continue;
		if (buf_puts(b, ",") != KG_OK || json_put_compact(b, d, t) != KG_OK || buf_puts(b, ":") != KG_OK ||
		    json_put_compact(b, d, t + 1) != KG_OK)
			return;
	}
	if (buf_puts(b, "}}") != KG_OK)
		return;
	if (c->http.state == HTTP_WAITING)
		http_stream_begin(&c->http, "");
	c = conn_of_call(f, p->call);
	if (c != NULL)
		http_stream_event(&c->http, buf_ptr(b), buf_len(b));
}

void mcp_broker_lost(struct front *f)
{
	for (uint32_t i = 0; i < f->http.nslots; i++) {
		struct conn *c = conn_of(f->http.slots[i]);

		if (c != NULL && (c->http.state == HTTP_WAITING || c->http.state == HTTP_STREAMING))
			reply_error(c, 502, RPC_INTERNAL,
				    ipc_text("the gateway's broker was lost during this request: "
					     "whether it was carried out stands in the audit log"),
				    (struct ipc_bytes){0});
	}
}
