/* What is no call, on its way to the record (BROKER_EVENT), and the word that it is durable. */
#ifndef BROKER_EVENTS_H
#define BROKER_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "common/ipc.h"

struct broker;
struct events;

struct events *events_new(void); /* fatal when out of memory */
void events_free(struct events *e);

/*
 * Sends an event; members (an object with integers and texts only) are taken over. done (may be NULL) is told once
 * whether it is durable: never inside this call, false also when the recorder is away or goes away. KG_E_LIMIT when too
 * many wait or it is too long, KG_E_NOMEM: then done is not called.
 */
typedef void (*event_done_fn)(struct broker *b, bool durable, void *arg);
int events_send(struct broker *b, const char *kind, json_t *members, event_done_fn done, void *arg);

/* BROKER_EVENT_RECORDED; KG_E_PROTO for one that nothing waits for. */
int events_recorded(struct broker *b, const struct ipc_broker_event_recorded *m);
void events_recorder_lost(struct broker *b);

#endif
