/* What an intent says (INTENT). */
#include <string.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/inspections.h"
#include "gatewayd/broker/request.h"

/* The hash of what most calls forward as _meta, so that it is computed once. */
static void hash_meta(struct ipc_bytes meta, uint8_t out[HASH_LEN])
{
	static uint8_t empty[HASH_LEN];
	static bool have_empty;

	if (!ipc_is(meta, "{}")) {
		sha256(meta.p, meta.n, out);
		return;
	}
	if (!have_empty) {
		sha256("{}", 2, empty);
		have_empty = true;
	}
	memcpy(out, empty, HASH_LEN);
}

struct ipc_intent call_intent(const struct act *a, const struct call *c)
{
	const struct ipc_request *q = a->q;
	struct ipc_intent m = {.call = c->id,
			       .client = act_client(a),
			       .source = q->source,
			       .method = q->method,
			       .bytes_in = q->args.n + q->meta.n,
			       .marks = inspections_arguments(a->b, q->args)};

	memcpy(m.txn, c->txn, ID_LEN);
	if (a->hashed)
		memcpy(m.args_sha256, a->args_sha256, HASH_LEN);
	else
		sha256(q->args.p, q->args.n, m.args_sha256);
	hash_meta(q->meta, m.meta_sha256);
	memcpy(m.policy_sha256, policies_hash(a->b->policies), HASH_LEN);
	if (a->session != NULL) {
		memcpy(m.session, a->session->id, ID_LEN);
		memcpy(m.consent, a->session->consent, ID_LEN);
		m.human = ipc_text(a->session->human);
		m.agent = ipc_text(a->session->agent);
	}
	return m;
}

void call_intent_tool(struct ipc_intent *m, const struct tool *t, const struct decision *d)
{
	m->upstream = ipc_text(t->server->name);
	m->name = ipc_text(t->name);
	m->tier = t->tier;
	memcpy(m->def_sha256, t->def.sha256, HASH_LEN);
	memcpy(m->policy_sha256, d->policy_sha256, HASH_LEN);
	m->reason_code = ipc_text(d->reason_code);
	m->reason = ipc_text(d->reason);
	m->facts = d->facts;
	if (d->approval != NULL)
		memcpy(m->approval, d->approval->id, ID_LEN);
}
