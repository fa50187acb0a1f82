/* The listening TCP sockets: of the fronts, which share one, and of the two endpoints beside. */
#ifndef GATEWAYD_LISTEN_H
#define GATEWAYD_LISTEN_H

#include <stddef.h>

#include "common/config.h"

/* Listens on the configured loopback address; fatal otherwise. Writes "http://127.0.0.1:8931/mcp" to endpoint. */
int listen_open(const struct config *c, char *endpoint, size_t size);

/* The same for the AuthZEN endpoint, and for the one where policies are pushed; -1 when there is none. */
int listen_open_authzen(const struct config *c);
int listen_open_opal(const struct config *c);

#endif
