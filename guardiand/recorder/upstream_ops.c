/* What an upstream role says: its own acts, and calls that came without a right receipt. */
#include <string.h>

#include <sodium.h>

#include "common/json_text.h"
#include "guardiand/recorder/recorder.h"

/* From the parent, before the role has the connection: a role cannot take another's name. */
static int on_name(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_receipt_name *m = msg;
	struct peer *p = arg;
	struct ipc_receipt_key key;

	(void)fd;
	if (m->upstream.n == 0 || !utf8_valid(m->upstream.p, m->upstream.n) ||
	    ipc_copy(m->upstream, p->server, sizeof(p->server)) != KG_OK)
		return KG_E_PROTO;
	randombytes_buf(p->key, sizeof(p->key));
	memcpy(key.key, p->key, sizeof(key.key));
	ipc_set_state(c, IPC_ST_READY);
	ipc_send(c, IPC_RECEIPT_KEY, &key);
	sodium_memzero(&key, sizeof(key));
	return KG_OK;
}

static void self_receipt(const struct peer *p, const struct ipc_self_intent *m, struct ipc_self_receipt *out)
{
	static const uint8_t no_session[ID_LEN];
	uint8_t nothing[HASH_LEN];
	struct call_id id = {
		.session = no_session,
		.upstream = p->server,
		.method = m->method,
		.name = {"", 0},
		.txn = m->txn,
		.args_sha256 = nothing,
		.meta_sha256 = nothing,
	};
	struct granted g;

	sha256("", 0, nothing);
	receipt_make(p, &id, out->seq, &g);
	out->expires_ns = g.expires_ns;
	memcpy(out->mac, g.mac, HASH_LEN);
}

static int self_refuse(struct peer *p, uint64_t call, uint8_t status)
{
	struct ipc_self_receipt no = {.call = call, .status = status};

	commit_answer(p->recorder->commit, p->conn, IPC_SELF_RECEIPT, &no, sizeof(no));
	return KG_OK;
}

static int on_self_intent(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_self_intent *m = msg;
	struct peer *p = arg;
	struct recorder *r = p->recorder;
	struct recorded_call call = {.allowed = true, .self = true, .owner = p};
	struct ipc_self_receipt yes = {.call = m->call, .status = GRANT_OK};
	struct leaf_event e = {
		.phase = PHASE_INTENT,
		.kind = "self",
		.method = mcp_method_name(m->method),
		.decision = "allow",
		.server = ipc_text(p->server),
		.txn = m->txn,
	};

	(void)c, (void)fd;
	if (m->method != SELF_CONNECT && m->method != SELF_SPAWN)
		return KG_E_PROTO;
	if (calls_find(r->calls, m->txn) != NULL) {
		violation_record(r, p->server, "txn-reused", "an act with the transaction number of an earlier one",
				 m->txn);
		return self_refuse(p, m->call, GRANT_DENIED);
	}
	if (calls_full(r->calls))
		return self_refuse(p, m->call, GRANT_UNAVAILABLE);
	if (commit_leaf(r->commit, &e, COMMIT_URGENT, &yes.seq) != KG_OK)
		return KG_E_LIMIT;
	memcpy(call.txn, m->txn, ID_LEN);
	call.seq = yes.seq;
	if (calls_add(r->calls, &call) != KG_OK)
		return KG_E_NOMEM;
	self_receipt(p, m, &yes);
	commit_answer(r->commit, p->conn, IPC_SELF_RECEIPT, &yes, sizeof(yes));
	return KG_OK;
}

static int on_self_outcome(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_self_outcome *m = msg;
	struct peer *p = arg;
	struct told_outcome told = {
		.txn = m->txn,
		.intent_seq = m->intent_seq,
		.outcome = m->outcome,
		.reason_code = m->reason_code,
		.latency_us = m->latency_us,
		.from = p,
	};
	uint64_t seq;

	(void)c, (void)fd;
	return outcome_record(p->recorder, &told, &seq);
}

static int on_violation(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_violation *m = msg;
	struct peer *p = arg;
	struct leaf_event e = {
		.phase = PHASE_STATE,
		.kind = "violation",
		.server = ipc_text(p->server),
		.name = m->name,
		.reason_code = ipc_text(violation_name(m->what)),
		.reason = ipc_text(
			m->what == VIOLATION_ECHO
				? "an answer held a credential that was released to this server and was withheld"
				: "a call came without a right receipt or sealed credential and was not sent"),
		.digest = m->digest,
		.txn = m->txn,
	};
	uint64_t seq;

	(void)c, (void)fd;
	if (violation_name(m->what)[0] == '?')
		return KG_E_PROTO;
	return commit_leaf(p->recorder->commit, &e, COMMIT_LAZY, &seq);
}

static const struct ipc_op upstream_ops[] = {
	{IPC_RECEIPT_NAME, on_name},
	{IPC_SELF_INTENT, on_self_intent},
	{IPC_SELF_OUTCOME, on_self_outcome},
	{IPC_VIOLATION, on_violation},
};

const struct ipc_handlers upstream_handlers = {upstream_ops, sizeof(upstream_ops) / sizeof(upstream_ops[0]),
					       peer_closed};
