/* The role of an outbound rig as it runs: a program of its own, locked, with a parent that the test plays. */
#ifndef TESTS_ROLE_RIG_H
#define TESTS_ROLE_RIG_H

#include <signal.h>
#include <sys/wait.h>

#include "common/spawn.h"
#include "tests/unit/outbound_rig.h"

static int run_control; /* our end of its connection to its parent */
static pid_t run_pid;

static inline void run_begin(const char *program, const struct config *config, enum config_reader reader)
{
	char *slice = config_slice(config, reader, NULL);
	char bin[4096], exe[4200];
	int pair[2];

	if (slice == NULL || spawn_bin_dir(bin, sizeof(bin)) != 0)
		abort();
	rig_pair(pair);
	snprintf(exe, sizeof(exe), "%s/../%s", bin, program);
	struct spawn s = {
		.executable = exe, .argv = {exe}, .control_fd = pair[1], .listen_fd = -1, .death_signal = SIGKILL};
	struct ipc_config m = {.json = ipc_text(slice)};

	run_pid = spawn_start(&s);
	close(pair[1]);
	run_control = pair[0];
	rig_send(run_control, IPC_CONFIG, &m);
	free(slice);
}

/* Our end of a connection that it is given. */
static inline int run_give(enum ipc_role role, const char *name)
{
	struct ipc_peer m = {.role = (uint32_t)role, .name = ipc_text(name)};
	int pair[2];

	rig_pair(pair);
	if (ipc_write_blocking(run_control, IPC_PEER, &m, pair[1]) != KG_OK)
		abort();
	close(pair[1]);
	return pair[0];
}

/* Waits for its end; whether it ends by itself, with this status. */
static inline bool run_ends(int status)
{
	int got = -1;
	bool ended = waitpid(run_pid, &got, 0) == run_pid && WIFEXITED(got) && WEXITSTATUS(got) == status;

	close(run_control);
	return ended;
}

#endif
