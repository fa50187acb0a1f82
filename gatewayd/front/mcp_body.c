/* A whole request: refused here, or sent to the broker as one message. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/front/meta.h"
#include "gatewayd/front/mcp.h"
#include "gatewayd/front/page.h"
#include "gatewayd/front/respond.h"

static const char no_token[] = "WWW-Authenticate: Bearer\r\n";
static const char preflight[] =
	"Access-Control-Allow-Methods: POST, DELETE\r\n"
	"Access-Control-Allow-Headers: Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, "
	"Mcp-Name, Mcp-Session-Id, Last-Event-ID\r\nAccess-Control-Max-Age: 600\r\n";

void mcp_error(struct conn *c, const struct refusal *r, const char *fields)
{
	struct buf *b = &c->front->scratch;

	buf_reset(b);
	if (buf_puts(b, "{\"jsonrpc\":\"2.0\",\"id\":") != KG_OK ||
	    buf_puts(b, c->request.id[0] ? c->request.id : "null") != KG_OK ||
	    buf_printf(b, ",\"error\":{\"code\":%d,\"message\":", r->code) != KG_OK ||
	    json_put_string(b, r->text, strlen(r->text)) != KG_OK ||
	    (r->data != NULL && buf_printf(b, ",\"data\":%s", r->data) != KG_OK) || buf_puts(b, "}}") != KG_OK)
		respond_plain(c, 500);
	else
		conn_respond(c, r->status, "application/json", fields, buf_ptr(b), buf_len(b));
}

static void refuse_head(struct conn *c)
{
	struct refusal r = {.status = 401, .code = RPC_INVALID};

	if (c->head.refused == 204) {
		conn_respond(c, 204, NULL, preflight, NULL, 0);
	} else if (c->head.refused == 401) {
		snprintf(r.text, sizeof(r.text),
			 "a session token is needed: Authorization: Bearer kgs_... "
			 "(keepgate consent grant prints one)");
		mcp_error(c, &r, no_token);
	} else if (c->head.refused == 405 && c->head.approval[0] != '\0') {
		page_refuse_method(c);
	} else {
		respond_plain(c, c->head.refused);
	}
}

#define BROKER_QUEUE_HIGH (IPC_QUEUE_MAX / 2) /* unsent to the broker; above it requests are refused, one by one */

/* What every request carries beside its method's own fields; then off to the broker. */
static void send_request(struct conn *c, struct ipc_request *q)
{
	struct refusal r = {.status = 503, .code = RPC_INTERNAL};

	q->call = conn_call(c);
	q->token = ipc_text(c->head.token);
	q->mcp_session = ipc_text(c->head.mcp_session);
	q->server = ipc_text(c->head.server);
	q->source = ipc_text(c->http.source);
	/* A link whose queue is full is dropped, with all that waits on it: that must not be in a client's hands. */
	if (c->front->broker != NULL && ipc_queued(c->front->broker) + q->args.n + q->meta.n > BROKER_QUEUE_HIGH)
		snprintf(r.text, sizeof(r.text), "the gateway's broker has too much to do: try again in a moment");
	else if (c->front->broker != NULL && ipc_send(c->front->broker, IPC_REQUEST, q) == KG_OK)
		return;
	else
		snprintf(r.text, sizeof(r.text), "the gateway's broker is away: try again in a moment");
	mcp_error(c, &r, "");
}

/* Compacts arguments and the forwarded _meta into the front's scratch buffer and lets q point there. */
static int take_bodies(struct front *f, const struct json_doc *d, struct ipc_request *q)
{
	uint32_t params = json_get(d, 0, "params"), args = json_get(d, params, "arguments");
	size_t args_len;

	buf_reset(&f->scratch);
	if (q->method != MCP_TOOLS_CALL || args == JSON_NONE) {
		if (buf_puts(&f->scratch, "{}") != KG_OK)
			return KG_E_LIMIT;
	} else if (json_put_compact(&f->scratch, d, args) != KG_OK) {
		return KG_E_LIMIT;
	}
	args_len = buf_len(&f->scratch);
	if (meta_put_forwarded(&f->scratch, d, json_get(d, params, "_meta")) != KG_OK)
		return KG_E_LIMIT;
	q->args = ipc_mem(buf_ptr(&f->scratch), args_len);
	q->meta = ipc_mem(buf_ptr(&f->scratch) + args_len, buf_len(&f->scratch) - args_len);
	return q->args.n > IPC_BODY_MAX || q->meta.n > META_MAX ? KG_E_LIMIT : KG_OK;
}

static void handle_object(struct conn *c, const struct json_doc *d)
{
	struct ipc_request q = {0};
	struct refusal r = {0};

	/* An answer to a request of ours, of which there are none: taken and forgotten (legacy transport). */
	if (json_get(d, 0, "method") == JSON_NONE &&
	    (json_get(d, 0, "result") != JSON_NONE || json_get(d, 0, "error") != JSON_NONE)) {
		conn_respond(c, 202, NULL, "", NULL, 0);
		return;
	}
	mcp_classify(c, d, &q, &r);
	if (r.code == 0 && take_bodies(c->front, d, &q) != KG_OK)
		r = (struct refusal){413, RPC_INVALID, NULL,
				     "params._meta or params.arguments is over the limit of this gateway"};
	if (r.code != 0)
		mcp_error(c, &r, "");
	else
		send_request(c, &q);
}

static void handle_json(struct conn *c, const char *json, size_t len)
{
	struct json_doc *d = &c->front->doc;
	struct refusal r = {.status = 400, .code = RPC_PARSE};
	struct json_error e;

	if (json_scan(d, json, len, &e) != KG_OK) {
		snprintf(r.text, sizeof(r.text), "not acceptable JSON at byte %zu: %s", e.offset, e.why);
		mcp_error(c, &r, "");
	} else if (json_kind(d, 0) != JK_OBJECT) {
		r.code = RPC_INVALID;
		snprintf(r.text, sizeof(r.text), "one JSON-RPC message per request: batches are not served");
		mcp_error(c, &r, "");
	} else {
		handle_object(c, d);
	}
}

void mcp_body(struct conn *c, const char *json, size_t len)
{
	struct ipc_request q = {
		.era = ERA_LEGACY, .method = MCP_SESSION_DELETE, .args = ipc_text("{}"), .meta = ipc_text("{}")};

	if (c->head.refused != 0) {
		refuse_head(c);
	} else if (c->head.approval[0] != '\0') {
		page_respond(c);
	} else if (c->head.method == HTTP1_DELETE) {
		c->request =
			(struct open_request){.era = ERA_LEGACY, .method = MCP_SESSION_DELETE, .notification = true};
		send_request(c, &q);
	} else {
		handle_json(c, json, len);
	}
}

void mcp_gone(struct conn *c)
{
	struct ipc_request_gone gone = {.call = conn_call(c)};

	if (c->front->broker != NULL)
		ipc_send(c->front->broker, IPC_REQUEST_GONE, &gone);
}
