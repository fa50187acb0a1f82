/* What a record says to a person: one line for a call with its end, or for any other event. */
#ifndef KEEPGATE_AUDIT_ROW_H
#define KEEPGATE_AUDIT_ROW_H

#include <stdio.h>

#include <jansson.h>

#include "keepgate/audit_source.h"

#define AUDIT_TIME_LEN 32
/* Microseconds since 1970 as "2026-11-21 10:00:00.119Z". */
void audit_time(uint64_t ts_us, char out[AUDIT_TIME_LEN]);
/* "2026-11-21" or "2026-11-21T10:00:00Z" in microseconds; KG_E_INVALID. */
int audit_time_parse(const char *text, uint64_t *ts_us) MUST_CHECK;

/*
 * The facts of a record and, for a call, of its outcome (doc or NULL) as one flat object:
 * seq, time, what, decision, human, agent, tool, outcome, reason, and the rest. A new reference.
 */
json_t *audit_row(const struct audit_record *r, const json_t *outcome);
/* That object as one line. */
void audit_row_print(FILE *out, const json_t *row);

#endif
