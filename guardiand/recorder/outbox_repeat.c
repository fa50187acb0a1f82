/*
 * Alertmanager has its alerts in memory alone and counts on being told again: one that is told once is forgotten when
 * it restarts, and not even sent on when that happens in its group_wait. So what is open is told again and again, by
 * the row that was delivered.
 */
#include "guardiand/recorder/outbox_parts.h"

#define REPEAT_ID (1ull << 62) /* no row and no heartbeat ever has such a number */
#define AT_ONCE 32

void outbox_repeat(struct outbox *o, const struct outbox_row *row)
{
	const struct channel *ch = outbox_channel(o, row->channel);

	if (row->action != PAGE_TRIGGER || ch == NULL || !ch->traits->repeats)
		return;
	/* The last page of a key says the most. */
	table_run(o->r->store, o->sql[OUTBOX_REPEAT_OVER], "tti", row->dedup, row->channel, row->id);
	table_run(o->r->store, o->sql[OUTBOX_REPEAT_ADD], "itti", row->id, row->dedup, row->channel,
		  (int64_t)(o->wall() + OUTBOX_REPEAT_US));
}

void outbox_repeat_end(struct outbox *o, const char *dedup)
{
	table_run(o->r->store, o->sql[OUTBOX_REPEAT_OVER], "tti", dedup, (const char *)NULL, (int64_t)INT64_MAX);
}

void outbox_repeat_now(struct outbox *o)
{
	table_run(o->r->store, o->sql[OUTBOX_REPEAT_NOW], "i", (int64_t)o->wall());
}

void outbox_repeat_times(struct outbox *o)
{
	uint64_t now = o->wall();

	table_run(o->r->store, o->sql[OUTBOX_REPEAT_TIMES], "ii", (int64_t)now, (int64_t)(now + OUTBOX_REPEAT_US));
}

/* Marks what is to be sent. */
static void mark(struct outbox *o, struct channel *ch)
{
	sqlite3_stmt *q = o->sql[OUTBOX_REPEAT_DUE];
	uint64_t now = o->wall();
	unsigned spare = outbox_spare(o, ch);
	int64_t row[AT_ONCE];
	bool over[AT_ONCE];
	size_t n = 0;

	table_bind(o->r->store, q, "tii", ch->config->name, (int64_t)now, (int64_t)(spare < AT_ONCE ? spare : AT_ONCE));
	while (table_row(o->r->store, q)) {
		row[n] = table_int(q, 0);
		over[n++] = table_int(q, 1) != 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (over[i]) {
			table_run(o->r->store, o->sql[OUTBOX_REPEAT_DELETE], "i", row[i]);
			continue;
		}
		if (o->nout == OUTBOX_DISPATCH_MAX)
			return;
		table_run(o->r->store, o->sql[OUTBOX_REPEAT_SEND], "iii", row[i], (int64_t)now,
			  (int64_t)(now + OUTBOX_REPEAT_US));
		o->out[o->nout++] = row[i];
		ch->tokens -= 1;
	}
}

void outbox_repeat_tick(struct outbox *o)
{
	o->nout = 0;
	for (size_t i = 0; i < o->nchannels; i++)
		if (o->channel[i].traits->repeats)
			mark(o, &o->channel[i]);
	/* That it is under way must survive us: it must not overtake what ends its alert. */
	if (o->nout > 0)
		commit_now(o->r->commit);
	for (size_t i = 0; i < o->nout; i++)
		outbox_hand_over(o, o->out[i], ROW_DONE, REPEAT_ID | (uint64_t)o->out[i]);
}

bool outbox_repeated(struct outbox *o, const struct ipc_paged *m, const char *detail)
{
	sqlite3_stmt *q = o->sql[OUTBOX_REPEAT_CHANNEL];
	int64_t row = (int64_t)(m->page & ~REPEAT_ID);

	if ((m->page & REPEAT_ID) == 0 || m->page > INT64_MAX)
		return false;
	table_bind(o->r->store, q, "i", row);
	if (!table_row(o->r->store, q))
		return true;
	outbox_note_channel(o, table_text(q, 0), m, detail);
	table_end(q);
	table_run(o->r->store, o->sql[OUTBOX_REPEAT_ANSWERED], "i", row);
	o->dirty = true;
	o->wake = 0;
	return true;
}
