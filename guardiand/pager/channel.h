/* One channel: its connections, its pace, and its credential, which vaultd seals for each delivery anew. */
#ifndef GUARDIAND_PAGER_CHANNEL_H
#define GUARDIAND_PAGER_CHANNEL_H

#include "common/call.h"
#include "common/ipc.h"
#include "guardiand/pager/kind.h"
#include "guardiand/pager/wire.h"

struct pager;
struct channel_keys;

struct channel {
	struct pager *pager;
	const struct config_channel *config;
	const struct kind *kind;
	uint32_t index; /* among the channels, for asking the parent */
	struct wire_pool *wires;
	struct ipc_conn *vault;    /* NULL while away, or without a secret */
	struct channel_keys *keys; /* locked memory; NULL without a secret */
	uint64_t asked, number;    /* the request to vaultd that is under way; 0: none */
	uint8_t txn[ID_LEN];
	double tokens; /* what may go out at once */
	uint64_t counted_ns;
	bool gone, down; /* it wants no more; the last delivery failed: said once */
};

/* Fatal for a channel that cannot be used. */
void channel_init(struct channel *c, struct pager *p, uint32_t index);
void channel_free(struct channel *c);

/* Takes one from the pace; else false, with the seconds to wait. */
bool channel_may(struct channel *c, uint32_t *wait_s);

bool channel_needs_secret(const struct channel *c);
/* Asks vaultd for the secret, unless that is under way; as soon as it can, when vaultd is away. */
void channel_want(struct channel *c);
/* vaultd's connection for this channel, which is owned then. */
void channel_vault(struct channel *c, int fd);

#endif
