/*
 * The standing of this role with its server: which era it speaks (digest 2.14), its session, its
 * tools; what happens when it is lost.
 */
#ifndef UPSTREAM_SESSION_H
#define UPSTREAM_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "gatewayd/upstream/exchange.h"
#include "gatewayd/upstream/rpc.h"
#include "gatewayd/upstream/wire.h"

struct upstream;

enum phase {
	PHASE_WAIT,    /* for the vault and the recorder */
	PHASE_CONNECT, /* handshake and listing */
	PHASE_READY,
	PHASE_DOWN, /* until the next try */
};

struct session {
	enum phase phase;
	enum mcp_era era;
	char version[WIRE_VERSION_MAX + 1]; /* "" until the server has said it */
	char id[MCP_SESSION_MAX + 1];       /* of a legacy HTTP server, or "" */
	bool has_tools, list_changed;
	bool is_legacy; /* it was at the last handshake: no probe is needed to make a new session */
	uint64_t epoch; /* number of the handshake */
	struct rpc *rpc;
	struct credential_set *creds;                                   /* for the act under way */
	void (*done)(struct upstream *u, const struct rpc_end *failed); /* of the handshake */
	bool relist_wanted;
	uint32_t delay_ms;
	struct event *retry, *relist;
	char why[RPC_WHY_MAX];
};

/* After the lock. */
void session_begin(struct upstream *u);
void session_keys_changed(struct upstream *u);

/* A call learnt, under this epoch, that the server no longer knows our session: a new one is made. */
void session_lost(struct upstream *u, uint64_t epoch);
/* … that it changed its revision: all is asked anew. */
void session_outdated(struct upstream *u, uint64_t epoch);
/* … that it cannot be reached. */
void session_unreachable(struct upstream *u, const char *why);
/* The tools have changed, or may have: they are listed again soon. */
void session_list_changed(struct upstream *u);

#endif
