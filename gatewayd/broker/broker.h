/*
 * The broker: resolves a token to an agent session and a name to a tool, decides, has the intent
 * recorded and the consent checked again by vaultd, and passes the call to its upstream role.
 * It reads no file but those of its policies, and holds no credential that it could open.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/ipc.h"
#include "common/loop.h"
#include "gatewayd/broker/admin.h"
#include "gatewayd/broker/approvals.h"
#include "gatewayd/broker/authz.h"
#include "gatewayd/broker/call_pool.h"
#include "gatewayd/broker/catalogue.h"
#include "gatewayd/broker/decide.h"
#include "gatewayd/broker/denials.h"
#include "gatewayd/broker/events.h"
#include "gatewayd/broker/feed.h"
#include "gatewayd/broker/held.h"
#include "gatewayd/broker/lists.h"
#include "gatewayd/broker/mcp_sessions.h"
#include "gatewayd/broker/pins.h"
#include "gatewayd/broker/policies.h"
#include "gatewayd/broker/risk.h"
#include "gatewayd/broker/sessions.h"

struct broker;

/* A place for a process at the other end. */
struct peer {
	struct broker *broker;
	enum ipc_role role;
	uint32_t index;
	struct ipc_conn *conn; /* NULL while it is away */
};

struct upstream {
	struct peer peer;
	const struct config_server *config;
	unsigned ncalls;         /* not yet answered */
	struct call_queue calls; /* those sent, oldest first: all have the same time */
	char down[513];          /* why the server could not be reached last; "" */
};

struct broker {
	struct loop *loop;
	const struct config *config;
	void (*want_peer)(enum ipc_role peer, uint32_t index, void *arg);
	void *want_arg;
	struct peer vault, recorder, pdp, authzen, opal;
	struct peer *front; /* owned array */
	size_t nfronts;
	struct upstream *upstream; /* owned array, in the order of the configuration */
	struct sessions *sessions;
	struct mcp_sessions *mcp;
	struct catalogue *catalogue;
	struct pins *pins;
	struct policies *policies;
	struct events *events;
	struct approvals *approvals;
	struct held *held;
	struct risks *risks; /* as the guardian sees them */
	struct lists *lists;
	struct call_pool *calls;
	struct denials *denials;
	struct inspections *inspections; /* NULL: switched off */
	struct authz *authz;             /* questions of other programs */
	struct feed *feed;               /* sets of policies that are pushed */
	struct admins *admins;           /* operators' connections */
	struct event *expiry;            /* of the next session to expire */
	struct event *tick;              /* runs while a call waits for somebody */
	struct json_doc args, meta;      /* of the request in hand */
	struct buf facts;                /* of the decision in hand */
	uint32_t puts_owed;              /* of vaultd's, taken and not yet answered */
};

/*
 * config and loop are borrowed. want_peer asks the parent for a new connection. Fatal when out of memory.
 */
struct broker *broker_new(struct loop *loop, const struct config *config,
			  void (*want_peer)(enum ipc_role peer, uint32_t index, void *arg), void *want_arg);
void broker_free(struct broker *b);

/* A connection has come (fd is owned from here on). It takes the place of the one before. */
void broker_peer(struct broker *b, enum ipc_role role, uint32_t index, const char *name, int fd);

/* The sessions have changed: the next expiry may be another. */
void broker_watch_expiry(struct broker *b);

uint64_t broker_unix_now(void);

#endif
