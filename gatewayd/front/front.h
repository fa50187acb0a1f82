/* One front: its listening socket, its connections, its way to the broker. */
#ifndef GATEWAYD_FRONT_FRONT_H
#define GATEWAYD_FRONT_FRONT_H

#include <stdint.h>

#include "common/http/server.h"
#include "common/json.h"
#include "common/role.h"

struct front {
	struct role role;
	struct http_server http;
	struct ipc_conn *broker; /* NULL while it is away */
	uint16_t port;           /* ours, for Host */
	struct json_doc doc;     /* for one scan at a time */
	struct buf scratch;      /* for one message at a time */
};

/* Sets up f->http for so many connections; role, configuration and loop are there. Fatal when out of memory. */
void front_serve(struct front *f, uint32_t nslots);

/* A connection to the broker has come (fd is taken over); the old one is given up. */
void broker_attach(struct front *f, int fd);

#endif
