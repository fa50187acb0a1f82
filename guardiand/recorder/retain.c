#include "guardiand/recorder/retain.h"

#include <stdlib.h>

#include "common/log.h"
#include "guardiand/recorder/guard_clock.h"
#include "guardiand/recorder/incident.h"

#define DAY_S 86400u
#define NAMES_MAX 64 /* incidents of one batch */
#define SCAN_MAX 64  /* candidates that are looked at in one batch */

/* State 4 of an incident: it is being removed, and nobody sees it any more. A kill leaves it for the next start. */
static const char tables[] = "CREATE INDEX IF NOT EXISTS incident_old ON incident (last_us, id) WHERE state = 3;"
			     "CREATE INDEX IF NOT EXISTS incident_going ON incident (id) WHERE state = 4;";

enum query {
	Q_GOING,
	Q_NEXT,
	Q_IN_USE,
	Q_SPAN,
	Q_MARK,
	Q_FINDINGS,
	Q_LINES,
	Q_RESPONSES,
	Q_INCIDENT,
	Q_LONE,
	Q_LAST,
	QUERIES
};

/* Response states 3 (done), 5 (held: never was in force) and 7 (lifted) are no longer live. */
static const char *const queries[QUERIES] = {
	[Q_GOING] = "SELECT id FROM incident WHERE state = 4 ORDER BY id LIMIT 1",
	[Q_NEXT] = "SELECT id, last_us FROM incident WHERE state = 3 AND last_us < ?1 AND (last_us, id) > (?2, ?3)"
		   " ORDER BY last_us, id LIMIT 1",
	[Q_IN_USE] =
		"SELECT coalesce((SELECT ts_us FROM timeline WHERE incident = ?1 ORDER BY n DESC LIMIT 1), 0) >= ?2"
		" OR EXISTS (SELECT 1 FROM response WHERE incident = ?1 AND state IN (1, 2, 4, 6))"
		" OR EXISTS (SELECT 1 FROM outbox AS o LEFT JOIN outbox AS c ON c.id = o.into_row WHERE"
		" o.incident = 'inc-' || ?1 AND o.incident <> '' AND (o.state < 3 OR c.state < 3))",
	[Q_SPAN] = "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM timeline WHERE incident = ?1",
	[Q_MARK] = "UPDATE incident SET state = 4 WHERE id = ?1",
	[Q_FINDINGS] = "DELETE FROM finding WHERE seq IN (SELECT seq FROM finding WHERE incident = ?1 AND incident <> 0"
		       " LIMIT ?2)",
	[Q_LINES] = "DELETE FROM timeline WHERE n IN (SELECT n FROM timeline WHERE incident = ?1 LIMIT ?2)",
	[Q_RESPONSES] = "DELETE FROM response WHERE id IN (SELECT id FROM response WHERE incident = ?1 LIMIT ?2)",
	[Q_INCIDENT] = "DELETE FROM incident WHERE id = ?1 AND state = 4",
	[Q_LONE] = "DELETE FROM finding WHERE seq IN (SELECT seq FROM finding WHERE incident = 0 AND ts_us < ?1"
		   " LIMIT ?2)",
	[Q_LAST] = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'incident'), 0),"
		   " EXISTS (SELECT 1 FROM incident WHERE id = ?1 AND state < 4)",
};

struct retain {
	struct guard *g;
	sqlite3_stmt *q[QUERIES];
	int64_t going;              /* the incident that is being removed, 0 */
	int64_t after_us, after_id; /* candidates up to here were looked at */
	int64_t clock_offset;
	unsigned long long calm_ns, next_ns;
};

/* What a batch has removed, and how much more it may. */
struct batch {
	int64_t cutoff_us;
	unsigned room, scan, findings, lines, responses;
	json_t *incidents; /* whose removal has begun */
	bool is_over;      /* nothing is left */
};

struct retain *retain_new(struct guard *g)
{
	struct retain *t = calloc(1, sizeof(*t));

	if (t == NULL)
		log_fatal(KG_EXIT_FAILURE, "incidents: out of memory");
	t->g = g;
	table_make(g->store, tables);
	for (size_t i = 0; i < QUERIES; i++)
		t->q[i] = table_query(g->store, queries[i]);
	while (table_row(g->store, t->q[Q_GOING]))
		t->going = table_int(t->q[Q_GOING], 0);
	t->clock_offset = guard_clock()->offset;
	t->calm_ns = guard_clock()->boot_ns();
	return t;
}

void retain_free(struct retain *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < QUERIES; i++)
		table_close(t->q[i]);
	free(t);
}

unsigned retain_days(const struct retain *t)
{
	unsigned days = t->g->config->guardian.keep_days;

	return days == 0 ? RETAIN_DAYS : days;
}

/* Runs a DELETE of at most so many rows of an incident, or before a moment; how many. */
static unsigned take_away(struct retain *t, enum query which, int64_t of, struct batch *b)
{
	unsigned n;

	table_run(t->g->store, t->q[which], "ii", of, (int64_t)b->room);
	n = (unsigned)sqlite3_changes(sqlite3_db_handle(t->q[which]));
	b->room -= n < b->room ? n : b->room;
	return n;
}

static bool is_in_use(struct retain *t, int64_t id, const struct batch *b)
{
	sqlite3_stmt *q = t->q[Q_IN_USE];
	bool used = true;

	table_bind(t->g->store, q, "ii", id, b->cutoff_us);
	while (table_row(t->g->store, q))
		used = table_int(q, 0) != 0;
	return used;
}

/* From here on nobody sees it. */
static void begin(struct retain *t, int64_t id, struct batch *b)
{
	sqlite3_stmt *q = t->q[Q_SPAN];
	char name[INCIDENT_ID_MAX + 1];

	table_bind(t->g->store, q, "i", id);
	while (table_row(t->g->store, q))
		json_array_append_new(b->incidents,
				      json_pack("{s:s, s:I, s:I}", "id", incident_name(id, name), "from",
						(json_int_t)table_int(q, 0), "to", (json_int_t)table_int(q, 1)));
	table_run(t->g->store, t->q[Q_MARK], "i", id);
	t->going = id;
}

/* The next one that is old enough and that nothing needs; false when there is none, or it is enough for once. */
static bool find_next(struct retain *t, struct batch *b)
{
	sqlite3_stmt *q = t->q[Q_NEXT];

	while (b->scan > 0 && json_array_size(b->incidents) < NAMES_MAX) {
		int64_t id;

		b->scan--;
		table_bind(t->g->store, q, "iii", b->cutoff_us, t->after_us, t->after_id);
		if (!table_row(t->g->store, q)) {
			b->is_over = true;
			return false;
		}
		id = t->after_id = table_int(q, 0);
		t->after_us = table_int(q, 1);
		table_end(q);
		if (is_in_use(t, id, b))
			continue;
		begin(t, id, b);
		return true;
	}
	return false;
}

/* What belongs to the one in hand, and then itself. */
static void go_on(struct retain *t, struct batch *b)
{
	b->findings += take_away(t, Q_FINDINGS, t->going, b);
	b->lines += take_away(t, Q_LINES, t->going, b);
	b->responses += take_away(t, Q_RESPONSES, t->going, b);
	if (b->room == 0)
		return;
	table_run(t->g->store, t->q[Q_INCIDENT], "i", t->going);
	b->room--;
	t->going = 0;
}

static void record(struct retain *t, struct batch *b)
{
	static const struct guard_about nobody = {"", "", "", "", "", ""};

	if (b->findings + b->lines + b->responses != 0 || json_array_size(b->incidents) != 0)
		guard_record(t->g, "incidents.removed", &nobody,
			     json_pack("{s:I, s:O, s:I, s:I, s:I}", "before_us", (json_int_t)b->cutoff_us, "incidents",
				       b->incidents, "findings", (json_int_t)b->findings, "lines", (json_int_t)b->lines,
				       "responses", (json_int_t)b->responses));
	json_decref(b->incidents);
}

static void remove_some(struct retain *t, uint64_t before_s)
{
	struct batch b = {.cutoff_us = (int64_t)(before_s * 1000000u),
			  .room = RETAIN_ROWS,
			  .scan = SCAN_MAX,
			  .incidents = json_array()};

	while (b.room > 0 && (t->going != 0 || find_next(t, &b)))
		go_on(t, &b);
	if (b.room > 0)
		b.findings += take_away(t, Q_LONE, b.cutoff_us, &b);
	if (b.is_over && b.room > 0) {
		t->after_us = t->after_id = 0;
		t->next_ns = guard_clock()->boot_ns() + RETAIN_EVERY_NS;
	}
	record(t, &b);
}

void retain_tick(struct retain *t)
{
	const struct steady *clock = guard_clock();
	unsigned long long now_ns = clock->boot_ns();
	uint64_t now = guard_now(), keep_s = (uint64_t)retain_days(t) * DAY_S;

	if (clock->offset != t->clock_offset) {
		t->clock_offset = clock->offset;
		t->calm_ns = now_ns;
	}
	if (now_ns < t->calm_ns + RETAIN_CALM_NS || now_ns < t->next_ns || now < keep_s)
		return;
	remove_some(t, now - keep_s);
}

bool retain_has_removed(struct retain *t, int64_t incident)
{
	sqlite3_stmt *q = t->q[Q_LAST];
	bool gone = false;

	table_bind(t->g->store, q, "i", incident);
	while (table_row(t->g->store, q))
		gone = incident > 0 && incident <= table_int(q, 0) && table_int(q, 1) == 0;
	return gone;
}
