#include "gatewayd/upstream/session.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/upstream/handshake.h"
#include "gatewayd/upstream/spawn.h"
#include "gatewayd/upstream/upstream.h"

#define RETRY_FIRST_MS 1000u
#define RETRY_MAX_MS 60000u
#define RELIST_MS 1000u         /* changes that come together are listed together */
#define RELIST_EVERY_MS 600000u /* also without a word from the server: a definition may change in silence */
#define RELIST_AGAIN_MS 5000u   /* when the vault or the recorder is away, or another act is open */

static void connect_now(struct upstream *u);

static void timer_set(struct event *e, uint32_t ms)
{
	struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};

	event_add(e, &tv);
}

static void act_over(struct upstream *u, enum outcome_kind outcome, const char *reason_code)
{
	credentials_free(u->session.creds);
	u->session.creds = NULL;
	act_end(u, outcome, reason_code);
}

static void stop_work(struct upstream *u)
{
	rpc_free(u->session.rpc);
	u->session.rpc = NULL;
	tools_list_stop(u);
}

static void down(struct upstream *u, enum outcome_kind outcome, const char *why)
{
	struct session *s = &u->session;
	bool news = strcmp(s->why, why) != 0;

	stop_work(u);
	watch_stop(u);
	act_over(u, outcome, "connect");
	snprintf(s->why, sizeof(s->why), "%s", why);
	s->phase = PHASE_DOWN;
	s->version[0] = s->id[0] = '\0';
	if (news)
		log_warn("server %s: not connected: %s: tried again until it answers", u->server->name, s->why);
	links_down(u, s->why);
	calls_session_down(u, s->why);
	if (!u->server->is_http) {
		/* A child that cannot be talked to is started anew by the parent, with growing delay. */
		u->exit_status = KG_EXIT_CHILD;
		loop_stop(u->role->loop);
		return;
	}
	s->delay_ms = s->delay_ms == 0 ? RETRY_FIRST_MS : s->delay_ms * 2;
	s->delay_ms = s->delay_ms > RETRY_MAX_MS ? RETRY_MAX_MS : s->delay_ms;
	timer_set(s->retry, s->delay_ms);
}

static void down_by(struct upstream *u, const struct rpc_end *e)
{
	static const enum outcome_kind outcomes[] = {[RPC_ERROR] = OUTCOME_RPC_ERROR,
						     [RPC_HTTP] = OUTCOME_RPC_ERROR,
						     [RPC_UNSENT] = OUTCOME_UNSENT,
						     [RPC_LOST] = OUTCOME_LOST,
						     [RPC_TIMEOUT] = OUTCOME_TIMEOUT};

	u->session.is_legacy = false;
	down(u, outcomes[e->how], e->why);
}

/* The list is in, by a handshake or again. */
static void listed(struct upstream *u, const struct rpc_end *failed)
{
	struct session *s = &u->session;
	bool first = s->phase == PHASE_CONNECT;

	if (failed) {
		down_by(u, failed);
		return;
	}
	s->phase = PHASE_READY;
	s->delay_ms = 0;
	s->why[0] = '\0';
	if (first)
		log_note("server %s: connected: MCP %s, %zu tools", u->server->name, s->version, u->tools.now.n);
	stdio_settled(u);
	watch_start(u, s->creds);
	act_over(u, OUTCOME_OK, "");
	calls_session_ready(u);
	timer_set(s->relist, s->relist_wanted ? RELIST_MS : RELIST_EVERY_MS);
}

static void list_now(struct upstream *u)
{
	u->session.relist_wanted = false;
	if (u->session.has_tools) {
		tools_list(u, u->session.creds, listed);
		return;
	}
	tools_none(u);
	listed(u, NULL);
}

static void shaken(struct upstream *u, const struct rpc_end *failed)
{
	if (failed) {
		down_by(u, failed);
		return;
	}
	u->session.is_legacy = u->session.era == ERA_LEGACY;
	list_now(u);
}

static void on_connect_granted(struct upstream *u, struct credential_set *creds, const char *why)
{
	u->session.creds = creds;
	if (creds)
		handshake_begin(u, shaken);
	else
		down(u, OUTCOME_UNSENT, why);
}

static void connect_now(struct upstream *u)
{
	struct session *s = &u->session;
	int err;

	stop_work(u);
	watch_stop(u);
	act_over(u, OUTCOME_UNSENT, "begun-anew");
	s->phase = PHASE_CONNECT;
	s->epoch++;
	err = act_begin(u, SELF_CONNECT, on_connect_granted);
	if (err == KG_E_UNAVAILABLE) {
		s->phase = PHASE_WAIT;
		calls_session_down(u, "waiting for the vault and the audit recorder");
	}
	if (err != 0 && err != KG_E_UNAVAILABLE)
		down(u, OUTCOME_UNSENT, kg_strerror(err));
}

static void on_relist_granted(struct upstream *u, struct credential_set *creds, const char *why)
{
	u->session.creds = creds;
	if (creds) {
		list_now(u);
		return;
	}
	log_warn("server %s: its tools could not be listed again: %s", u->server->name, why);
	calls_session_down(u, why);
	timer_set(u->session.relist, RELIST_AGAIN_MS);
}

static void on_relist(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;

	(void)fd, (void)what;
	if (u->session.phase != PHASE_READY || act_begin(u, SELF_CONNECT, on_relist_granted) == 0)
		return;
	if (!u->session.relist_wanted) {
		timer_set(u->session.relist, RELIST_EVERY_MS);
		return;
	}
	calls_session_down(u, "its tools cannot be listed again now");
	timer_set(u->session.relist, RELIST_AGAIN_MS);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;

	(void)fd, (void)what;
	if (u->session.phase == PHASE_DOWN)
		connect_now(u);
}

void session_begin(struct upstream *u)
{
	struct session *s = &u->session;
	struct event_base *base = loop_base(u->role->loop);

	s->retry = evtimer_new(base, on_retry, u);
	s->relist = evtimer_new(base, on_relist, u);
	if (!s->retry || !s->relist)
		log_fatal(KG_EXIT_FAILURE, "event loop: out of memory");
	session_keys_changed(u);
}

void session_keys_changed(struct upstream *u)
{
	if (!u->session.retry)
		spawn_keys_changed(u); /* before the lock: the child has to be started first */
	else if (u->session.phase == PHASE_WAIT && links_keyed(u))
		connect_now(u);
}

void session_lost(struct upstream *u, uint64_t epoch)
{
	if (u->session.phase == PHASE_READY && epoch == u->session.epoch)
		connect_now(u);
}

void session_outdated(struct upstream *u, uint64_t epoch)
{
	if (epoch == u->session.epoch)
		u->session.is_legacy = false;
	session_lost(u, epoch);
}

void session_unreachable(struct upstream *u, const char *why)
{
	if (u->session.phase == PHASE_READY)
		down(u, OUTCOME_UNSENT, why);
}

void session_list_changed(struct upstream *u)
{
	struct session *s = &u->session;

	if (s->phase == PHASE_READY && !s->relist_wanted)
		timer_set(s->relist, RELIST_MS);
	s->relist_wanted = true;
}
