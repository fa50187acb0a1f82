/* Steps of the table of states and events (call.c) that stand in other files. */
#ifndef BROKER_CALL_STEPS_H
#define BROKER_CALL_STEPS_H

#include "gatewayd/broker/call.h"

/* Denials, and calls of which nothing is on record yet (call_unsent.c). */
int refused_recorded(struct broker *b, struct call *c, const void *detail);
int refused_unrecorded(struct broker *b, struct call *c, const void *detail);
int refused_stopped(struct broker *b, struct call *c, const void *detail);
int refused_vault_away(struct broker *b, struct call *c, const void *detail);
int deciding_late(struct broker *b, struct call *c, const void *detail);
int deciding_pdp_lost(struct broker *b, struct call *c, const void *detail);
int deciding_upstream_lost(struct broker *b, struct call *c, const void *detail);
void call_upstream_lost_text(const struct call *c, char *text, size_t size);

/* struct ipc_approval_asked (call_ask.c); struct ipc_pdp_answer (call_pdp.c). */
int call_asked(struct broker *b, struct call *c, const void *detail);
int call_decided(struct broker *b, struct call *c, const void *detail);

#endif
