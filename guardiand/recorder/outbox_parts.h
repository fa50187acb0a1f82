/* Inside the outbox: its rows, its channels, and what its files do for each other. */
#ifndef RECORDER_OUTBOX_PARTS_H
#define RECORDER_OUTBOX_PARTS_H

#include <stdbool.h>

#include "common/ipc.h"
#include "guardiand/recorder/outbox.h"
#include "guardiand/recorder/outbox_sql.h"
#include "guardiand/recorder/routes.h"
#include "guardiand/recorder/schedule.h"

#define OUTBOX_ROWS_MAX 100000u
#define OUTBOX_KEEP_US (90 * DAY_US)      /* what is over is kept so long */
#define OUTBOX_SECOND_US (30 * SECOND_US) /* a critical page without success for so long goes to a second channel */
#define OUTBOX_ANSWER_US (2 * MINUTE_US)  /* a pager that has not answered in this time is asked again */
#define OUTBOX_STUCK_US (5 * MINUTE_US)   /* a page of high severity or more goes to another channel after so long */
#define OUTBOX_SILENT_US (10 * MINUTE_US) /* heartbeats stop when one that is stuck has reached nobody for so long */
#define OUTBOX_REPEAT_US (2 * MINUTE_US)  /* what a channel would forget is told again so often */
#define OUTBOX_RETRY_US (30 * SECOND_US)  /* doubled with each attempt */
#define OUTBOX_RETRY_MAX_US (10 * MINUTE_US)
#define OUTBOX_RETRY_AFTER_MAX_S 3600u /* no provider may silence us for longer */
#define OUTBOX_DISPATCH_MAX 256        /* pages handed over at once */

#define DEDUP_MAX 255
#define TITLE_MAX 256
#define TEXT_MAX 8192
#define DETAILS_MAX 16384
#define DETAIL_MAX 512

enum row_state { ROW_NEW = 1, ROW_SENT, ROW_DONE, ROW_DEAD };

/* page.kind beyond enum outbox_kind: several pages in one. */
#define PAGE_COLLAPSED 100

struct channel {
	const struct config_channel *config;
	const struct channel_traits *traits;
	double tokens; /* of its bucket: how many pages may go now */
	uint64_t filled;
	uint64_t hold;  /* Retry-After: nothing before */
	unsigned spent; /* tokens so far */
	uint64_t last_ok, last_failed;
	char last_error[DETAIL_MAX + 1]; /* "" since the last success */
	uint64_t beat;                   /* heartbeats: when the last one left */
};

struct outbox {
	struct recorder *r;
	const struct config *config;
	const struct config_guardian *guardian;
	uint64_t (*wall)(void); /* microseconds since 1970 */
	uint64_t started, ticked;
	sqlite3_stmt *sql[OUTBOX_SQL_COUNT];
	struct channel *channel;
	size_t nchannels;
	uint64_t rows, rows_max;
	bool dirty;    /* something may be sent */
	uint64_t wake; /* nothing is due before */
	uint64_t swept;
	int64_t urgent; /* rows up to here were looked at: outbox_stuck.c */
	struct ipc_conn *pager;
	void (*want)(void *arg); /* the connection to the pager is lost */
	void *want_arg;
	struct test_waiters *waiters; /* operators that wait for a test page's result */
	struct event *timer;
	int64_t out[OUTBOX_DISPATCH_MAX]; /* marked as sent, to be handed over when that is durable */
	size_t nout;
};

/* What is to be said, once; and a row for each time that it is said to a channel. */
struct page_row {
	int kind; /* enum outbox_kind, PAGE_COLLAPSED */
	uint8_t severity;
	const char *incident, *title, *text, *details, *by; /* NULL: empty */
	uint64_t ts_us;
	bool weekly, reported;
};
struct new_row {
	int64_t page;
	const char *channel, *dedup, *incident, *note;
	uint8_t action, severity;
	unsigned step;
	uint64_t next_at;
	int64_t backs; /* the row that it stands in for, 0 */
};
/* A row as it is read back. */
struct outbox_row {
	int64_t id, page, into, attempts, step;
	char channel[SERVER_NAME_LEN + 1], dedup[DEDUP_MAX + 1], incident[INCIDENT_ID_MAX + 1];
	uint8_t action, severity;
	enum row_state state;
	bool delivered;
	uint64_t made;
};

/* outbox_rows.c */
int64_t page_insert(struct outbox *o, const struct page_row *p);
int64_t row_insert(struct outbox *o, const struct new_row *n);
bool row_load(struct outbox *o, int64_t id, struct outbox_row *out);
void row_end(struct outbox *o, int64_t id, enum row_state state, bool delivered, uint32_t status, const char *detail);
/* At most max bytes of a text (NULL: empty) in out, cut between characters; what is no UTF-8 becomes '?'. */
const char *outbox_clip(const char *text, char *out, size_t max);
/* "keepgate:ORIGIN:NAME" */
void outbox_key(const struct outbox *o, const char *name, char out[DEDUP_MAX + 1]);
/* Row of a channel; NULL when the configuration has none of that name. */
struct channel *outbox_channel(struct outbox *o, const char *name);
/* How many rows the last statement changed. */
unsigned outbox_changes(struct outbox *o);

/* outbox_plan.c: rows by the routes, for a trigger; how many. */
unsigned outbox_plan(struct outbox *o, const struct outbox_page *p, int64_t page);
/* When a page of a severity may go to people: not in the quiet hours, unless it is of high severity or more. */
uint64_t outbox_due(const struct outbox *o, uint8_t severity, uint64_t at_us);

/* outbox_close.c */
void outbox_close(struct outbox *o, const struct outbox_page *p, int64_t page);

/* outbox_collapse.c: what waits for a channel until a moment becomes one page; its row, 0 when nothing does. */
int64_t outbox_collapse(struct outbox *o, struct channel *ch, uint8_t action, uint64_t until);

/* outbox_room.c: false when there is no room for so many rows more, even after collapsing. */
bool outbox_room(struct outbox *o, unsigned rows);
void outbox_sweep(struct outbox *o);

/* outbox_send.c */
void outbox_dispatch(struct outbox *o);
void outbox_fill(struct outbox *o, struct channel *ch);
/* How much of its provider's rate a channel has for what is no page: half of what may go at once stays for pages. */
unsigned outbox_spare(struct outbox *o, struct channel *ch);
/* A row in this state leaves for the pager, which answers under the number id. */
void outbox_hand_over(struct outbox *o, int64_t row, enum row_state state, uint64_t id);

/* outbox_paged.c */
void outbox_paged(struct outbox *o, const struct ipc_paged *m);
/* How a channel fares now. */
void outbox_note_channel(struct outbox *o, const char *name, const struct ipc_paged *m, const char *detail);
/* A failure for good: on record, and paged through another channel. */
void outbox_dead(struct outbox *o, const struct outbox_row *row, uint32_t status, const char *detail);
/*
 * Through which other channel of its page a row's page goes at once: one that a later step names, or one that none
 * does. False when there is none. backs: the row that the new one stands in for as long as it was not tried, 0.
 */
bool outbox_through_another(struct outbox *o, const struct outbox_row *row, int64_t backs, const char *note);
/* A leaf about a row. */
void outbox_row_record(struct outbox *o, const char *event, const struct outbox_row *row, uint32_t status,
		       const char *detail);
/* All rows that the pager had: its connection is gone. */
void outbox_unsend(struct outbox *o);

/*
 * outbox_repeat.c: alerts that a channel's provider has taken, and would forget (traits: repeats), are told again until
 * they are resolved. That is no page: it leaves no record, and its failure only shows at the channel.
 */
/* A row was delivered. */
void outbox_repeat(struct outbox *o, const struct outbox_row *row);
/* A key is resolved. What is under way still holds its resolution up until it is answered. */
void outbox_repeat_end(struct outbox *o, const char *dedup);
/* Sends what is due, behind the pages. With a pager. */
void outbox_repeat_tick(struct outbox *o);
/* Takes the pager's word; false when it is of something else. */
bool outbox_repeated(struct outbox *o, const struct ipc_paged *m, const char *detail);
/* The pager has (re)started: all at once, but what it had in hand; none within a minute, which OUTBOX_CHANNEL_SENT
 * counts once. */
void outbox_repeat_now(struct outbox *o);
/* The clock was set: nothing waits for longer than it would have. */
void outbox_repeat_times(struct outbox *o);

/* outbox_stuck.c: pages of high severity and more that a channel keeps not taking go to another one. With a pager:
 * without one no channel is at fault. */
void outbox_stuck_tick(struct outbox *o);
/* How many are stuck now; and whether one of them has reached nobody for so long that on-call must hear of it by the
 * silence of the heartbeat. */
unsigned outbox_stuck(struct outbox *o);
bool outbox_is_silent(struct outbox *o);

/* outbox_record.c: a leaf of kind "guardian"; takes the members. Gives its number. */
uint64_t outbox_record(struct outbox *o, const char *event, json_t *members);

/* outbox.c */
/* outbox_new() with a clock of its own: microseconds since 1970. */
struct outbox *outbox_open(struct recorder *r, const struct config *config, uint64_t (*wall)(void));
/* What is due now: once a second. */
void outbox_tick(struct outbox *o);

#endif
