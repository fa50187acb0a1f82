/* What each kind of peer may say: one table of messages per socket. State, origin and "once" stand in ipc_types.def. */
#ifndef VAULTD_OPS_H
#define VAULTD_OPS_H

#include "common/ipc.h"
#include "vaultd/sessions.h"
#include "vaultd/vault.h"

extern const struct ipc_handlers broker_handlers, upstream_handlers, recorder_handlers, admin_handlers;

/* The end of any connection: in every table. */
void peer_closed(struct ipc_conn *c, const char *reason, void *arg);

/* A broker has come: it gets what is kept for the policies, every pin, session and approval that can be used. */
void broker_opened(struct peer *p);
/* A session has changed: every broker hears of it, and when it cannot be used its approvals end. */
void broker_push(struct vault *v, const struct session *x);

/* An upstream role's connection has ended: its key and its tools are forgotten. */
void upstream_gone(struct peer *p);

#endif
