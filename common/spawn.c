#include "common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FD_CONTROL 3
#define FD_LISTEN 4
#define FD_SPARE 64 /* above every fixed one, so that moving does not overwrite */
#define DELAY_FIRST_MS 100u
#define DELAY_MAX_MS 30000u
#define ENV_VALUE_MAX 4096

/* What passes from our environment into a child's; nothing secret is ever there. */
static const char *const env_names[] = {
	"PATH",         "HOME",          "LANG", "TMPDIR",
#ifdef KG_SANITIZE
	"ASAN_OPTIONS", "UBSAN_OPTIONS",
#endif
};

#define ENV_MAX (sizeof(env_names) / sizeof(env_names[0]))

static char env_text[ENV_MAX][ENV_VALUE_MAX];

static void env_build(char *env[ENV_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < ENV_MAX; i++) {
		const char *value = getenv(env_names[i]);
		int len;

		if (value == NULL)
			continue;
		len = snprintf(env_text[n], ENV_VALUE_MAX, "%s=%s", env_names[i], value);
		if (len > 0 && len < ENV_VALUE_MAX) {
			env[n] = env_text[n];
			n++;
		}
	}
	env[n] = NULL;
}

/* Puts a descriptor at its fixed number, without close-on-exec. Both are first moved out of the way. */
static int place(int from, int to)
{
	return from < 0 || dup2(from, to) == to ? 0 : -1;
}

static _Noreturn void child_exec(const struct spawn *s, pid_t parent)
{
	int control = s->control_fd < 0 ? -1 : fcntl(s->control_fd, F_DUPFD, FD_SPARE);
	int listener = s->listen_fd < 0 ? -1 : fcntl(s->listen_fd, F_DUPFD, FD_SPARE);
	unsigned first_closed = s->listen_fd >= 0 ? FD_LISTEN + 1 : s->control_fd >= 0 ? FD_CONTROL + 1 : FD_CONTROL;
	char *env[ENV_MAX + 1];
	sigset_t none;

	env_build(env);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0 || signal(SIGPIPE, SIG_DFL) == SIG_ERR ||
	    signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		_exit(KG_EXIT_FAILURE);
	if (prctl(PR_SET_PDEATHSIG, s->death_signal) != 0 || getppid() != parent)
		_exit(KG_EXIT_FAILURE);
	if (place(control, FD_CONTROL) != 0 || place(listener, FD_LISTEN) != 0 ||
	    close_range(first_closed, ~0u, 0) != 0)
		_exit(KG_EXIT_FAILURE);
	execve(s->executable, (char *const *)(uintptr_t)s->argv, env);
	dprintf(STDERR_FILENO, "%s: cannot be executed: %s\n", s->executable, strerror(errno));
	_exit(KG_EXIT_CONFIG);
}

pid_t spawn_start(const struct spawn *s)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		child_exec(s, parent);
	return pid < 0 ? KG_E_IO : pid;
}

int spawn_bin_dir(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size);
	char *slash;

	if (n < 0)
		return KG_E_IO;
	if ((size_t)n >= size)
		return KG_E_LIMIT;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL)
		return KG_E_IO;
	*slash = '\0';
	return KG_OK;
}

unsigned spawn_delay_ms(unsigned n)
{
	unsigned ms = DELAY_FIRST_MS;

	while (--n > 0 && ms < DELAY_MAX_MS)
		ms *= 2;
	return ms < DELAY_MAX_MS ? ms : DELAY_MAX_MS;
}
