/* What is right in a configuration but will not work on this machine. */
#ifndef KEEPGATE_CONFIG_WARN_H
#define KEEPGATE_CONFIG_WARN_H

#include "common/config.h"

/* Tells each on standard error as "warning: PATH: what"; gives how many. */
unsigned config_warn(const struct config *config);

#endif
