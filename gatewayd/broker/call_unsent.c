/* Steps of calls that will not be sent, or of which nothing is on record yet. */
#include <stdio.h>

#include "gatewayd/broker/call_steps.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/reply_approval.h"

void call_upstream_lost_text(const struct call *c, char *text, size_t size)
{
	snprintf(text, size, "server %s: its process ended, nothing was sent: try again, or see: keepgate status",
		 c->upstream->config->name);
}

int refused_recorded(struct broker *b, struct call *c, const void *detail)
{
	const struct ipc_receipt *m = detail;
	const struct call_answer *a = &c->answer;

	if (m->status != GRANT_OK)
		call_answer_error(c, 503, RPC_INTERNAL, AUDIT_AWAY);
	else if (a->approval)
		reply_approval(b->config, c);
	else if (a->as_result)
		reply_tool_error(c->front, c->request, a->text);
	else
		call_answer_error(c, a->http, a->code, a->text);
	call_forget(b, c);
	return KG_OK;
}

int refused_unrecorded(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	call_answer_error(c, 503, RPC_INTERNAL, AUDIT_AWAY);
	call_forget(b, c);
	return KG_OK;
}

int refused_stopped(struct broker *b, struct call *c, const void *detail)
{
	const struct call_stop *s = detail;

	call_answer_error(c, s->http, s->code, s->text);
	call_forget(b, c);
	return KG_OK;
}

/* Without vaultd there is no approval to name, and no credential. */
int refused_vault_away(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	call_answer_error(c, 503, RPC_INTERNAL, VAULT_AWAY);
	call_forget(b, c);
	return KG_OK;
}

int deciding_late(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	call_undecided(b, c, "external-timeout", "it did not answer in time");
	return KG_OK;
}

int deciding_pdp_lost(struct broker *b, struct call *c, const void *detail)
{
	(void)detail;
	call_undecided(b, c, "external-unavailable", "its role ended before it answered");
	return KG_OK;
}

int deciding_upstream_lost(struct broker *b, struct call *c, const void *detail)
{
	char text[CALL_TEXT_MAX];

	(void)detail;
	call_upstream_lost_text(c, text, sizeof(text));
	call_answer_error(c, 503, RPC_INTERNAL, text);
	call_forget(b, c);
	return KG_OK;
}
