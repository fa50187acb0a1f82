/*
 * Questions of other programs (the AuthZEN endpoint), answered by the set of policies in force.
 *
 * Every one is on record before it is answered: caller, question, decision, the policies that made it and the set they
 * are from. Nothing is sampled or summed, because a permit that a program acts upon is as much an act as a call is, and
 * what is left out could not be told from what never was. It costs little: all questions that came in one turn of the
 * loop, or while others are on their way to the record, are one BROKER_EVENT ("authz.asked"), and the recorder makes
 * all events of its turn durable at once: under 1 ms for one question, 7,000 to 10,000 questions a second from 64
 * callers, 16,000 to 34,000 in arrays, on two busy cores (tests/authzen/bench.mjs). While nothing can be recorded
 * nothing is answered but "unavailable" (503).
 *
 * Without a good set of policies every question is a denial, not an error: a program that takes an error for "go on"
 * must not be let through by a broken set. The same holds for what the schema does not know. An external decision
 * point and the shadow set are asked for calls of agents alone.
 *
 * A search asks the policies once for each entity: searches run one by one, with a pause as long as the last one took,
 * so that they never take more than half of the broker's time from the calls.
 */
#ifndef BROKER_AUTHZ_H
#define BROKER_AUTHZ_H

#include "common/ipc.h"

struct broker;
struct authz;

struct authz *authz_new(struct broker *b); /* fatal when out of memory */
void authz_free(struct authz *z);

/* A question. KG_E_PROTO for one that no endpoint asks. */
int authz_ask(struct authz *z, const struct ipc_authz_ask *m);

/*
 * A question without a token, or with one that nobody has: on record ("authz.refused"), within the bounds of
 * denials.h. KG_E_PROTO for what no endpoint says.
 */
int authz_refused(struct authz *z, const struct ipc_authz_refused *m);

/* The endpoint is gone, and with it whoever waits for the answers under way. */
void authz_endpoint_lost(struct authz *z);

#endif
