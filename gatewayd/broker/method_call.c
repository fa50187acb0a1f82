/* tools/call: the name to a tool, the tool to a decision, the decision to a beginning. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/list.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"

/* A name that leads to no tool: which server it would be at, and what it would be called there. */
struct target {
	int server; /* -1: none of ours */
	struct ipc_bytes name;
	const struct tool *tool; /* NULL: there is none */
};

static struct target target_find(const struct act *a)
{
	const struct catalogue *c = a->b->catalogue;
	struct ipc_bytes name = a->q->name;
	struct target t = {a->server, name, NULL};
	size_t len;

	if (a->server != LIST_ALL_SERVERS) {
		t.tool = catalogue_find_own(c, (size_t)a->server, name.p, name.n);
		return t;
	}
	t.tool = catalogue_find(c, name.p, name.n);
	len = name_server_len(name.p, name.n);
	t.server = catalogue_server(c, name.p, len);
	if (t.server >= 0)
		t.name = ipc_mem(name.p + len + 2, name.n - len - 2);
	return t;
}

static void unknown_tool(const struct act *a, struct denial *d)
{
	d->answer.http = 200;
	d->answer.code = RPC_INVALID_PARAMS;
	snprintf(d->answer.text, sizeof(d->answer.text), "Unknown tool: %.*s", (int)a->q->name.n,
		 (const char *)a->q->name.p);
}

/* Whether a consent covers this name at a server whose tools have never been listed. */
static bool unlisted_but_consented(const struct act *a, const struct target *t, char *text, size_t size)
{
	const struct upstream *u = t->server < 0 ? NULL : &a->b->upstream[t->server];
	char qualified[SERVER_NAME_MAX + NAME_TOOL_MAX + 2];

	if (u == NULL || catalogue_tools(a->b->catalogue, (size_t)t->server) != NULL || t->name.n > NAME_TOOL_MAX)
		return false;
	snprintf(qualified, sizeof(qualified), "%s/%.*s", u->config->name, (int)t->name.n, (const char *)t->name.p);
	snprintf(text, size, "server %s: its tools are not known yet%s%s: try again, or see: keepgate status",
		 u->config->name, u->down[0] == '\0' ? "" : ", it could not be reached: ", u->down);
	return patterns_cover(&a->session->tools, qualified);
}

static void deny_unknown(const struct act *a, const struct target *t)
{
	struct denial d = {.upstream = t->server < 0 ? "" : a->b->config->servers[t->server].name,
			   .name = t->name,
			   .reason_code = "unknown-tool",
			   .reason = "no such tool is listed"};

	if (unlisted_but_consented(a, t, d.answer.text, sizeof(d.answer.text))) {
		act_refuse(a, 503, RPC_INTERNAL, d.answer.text);
		return;
	}
	unknown_tool(a, &d);
	call_deny(a, &d);
}

/* What is outside the consent is not told to exist (digest of the revisions, 5.5); what is inside is refused with its
 * reason. */
static void deny_tool(const struct act *a, const struct tool *t, const struct decision *v)
{
	struct denial d = {.upstream = t->server->name,
			   .name = ipc_text(t->name),
			   .tier = t->tier,
			   .def_sha256 = t->def.sha256,
			   .reason_code = v->reason_code,
			   .reason = v->reason};

	if (v->visible) {
		d.answer.as_result = true;
		snprintf(d.answer.text, sizeof(d.answer.text), "%s", v->reason);
	} else {
		unknown_tool(a, &d);
	}
	call_deny(a, &d);
}

static int scan_object(struct json_doc *doc, struct ipc_bytes text)
{
	int r = json_scan(doc, (const char *)text.p, text.n, NULL);

	return r == KG_OK && json_kind(doc, 0) != JK_OBJECT ? KG_E_PROTO : r;
}

int method_tools_call(struct act *a)
{
	struct decision_request q = {.method = MCP_TOOLS_CALL,
				     .args = &a->b->args,
				     .meta = &a->b->meta,
				     .client = act_client(a),
				     .source = a->q->source,
				     .now_unix = a->now_unix};
	struct target t = target_find(a);
	struct decision v;
	int r = scan_object(&a->b->args, a->q->args);

	/* The front has refused what is no JSON object; bytes that it lets through are its own. */
	if (r == KG_OK)
		r = scan_object(&a->b->meta, a->q->meta);
	if (r != KG_OK)
		return KG_E_PROTO;
	if (t.tool == NULL) {
		deny_unknown(a, &t);
		return KG_OK;
	}
	decision_request_session(&q, a->session);
	decision_request_tool(&q, t.tool);
	decide(a->b->policy, &q, &v);
	if (v.allow)
		call_begin(a, t.tool, &v);
	else
		deny_tool(a, t.tool, &v);
	return KG_OK;
}
