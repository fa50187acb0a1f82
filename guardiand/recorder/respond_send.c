/* Responses on their way to vaultd, and how they end by time. */
#include <string.h>

#include "guardiand/recorder/cover.h"
#include "guardiand/recorder/incident.h"
#include "guardiand/recorder/respond_rows.h"

#define AGAIN_S 5 /* what vaultd could not answer is asked again */

static void send_act(struct responses *x, struct response *r)
{
	char name[INCIDENT_ID_MAX + 1];
	struct ipc_guard_act m = {
		.id = (uint64_t)r->id,
		.act = (uint8_t)r->act,
		.lift = r->state == RESPONSE_LIFTING,
		.server = ipc_text(r->server),
		.tool = ipc_text(r->tool),
		.tier = r->tier,
		.rate = r->rate,
		.until_unix = r->until,
		.rule = ipc_text(r->rule),
		.incident = ipc_text(incident_name(r->incident, name)),
		.reason = ipc_text(r->reason),
		.human = ipc_text(r->human),
	};

	memcpy(m.session, r->session, ID_LEN);
	memcpy(m.consent, r->consent, ID_LEN);
	r->send = r->again = false;
	if (ipc_send(x->g->r->vault, IPC_GUARD_ACT, &m) == KG_OK)
		r->awaits++;
}

void respond_send(struct responses *x)
{
	struct response *r;

	if (!x->any_send || x->g->r->vault == NULL)
		return;
	x->any_send = false;
	LIST_FOREACH(r, &x->live, link)
	if (r->send)
		send_act(x, r);
}

void respond_connected(struct responses *x)
{
	struct response *r;

	LIST_FOREACH(r, &x->live, link)
	{
		r->awaits = 0;
		r->send = r->state == RESPONSE_ORDERED || r->state == RESPONSE_LIFTING;
	}
	x->any_send = true;
	/* What is not durable yet goes out behind its commit. */
	if (!store_pending(x->g->store))
		respond_send(x);
}

void response_lifted_by(struct responses *x, struct response *r, const char *how)
{
	rows_state(x, r, RESPONSE_LIFTED, how);
	rows_record(x, r, "response.lifted", NULL, how, NULL);
	response_forget(x, r);
}

void respond_expire(struct responses *x, uint64_t now)
{
	struct response *r, *next;

	for (r = LIST_FIRST(&x->live); r != NULL; r = next) {
		next = LIST_NEXT(r, link);
		if (r->until != 0 && r->until <= now && r->state != RESPONSE_LIFTING)
			response_lifted_by(x, r, "time");
		else if (r->again && now % AGAIN_S == 0)
			r->send = x->any_send = true;
	}
	if (!store_pending(x->g->store))
		respond_send(x);
}
