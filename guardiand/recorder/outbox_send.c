/* Handing over to the pager: what is due, within each provider's rate, and only what is durable. */
#include <stdio.h>
#include <string.h>

#include "guardiand/recorder/outbox_parts.h"

#define DUE_MAX 64
#define OTHERS_EVERY 4 /* of so many pages one is a word about an older page or a test, when both wait */

/*
 * A bucket of a third of per_minute (less where the provider wants less at once), filled with the rest in a minute: no
 * minute sees more than per_minute, wherever it begins.
 */
static double bucket_size(const struct channel *ch)
{
	uint32_t third = ch->config->per_minute < 3 ? 1 : ch->config->per_minute / 3;

	return (double)(third < ch->traits->burst ? third : ch->traits->burst);
}

static double per_minute(const struct channel *ch)
{
	double rest = (double)ch->config->per_minute - bucket_size(ch);

	return rest < 1 ? 1 : rest;
}

void outbox_fill(struct outbox *o, struct channel *ch)
{
	uint64_t now = o->wall();

	if (now > ch->filled)
		ch->tokens += (double)(now - ch->filled) * per_minute(ch) / (double)MINUTE_US;
	if (ch->tokens > bucket_size(ch))
		ch->tokens = bucket_size(ch);
	ch->filled = now;
}

unsigned outbox_spare(struct outbox *o, struct channel *ch)
{
	unsigned kept = (unsigned)bucket_size(ch) / 2;

	if (o->wall() < ch->hold)
		return 0;
	outbox_fill(o, ch);
	return (unsigned)ch->tokens > kept ? (unsigned)ch->tokens - kept : 0;
}

/* What is due for a channel, the most urgent first. */
struct due {
	int64_t row[DUE_MAX];
	uint8_t action[DUE_MAX];
	size_t n, taken;
};

static void find_due(struct outbox *o, enum outbox_sql which, const struct channel *ch, struct due *d)
{
	sqlite3_stmt *q = o->sql[which];

	d->n = d->taken = 0;
	table_bind(o->r->store, q, "tii", ch->config->name, (int64_t)o->wall(), (int64_t)ch->tokens);
	while (table_row(o->r->store, q)) {
		if (d->n == DUE_MAX)
			continue;
		d->row[d->n] = table_int(q, 0);
		d->action[d->n++] = (uint8_t)table_int(q, 1);
	}
}

static bool several(struct outbox *o, const struct channel *ch, uint8_t action)
{
	sqlite3_stmt *q = o->sql[OUTBOX_DUE_COUNT];
	bool more;

	table_bind(o->r->store, q, "tii", ch->config->name, (int64_t)o->wall(), (int64_t)action);
	more = table_row(o->r->store, q) && table_int(q, 0) > 1;
	table_end(q);
	return more;
}

/* Only what people read, and pages themselves: an alert at a provider is closed by its own key. */
static bool can_collapse(const struct channel *ch, uint8_t action)
{
	return action == PAGE_TRIGGER || (action != PAGE_TEST && !ch->traits->keeps);
}

/* The next row for a channel; 0 when nothing is left. The last token is for all that is left. */
static int64_t next_row(struct outbox *o, struct channel *ch, struct due *triggers, struct due *others)
{
	bool other = others->taken < others->n &&
		     (triggers->taken == triggers->n || ch->spent % OTHERS_EVERY == OTHERS_EVERY - 1);
	struct due *d = other ? others : triggers;
	uint8_t action;

	if (d->taken == d->n)
		return 0;
	action = d->action[d->taken];
	if (ch->tokens < 2 && can_collapse(ch, action) && several(o, ch, action) && outbox_room(o, 1))
		return outbox_collapse(o, ch, action, o->wall());
	return d->row[d->taken++];
}

static void mark(struct outbox *o, struct channel *ch)
{
	uint64_t now = o->wall();
	struct due triggers, others;
	int64_t row;

	if (now < ch->hold || !ch->traits->pages)
		return;
	outbox_fill(o, ch);
	if (ch->tokens < 1)
		return;
	find_due(o, OUTBOX_DUE_TRIGGERS, ch, &triggers);
	find_due(o, OUTBOX_DUE_OTHERS, ch, &others);
	while (ch->tokens >= 1 && o->nout < OUTBOX_DISPATCH_MAX && (row = next_row(o, ch, &triggers, &others)) != 0) {
		table_run(o->r->store, o->sql[OUTBOX_ROW_SEND], "iii", row, (int64_t)now,
			  (int64_t)(now + OUTBOX_ANSWER_US));
		o->out[o->nout++] = row;
		ch->tokens -= 1;
		ch->spent++;
	}
}

void outbox_hand_over(struct outbox *o, int64_t row, enum row_state state, uint64_t id)
{
	static char text[TEXT_MAX + 1], cut[TEXT_MAX + 1];
	sqlite3_stmt *q = o->sql[OUTBOX_MESSAGE];
	struct ipc_page m = {.page = id};
	const char *note, *body;

	table_bind(o->r->store, q, "ii", row, (int64_t)state);
	if (!table_row(o->r->store, q))
		return;
	note = table_text(q, 4);
	body = table_text(q, 8);
	snprintf(text, sizeof(text), "%s%s%s", note, note[0] == '\0' ? "" : "\n", body);
	m.channel = ipc_text(table_text(q, 0));
	m.action = (uint8_t)table_int(q, 1);
	m.dedup = ipc_text(table_text(q, 2));
	m.incident = ipc_text(table_text(q, 3));
	m.severity = (uint8_t)table_int(q, 5);
	m.ts_us = (uint64_t)table_int(q, 6);
	m.title = ipc_text(table_text(q, 7));
	m.text = ipc_text(outbox_clip(text, cut, TEXT_MAX));
	m.details = ipc_text(table_text(q, 9));
	ipc_send(o->pager, IPC_PAGE, &m);
	table_end(q);
}

static void find_wake(struct outbox *o)
{
	sqlite3_stmt *q = o->sql[OUTBOX_NEXT];

	o->wake = UINT64_MAX;
	if (!table_row(o->r->store, q))
		return;
	if (sqlite3_column_type(q, 0) != SQLITE_NULL)
		o->wake = (uint64_t)table_int(q, 0);
	table_end(q);
}

/* What became due before, or could not be sent then, waits for the morning too. */
static void quiet(struct outbox *o)
{
	uint64_t now = o->wall(), end = outbox_due(o, GUARD_LOW, now);

	if (end > now)
		table_run(o->r->store, o->sql[OUTBOX_QUIET], "ii", (int64_t)now, (int64_t)end);
}

void outbox_dispatch(struct outbox *o)
{
	o->dirty = false;
	if (o->pager == NULL)
		return;
	o->nout = 0;
	quiet(o);
	for (size_t i = 0; i < o->nchannels; i++)
		mark(o, &o->channel[i]);
	/* That it was sent must survive us: a page that may be with a provider is resolved there too. */
	if (o->nout > 0)
		commit_now(o->r->commit);
	for (size_t i = 0; i < o->nout; i++)
		outbox_hand_over(o, o->out[i], ROW_SENT, (uint64_t)o->out[i]);
	if (o->nout == OUTBOX_DISPATCH_MAX)
		o->dirty = true;
	find_wake(o);
}
