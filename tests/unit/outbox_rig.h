/* An outbox over a real audit.db, with a clock that the test moves, and the test itself as the pager. */
#ifndef TESTS_OUTBOX_RIG_H
#define TESTS_OUTBOX_RIG_H

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/sock.h"
#include "guardiand/recorder/outbox_parts.h"
#include "tests/unit/unit.h"

#define RIG_SEEN_MAX 20000
#define RIG_CHANNELS 6

/* A page as it came to the pager. */
struct seen {
	uint64_t at, id;
	char channel[32], dedup[256], incident[32], title[300];
	uint8_t action, severity;
	char *text; /* owned */
};

/* What the pager answers; result 0: nothing. */
struct verdict {
	uint8_t result;
	uint32_t status, retry_after_s;
	const char *detail;
};

static char rig_dir[64];
static uint64_t rig_now;
static struct loop *rig_loop;
static struct store *rig_store;
static struct recorder rig_rec;
static struct outbox *rig_outbox;
static int rig_pager = -1;
static struct buf rig_in;
static struct seen rig_seen[RIG_SEEN_MAX];
static size_t rig_nseen;
static struct verdict (*rig_answer)(const struct seen *p);
static unsigned rig_wanted;

static struct config_channel rig_channel[RIG_CHANNELS];
static struct config_route rig_route[3];
static struct config_escalation rig_steps[3][3];
static struct config rig_config;

static inline uint64_t rig_wall(void)
{
	return rig_now;
}

static inline struct verdict rig_ok(const struct seen *p)
{
	(void)p;
	return (struct verdict){PAGED_OK, 202, 0, ""};
}

static inline struct verdict rig_network_dead(const struct seen *p)
{
	(void)p;
	return (struct verdict){PAGED_RETRY, 0, 0, "connection refused"};
}

static inline struct verdict rig_silent(const struct seen *p)
{
	(void)p;
	return (struct verdict){0};
}

/* Moments of the week that begins on Monday, 23 November 2026. */
static inline uint64_t rig_monday(unsigned hour, unsigned min)
{
	struct tm tm = {.tm_year = 126, .tm_mon = 10, .tm_mday = 23};

	return (uint64_t)timegm(&tm) * SECOND_US + hour * HOUR_US + min * MINUTE_US;
}

static inline void rig_add_channel(const char *name, uint8_t kind, uint32_t per_minute)
{
	struct config_guardian *g = &rig_config.guardian;

	rig_channel[g->nchannels++] = (struct config_channel){.name = name, .kind = kind, .per_minute = per_minute};
}

/* A route with one channel at each step. */
static inline void rig_add_route(uint8_t severity, const char **one, uint32_t after, const char **two)
{
	struct config_guardian *g = &rig_config.guardian;
	struct config_escalation *step = rig_steps[g->nroutes];
	size_t n = 0;

	step[0] = (struct config_escalation){.channels = one};
	while (one[n] != NULL)
		n++;
	step[0].nchannels = n;
	for (n = 0; two != NULL && two[n] != NULL;)
		n++;
	step[1] = (struct config_escalation){.after_s = after, .channels = two, .nchannels = n};
	rig_route[g->nroutes++] =
		(struct config_route){.severity = severity, .steps = step, .nsteps = two == NULL ? 1 : 2, .days = 0x7f};
}

static inline void rig_configure(void)
{
	memset(&rig_config, 0, sizeof(rig_config));
	rig_config.origin = "keepgate.test";
	rig_config.policy.time_zone = "UTC";
	rig_config.guardian.channels = rig_channel;
	rig_config.guardian.routes = rig_route;
	schedule_zone("UTC");
}

static inline void rig_want(void *arg)
{
	(void)arg;
	rig_wanted++;
}

static inline void rig_connect(void)
{
	int fd[2];

	CHECK(sock_pair(fd) == KG_OK);
	if (rig_pager >= 0)
		close(rig_pager);
	rig_pager = fd[1];
	outbox_pager(rig_outbox, fd[0]);
}

static inline void rig_open(void)
{
	char error[STORE_ERROR_MAX];

	rig_loop = loop_new();
	if (store_open(rig_dir, &rig_store, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		abort();
	}
	recorder_init(&rig_rec, rig_loop, rig_store);
	rig_outbox = outbox_open(&rig_rec, &rig_config, rig_wall);
	outbox_want(rig_outbox, rig_want, NULL);
	commit_now(rig_rec.commit);
}

static inline void rig_close(void)
{
	outbox_free(rig_outbox);
	recorder_free(&rig_rec);
	store_close(rig_store);
	loop_free(rig_loop);
}

static inline void rig_forget(void)
{
	for (size_t i = 0; i < rig_nseen; i++)
		free(rig_seen[i].text);
	rig_nseen = 0;
}

/* With the configuration that was made. */
static inline void rig_begin(void)
{
	snprintf(rig_dir, sizeof(rig_dir), "%s/recorder-outbox-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(rig_dir) != NULL);
	rig_now = rig_monday(12, 0);
	rig_answer = rig_ok;
	rig_wanted = 0;
	buf_init(&rig_in, IPC_FRAME_MAX);
	rig_forget();
	rig_open();
	rig_connect();
}

static inline void rig_remove(void)
{
	static const char *const names[] = {"audit.db", "audit.db-wal"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", rig_dir, names[i]);
		unlink(path);
	}
	rmdir(rig_dir);
	buf_free(&rig_in);
	close(rig_pager);
	rig_pager = -1;
	rig_forget();
}

static inline void rig_end(void)
{
	rig_close();
	rig_remove();
}

/* The recorder ends (what it has not committed is lost) and comes again. */
static inline void rig_restart(void)
{
	commit_now(rig_rec.commit);
	rig_close();
	rig_open();
	rig_connect();
}

static inline void rig_on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	loop_stop(arg);
}

static inline void rig_turn(void)
{
	struct timeval now = {0};

	event_base_once(loop_base(rig_loop), -1, EV_TIMEOUT, rig_on_turn, rig_loop, &now);
	loop_run(rig_loop);
}

static inline void rig_say(uint64_t page, struct verdict v)
{
	struct ipc_paged m = {.page = page,
			      .result = v.result,
			      .status = v.status,
			      .retry_after_s = v.retry_after_s,
			      .detail = ipc_text(v.detail)};

	CHECK(ipc_write_blocking(rig_pager, IPC_PAGED, &m, -1) == KG_OK);
}

/* What a provider gets must be whole: its key, its channel, text that is UTF-8 of our limits. */
static inline void rig_take(const struct ipc_page *m)
{
	struct seen *p = &rig_seen[rig_nseen++];

	if (rig_nseen == RIG_SEEN_MAX)
		abort();
	*p = (struct seen){.at = rig_now, .id = m->page, .action = m->action, .severity = m->severity};
	CHECK(ipc_copy(m->channel, p->channel, sizeof(p->channel)) == KG_OK);
	CHECK(ipc_copy(m->dedup, p->dedup, sizeof(p->dedup)) == KG_OK && p->dedup[0] != '\0');
	CHECK(ipc_copy(m->incident, p->incident, sizeof(p->incident)) == KG_OK);
	CHECK(ipc_copy(m->title, p->title, sizeof(p->title)) == KG_OK && p->title[0] != '\0');
	p->text = calloc(1, m->text.n + 1);
	CHECK(p->text != NULL && ipc_copy(m->text, p->text, m->text.n + 1) == KG_OK);
}

/* One message of the recorder, when one is there. */
static inline bool rig_hear(void)
{
	struct pollfd p = {.fd = rig_pager, .events = POLLIN};
	enum ipc_type type;
	union ipc_any m;
	int fd;

	if (poll(&p, 1, 0) <= 0 || ipc_read_blocking(rig_pager, 1000, &rig_in, &type, &m, &fd) != KG_OK)
		return false;
	CHECK(type == IPC_PAGE);
	rig_take((const void *)&m);
	return true;
}

/* Until both sides have nothing more to say. */
static inline void rig_pump(void)
{
	for (int idle = 0; idle < 2; idle++) {
		rig_turn();
		while (rig_hear()) {
			struct verdict v = rig_answer(&rig_seen[rig_nseen - 1]);

			if (v.result != 0)
				rig_say(rig_seen[rig_nseen - 1].id, v);
			idle = -1;
		}
	}
	commit_now(rig_rec.commit);
}

static inline void rig_step(uint64_t us)
{
	rig_now += us;
	outbox_tick(rig_outbox);
	rig_pump();
}

/* Time in steps of at most `step`. */
static inline void rig_pass(uint64_t us, uint64_t step)
{
	for (; us > step; us -= step)
		rig_step(step);
	rig_step(us);
}

static inline struct outbox_page rig_page(enum outbox_kind kind, const char *incident, enum guard_severity severity)
{
	return (struct outbox_page){.kind = kind,
				    .incident = incident,
				    .severity = severity,
				    .ts_us = rig_now,
				    .rule = "denial-spike",
				    .title = "Denial spike: claude-code",
				    .text = "31 of 40 calls denied in 60 s; session paused"};
}

static inline void rig_add(enum outbox_kind kind, const char *incident, enum guard_severity severity)
{
	struct outbox_page p = rig_page(kind, incident, severity);

	outbox_add(rig_outbox, &p);
}

/* The same, and what comes of it at once. */
static inline void rig_tell(enum outbox_kind kind, const char *incident, enum guard_severity severity)
{
	rig_add(kind, incident, severity);
	rig_pump();
}

/* How many such pages came; NULL: any channel, any incident; action 0: any. */
static inline size_t rig_count(const char *channel, uint8_t action, const char *incident)
{
	size_t n = 0;

	for (size_t i = 0; i < rig_nseen; i++)
		n += (channel == NULL || strcmp(rig_seen[i].channel, channel) == 0) &&
				     (action == 0 || rig_seen[i].action == action) &&
				     (incident == NULL || strcmp(rig_seen[i].incident, incident) == 0)
			     ? 1
			     : 0;
	return n;
}

static inline const struct seen *rig_last(void)
{
	static const struct seen none;

	return rig_nseen == 0 ? &none : &rig_seen[rig_nseen - 1];
}

static inline int64_t rig_waiting(void)
{
	json_t *s = outbox_status(rig_outbox);
	int64_t n = json_integer_value(json_object_get(json_object_get(s, "outbox"), "waiting"));

	json_decref(s);
	return n;
}

/* The state of a row as an operator sees it. */
static inline bool rig_shows(const char *incident, size_t i, const char *channel, const char *action, const char *state)
{
	json_t *pages = outbox_pages(rig_outbox, incident);
	const json_t *p = json_array_get(pages, i);
	bool same = p != NULL && strcmp(json_string_value(json_object_get(p, "channel")), channel) == 0 &&
		    strcmp(json_string_value(json_object_get(p, "action")), action) == 0 &&
		    strcmp(json_string_value(json_object_get(p, "state")), state) == 0;

	if (!same) {
		char *text = json_dumps(pages, 0);

		fprintf(stderr, "%s\n", text);
		free(text);
	}
	json_decref(pages);
	return same;
}

struct rig_records {
	const char *event;
	size_t n;
	char last[8192];
};

static inline int rig_record(const struct store_leaf *leaf, void *arg)
{
	struct rig_records *x = arg;

	if (!leaf_is(leaf->leaf, leaf->len, "kind", "guardian") || !leaf_is(leaf->leaf, leaf->len, "event", x->event))
		return KG_OK;
	x->n++;
	snprintf(x->last, sizeof(x->last), "%.*s", (int)leaf->len, (const char *)leaf->leaf);
	return KG_OK;
}

/* Records of an event, and the last of them. */
static inline size_t rig_recorded(const char *event, const char **last)
{
	static struct rig_records x;

	x = (struct rig_records){.event = event};
	commit_now(rig_rec.commit);
	CHECK(store_leaves(rig_store, 0, UINT32_MAX, rig_record, &x) == KG_OK);
	if (last != NULL)
		*last = x.last;
	return x.n;
}

#endif
