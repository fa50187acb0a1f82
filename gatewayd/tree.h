/* gatewayd's roles and the connections between them. */
#ifndef GATEWAYD_TREE_H
#define GATEWAYD_TREE_H

#include "common/config.h"
#include "common/daemon.h"
#include "common/loop.h"
#include "common/supervise.h"

struct tree;

/*
 * Starts one broker, the fronts and one upstream role per server, and keeps them connected: with each
 * other, with vaultd and guardiand. Everything passed in must outlive the tree.
 */
struct tree *tree_start(struct loop *l, const struct config *c, const struct daemon_options *o, int listen_fd);
struct supervisor *tree_supervisor(struct tree *t);

#endif
