/* guardiand-recorder: takes down what is about to happen before it may happen. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/role.h"
#include "guardiand/recorder/guard.h"
#include "guardiand/recorder/recorder.h"

#define LAST_HEAD_WAIT_MS 500

static struct recorder recorder;

/* Before the lock listening sockets come; vaultd's connection and the pager's may come any time. */
struct arrivals {
	int vault_fd, pager_fd;
	struct {
		enum ipc_role role;
		int fd;
	} listening[LISTENERS];
	unsigned nlistening;
	bool serving;
};

static void on_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	struct arrivals *a = r->arg;

	(void)index, (void)name;
	if (peer == IPC_ROLE_VAULT && a->serving) {
		recorder_vault(&recorder, fd);
	} else if (peer == IPC_ROLE_VAULT && a->vault_fd < 0) {
		a->vault_fd = fd;
	} else if (peer == IPC_ROLE_PAGER && a->serving) {
		outbox_pager(recorder.guard->outbox, fd);
	} else if (peer == IPC_ROLE_PAGER && a->pager_fd < 0) {
		a->pager_fd = fd;
	} else if (!a->serving && a->nlistening < LISTENERS) {
		a->listening[a->nlistening].role = peer;
		a->listening[a->nlistening++].fd = fd;
	} else {
		log_fatal(KG_EXIT_PROTO, "an unexpected connection to %s came", ipc_role_name(peer));
	}
}

static void on_want_vault(void *arg)
{
	role_want_peer(arg, IPC_ROLE_VAULT, 0);
}

static void on_want_pager(void *arg)
{
	role_want_peer(arg, IPC_ROLE_PAGER, 0);
}

static struct store *open_store(const char *dir)
{
	char error[STORE_ERROR_MAX];
	struct store *s;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		log_fatal(KG_EXIT_STORE, "%s: cannot be made: %s", dir, strerror(errno));
	if (store_open(dir, &s, error) != KG_OK)
		log_fatal(KG_EXIT_STORE, "%s", error);
	return s;
}

/* Calls come from gatewayd's user, operators' commands from our own and from root. */
static uid_t peer_user(enum ipc_role role, uid_t gatewayd)
{
	return role == IPC_ROLE_ADMIN ? 0 : gatewayd;
}

static void serve(struct role *r, struct arrivals *a, uid_t gatewayd)
{
	recorder.want_vault = on_want_vault;
	recorder.want_arg = r;
	recorder.start_seq = recorder_note(&recorder, "start");
	commit_now(recorder.commit);
	for (unsigned i = 0; i < a->nlistening; i++)
		recorder_listen(&recorder, a->listening[i].role, a->listening[i].fd,
				peer_user(a->listening[i].role, gatewayd));
	if (a->vault_fd >= 0)
		recorder_vault(&recorder, a->vault_fd);
	outbox_want(recorder.guard->outbox, on_want_pager, r);
	if (a->pager_fd >= 0)
		outbox_pager(recorder.guard->outbox, a->pager_fd);
	a->serving = true;
}

int main(int argc, char **argv)
{
	struct arrivals arrivals = {.vault_fd = -1, .pager_fd = -1};
	struct role role = {.peer = on_peer, .arg = &arrivals};
	struct lock_paths paths = {0};
	struct guard_rules *rules;
	struct store *store;
	uid_t gatewayd;
	int status;

	role_begin(&role, IPC_ROLE_RECORDER, "guardiand-recorder", LISTENERS);
	if (argc != 2)
		log_fatal(KG_EXIT_USAGE, "started by guardiand, with its state directory");
	gatewayd = daemon_user(role.config->user_gatewayd);
	rules = guard_rules_read(role.config);
	store = open_store(argv[1]);
	recorder_init(&recorder, role.loop, store);
	recorder_guard(&recorder, role.config, rules);
	paths.state = argv[1];
	paths.min_landlock_abi = role.config->min_landlock_abi;
	role_lock(&role, &paths);
	serve(&role, &arrivals, gatewayd);
	status = role_run(&role);
	recorder_stop(&recorder, LAST_HEAD_WAIT_MS);
	recorder_free(&recorder);
	store_close(store);
	return status;
}
