/*
 * An act that changed sessions, pins or approvals is answered when the broker has the change in force: the operator's
 * next step, and the agent's next request, then meet it. vaultd itself holds to it from the commit on.
 */
#ifndef VAULTD_ANSWERS_H
#define VAULTD_ANSWERS_H

#include <jansson.h>

#include "vaultd/vault.h"

#define ANSWER_WAIT_MS 1000 /* for a broker that does not say so */

/* Answers now when the broker is away or has nothing outstanding. Takes over result. */
void answer_when_taken(struct peer *asker, json_t *result);

/* The same for any answer: fn gives it, or forgets it when the asker has gone (NULL). */
typedef void (*answer_fn)(struct peer *asker, void *what);
void answer_later(struct peer *asker, answer_fn fn, void *what);

/* PUT_TAKEN; KG_E_PROTO when nothing was outstanding. */
int answers_taken(struct peer *broker);

/* A broker has gone: who waited for it is answered. An asker has gone: nobody is. */
void answers_peer_gone(struct peer *gone);

#endif
