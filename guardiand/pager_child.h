/* The pager as guardiand's child: its connections to vaultd, one for each channel, and to the recorder. */
#ifndef GUARDIAND_PAGER_CHILD_H
#define GUARDIAND_PAGER_CHILD_H

#include "common/daemon.h"
#include "common/supervise.h"

struct pager_child;

/* Starts it; NULL when no channel is configured. Everything passed in must outlive it. */
struct pager_child *pager_child_start(struct supervisor *s, struct loop *l, const struct config *c,
				      const struct daemon_options *o);

/* The recorder has started, or has lost its connection: a fresh pair, when both are there. pager may be NULL. */
void pager_child_meet(struct pager_child *pager, struct child *recorder);

#endif
