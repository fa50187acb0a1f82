/* How a call begins: recorded and attached at once; and how it leaves for its upstream role. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"

#define DISPATCH_QUEUE_HIGH (IPC_QUEUE_MAX / 2)

void call_wait(struct broker *b, struct call *c)
{
	c->due_ns = loop_now_ns() + GRANT_WAIT_NS;
	call_enqueue(c, &b->calls->waiting);
	deadline_watch(b);
}

struct denial denial_of(const struct tool *t, const struct decision *d)
{
	return (struct denial){.upstream = t->server->name,
			       .name = ipc_text(t->name),
			       .tier = t->tier,
			       .def_sha256 = t->def.sha256,
			       .reason_code = d->reason_code,
			       .reason = d->reason,
			       .approval = d->approval == NULL ? NULL : d->approval->id,
			       .facts = d->facts,
			       .answer = {.http = 200, .as_result = true}};
}

void call_deny(const struct act *a, const struct denial *d)
{
	struct call *c = a->session != NULL && a->session->ncalls >= CALLS_PER_SESSION
				 ? NULL
				 : call_new(a->b->calls, a->front, a->q);
	struct ipc_intent m;

	if (c == NULL) {
		act_refuse(a, 503, RPC_INTERNAL, CALLS_TOO_MANY);
		return;
	}
	c->state = CALL_REFUSED;
	c->answer = d->answer;
	c->started_ns = a->now_ns;
	call_enter(c, a->session, NULL);
	call_wait(a->b, c);
	m = call_intent(a, c);
	m.upstream = ipc_text(d->upstream);
	m.name = d->name;
	m.tier = d->tier;
	if (d->def_sha256 != NULL)
		memcpy(m.def_sha256, d->def_sha256, HASH_LEN);
	m.decision = DECISION_DENY;
	m.reason_code = ipc_text(d->reason_code);
	m.reason = ipc_text(d->reason);
	m.facts = d->facts;
	if (d->approval != NULL)
		memcpy(m.approval, d->approval, ID_LEN);
	(void)ipc_send(a->b->recorder.conn, IPC_INTENT, &m);
}

/* Whether there is room for one more call of this session at this server; answers when there is not. */
static bool may_begin(const struct act *a, const struct upstream *u)
{
	char text[CALL_TEXT_MAX];

	if (a->session->ncalls >= CALLS_PER_SESSION) {
		snprintf(text, sizeof(text),
			 "this agent session has %d calls in flight already, nothing was sent: wait for some to end",
			 CALLS_PER_SESSION);
	} else if (u->ncalls >= u->config->max_calls) {
		snprintf(
			text, sizeof(text),
			"server %s: %u calls are in flight already (max_calls), nothing was sent: wait for some to end",
			u->config->name, u->config->max_calls);
	} else if (u->peer.conn == NULL) {
		snprintf(text, sizeof(text),
			 "server %s: its process is away, nothing was sent: try again, or see: keepgate status",
			 u->config->name);
	} else {
		return true;
	}
	act_refuse(a, 503, RPC_INTERNAL, text);
	return false;
}

/* A record that holds all that the call will need; NULL, answered, when it cannot. */
static struct call *call_make(const struct act *a, const struct tool *t, struct upstream *u)
{
	struct call *c = call_new(a->b->calls, a->front, a->q);

	if (c != NULL && call_keep_body(a->b->calls, c, a->q->args, a->q->meta) != KG_OK) {
		call_free(a->b->calls, c);
		c = NULL;
	}
	if (c == NULL) {
		act_refuse(a, 503, RPC_INTERNAL, CALLS_TOO_MANY);
		return NULL;
	}
	c->state = CALL_GRANTING;
	memcpy(c->name, t->name, sizeof(c->name));
	memcpy(c->def_sha256, t->def.sha256, HASH_LEN);
	c->has_output = t->def.output.len != 0;
	c->started_ns = a->now_ns;
	if (a->mcp != NULL) {
		memcpy(c->mcp_session, a->mcp->id, ID_LEN);
		memcpy(c->rpc_id, a->q->rpc_id.p, a->q->rpc_id.n);
		c->rpc_id_len = a->q->rpc_id.n;
	}
	call_enter(c, a->session, u);
	return c;
}

static struct ipc_attach attach_of(const struct act *a, const struct call *c, const struct ipc_intent *i)
{
	struct ipc_attach m = {
		.call = c->id, .token = a->q->token, .upstream = i->upstream, .method = i->method, .name = i->name};

	memcpy(m.txn, i->txn, ID_LEN);
	memcpy(m.args_sha256, i->args_sha256, HASH_LEN);
	memcpy(m.meta_sha256, i->meta_sha256, HASH_LEN);
	memcpy(m.approval, i->approval, ID_LEN);
	return m;
}

void call_begin(const struct act *a, const struct tool *t, const struct decision *d)
{
	struct upstream *u =
		&a->b->upstream[catalogue_server(a->b->catalogue, t->server->name, strlen(t->server->name))];
	struct call *c = may_begin(a, u) ? call_make(a, t, u) : NULL;
	struct ipc_intent intent;
	struct ipc_attach attach;

	if (c == NULL)
		return;
	intent = call_intent(a, c);
	call_intent_tool(&intent, t, d);
	intent.decision = DECISION_ALLOW;
	attach = attach_of(a, c, &intent);
	if (a->b->config->policy.external.kind != PDP_NONE) {
		call_consult(a, c, t, d, &intent, &attach);
		return;
	}
	call_wait(a->b, c);
	(void)ipc_send(a->b->recorder.conn, IPC_INTENT, &intent);
	(void)ipc_send(a->b->vault.conn, IPC_ATTACH, &attach);
}

int call_dispatch(struct broker *b, struct call *c)
{
	struct upstream *u = c->upstream;
	const uint8_t *body = buf_ptr(&c->body);
	size_t len = buf_len(&c->body);
	struct ipc_call m = {.call = c->id,
			     .method = MCP_TOOLS_CALL,
			     .name = ipc_text(c->name),
			     .wants_progress = c->wants_progress,
			     .timeout_ms = u->config->timeout_ms,
			     .receipt_seq = c->seq,
			     .receipt_expires_ns = c->receipt_expires_ns,
			     .sealed = ipc_mem(buf_ptr(&c->sealed), buf_len(&c->sealed)),
			     .args = ipc_mem(body, c->args_len),
			     .meta = ipc_mem(body + c->args_len, len - c->args_len)};

	/* A role that does not read its calls must not make us drop its connection, and all its calls with it. */
	if (u->peer.conn == NULL || ipc_queued(u->peer.conn) + len > DISPATCH_QUEUE_HIGH)
		return KG_E_UNAVAILABLE;
	memcpy(m.session, c->session_id, ID_LEN);
	memcpy(m.txn, c->txn, ID_LEN);
	memcpy(m.receipt_mac, c->receipt_mac, HASH_LEN);
	if (ipc_send(u->peer.conn, IPC_CALL, &m) != KG_OK)
		return KG_E_UNAVAILABLE;
	c->state = CALL_RUNNING;
	c->due_ns = loop_now_ns() + u->config->timeout_ms * 1000000ull;
	call_enqueue(c, &u->calls);
	call_drop_body(b->calls, c);
	return KG_OK;
}
