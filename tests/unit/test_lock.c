/*
 * Locks, from the outside: each trial runs in a child that locks itself, so that "is killed by
 * SIGSYS" and "is refused" are assertions. What is tried here is listed apart from lockproof.c.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/landlock.h"
#include "common/lock_letters.h"
#include "common/lockproof.h"
#include "tests/unit/unit.h"

#define KILLED (-SIGSYS)
#define ALLOWED 0
#define EVERY (LISTED | G)

static char state_dir[] = "/tmp/keepgate-lock-XXXXXX";
static struct lock_paths test_paths = {.state = state_dir, .run = state_dir, .bin = state_dir, .connect_port = 443};

static int done(long r)
{
	return r < 0 ? errno : ALLOWED;
}

static int try_exec(void)
{
	char *none[] = {NULL};

	return done(execve("/nonexistent", none, none)) == ENOENT ? ALLOWED : errno;
}

static int try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return done(pid);
}

static int try_namespace(void)
{
	return done(unshare(CLONE_NEWUSER));
}

static int try_clone_namespace(void)
{
	long pid = syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return done(pid);
}

static int try_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
													 : ALLOWED;
}

static int try_exec_flip(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return done(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_unix(void)
{
	return done(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* The kernel looks at the lower half of the register only: a filter that does not can be passed by. */
static int try_unix_high(void)
{
	return done(syscall(SYS_socket, (1ul << 32) | AF_UNIX, SOCK_STREAM, 0));
}

static int try_inet(void)
{
	return done(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_inet6(void)
{
	return done(socket(AF_INET6, SOCK_STREAM, 0));
}

static int try_netlink(void)
{
	return done(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int try_packet(void)
{
	return done(socket(AF_PACKET, SOCK_RAW, 0));
}

static int try_listen(void)
{
	return done(listen(0, 1)) == ENOTSOCK ? ALLOWED : errno;
}

static int try_bind(void)
{
	return done(bind(0, NULL, 0)) == ENOTSOCK ? ALLOWED : errno;
}

static int try_ptrace(void)
{
	return done(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int try_read_parent(void)
{
	char here;
	struct iovec local = {&here, 1}, remote = {&here, 1};

	return done(process_vm_readv(getppid(), &local, 1, &remote, 1, 0));
}

static int try_kill(void)
{
	return done(kill(1, 0));
}

static int try_kill_parent(void)
{
	return done(kill(getppid(), 0));
}

static int try_open(void)
{
	return done(open("/etc/passwd", O_RDONLY));
}

static int try_open_program(void)
{
	return done(open("/usr/bin/env", O_RDONLY));
}

static int try_open_master_key(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", state_dir);
	return done(open(path, O_RDONLY));
}

static int try_open_root(void)
{
	return done(open("/", O_RDONLY | O_DIRECTORY));
}

static int try_write(void)
{
	return done(open("/dev/null", O_WRONLY));
}

static int try_create_outside(void)
{
	return done(open("/tmp/keepgate-outside", O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int try_mkdir_state(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/made", state_dir);
	return done(mkdir(path, 0700));
}

static int try_io_uring(void)
{
	return done(syscall(SYS_io_uring_setup, 1, NULL)) == EFAULT ? ALLOWED : errno;
}

static int try_bpf(void)
{
	return done(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_keyctl(void)
{
	return done(syscall(SYS_keyctl, 0, -3, 0, 0, 0));
}

static int try_userfaultfd(void)
{
	return done(syscall(SYS_userfaultfd, 1));
}

static int try_perf(void)
{
	return done(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
}

static int try_mount(void)
{
	return done(syscall(SYS_mount, NULL, "/", NULL, 0, NULL));
}

static int try_dumpable(void)
{
	return done(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int try_memfd(void)
{
	return done(memfd_create("x", 0));
}

static int try_raise_limit(void)
{
	struct rlimit lim = {1, 1};

	return done(setrlimit(RLIMIT_CORE, &lim));
}

static int try_connect(void)
{
	return done(connect(0, NULL, 0)) == ENOTSOCK ? ALLOWED : errno;
}

static int connect_port(uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? errno : done(connect(fd, (struct sockaddr *)&sa, sizeof(sa)));
}

static int try_other_port(void)
{
	return connect_port(444);
}

static int try_own_port(void)
{
	int e = connect_port(443);

	return e == ECONNREFUSED ? ALLOWED : e;
}

static int try_terminal(void)
{
	return done(syscall(SYS_ioctl, 0, (1ul << 32) | 0x5412 /* TIOCSTI */, "x"));
}

static int try_clone3(void)
{
	return done(syscall(SYS_clone3, NULL, 0));
}

#ifdef __x86_64__
static int try_x32(void)
{
	return done(syscall(0x40000000l | SYS_getpid));
}
#endif

/* What must go on working. */

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int try_library(void)
{
	enum { COUNTED = 100000 };
	int *a = calloc(COUNTED, sizeof(*a));
	time_t now = time(NULL);
	struct tm tm;

	if (a == NULL)
		return ENOMEM;
	for (int i = 0; i < COUNTED; i++)
		a[i] = (i * 7919) % COUNTED;
	qsort(a, COUNTED, sizeof(*a), compare);
	free(a);
	tzset();
	localtime_r(&now, &tm);
	return printf("%s", "") < 0 ? errno : ALLOWED;
}

static int try_database(void)
{
	char path[128], moved[128];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	snprintf(path, sizeof(path), "%s/db-%d", state_dir, (int)getpid());
	snprintf(moved, sizeof(moved), "%s/none", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || pwrite(fd, "x", 1, 0) != 1 || ftruncate(fd, 32768) != 0 ||
	    mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED || fdatasync(fd) != 0 ||
	    unlink(path) != 0 || access(moved, F_OK) == 0)
		return errno;
	return ALLOWED;
}

static void *resolve(void *arg)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;

	*(int *)arg = getaddrinfo("localhost", "443", &hints, &list);
	freeaddrinfo(list);
	return NULL;
}

static int try_resolver_thread(void)
{
	pthread_t t;
	int r = -1;

	if (pthread_create(&t, NULL, resolve, &r) != 0 || pthread_join(t, NULL) != 0)
		return EAGAIN;
	return r == 0 ? ALLOWED : EHOSTUNREACH;
}

static int try_wait(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? ALLOWED : errno;
}

/* A role has locked itself further inside its parent's lock, and is still its parent's to end. */
static int try_end_role(void)
{
	int pair[2], status = 0;
	char c;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return errno;
	pid = fork();
	if (pid == 0) {
		struct lock_kit kit;

		lock_kit_prepare(LOCK_RECORDER, &test_paths, &kit);
		if (lock_kit_set(&kit) == NULL && write(pair[1], "x", 1) == 1)
			(void)!read(pair[1], &c, 1);
		_exit(0);
	}
	if (pid < 0 || read(pair[0], &c, 1) != 1 || kill(pid, SIGKILL) != 0 || waitpid(pid, &status, 0) != pid)
		return errno != 0 ? errno : EIO;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? ALLOWED : EIO;
}

static int try_accept(void)
{
	return accept4(0, NULL, NULL, SOCK_CLOEXEC) < 0 && errno == ENOTSOCK ? ALLOWED : errno;
}

/* clang-format off */
static const struct trial {
	uint32_t who;
	int answer; /* KILLED, ALLOWED, or the errno of a refusal */
	uint32_t abi;
	const char *what;
	int (*fn)(void);
} trials[] = {
	{ ROLES, KILLED, 0, "exec", try_exec },
	{ ROLES, KILLED, 0, "fork", try_fork },
	{ LISTED, KILLED, 0, "namespace", try_namespace },
	{ LISTED, KILLED, 0, "namespace by clone", try_clone_namespace },
	{ ROLES, KILLED, 0, "executable memory", try_exec_memory },
	{ ROLES, KILLED, 0, "memory made executable", try_exec_flip },
	{ F | B | S | V | R, KILLED, 0, "Unix socket", try_unix },
	{ H, EACCES, 0, "Unix socket", try_unix },
	{ F | B | S | V | R, KILLED, 0, "Unix socket, upper bits set", try_unix_high },
	{ H, EACCES, 0, "Unix socket, upper bits set", try_unix_high },
	{ F | B | S | V | R, KILLED, 0, "IPv4 socket", try_inet },
	{ F | B | S | V | R, KILLED, 0, "IPv6 socket", try_inet6 },
	{ F | B | S | V | R, KILLED, 0, "netlink socket", try_netlink },
	{ H | U, EACCES, 0, "netlink socket", try_netlink },
	{ LISTED, KILLED, 0, "packet socket", try_packet },
	{ F | B | S | V | R, KILLED, 0, "connect", try_connect },
	{ LISTED, KILLED, 0, "listen", try_listen },
	{ LISTED, KILLED, 0, "bind", try_bind },
	{ B | H | S, KILLED, 0, "accept", try_accept },
	{ H | U, EACCES, 4, "another TCP port", try_other_port },
	{ F | B | H | S | V | R, KILLED, 0, "ptrace", try_ptrace },
	{ U, KILLED, 0, "ptrace", try_ptrace },
	{ G, EPERM, 0, "ptrace", try_ptrace },
	{ LISTED, KILLED, 0, "parent's memory", try_read_parent },
	{ G, EPERM, 0, "parent's memory", try_read_parent },
	{ ROLES, KILLED, 0, "signal", try_kill },
	{ ROLES, KILLED, 0, "signal to the parent", try_kill_parent },
	{ G | U, EPERM, 6, "signal to the parent", try_kill_parent },
	{ F | S, EACCES, 0, "file to read", try_open },
	{ B | H | V | R, EACCES, 1, "file to read", try_open },
	{ U, EACCES, 1, "program to read", try_open_program },
	{ F | S, EACCES, 0, "state to read", try_open_master_key },
	{ B | H, EACCES, 1, "state to read", try_open_master_key },
	{ F | S, EACCES, 0, "root directory", try_open_root },
	{ B | H | V | R | U, EACCES, 1, "root directory", try_open_root },
	{ F | S, EACCES, 0, "file to write", try_write },
	{ B | H, KILLED, 0, "file to write", try_write },
	{ V | R, EACCES, 1, "file to write", try_write },
	{ V | R | G | U, EACCES, 1, "file made outside", try_create_outside },
	{ G, EACCES, 1, "directory made in the state", try_mkdir_state },
	{ ROLES, KILLED, 0, "directory made in the state", try_mkdir_state },
	{ LISTED, KILLED, 0, "io_uring", try_io_uring },
	{ G, EPERM, 0, "io_uring", try_io_uring },
	{ LISTED, KILLED, 0, "bpf", try_bpf },
	{ G, EPERM, 0, "bpf", try_bpf },
	{ LISTED, KILLED, 0, "keyring", try_keyctl },
	{ G, EPERM, 0, "keyring", try_keyctl },
	{ LISTED, KILLED, 0, "userfaultfd", try_userfaultfd },
	{ G, EPERM, 0, "userfaultfd", try_userfaultfd },
	{ LISTED, KILLED, 0, "perf", try_perf },
	{ G, EPERM, 0, "perf", try_perf },
	{ LISTED, KILLED, 0, "mount", try_mount },
	{ G, EPERM, 0, "mount", try_mount },
	{ G, EPERM, 0, "namespace", try_namespace },
	{ G, EPERM, 0, "namespace by clone", try_clone_namespace },
	{ G, EPERM, 0, "terminal, upper bits set", try_terminal },
	{ ROLES, KILLED, 0, "dumpable", try_dumpable },
	{ ROLES, KILLED, 0, "memfd", try_memfd },
	{ ROLES, KILLED, 0, "limit raised", try_raise_limit },
	{ F | B | S | V | R, KILLED, 0, "clone3", try_clone3 },
	{ H | G | U, ENOSYS, 0, "clone3", try_clone3 },
#ifdef __x86_64__
	{ EVERY, KILLED, 0, "x32 call", try_x32 },
#endif
	{ EVERY, ALLOWED, 0, "memory, sorting, time, printing", try_library },
	{ V | R | U, ALLOWED, 0, "a database's files", try_database },
	{ H, ALLOWED, 0, "a name resolved in a thread", try_resolver_thread },
	{ H, ALLOWED, 0, "its own port", try_own_port },
	{ S, ALLOWED, 0, "waiting for its child", try_wait },
	{ F | V | R, ALLOWED, 0, "accepting", try_accept },
	{ U | G, ALLOWED, 0, "starting a role", try_fork },
	{ U | G, ALLOWED, 0, "ending a role", try_end_role },
};
/* clang-format on */

static void quiet(void)
{
	int fd = open("/dev/null", O_WRONLY);

	dup2(fd, STDERR_FILENO);
	close(fd);
}

static int child_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* The status of a child that locks itself and then runs fn. */
static int locked(enum lock_profile p, const struct lock_paths *paths, int (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		struct lock_report report = {0};

		quiet();
		lock_early(STDERR_FILENO);
		lock_self(p, paths, &report);
		_exit(fn());
	}
	return child_status(pid);
}

/* The proof at each start takes its time; the trials themselves need the bare lock. */
static int locked_bare(enum lock_profile p, int (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		struct lock_kit kit;

		quiet();
		lock_early(STDERR_FILENO);
		lock_kit_prepare(p, &test_paths, &kit);
		if (lock_kit_set(&kit) != NULL)
			_exit(KG_EXIT_LOCK);
		_exit(fn());
	}
	return child_status(pid);
}

static void test_trials(void)
{
	uint32_t abi = landlock_abi();

	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		for (unsigned p = 0; p < LOCK_PROFILES; p++) {
			int got;

			if ((trials[i].who & LOCK_BIT(p)) == 0 || trials[i].abi > abi)
				continue;
			got = locked_bare((enum lock_profile)p, trials[i].fn);
			if (got == trials[i].answer)
				continue;
			fprintf(stderr, "%s: %s: %d, not %d\n", lock_profile_name((enum lock_profile)p), trials[i].what,
				got, trials[i].answer);
			unit_bad = 1;
		}
	}
}

static int nothing(void)
{
	return 0;
}

/* Every profile proves itself; a lock can be set on top of another. */
static void test_every_profile_locks(void)
{
	for (unsigned p = 0; p < LOCK_STDIO_SERVER; p++)
		CHECK(locked((enum lock_profile)p, &test_paths, nothing) == 0);
}

static int lock_again(void)
{
	lock_self(LOCK_RECORDER, &test_paths, NULL);
	return 0;
}

static void test_recorder_inside_its_parent(void)
{
	CHECK(locked(LOCK_PARENT_GUARDIAND, &test_paths, lock_again) == 0);
}

static int give_up(void)
{
	abort();
}

/* An abort inside a lock ends as an abort, not as a forbidden call. */
static void test_abort(void)
{
	for (unsigned p = 0; p < LOCK_STDIO_SERVER; p++)
		CHECK(locked_bare((enum lock_profile)p, give_up) == -SIGABRT);
}

static void test_floor(void)
{
	struct lock_paths paths = test_paths;

	paths.min_landlock_abi = 1000;
	CHECK(locked(LOCK_FRONT, &paths, nothing) == KG_EXIT_LOCK);
}

static void test_missing_state(void)
{
	struct lock_paths paths = test_paths;

	paths.state = "/nonexistent";
	CHECK(landlock_abi() == 0 || locked(LOCK_VAULT, &paths, nothing) == KG_EXIT_LOCK);
}

/* Older kernels refuse what they do not know: for each level a ruleset without the later levels' rights. */
static void test_every_level(void)
{
	for (uint32_t abi = 1; abi <= landlock_abi() && abi <= 7; abi++) {
		for (unsigned p = 0; p < LOCK_PROFILES; p++) {
			int fd = landlock_new(abi, &lock_profiles[p]);

			CHECK(fd >= 0);
			CHECK(landlock_allow_path(fd, abi, ACCESS_ALL & lock_profiles[p].handled, "/tmp", ACCESS_ALL) ==
			      KG_OK);
			CHECK(landlock_allow_path(fd, abi, ACCESS_ALL & lock_profiles[p].handled, "/dev/null",
						  ACCESS_ALL) == KG_OK);
			CHECK(landlock_allow_path(fd, abi, ACCESS_READ, "/nonexistent", ACCESS_READ) == KG_E_NOTFOUND);
			if (lock_profiles[p].tcp)
				CHECK(landlock_allow_connect(fd, abi, 443) == KG_OK);
			close(fd);
		}
	}
}

static void *idle(void *arg)
{
	pause();
	return arg;
}

static void test_second_thread(void)
{
	pid_t pid = fork();
	pthread_t t;

	if (pid == 0) {
		quiet();
		if (pthread_create(&t, NULL, idle, NULL) != 0)
			_exit(1);
		lock_self(LOCK_FRONT, &test_paths, NULL);
		_exit(0);
	}
	CHECK(child_status(pid) == KG_EXIT_LOCK);
}

/* A filter that is wider than its profile is found out. */
static void test_proof_finds_a_hole(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct lock_kit kit;

		quiet();
		lock_early(STDERR_FILENO);
		lock_kit_prepare(LOCK_UPSTREAM_HTTP, &test_paths, &kit);
		kit.profile = LOCK_FRONT;
		lockproof_children(&kit, &test_paths);
		_exit(0);
	}
	CHECK(child_status(pid) == KG_EXIT_LOCK);
}

/* The same for Landlock: a ruleset that grants the root directory. */
static void test_proof_finds_an_open_directory(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct lock_kit kit;

		quiet();
		lock_early(STDERR_FILENO);
		lock_kit_prepare(LOCK_VAULT, &test_paths, &kit);
		lock_kit_allow(&kit, "/", ACCESS_READ);
		if (lock_kit_set(&kit) != NULL)
			_exit(0);
		lockproof_self(&kit, &test_paths);
		_exit(0);
	}
	CHECK(landlock_abi() == 0 || child_status(pid) == KG_EXIT_LOCK);
}

static int started_right(void)
{
	struct rlimit core;

	if (fcntl(40, F_GETFD) >= 0 || fcntl(3, F_GETFD) < 0 || fcntl(0, F_GETFD) < 0)
		return 1;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 2;
	return 0;
}

static void test_early(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		quiet();
		dup2(2, 3);
		dup2(2, 40);
		close(0);
		lock_early(3);
		_exit(started_right());
	}
	CHECK(child_status(pid) == 0);
}

static int kill_child_group(void)
{
	return kill(-test_paths.child, 0) == 0 && kill(test_paths.child, 0) == 0 ? ALLOWED : errno;
}

/* The stdio role may signal the server it has started: it, its group, nobody else. */
static void test_child_may_be_signalled(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		pause();
		_exit(0);
	}
	setpgid(pid, pid);
	test_paths.child = pid;
	CHECK(locked_bare(LOCK_UPSTREAM_STDIO, kill_child_group) == ALLOWED);
	CHECK(locked_bare(LOCK_UPSTREAM_STDIO, try_kill_parent) == KILLED);
	CHECK(locked_bare(LOCK_BROKER, kill_child_group) == KILLED);
	test_paths.child = 0;
	kill(pid, SIGKILL);
	child_status(pid);
}

/* What the broker does when it loads its policies again: all inside an open folder, by descriptor. */
static int load_policies(void)
{
	char dir[64];
	struct dirent *entry;
	int fd, file, n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s", test_paths.policy);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL)
		return errno;
	while ((entry = readdir(d)) != NULL)
		n += strcmp(entry->d_name, "a.cedar") == 0;
	file = openat(dirfd(d), "a.cedar", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file < 0 || n != 1)
		return errno != 0 ? errno : ENOENT;
	if (openat(dirfd(d), "../file", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return EIO;
	if (openat(dirfd(d), "link", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return EIO;
	return ALLOWED;
}

static int write_policy(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/a.cedar", test_paths.policy);
	return done(open(path, O_WRONLY | O_CLOEXEC));
}

/* The broker reads below the folder that it was told of, follows nothing out of it, and writes nothing. */
static void test_broker_reads_its_policies(void)
{
	char dir[64], file[96], link[96];

	snprintf(dir, sizeof(dir), "%s/policy", state_dir);
	snprintf(file, sizeof(file), "%s/a.cedar", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	CHECK(mkdir(dir, 0700) == 0 && close(open(file, O_WRONLY | O_CREAT, 0600)) == 0);
	CHECK(symlink("/etc/passwd", link) == 0);
	test_paths.policy = dir;
	if (landlock_abi() > 0)
		CHECK(locked_bare(LOCK_BROKER, load_policies) == ALLOWED);
	CHECK(locked_bare(LOCK_BROKER, write_policy) == KILLED);
	CHECK(locked(LOCK_BROKER, &test_paths, nothing) == 0);
	test_paths.policy = NULL;
	if (landlock_abi() > 0)
		CHECK(locked_bare(LOCK_BROKER, try_open_root) == EACCES);
	unlink(link);
	unlink(file);
	rmdir(dir);
}

/* Every row can be compiled, says why, and belongs to somebody. */
static void test_rows(void)
{
	for (size_t i = 0; i < lock_ncall_rows; i++)
		CHECK(lock_call_rows[i].who != 0 && lock_call_rows[i].why[0] != '\0');
	for (size_t i = 0; i < lock_npath_rows; i++)
		CHECK(lock_path_rows[i].who != 0 && lock_path_rows[i].why[0] != '\0');
	for (unsigned p = 0; p < LOCK_PROFILES; p++)
		CHECK(lock_profiles[p].name != NULL && lock_profiles[p].what != NULL);
}

int main(void)
{
	char path[128];
	int fd;

	if (mkdtemp(state_dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/file", state_dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	RUN(test_rows);
	RUN(test_early);
	RUN(test_every_profile_locks);
	RUN(test_recorder_inside_its_parent);
	RUN(test_abort);
	RUN(test_floor);
	RUN(test_missing_state);
	RUN(test_every_level);
	RUN(test_second_thread);
	RUN(test_proof_finds_a_hole);
	RUN(test_proof_finds_an_open_directory);
	RUN(test_child_may_be_signalled);
	RUN(test_broker_reads_its_policies);
	RUN(test_trials);
	unlink(path);
	rmdir(state_dir);
	return unit_end();
}
