/* An incident for people: everything that on-call needs to take over. */
#ifndef KEEPGATE_INCIDENT_SHOW_H
#define KEEPGATE_INCIDENT_SHOW_H

#include <stdio.h>

#include <jansson.h>

#include "keepgate/audit_note.h"

/* What incident.show answers, and vaultd's key for its proofs (NULL: not known); adds members to it. */
void incident_print(FILE *out, json_t *incident, const struct note_key *key);

/* Columns of responses, which guardian.status has too: adds what they need to each row. */
void responses_print(FILE *out, json_t *responses);

#endif
