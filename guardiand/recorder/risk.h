/*
 * The risk of who is calling, from what was found: policies ask for it (context.base.risk), so that a finding has an
 * effect before anything is contained. Each finding adds points by its class and severity to its session, half of them
 * to its human, and to its agent's name what its human may bring on to it: others use that name too. All of it halves
 * every half an hour, ends at 100, and is taken back when a person resolves the incident. It is made of the rows of
 * findings alone, so a recorder that starts again comes to the same; but what a flood has only counted has no row, and
 * holds until the next start, or the next incident that is resolved.
 */
#ifndef RECORDER_RISK_H
#define RECORDER_RISK_H

#include <jansson.h>

#include "common/risk.h"
#include "guardiand/recorder/guard.h"

#define RISK_HALF_US 1800000000ull
/* Findings before that are forgotten: of 100 points 0.4 are left. */
#define RISK_WINDOW_US (8 * RISK_HALF_US)
#define RISK_SHARE_TOP 25  /* what one human can bring on to an agent's name */
#define RISK_SCORED_TOP 40 /* what scoring alone can: the sets that ship do nothing below 50 */

struct risk *risk_new(struct guard *g); /* from the findings on record; fatal when it cannot */
void risk_free(struct risk *r);

/* Takes in a finding as it is made. */
void risk_found(struct risk *r, const struct guard_finding *f);
/* An incident is resolved: what its findings gave is taken back. */
void risk_again(struct risk *r);

/* Tells the brokers what has changed: before the receipts of the same commit, so that the next call knows. */
void risk_tell(struct risk *r);
/* Now and then: what has decayed. */
void risk_tick(struct risk *r);
/* Tells a new broker everything. */
void risk_greet(struct risk *r, struct ipc_conn *broker);

/* The score of now; 0 when nothing is known. */
uint8_t risk_score(struct risk *r, enum risk_kind kind, const char *name);
/* For tests: so much time goes by. */
void risk_pass(struct risk *r, uint64_t us);

/* What risk_found() adds: to a session; half of it to others. */
double risk_points(const struct guard_rule_info *rule);

/* risk_rows.c: a finding on record that counts, oldest first. */
struct risk_row {
	const struct guard_rule_info *rule;
	size_t rule_number;
	uint64_t age_us;
	const char *session, *agent, *human; /* dead with the next */
};
struct risk_rows;
struct risk_rows *risk_rows_new(struct guard *g);
void risk_rows_free(struct risk_rows *r);
void risk_rows_each(struct risk_rows *r, void (*fn)(const struct risk_row *row, void *arg), void *arg);

/*
 * risk_show.c: [{"kind", "subject", "score", "why": [{"rule", "findings", "points"}]}] of those above 0, highest first:
 * of an incident's session, agent and human, or of all (at most 20).
 */
json_t *risk_of_incident(struct guard *g, const json_t *incident);
json_t *risk_of_all(struct guard *g);

/* risk.c, for risk_show.c. */
const struct risk_table *risk_known(const struct risk *r);
struct risk_rows *risk_history(const struct risk *r);
double risk_left(double points, uint64_t age_us);

#endif
