#include "guardiand/recorder/test_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "guardiand/recorder/heartbeat.h"

#define OPEN_MAX 16
#define WAITERS_MAX 16
#define BY_MAX 128
#define DETAIL_SHOWN 128 /* the reports of 64 channels fit one record */

static const char title[] = "Test page of Keepgate";

/* An operator that waits for the result of a page. */
struct waiter {
	struct ipc_conn *conn; /* NULL: free */
	uint64_t id, until;
	char channel[SERVER_NAME_LEN + 1];
};
struct test_waiters {
	struct waiter waiter[WAITERS_MAX];
};

struct test_waiters *test_waiters_new(void)
{
	struct test_waiters *w = calloc(1, sizeof(*w));

	if (w == NULL)
		log_fatal(KG_EXIT_FAILURE, "test pages: out of memory");
	return w;
}

void test_waiters_free(struct test_waiters *w)
{
	free(w);
}

static int64_t page_of(struct outbox *o, const char *text, const char *by, bool weekly, bool reported,
		       char dedup[DEDUP_MAX + 1])
{
	struct page_row p = {.kind = OUTBOX_TEST,
			     .severity = GUARD_LOW,
			     .title = title,
			     .text = text,
			     .by = by,
			     .ts_us = o->wall(),
			     .weekly = weekly,
			     .reported = reported};
	int64_t page = page_insert(o, &p);
	char name[64];

	snprintf(name, sizeof(name), "test-%" PRId64, page);
	outbox_key(o, name, dedup);
	return page;
}

static int64_t row_of(struct outbox *o, int64_t page, const char *channel, const char *dedup)
{
	struct new_row n = {.page = page,
			    .channel = channel,
			    .dedup = dedup,
			    .action = PAGE_TEST,
			    .severity = GUARD_LOW,
			    .next_at = o->wall()};

	return row_insert(o, &n);
}

int64_t test_page_add(struct outbox *o, const char *channel, const char *by, bool weekly)
{
	char text[512], dedup[DEDUP_MAX + 1];
	int64_t page, row = 0;

	if (!outbox_room(o, (unsigned)o->nchannels))
		return 0;
	snprintf(text, sizeof(text), "%s of %.200s. Nothing has happened, and nothing is to be done.",
		 weekly ? "The weekly test page" : "A test page", o->config->origin);
	page = page_of(o, text, by, weekly, false, dedup);
	for (size_t i = 0; i < o->nchannels; i++)
		if (o->channel[i].traits->pages &&
		    (channel == NULL || strcmp(o->channel[i].config->name, channel) == 0))
			row = row_of(o, page, o->channel[i].config->name, dedup);
	if (row == 0)
		table_run(o->r->store, o->sql[OUTBOX_PAGE_DELETE], "i", page);
	return row;
}

static void weekly(struct outbox *o)
{
	const struct config_guardian *g = o->guardian;
	sqlite3_stmt *q = o->sql[OUTBOX_TEST_LAST];
	uint64_t now = o->wall(), last = o->started, due;

	if (g->test_day == 0)
		return;
	due = schedule_last(g->test_day, g->test_min, now);
	if (now - due > TEST_LATE_US)
		return;
	if (table_row(o->r->store, q)) {
		if (sqlite3_column_type(q, 0) != SQLITE_NULL)
			last = (uint64_t)table_int(q, 0);
		table_end(q);
	}
	if (last < due)
		test_page_add(o, NULL, NULL, true);
}

struct report {
	json_t *deliveries;
	char failed[DETAIL_MAX + 128]; /* the first that did */
};

static const char *result_name(enum row_state state, bool delivered)
{
	return delivered ? "delivered" : state == ROW_DEAD ? "dead" : "waiting";
}

static struct report deliveries(struct outbox *o, int64_t page)
{
	sqlite3_stmt *q = o->sql[OUTBOX_TEST_ROWS];
	struct report r = {.deliveries = json_array()};
	char shown[DETAIL_SHOWN + 1];

	table_bind(o->r->store, q, "i", page);
	while (table_row(o->r->store, q)) {
		enum row_state state = (enum row_state)table_int(q, 2);
		bool ok = table_int(q, 3) != 0;
		const char *detail = outbox_clip(table_text(q, 7), shown, DETAIL_SHOWN);
		json_t *row =
			json_pack("{sIsssssIsIsIss}", "id", (json_int_t)table_int(q, 0), "channel", table_text(q, 1),
				  "state", result_name(state, ok), "attempts", (json_int_t)table_int(q, 4), "ts",
				  (json_int_t)table_int(q, 5), "status", (json_int_t)table_int(q, 6), "detail", detail);

		if (row == NULL || json_array_append_new(r.deliveries, row) != 0)
			log_fatal(KG_EXIT_FAILURE, "test pages: out of memory");
		if (!ok && r.failed[0] == '\0')
			snprintf(r.failed, sizeof(r.failed), "%s: %s", table_text(q, 1), table_text(q, 7));
	}
	return r;
}

/* A channel that does not work is nobody's news unless another one tells it. */
static void tell_failure(struct outbox *o, int64_t page, const char *failed)
{
	sqlite3_stmt *q = o->sql[OUTBOX_PAGE_DELIVERED];
	char text[DETAIL_MAX + 256], channel[SERVER_NAME_LEN + 1], dedup[DEDUP_MAX + 1];

	table_bind(o->r->store, q, "i", page);
	if (!table_row(o->r->store, q))
		return;
	snprintf(channel, sizeof(channel), "%s", table_text(q, 0));
	table_end(q);
	if (!outbox_room(o, 1))
		return;
	snprintf(text, sizeof(text), "The weekly test page did not arrive by channel %s", failed);
	row_of(o, page_of(o, text, NULL, false, true, dedup), channel, dedup);
}

static void report(struct outbox *o, int64_t page, bool is_weekly, const char *by)
{
	struct report r = deliveries(o, page);
	json_t *m = json_pack("{sIsbsO}", "page", (json_int_t)page, "weekly", is_weekly, "deliveries", r.deliveries);

	if (m == NULL)
		log_fatal(KG_EXIT_FAILURE, "test pages: out of memory");
	if (by[0] != '\0')
		json_object_set_new(m, "by", json_string(by));
	json_decref(r.deliveries);
	outbox_record(o, "page.test", m);
	table_run(o->r->store, o->sql[OUTBOX_PAGE_REPORTED], "i", page);
	if (is_weekly && r.failed[0] != '\0')
		tell_failure(o, page, r.failed);
}

/* What has not arrived by now has failed. */
static void give_up(struct outbox *o, int64_t page)
{
	sqlite3_stmt *q = o->sql[OUTBOX_TEST_ROWS];
	int64_t id[64];
	size_t n = 0;
	struct outbox_row row;

	table_bind(o->r->store, q, "i", page);
	while (table_row(o->r->store, q))
		if (table_int(q, 2) < ROW_DONE)
			id[n++] = table_int(q, 0);
	for (size_t i = 0; i < n; i++)
		if (row_load(o, id[i], &row))
			outbox_dead(o, &row, 0, "the test page did not arrive within 15 minutes");
}

static void reports(struct outbox *o)
{
	struct {
		int64_t page;
		bool weekly, over, late;
		char by[BY_MAX + 1];
	} open[OPEN_MAX];
	sqlite3_stmt *q = o->sql[OUTBOX_TESTS_OPEN];
	uint64_t now = o->wall();
	size_t n = 0;

	while (table_row(o->r->store, q)) {
		open[n].page = table_int(q, 0);
		open[n].late = now >= (uint64_t)table_int(q, 1) + TEST_OVER_US;
		open[n].weekly = table_int(q, 2) != 0;
		open[n].over = table_int(q, 4) == 0;
		snprintf(open[n++].by, sizeof(open[0].by), "%s", table_text(q, 3));
	}
	for (size_t i = 0; i < n; i++) {
		if (!open[i].over && open[i].late)
			give_up(o, open[i].page);
		if (open[i].over || open[i].late)
			report(o, open[i].page, open[i].weekly, open[i].by);
	}
}

static void answer(struct outbox *o, struct waiter *w, bool is_delivered, const char *state, uint32_t status,
		   const char *detail)
{
	json_t *result = json_pack("{sssbsssIss}", "channel", w->channel, "delivered", is_delivered, "state", state,
				   "status", (json_int_t)status, "detail", detail);
	char *text = result == NULL ? NULL : json_dumps(result, JSON_COMPACT);
	struct ipc_admin_reply m = {.status = text == NULL ? GRANT_UNAVAILABLE : GRANT_OK, .json = ipc_text(text)};

	commit_now(o->r->commit);
	ipc_send(w->conn, IPC_ADMIN_REPLY, &m);
	w->conn = NULL;
	free(text);
	json_decref(result);
}

void test_page_answer(struct outbox *o, uint64_t id, const struct ipc_paged *m, const char *detail)
{
	for (size_t i = 0; i < WAITERS_MAX; i++) {
		struct waiter *w = &o->waiters->waiter[i];

		if (w->conn != NULL && w->id == id)
			answer(o, w, m->result == PAGED_OK,
			       m->result == PAGED_OK          ? "delivered"
			       : m->result == PAGED_PERMANENT ? "dead"
							      : "waiting",
			       m->status, detail);
	}
}

void test_page_paged(struct outbox *o, const struct outbox_row *row, const struct ipc_paged *m, const char *detail)
{
	if (row->action != PAGE_TEST)
		return;
	test_page_answer(o, (uint64_t)row->id, m, detail);
	if (m->result != PAGED_RETRY)
		reports(o);
}

void test_page_tick(struct outbox *o)
{
	uint64_t now = o->wall();

	weekly(o);
	reports(o);
	for (size_t i = 0; i < WAITERS_MAX; i++) {
		struct waiter *w = &o->waiters->waiter[i];

		if (w->conn != NULL && now >= w->until)
			answer(o, w, false, "waiting", 0,
			       o->pager == NULL ? "the pager is not connected: see guardiand's log"
						: "the pager has not answered yet");
	}
}

const char *outbox_test(struct outbox *o, struct ipc_conn *conn, const char *name, const char *by)
{
	struct channel *ch = name == NULL ? NULL : outbox_channel(o, name);
	struct waiter *w = NULL;

	for (size_t i = 0; i < WAITERS_MAX; i++)
		if (o->waiters->waiter[i].conn == NULL)
			w = &o->waiters->waiter[i];
	if (ch == NULL)
		return "there is no such channel in guardian.channels";
	if (w == NULL)
		return "too many test pages are under way: try again in a minute";
	if (ch->traits->pages)
		w->id = (uint64_t)test_page_add(o, name, by, false);
	else if (o->pager == NULL)
		return "the pager is not connected: see guardiand's log";
	else
		w->id = heartbeat_send(o, ch);
	if (w->id == 0)
		return "the outbox is full";
	w->conn = conn;
	w->until = o->wall() + TEST_ANSWER_US;
	snprintf(w->channel, sizeof(w->channel), "%s", name);
	return NULL;
}

void outbox_test_forget(struct outbox *o, const struct ipc_conn *conn)
{
	for (size_t i = 0; i < WAITERS_MAX; i++)
		if (o->waiters->waiter[i].conn == conn)
			o->waiters->waiter[i].conn = NULL;
}
