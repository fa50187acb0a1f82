/* What the roles that call and the recorder exchange for each call: receipts, outcomes, breaches. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "guardiand/recorder/recorder.h"

void violation_record(struct recorder *r, const char *server, const char *reason_code, const char *reason,
		      const uint8_t txn[ID_LEN])
{
	struct leaf_event e = {
		.phase = PHASE_STATE,
		.kind = "violation",
		.server = ipc_text(server),
		.reason_code = ipc_text(reason_code),
		.reason = ipc_text(reason),
		.txn = txn,
	};
	uint64_t seq;

	if (commit_leaf(r->commit, &e, COMMIT_LAZY, &seq) != KG_OK)
		log_panic("a violation does not fit a record");
}

void receipt_make(const struct peer *upstream, const struct call_id *id, uint64_t seq, struct granted *out)
{
	uint8_t digest[HASH_LEN];

	call_digest(id, digest);
	out->seq = seq;
	out->expires_ns = loop_now_ns() + RECEIPT_TTL_NS;
	receipt_mac(upstream->key, id->upstream, digest, seq, out->expires_ns, out->mac);
}

struct search {
	const struct told_outcome *told;
	struct recorded_call *found;
};

/* Whether the leaf is the intent of this very call, of this very peer. */
static int match_intent(const struct store_leaf *leaf, void *arg)
{
	const struct search *x = arg;
	const struct peer *from = x->told->from;
	bool self = from->role == IPC_ROLE_UPSTREAM;
	uint8_t txn[ID_LEN];

	if (!leaf_is(leaf->leaf, leaf->len, "phase", "intent") ||
	    !leaf_is(leaf->leaf, leaf->len, "kind", self ? "self" : "call") ||
	    (self && !leaf_is(leaf->leaf, leaf->len, "tool.server", from->server)) ||
	    leaf_bytes(leaf->leaf, leaf->len, "txn", txn, ID_LEN) != KG_OK || memcmp(txn, x->told->txn, ID_LEN) != 0)
		return KG_E_NOTFOUND;
	memcpy(x->found->txn, txn, ID_LEN);
	x->found->seq = leaf->seq;
	x->found->allowed = leaf_is(leaf->leaf, leaf->len, "decision", "allow");
	x->found->self = self;
	return KG_OK;
}

/* The call on record that the outcome is of: remembered, or found by its number. */
static int find_call(struct recorder *r, const struct told_outcome *o, struct recorded_call *out)
{
	const struct recorded_call *known = calls_find(r->calls, o->txn);
	struct search x = {o, out};
	int err;

	*out = (struct recorded_call){0};
	if (known != NULL && !known->self) {
		*out = *known;
		return o->from->role == IPC_ROLE_BROKER ? KG_OK : KG_E_NOTFOUND;
	}
	/* The acts of upstream roles: only the role of that server may end them, by its present connection or a later
	 * one. */
	if (known != NULL && known->owner == o->from) {
		*out = *known;
		return KG_OK;
	}
	err = store_leaf(r->store, o->intent_seq, match_intent, &x);
	if (err == KG_OK)
		err = store_outcome(r->store, out->seq, &out->outcome);
	else
		return err;
	return err == KG_E_NOTFOUND ? KG_OK : err;
}

static bool never_sent(uint8_t outcome)
{
	return outcome == OUTCOME_UNSENT || outcome == OUTCOME_CANCELLED;
}

/* What cannot be true of this call; NULL when it can. */
static const char *outcome_lie(const struct told_outcome *o, const struct recorded_call *call)
{
	if (o->outcome < OUTCOME_OK || o->outcome > OUTCOME_LOST)
		return "an outcome that does not exist";
	if (call == NULL)
		return o->intent_seq == 0 && never_sent(o->outcome) ? NULL
								    : "an outcome of a call that is not on record";
	if (o->intent_seq != 0 && o->intent_seq != call->seq)
		return "an outcome with the number of another call";
	if (!call->allowed && !never_sent(o->outcome))
		return "an outcome of a call that was refused";
	return NULL;
}

static int outcome_leaf(struct recorder *r, const struct told_outcome *o, const struct recorded_call *call,
			uint64_t *seq)
{
	struct leaf_event e = {
		.phase = PHASE_OUTCOME,
		.kind = call->self ? "self" : "call",
		.outcome = outcome_name(o->outcome),
		.reason_code = o->reason_code,
		.txn = o->txn,
		.result_sha256 = o->result_sha256,
		.bytes_out = o->bytes_out,
		.latency_us = o->latency_us,
		.intent_seq = call->seq,
		.marks = o->marks,
	};
	int err = commit_leaf(r->commit, &e, COMMIT_LAZY, seq);

	if (err == KG_OK)
		calls_settle(r->calls, o->txn, *seq);
	return err;
}

uint64_t outcome_unsent(struct recorder *r, const uint8_t txn[ID_LEN], uint64_t intent_seq, const char *reason_code)
{
	struct told_outcome o = {.txn = txn, .outcome = OUTCOME_UNSENT, .reason_code = ipc_text(reason_code)};
	struct recorded_call call = {.seq = intent_seq};
	uint64_t seq;

	if (outcome_leaf(r, &o, &call, &seq) != KG_OK)
		log_panic("an outcome does not fit a record");
	return seq;
}

int outcome_record(struct recorder *r, const struct told_outcome *o, uint64_t *seq)
{
	struct recorded_call call;
	int err = find_call(r, o, &call);
	const char *lie;

	if (err != KG_OK && err != KG_E_NOTFOUND)
		log_fatal(KG_EXIT_STORE, "audit.db: an intent cannot be read: %s", store_error(r->store));
	lie = outcome_lie(o, err == KG_OK ? &call : NULL);
	if (lie != NULL) {
		violation_record(r, o->from->server, "outcome", lie, o->txn);
		return KG_E_PROTO;
	}
	*seq = err == KG_OK ? call.outcome : 0;
	return err == KG_OK && call.outcome == 0 ? outcome_leaf(r, o, &call, seq) : KG_OK;
}
