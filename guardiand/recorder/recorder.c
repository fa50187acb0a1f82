#include "guardiand/recorder/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "common/log.h"
#include "common/sock.h"
#include "common/version.h"
#include "guardiand/recorder/checkpoint.h"
#include "guardiand/recorder/guard.h"
#include "guardiand/recorder/risk.h"

#define ACCEPT_BATCH 16
#define REMEMBER_LEAVES 2048u

/* What a connection of each peer role may be: how many, from which state on, by which table. */
static const struct served_role {
	enum ipc_role role;
	enum ipc_role senders; /* an upstream's parent names the connection before it hands it over */
	enum ipc_state state;
	unsigned max;
	const struct ipc_handlers *handlers;
} served_roles[] = {
	{IPC_ROLE_BROKER, IPC_ROLE_BROKER, IPC_ST_READY, BROKERS_MAX, &broker_handlers},
	{IPC_ROLE_UPSTREAM, IPC_ROLE_UPSTREAM | IPC_ROLE_PARENT, IPC_ST_NEW, UPSTREAMS_MAX, &upstream_handlers},
	{IPC_ROLE_ADMIN, IPC_ROLE_ADMIN, IPC_ST_READY, ADMINS_MAX, &admin_handlers},
};

/* What a leaf on record tells of a call; its end is known by now or never. */
static int remember(const struct store_leaf *leaf, void *arg)
{
	struct recorder *r = arg;
	struct recorded_call call = {.seq = leaf->seq, .outcome = leaf->outcome};

	call.self = leaf_is(leaf->leaf, leaf->len, "kind", "self");
	if (!leaf_is(leaf->leaf, leaf->len, "phase", "intent") ||
	    leaf_bytes(leaf->leaf, leaf->len, "txn", call.txn, ID_LEN) != KG_OK)
		return KG_OK;
	call.allowed = leaf_is(leaf->leaf, leaf->len, "decision", "allow");
	return calls_find(r->calls, call.txn) != NULL ? KG_OK : calls_add(r->calls, &call);
}

void recorder_init(struct recorder *r, struct loop *l, struct store *s)
{
	uint64_t size = store_size(s);

	*r = (struct recorder){.loop = l, .store = s, .started_ns = loop_now_ns()};
	LIST_INIT(&r->peers);
	r->calls = calls_new();
	r->commit = commit_new(l, s);
	r->checkpointer = checkpointer_new(r);
	if (store_leaves(s, size > REMEMBER_LEAVES ? size - REMEMBER_LEAVES : 0, REMEMBER_LEAVES, remember, r) != KG_OK)
		log_fatal(KG_EXIT_STORE, "audit.db: the last records cannot be read: %s", store_error(s));
}

static void peer_free(struct peer *p)
{
	struct recorder *r = p->recorder;

	commit_forget(r->commit, p->conn);
	if (r->guard != NULL)
		outbox_test_forget(r->guard->outbox, p->conn);
	calls_orphan(r->calls, p);
	LIST_REMOVE(p, link);
	r->npeers[p->role]--;
	sodium_memzero(p, sizeof(*p));
	free(p);
}

void peer_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct peer *p = arg;

	(void)c;
	if (reason != NULL && p->role != IPC_ROLE_ADMIN)
		violation_record(p->recorder, p->server, "protocol", reason, NULL);
	peer_free(p);
}

static uid_t peer_uid(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 ? cred.uid : (uid_t)-1;
}

void recorder_serve(struct recorder *r, enum ipc_role role, int fd)
{
	const struct served_role *s = NULL;
	struct peer *p;

	for (size_t i = 0; i < sizeof(served_roles) / sizeof(served_roles[0]); i++)
		if (served_roles[i].role == role)
			s = &served_roles[i];
	if (s == NULL || r->npeers[role] >= s->max) {
		log_warn("connection of a %s refused: %u are open: is a process left over?", ipc_role_name(role),
			 s == NULL ? 0 : r->npeers[role]);
		close(fd);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		log_fatal(KG_EXIT_FAILURE, "connection: out of memory");
	p->recorder = r;
	p->role = role;
	p->uid = peer_uid(fd);
	p->conn = ipc_open(r->loop, fd, IPC_ROLE_RECORDER, s->senders, s->state, s->handlers, p);
	LIST_INSERT_HEAD(&r->peers, p, link);
	r->npeers[role]++;
	if (role == IPC_ROLE_BROKER && r->guard != NULL)
		risk_greet(r->guard->risk, p->conn);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)what;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int conn = sock_accept(fd, l->uid);

		if (conn >= 0) {
			recorder_serve(l->recorder, l->role, conn);
			continue;
		}
		if (conn != KG_E_DENIED)
			return;
		log_warn(
			"connection for a %s refused: it comes from a user that is not set for it in the configuration",
			ipc_role_name(l->role));
	}
}

void recorder_listen(struct recorder *r, enum ipc_role role, int fd, uid_t uid)
{
	struct listener *l = &r->listener[r->nlisteners];

	if (r->nlisteners == LISTENERS)
		log_fatal(KG_EXIT_PROTO, "start: more than %d listening sockets", LISTENERS);
	*l = (struct listener){.recorder = r, .role = role, .fd = fd, .uid = uid};
	l->event = event_new(loop_base(r->loop), fd, EV_READ | EV_PERSIST, on_accept, l);
	if (l->event == NULL || event_add(l->event, NULL) != 0)
		log_fatal(KG_EXIT_FAILURE, "listening socket: the loop refused it");
	r->nlisteners++;
}

const struct peer *recorder_upstream(const struct recorder *r, const char *server)
{
	const struct peer *p;

	LIST_FOREACH(p, &r->peers, link)
	if (p->role == IPC_ROLE_UPSTREAM && server[0] != '\0' && strcmp(p->server, server) == 0)
		return p;
	return NULL;
}

uint64_t recorder_note(struct recorder *r, const char *event)
{
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "recorder", .event = ipc_text(event)};
	uint64_t seq;
	int err;

	e.members = ipc_text("{\"version\":\"" KEEPGATE_VERSION "\"}");
	err = commit_leaf(r->commit, &e, COMMIT_URGENT, &seq);
	if (err != KG_OK)
		log_panic("record of the recorder's %s: %s", event, kg_strerror(err));
	return seq;
}

static void stop_serving(struct recorder *r)
{
	struct peer *p;

	for (unsigned i = 0; i < r->nlisteners; i++) {
		event_free(r->listener[i].event);
		close(r->listener[i].fd);
	}
	r->nlisteners = 0;
	while ((p = LIST_FIRST(&r->peers)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): a peer that is freed leaves the list */
		ipc_close(p->conn);
		peer_free(p);
	}
}

static void on_stop_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	loop_stop(arg);
}

void recorder_stop(struct recorder *r, unsigned wait_ms)
{
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};

	recorder_note(r, "stop");
	guard_stop(r->guard);
	commit_now(r->commit);
	stop_serving(r);
	r->want_vault = NULL;
	checkpoint_ask(r->checkpointer);
	r->stopping = true;
	if (checkpoint_waits(r->checkpointer) &&
	    event_base_once(loop_base(r->loop), -1, EV_TIMEOUT, on_stop_over, r->loop, &wait) == 0)
		loop_run(r->loop);
	if (store_mark(r->store) != KG_OK)
		commit_fatal(r->store);
	commit_now(r->commit);
}

void recorder_free(struct recorder *r)
{
	stop_serving(r);
	ipc_close(r->vault);
	r->vault = NULL;
	checkpointer_free(r->checkpointer);
	guard_free(r->guard);
	commit_free(r->commit);
	calls_free(r->calls);
}
