/* The recorder as guardiand's child: its listening sockets, and its connection to vaultd. */
#ifndef GUARDIAND_RECORDER_CHILD_H
#define GUARDIAND_RECORDER_CHILD_H

#include "common/daemon.h"
#include "common/supervise.h"

struct recorder_child;

/* Opens its sockets, before the parent's lock. Fatal when one cannot be. The options must outlive it. */
struct recorder_child *recorder_child_open(const struct daemon_options *o);

/* Starts it, and the pager beside it when channels are configured. Everything passed in must outlive it. */
struct supervisor *recorder_child_start(struct recorder_child *r, struct loop *l, const struct config *c);

#endif
