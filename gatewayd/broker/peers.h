/* The connections of the broker: which messages each peer may send, and what its absence means. */
#ifndef BROKER_PEERS_H
#define BROKER_PEERS_H

#include "gatewayd/broker/broker.h"

/* Serves a new connection to this peer; an older one is ended as if it had broken. fd is owned from here on. */
void peer_open(struct peer *p, int fd);
/* Tells vaultd that what it has put since the synchronisation is in force. */
void peers_puts_taken(struct broker *b);
/* Ends the connection, if there is one, without a word to its calls. */
void peer_close(struct peer *p);

#endif
