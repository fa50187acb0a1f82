/*
 * The Mcp-Session-Ids of legacy clients (MCP 2025-11-25, transports: session management). A name
 * for a client's conversation, never a proof of who it is: each belongs to one agent session, and
 * every request shows that session's token as well.
 */
#ifndef BROKER_MCP_SESSIONS_H
#define BROKER_MCP_SESSIONS_H

#include <stdint.h>
#include <sys/queue.h>

#include "gatewayd/broker/sessions.h"

#define VERSION_LATEST_LEGACY "2025-11-25"
#define MCP_SESSION_HEX 32
#define MCP_SESSIONS_PER_AGENT 64
#define MCP_SESSIONS_MAX 65536

struct mcp_session {
	uint8_t id[ID_LEN];
	struct session *agent;
	const char *version; /* that was agreed on; static */
	uint8_t elicits;     /* enum elicits: what the client can be asked, in that version */
	char client[129];    /* what the client called itself in initialize; unverified */
	LIST_ENTRY(mcp_session) by_id;
	TAILQ_ENTRY(mcp_session) of_agent;
};

/* What is kept of an initialize. */
struct mcp_hello {
	const char *version; /* static */
	uint8_t elicits;
	struct ipc_bytes client;
};

struct mcp_sessions;
struct mcp_sessions *mcp_sessions_new(void); /* fatal when out of memory */
void mcp_sessions_free(struct mcp_sessions *t);

/*
 * A new one for this agent session; its oldest makes room when it has MCP_SESSIONS_PER_AGENT.
 * KG_E_LIMIT when all agents together have MCP_SESSIONS_MAX.
 */
int mcp_sessions_add(struct mcp_sessions *t, struct session *agent, const struct mcp_hello *hello,
		     char hex[MCP_SESSION_HEX + 1]) MUST_CHECK;

/* NULL when unknown or another agent's. */
struct mcp_session *mcp_sessions_find(const struct mcp_sessions *t, const struct session *agent, struct ipc_bytes hex);

void mcp_sessions_remove(struct mcp_sessions *t, struct mcp_session *m);
/* All of an agent session that ends. */
void mcp_sessions_drop(struct mcp_sessions *t, struct session *agent);

#endif
