/* The whole state of the role that asks an external decision point. Each part is its own file's; here they meet. */
#ifndef GATEWAYD_PDP_PDP_H
#define GATEWAYD_PDP_PDP_H

#include "common/json.h"
#include "common/role.h"
#include "gatewayd/pdp/asks.h"
#include "gatewayd/pdp/pass.h"
#include "gatewayd/pdp/transfer.h"

struct pdp {
	struct role *role;
	const struct config_pdp *config;
	struct ipc_conn *broker, *vault; /* NULL while away */
	uint32_t vault_index;            /* for asking again */
	struct pass pass;
	struct asks asks;
	struct json_doc doc; /* the text in hand */
};

/* role and its configuration are there. Before the lock. Fatal for a configuration that cannot be used. */
void pdp_init(struct pdp *p, struct role *role);
/* For tests: what pdp_init() made. */
void pdp_free(struct pdp *p);

/* role.peer: takes a connection's descriptor. role.arg is the struct pdp. */
void links_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd);

#endif
