/*
 * What the recorder last said of the risk of sessions, agents and humans. A recorder that is away or begins anew takes
 * nothing from anybody: what was known holds until the new one has told everything that it knows.
 */
#ifndef BROKER_RISK_H
#define BROKER_RISK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ipc.h"
#include "common/risk.h"
#include "gatewayd/broker/sessions.h"

struct risks;
struct risks *risks_new(void); /* fatal when out of memory */
void risks_free(struct risks *r);

/* A connection to the recorder begins; and it has told everything above 0: what it has not named is forgotten. */
void risks_sync_begin(struct risks *r);
void risks_sync_end(struct risks *r);
/* Whether a recorder has told everything since this broker started: before that, 0 would mean nothing. */
bool risks_known(const struct risks *r);

/* Takes a score as it now is; 0 forgets. KG_E_PROTO for a value that cannot be. */
int risks_put(struct risks *r, const struct ipc_risk_put *m) MUST_CHECK;

/* The highest of the session's own, its agent's and its human's: 0 to RISK_TOP. */
uint8_t risks_of(const struct risks *r, const struct session *s);

#endif
