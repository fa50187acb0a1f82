/* What the broker says: intents before a call, outcomes after it, and what is no call. */
#include <string.h>

#include <sodium.h>

#include "common/json_text.h"
#include "guardiand/recorder/checkpoint.h"
#include "guardiand/recorder/recorder.h"

#define NO_RECEIPT_CODE "no-receipt"
#define NO_RECEIPT_TEXT "the server's process is not connected to the audit recorder"
#define FACTS_CODE "facts-unwritable"
#define FACTS_TEXT                                                                                                     \
	"what the decision rested on cannot be put on record: a number is no integer of 53 bits, or a text holds a "   \
	"NUL"
#define FACTS_MARK "{\"unwritable\":true}"
#define MEMBERS_MAX 32768u /* facts and members are 24,576 bytes on the wire; the canonical form is hardly longer */

static const uint8_t *unless_zero(const uint8_t *p, size_t n)
{
	return sodium_is_zero(p, n) ? NULL : p;
}

/* Once more what the broker should have checked: the record must name the call as it will be made. */
static bool intent_is_sound(const struct ipc_intent *m)
{
	return mcp_method_name(m->method)[0] != '?' && m->method < SELF_CONNECT && m->tier <= TIER_DESTRUCTIVE &&
	       (m->decision == DECISION_ALLOW || m->decision == DECISION_DENY) &&
	       (m->decision == DECISION_DENY || m->upstream.n != 0) && utf8_valid(m->name.p, m->name.n) &&
	       utf8_valid(m->upstream.p, m->upstream.n);
}

static void intent_event(const struct ipc_intent *m, struct leaf_event *e)
{
	*e = (struct leaf_event){
		.phase = PHASE_INTENT,
		.kind = "call",
		.method = mcp_method_name(m->method),
		.decision = m->decision == DECISION_ALLOW ? "allow" : "deny",
		.tier = m->tier == 0 ? NULL : tier_name(m->tier),
		.txn = m->txn,
		.session = unless_zero(m->session, ID_LEN),
		.consent = unless_zero(m->consent, ID_LEN),
		.agent = m->agent,
		.client = m->client,
		.human = m->human,
		.server = m->upstream,
		.name = m->name,
		.src = m->source,
		.reason_code = m->reason_code,
		.reason = m->reason,
		.args_sha256 = m->args_sha256,
		.meta_sha256 = m->meta_sha256,
		.def_sha256 = unless_zero(m->def_sha256, HASH_LEN),
		.policy_sha256 = unless_zero(m->policy_sha256, HASH_LEN),
		.approval = unless_zero(m->approval, ID_LEN),
		.bytes_in = m->bytes_in,
	};
}

/* A receipt over the very fields that the leaf was made of. */
static void intent_receipt(const struct peer *upstream, const struct ipc_intent *m, struct ipc_receipt *out)
{
	struct call_id id = {
		.session = m->session,
		.upstream = upstream->server,
		.method = m->method,
		.name = {m->name.p, m->name.n},
		.txn = m->txn,
		.args_sha256 = m->args_sha256,
		.meta_sha256 = m->meta_sha256,
	};
	struct granted g;

	receipt_make(upstream, &id, out->seq, &g);
	out->expires_ns = g.expires_ns;
	memcpy(out->mac, g.mac, HASH_LEN);
}

static void answer(struct peer *p, const struct ipc_receipt *m)
{
	commit_answer(p->recorder->commit, p->conn, IPC_RECEIPT, m, sizeof(*m));
}

/* One number, one call: a second intent would borrow the first one's outcome. */
static int refuse_reuse(struct peer *p, const struct ipc_intent *m)
{
	struct ipc_receipt no = {.call = m->call, .status = GRANT_DENIED};

	violation_record(p->recorder, "", "txn-reused", "an intent with the transaction number of an earlier one",
			 m->txn);
	answer(p, &no);
	return KG_OK;
}

/*
 * Why an allowed call gets no receipt, which its record then says. Facts that cannot be written down refuse the call
 * and not the broker: they hold arguments, and no agent shall be able to cut the broker off.
 */
static uint8_t receipt_refusal(const struct peer *upstream, bool facts_fit, struct leaf_event *e)
{
	if (facts_fit && upstream != NULL)
		return GRANT_OK;
	e->decision = "deny";
	e->reason_code = ipc_text(facts_fit ? NO_RECEIPT_CODE : FACTS_CODE);
	e->reason = ipc_text(facts_fit ? NO_RECEIPT_TEXT : FACTS_TEXT);
	return facts_fit ? GRANT_UNAVAILABLE : GRANT_DENIED;
}

/* In canonical form; a mark stands for what has none. */
static bool put_facts(const struct ipc_intent *m, struct buf *facts, struct leaf_event *e)
{
	bool fit = m->facts.n == 0 || leaf_canonical(m->facts.p, m->facts.n, facts) == KG_OK;

	e->facts = fit ? ipc_mem(buf_ptr(facts), buf_len(facts)) : ipc_text(FACTS_MARK);
	return fit;
}

static int commit_intent(struct recorder *r, const struct ipc_intent *m, const struct peer *upstream,
			 struct ipc_receipt *yes)
{
	struct leaf_event e;
	struct buf facts;
	bool fit;
	int err;

	buf_init(&facts, MEMBERS_MAX);
	intent_event(m, &e);
	fit = put_facts(m, &facts, &e);
	if (m->decision == DECISION_ALLOW)
		yes->status = receipt_refusal(upstream, fit, &e);
	err = commit_leaf(r->commit, &e, COMMIT_URGENT, &yes->seq);
	buf_free(&facts);
	return err;
}

static int record_intent(struct peer *p, const struct ipc_intent *m, const struct peer *upstream)
{
	struct recorder *r = p->recorder;
	struct recorded_call call = {0};
	struct ipc_receipt yes = {.call = m->call, .status = GRANT_OK};
	int err = commit_intent(r, m, upstream, &yes);

	call.allowed = m->decision == DECISION_ALLOW && yes.status == GRANT_OK;
	if (err != KG_OK)
		return err;
	memcpy(call.txn, m->txn, ID_LEN);
	call.seq = yes.seq;
	call.owner = call.allowed ? p : NULL;
	err = calls_add(r->calls, &call);
	if (err != KG_OK)
		return err;
	if (call.allowed)
		intent_receipt(upstream, m, &yes);
	answer(p, &yes);
	checkpoint_grown(r->checkpointer);
	return KG_OK;
}

static int on_intent(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_intent *m = msg;
	struct peer *p = arg;
	struct ipc_receipt full = {.call = m->call, .status = GRANT_UNAVAILABLE};
	char upstream[SERVER_NAME_LEN + 1];

	(void)c, (void)fd;
	if (!intent_is_sound(m) || ipc_copy(m->upstream, upstream, sizeof(upstream)) != KG_OK)
		return KG_E_PROTO;
	if (calls_find(p->recorder->calls, m->txn) != NULL)
		return refuse_reuse(p, m);
	if (m->decision == DECISION_ALLOW && calls_full(p->recorder->calls)) {
		answer(p, &full);
		return KG_OK;
	}
	return record_intent(p, m, recorder_upstream(p->recorder, upstream));
}

static int on_outcome(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_outcome *m = msg;
	struct peer *p = arg;
	struct ipc_recorded done = {.call = m->call};
	struct told_outcome told = {
		.txn = m->txn,
		.intent_seq = m->intent_seq,
		.outcome = m->outcome,
		.reason_code = m->reason_code,
		.result_sha256 = unless_zero(m->result_sha256, HASH_LEN),
		.bytes_out = m->bytes_out,
		.latency_us = m->latency_us,
		.from = p,
	};
	int err = outcome_record(p->recorder, &told, &done.seq);

	(void)c, (void)fd;
	if (err != KG_OK)
		return err;
	commit_answer(p->recorder->commit, p->conn, IPC_RECORDED, &done, sizeof(done));
	checkpoint_grown(p->recorder->checkpointer);
	return KG_OK;
}

static int on_event(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_broker_event *m = msg;
	struct recorder *r = ((struct peer *)arg)->recorder;
	struct ipc_broker_event_recorded done = {.id = m->id, .status = GRANT_OK};
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "policy", .event = m->kind};
	struct buf members;

	(void)fd;
	if (m->kind.n == 0)
		return KG_E_PROTO;
	buf_init(&members, MEMBERS_MAX);
	if (leaf_canonical(m->members.p, m->members.n, &members) != KG_OK)
		done.status = GRANT_DENIED;
	e.members = ipc_mem(buf_ptr(&members), buf_len(&members));
	if (done.status == GRANT_OK && commit_leaf(r->commit, &e, COMMIT_URGENT, &done.seq) != KG_OK)
		done.status = GRANT_DENIED;
	buf_free(&members);
	commit_answer(r->commit, c, IPC_BROKER_EVENT_RECORDED, &done, sizeof(done));
	checkpoint_grown(r->checkpointer);
	return KG_OK;
}

static const struct ipc_op broker_ops[] = {
	{IPC_INTENT, on_intent},
	{IPC_OUTCOME, on_outcome},
	{IPC_BROKER_EVENT, on_event},
};

const struct ipc_handlers broker_handlers = {broker_ops, sizeof(broker_ops) / sizeof(broker_ops[0]), peer_closed};
