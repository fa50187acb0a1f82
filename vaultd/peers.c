/* The sockets and the connections on them: a socket for each kind of peer, so that each can say only its own messages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/sock.h"
#include "vaultd/acts.h"
#include "vaultd/answers.h"
#include "vaultd/approvals.h"
#include "vaultd/catalogue.h"
#include "vaultd/chores.h"
#include "vaultd/ops.h"
#include "vaultd/vault.h"

static void asker_gone(struct peer *p)
{
	acts_peer_gone(p);
	answers_peer_gone(p);
	approval_checks_peer_gone(p);
}

static void broker_gone(struct peer *p)
{
	acts_peer_gone(p);
	answers_peer_gone(p);
	approvals_peer_gone(p);
	approval_checks_peer_gone(p);
}

/* What could not be put on record before is now. */
static void recorder_opened(struct peer *p)
{
	catalogue_settle(p->vault);
	chores_want(p->vault);
}

/* A role that is restarted may come before its old connection has ended. */
static const struct peer_kind {
	const char *socket;
	enum ipc_role role;
	uint32_t speaks; /* whose rows of the message table pass */
	enum ipc_state state;
	unsigned max;
	const struct ipc_handlers *handlers;
	void (*opened)(struct peer *p);
	void (*gone)(struct peer *p);
} kinds[] = {
	{"vault-broker.sock", IPC_ROLE_BROKER, IPC_ROLE_BROKER, IPC_ST_READY, 4, &broker_handlers, broker_opened,
	 broker_gone},
	/* The parent says its first message, the name; then the role has it. */
	{"vault-upstream.sock", IPC_ROLE_UPSTREAM, IPC_ROLE_PARENT | IPC_ROLE_UPSTREAM, IPC_ST_NEW,
	 2 * CONFIG_SERVERS_MAX, &upstream_handlers, NULL, upstream_gone},
	{"vault-pager.sock", IPC_ROLE_PAGER, IPC_ROLE_PARENT | IPC_ROLE_PAGER, IPC_ST_NEW, 2 * CONFIG_CHANNELS_MAX,
	 &upstream_handlers, NULL, upstream_gone},
	{"vault-guardian.sock", IPC_ROLE_RECORDER, IPC_ROLE_RECORDER, IPC_ST_READY, 4, &recorder_handlers,
	 recorder_opened, asker_gone},
	{"vault-admin.sock", IPC_ROLE_ADMIN, IPC_ROLE_ADMIN, IPC_ST_READY, 32, &admin_handlers, NULL, asker_gone},
};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

struct listener {
	struct vault *vault;
	const struct peer_kind *kind;
	uid_t uid;
};

static const struct peer_kind *kind_find(enum ipc_role role)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (kinds[i].role == role)
			return &kinds[i];
	log_panic("no socket for a %s", ipc_role_name(role));
}

static unsigned peers_count(const struct vault *v, enum ipc_role role)
{
	unsigned n = 0;

	for (const struct peer *p = v->peers; p != NULL; p = p->next)
		n += p->role == role;
	return n;
}

static uid_t peer_uid(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return (uid_t)-1;
	return cred.uid;
}

struct peer *peer_open(struct vault *v, int fd, enum ipc_role role)
{
	const struct peer_kind *k = kind_find(role);
	struct peer *p;

	if (peers_count(v, role) == k->max) {
		log_warn("%s: %u connections are open: one more was refused", k->socket, k->max);
		close(fd);
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
	*p = (struct peer){.vault = v, .role = role, .uid = peer_uid(fd), .next = v->peers};
	v->peers = p;
	p->conn = ipc_open(v->loop, fd, IPC_ROLE_VAULT, (enum ipc_role)k->speaks, k->state, k->handlers, p);
	if (k->opened != NULL)
		k->opened(p);
	return p;
}

static void peer_forget(struct peer *p)
{
	const struct peer_kind *k = kind_find(p->role);
	struct peer **at = &p->vault->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	if (k->gone != NULL)
		k->gone(p);
	free(p);
}

void peer_close(struct peer *p)
{
	ipc_close(p->conn);
	peer_forget(p);
}

/* Whoever breaks the protocol is out, and on record. */
void peer_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct peer *p = arg;
	struct vault *v = p->vault;
	const char *role = kind_find(p->role)->socket;
	const char *server = p->upstream == NULL ? "" : p->upstream->server->name;
	bool is_recorder = p->role == IPC_ROLE_RECORDER;

	(void)c;
	peer_forget(p);
	if (reason != NULL && !is_recorder)
		act_note(v, "vault.peer-dropped",
			 json_pack("{s:s, s:s, s:s}", "socket", role, "server", server, "reason", reason));
}

struct peer *peer_find(const struct vault *v, enum ipc_role role)
{
	for (struct peer *p = v->peers; p != NULL; p = p->next)
		if (p->role == role)
			return p;
	return NULL;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	int conn = sock_accept(fd, l->uid);

	(void)what;
	if (conn >= 0)
		peer_open(l->vault, conn, l->kind->role);
	else if (conn == KG_E_DENIED)
		log_warn("%s: a connection of another user was refused", l->kind->socket);
}

static void listen_one(struct vault *v, const struct peer_kind *k, const char *run_dir, uid_t uid)
{
	struct listener *l = calloc(1, sizeof(*l));
	int fd = sock_listen(run_dir, k->socket);
	struct event *ev;

	if (fd < 0)
		log_fatal(KG_EXIT_FAILURE, "%s/%s: cannot listen: %s", run_dir, k->socket,
			  fd == KG_E_EXISTS ? "another vaultd serves it: stop that first" : strerror(errno));
	ev = event_new(loop_base(v->loop), fd, EV_READ | EV_PERSIST, on_accept, l);
	if (l == NULL || ev == NULL || event_add(ev, NULL) != 0)
		log_fatal(KG_EXIT_FAILURE, "%s: out of memory", k->socket);
	*l = (struct listener){v, k, uid};
}

void vault_listen(struct vault *v, const char *run_dir)
{
	for (size_t i = 0; i < NKINDS; i++) {
		const struct peer_kind *k = &kinds[i];
		uid_t uid = 0; /* operators: root, beside our own user */

		if (k->role == IPC_ROLE_RECORDER || k->role == IPC_ROLE_PAGER)
			uid = daemon_user(v->config->user_guardiand);
		else if (k->role != IPC_ROLE_ADMIN)
			uid = daemon_user(v->config->user_gatewayd);
		listen_one(v, k, run_dir, uid);
	}
}
