/* keepgate up: the three daemons in the foreground, as the current user. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config.h"
#include "common/lock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/sock.h"
#include "common/spawn.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "keepgate/orphans.h"
#include "keepgate/status.h"

#define READY_POLL_MS 50l
#define READY_WAIT_MS 60000
#define STOP_GRACE_S 8

/* In the order of their start; they end in the opposite one, so that the last outcomes are recorded. */
static const char *const programs[] = {"vaultd", "guardiand", "gatewayd"};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

struct daemon {
	struct up *up;
	const char *program;
	pid_t pid; /* 0: not running */
	unsigned in_a_row, restarts;
	unsigned long long started_ns;
	struct event *restart;
};

struct up {
	struct loop *loop;
	const char *config_file;
	char state[CLI_PATH_MAX], run[CLI_PATH_MAX], bin[CLI_PATH_MAX];
	struct daemon daemon[PROGRAMS];
	struct event *ready, *grace;
	unsigned long long began_ns;
	bool stopping;
	int status;
};

static void daemon_start(struct daemon *d)
{
	char executable[CLI_PATH_MAX + 32], restarts[16];
	struct up *u = d->up;
	struct spawn s = {.executable = executable,
			  .argv = {d->program, "--config", u->config_file, "--state", u->state, "--run", u->run,
				   "--restarts", restarts},
			  .control_fd = -1,
			  .listen_fd = -1,
			  .death_signal = SIGTERM};

	snprintf(executable, sizeof(executable), "%s/%s", u->bin, d->program);
	snprintf(restarts, sizeof(restarts), "%u", d->restarts);
	d->started_ns = loop_now_ns();
	d->pid = spawn_start(&s);
	if (d->pid < 0)
		log_fatal(KG_EXIT_FAILURE, "%s: cannot be started: %s", executable, strerror(errno));
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd, (void)what;
	d->restarts++;
	daemon_start(d);
}

/* Ends the last daemon that still runs; the next one follows when it has gone. */
static void stop_next(struct up *u)
{
	for (size_t i = PROGRAMS; i-- > 0;) {
		if (u->daemon[i].pid != 0) {
			kill(u->daemon[i].pid, SIGTERM);
			return;
		}
	}
	loop_stop(u->loop);
}

static void up_stop(struct up *u, int status)
{
	struct timeval grace = {STOP_GRACE_S, 0};

	if (u->stopping)
		return;
	u->stopping = true;
	u->status = status;
	event_add(u->grace, &grace);
	event_del(u->ready);
	for (size_t i = 0; i < PROGRAMS; i++)
		event_del(u->daemon[i].restart);
	stop_next(u);
}

static void daemon_ended(struct daemon *d, int wstatus)
{
	struct up *u = d->up;
	unsigned ms;
	struct timeval tv;

	d->pid = 0;
	if (u->stopping) {
		stop_next(u);
		return;
	}
	if (WIFSIGNALED(wstatus))
		log_warn("%s was killed by signal %d", d->program, WTERMSIG(wstatus));
	else
		log_warn("%s %s (status %d)", d->program, exit_rule_find(WEXITSTATUS(wstatus))->meaning,
			 WEXITSTATUS(wstatus));
	if (WIFEXITED(wstatus) && exit_rule_find(WEXITSTATUS(wstatus))->action == EXIT_STOP) {
		up_stop(u, WEXITSTATUS(wstatus));
		return;
	}
	if (loop_now_ns() - d->started_ns > SPAWN_HEALTHY_NS)
		d->in_a_row = 0;
	ms = spawn_delay_ms(++d->in_a_row);
	tv = (struct timeval){ms / 1000, (suseconds_t)(ms % 1000) * 1000};
	event_add(d->restart, &tv);
}

static void on_sigchld(evutil_socket_t fd, short what, void *arg)
{
	struct up *u = arg;
	pid_t pid;
	int wstatus;

	(void)fd, (void)what;
	while ((pid = waitpid(-1, &wstatus, WNOHANG)) > 0)
		for (size_t i = 0; i < PROGRAMS; i++)
			if (u->daemon[i].pid == pid)
				daemon_ended(&u->daemon[i], wstatus);
}

static void on_end_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	up_stop(arg, KG_EXIT_OK);
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg)
{
	struct up *u = arg;

	(void)fd, (void)what;
	for (size_t i = 0; i < PROGRAMS; i++)
		if (u->daemon[i].pid != 0)
			kill(u->daemon[i].pid, SIGKILL);
}

/* Says once that all is up; afterwards only what goes wrong is said. */
static void on_ready_poll(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval again = {0, READY_POLL_MS * 1000};
	struct up *u = arg;
	json_t *status = status_collect(u->run);

	(void)fd, (void)what;
	if (json_is_true(json_object_get(status, "ready"))) {
		printf("ready: %s\n", json_string_value(json_object_get(status, "endpoint")));
		fflush(stdout);
	} else if (loop_now_ns() - u->began_ns > READY_WAIT_MS * 1000000ull) {
		log_warn("not everything is ready after %d s: see keepgate status --state %s", READY_WAIT_MS / 1000,
			 u->state);
	} else {
		event_add(u->ready, &again);
	}
	json_decref(status);
}

static int make_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return KG_E_IO;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != getuid()) {
		errno = ENOTDIR;
		return KG_E_IO;
	}
	return KG_OK;
}

/* Every socket's address holds the whole path (unix(7)). */
static int check_run_length(const struct cli *c, const struct up *u)
{
	static const char longest[] = "/guardian-upstream.sock";
	size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof(longest);

	if (strlen(u->run) <= most)
		return KG_OK;
	return cli_fail(c, "%s: is too long for the daemons' sockets: at most %zu characters: choose a shorter --state",
			u->run, most);
}

/* STATE, STATE/vault, STATE/guardian and the run directory: ours, and closed to everybody else. */
static int make_state(const struct cli *c, const struct up *u)
{
	static const char *const parts[] = {"", "/vault", "/guardian"};
	char path[CLI_PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", u->state, parts[i]);
		if (make_dir(path) != KG_OK)
			return cli_fail(c, "%s: cannot be used as a directory of ours: %s", path, strerror(errno));
	}
	if (make_dir(u->run) != KG_OK)
		return cli_fail(c, "%s: cannot be used as a directory of ours: %s", u->run, strerror(errno));
	return KG_EXIT_OK;
}

/* Mistakes in the configuration are told here, once, before three daemons would each tell them. */
static int check_config(const char *file)
{
	char error[CONFIG_ERROR_MAX];
	struct config *config;

	if (config_load(file, &config, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		return KG_EXIT_CONFIG;
	}
	config_free(config);
	return KG_EXIT_OK;
}

static void up_events(struct up *u)
{
	static const struct timeval soon = {0, READY_POLL_MS * 1000};
	struct event *chld = evsignal_new(loop_base(u->loop), SIGCHLD, on_sigchld, u);
	struct event *intr = evsignal_new(loop_base(u->loop), SIGINT, on_end_signal, u);
	struct event *term = evsignal_new(loop_base(u->loop), SIGTERM, on_end_signal, u);

	u->ready = evtimer_new(loop_base(u->loop), on_ready_poll, u);
	u->grace = evtimer_new(loop_base(u->loop), on_grace_over, u);
	if (chld == NULL || intr == NULL || term == NULL || u->ready == NULL || u->grace == NULL ||
	    event_add(chld, NULL) != 0 || event_add(intr, NULL) != 0 || event_add(term, NULL) != 0 ||
	    event_add(u->ready, &soon) != 0)
		log_fatal(KG_EXIT_FAILURE, "the event loop refused an event");
}

/* Two sets of daemons on one state would fight for its sockets and databases, restart after restart. */
static int check_unused(const struct cli *c, const struct up *u)
{
	int fd = sock_connect(u->run, "vault-admin.sock");

	if (fd < 0)
		return KG_EXIT_OK;
	close(fd);
	return cli_fail(c, "%s: daemons serve there already: end the other keepgate up, or choose another --state",
			u->run);
}

static int up_run(const struct cli *c)
{
	static struct up u;
	int status;

	log_init("keepgate up");
	lock_early(STDERR_FILENO);
	u.config_file = cli_value(c, "config");
	if (cli_state_dir(c, u.state) != KG_OK || cli_run_dir(c, u.run) != KG_OK)
		return KG_EXIT_USAGE;
	if (spawn_bin_dir(u.bin, sizeof(u.bin)) != KG_OK)
		return cli_fail(c, "the folder of the executables cannot be found");
	status = check_config(u.config_file);
	if (status == KG_EXIT_OK)
		status = check_run_length(c, &u);
	if (status == KG_EXIT_OK)
		status = make_state(c, &u);
	if (status == KG_EXIT_OK)
		status = check_unused(c, &u);
	if (status != KG_EXIT_OK)
		return status;
	if (orphans_adopt() != KG_OK)
		return cli_fail(c, "cannot become the parent of orphans: %s", strerror(errno));
	u.loop = loop_new();
	u.began_ns = loop_now_ns();
	up_events(&u);
	for (size_t i = 0; i < PROGRAMS; i++) {
		u.daemon[i] = (struct daemon){.up = &u, .program = programs[i]};
		u.daemon[i].restart = evtimer_new(loop_base(u.loop), on_restart, &u.daemon[i]);
		daemon_start(&u.daemon[i]);
	}
	loop_run(u.loop);
	orphans_end();
	return u.status;
}

static const struct cli_option options[] = {
	{"config", "FILE", CLI_REQUIRED, "the configuration, keepgate.json(5)"},
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_command command = {
	.name = "up",
	.summary = "run the three daemons in the foreground",
	.details = "Starts vaultd, guardiand and gatewayd as the current user, restarts what ends, and ends\n"
		   "all of them on Ctrl-C. The state directory is made when it does not exist.\n",
	.options = options,
	.noptions = sizeof(options) / sizeof(options[0]),
	.run = up_run,
};

int up_main(int argc, char **argv)
{
	return cli_single(&command, argc, argv);
}
