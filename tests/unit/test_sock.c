/* Unix sockets: modes, dead and live socket files, who is there. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sock.h"
#include "tests/unit/unit.h"

#define NAME "vault-broker.sock"
#define OTHER_UID 12345

static char dir[] = "/tmp/keepgate-sock-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void test_listen_and_connect(void)
{
	int l = sock_listen(dir, NAME), c, a;
	struct stat st;
	char got = 0;

	CHECK(l >= 0 && stat(path_of(NAME), &st) == 0 && (st.st_mode & 0777) == 0660);
	CHECK((fcntl(l, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(l, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(sock_accept(l, getuid()) == KG_E_IO && errno == EAGAIN);
	c = sock_connect(dir, NAME);
	a = sock_accept(l, getuid());
	CHECK(c >= 0 && a >= 0);
	CHECK((fcntl(c, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(a, F_GETFL) & O_NONBLOCK) != 0);
	CHECK((fcntl(c, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(a, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(write(c, "x", 1) == 1 && read(a, &got, 1) == 1 && got == 'x');
	close(a);
	close(c);
	close(l);
}

/* A killed daemon's file is replaced, a living one's is not. */
static void test_stale_and_live(void)
{
	int l = sock_listen(dir, NAME), again;

	CHECK(l >= 0);
	CHECK(sock_listen(dir, NAME) == KG_E_EXISTS);
	CHECK(access(path_of(NAME), F_OK) == 0);
	close(l);
	CHECK(sock_connect(dir, NAME) == KG_E_UNAVAILABLE);
	again = sock_listen(dir, NAME);
	CHECK(again >= 0);
	close(again);
	unlink(path_of(NAME));
	CHECK(sock_connect(dir, NAME) == KG_E_UNAVAILABLE);
}

static void test_long_path(void)
{
	char deep[200];

	memset(deep, 'a', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	CHECK(sock_listen(deep, NAME) == KG_E_LIMIT);
	CHECK(sock_connect(deep, NAME) == KG_E_LIMIT);
	CHECK(sock_listen("/nonexistent", NAME) == KG_E_IO);
}

static void connect_as(uid_t uid)
{
	int fd;

	if (setuid(uid) != 0)
		_exit(1);
	fd = sock_connect(dir, NAME);
	_exit(fd < 0 ? 1 : 0);
}

/* The kernel names the peer: our own user and the one that is allowed, nobody else. */
static void test_peer(void)
{
	int l = sock_listen(dir, NAME), status, a;

	chmod(dir, 0755);
	chmod(path_of(NAME), 0666);
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid == 0)
			connect_as(OTHER_UID);
		waitpid(pid, &status, 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		a = sock_accept(l, i == 0 ? getuid() : OTHER_UID);
		CHECK(i == 0 ? a == KG_E_DENIED : a >= 0);
		if (a >= 0)
			close(a);
	}
	close(l);
	unlink(path_of(NAME));
}

static void test_pair(void)
{
	int pair[2];

	CHECK(sock_pair(pair) == KG_OK);
	for (int i = 0; i < 2; i++) {
		CHECK((fcntl(pair[i], F_GETFL) & O_NONBLOCK) != 0 && (fcntl(pair[i], F_GETFD) & FD_CLOEXEC) != 0);
		close(pair[i]);
	}
}

int main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	RUN(test_listen_and_connect);
	RUN(test_stale_and_live);
	RUN(test_long_path);
	RUN(test_pair);
	if (getuid() == 0)
		RUN(test_peer);
	else
		SKIP(test_peer, "only root can become another user");
	rmdir(dir);
	return unit_end();
}
