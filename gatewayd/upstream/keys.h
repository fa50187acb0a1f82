/* The keys that this role shares with the vault and the recorder, agreed at each connection. */
#ifndef UPSTREAM_KEYS_H
#define UPSTREAM_KEYS_H

#include "common/ipc.h"

struct upstream;

/* Sends a fresh public key to a vault that has just been connected. */
void keys_vault_begin(struct upstream *u);
/* Handlers of UPSTREAM_KEYED and RECEIPT_KEY. */
int keys_on_vault(struct ipc_conn *c, const void *msg, int fd, void *arg);
int keys_on_recorder(struct ipc_conn *c, const void *msg, int fd, void *arg);
/* The connection is lost: its key ends, after what was made under it has expired. */
void keys_vault_lost(struct upstream *u);
void keys_recorder_lost(struct upstream *u);

#endif
