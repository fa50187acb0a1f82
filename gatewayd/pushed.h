/* The file in which gatewayd-opal keeps the set of policies that was pushed: opened here, before the lock. */
#ifndef GATEWAYD_PUSHED_H
#define GATEWAYD_PUSHED_H

#include "common/config.h"
#include "common/daemon.h"

/* STATE/gateway/pushed.set, made when it is not there; -1 when no set is pushed (policy.opal). Fatal when it cannot. */
int pushed_open(const struct config *c, const struct daemon_options *o);

#endif
