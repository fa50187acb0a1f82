/* The listening TCP socket, shared by the fronts. */
#ifndef GATEWAYD_LISTEN_H
#define GATEWAYD_LISTEN_H

#include <stddef.h>

#include "common/config.h"

/* Listens on the configured loopback address; fatal otherwise. Writes "http://127.0.0.1:8931/mcp" to endpoint. */
int listen_open(const struct config *c, char *endpoint, size_t size);

#endif
