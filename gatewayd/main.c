/* gatewayd: starts the fronts, the broker and the upstream roles, and keeps them running. Parses nothing untrusted. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/parent.h"
#include "common/sock.h"
#include "gatewayd/listen.h"
#include "gatewayd/pushed.h"
#include "gatewayd/reach.h"
#include "gatewayd/tree.h"

#define POLICY_ADMIN_SOCKET "policy-admin.sock"

static int policy_admin_listen(const struct daemon_options *o)
{
	int fd = sock_listen(o->run, POLICY_ADMIN_SOCKET);

	if (fd < 0)
		log_fatal(KG_EXIT_FAILURE, "%s/" POLICY_ADMIN_SOCKET ": cannot listen: %s", o->run,
			  fd == KG_E_EXISTS ? "another daemon serves it: stop that first" : strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	struct daemon_options options;
	struct parent parent = {.program = "gatewayd", .socket = "gateway-admin.sock", .profile = LOCK_PARENT_GATEWAYD};
	struct config *config;
	struct tree *tree;
	struct tree_sockets sockets;
	int status;

	parent_begin(&parent);
	daemon_options(argc, argv, parent.program, 0, &options);
	config = daemon_config(&options);
	reach_check(config, &options);
	sockets.mcp = listen_open(config, parent.endpoint, sizeof(parent.endpoint));
	sockets.authzen = listen_open_authzen(config);
	sockets.opal = listen_open_opal(config);
	sockets.pushed = pushed_open(config, &options);
	sockets.policy_admin = policy_admin_listen(&options);
	parent_lock(&parent, &options, config);
	tree = tree_start(parent.loop, config, &options, &sockets);
	status = parent_run(&parent, tree_supervisor(tree));
	close(sockets.mcp);
	return status;
}
