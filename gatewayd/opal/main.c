/* gatewayd-opal: policies that are pushed. Decides nothing, reaches nothing but the broker and one open file. */
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/opal/opal.h"

/* The parent hands over the file itself: we open none. */
static void on_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	struct opal *o = r->arg;

	(void)index, (void)name;
	if (peer == IPC_ROLE_BROKER)
		opal_attach(o, fd);
	else if (peer == IPC_ROLE_PARENT && o->kept.fd < 0)
		kept_init(&o->kept, fd);
	else
		close(fd);
}

int main(int argc, char **argv)
{
	static struct opal o = {.kept = {.fd = -1}};
	struct lock_paths paths = {0};

	(void)argv;
	if (argc != 1)
		log_fatal(KG_EXIT_USAGE, "gatewayd-opal: takes no arguments: it is started by gatewayd");
	o.role.peer = on_peer;
	o.role.arg = &o;
	role_begin(&o.role, IPC_ROLE_OPAL, "gatewayd-opal", 1);
	if (o.kept.fd < 0)
		log_fatal(KG_EXIT_PROTO, "start: the file of the pushed set did not come");
	opal_serve(&o, OPAL_SLOTS);
	paths.min_landlock_abi = o.role.config->min_landlock_abi;
	role_lock(&o.role, &paths);
	http_start(&o.http, ROLE_FD_LISTEN);
	return role_run(&o.role);
}
