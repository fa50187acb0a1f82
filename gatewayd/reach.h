/*
 * No operator's program may reach Keepgate's own state or change the policies, and the folders of policies, which the
 * broker reads, may not hold that state, whatever the configuration lists.
 */
#ifndef GATEWAYD_REACH_H
#define GATEWAYD_REACH_H

#include "common/config.h"
#include "common/daemon.h"

/* Fatal (KG_EXIT_CONFIG) when a stdio server's sandbox, a directory of ours and a folder of policies overlap so. */
void reach_check(const struct config *c, const struct daemon_options *o);

#endif
