#include "common/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/role.h"
#include "common/sock.h"
#include "common/spawn.h"

#define STOP_GRACE_S 5

enum child_state { CHILD_WAITING, CHILD_STARTING, CHILD_READY };

struct child {
	struct supervisor *owner;
	struct child *next;
	struct child_spec spec;
	enum child_state state;
	pid_t pid; /* 0: not running */
	struct ipc_conn *control;
	struct event *restart;
	unsigned long long started_ns;
	unsigned in_a_row, restarts;
	struct ipc_ready ready;
	char last_exit[80];
};

struct supervisor {
	struct loop *loop;
	struct child *first, **last;
	struct event *sigchld, *grace;
	bool stopping;
	int status;
};

static const char *const state_names[] = {"waiting", "starting", "ready"};

static const char *copy(const char *text)
{
	char *s = text == NULL ? NULL : strdup(text);

	if (text != NULL && s == NULL)
		log_fatal(KG_EXIT_FAILURE, "children: out of memory");
	return s;
}

static int on_ready(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct child *c = arg;

	(void)fd;
	memcpy(&c->ready, msg, sizeof(c->ready));
	c->state = CHILD_READY;
	ipc_set_state(conn, IPC_ST_READY);
	log_note("%s %s: ready, pid %d", ipc_role_name(c->spec.role), c->spec.name, (int)c->pid);
	return KG_OK;
}

static int on_want_peer(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_want_peer *w = msg;
	struct child *c = arg;

	(void)conn, (void)fd;
	if (c->spec.wants != NULL && !c->owner->stopping)
		c->spec.wants(c->owner, c, (enum ipc_role)w->role, w->index, c->spec.arg);
	return KG_OK;
}

/* A role that breaks its control connection is of no use any more; its end is noticed by SIGCHLD. */
static void on_control_closed(struct ipc_conn *conn, const char *reason, void *arg)
{
	struct child *c = arg;

	(void)conn;
	c->control = NULL;
	if (reason != NULL && c->pid != 0)
		kill(c->pid, SIGKILL);
}

static const struct ipc_op control_ops[] = {
	{IPC_READY, on_ready},
	{IPC_WANT_PEER, on_want_peer},
};

static const struct ipc_handlers control_handlers = {control_ops, sizeof(control_ops) / sizeof(control_ops[0]),
						     on_control_closed};

static void child_schedule(struct child *c)
{
	unsigned ms = spawn_delay_ms(++c->in_a_row);
	struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};

	c->state = CHILD_WAITING;
	event_add(c->restart, &tv);
}

static void child_start(struct child *c)
{
	struct ipc_config config = {.name = ipc_text(c->spec.name), .json = ipc_text(c->spec.config)};
	struct spawn s = {.executable = c->spec.executable, .listen_fd = c->spec.listen_fd, .death_signal = SIGKILL};
	int pair[2];

	s.argv[0] = strrchr(c->spec.executable, '/') + 1;
	s.argv[1] = c->spec.argument;
	if (sock_pair(pair) != KG_OK) {
		log_warn("%s %s: cannot be started: %s", ipc_role_name(c->spec.role), c->spec.name, strerror(errno));
		child_schedule(c);
		return;
	}
	s.control_fd = pair[1];
	c->pid = spawn_start(&s);
	close(pair[1]);
	if (c->pid < 0) {
		log_warn("%s %s: cannot be started: %s", ipc_role_name(c->spec.role), c->spec.name, strerror(errno));
		c->pid = 0;
		close(pair[0]);
		child_schedule(c);
		return;
	}
	c->state = CHILD_STARTING;
	c->started_ns = loop_now_ns();
	c->control = ipc_open(c->owner->loop, pair[0], IPC_ROLE_PARENT, c->spec.role, IPC_ST_NEW, &control_handlers, c);
	ipc_send(c->control, IPC_CONFIG, &config);
	if (c->spec.started != NULL)
		c->spec.started(c->owner, c, c->spec.arg);
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd, (void)what;
	c->restarts++;
	child_start(c);
}

static void describe_exit(struct child *c, int wstatus)
{
	if (WIFSIGNALED(wstatus))
		snprintf(c->last_exit, sizeof(c->last_exit), "killed by signal %d (%s)", WTERMSIG(wstatus),
			 WTERMSIG(wstatus) == SIGSYS ? "a forbidden system call" : strsignal(WTERMSIG(wstatus)));
	else
		snprintf(c->last_exit, sizeof(c->last_exit), "status %d: %s", WEXITSTATUS(wstatus),
			 exit_rule_find(WEXITSTATUS(wstatus))->meaning);
}

static void stop_when_all_gone(struct supervisor *s)
{
	for (struct child *c = s->first; c != NULL; c = c->next)
		if (c->pid != 0)
			return;
	loop_stop(s->loop);
}

static void child_ended(struct child *c, int wstatus)
{
	struct supervisor *s = c->owner;

	describe_exit(c, wstatus);
	c->pid = 0;
	ipc_close(c->control);
	c->control = NULL;
	c->state = CHILD_WAITING;
	if (s->stopping) {
		stop_when_all_gone(s);
		return;
	}
	log_warn("%s %s ended: %s", ipc_role_name(c->spec.role), c->spec.name, c->last_exit);
	if (WIFEXITED(wstatus) && exit_rule_find(WEXITSTATUS(wstatus))->action == EXIT_STOP) {
		supervisor_stop(s, WEXITSTATUS(wstatus));
		return;
	}
	if (loop_now_ns() - c->started_ns > SPAWN_HEALTHY_NS)
		c->in_a_row = 0;
	child_schedule(c);
}

static void on_sigchld(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd, (void)what;
	for (struct child *c = s->first; c != NULL; c = c->next) {
		int wstatus;

		if (c->pid != 0 && waitpid(c->pid, &wstatus, WNOHANG) == c->pid)
			child_ended(c, wstatus);
	}
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd, (void)what;
	for (struct child *c = s->first; c != NULL; c = c->next)
		if (c->pid != 0)
			kill(c->pid, SIGKILL);
}

struct supervisor *supervisor_new(struct loop *l)
{
	struct supervisor *s = calloc(1, sizeof(*s));

	if (s == NULL)
		log_fatal(KG_EXIT_FAILURE, "children: out of memory");
	s->loop = l;
	s->last = &s->first;
	s->sigchld = evsignal_new(loop_base(l), SIGCHLD, on_sigchld, s);
	s->grace = evtimer_new(loop_base(l), on_grace_over, s);
	if (s->sigchld == NULL || s->grace == NULL || event_add(s->sigchld, NULL) != 0)
		log_fatal(KG_EXIT_FAILURE, "children: the loop refused a signal");
	return s;
}

struct child *supervisor_add(struct supervisor *s, const struct child_spec *spec)
{
	struct child *c = calloc(1, sizeof(*c));

	if (c == NULL)
		log_fatal(KG_EXIT_FAILURE, "children: out of memory");
	c->owner = s;
	c->spec = *spec;
	c->spec.name = copy(spec->name);
	c->spec.executable = copy(spec->executable);
	c->spec.argument = copy(spec->argument);
	c->spec.config = copy(spec->config);
	c->restart = evtimer_new(loop_base(s->loop), on_restart, c);
	if (c->restart == NULL)
		log_fatal(KG_EXIT_FAILURE, "children: out of memory");
	*s->last = c;
	s->last = &c->next;
	child_start(c);
	return c;
}

void child_give(struct child *c, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	struct ipc_peer p = {.role = (uint32_t)peer, .index = index, .name = ipc_text(name)};

	if (c->control != NULL)
		ipc_send_fd(c->control, IPC_PEER, &p, fd);
}

bool child_running(const struct child *c)
{
	return c->control != NULL;
}

const struct child_spec *child_spec(const struct child *c)
{
	return &c->spec;
}

void supervisor_stop(struct supervisor *s, int status)
{
	struct timeval grace = {STOP_GRACE_S, 0};
	struct ipc_stop stop = {0};

	if (s->stopping)
		return;
	s->stopping = true;
	s->status = status;
	event_add(s->grace, &grace);
	for (struct child *c = s->first; c != NULL; c = c->next) {
		event_del(c->restart);
		/* A role that has not come to its loop yet does not read STOP. */
		if (c->pid != 0 && (c->state != CHILD_READY || ipc_send(c->control, IPC_STOP, &stop) != KG_OK))
			kill(c->pid, SIGTERM);
	}
	stop_when_all_gone(s);
}

json_t *supervisor_status(const struct supervisor *s)
{
	json_t *list = json_array();

	for (const struct child *c = s->first; c != NULL; c = c->next) {
		json_int_t uptime = c->pid == 0 ? 0 : (json_int_t)((loop_now_ns() - c->started_ns) / 1000000000ull);

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:i, s:s, s:I, s:i, s:i, s:i, s:i, s:s}", "program",
					strrchr(c->spec.executable, '/') + 1, "role", ipc_role_name(c->spec.role),
					"name", c->spec.name, "pid", (int)c->pid, "state", state_names[c->state],
					"uptime_s", uptime, "restarts", (int)c->restarts, "landlock_abi",
					(int)c->ready.landlock_abi, "seccomp_rules", (int)c->ready.seccomp_rules,
					"acts_refused", (int)c->ready.acts_refused, "last_exit", c->last_exit));
	}
	return list;
}

int supervisor_exit_status(const struct supervisor *s)
{
	return s->status;
}
