#include "guardiand/recorder/guard.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "common/json_text.h"
#include "common/log.h"
#include "guardiand/recorder/guard_clock.h"
#include "guardiand/recorder/incident.h"
#include "guardiand/recorder/respond.h"
#include "guardiand/recorder/retain.h"
#include "guardiand/recorder/risk.h"
#include "guardiand/recorder/schedule.h"

#define RULE_ERRORS_MAX 16384u
#define MEMBERS_MAX 32768u
#define ZONE_EVERY_S 3600

struct guard_rules *guard_rules_read(const struct config *config)
{
	struct guard_rules *rules;
	struct buf errors;

	buf_init(&errors, RULE_ERRORS_MAX);
	if (guard_rules_open(config->guardian.rules, &rules, &errors) != KG_OK)
		log_fatal(KG_EXIT_CONFIG, "the guardian's rules (%s) are refused:\n%s",
			  config->guardian.rules == NULL ? "built in" : config->guardian.rules, buf_text(&errors));
	buf_free(&errors);
	return rules;
}

/* The tenant's hours of work are told by the zone of its policies. */
static int32_t zone_now(void)
{
	time_t now = time(NULL);
	struct tm tm;

	return localtime_r(&now, &tm) == NULL ? 0 : (int32_t)tm.tm_gmtoff;
}

void guard_clean(char *text)
{
	size_t left = strlen(text), n;

	for (uint8_t *p = (uint8_t *)text; left > 0; p += n, left -= n) {
		n = utf8_sequence(p, left);
		if (n == 0) {
			*p = '?';
			n = 1;
		}
	}
}

/* Each leaf, in its transaction. */
static void on_leaf(void *arg, const struct leaf_event *e, uint64_t seq)
{
	struct guard *g = arg;
	struct guard_event ev;
	struct watch_hex hex;

	if (strcmp(e->kind, "guardian") == 0)
		return;
	g->events++;
	watch_event(e, seq, store_last_ts(g->store), &hex, &g->texts, &ev);
	guard_engine_feed(g->engine, &ev);
}

static void before_commit(void *arg)
{
	struct guard *g = arg;

	if (g->any_more)
		guard_record_more(g);
	risk_tell(g->risk);
}

static void after_commit(void *arg)
{
	struct guard *g = arg;

	respond_send(g->responses);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct guard *g = arg;
	uint64_t now;

	(void)fd, (void)what;
	guard_follow_clock(g);
	now = guard_now();
	respond_expire(g->responses, now);
	retain_tick(g->retain);
	if (now % ZONE_EVERY_S == 0)
		guard_engine_zone(g->engine, zone_now());
	saver_step(g->saver);
	risk_tick(g->risk);
}

static void begin_tick(struct guard *g)
{
	static const struct timeval every = {.tv_sec = 1};

	g->tick = event_new(loop_base(g->r->loop), -1, EV_PERSIST, on_tick, g);
	if (g->tick == NULL || event_add(g->tick, &every) != 0)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory");
}

void recorder_guard(struct recorder *r, const struct config *config, struct guard_rules *rules)
{
	struct guard *g = calloc(1, sizeof(*g));
	struct commit_watcher watcher = {on_leaf, before_commit, after_commit, g};

	if (g == NULL)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory");
	schedule_zone(config->policy.time_zone == NULL ? "UTC" : config->policy.time_zone);
	g->r = r;
	g->store = r->store;
	g->config = config;
	g->rules = rules;
	buf_init(&g->texts, GUARD_STORE_MAX + 4096);
	g->operators = operators_load();
	g->incidents = incidents_new(g);
	g->responses = responses_new(g);
	g->risk = risk_new(g);
	g->saver = saver_new(g);
	g->outbox = outbox_new(r, config);
	g->retain = retain_new(g);
	saver_load(g->saver);
	r->guard = g;
	commit_watch(r->commit, &watcher);
	begin_tick(g);
}

struct guard_engine *guard_engine_make(struct guard *g)
{
	struct guard_engine *e = guard_engine_new(g->rules, GUARD_KEYS, zone_now(), guard_on_finding, g);

	if (e == NULL)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory for the state of its rules");
	guard_engine_again(e, guard_on_again);
	return e;
}

void guard_stop(struct guard *g)
{
	if (g != NULL)
		saver_all(g->saver);
}

void guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	commit_unwatch(g->r->commit, g);
	g->r->guard = NULL;
	event_free(g->tick);
	retain_free(g->retain);
	outbox_free(g->outbox);
	saver_free(g->saver);
	risk_free(g->risk);
	responses_free(g->responses);
	incidents_free(g->incidents);
	operators_free(g->operators);
	guard_engine_free(g->engine);
	guard_rules_free(g->rules);
	buf_free(&g->texts);
	free(g);
}

static const uint8_t *id_of(const char *hex, uint8_t out[ID_LEN])
{
	size_t n;

	if (strlen(hex) != ID_HEX || sodium_hex2bin(out, ID_LEN, hex, ID_HEX, NULL, &n, NULL) != 0)
		return NULL;
	return out;
}

uint64_t guard_record(struct guard *g, const char *event, const struct guard_about *about, json_t *members)
{
	uint8_t session[ID_LEN], consent[ID_LEN];
	struct leaf_event e = {
		.phase = PHASE_STATE,
		.kind = "guardian",
		.event = ipc_text(event),
		.session = id_of(about->session, session),
		.consent = id_of(about->consent, consent),
		.agent = ipc_text(about->agent),
		.human = ipc_text(about->human),
		.server = ipc_text(about->server),
		.name = ipc_text(about->tool),
	};
	char *text = json_dumps(members, JSON_COMPACT);
	struct buf canonical;
	uint64_t seq;

	buf_init(&canonical, MEMBERS_MAX);
	if (text == NULL || leaf_canonical(text, strlen(text), &canonical) != KG_OK)
		log_panic("guardian: the record of %s cannot be written", event);
	e.members = ipc_mem(buf_ptr(&canonical), buf_len(&canonical));
	if (commit_leaf(g->r->commit, &e, COMMIT_URGENT, &seq) != KG_OK)
		log_panic("guardian: the record of %s is too long", event);
	buf_free(&canonical);
	free(text);
	json_decref(members);
	return seq;
}
