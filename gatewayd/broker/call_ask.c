/* A call that needs a person's approval: it is asked for at vaultd, then the call is refused with the way to it. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/broker/call_steps.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"
#include "gatewayd/broker/text.h"

#define APPROVAL_ARGS_MAX 65536u /* APPROVAL_ASK.args: what people can be shown */

/* Arguments that cannot be shown to anybody cannot be approved. */
static void refuse_too_long(const struct act *a, const struct tool *t, const struct decision *v)
{
	struct denial d = denial_of(t, v);

	d.reason_code = "approval-limit";
	text_put(d.answer.text, sizeof(d.answer.text),
		 "refused: %s needs a person's approval, and arguments of more than %u bytes cannot be shown to one",
		 t->qualified, APPROVAL_ARGS_MAX);
	call_deny(a, &d);
}

static void ask_send(const struct act *a, const struct call *c, const struct tool *t, const struct decision *v)
{
	struct ipc_approval_ask m = {.call = c->id,
				     .upstream = ipc_text(t->server->name),
				     .name = ipc_text(t->name),
				     .four_eyes = v->four_eyes,
				     .policies = ipc_text(v->policies),
				     .reason = ipc_text(v->reason),
				     .source = a->q->source,
				     .args = a->q->args};

	memcpy(m.session, a->session->id, ID_LEN);
	memcpy(m.args_sha256, a->args_sha256, HASH_LEN);
	memcpy(m.def_sha256, t->def.sha256, HASH_LEN);
	if (v->spent != NULL)
		memcpy(m.spent, v->spent->id, ID_LEN);
	(void)ipc_send(a->b->vault.conn, IPC_APPROVAL_ASK, &m);
}

/* A record that holds the denial to come; NULL when there is no room. */
static struct call *call_make(const struct act *a, const struct tool *t, const struct decision *v)
{
	struct call *c = a->session->ncalls >= CALLS_PER_SESSION ? NULL : call_new(a->b->calls, a->front, a->q);
	struct ipc_intent m;

	if (c == NULL)
		return NULL;
	m = call_intent(a, c);
	call_intent_tool(&m, t, v);
	m.decision = DECISION_DENY;
	if (call_keep_message(a->b->calls, c, IPC_INTENT, &m) != KG_OK) {
		call_free(a->b->calls, c);
		return NULL;
	}
	c->state = CALL_ASKING;
	c->elicits = act_elicits(a);
	c->started_ns = a->now_ns;
	text_put(c->answer.text, sizeof(c->answer.text), "%s", t->qualified);
	call_enter(c, a->session, NULL);
	call_wait(a->b, c);
	return c;
}

void call_ask(const struct act *a, const struct tool *t, const struct decision *v)
{
	struct call *c;

	if (a->q->args.n > APPROVAL_ARGS_MAX) {
		refuse_too_long(a, t, v);
		return;
	}
	c = call_make(a, t, v);
	if (c == NULL) {
		act_refuse(a, 503, RPC_INTERNAL, CALLS_TOO_MANY);
		return;
	}
	ask_send(a, c, t, v);
}

/* Who wanted it stands in the denial to come. */
static const char *wanted_code(const struct call *c)
{
	struct ipc_intent m;

	return call_later_intent(c, &m) == KG_OK && ipc_is(m.reason_code, GUARDIAN_APPROVAL) ? GUARDIAN_APPROVAL
											     : "approval-required";
}

/* There is, or was, an approval: what its state means to the call. */
static int name_approval(struct broker *b, struct call *c, const struct ipc_approval_asked *m, const char *why)
{
	char tool[sizeof(((struct tool *)NULL)->qualified)], reason[DECISION_REASON_MAX];
	bool open = m->state == APPROVAL_PENDING || m->state == APPROVAL_APPROVED;

	if (!open && m->state != APPROVAL_DENIED)
		return KG_E_PROTO;
	text_put(tool, sizeof(tool), "%s", c->answer.text);
	memcpy(c->approval, m->approval, ID_LEN);
	c->answer = (struct call_answer){.http = 200, .code = RPC_REFUSED, .as_result = true, .approval = open};
	if (open)
		text_put(c->answer.text, sizeof(c->answer.text),
			 "%s needs a person's approval of exactly these arguments.", tool);
	else
		text_put(c->answer.text, sizeof(c->answer.text), "refused: the approval of %s was denied%s%s", tool,
			 why[0] == '\0' ? "" : ": ", why);
	text_put(reason, sizeof(reason), "%s", c->answer.text);
	call_refuse(b, c, open ? wanted_code(c) : "approval-denied", reason, NULL);
	return KG_OK;
}

/* vaultd takes no approval for this call: its word, as a denial. */
static int no_approval(struct broker *b, struct call *c, const struct ipc_approval_asked *m, const char *why)
{
	char code[65], reason[DECISION_REASON_MAX];

	if (ipc_copy(m->reason_code, code, sizeof(code)) != KG_OK)
		return KG_E_PROTO;
	if (code[0] == '\0')
		snprintf(code, sizeof(code), "approval-unavailable");
	text_put(reason, sizeof(reason), "refused: %s needs a person's approval, and none can be asked for: %s",
		 c->answer.text, why[0] == '\0' ? "the vault (vaultd) takes none now" : why);
	c->answer = (struct call_answer){.http = 200, .code = RPC_REFUSED, .as_result = true};
	text_put(c->answer.text, sizeof(c->answer.text), "%s", reason);
	call_refuse(b, c, code, reason, NULL);
	return KG_OK;
}

int call_asked(struct broker *b, struct call *c, const void *detail)
{
	const struct ipc_approval_asked *m = detail;
	char why[DECISION_REASON_MAX + 1];

	if (ipc_copy(m->reason, why, sizeof(why)) != KG_OK)
		return KG_E_PROTO;
	return m->status == GRANT_OK ? name_approval(b, c, m, why) : no_approval(b, c, m, why);
}
