/* Those who do not want an answer any more: clients that cancel or go, sessions that end, connections that break. */
#include <string.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/reply.h"

static const struct call_stop cancelled = {200, RPC_CANCELLED, "client-cancelled", "the call was cancelled"};
static const struct call_stop disconnected = {200, RPC_CANCELLED, "client-gone", "the call was cancelled"};

void calls_session_ended(struct broker *b, struct session *s, const struct call_stop *stop)
{
	while (!LIST_EMPTY(&s->calls))
		(void)call_event(b, LIST_FIRST(&s->calls), CALL_EV_STOPPED, stop);
	held_session_ended(b->held, s, stop);
	lists_session_ended(b->lists, s, stop);
}

void calls_cancel(struct broker *b, struct session *s, const uint8_t mcp_session[ID_LEN], struct ipc_bytes rpc_id)
{
	struct call *c;

	LIST_FOREACH(c, &s->calls, of_session)
	{
		if (c->rpc_id_len == 0 || c->rpc_id_len != rpc_id.n || memcmp(c->rpc_id, rpc_id.p, rpc_id.n) != 0 ||
		    memcmp(c->mcp_session, mcp_session, ID_LEN) != 0)
			continue;
		(void)call_event(b, c, CALL_EV_STOPPED, &cancelled);
		return;
	}
}

/* MCP 2026-07-28: the end of the stream is the cancellation. Before it: a disconnect is none, the call goes on. What is
 * refused goes on to its record in any case. */
static void client_gone(struct broker *b, struct call *c)
{
	call_unbind(c);
	if (c->era == ERA_MODERN && c->state != CALL_REFUSED && c->state != CALL_ASKING)
		(void)call_event(b, c, CALL_EV_STOPPED, &disconnected);
}

void calls_request_gone(struct broker *b, struct peer *front, uint64_t request)
{
	struct call *c = call_find_request(b->calls, front, request);

	if (c != NULL)
		client_gone(b, c);
	else
		held_request_gone(b->held, front, request);
	lists_request_gone(b->lists, front, request);
}

void calls_front_lost(struct broker *b, struct peer *front)
{
	struct call_pool *p = b->calls;

	held_front_lost(b->held, front);
	lists_front_lost(b->lists, front);
	for (uint32_t i = 0; i < p->nrecords; i++)
		if (p->record[i]->id != 0 && p->record[i]->front == front)
			client_gone(b, p->record[i]);
}

void calls_peer_lost(struct broker *b, enum call_event e, const struct upstream *u)
{
	struct call_pool *p = b->calls;

	for (uint32_t i = 0; i < p->nrecords; i++)
		if (p->record[i]->id != 0 && (u == NULL || p->record[i]->upstream == u))
			(void)call_event(b, p->record[i], e, NULL);
}
