/* A parent and its roles. The roles are this program again, which behaves as its operand says. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/role.h"
#include "common/spawn.h"
#include "common/supervise.h"
#include "tests/unit/unit.h"

#define WAIT_MS 5000

static char self[4096];

/* The roles. */

static void say_ready(void)
{
	const struct ipc_ready ready = {.landlock_abi = 6, .seccomp_rules = 50, .acts_refused = 9};

	if (ipc_write_blocking(ROLE_FD_CONTROL, IPC_READY, &ready, -1) != KG_OK)
		_exit(90);
}

static enum ipc_type next_message(struct buf *store, union ipc_any *msg, int *fd)
{
	enum ipc_type type;

	if (ipc_read_blocking(ROLE_FD_CONTROL, WAIT_MS, store, &type, msg, fd) != KG_OK)
		_exit(91);
	return type;
}

/* Nothing of the parent's is open but 0, 1, 2, the control connection and what was given for descriptor 4. */
static void check_descriptors(bool listens)
{
	for (int fd = 0; fd < 200; fd++) {
		bool open = fcntl(fd, F_GETFD) >= 0;

		if (open != (fd <= ROLE_FD_CONTROL || (listens && fd == ROLE_FD_LISTEN)))
			_exit(92);
	}
}

static int role_good(struct buf *store, bool listens)
{
	union ipc_any msg;
	const struct ipc_config *c = (const void *)&msg;
	const struct ipc_peer *p = (const void *)&msg;
	int fd, sig = 0;

	check_descriptors(listens);
	if (prctl(PR_GET_PDEATHSIG, &sig) != 0 || sig != SIGKILL || getenv("KEEPGATE_SECRET") != NULL)
		return 93;
	if (next_message(store, &msg, &fd) != IPC_CONFIG || !ipc_is(c->json, "{\"a\":1}"))
		return 94;
	if (next_message(store, &msg, &fd) != IPC_PEER || p->role != IPC_ROLE_BROKER || p->index != 7 || fd < 0 ||
	    write(fd, "hello", 5) != 5)
		return 95;
	close(fd);
	say_ready();
	return next_message(store, &msg, &fd) == IPC_STOP ? 0 : 96;
}

static int role_wants(struct buf *store)
{
	const struct ipc_want_peer want = {.role = IPC_ROLE_VAULT, .index = 3};
	union ipc_any msg;
	int fd;

	say_ready();
	if (ipc_write_blocking(ROLE_FD_CONTROL, IPC_WANT_PEER, &want, -1) != KG_OK)
		return 97;
	while (next_message(store, &msg, &fd) != IPC_STOP)
		;
	return 0;
}

static int role_main(const char *how)
{
	struct buf store;

	buf_init(&store, IPC_FRAME_MAX);
	if (strcmp(how, "good") == 0 || strcmp(how, "listens") == 0)
		return role_good(&store, strcmp(how, "listens") == 0);
	if (strcmp(how, "wants") == 0)
		return role_wants(&store);
	if (strcmp(how, "lies") == 0) { /* a message that is not a role's to send */
		const struct ipc_stop stop = {0};

		if (ipc_write_blocking(ROLE_FD_CONTROL, IPC_STOP, &stop, -1) == KG_OK)
			pause();
	}
	if (strcmp(how, "deaf") == 0) {
		signal(SIGTERM, SIG_IGN);
		say_ready();
		for (;;)
			pause();
	}
	if (strcmp(how, "forbidden") == 0)
		raise(SIGSYS);
	return how[0] >= '0' && how[0] <= '9' ? (int)strtol(how, NULL, 10) : 98;
}

/* The parent. */

struct test {
	struct loop *loop;
	struct supervisor *supervisor;
	struct child *child;
	int pair[2];
	unsigned starts, wants;
	unsigned stop_after; /* starts */
	unsigned long long last_start_ns, gap_ns;
	char last_exit[80];
};

static void on_started(struct supervisor *s, struct child *c, void *arg)
{
	struct test *t = arg;
	unsigned long long now = loop_now_ns();
	json_t *status = supervisor_status(s);

	snprintf(t->last_exit, sizeof(t->last_exit), "%s",
		 json_string_value(json_object_get(json_array_get(status, 0), "last_exit")));
	json_decref(status);
	t->child = c;
	t->gap_ns = now - t->last_start_ns;
	t->last_start_ns = now;
	if (t->pair[0] > 0)
		child_give(c, IPC_ROLE_BROKER, 7, "b", t->pair[0]);
	if (++t->starts == t->stop_after)
		supervisor_stop(s, KG_EXIT_OK);
}

static void on_wants(struct supervisor *s, struct child *c, enum ipc_role peer, uint32_t index, void *arg)
{
	struct test *t = arg;

	(void)c;
	if (peer == IPC_ROLE_VAULT && index == 3)
		t->wants++;
	supervisor_stop(s, KG_EXIT_OK);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	fprintf(stderr, "the test did not come to its end\n");
	exit(1);
}

static void test_begin(struct test *t, const char *how, int listen_fd)
{
	static const struct timeval limit = {20, 0};
	struct child_spec spec = {.role = IPC_ROLE_FRONT,
				  .index = 0,
				  .name = "0",
				  .executable = self,
				  .argument = how,
				  .config = "{\"a\":1}",
				  .listen_fd = listen_fd,
				  .started = on_started,
				  .wants = on_wants,
				  .arg = t};

	t->loop = loop_new();
	t->supervisor = supervisor_new(t->loop);
	event_base_once(loop_base(t->loop), -1, EV_TIMEOUT, on_late, NULL, &limit);
	supervisor_add(t->supervisor, &spec);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval again = {0, 20000};
	struct test *t = arg;
	json_t *status = supervisor_status(t->supervisor), *row = json_array_get(status, 0);

	(void)fd, (void)what;
	if (strcmp(json_string_value(json_object_get(row, "state")), "ready") != 0) {
		event_base_once(loop_base(t->loop), -1, EV_TIMEOUT, on_poll, t, &again);
	} else {
		CHECK(json_integer_value(json_object_get(row, "pid")) > 0);
		CHECK(json_integer_value(json_object_get(row, "landlock_abi")) == 6);
		CHECK(json_integer_value(json_object_get(row, "seccomp_rules")) == 50);
		CHECK(json_integer_value(json_object_get(row, "acts_refused")) == 9);
		CHECK(json_integer_value(json_object_get(row, "restarts")) == 0);
		supervisor_stop(t->supervisor, KG_EXIT_OK);
	}
	json_decref(status);
}

/* Start, configuration, a connection, READY, status, STOP, a clean end: no process is left. */
static void run_good(const char *how, int listen_fd)
{
	struct test t = {0};
	struct timeval soon = {0, 0};
	char got[8] = "";

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, t.pair) == 0);
	setenv("KEEPGATE_SECRET", "x", 1);
	test_begin(&t, how, listen_fd);
	event_base_once(loop_base(t.loop), -1, EV_TIMEOUT, on_poll, &t, &soon);
	loop_run(t.loop);
	CHECK(read(t.pair[1], got, 5) == 5 && strcmp(got, "hello") == 0);
	CHECK(t.starts == 1 && !child_running(t.child));
	CHECK(supervisor_exit_status(t.supervisor) == KG_EXIT_OK);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	close(t.pair[0]);
	close(t.pair[1]);
}

static void test_good(void)
{
	run_good("good", -1);
}

static void test_listening(void)
{
	run_good("listens", STDIN_FILENO);
}

static void test_wants(void)
{
	struct test t = {0};

	test_begin(&t, "wants", -1);
	loop_run(t.loop);
	CHECK(t.wants == 1);
}

/* A role that ends is started again, each time later. */
static void test_restarts(void)
{
	struct test t = {.stop_after = 4};
	json_t *status, *row;

	test_begin(&t, "1", -1);
	loop_run(t.loop);
	status = supervisor_status(t.supervisor);
	row = json_array_get(status, 0);
	CHECK(t.starts == 4 && json_integer_value(json_object_get(row, "restarts")) == 3);
	CHECK(t.gap_ns >= 400000000ull && t.gap_ns < 3000000000ull);
	json_decref(status);
}

/* exit_rules: after some ends a restart cannot help. */
static void test_stops(void)
{
	static const struct {
		const char *how;
		int status;
	} ends[] = {{"71", KG_EXIT_LOCK}, {"78", KG_EXIT_CONFIG}, {"64", KG_EXIT_USAGE}};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct test t = {0};

		test_begin(&t, ends[i].how, -1);
		loop_run(t.loop);
		CHECK(t.starts == 1 && supervisor_exit_status(t.supervisor) == ends[i].status);
	}
}

static void test_killed(void)
{
	struct test t = {.stop_after = 2};

	test_begin(&t, "forbidden", -1);
	loop_run(t.loop);
	CHECK(t.starts == 2 && strstr(t.last_exit, "a forbidden system call") != NULL);
}

/* A role that breaks its own protocol is killed and started again. */
static void test_lies(void)
{
	struct test t = {.stop_after = 2};

	test_begin(&t, "lies", -1);
	loop_run(t.loop);
	CHECK(t.starts == 2 && strstr(t.last_exit, "killed by signal 9") != NULL);
}

/* Neither STOP nor SIGTERM: the grace period ends it. */
static void test_deaf(void)
{
	struct test t = {0};
	struct timeval soon = {0, 0};

	test_begin(&t, "deaf", -1);
	event_base_once(loop_base(t.loop), -1, EV_TIMEOUT, on_poll, &t, &soon);
	loop_run(t.loop);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void test_missing_executable(void)
{
	struct test t = {0};

	snprintf(self + strlen(self), 16, "-none");
	test_begin(&t, "1", -1);
	loop_run(t.loop);
	CHECK(supervisor_exit_status(t.supervisor) == KG_EXIT_CONFIG);
}

static void test_delays(void)
{
	CHECK(spawn_delay_ms(1) == 100 && spawn_delay_ms(2) == 200 && spawn_delay_ms(3) == 400);
	CHECK(spawn_delay_ms(9) == 25600 && spawn_delay_ms(10) == 30000 && spawn_delay_ms(4000000000u) == 30000);
}

/* Each in a process of its own: libevent serves signals to one loop only. */
static void isolated(void (*test)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		test();
		_exit(unit_bad);
	}
	waitpid(pid, &status, 0);
	CHECK(status == 0);
}

#define ALONE(test)                                                                                                    \
	static void test##_alone(void)                                                                                 \
	{                                                                                                              \
		isolated(test);                                                                                        \
	}
ALONE(test_good)
ALONE(test_listening)
ALONE(test_wants)
ALONE(test_restarts)
ALONE(test_stops)
ALONE(test_killed)
ALONE(test_lies)
ALONE(test_deaf)
ALONE(test_missing_executable)

int main(int argc, char **argv)
{
	int null;

	if (argc == 2)
		return role_main(argv[1]);
	if (readlink("/proc/self/exe", self, sizeof(self) - 16) < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	null = open("/dev/null", O_RDWR);
	dup2(null, 150); /* must not reach a role */
	RUN(test_delays);
	RUN(test_good_alone);
	RUN(test_listening_alone);
	RUN(test_wants_alone);
	RUN(test_restarts_alone);
	RUN(test_stops_alone);
	RUN(test_killed_alone);
	RUN(test_lies_alone);
	RUN(test_deaf_alone);
	RUN(test_missing_executable_alone);
	return unit_end();
}
