/* The findings on record that count: of the last hours, and of no incident that a person has resolved. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "guardiand/recorder/risk.h"

#define ROWS "50000" /* the newest: more in these hours change no score that is not at its top */

struct risk_rows {
	struct guard *g;
	sqlite3_stmt *recent;
};

struct risk_rows *risk_rows_new(struct guard *g)
{
	struct risk_rows *r = calloc(1, sizeof(*r));

	if (r == NULL)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory for risks");
	r->g = g;
	r->recent = table_query(g->store, "SELECT f.ts_us, f.rule, f.session, f.agent, f.human FROM"
					  " (SELECT * FROM finding ORDER BY seq DESC LIMIT " ROWS ") AS f"
					  " LEFT JOIN incident AS i ON i.id = f.incident"
					  " WHERE f.ts_us >= ?1 AND (f.incident = 0 OR i.state < 3) ORDER BY f.seq");
	return r;
}

void risk_rows_free(struct risk_rows *r)
{
	if (r == NULL)
		return;
	table_close(r->recent);
	free(r);
}

/* In the time of the records: it never goes back. */
static uint64_t record_now_us(const struct guard *g)
{
	struct timespec ts = {0};
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
	return now > store_last_ts(g->store) ? now : store_last_ts(g->store);
}

/* By its id: a rule that was graded otherwise since, or taken out, counts as it now is. */
static bool find_rule(const struct guard *g, const char *id, struct risk_row *row)
{
	for (size_t i = 0; i < guard_rules_count(g->rules); i++) {
		row->rule = guard_rule(g->rules, i);
		row->rule_number = i;
		if (strcmp(row->rule->id, id) == 0)
			return true;
	}
	return false;
}

void risk_rows_each(struct risk_rows *r, void (*fn)(const struct risk_row *row, void *arg), void *arg)
{
	uint64_t now = record_now_us(r->g);
	struct risk_row row;

	table_bind(r->g->store, r->recent, "i", (int64_t)(now > RISK_WINDOW_US ? now - RISK_WINDOW_US : 0));
	while (table_row(r->g->store, r->recent)) {
		uint64_t ts = (uint64_t)table_int(r->recent, 0);

		row.age_us = now > ts ? now - ts : 0;
		row.session = table_text(r->recent, 2);
		row.agent = table_text(r->recent, 3);
		row.human = table_text(r->recent, 4);
		if (find_rule(r->g, table_text(r->recent, 1), &row))
			fn(&row, arg);
	}
}
