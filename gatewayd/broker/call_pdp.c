/* A call that the local policies allow, and that the decision point of others must allow too. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/broker/call_steps.h"
#include "gatewayd/broker/pdp.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/text.h"

#define ASK_QUEUE_HIGH (IPC_QUEUE_MAX / 2)

/* KG_E_LIMIT when the question is too long, KG_E_UNAVAILABLE when nobody can be asked. */
static int ask(const struct act *a, const struct call *c, const struct tool *t, const struct decision *v)
{
	struct ipc_conn *conn = a->b->pdp.conn;
	struct ipc_pdp_ask m = {.ask = c->id};
	struct buf text;
	int r;

	if (conn == NULL || ipc_queued(conn) > ASK_QUEUE_HIGH)
		return KG_E_UNAVAILABLE;
	buf_init(&text, PDP_QUESTION_MAX);
	r = pdp_question_put(&text, a, t, v);
	if (r == KG_OK) {
		m.request = ipc_mem(buf_ptr(&text), (uint32_t)buf_len(&text));
		r = ipc_send(conn, IPC_PDP_ASK, &m) == KG_OK ? KG_OK : KG_E_UNAVAILABLE;
	}
	buf_free(&text);
	return r;
}

void call_consult(const struct act *a, struct call *c, const struct tool *t, const struct decision *v,
		  const struct ipc_intent *intent, const struct ipc_attach *attach)
{
	struct call_pool *p = a->b->calls;
	int r;

	c->state = CALL_DECIDING;
	if (call_keep_message(p, c, IPC_INTENT, intent) != KG_OK ||
	    call_keep_message(p, c, IPC_ATTACH, attach) != KG_OK) {
		call_answer_error(c, 503, RPC_INTERNAL, CALLS_TOO_MANY);
		call_forget(a->b, c);
		return;
	}
	c->due_ns = a->now_ns + (a->b->config->policy.external.timeout_ms + PDP_SLACK_MS) * 1000000ull;
	call_enqueue(c, &p->deciding);
	deadline_watch(a->b);
	r = ask(a, c, t, v);
	if (r == KG_E_UNAVAILABLE)
		call_undecided(a->b, c, "external-unavailable", "its role is away");
	else if (r != KG_OK)
		call_undecided(a->b, c, "external-limit", "the arguments are too long to be shown to it");
}

/* Its word stands in the record, or the call is not made. */
static int note_word(struct broker *b, const struct call *c, bool permit, const char *code, struct ipc_intent *m)
{
	int r = call_later_intent(c, m);

	if (r != KG_OK)
		return r;
	buf_reset(&b->facts);
	r = pdp_facts_put(&b->facts, m->facts, permit, code);
	if (r == KG_OK && buf_len(&b->facts) > DECISION_FACTS_MAX)
		r = KG_E_LIMIT;
	if (r == KG_OK)
		m->facts = ipc_mem(buf_ptr(&b->facts), (uint32_t)buf_len(&b->facts));
	return r;
}

static void refuse(struct broker *b, struct call *c, const char *code, const char *why)
{
	char reason[DECISION_REASON_MAX];
	struct ipc_intent m;
	int r = note_word(b, c, false, code, &m);

	text_put(reason, sizeof(reason), "refused: %s/%s by the external decision point: %s", c->upstream->config->name,
		 c->name, why);
	c->answer = (struct call_answer){.http = 200, .code = RPC_REFUSED, .as_result = true};
	text_put(c->answer.text, sizeof(c->answer.text), "%s", reason);
	call_refuse(b, c, code, reason, r == KG_OK ? &m.facts : NULL);
}

void call_undecided(struct broker *b, struct call *c, const char *reason_code, const char *why)
{
	refuse(b, c, reason_code, why);
}

static int go_on(struct broker *b, struct call *c, const char *code)
{
	struct ipc_intent intent;
	struct ipc_attach attach;

	if (note_word(b, c, true, code, &intent) != KG_OK || call_later_attach(c, &attach) != KG_OK) {
		refuse(b, c, "record-limit", "its word cannot be recorded");
		return KG_OK;
	}
	(void)ipc_send(b->recorder.conn, IPC_INTENT, &intent);
	(void)ipc_send(b->vault.conn, IPC_ATTACH, &attach);
	call_drop_messages(b->calls, c);
	c->state = CALL_GRANTING;
	call_wait(b, c);
	return KG_OK;
}

int call_decided(struct broker *b, struct call *c, const void *detail)
{
	const struct ipc_pdp_answer *m = detail;
	char code[65], why[513];

	if (ipc_copy(m->reason_code, code, sizeof(code)) != KG_OK || ipc_copy(m->reason, why, sizeof(why)) != KG_OK)
		return KG_E_PROTO;
	if (m->decision == 1)
		return go_on(b, c, code);
	refuse(b, c, code[0] == '\0' ? "external-denied" : code, why[0] == '\0' ? "it denies the call" : why);
	return KG_OK;
}
