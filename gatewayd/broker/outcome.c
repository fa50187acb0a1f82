/* Outcomes stay with us until the recorder says that they are durable. */
#include <string.h>

#include "gatewayd/broker/call.h"

void outcome_send(struct broker *b, const struct call *c)
{
	const struct call_outcome *o = &c->outcome;
	struct ipc_outcome m = {.call = c->id,
				.intent_seq = c->seq,
				.outcome = o->kind,
				.reason_code = ipc_text(o->reason_code),
				.bytes_out = o->bytes_out,
				.latency_us = o->latency_us,
				.marks = ipc_mem(buf_ptr(&c->marks), buf_len(&c->marks))};

	if (b->recorder.conn == NULL)
		return;
	memcpy(m.txn, c->txn, ID_LEN);
	memcpy(m.result_sha256, o->result_sha256, HASH_LEN);
	(void)ipc_send(b->recorder.conn, IPC_OUTCOME, &m);
}

/* It knows a transaction that it has already written and answers again. */
void outcome_resend_all(struct broker *b)
{
	const struct call *c;

	TAILQ_FOREACH(c, &b->calls->closing, in_queue)
	outcome_send(b, c);
}
