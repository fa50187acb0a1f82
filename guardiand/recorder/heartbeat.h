/* The dead man's switch: as long as the recorder runs and its pager answers, somebody outside hears of it each minute.
 */
#ifndef RECORDER_HEARTBEAT_H
#define RECORDER_HEARTBEAT_H

#include <stdbool.h>

#include "guardiand/recorder/outbox_parts.h"

#define HEARTBEAT_EVERY_US MINUTE_US

/* Sends those that are due, but none while a page of high severity has reached nobody (outbox_stuck.c). They are not
 * stored: one that is late is worth nothing. */
void heartbeat_tick(struct outbox *o);
/* One at once, out of its turn; gives the number that the answer will have. The pager is connected. */
uint64_t heartbeat_send(struct outbox *o, struct channel *ch);
/* Whether an answer was about a heartbeat; keeps the channel's state. */
bool heartbeat_paged(struct outbox *o, const struct ipc_paged *m, const char *detail);

#endif
