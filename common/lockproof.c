#include "common/lockproof.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lock_letters.h"
#include "common/log.h"

#define DIES (-1) /* the right answer is SIGSYS */
#define X32_GETPID (0x40000000l | 39)
#define PATH_TRIED_MAX 4096
#define TRIAL_PASSED 1 /* exit statuses of a trial child */
#define TRIAL_UNLOCKED 2

static int try_other_port(const struct lock_paths *paths);
static int try_parent(const struct lock_paths *paths);
static int try_state(const struct lock_paths *paths);

#define ARG(p) ((long)(p))

/* clang-format off */
/* Harmless even where they would succeed: arguments that the kernel refuses for another reason come last. */
static const struct act {
	uint32_t who;
	int answer;   /* DIES, or the errno that it must give */
	uint32_t abi; /* the Landlock level that refuses it; 0: seccomp does */
	const char *what;
	int (*fn)(const struct lock_paths *paths); /* 0 or errno; NULL: the raw call */
	long nr, args[6];
} acts[] = {
	{ ROLES, DIES, 0, "execute a program", NULL, SYS_execve, { 0 } },
	{ ROLES, DIES, 0, "start a process", NULL, SYS_clone, { SIGCHLD } },
	{ F | B | S | V | R, DIES, 0, "start a process by clone3", NULL, SYS_clone3, { 0 } },
	{ ROLES, DIES, 0, "map executable memory", NULL, SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
	{ ROLES, DIES, 0, "make memory executable", NULL, SYS_mprotect, { 0, 0, PROT_EXEC } },
	{ F | B | S | V | R, DIES, 0, "make a Unix socket", NULL, SYS_socket, { AF_UNIX, SOCK_STREAM } },
	{ F | B | S | V | R, DIES, 0, "make an internet socket", NULL, SYS_socket, { AF_INET, SOCK_STREAM } },
	{ ROLES | U, DIES, 0, "make a packet socket", NULL, SYS_socket, { AF_PACKET, SOCK_RAW } },
	{ F | B | S | V | R, DIES, 0, "connect", NULL, SYS_connect, { -1 } },
	{ ROLES | U, DIES, 0, "listen", NULL, SYS_listen, { -1 } },
	{ B | H | S, DIES, 0, "accept", NULL, SYS_accept4, { -1 } },
	{ ROLES | U, DIES, 0, "trace a process", NULL, SYS_ptrace, { PTRACE_ATTACH, -1 } },
	{ ROLES | U, DIES, 0, "read another process's memory", NULL, SYS_process_vm_readv, { -1 } },
	{ ROLES, DIES, 0, "signal a process", NULL, SYS_kill, { 1, 0 } },
	{ ROLES | U, DIES, 0, "use io_uring", NULL, SYS_io_uring_setup, { 0 } },
	{ ROLES | U, DIES, 0, "load a kernel program", NULL, SYS_bpf, { -1 } },
	{ ROLES | U, DIES, 0, "make a namespace", NULL, SYS_unshare, { CLONE_NEWUSER } },
	{ ROLES | U, DIES, 0, "use a keyring", NULL, SYS_keyctl, { -1 } },
	{ ROLES, DIES, 0, "become dumpable", NULL, SYS_prctl, { PR_SET_DUMPABLE, 1 } },
	{ B | H, DIES, 0, "write a file", NULL, SYS_openat, { AT_FDCWD, ARG("/dev/null"), O_WRONLY } },
#ifdef __x86_64__
	{ ROLES | U, DIES, 0, "call by another architecture's number", NULL, X32_GETPID, { 0 } },
#endif
	{ F | S, EACCES, 0, "open a file", NULL, SYS_openat, { AT_FDCWD, ARG("/etc/passwd"), O_RDONLY | O_CLOEXEC } },
	{ B | H | V | R, EACCES, 1, "open a file outside", NULL, SYS_openat, { AT_FDCWD, ARG("/etc/passwd"), O_RDONLY | O_CLOEXEC } },
	{ B | H | V | R | U | C | N, EACCES, 1, "list the root directory", NULL, SYS_openat, { AT_FDCWD, ARG("/"), O_RDONLY | O_DIRECTORY | O_CLOEXEC } },
	{ B | H | V | R | U, EACCES, 1, "list the programs of the system", NULL, SYS_openat, { AT_FDCWD, ARG("/usr/bin"), O_RDONLY | O_DIRECTORY | O_CLOEXEC } },
	{ V | R, EACCES, 1, "write a file outside", NULL, SYS_openat, { AT_FDCWD, ARG("/dev/null"), O_WRONLY | O_CLOEXEC } },
	{ H, EACCES, 0, "make a Unix socket", NULL, SYS_socket, { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC } },
	{ C | N, EACCES, 0, "make a Unix socket", NULL, SYS_socket, { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC } },
	{ C, EACCES, 0, "make an internet socket", NULL, SYS_socket, { AF_INET, SOCK_STREAM | SOCK_CLOEXEC } },
	{ C | N, EACCES, 0, "make a packet socket", NULL, SYS_socket, { AF_PACKET, SOCK_RAW | SOCK_CLOEXEC } },
	{ H | U, EACCES, 4, "connect to another port", try_other_port, 0, { 0 } },
	{ G | U, EPERM, 6, "signal its parent", try_parent, 0, { 0 } },
	{ G, EACCES, 1, "write into the state directory", try_state, 0, { 0 } },
	{ FOREIGN, EPERM, 0, "trace a process", NULL, SYS_ptrace, { PTRACE_ATTACH, -1 } },
	{ FOREIGN, EPERM, 0, "read another process's memory", NULL, SYS_process_vm_readv, { -1 } },
	{ FOREIGN, EPERM, 0, "use io_uring", NULL, SYS_io_uring_setup, { 0 } },
	{ FOREIGN, EPERM, 0, "load a kernel program", NULL, SYS_bpf, { -1 } },
	{ FOREIGN, EPERM, 0, "make a namespace", NULL, SYS_unshare, { CLONE_NEWUSER } },
	{ FOREIGN, EPERM, 0, "mount a file system", NULL, SYS_mount, { 0 } },
	{ FOREIGN, EPERM, 0, "use a keyring", NULL, SYS_keyctl, { -1 } },
	{ FOREIGN, EPERM, 0, "handle page faults", NULL, SYS_userfaultfd, { -1 } },
	{ H | U | FOREIGN, ENOSYS, 0, "start a process by clone3", NULL, SYS_clone3, { 0 } },
};
/* clang-format on */

static uint16_t other_port(const struct lock_paths *paths)
{
	uint16_t port = 1;

	for (size_t i = 0; i < paths->nconnect_ports; i++)
		if (port == paths->connect_ports[i] || port == paths->connect_port) {
			port++;
			i = (size_t)-1; /* from the beginning */
		}
	return port == paths->connect_port ? (uint16_t)(port + 1) : port;
}

/* Landlock answers before the first packet. */
static int try_other_port(const struct lock_paths *paths)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(other_port(paths))};
	int e, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	e = connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0 ? 0 : errno;
	close(fd);
	return e;
}

/* Signal 0 asks only. */
static int try_parent(const struct lock_paths *paths)
{
	(void)paths;
	return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int try_state(const struct lock_paths *paths)
{
	char path[PATH_TRIED_MAX];
	int n = snprintf(path, sizeof(path), "%s/lockproof", paths->state != NULL ? paths->state : "");

	if (n < 0 || (size_t)n >= sizeof(path))
		return ENAMETOOLONG;
	if (mkdir(path, 0700) != 0)
		return errno;
	rmdir(path);
	return 0;
}

static int act_try(const struct act *a, const struct lock_paths *paths)
{
	if (a->fn != NULL)
		return a->fn(paths);
	return syscall(a->nr, a->args[0], a->args[1], a->args[2], a->args[3], a->args[4], a->args[5]) >= 0 ? 0 : errno;
}

static bool act_applies(const struct act *a, const struct lock_kit *k, bool dies)
{
	return (a->who & LOCK_BIT(k->profile)) != 0 && (a->answer == DIES) == dies && a->abi <= k->abi;
}

static _Noreturn void trial(const struct act *a, const struct lock_kit *k, const struct lock_paths *paths)
{
	if (lock_kit_set(k) != NULL)
		_exit(TRIAL_UNLOCKED);
	(void)act_try(a, paths);
	_exit(TRIAL_PASSED);
}

static void trial_judge(const struct act *a, const struct lock_kit *k, pid_t pid)
{
	const char *profile = lock_profiles[k->profile].name;
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			log_fatal(KG_EXIT_LOCK, "lock %s: a trial child is lost: %s", profile, strerror(errno));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == TRIAL_PASSED)
		log_fatal(KG_EXIT_LOCK, "lock %s does not hold: it could %s", profile, a->what);
	log_fatal(KG_EXIT_LOCK, "lock %s: the trial to %s ended with wait status %d", profile, a->what, status);
}

uint32_t lockproof_children(const struct lock_kit *k, const struct lock_paths *paths)
{
	pid_t pid[sizeof(acts) / sizeof(acts[0])] = {0};
	uint32_t refused = 0;

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (!act_applies(&acts[i], k, true))
			continue;
		pid[i] = fork();
		if (pid[i] < 0)
			log_fatal(KG_EXIT_LOCK, "lock %s: no trial child: %s", lock_profiles[k->profile].name,
				  strerror(errno));
		if (pid[i] == 0)
			trial(&acts[i], k, paths);
		refused++;
	}
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (pid[i] != 0)
			trial_judge(&acts[i], k, pid[i]);
	return refused;
}

/* What the kernel says of the lock itself. */
static void check_state(const char *profile)
{
	static const struct {
		int option, right;
		const char *what;
	} questions[] = {
		{PR_GET_SECCOMP, 2, "the seccomp filter is not set"},
		{PR_GET_NO_NEW_PRIVS, 1, "no_new_privs is not set"},
		{PR_GET_DUMPABLE, 0, "the process is dumpable"},
	};
	struct rlimit core;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (prctl(questions[i].option, 0, 0, 0, 0) != questions[i].right)
			log_fatal(KG_EXIT_LOCK, "lock %s does not hold: %s", profile, questions[i].what);
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		log_fatal(KG_EXIT_LOCK, "lock %s does not hold: cores may be dumped", profile);
}

uint32_t lockproof_self(const struct lock_kit *k, const struct lock_paths *paths)
{
	const char *profile = lock_profiles[k->profile].name;
	uint32_t refused = 0;

	check_state(profile);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		int e;

		if (!act_applies(&acts[i], k, false))
			continue;
		e = act_try(&acts[i], paths);
		if (e == 0)
			log_fatal(KG_EXIT_LOCK, "lock %s does not hold: it could %s", profile, acts[i].what);
		if (e != acts[i].answer)
			log_fatal(KG_EXIT_LOCK, "lock %s: the trial to %s gave \"%s\", not \"%s\"", profile,
				  acts[i].what, strerror(e), strerror(acts[i].answer));
		refused++;
	}
	return refused;
}
