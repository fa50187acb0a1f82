/* guardiand: starts the recorder with its listening sockets, and the pager, and keeps them running. Parses nothing
 * untrusted. */
#include "common/parent.h"
#include "guardiand/recorder_child.h"

int main(int argc, char **argv)
{
	struct daemon_options options;
	struct parent parent = {.program = "guardiand",
				.socket = "guardiand-admin.sock",
				.profile = LOCK_PARENT_GUARDIAND,
				.state_part = "guardian"};
	struct config *config;
	struct recorder_child *recorder;

	parent_begin(&parent);
	daemon_options(argc, argv, parent.program, 0, &options);
	config = daemon_config(&options);
	recorder = recorder_child_open(&options);
	parent_lock(&parent, &options, config);
	return parent_run(&parent, recorder_child_start(recorder, parent.loop, config));
}
