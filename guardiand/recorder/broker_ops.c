/* What the broker says: intents before a call, outcomes after it, and what is no call. */
#include <string.h>

#include <sodium.h>

#include "common/json_text.h"
#include "common/log.h"
#include "guardiand/recorder/checkpoint.h"
#include "guardiand/recorder/recorder.h"
#include "guardiand/recorder/respond.h"

#define NO_RECEIPT_CODE "no-receipt"
#define NO_RECEIPT_TEXT "the server's process is not connected to the audit recorder"
#define FACTS_CODE "facts-unwritable"
#define FACTS_TEXT                                                                                                     \
	"what the decision rested on cannot be put on record: a number is no integer of 53 bits, or a text holds a "   \
	"NUL"
#define UNWRITABLE "{\"unwritable\":true}"
#define MEMBERS_MAX 32768u /* facts and members are 24,576 bytes on the wire; the canonical form is hardly longer */

/* Whether an allowed call gets a receipt, and why not. */
struct verdict {
	uint8_t status;
	const char *code;
	char reason[GUARD_REASON_MAX];
};

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
static uint8_t receipt_refusal(const struct recorder *r, const struct ipc_intent *m, const struct peer *upstream,
			       bool fits, struct verdict *v)
{
	if (!fits) {
		*v = (struct verdict){GRANT_DENIED, FACTS_CODE, FACTS_TEXT};
	} else if (r->guard != NULL && respond_covers(r->guard->responses, m, v->reason)) {
		v->status = GRANT_DENIED;
		v->code = GUARD_CODE;
	} else if (upstream == NULL) {
		*v = (struct verdict){GRANT_UNAVAILABLE, NO_RECEIPT_CODE, NO_RECEIPT_TEXT};
	}
	return v->status;
}

/* In canonical form; a mark stands for what has none. */
static bool put_canonical(struct ipc_bytes json, struct buf *room, struct ipc_bytes *out)
{
	bool fits = json.n == 0 || leaf_canonical(json.p, json.n, room) == KG_OK;

	*out = fits ? ipc_mem(buf_ptr(room), buf_len(room)) : ipc_text(UNWRITABLE);
	return fits;
}

static int commit_intent(struct recorder *r, const struct ipc_intent *m, const struct peer *upstream, struct verdict *v,
			 uint64_t *seq)
{
	struct leaf_event e;
	struct buf facts, marks;
	bool fits;
	int err;

	buf_init(&facts, MEMBERS_MAX);
	buf_init(&marks, MEMBERS_MAX);
	intent_event(m, &e);
	fits = put_canonical(m->facts, &facts, &e.facts);
	fits = put_canonical(m->marks, &marks, &e.marks) && fits;
	if (m->decision == DECISION_ALLOW && receipt_refusal(r, m, upstream, fits, v) != GRANT_OK) {
		e.decision = "deny";
		e.reason_code = ipc_text(v->code);
		e.reason = ipc_text(v->reason);
	}
	err = commit_leaf(r->commit, &e, COMMIT_URGENT, seq);
	buf_free(&facts);
	buf_free(&marks);
	return err;
}

/*
 * The very call that alarms is contained itself, by what it has put in force: its record says that it was allowed,
 * which is what the rules have seen, and the next one that it was not sent. A person's approval of this call serves
 * here as well.
 */
static uint64_t contain_alarm(struct recorder *r, const struct ipc_intent *m, uint64_t seq, struct verdict *v)
{
	if (r->guard == NULL || m->decision != DECISION_ALLOW || v->status != GRANT_OK ||
	    !respond_covers(r->guard->responses, m, v->reason))
		return 0;
	v->status = GRANT_DENIED;
	v->code = GUARD_CODE;
	return outcome_unsent(r, m->txn, seq, GUARD_CODE);
}

/* The texts of a refusal live until the answer has left. */
static void answer_refused(struct peer *p, struct ipc_receipt *m, const struct verdict *v)
{
	char *held = strdup(v->reason);

	if (held == NULL)
		log_fatal(KG_EXIT_FAILURE, "answer: out of memory");
	m->reason_code = ipc_text(v->code);
	m->reason = ipc_text(held);
	commit_answer_held(p->recorder->commit, p->conn, IPC_RECEIPT, m, sizeof(*m), held);
}

static int record_intent(struct peer *p, const struct ipc_intent *m, const struct peer *upstream)
{
	struct recorder *r = p->recorder;
	struct recorded_call call = {0};
	struct ipc_receipt yes = {.call = m->call, .status = GRANT_OK};
	struct verdict v = {.status = GRANT_OK};
	int err = commit_intent(r, m, upstream, &v, &yes.seq);

	if (err != KG_OK)
		return err;
	call.outcome = contain_alarm(r, m, yes.seq, &v);
	yes.status = v.status;
	call.allowed = m->decision == DECISION_ALLOW && yes.status == GRANT_OK;
	memcpy(call.txn, m->txn, ID_LEN);
	call.seq = yes.seq;
	call.owner = call.allowed ? p : NULL;
	err = calls_add(r->calls, &call);
	if (err != KG_OK)
		return err;
	if (call.allowed)
		intent_receipt(upstream, m, &yes);
	if (yes.status != GRANT_OK)
		answer_refused(p, &yes, &v);
	else
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
	struct buf marks;
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
	int err;

	(void)c, (void)fd;
	buf_init(&marks, MEMBERS_MAX);
	(void)put_canonical(m->marks, &marks, &told.marks);
	err = outcome_record(p->recorder, &told, &done.seq);
	buf_free(&marks);
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
