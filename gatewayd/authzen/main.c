/* gatewayd-authzen: the policies' answers for other programs. Decides nothing, reaches nothing but the broker. */
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/authzen/authzen.h"

static void on_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	(void)index, (void)name;
	if (peer == IPC_ROLE_BROKER)
		authzen_attach(r->arg, fd);
	else
		close(fd);
}

int main(int argc, char **argv)
{
	static struct authzen a;
	struct lock_paths paths = {0};

	(void)argv;
	if (argc != 1)
		log_fatal(KG_EXIT_USAGE, "gatewayd-authzen: takes no arguments: it is started by gatewayd");
	a.role.peer = on_peer;
	a.role.arg = &a;
	role_begin(&a.role, IPC_ROLE_AUTHZEN, "gatewayd-authzen", 0);
	authzen_serve(&a, a.role.config->max_connections);
	paths.min_landlock_abi = a.role.config->min_landlock_abi;
	role_lock(&a.role, &paths);
	http_start(&a.http, ROLE_FD_LISTEN);
	return role_run(&a.role);
}
