/* guardiand: starts the recorder with its listening sockets and keeps it running. Parses nothing untrusted. */
#include "common/parent.h"
#include "guardiand/recorder_child.h"

int main(int argc, char **argv)
{
	struct daemon_options options;
	struct parent parent = { .program = "guardiand", .socket = "guardiand-admin.sock", .profile = LOCK_PARENT_GUARDIAND };
	struct config *config;

	parent_begin(&parent);
	daemon_options(argc, argv, parent.program, 0, &options);
	config = daemon_config(&options);
	parent_lock(&parent, &options, config);
	return parent_run(&parent, recorder_child_start(parent.loop, config, &options));
}
