/* gatewayd-broker: the steps of its start, in order. */
#include "common/log.h"
#include "common/role.h"
#include "gatewayd/broker/broker.h"

static void on_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	broker_peer(r->arg, peer, index, name, fd);
}

static void want_peer(enum ipc_role peer, uint32_t index, void *arg)
{
	role_want_peer(arg, peer, index);
}

int main(int argc, char **argv)
{
	struct role r = {.peer = on_peer};
	struct lock_paths paths = {0};

	(void)argv;
	if (argc != 1)
		log_fatal(KG_EXIT_USAGE, "gatewayd-broker: takes no arguments: it is started by gatewayd");
	role_begin(&r, IPC_ROLE_BROKER, "gatewayd-broker", 0);
	r.arg = broker_new(r.loop, r.config, want_peer, &r);
	paths.min_landlock_abi = r.config->min_landlock_abi;
	paths.policy = r.config->policy.dir;
	paths.policy_shadow = r.config->policy.shadow_dir;
	role_lock(&r, &paths);
	return role_run(&r);
}
