/* The recorder as guardiand's child: its listening sockets, and its connection to vaultd. */
#ifndef GUARDIAND_RECORDER_CHILD_H
#define GUARDIAND_RECORDER_CHILD_H

#include "common/daemon.h"
#include "common/supervise.h"

/* Opens the sockets (fatal otherwise) and starts the recorder. Everything passed in must outlive it. */
struct supervisor *recorder_child_start(struct loop *l, const struct config *c, const struct daemon_options *o);

#endif
