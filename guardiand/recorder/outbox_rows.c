/* Rows of the outbox, one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/log.h"
#include "guardiand/recorder/outbox_parts.h"

const char *outbox_clip(const char *text, char *out, size_t max)
{
	size_t n = text == NULL ? 0 : strlen(text), used = 0;

	for (size_t i = 0, len; i < n && used < max; i += len == 0 ? 1 : len) {
		len = utf8_sequence((const uint8_t *)text + i, n - i);
		if (used + (len == 0 ? 1 : len) > max)
			break;
		if (len == 0)
			out[used++] = '?';
		else
			memcpy(out + used, text + i, len);
		used += len;
	}
	out[used] = '\0';
	return out;
}

int64_t page_insert(struct outbox *o, const struct page_row *p)
{
	static char title[TITLE_MAX + 1], text[TEXT_MAX + 1];
	const char *details = p->details == NULL || strlen(p->details) > DETAILS_MAX ? "{}" : p->details;
	struct store *s = o->r->store;

	table_run(s, o->sql[OUTBOX_PAGE_ADD], "itiiitttiti", (int64_t)p->kind, p->incident == NULL ? "" : p->incident,
		  (int64_t)p->severity, (int64_t)p->ts_us, (int64_t)o->wall(), outbox_clip(p->title, title, TITLE_MAX),
		  outbox_clip(p->text, text, TEXT_MAX), details, (int64_t)p->weekly, p->by == NULL ? "" : p->by,
		  (int64_t)(p->kind == OUTBOX_TEST && !p->reported ? 0 : 1));
	return table_last_id(s);
}

int64_t row_insert(struct outbox *o, const struct new_row *n)
{
	struct store *s = o->r->store;

	table_run(s, o->sql[OUTBOX_ROW_ADD], "itiittiiiit", n->page, n->channel, (int64_t)n->action,
		  (int64_t)n->severity, n->dedup, n->incident == NULL ? "" : n->incident, (int64_t)n->step,
		  (int64_t)n->next_at, (int64_t)o->wall(), n->backs, n->note == NULL ? "" : n->note);
	o->rows++;
	o->dirty = true;
	o->wake = 0;
	return table_last_id(s);
}

bool row_load(struct outbox *o, int64_t id, struct outbox_row *out)
{
	sqlite3_stmt *q = o->sql[OUTBOX_ROW_LOAD];
	struct store *s = o->r->store;
	bool found;

	table_bind(s, q, "i", id);
	found = table_row(s, q);
	if (!found)
		return false;
	*out = (struct outbox_row){
		.id = id,
		.page = table_int(q, 0),
		.into = table_int(q, 1),
		.attempts = table_int(q, 2),
		.action = (uint8_t)table_int(q, 6),
		.severity = (uint8_t)table_int(q, 7),
		.state = (enum row_state)table_int(q, 8),
		.delivered = table_int(q, 9) != 0,
		.made = (uint64_t)table_int(q, 10),
		.step = table_int(q, 11),
	};
	snprintf(out->channel, sizeof(out->channel), "%s", table_text(q, 3));
	snprintf(out->dedup, sizeof(out->dedup), "%s", table_text(q, 4));
	snprintf(out->incident, sizeof(out->incident), "%s", table_text(q, 5));
	table_end(q);
	return true;
}

void row_end(struct outbox *o, int64_t id, enum row_state state, bool delivered, uint32_t status, const char *detail)
{
	char text[DETAIL_MAX + 1];

	table_run(o->r->store, o->sql[OUTBOX_ROW_END], "iiiiit", id, (int64_t)state, (int64_t)delivered,
		  (int64_t)o->wall(), (int64_t)status, outbox_clip(detail, text, DETAIL_MAX));
}

void outbox_key(const struct outbox *o, const char *name, char out[DEDUP_MAX + 1])
{
	int n = snprintf(out, DEDUP_MAX + 1, "keepgate:%.200s:%s", o->config->origin, name);

	if (n < 0 || n > DEDUP_MAX)
		log_panic("outbox: a key of %d bytes", n);
}

struct channel *outbox_channel(struct outbox *o, const char *name)
{
	for (size_t i = 0; i < o->nchannels; i++)
		if (strcmp(o->channel[i].config->name, name) == 0)
			return &o->channel[i];
	return NULL;
}

unsigned outbox_changes(struct outbox *o)
{
	return (unsigned)sqlite3_changes(sqlite3_db_handle(o->sql[0]));
}
