/* The whole state of the role that pages. It keeps nothing: what is not delivered yet is the recorder's. */
#ifndef GUARDIAND_PAGER_PAGER_H
#define GUARDIAND_PAGER_PAGER_H

#include "common/role.h"
#include "guardiand/pager/channel.h"
#include "guardiand/pager/deliveries.h"

struct pager {
	struct role *role;
	const struct config *config;
	struct ipc_conn *recorder; /* NULL while away */
	struct channel *channels;
	size_t nchannels;
	struct deliveries deliveries;
	uint32_t timeout_ms;       /* of a delivery, and of the wait for its secret */
	uint64_t (*wall_us)(void); /* UTC in microseconds */
};

/* role and its configuration are there. Before the lock. Fatal for a configuration that cannot be used. */
void pager_init(struct pager *p, struct role *role, uint32_t timeout_ms);
/* For tests: what pager_init() made. */
void pager_free(struct pager *p);

/* role.peer: takes a connection's descriptor. role.arg is the struct pager. */
void pager_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd);

#endif
