/* The connection to vaultd: its messages, and what its absence means. For peers.c alone. */
#ifndef BROKER_PEERS_VAULT_H
#define BROKER_PEERS_VAULT_H

#include "gatewayd/broker/call.h"

#define PEERS_VAULT_OPS 9
extern const struct ipc_op peers_vault_ops[PEERS_VAULT_OPS];

void peers_vault_lost(struct peer *p);
void peers_vault_back(struct peer *p);

/* Runs an event of the call of this number; nothing when it has ended (peers.c). */
int peers_call_message(void *peer, uint64_t id, enum call_event e, const void *msg);

#endif
