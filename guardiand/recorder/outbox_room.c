/* The outbox is bounded: what is over makes room; when nothing is over, what waits is told together. */
#include "common/log.h"
#include "guardiand/recorder/outbox_parts.h"

#define SWEEP_EVERY_US MINUTE_US
#define SWEEP_ROWS 500
#define MAKE_ROWS 1000

/* Deletes the oldest rows that were over at a moment; how many. */
static unsigned forget(struct outbox *o, uint64_t over_at, int64_t limit)
{
	sqlite3_stmt *q = o->sql[OUTBOX_ROWS_OVER];
	int64_t id[MAKE_ROWS], page[MAKE_ROWS], into[MAKE_ROWS];
	unsigned n = 0;

	table_bind(o->r->store, q, "ii", (int64_t)over_at, limit);
	while (table_row(o->r->store, q)) {
		id[n] = table_int(q, 0);
		page[n] = table_int(q, 1);
		into[n++] = table_int(q, 3) != 0 ? table_int(q, 2) : 0;
	}
	for (unsigned i = 0; i < n; i++) {
		if (into[i] != 0)
			table_run(o->r->store, o->sql[OUTBOX_PAGE_LOST], "i", into[i]);
		table_run(o->r->store, o->sql[OUTBOX_ROW_DELETE], "i", id[i]);
		table_run(o->r->store, o->sql[OUTBOX_PAGE_DELETE], "i", page[i]);
	}
	o->rows -= n;
	return n;
}

/* Everything that waits for a channel is one page; on record, for its incidents have no page of their own any more. */
static void collapse_all(struct outbox *o)
{
	json_t *m = json_pack("{sI}", "rows", (json_int_t)o->rows);

	if (m == NULL)
		log_fatal(KG_EXIT_FAILURE, "outbox: out of memory");
	log_warn("outbox: full with %llu rows: what waits for a channel is told in one page: see: keepgate guardian "
		 "status",
		 (unsigned long long)o->rows);
	for (size_t i = 0; i < o->nchannels; i++)
		outbox_collapse(o, &o->channel[i], PAGE_TRIGGER, INT64_MAX);
	outbox_record(o, "outbox.full", m);
}

bool outbox_room(struct outbox *o, unsigned rows)
{
	uint64_t now = o->wall();

	if (o->rows + rows <= o->rows_max)
		return true;
	if (forget(o, now, MAKE_ROWS) == 0)
		collapse_all(o);
	while (o->rows + rows > o->rows_max)
		if (forget(o, now, MAKE_ROWS) == 0)
			return false;
	return true;
}

void outbox_sweep(struct outbox *o)
{
	uint64_t now = o->wall();

	if (now < o->swept + SWEEP_EVERY_US || now < OUTBOX_KEEP_US)
		return;
	/* A full batch: the next tick goes on. */
	if (forget(o, now - OUTBOX_KEEP_US, SWEEP_ROWS) < SWEEP_ROWS)
		o->swept = now;
}
