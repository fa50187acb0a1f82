/*
 * The header lines that every question carries: the configuration's literal ones, and credentials, which vaultd seals
 * for this role and which are kept for seconds only.
 */
#ifndef GATEWAYD_PDP_PASS_H
#define GATEWAYD_PDP_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "common/ipc.h"
#include "common/outbound/header.h"

#define PASS_S 5       /* credentials are used so long, then wiped */
#define PASS_AHEAD_S 2 /* so long before their end a question asks for the next ones */

struct pdp;
struct pass_keys;

struct pass {
	struct pass_keys *keys; /* locked memory */
	struct headers lines;
	bool ready;
	uint64_t until_ns; /* of credentials; UINT64_MAX when there are none */
	uint64_t asked;    /* number of the request to vaultd that is under way; 0: none */
	uint64_t number;
	uint8_t txn[ID_LEN];
	struct event *end;
};

/* Fatal for header lines that cannot be sent. */
void pass_init(struct pdp *p);
void pass_free(struct pdp *p);

/* The lines, or NULL when there are none now; credentials near their end are asked for. */
const struct headers *pass_lines(struct pdp *p);
/* Whether there can be lines soon: they are under way, or the key for them is. */
bool pass_expected(const struct pdp *p);

/* vaultd is there: a key is agreed. */
void pass_vault_begin(struct pdp *p);
/* vaultd is gone: its credentials go with it. */
void pass_vault_lost(struct pdp *p);
/* Handlers of UPSTREAM_KEYED and SELF_ATTACHED. */
int pass_on_keyed(struct ipc_conn *c, const void *msg, int fd, void *arg);
int pass_on_attached(struct ipc_conn *c, const void *msg, int fd, void *arg);

#endif
