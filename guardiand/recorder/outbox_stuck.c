/*
 * A provider that answers "later" for ever must not keep a page of high severity from the others. After five minutes
 * without success it goes to another channel too, on record as "page.stuck"; when there is none, or that one is stuck
 * as well, and nobody has been reached, heartbeats stop: whoever watches them from outside then hears that paging does
 * not work.
 */
#include <stdio.h>

#include "common/log.h"
#include "guardiand/recorder/outbox_parts.h"

#define LOOK_MAX 64
#define TRIES 3 /* of one that is under way, or of a later step, which was made long before it was due */

struct urgent {
	int64_t id, attempts, step;
	uint64_t made, next_at;
	bool sent, known;
};

/* Whether it has been due for so long. */
static bool is_late(const struct urgent *u, uint64_t now)
{
	if (u->attempts == 0)
		return u->next_at + OUTBOX_STUCK_US <= now;
	if (u->made + OUTBOX_STUCK_US > now || (u->sent && u->attempts < TRIES))
		return false;
	return u->step == 0 || u->attempts >= TRIES || u->next_at >= now + OUTBOX_STUCK_US;
}

static bool is_delivered(struct outbox *o, int64_t page)
{
	sqlite3_stmt *q = o->sql[OUTBOX_IS_DELIVERED];
	bool found = false;

	table_bind(o->r->store, q, "i", page);
	while (table_row(o->r->store, q))
		found = true;
	return found;
}

static void help(struct outbox *o, const struct urgent *u)
{
	struct outbox_row row;
	char note[DETAIL_MAX];
	bool other;

	if (!row_load(o, u->id, &row) || is_delivered(o, row.page))
		return;
	snprintf(note, sizeof(note), "Channel %s has not taken this in 5 min.", row.channel);
	table_run(o->r->store, o->sql[OUTBOX_STUCK_ADD], "ii", u->id, (int64_t)o->wall());
	other = outbox_through_another(o, &row, row.id, note);
	outbox_row_record(o, "page.stuck", &row, 0,
			  other ? "it goes to another channel too" : "there is no other channel");
	log_warn("page %lld: channel %s has not taken it in 5 min", (long long)row.page, row.channel);
}

void outbox_stuck_tick(struct outbox *o)
{
	sqlite3_stmt *q = o->sql[OUTBOX_URGENT];
	struct urgent u[LOOK_MAX];
	uint64_t now = o->wall();
	size_t n = 0;

	table_bind(o->r->store, q, "ii", o->urgent, (int64_t)LOOK_MAX);
	while (table_row(o->r->store, q))
		u[n++] = (struct urgent){.id = table_int(q, 0),
					 .attempts = table_int(q, 1),
					 .made = (uint64_t)table_int(q, 2),
					 .next_at = (uint64_t)table_int(q, 3),
					 .step = table_int(q, 4),
					 .sent = table_int(q, 5) == ROW_SENT,
					 .known = table_int(q, 6) != 0};
	o->urgent = n == LOOK_MAX ? u[n - 1].id : 0;
	for (size_t i = 0; i < n; i++)
		if (!u[i].known && is_late(&u[i], now))
			help(o, &u[i]);
}

unsigned outbox_stuck(struct outbox *o)
{
	sqlite3_stmt *q = o->sql[OUTBOX_STUCK_COUNT];
	unsigned n = 0;

	while (table_row(o->r->store, q))
		n = (unsigned)table_int(q, 0);
	return n;
}

bool outbox_is_silent(struct outbox *o)
{
	sqlite3_stmt *q = o->sql[OUTBOX_UNREACHED];
	uint64_t now = o->wall();
	bool found = false;

	table_bind(o->r->store, q, "i", (int64_t)(now > OUTBOX_SILENT_US ? now - OUTBOX_SILENT_US : 0));
	while (table_row(o->r->store, q))
		found = true;
	return found;
}
