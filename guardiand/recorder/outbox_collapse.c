/* More waits for a channel than its provider takes: it becomes one page that says how many, and lists them. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "guardiand/recorder/outbox_parts.h"

#define TITLE_SHOWN 80
#define LINE_MAX (INCIDENT_ID_MAX + TITLE_SHOWN + 32)

/* What a text says behind the number, and a title. */
static const struct {
	const char *text, *title;
} heads[] = {
	[PAGE_TRIGGER] = {": more pages waited for this channel than it takes. keepgate incident list has all.", ""},
	[PAGE_ACK] = {" are acknowledged.", " acknowledged"},
	[PAGE_RESOLVE] = {" are resolved.", " resolved"},
};

struct summary {
	char title[TITLE_MAX + 1], text[TEXT_MAX + 1];
	size_t len;
	long long incidents, told;
	json_t *names;
	char worst[TITLE_SHOWN + 1];
};

static void put_line(struct summary *x, const char *line)
{
	size_t n = strlen(line);

	/* The last line says how many are left out. */
	if (x->len + n + LINE_MAX > TEXT_MAX)
		return;
	memcpy(x->text + x->len, line, n + 1);
	x->len += n;
	x->told++;
}

static void list(struct outbox *o, int64_t row, struct summary *x)
{
	sqlite3_stmt *q = o->sql[OUTBOX_LIST_MEMBERS];
	char line[LINE_MAX], shown[TITLE_SHOWN + 1];

	table_bind(o->r->store, q, "i", row);
	while (table_row(o->r->store, q)) {
		const char *severity = guard_severity_name((enum guard_severity)table_int(q, 1));

		outbox_clip(table_text(q, 2), shown, TITLE_SHOWN);
		if (x->worst[0] == '\0')
			memcpy(x->worst, shown, sizeof(shown));
		snprintf(line, sizeof(line), "\n%s (%s) %s", table_text(q, 0), severity, shown);
		put_line(x, line);
		if (json_array_append_new(x->names, json_string(table_text(q, 0))) != 0)
			log_fatal(KG_EXIT_FAILURE, "outbox: out of memory");
	}
}

/* Writes the page of a row from the rows that point to it. */
static void compose(struct outbox *o, int64_t page, int64_t row, uint8_t action, uint64_t next_at)
{
	static struct summary x;
	sqlite3_stmt *q = o->sql[OUTBOX_COUNT_MEMBERS];
	int64_t members, severity;
	char *details;
	json_t *all;

	table_run(o->r->store, o->sql[OUTBOX_PAGE_INHERIT], "ii", page, row);
	table_bind(o->r->store, q, "ii", row, page);
	if (!table_row(o->r->store, q))
		log_panic("outbox: a count without a row");
	/* What was forgotten for want of room counts, but has no name any more. */
	members = table_int(q, 0) + table_int(q, 3);
	x = (struct summary){.incidents = (long long)(table_int(q, 1) + table_int(q, 3)), .names = json_array()};
	severity = table_int(q, 2);
	table_end(q);
	x.len = (size_t)snprintf(x.text, sizeof(x.text), "%lld incidents%s", x.incidents, heads[action].text);
	list(o, row, &x);
	if (x.told < x.incidents)
		snprintf(x.text + x.len, sizeof(x.text) - x.len, "\n... and %lld more", x.incidents - x.told);
	snprintf(x.title, sizeof(x.title), "%lld incidents%s: %s", x.incidents, heads[action].title, x.worst);
	all = json_pack("{sIso}", "count", (json_int_t)x.incidents, "incidents", x.names);
	details = all == NULL ? NULL : json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
	if (details == NULL)
		log_fatal(KG_EXIT_FAILURE, "outbox: out of memory");
	table_run(o->r->store, o->sql[OUTBOX_PAGE_SET], "iittti", page, severity, x.title, x.text, details, members);
	table_run(o->r->store, o->sql[OUTBOX_ROW_SEVERITY], "iii", row, severity, (int64_t)next_at);
	free(details);
	json_decref(all);
}

/* When the first of them is due. */
static uint64_t earliest(struct outbox *o, const struct channel *ch, uint8_t action)
{
	sqlite3_stmt *q = o->sql[OUTBOX_EARLIEST];
	uint64_t at = 0;

	table_bind(o->r->store, q, "ti", ch->config->name, (int64_t)action);
	if (table_row(o->r->store, q)) {
		at = (uint64_t)table_int(q, 0);
		table_end(q);
	}
	return at;
}

int64_t outbox_collapse(struct outbox *o, struct channel *ch, uint8_t action, uint64_t until)
{
	struct page_row page = {.kind = PAGE_COLLAPSED, .ts_us = o->wall(), .reported = true};
	struct new_row n = {.channel = ch->config->name, .action = action};
	uint64_t next_at = earliest(o, ch, action);
	char name[64], dedup[DEDUP_MAX + 1];
	int64_t row;

	if (next_at == 0)
		return 0;
	n.page = page_insert(o, &page);
	snprintf(name, sizeof(name), "pages-%lld", (long long)n.page);
	outbox_key(o, name, dedup);
	n.dedup = dedup;
	n.next_at = next_at;
	row = row_insert(o, &n);
	table_run(o->r->store, o->sql[OUTBOX_ABSORB_MEMBERS], "itii", row, ch->config->name, (int64_t)action,
		  (int64_t)until);
	table_run(o->r->store, o->sql[OUTBOX_ABSORB], "itiii", row, ch->config->name, (int64_t)action, (int64_t)until,
		  (int64_t)o->wall());
	compose(o, n.page, row, action, next_at);
	return row;
}
