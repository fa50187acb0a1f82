/* Acknowledged or resolved: what is still to be sent is dropped, and whoever was paged is told. */
#include <string.h>

#include "guardiand/recorder/outbox_parts.h"

#define KEYS_MAX 64 /* collapsed pages that one incident can be in, and channels of one */

struct closing {
	struct outbox *o;
	const char *incident; /* "" for a page of several */
	uint8_t action, severity;
	int64_t page;
};

static bool knows(const struct channel_traits *t, uint8_t action)
{
	return action == PAGE_ACK ? t->acks : t->resolves;
}

/* What is still to be said under a key. */
static void drop(const struct closing *x, const char *dedup)
{
	struct outbox *o = x->o;

	table_run(o->r->store, o->sql[x->action == PAGE_ACK ? OUTBOX_DROP_ACKED : OUTBOX_DROP_RESOLVED], "ti", dedup,
		  (int64_t)o->wall());
	if (x->action == PAGE_RESOLVE)
		outbox_repeat_end(o, dedup);
}

/*
 * A provider that keeps alerts is told although a delivery failed so far: it may have come through. People who may not
 * have seen the page are not told that it is over.
 */
static void close_key(const struct closing *x, const char *dedup)
{
	struct outbox *o = x->o;
	struct store *s = o->r->store;
	sqlite3_stmt *q = o->sql[OUTBOX_GOT];
	struct channel *told[KEYS_MAX];
	size_t n = 0;

	drop(x, dedup);
	table_bind(s, q, "t", dedup);
	while (table_row(s, q)) {
		struct channel *ch = outbox_channel(o, table_text(q, 0));

		if (ch == NULL || n == KEYS_MAX || !knows(ch->traits, x->action) || (n > 0 && told[n - 1] == ch))
			continue;
		if (ch->traits->keeps || table_int(q, 1) != 0)
			told[n++] = ch;
	}
	for (size_t i = 0; i < n; i++) {
		struct new_row row = {.page = x->page,
				      .channel = told[i]->config->name,
				      .dedup = dedup,
				      .incident = x->incident,
				      .action = x->action,
				      .severity = x->severity,
				      .next_at = o->wall()};

		if (!told[i]->traits->keeps)
			row.next_at = outbox_due(o, x->severity, row.next_at);
		row_insert(o, &row);
	}
}

static void close_keys(const struct closing *x, sqlite3_stmt *q)
{
	char key[KEYS_MAX][DEDUP_MAX + 1];
	struct outbox *o = x->o;
	size_t n = 0;

	while (table_row(o->r->store, q))
		if (n < KEYS_MAX)
			memcpy(key[n++], table_text(q, 0), strlen(table_text(q, 0)) + 1);
	for (size_t i = 0; i < n; i++)
		close_key(x, key[i]);
}

/* The keys under which a page of several was tried before it was told with yet others. */
static void close_older(const struct closing *x, int64_t row)
{
	sqlite3_stmt *q = x->o->sql[OUTBOX_MEMBERS_KEYS];

	table_bind(x->o->r->store, q, "i", row);
	close_keys(x, q);
}

/* The keys of an incident: that under which it was paged, and those of what came after it was acknowledged. */
static void close_own(const struct closing *x)
{
	sqlite3_stmt *q = x->o->sql[OUTBOX_INCIDENT_KEYS];

	table_bind(x->o->r->store, q, "t", x->incident);
	close_keys(x, q);
}

/* A page of several is over with the last of them. */
static void close_collapsed(struct closing x, int64_t row)
{
	struct outbox *o = x.o;
	sqlite3_stmt *q = o->sql[OUTBOX_MEMBERS_OPEN];
	int64_t level = x.action == PAGE_ACK ? 1 : 2;
	char dedup[DEDUP_MAX + 1];
	bool over;

	table_bind(o->r->store, q, "ii", row, level);
	if (!table_row(o->r->store, q))
		return;
	over = table_int(q, 0) == 0;
	memcpy(dedup, table_text(q, 1), strlen(table_text(q, 1)) + 1);
	x.severity = (uint8_t)table_int(q, 2);
	table_end(q);
	if (!over)
		return;
	table_run(o->r->store, o->sql[OUTBOX_ROW_CLOSED], "ii", row, level);
	x.incident = "";
	close_key(&x, dedup);
	close_older(&x, row);
}

void outbox_close(struct outbox *o, const struct outbox_page *p, int64_t page)
{
	struct closing x = {.o = o,
			    .incident = p->incident,
			    .action = p->kind == OUTBOX_ACK ? PAGE_ACK : PAGE_RESOLVE,
			    .severity = (uint8_t)p->severity,
			    .page = page};
	sqlite3_stmt *q = o->sql[OUTBOX_MEMBERS_OF];
	int64_t row[KEYS_MAX];
	size_t n = 0;

	close_own(&x);
	table_run(o->r->store, o->sql[OUTBOX_MEMBERS_CLOSE], "ti", p->incident,
		  (int64_t)(x.action == PAGE_ACK ? 1 : 2));
	table_bind(o->r->store, q, "t", p->incident);
	while (table_row(o->r->store, q))
		if (n < KEYS_MAX)
			row[n++] = table_int(q, 0);
	for (size_t i = 0; i < n; i++)
		close_collapsed(x, row[i]);
}
