/* gatewayd: starts the fronts, the broker and the upstream roles, and keeps them running. Parses nothing untrusted. */
#include <unistd.h>

#include "common/parent.h"
#include "gatewayd/listen.h"
#include "gatewayd/reach.h"
#include "gatewayd/tree.h"

int main(int argc, char **argv)
{
	struct daemon_options options;
	struct parent parent = {.program = "gatewayd", .socket = "gateway-admin.sock", .profile = LOCK_PARENT_GATEWAYD};
	struct config *config;
	struct tree *tree;
	int listen_fd, status;

	parent_begin(&parent);
	daemon_options(argc, argv, parent.program, 0, &options);
	config = daemon_config(&options);
	reach_check(config, &options);
	listen_fd = listen_open(config, parent.endpoint, sizeof(parent.endpoint));
	parent_lock(&parent, &options, config);
	tree = tree_start(parent.loop, config, &options, listen_fd);
	status = parent_run(&parent, tree_supervisor(tree));
	close(listen_fd);
	return status;
}
