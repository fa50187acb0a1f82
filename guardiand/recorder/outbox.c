#include "guardiand/recorder/outbox.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "guardiand/recorder/heartbeat.h"
#include "guardiand/recorder/outbox_parts.h"
#include "guardiand/recorder/test_page.h"

static uint64_t wall_clock(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * SECOND_US + (uint64_t)ts.tv_nsec / 1000;
}

static int64_t one_number(struct outbox *o, enum outbox_sql which)
{
	sqlite3_stmt *q = o->sql[which];
	int64_t n = 0;

	if (table_row(o->r->store, q)) {
		n = table_int(q, 0);
		table_end(q);
	}
	return n;
}

/* What was sent in the last minute counts: a restart gives no provider more than its rate. */
static void open_channel(struct outbox *o, struct channel *ch, const struct config_channel *config)
{
	sqlite3_stmt *q = o->sql[OUTBOX_CHANNEL_SENT];
	uint64_t now = o->wall();

	*ch = (struct channel){.config = config, .traits = channel_traits(config->kind), .filled = now};
	ch->tokens = (double)config->per_minute;
	outbox_fill(o, ch);
	table_bind(o->r->store, q, "ti", config->name, (int64_t)(now - MINUTE_US));
	if (table_row(o->r->store, q)) {
		ch->tokens -= (double)table_int(q, 0);
		table_end(q);
	}
	if (ch->tokens < 0)
		ch->tokens = 0;
	q = o->sql[OUTBOX_CHANNEL_LAST];
	table_bind(o->r->store, q, "t", config->name);
	if (table_row(o->r->store, q)) {
		ch->last_ok = (uint64_t)table_int(q, 0);
		table_end(q);
	}
}

/* Rows for channels that the configuration has no more are dead: others take the page over. */
static void bury_unknown(struct outbox *o)
{
	sqlite3_stmt *q = o->sql[OUTBOX_UNKNOWN];
	struct outbox_row row;
	int64_t id = 0;

	do {
		id = 0;
		while (table_row(o->r->store, q)) {
			const struct channel *ch = outbox_channel(o, table_text(q, 1));

			if (ch != NULL && ch->traits->pages)
				continue;
			id = table_int(q, 0);
			table_end(q);
			break;
		}
		if (id != 0 && row_load(o, id, &row))
			outbox_dead(o, &row, 0, "the configuration has no such channel any more");
	} while (id != 0);
}

static void take_up(struct outbox *o)
{
	uint64_t now = o->wall();

	o->started = o->ticked = now;
	o->rows = (uint64_t)one_number(o, OUTBOX_ROWS_COUNT);
	table_run(o->r->store, o->sql[OUTBOX_START_TIMES], "i", (int64_t)now);
	outbox_repeat_times(o);
	outbox_unsend(o);
	for (size_t i = 0; i < o->nchannels; i++)
		open_channel(o, &o->channel[i], &o->guardian->channels[i]);
	bury_unknown(o);
	o->dirty = true;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	outbox_tick(arg);
}

static void at_batch_end(void *arg)
{
	struct outbox *o = arg;

	if (o->dirty)
		outbox_dispatch(o);
}

struct outbox *outbox_open(struct recorder *r, const struct config *config, uint64_t (*wall)(void))
{
	static const struct timeval every = {.tv_sec = 1};
	struct outbox *o = calloc(1, sizeof(*o));

	if (o == NULL)
		log_fatal(KG_EXIT_FAILURE, "outbox: out of memory");
	*o = (struct outbox){.r = r,
			     .config = config,
			     .guardian = &config->guardian,
			     .wall = wall,
			     .nchannels = config->guardian.nchannels,
			     .rows_max = OUTBOX_ROWS_MAX,
			     .waiters = test_waiters_new()};
	o->channel = calloc(o->nchannels + 1, sizeof(*o->channel));
	o->timer = event_new(loop_base(r->loop), -1, EV_PERSIST, on_timer, o);
	if (o->channel == NULL || o->timer == NULL || event_add(o->timer, &every) != 0)
		log_fatal(KG_EXIT_FAILURE, "outbox: out of memory");
	outbox_sql_open(r->store, o->sql);
	take_up(o);
	loop_at_batch_end(r->loop, at_batch_end, o);
	return o;
}

void outbox_free(struct outbox *o)
{
	if (o == NULL)
		return;
	ipc_close(o->pager);
	event_free(o->timer);
	outbox_sql_close(o->sql);
	test_waiters_free(o->waiters);
	free(o->channel);
	free(o);
}

struct outbox *outbox_new(struct recorder *r, const struct config *config)
{
	return outbox_open(r, config, wall_clock);
}

/* The rows of a page; how many. */
static unsigned add_rows(struct outbox *o, const struct outbox_page *p, int64_t page)
{
	uint64_t before = o->rows;

	if (p->kind == OUTBOX_TRIGGER || p->kind == OUTBOX_RAISED)
		return outbox_plan(o, p, page);
	outbox_close(o, p, page);
	return (unsigned)(o->rows - before);
}

/* At most so many rows come from one page. */
static unsigned rows_of(const struct outbox *o)
{
	unsigned n = (unsigned)o->nchannels + 2;

	for (size_t i = 0; i < o->guardian->nroutes; i++)
		for (size_t j = 0; j < o->guardian->routes[i].nsteps; j++)
			n += (unsigned)o->guardian->routes[i].steps[j].nchannels;
	return n;
}

void outbox_add(struct outbox *o, const struct outbox_page *p)
{
	struct page_row row = {.kind = (int)p->kind,
			       .severity = (uint8_t)p->severity,
			       .incident = p->incident,
			       .title = p->title,
			       .text = p->text,
			       .ts_us = p->ts_us,
			       .reported = true};
	char *details;
	int64_t page;

	if (p->kind == OUTBOX_TEST) {
		test_page_add(o, p->channel, NULL, p->channel == NULL);
		return;
	}
	if (!outbox_room(o, rows_of(o)) && (p->kind == OUTBOX_ACK || p->kind == OUTBOX_RESOLVE)) {
		log_warn("outbox: full: providers are not told that %s is %s", p->incident,
			 p->kind == OUTBOX_ACK ? "acknowledged" : "resolved");
		return;
	}
	details = p->details == NULL ? NULL : json_dumps(p->details, JSON_COMPACT | JSON_SORT_KEYS);
	row.details = details;
	page = page_insert(o, &row);
	if (add_rows(o, p, page) == 0)
		table_run(o->r->store, o->sql[OUTBOX_PAGE_DELETE], "i", page);
	free(details);
}

/* What waits would wait longer by what the clock was set back. */
static void set_back(struct outbox *o, uint64_t now)
{
	table_run(o->r->store, o->sql[OUTBOX_SET_BACK], "ii", (int64_t)(o->ticked - now), (int64_t)now);
	outbox_repeat_times(o);
	for (size_t i = 0; i < o->nchannels; i++) {
		o->channel[i].hold = 0;
		o->channel[i].beat = 0;
	}
	o->swept = o->wake = 0;
}

void outbox_tick(struct outbox *o)
{
	uint64_t now = o->wall();

	if (now + 2 * SECOND_US < o->ticked)
		set_back(o, now);
	o->ticked = now;
	heartbeat_tick(o);
	test_page_tick(o);
	outbox_sweep(o);
	if (o->pager == NULL)
		return;
	if (now >= o->wake) {
		table_run(o->r->store, o->sql[OUTBOX_UNANSWERED], "i", (int64_t)now);
		outbox_dispatch(o);
	}
	outbox_repeat_tick(o);
	outbox_stuck_tick(o);
}
