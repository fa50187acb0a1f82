/* gatewayd's roles and the connections between them. */
#ifndef GATEWAYD_TREE_H
#define GATEWAYD_TREE_H

#include "common/config.h"
#include "common/daemon.h"
#include "common/loop.h"
#include "common/supervise.h"

struct tree;

/* Opened before the lock; each a listening socket. */
struct tree_sockets {
	int mcp;
	int authzen;      /* -1: no such endpoint */
	int opal;         /* the same */
	int pushed;       /* the file of the set that is pushed; -1: none is */
	int policy_admin; /* operators' connections, which the broker serves */
};

/*
 * Starts one broker, the fronts, one upstream role per server, and where they are configured the AuthZEN endpoint,
 * the one where policies are pushed and the role that asks another decision point; keeps them connected: with each
 * other, with vaultd and guardiand. Everything passed in must outlive the tree.
 */
struct tree *tree_start(struct loop *l, const struct config *c, const struct daemon_options *o,
			const struct tree_sockets *sockets);
struct supervisor *tree_supervisor(struct tree *t);

#endif
