#include "gatewayd/broker/broker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/broker/call.h"
#include "gatewayd/broker/gate.h"
#include "gatewayd/broker/inspections.h"
#include "gatewayd/broker/peers.h"

#define EXPIRY_LOOK_S 60 /* the clock may be set: look at least so often */

uint64_t broker_unix_now(void)
{
	return (uint64_t)time(NULL);
}

static void on_session_ended(struct session *s, enum session_end why, void *arg)
{
	struct broker *b = arg;
	const struct gate_refusal *g = gate_ended(why);
	char text[CALL_TEXT_MAX];
	struct call_stop stop = {g->http, g->code, g->reason_code, text};

	gate_text(g, s, text, sizeof(text));
	calls_session_ended(b, s, &stop);
	/* A paused client goes on where it was when it is resumed. */
	if (why != SESSION_END_PAUSED)
		mcp_sessions_drop(b->mcp, s);
}

void broker_watch_expiry(struct broker *b)
{
	uint64_t next = sessions_next_expiry(b->sessions), now = broker_unix_now();
	struct timeval wait = {EXPIRY_LOOK_S, 0};

	if (next == UINT64_MAX) {
		(void)event_del(b->expiry);
		return;
	}
	if (next < now + EXPIRY_LOOK_S)
		wait.tv_sec = next > now ? (time_t)(next - now) : 0;
	(void)event_add(b->expiry, &wait);
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;

	(void)fd, (void)what;
	sessions_expire(b->sessions, broker_unix_now());
	broker_watch_expiry(b);
}

static void make_peers(struct broker *b)
{
	b->vault = (struct peer){b, IPC_ROLE_VAULT, 0, NULL};
	b->recorder = (struct peer){b, IPC_ROLE_RECORDER, 0, NULL};
	b->pdp = (struct peer){b, IPC_ROLE_PDP, 0, NULL};
	b->authzen = (struct peer){b, IPC_ROLE_AUTHZEN, 0, NULL};
	b->opal = (struct peer){b, IPC_ROLE_OPAL, 0, NULL};
	b->nfronts = b->config->fronts;
	b->front = calloc(b->nfronts + 1, sizeof(*b->front));
	b->upstream = calloc(b->config->nservers + 1, sizeof(*b->upstream));
	if (b->front == NULL || b->upstream == NULL)
		log_fatal(KG_EXIT_FAILURE, "broker: out of memory");
	for (uint32_t i = 0; i < b->nfronts; i++)
		b->front[i] = (struct peer){b, IPC_ROLE_FRONT, i, NULL};
	for (uint32_t i = 0; i < b->config->nservers; i++) {
		b->upstream[i].peer = (struct peer){b, IPC_ROLE_UPSTREAM, i, NULL};
		b->upstream[i].config = &b->config->servers[i];
		TAILQ_INIT(&b->upstream[i].calls);
	}
}

struct broker *broker_new(struct loop *loop, const struct config *config,
			  void (*want_peer)(enum ipc_role peer, uint32_t index, void *arg), void *want_arg)
{
	struct broker *b = calloc(1, sizeof(*b));

	if (b == NULL)
		log_fatal(KG_EXIT_FAILURE, "broker: out of memory");
	b->loop = loop;
	b->config = config;
	b->want_peer = want_peer;
	b->want_arg = want_arg;
	make_peers(b);
	b->sessions = sessions_new(on_session_ended, b);
	b->mcp = mcp_sessions_new();
	b->catalogue = catalogue_new(config);
	b->pins = pins_new();
	b->events = events_new();
	b->policies = policies_new(b);
	b->admins = admins_new();
	b->approvals = approvals_new();
	b->held = held_new();
	b->risks = risks_new();
	b->lists = lists_new();
	b->calls = call_pool_new();
	b->denials = denials_new();
	b->authz = authz_new(b);
	b->feed = feed_new(b);
	b->inspections = inspections_new(config);
	b->expiry = evtimer_new(loop_base(loop), on_expiry, b);
	b->tick = evtimer_new(loop_base(loop), deadline_on_tick, b);
	if (b->expiry == NULL || b->tick == NULL)
		log_fatal(KG_EXIT_FAILURE, "broker: out of memory");
	json_init(&b->args);
	json_init(&b->meta);
	buf_init(&b->facts, DECISION_FACTS_MAX + DECISION_WORD_MAX);
	return b;
}

void broker_free(struct broker *b)
{
	peer_close(&b->vault);
	peer_close(&b->recorder);
	peer_close(&b->pdp);
	peer_close(&b->authzen);
	peer_close(&b->opal);
	for (size_t i = 0; i < b->nfronts; i++)
		peer_close(&b->front[i]);
	for (size_t i = 0; i < b->config->nservers; i++)
		peer_close(&b->upstream[i].peer);
	admins_free(b->admins);
	event_free(b->expiry);
	event_free(b->tick);
	mcp_sessions_free(b->mcp);
	call_pool_free(b->calls);
	held_free(b->held);
	risks_free(b->risks);
	lists_free(b->lists);
	approvals_free(b->approvals);
	sessions_free(b->sessions);
	catalogue_free(b->catalogue);
	feed_free(b->feed);
	policies_free(b->policies);
	pins_free(b->pins);
	events_free(b->events);
	denials_free(b->denials);
	authz_free(b->authz);
	inspections_free(b->inspections);
	json_free(&b->args);
	json_free(&b->meta);
	buf_free(&b->facts);
	free(b->front);
	free(b->upstream);
	free(b);
}

/* The place of a peer; NULL for one that the configuration does not know. */
static struct peer *place_of(struct broker *b, enum ipc_role role, uint32_t index, const char *name)
{
	if (role == IPC_ROLE_VAULT && index == 0)
		return &b->vault;
	if (role == IPC_ROLE_RECORDER && index == 0)
		return &b->recorder;
	if (role == IPC_ROLE_AUTHZEN && index == 0)
		return &b->authzen;
	if (role == IPC_ROLE_OPAL && index == 0 && b->config->policy.opal.port != 0)
		return &b->opal;
	if (role == IPC_ROLE_PDP && index == 0 && b->config->policy.external.kind != PDP_NONE)
		return &b->pdp;
	if (role == IPC_ROLE_FRONT && index < b->nfronts)
		return &b->front[index];
	if (role == IPC_ROLE_UPSTREAM && index < b->config->nservers &&
	    strcmp(b->config->servers[index].name, name) == 0)
		return &b->upstream[index].peer;
	return NULL;
}

void broker_peer(struct broker *b, enum ipc_role role, uint32_t index, const char *name, int fd)
{
	struct peer *p;

	if (role == IPC_ROLE_ADMIN) {
		admin_open(b, fd);
		return;
	}
	p = place_of(b, role, index, name);
	if (p == NULL) {
		log_warn("connection to %s %u (%s): not in the configuration, closed", ipc_role_name(role), index,
			 name);
		close(fd);
		return;
	}
	peer_open(p, fd);
}
