/* No operator's program may reach Keepgate's own state, whatever the configuration lists. */
#ifndef GATEWAYD_REACH_H
#define GATEWAYD_REACH_H

#include "common/config.h"
#include "common/daemon.h"

/* Fatal (KG_EXIT_CONFIG) when a stdio server's sandbox and a directory of ours overlap. */
void reach_check(const struct config *c, const struct daemon_options *o);

#endif
