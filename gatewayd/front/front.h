/* One front: its listening socket, its connections, its way to the broker. */
#ifndef GATEWAYD_FRONT_FRONT_H
#define GATEWAYD_FRONT_FRONT_H

#include <stdint.h>

#include "common/json.h"
#include "common/role.h"

struct conn;

struct front {
	struct role role;
	struct ipc_conn *broker; /* NULL while it is away */
	struct conn **slots;     /* a connection has a slot; a call's id names slot and generation */
	uint32_t nslots, used;
	uint32_t generation;
	struct event *accepting, *sweep;
	uint16_t port;       /* ours, for Host */
	struct json_doc doc; /* for one scan at a time */
	struct buf scratch;  /* for one message at a time */
	char date[40];       /* the Date field's value, made each second */
	long long date_second;
};

/* Serves new connections, and looks at deadlines once a second. Fatal when it cannot. */
void accept_start(struct front *f);

/* A connection to the broker has come (fd is taken over); the old one is given up. */
void broker_attach(struct front *f, int fd);

#endif
