/* The sandbox of stdio servers: what programs need, what they must not reach, and our own state. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config.h"
#include "common/landlock.h"
#include "common/lock.h"
#include "tests/unit/unit.h"

#define ROLE_FD 50

static char root[] = "/tmp/keepgate-sandbox-XXXXXX";

/* A path below the test's directory; four at a time. */
static const char *at(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *p = paths[next++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", root, name);
	return p;
}

static void make_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		exit(1);
	close(fd);
}

static void make_dir(const char *name)
{
	if (mkdir(at(name), 0700) != 0)
		exit(1);
}

static int status_of(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Locks a child as this server and runs fn, or the server's own program when fn is NULL. */
static int inside(const struct config_server *s, int (*fn)(void))
{
	char *argv[8] = {NULL};
	pid_t pid = fork();

	if (pid != 0)
		return status_of(pid);
	dup2(open("/dev/null", O_RDWR), STDOUT_FILENO);
	if (getenv("KEEPGATE_TEST_LOUD") == NULL)
		dup2(STDOUT_FILENO, STDERR_FILENO);
	lock_early(STDERR_FILENO);
	dup2(STDOUT_FILENO, ROLE_FD);
	if (chdir(s->cwd) != 0)
		_exit(99);
	lock_stdio_child(s, 0);
	if (fn != NULL)
		_exit(fn());
	argv[0] = (char *)(uintptr_t)s->command;
	for (size_t i = 0; i < s->nargs; i++)
		argv[i + 1] = (char *)(uintptr_t)s->args[i];
	execvp(argv[0], argv);
	_exit(98);
}

static int refused(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : errno;
}

static int reads_nothing_else(void)
{
	return refused(at("secret"), O_RDONLY) == EACCES && refused("/etc/shadow", O_RDONLY) == EACCES &&
			       refused("/", O_RDONLY | O_DIRECTORY) == EACCES && refused(root, O_RDONLY) == EACCES &&
			       refused(at("new"), O_WRONLY | O_CREAT) == EACCES &&
			       refused("/tmp/x", O_WRONLY | O_CREAT) == EACCES
		       ? 0
		       : 1;
}

static int reads_system(void)
{
	return refused("/etc/passwd", O_RDONLY) == 0 && refused("/usr/bin/env", O_RDONLY) == 0 &&
			       refused("/dev/null", O_RDWR) == 0 && refused("/proc/self/stat", O_RDONLY) == 0
		       ? 0
		       : 1;
}

static int lists_hold(void)
{
	return refused(at("data/in"), O_RDONLY) == 0 && refused(at("data/in"), O_WRONLY) == EACCES &&
			       refused(at("work/out"), O_RDWR | O_CREAT) == 0 &&
			       refused(at("secret"), O_RDONLY) == EACCES
		       ? 0
		       : 1;
}

static int parent_is_out_of_reach(void)
{
	char mem[64];

	snprintf(mem, sizeof(mem), "/proc/%d/mem", (int)getppid());
	return refused(mem, O_RDONLY) == EACCES && kill(getppid(), 0) != 0 ? 0 : 1;
}

static int has_no_network(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES && socket(AF_INET6, SOCK_DGRAM, 0) < 0 &&
			       syscall(SYS_socket, (1ul << 32) | AF_INET, SOCK_STREAM, 0) < 0
		       ? 0
		       : 1;
}

static int has_network(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 && socket(AF_INET6, SOCK_DGRAM, 0) >= 0 ? 0 : 1;
}

static int has_no_other_family(void)
{
	for (int family = 0; family < 64; family++)
		if (family != AF_INET && family != AF_INET6 && (socket(family, SOCK_STREAM, 0) >= 0 || errno != EACCES))
			return 1;
	return syscall(SYS_socket, (1ul << 32) | AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES ? 0 : 2;
}

static int has_pairs_and_threads(void)
{
	int pair[2];
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && status_of(pid) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 ? 0 : 1;
}

/* Descriptors of the role do not outlive the exec. */
static int descriptors_close(void)
{
	return (fcntl(ROLE_FD, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(STDERR_FILENO, F_GETFD) & FD_CLOEXEC) == 0 ? 0 : 1;
}

static void test_defaults(void)
{
	struct config_server s = {.name = "t", .command = "/bin/true", .cwd = "/"};

	if (landlock_abi() > 0) {
		CHECK(inside(&s, reads_nothing_else) == 0);
		CHECK(inside(&s, parent_is_out_of_reach) == 0);
	}
	CHECK(inside(&s, reads_system) == 0);
	CHECK(inside(&s, has_no_network) == 0);
	CHECK(inside(&s, has_pairs_and_threads) == 0);
	CHECK(inside(&s, descriptors_close) == 0);
	CHECK(inside(&s, NULL) == 0);
}

static void test_network(void)
{
	struct config_server s = {.name = "t", .command = "/bin/true", .cwd = "/", .sandbox_network = true};

	CHECK(inside(&s, has_network) == 0);
	CHECK(inside(&s, has_no_other_family) == 0);
}

static void test_lists(void)
{
	char data[256], work[256];
	const char *read[] = {data, "/nonexistent"}, *write[] = {work};
	struct config_server s = {.name = "t",
				  .command = "/bin/true",
				  .cwd = "/",
				  .sandbox_read = read,
				  .nsandbox_read = 2,
				  .sandbox_write = write,
				  .nsandbox_write = 1};

	snprintf(data, sizeof(data), "%s", at("data"));
	snprintf(work, sizeof(work), "%s", at("work"));
	if (landlock_abi() > 0)
		CHECK(inside(&s, lists_hold) == 0);
	unlink(at("work/out"));
}

/* A script below its package, its imports above it, its data among the arguments. */
static void test_node(void)
{
	char script[256], input[256];
	const char *args[] = {script, input};
	struct config_server s = {.name = "t", .command = "node", .cwd = "/", .args = args, .nargs = 2};

	snprintf(script, sizeof(script), "%s", at("app/node_modules/server/dist/index.js"));
	snprintf(input, sizeof(input), "%s", at("data/in"));
	CHECK(inside(&s, NULL) == 7);
}

static void test_script_without_package(void)
{
	const char *args[] = {"main.sh"};
	struct config_server s = {.name = "t", .command = "sh", .cwd = at("work"), .args = args, .nargs = 1};

	CHECK(inside(&s, NULL) == 5);
}

static void test_reaches(void)
{
	char vault[256], found[LOCK_PATH_MAX], place[256];
	const char *list[] = {place}, *args[] = {"--root=/"};
	struct config_server s = {.name = "t", .command = "/bin/true", .cwd = "/", .sandbox_read = list};

	snprintf(vault, sizeof(vault), "%s", at("state/vault"));
	CHECK(lock_stdio_reaches(&s, vault, found) == KG_OK);
	CHECK(lock_stdio_reaches(&s, at("nothing"), found) == KG_OK);
	s.nsandbox_read = 1;
	snprintf(place, sizeof(place), "%s", at("data"));
	CHECK(lock_stdio_reaches(&s, vault, found) == KG_OK);
	/* A name that merely begins alike. */
	snprintf(place, sizeof(place), "%s", at("state/vault-not"));
	CHECK(lock_stdio_reaches(&s, vault, found) == KG_OK);
	snprintf(place, sizeof(place), "%s", root);
	CHECK(lock_stdio_reaches(&s, vault, found) == KG_E_DENIED && strcmp(found, root) == 0);
	snprintf(place, sizeof(place), "%s", at("state/vault"));
	CHECK(lock_stdio_reaches(&s, vault, found) == KG_E_DENIED);
	snprintf(place, sizeof(place), "%s", at("state/vault/key"));
	CHECK(lock_stdio_reaches(&s, vault, found) == KG_E_DENIED);
	/* A link leads there, too. */
	snprintf(place, sizeof(place), "%s", at("link"));
	CHECK(lock_stdio_reaches(&s, vault, found) == KG_E_DENIED);
	s = (struct config_server){.name = "t", .command = "/bin/true", .cwd = "/", .args = args, .nargs = 1};
	CHECK(lock_stdio_reaches(&s, vault, found) == KG_E_DENIED);
}

/* What it may only read, it cannot change. */
static void test_writes(void)
{
	char found[LOCK_PATH_MAX], data[256];
	const char *list[] = {data};
	struct config_server s = {
		.name = "t", .command = "/bin/true", .cwd = "/", .sandbox_read = list, .nsandbox_read = 1};

	snprintf(data, sizeof(data), "%s", at("data"));
	CHECK(lock_stdio_reaches(&s, data, found) == KG_E_DENIED && lock_stdio_writes(&s, data, found) == KG_OK);
	s = (struct config_server){
		.name = "t", .command = "/bin/true", .cwd = "/", .sandbox_write = list, .nsandbox_write = 1};
	CHECK(lock_stdio_writes(&s, data, found) == KG_E_DENIED && lock_stdio_writes(&s, at("work"), found) == KG_OK);
}

static void make_tree(void)
{
	static const char *const dirs[] = {"data",
					   "work",
					   "app",
					   "app/node_modules",
					   "app/node_modules/server",
					   "app/node_modules/server/dist",
					   "app/node_modules/dep",
					   "state",
					   "state/vault",
					   "state/vault-not"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		make_dir(dirs[i]);
	make_file("secret", "s", 0644);
	make_file("data/in", "7", 0644);
	make_file("state/vault/key", "k", 0600);
	make_file("work/main.sh", "exit 5\n", 0644);
	make_file("app/secret", "s", 0644);
	make_file("app/node_modules/server/package.json", "{\"name\":\"server\",\"main\":\"dist/index.js\"}", 0644);
	make_file("app/node_modules/dep/index.js", "exports.number = (file) => +require('fs').readFileSync(file);",
		  0644);
	make_file("app/node_modules/server/dist/index.js",
		  "const dep = require('dep'), fs = require('fs');\n"
		  "try { fs.readFileSync(__dirname + '/../../../secret'); process.exit(1); }\n"
		  "catch (e) { if (e.code !== 'EACCES') process.exit(2); }\n"
		  "process.exit(dep.number(process.argv[2]));\n",
		  0644);
	if (symlink(at("state"), at("link")) != 0)
		exit(1);
}

int main(void)
{
	char *rm[] = {"rm", "-rf", root, NULL};

	if (mkdtemp(root) == NULL)
		return 1;
	make_tree();
	RUN(test_defaults);
	RUN(test_network);
	RUN(test_lists);
	RUN(test_script_without_package);
	RUN(test_reaches);
	RUN(test_writes);
	if (access("/usr/bin/node", X_OK) != 0)
		SKIP(test_node, "there is no node");
	else if (landlock_abi() == 0)
		SKIP(test_node, "there is no Landlock");
	else
		RUN(test_node);
	if (fork() == 0)
		execv("/bin/rm", rm);
	wait(NULL);
	return unit_end();
}
