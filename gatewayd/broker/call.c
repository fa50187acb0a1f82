#include "gatewayd/broker/call.h"

#include <stdio.h>
#include <string.h>

#include "common/json_text.h"
#include "gatewayd/broker/call_steps.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/text.h"

void call_answer_error(struct call *c, uint32_t http, int32_t code, const char *text)
{
	reply_error(c->front, c->request, http, code, text);
	call_unbind(c);
}

void call_end(struct broker *b, struct call *c, enum outcome_kind kind, const char *reason_code)
{
	c->outcome.kind = (uint8_t)kind;
	c->outcome.latency_us = (loop_now_ns() - c->started_ns) / 1000;
	snprintf(c->outcome.reason_code, sizeof(c->outcome.reason_code), "%s", reason_code);
	call_unbind(c);
	call_leave(c);
	call_drop_body(b->calls, c);
	if (!c->has_receipt && b->recorder.conn != NULL) {
		c->state = CALL_ABANDONED;
		return;
	}
	c->state = CALL_CLOSING;
	call_enqueue(c, &b->calls->closing);
	outcome_send(b, c);
}

void call_forget(struct broker *b, struct call *c)
{
	call_leave(c);
	call_free(b->calls, c);
}

/* Came too late to matter, or does not concern a call in this state. */
static int pass(struct broker *b, struct call *c, const void *detail)
{
	(void)b, (void)c, (void)detail;
	return KG_OK;
}

/* Recorded, and not sent after all. */
static int unsent(struct broker *b, struct call *c, uint32_t http, int32_t code, const char *reason_code,
		  const char *text)
{
	call_answer_error(c, http, code, text);
	call_end(b, c, OUTCOME_UNSENT, reason_code);
	return KG_OK;
}

static int dispatch_when_granted(struct broker *b, struct call *c)
{
	char text[CALL_TEXT_MAX];

	if (!c->has_receipt || !c->has_sealed)
		return KG_OK;
	if (call_dispatch(b, c) == KG_OK)
		return KG_OK;
	snprintf(text, sizeof(text),
		 "server %s: its process takes no calls now, nothing was sent: try again, or see: keepgate status",
		 c->upstream->config->name);
	return unsent(b, c, 503, RPC_INTERNAL, "upstream-unavailable", text);
}

/* The guardian's word to the agent, as a result that the model reads; the intent stands on record as it was. */
static int receipt_refused(struct broker *b, struct call *c, const struct ipc_receipt *m)
{
	char code[65], why[DECISION_REASON_MAX + 1], text[CALL_TEXT_MAX];

	if (ipc_copy(m->reason_code, code, sizeof(code)) != KG_OK || ipc_copy(m->reason, why, sizeof(why)) != KG_OK ||
	    !utf8_valid(why, strlen(why)))
		return KG_E_PROTO;
	text_put(text, sizeof(text), "refused: %s/%s: %s", c->upstream->config->name, c->name, why);
	reply_tool_error(c->front, c->request, text);
	call_end(b, c, OUTCOME_UNSENT, code);
	return KG_OK;
}

static int grant_receipt(struct broker *b, struct call *c, const void *detail)
{
	const struct ipc_receipt *m = detail;

	if (c->has_receipt)
		return KG_E_PROTO;
	if (m->status != GRANT_OK && m->seq == 0) {
		call_answer_error(c, 503, RPC_INTERNAL, AUDIT_AWAY);
		call_forget(b, c);
		return KG_OK;
	}
	c->has_receipt = true;
	c->seq = m->seq;
	c->receipt_expires_ns = m->expires_ns;
	memcpy(c->receipt_mac, m->mac, HASH_LEN);
	if (m->status == GRANT_DENIED && m->reason_code.n != 0)
		return receipt_refused(b, c, m);
	if (m->status != GRANT_OK)
		return unsent(
			b, c, 503, RPC_INTERNAL, "no-receipt",
			"the audit log (guardiand) gives no receipt for this server now, nothing was sent: try again, "
			"or see: keepgate status");
	return dispatch_when_granted(b, c);
}

/* vaultd's word to the agent, as it is. */
static int attach_refused(struct broker *b, struct call *c, const struct ipc_attached *m)
{
	char code[65], text[CALL_TEXT_MAX];
	bool denied = m->status == GRANT_DENIED;

	if (ipc_copy(m->reason_code, code, sizeof(code)) != KG_OK || ipc_copy(m->reason, text, sizeof(text)) != KG_OK)
		return KG_E_PROTO;
	if (code[0] == '\0')
		snprintf(code, sizeof(code), "%s", denied ? "vault-denied" : "vault-unavailable");
	if (text[0] == '\0')
		snprintf(text, sizeof(text), "%s", denied ? "the vault (vaultd) refused this call" : VAULT_AWAY);
	return unsent(b, c, denied ? 200 : 503, denied ? RPC_REFUSED : RPC_INTERNAL, code, text);
}

static int grant_attached(struct broker *b, struct call *c, const void *detail)
{
	const struct ipc_attached *m = detail;

	if (c->has_sealed)
		return KG_E_PROTO;
	if (m->status != GRANT_OK)
		return attach_refused(b, c, m);
	if (buf_put(&c->sealed, m->sealed.p, m->sealed.n) != KG_OK)
		return unsent(b, c, 503, RPC_INTERNAL, "out-of-memory",
			      "the gateway is out of memory, nothing was sent");
	c->has_sealed = true;
	return dispatch_when_granted(b, c);
}

static int grant_stopped(struct broker *b, struct call *c, const void *detail)
{
	const struct call_stop *s = detail;

	call_answer_error(c, s->http, s->code, s->text);
	call_end(b, c, OUTCOME_CANCELLED, s->reason_code);
	return KG_OK;
}

static int grant_vault_lost(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	return c->has_sealed ? KG_OK : unsent(b, c, 503, RPC_INTERNAL, "vault-unavailable", VAULT_AWAY);
}

static int grant_recorder_lost(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	return c->has_receipt ? KG_OK : unsent(b, c, 503, RPC_INTERNAL, "recorder-unavailable", AUDIT_AWAY);
}

static int grant_deadline(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	if (!c->has_receipt)
		return unsent(b, c, 503, RPC_INTERNAL, "recorder-timeout",
			      "the audit log (guardiand) did not record the call within 5 s, nothing was sent: see: "
			      "keepgate status");
	return unsent(b, c, 503, RPC_INTERNAL, "vault-timeout",
		      "the vault (vaultd) did not answer within 5 s, nothing was sent: see: keepgate status");
}

static int grant_upstream_lost(struct broker *b, struct call *c, const void *detail)
{
	char text[CALL_TEXT_MAX];

	(void)detail;
	call_upstream_lost_text(c, text, sizeof(text));
	return unsent(b, c, 503, RPC_INTERNAL, "upstream-unavailable", text);
}

/* The sequence number that its outcome waited for; without one the intent was never written. */
static int abandoned_receipt(struct broker *b, struct call *c, const void *detail)
{
	const struct ipc_receipt *m = detail;

	if (m->status != GRANT_OK && m->seq == 0) {
		call_free(b->calls, c);
		return KG_OK;
	}
	c->has_receipt = true;
	c->seq = m->seq;
	c->state = CALL_CLOSING;
	call_enqueue(c, &b->calls->closing);
	outcome_send(b, c);
	return KG_OK;
}

/* The intent may be on record or not: the outcome follows when the recorder is back, found by its transaction. */
static int abandoned_recorder_lost(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	c->state = CALL_CLOSING;
	call_enqueue(c, &b->calls->closing);
	return KG_OK;
}

static void cancel_upstream(struct call *c, const char *reason)
{
	struct ipc_call_cancel m = {.call = c->id, .reason = ipc_text(reason)};

	if (c->upstream->peer.conn != NULL)
		(void)ipc_send(c->upstream->peer.conn, IPC_CALL_CANCEL, &m);
}

static int run_result(struct broker *b, struct call *c, const void *detail)
{
	return call_take_result(b, c, detail);
}

static int run_stopped(struct broker *b, struct call *c, const void *detail)
{
	const struct call_stop *s = detail;

	cancel_upstream(c, s->reason_code);
	call_answer_error(c, s->http, s->code, s->text);
	call_end(b, c, OUTCOME_CANCELLED, s->reason_code);
	return KG_OK;
}

static int run_deadline(struct broker *b, struct call *c, const void *detail)
{
	char text[CALL_TEXT_MAX];

	(void)detail;
	cancel_upstream(c, "timeout");
	snprintf(text, sizeof(text),
		 "server %s: no answer within %u s. The call was sent and is now cancelled; it may have taken effect",
		 c->upstream->config->name, c->upstream->config->timeout_ms / 1000);
	call_answer_error(c, 200, RPC_INTERNAL, text);
	call_end(b, c, OUTCOME_TIMEOUT, "server-timeout");
	return KG_OK;
}

static int run_upstream_lost(struct broker *b, struct call *c, const void *detail)
{
	char text[CALL_TEXT_MAX];

	(void)detail;
	snprintf(text, sizeof(text),
		 "server %s: its process ended before it answered. The call was sent and may have taken effect: look "
		 "before repeating it",
		 c->upstream->config->name);
	call_answer_error(c, 200, RPC_INTERNAL, text);
	call_end(b, c, OUTCOME_LOST, "upstream-lost");
	return KG_OK;
}

static int closing_recorded(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	call_dequeue(c);
	call_free(b->calls, c);
	return KG_OK;
}

/* No function: that message cannot come in this state, and its sender is at fault. */
static int (*const steps[CALL_STATES][CALL_EVENTS])(struct broker *b, struct call *c, const void *detail) =
	{
		[CALL_REFUSED] =
			{
				[CALL_EV_RECEIPT] = refused_recorded,
				[CALL_EV_STOPPED] = refused_stopped,
				[CALL_EV_DEADLINE] = refused_unrecorded,
				[CALL_EV_VAULT_LOST] = pass,
				[CALL_EV_RECORDER_LOST] = refused_unrecorded,
			},
		[CALL_ASKING] =
			{
				[CALL_EV_ASKED] = call_asked,
				[CALL_EV_STOPPED] = refused_stopped,
				[CALL_EV_DEADLINE] = refused_vault_away,
				[CALL_EV_VAULT_LOST] = refused_vault_away,
				[CALL_EV_RECORDER_LOST] = refused_unrecorded,
			},
		[CALL_DECIDING] =
			{
				[CALL_EV_DECIDED] = call_decided,
				[CALL_EV_STOPPED] = refused_stopped,
				[CALL_EV_DEADLINE] = deciding_late,
				[CALL_EV_VAULT_LOST] = refused_vault_away,
				[CALL_EV_RECORDER_LOST] = refused_unrecorded,
				[CALL_EV_UPSTREAM_LOST] = deciding_upstream_lost,
				[CALL_EV_PDP_LOST] = deciding_pdp_lost,
			},
		[CALL_GRANTING] =
			{
				[CALL_EV_RECEIPT] = grant_receipt,
				[CALL_EV_ATTACHED] = grant_attached,
				[CALL_EV_STOPPED] = grant_stopped,
				[CALL_EV_DEADLINE] = grant_deadline,
				[CALL_EV_VAULT_LOST] = grant_vault_lost,
				[CALL_EV_RECORDER_LOST] = grant_recorder_lost,
				[CALL_EV_UPSTREAM_LOST] = grant_upstream_lost,
			},
		[CALL_ABANDONED] =
			{
				[CALL_EV_RECEIPT] = abandoned_receipt,
				[CALL_EV_ATTACHED] = pass,
				[CALL_EV_VAULT_LOST] = pass,
				[CALL_EV_RECORDER_LOST] = abandoned_recorder_lost,
			},
		[CALL_RUNNING] =
			{
				[CALL_EV_RESULT] = run_result,
				[CALL_EV_STOPPED] = run_stopped,
				[CALL_EV_DEADLINE] = run_deadline,
				[CALL_EV_VAULT_LOST] = pass,
				[CALL_EV_RECORDER_LOST] = pass,
				[CALL_EV_UPSTREAM_LOST] = run_upstream_lost,
			},
		[CALL_CLOSING] =
			{
				[CALL_EV_ATTACHED] = pass,
				[CALL_EV_RESULT] = pass,
				[CALL_EV_VAULT_LOST] = pass,
				[CALL_EV_RECORDER_LOST] = pass,
				[CALL_EV_RECORDED] = closing_recorded,
			},
};

int call_event(struct broker *b, struct call *c, enum call_event e, const void *detail)
{
	return steps[c->state][e] == NULL ? KG_E_PROTO : steps[c->state][e](b, c, detail);
}
