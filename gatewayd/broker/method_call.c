/* tools/call: the name to a tool, the tool to a decision, the decision to a beginning. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/list.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"
#include "gatewayd/broker/text.h"

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

/* Wrong arguments are a result that the model reads; before 2025-11-25 they were an error of the protocol. */
static bool wants_protocol_error(const struct act *a)
{
	return a->mcp != NULL && strcmp(a->mcp->version, VERSION_LATEST_LEGACY) != 0;
}

/* What is outside the consent is not told to exist (digest of the revisions, 5.5); what is inside is refused with its
 * reason. */
static void deny_tool(const struct act *a, const struct tool *t, const struct decision *v)
{
	struct denial d = denial_of(t, v);

	text_put(d.answer.text, sizeof(d.answer.text), "%s", v->reason);
	if (!v->visible) {
		d.answer.as_result = false;
		unknown_tool(a, &d);
	} else if (v->invalid_arguments && wants_protocol_error(a)) {
		d.answer.as_result = false;
		d.answer.code = RPC_INVALID_PARAMS;
	}
	call_deny(a, &d);
}

/* The approval of exactly this call that a repeated modern call names; anything else is as if it named none. */
static const struct approval *named_approval(const struct act *a, const struct tool *t)
{
	const struct approval_key key = {a->session->id, t->server->name, t->name, a->args_sha256, t->def.sha256};
	const struct approval *p;

	if (a->q->era != ERA_MODERN || a->q->state.n == 0)
		return NULL;
	p = approvals_named(a->b->approvals, a->session->id, a->q->state, a->now_unix);
	return p != NULL && approval_is_for(p, &key) ? p : NULL;
}

/* "No" from the client's side stops this call; the approval stays for those who decide. "Yes" from there means
 * nothing: an approval never comes through the agent's session. */
static void deny_declined(const struct act *a, const struct tool *t, const struct approval *named, struct decision *v)
{
	v->approval = named;
	v->reason_code = "approval-declined";
	text_put(v->reason, sizeof(v->reason), "refused: the approval of %s was declined on the client's side",
		 t->qualified);
	v->visible = true;
	deny_tool(a, t, v);
}

static bool is_declined(const struct ipc_request *q)
{
	return q->consented == ELICIT_DECLINE || q->consented == ELICIT_CANCEL;
}

/* Waits for the person who decides, once for each repeat. */
static bool hold(const struct act *a, const struct approval *named)
{
	uint64_t hold_ns = a->b->config->approvals.hold_s * 1000000000ull;

	return named != NULL && named->state == APPROVAL_PENDING && !a->again && hold_ns != 0 &&
	       held_add(a->b, a->front, a->session, a->q, named->id, a->now_ns + hold_ns) == KG_OK;
}

/*
 * An approved call is made of what its approver was shown and of nothing else: the client's _meta, which differs from
 * one request to the next, stays here. vaultd looks at that again.
 */
static void begin(const struct act *a, const struct tool *t, const struct decision *v)
{
	struct ipc_request q = *a->q;
	struct act bare = *a;

	if (v->approval != NULL)
		q.meta = ipc_text("{}");
	bare.q = &q;
	call_begin(&bare, t, v);
}

static void run_tool(const struct act *a, const struct tool *t)
{
	const struct decision_request q = {.session = a->session,
					   .tool = t,
					   .args = &a->b->args,
					   .args_sha256 = a->args_sha256,
					   .source = a->q->source,
					   .now_unix = a->now_unix};
	const struct approval *named = named_approval(a, t);
	struct decision v;

	decide(a->b, &q, &v);
	if (named != NULL && is_declined(a->q) && (v.allow || v.needs_approval))
		deny_declined(a, t, named, &v);
	else if (v.allow)
		begin(a, t, &v);
	else if (!v.needs_approval)
		deny_tool(a, t, &v);
	else if (!hold(a, named))
		call_ask(a, t, &v);
}

static int scan_object(struct json_doc *doc, struct ipc_bytes text)
{
	int r = json_scan(doc, (const char *)text.p, text.n, NULL);

	return r == KG_OK && json_kind(doc, 0) != JK_OBJECT ? KG_E_PROTO : r;
}

int method_tools_call(struct act *a)
{
	struct target t = target_find(a);
	int r = scan_object(&a->b->args, a->q->args);

	/* The front has refused what is no JSON object; bytes that it lets through are its own. */
	if (r == KG_OK)
		r = scan_object(&a->b->meta, a->q->meta);
	if (r != KG_OK)
		return KG_E_PROTO;
	sha256(a->q->args.p, a->q->args.n, a->args_sha256);
	a->hashed = true;
	if (call_over_rate(a, t.tool))
		return KG_OK;
	if (t.tool == NULL)
		deny_unknown(a, &t);
	else
		run_tool(a, t.tool);
	return KG_OK;
}
