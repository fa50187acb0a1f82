/* What the pager says of a delivery: done, again later, or never; and then through whom else. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "guardiand/recorder/heartbeat.h"
#include "guardiand/recorder/outbox_parts.h"
#include "guardiand/recorder/test_page.h"

#define JITTER_PERCENT 20u
#define TRUSTED_ATTEMPTS 5 /* so often a provider that says when to try again is believed */

static bool is_there(struct outbox *o, sqlite3_stmt *q)
{
	bool found = table_row(o->r->store, q);

	if (found)
		table_end(q);
	return found;
}

/* Doubled with each attempt up to ten minutes: a page that comes after days wakes nobody. */
static uint64_t backoff(int64_t attempts)
{
	unsigned n = attempts < 1 ? 0 : attempts > 6 ? 5 : (unsigned)attempts - 1;
	uint64_t delay = OUTBOX_RETRY_US << n;

	if (delay > OUTBOX_RETRY_MAX_US)
		delay = OUTBOX_RETRY_MAX_US;
	return delay * (100 - JITTER_PERCENT + randombytes_uniform(2 * JITTER_PERCENT + 1)) / 100;
}

/* 0: it does not say. */
static uint64_t retry_after(const struct ipc_paged *m)
{
	uint32_t s = m->retry_after_s > OUTBOX_RETRY_AFTER_MAX_S ? OUTBOX_RETRY_AFTER_MAX_S : m->retry_after_s;

	return s * SECOND_US;
}

static json_t *incidents_of(struct outbox *o, int64_t row)
{
	sqlite3_stmt *q = o->sql[OUTBOX_LIST_MEMBERS];
	json_t *names = json_array();

	table_bind(o->r->store, q, "i", row);
	while (table_row(o->r->store, q))
		json_array_append_new(names, json_string(table_text(q, 0)));
	return names;
}

/* Those that have no name any more included. */
static json_t *count_of(struct outbox *o, const struct outbox_row *row)
{
	sqlite3_stmt *q = o->sql[OUTBOX_COUNT_MEMBERS];
	int64_t n = 0;

	table_bind(o->r->store, q, "ii", row->id, row->page);
	if (table_row(o->r->store, q)) {
		n = table_int(q, 1) + table_int(q, 3);
		table_end(q);
	}
	return json_integer((json_int_t)n);
}

static void name_incidents(struct outbox *o, const struct outbox_row *row, json_t *m)
{
	if (row->incident[0] != '\0') {
		json_object_set_new(m, "incident", json_string(row->incident));
	} else if (row->action != PAGE_TEST) {
		json_object_set_new(m, "incidents", incidents_of(o, row->id));
		json_object_set_new(m, "count", count_of(o, row));
	}
}

void outbox_row_record(struct outbox *o, const char *event, const struct outbox_row *row, uint32_t status,
		       const char *detail)
{
	json_t *m = json_pack("{sIsIsssssssI}", "id", (json_int_t)row->id, "page", (json_int_t)row->page, "channel",
			      row->channel, "action", page_action_name(row->action), "dedup", row->dedup, "attempts",
			      (json_int_t)row->attempts);

	if (m == NULL)
		log_fatal(KG_EXIT_FAILURE, "outbox: out of memory");
	name_incidents(o, row, m);
	if (status != 0)
		json_object_set_new(m, "status", json_integer(status));
	if (detail[0] != '\0')
		json_object_set_new(m, "detail", json_string(detail));
	outbox_record(o, event, m);
}

/* The channel of a page that is to be paged at once in another's place: one that no step has named, or NULL. */
static const char *unused_channel(struct outbox *o, int64_t page)
{
	for (size_t i = 0; i < o->nchannels; i++) {
		sqlite3_stmt *q = o->sql[OUTBOX_HAS_CHANNEL];

		if (!o->channel[i].traits->pages)
			continue;
		table_bind(o->r->store, q, "it", page, o->channel[i].config->name);
		if (!is_there(o, q))
			return o->channel[i].config->name;
	}
	return NULL;
}

bool outbox_through_another(struct outbox *o, const struct outbox_row *row, int64_t backs, const char *note)
{
	sqlite3_stmt *q = o->sql[OUTBOX_BRING_FORWARD];
	struct new_row n = {.page = row->page,
			    .dedup = row->dedup,
			    .incident = row->incident,
			    .note = note,
			    .action = PAGE_TRIGGER,
			    .severity = row->severity,
			    .step = (unsigned)row->step,
			    .next_at = outbox_due(o, row->severity, o->wall()),
			    .backs = backs};
	int64_t later;

	table_bind(o->r->store, q, "iit", row->page, row->step, row->channel);
	if (table_row(o->r->store, q)) {
		later = table_int(q, 0);
		table_end(q);
		table_run(o->r->store, o->sql[OUTBOX_ROW_NOTE], "iit", later, (int64_t)n.next_at, note);
		o->wake = 0;
		o->dirty = true;
		return true;
	}
	n.channel = unused_channel(o, row->page);
	if (n.channel != NULL && outbox_room(o, 1)) {
		row_insert(o, &n);
		return true;
	}
	log_warn("page %lld: channel %s does not take it and there is no other: add one to guardian.channels",
		 (long long)row->page, row->channel);
	return false;
}

/* When a channel of this step is dead and no other has taken the page or has it in hand, another one gets it. */
static void cover(struct outbox *o, const struct outbox_row *row)
{
	sqlite3_stmt *q = o->sql[OUTBOX_HAS_DEAD];
	char note[DETAIL_MAX + 128];

	if (row->action != PAGE_TRIGGER)
		return;
	table_bind(o->r->store, q, "ii", row->page, row->step);
	if (!table_row(o->r->store, q))
		return;
	snprintf(note, sizeof(note), "Channel %s did not take this: %s", table_text(q, 0), table_text(q, 1));
	table_end(q);
	table_bind(o->r->store, o->sql[OUTBOX_IS_COVERED], "ii", row->page, row->step);
	if (!is_there(o, o->sql[OUTBOX_IS_COVERED]))
		outbox_through_another(o, row, 0, note);
}

void outbox_dead(struct outbox *o, const struct outbox_row *row, uint32_t status, const char *detail)
{
	char text[DETAIL_MAX + 1];

	outbox_clip(detail, text, DETAIL_MAX);
	row_end(o, row->id, ROW_DEAD, false, status, text);
	outbox_row_record(o, "page.dead", row, status, text);
	log_warn("page %lld: channel %s will never take it: %s", (long long)row->page, row->channel, text);
	cover(o, row);
}

static void delivered(struct outbox *o, const struct outbox_row *row, uint32_t status, const char *detail)
{
	row_end(o, row->id, ROW_DONE, true, status, detail);
	outbox_row_record(o, "page.delivered", row, status, detail);
	table_run(o->r->store, o->sql[OUTBOX_DROP_SECONDS], "ii", row->id, (int64_t)o->wall());
	outbox_repeat(o, row);
}

static void again(struct outbox *o, const struct outbox_row *row, const struct ipc_paged *m, const char *detail)
{
	sqlite3_stmt *q = o->sql[OUTBOX_IS_RESOLVED];
	uint64_t after = retry_after(m), delay = after;

	table_bind(o->r->store, q, "tti", row->dedup, row->channel, row->id);
	if (row->action != PAGE_RESOLVE && is_there(o, q)) {
		row_end(o, row->id, ROW_DONE, false, m->status, "resolved before");
		return;
	}
	if (after == 0 || row->attempts > TRUSTED_ATTEMPTS)
		delay = backoff(row->attempts);
	if (delay < after)
		delay = after;
	table_run(o->r->store, o->sql[OUTBOX_ROW_RETRY], "iiit", row->id, (int64_t)(o->wall() + delay),
		  (int64_t)m->status, detail);
	cover(o, row);
}

void outbox_note_channel(struct outbox *o, const char *name, const struct ipc_paged *m, const char *detail)
{
	struct channel *ch = outbox_channel(o, name);
	uint64_t now = o->wall();

	if (ch == NULL)
		return;
	if (m->result == PAGED_OK) {
		ch->last_ok = now;
		ch->last_error[0] = '\0';
		return;
	}
	ch->last_failed = now;
	snprintf(ch->last_error, sizeof(ch->last_error), "%s", detail);
	/* Retry-After is said of the account, not of one page. */
	if (m->result == PAGED_RETRY && m->retry_after_s > 0)
		ch->hold = now + retry_after(m);
}

void outbox_paged(struct outbox *o, const struct ipc_paged *m)
{
	struct outbox_row row;
	char raw[DETAIL_MAX + 1], detail[DETAIL_MAX + 1];

	/* No NUL can be inside a checked string. */
	if (ipc_copy(m->detail, raw, sizeof(raw)) != KG_OK)
		raw[0] = '\0';
	outbox_clip(raw, detail, DETAIL_MAX);
	if (heartbeat_paged(o, m, detail) || outbox_repeated(o, m, detail))
		return;
	/* Late word of a row that is over. */
	if (m->page > INT64_MAX || !row_load(o, (int64_t)m->page, &row) || row.state == ROW_DONE ||
	    row.state == ROW_DEAD)
		return;
	outbox_note_channel(o, row.channel, m, detail);
	if (m->result == PAGED_OK)
		delivered(o, &row, m->status, detail);
	else if (m->result == PAGED_PERMANENT)
		outbox_dead(o, &row, m->status, detail);
	else
		again(o, &row, m, detail);
	o->dirty = true;
	o->wake = 0;
	test_page_paged(o, &row, m, detail);
}

void outbox_unsend(struct outbox *o)
{
	/* A page that ends the pager each time must not keep it from the others. */
	table_run(o->r->store, o->sql[OUTBOX_UNSEND], "i", (int64_t)o->wall());
	outbox_repeat_now(o);
	o->wake = 0;
}
