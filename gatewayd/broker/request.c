#include "gatewayd/broker/request.h"

#include <stdio.h>
#include <string.h>

#include "common/json_text.h"
#include "common/token.h"
#include "gatewayd/broker/call.h"
#include "gatewayd/broker/gate.h"
#include "gatewayd/broker/list.h"
#include "gatewayd/broker/reply.h"

#define LEGACY (1u << ERA_LEGACY)
#define MODERN (1u << ERA_MODERN)
#define SESSION_REFUSAL_NS 60000000000ull

/* What a client may ask, in which era, and whether a legacy one must have initialized before. */
static const struct method {
	uint8_t number;
	uint8_t eras;
	bool in_mcp_session;
	int (*run)(struct act *a);
} methods[] = {
	{MCP_INITIALIZE, LEGACY, false, method_initialize},
	{MCP_INITIALIZED, LEGACY, true, method_note},
	{MCP_PING, LEGACY, true, method_ping},
	{MCP_DISCOVER, MODERN, false, method_discover},
	{MCP_TOOLS_LIST, LEGACY | MODERN, true, method_tools_list},
	{MCP_TOOLS_CALL, LEGACY | MODERN, true, method_tools_call},
	{MCP_CANCELLED, LEGACY | MODERN, true, method_cancelled},
	{MCP_SESSION_DELETE, LEGACY, true, method_session_delete},
	{MCP_OTHER_NOTE, LEGACY | MODERN, true, method_note},
};

void act_refuse(const struct act *a, uint32_t http, int32_t code, const char *text)
{
	reply_error(a->front, a->q->call, http, code, text);
}

struct ipc_bytes act_client(const struct act *a)
{
	return a->q->client.n == 0 && a->mcp != NULL ? ipc_text(a->mcp->client) : a->q->client;
}

uint8_t act_elicits(const struct act *a)
{
	return a->mcp != NULL ? a->mcp->elicits : a->q->elicits;
}

static const struct method *method_find(const struct ipc_request *q)
{
	if (q->era != ERA_LEGACY && q->era != ERA_MODERN)
		return NULL;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].number == q->method && (methods[i].eras & 1u << q->era) != 0)
			return &methods[i];
	return NULL;
}

/* Without the vault nobody is known, without the recorder nothing may happen. */
static bool services_there(const struct act *a)
{
	const struct broker *b = a->b;

	if (b->vault.conn == NULL || !sessions_synced(b->sessions)) {
		act_refuse(a, 503, RPC_INTERNAL, VAULT_AWAY);
		return false;
	}
	/* Nor before it has told what the policies of a new broker would ask for. */
	if (b->recorder.conn == NULL || !risks_known(b->risks)) {
		act_refuse(a, 503, RPC_INTERNAL, AUDIT_AWAY);
		return false;
	}
	return true;
}

/*
 * A session that was known gets a record of its own now and then, however many refusals there are: the use of a revoked
 * token must not drown in a flood of guesses.
 */
static bool session_refusal_due(const struct act *a)
{
	if (a->session == NULL ||
	    (a->session->refused_ns != 0 && a->now_ns - a->session->refused_ns < SESSION_REFUSAL_NS))
		return false;
	a->session->refused_ns = a->now_ns;
	return true;
}

/* A refused token is recorded, as far as the bound on such records allows, and answered then. */
static void gate_refuse(const struct act *a, const struct gate_refusal *g)
{
	struct denial d = {.upstream = "",
			   .name = a->q->name,
			   .reason_code = g->reason_code,
			   .answer = {.http = g->http, .code = g->code}};
	char reason[CALL_TEXT_MAX];
	uint64_t unrecorded = 0;

	gate_text(g, a->session, d.answer.text, sizeof(d.answer.text));
	if (!denials_take(a->b->denials, a->q->source, a->now_ns, &unrecorded) && !session_refusal_due(a)) {
		act_refuse(a, g->http, g->code, d.answer.text);
		return;
	}
	snprintf(reason, sizeof(reason), "%s", g->reason_code);
	if (unrecorded != 0)
		snprintf(reason, sizeof(reason), "%s; %llu refusals before it were too many to record", g->reason_code,
			 (unsigned long long)unrecorded);
	d.reason = reason;
	call_deny(a, &d);
}

static bool session_open(struct act *a)
{
	uint8_t hash[HASH_LEN];
	const struct gate_refusal *g;

	/* Its checksum is for secret scanners, and the front has checked it: here the hash decides. */
	if (a->q->token.n == TOKEN_LEN) {
		token_hash((const char *)a->q->token.p, a->q->token.n, hash);
		a->session = sessions_find(a->b->sessions, hash);
	}
	g = gate_check(a->session, a->now_unix);
	if (g != NULL)
		gate_refuse(a, g);
	return g == NULL;
}

static bool server_known(struct act *a)
{
	a->server = LIST_ALL_SERVERS;
	if (a->q->server.n == 0)
		return true;
	a->server = catalogue_server(a->b->catalogue, a->q->server.p, a->q->server.n);
	if (a->server < 0)
		act_refuse(a, 404, RPC_BAD_REQUEST, "no server of this name stands in the gateway's configuration");
	return a->server >= 0;
}

/* MCP 2025-11-25, session management: without the header 400, with an unknown one 404, and the client starts anew. */
static bool mcp_session_known(struct act *a)
{
	if (a->q->mcp_session.n == 0) {
		act_refuse(a, 400, RPC_BAD_REQUEST, "the Mcp-Session-Id header is missing: send initialize first");
		return false;
	}
	a->mcp = mcp_sessions_find(a->b->mcp, a->session, a->q->mcp_session);
	if (a->mcp == NULL)
		act_refuse(a, 404, RPC_REFUSED, "this MCP session is not known here: send initialize again");
	return a->mcp != NULL;
}

/* What goes into the record as text; the recorder ends the connection of whoever hands it other bytes. */
static bool texts_are_sound(const struct ipc_request *q)
{
	return utf8_valid(q->name.p, q->name.n) && utf8_valid(q->client.p, q->client.n) &&
	       utf8_valid(q->source.p, q->source.n);
}

static int run(struct act *a)
{
	const struct ipc_request *q = a->q;
	const struct method *m = method_find(q);

	/* The front has checked these: one that lets them through is not what it should be. */
	if (m == NULL || !texts_are_sound(q) || call_find_request(a->b->calls, a->front, q->call) != NULL ||
	    held_has(a->b->held, a->front, q->call) || lists_has(a->b->lists, a->front, q->call))
		return KG_E_PROTO;
	a->now_ns = loop_now_ns();
	a->now_unix = broker_unix_now();
	if (!services_there(a) || !session_open(a) || !server_known(a))
		return KG_OK;
	if (q->era == ERA_LEGACY && m->in_mcp_session && !mcp_session_known(a))
		return KG_OK;
	return m->run(a);
}

int request_run(struct broker *b, struct peer *front, const struct ipc_request *q)
{
	return run(&(struct act){.b = b, .front = front, .q = q});
}

int request_run_again(struct broker *b, struct peer *front, const struct ipc_request *q)
{
	return run(&(struct act){.b = b, .front = front, .q = q, .again = true});
}
