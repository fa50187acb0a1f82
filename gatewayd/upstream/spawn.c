#include "gatewayd/upstream/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/upstream/environment.h"
#include "gatewayd/upstream/upstream.h"

#define PEER_WAIT_MS 10000
#define GRANT_WAIT_S 30
#define FD_GO 3

struct child_pipes {
	int in[2], out[2], err[2], go[2];
};

static void pipe_make(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) != 0)
		log_fatal(KG_EXIT_FAILURE, "start: pipes cannot be made: %s", strerror(errno));
}

static _Noreturn void child_fail(const char *what, const char *object)
{
	dprintf(STDERR_FILENO, "%s: %s: %s\n", object, what, strerror(errno));
	_exit(KG_EXIT_CONFIG);
}

/* The pipes become its descriptors 0 to 2; go, when there is one, stands at 3 until it executes. */
static void child_descriptors(struct child_pipes *p, bool spare)
{
	if (dup2(p->in[0], STDIN_FILENO) < 0 || dup2(p->out[1], STDOUT_FILENO) < 0 ||
	    dup2(p->err[1], STDERR_FILENO) < 0)
		_exit(KG_EXIT_FAILURE);
	if (spare && p->go[0] != FD_GO && dup3(p->go[0], FD_GO, O_CLOEXEC) < 0)
		_exit(KG_EXIT_FAILURE);
	if (close_range(spare ? FD_GO + 1 : FD_GO, ~0u, 0) != 0)
		_exit(KG_EXIT_FAILURE);
}

static void child_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		_exit(KG_EXIT_FAILURE);
}

static _Noreturn void child_run(struct upstream *u, struct child_pipes *p, const struct environment *env, pid_t parent,
				bool spare)
{
	const struct config_server *s = u->server;
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(KG_EXIT_FAILURE);
	child_descriptors(p, spare);
	child_signals();
	if (chdir(s->cwd) != 0)
		child_fail("cannot be entered (cwd)", s->cwd);
	lock_stdio_child(s, u->role->config->min_landlock_abi);
	if (spare && read(FD_GO, &byte, 1) != 1)
		_exit(KG_EXIT_OK);
	execve(env->command, env->argv, env->envp);
	child_fail("cannot be executed (command)", s->command);
}

static void child_start(struct upstream *u, const struct environment *env, pid_t group, struct stdio_child *out)
{
	bool spare = group != 0;
	struct child_pipes p = {.go = {-1, -1}};
	pid_t parent = getpid(), pid;

	pipe_make(p.in);
	pipe_make(p.out);
	pipe_make(p.err);
	if (spare)
		pipe_make(p.go);
	pid = fork();
	if (pid == 0 && setpgid(0, group) == 0)
		child_run(u, &p, env, parent, spare);
	if (pid == 0)
		_exit(KG_EXIT_FAILURE);
	/*
	 * One group for all that we start: it alone may be signalled after the lock. Both sides set it, so that
	 * it holds before either goes on; EACCES: the child has, and has executed.
	 */
	if (pid < 0 || (setpgid(pid, group) != 0 && errno != EACCES))
		log_fatal(KG_EXIT_FAILURE, "start: the server cannot be started: %s", strerror(errno));
	close(p.in[0]);
	close(p.out[1]);
	close(p.err[1]);
	if (spare)
		close(p.go[0]);
	*out = (struct stdio_child){.pid = pid, .in = p.in[1], .out = p.out[0], .err = p.err[0], .go = p.go[1]};
	if (evutil_make_socket_nonblocking(out->in) != 0 || evutil_make_socket_nonblocking(out->out) != 0 ||
	    evutil_make_socket_nonblocking(out->err) != 0)
		log_fatal(KG_EXIT_FAILURE, "start: pipes cannot be set up: %s", strerror(errno));
}

static void on_granted(struct upstream *u, struct credential_set *creds, const char *why)
{
	struct environment env;

	loop_stop(u->role->loop);
	if (!creds) {
		log_warn("server %s: not started: %s", u->server->name, why);
		u->exit_status = KG_EXIT_UNAVAILABLE;
		return;
	}
	environment_make(&env, u->server, creds);
	credentials_free(creds);
	child_start(u, &env, 0, &u->stdio->now);
	child_start(u, &env, u->stdio->now.pid, &u->stdio->spare);
	environment_free(&env);
	act_end(u, OUTCOME_OK, "");
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;

	(void)fd, (void)what;
	log_fatal(KG_EXIT_UNAVAILABLE, "server %s: not started: the vault or the audit recorder does not answer",
		  u->server->name);
}

void spawn_keys_changed(struct upstream *u)
{
	if (links_keyed(u) && u->act.state == ACT_NONE && act_begin(u, SELF_SPAWN, on_granted) != 0)
		log_fatal(KG_EXIT_UNAVAILABLE, "server %s: not started: no memory", u->server->name);
}

void spawn_server(struct upstream *u)
{
	static const struct timeval limit = {GRANT_WAIT_S, 0};
	struct event *late = evtimer_new(loop_base(u->role->loop), on_late, u);

	u->stdio = calloc(1, sizeof(*u->stdio));
	if (!u->stdio || !late)
		log_fatal(KG_EXIT_FAILURE, "start: out of memory");
	while (!u->links.vault || !u->links.recorder) {
		/* A daemon that is not there yet: the parent goes on trying, and so do we. */
		int err = role_take_peer(u->role, PEER_WAIT_MS);
		(void)err;
	}
	event_add(late, &limit);
	loop_run(u->role->loop);
	event_free(late);
	if (u->exit_status != 0)
		exit(u->exit_status);
}
