#include "common/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
#define SOCK_MODE 0660

static int sock_address(const char *run_dir, const char *name, struct sockaddr_un *out)
{
	int n;

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s", run_dir, name);
	if (n < 0 || (size_t)n >= sizeof(out->sun_path)) {
		errno = ENAMETOOLONG;
		return KG_E_LIMIT;
	}
	return KG_OK;
}

static int sock_make(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool sock_answers(const struct sockaddr_un *sa)
{
	int fd = sock_make();
	bool answers = fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0;

	if (fd >= 0)
		close(fd);
	return answers;
}

static int sock_bind(int fd, const struct sockaddr_un *sa)
{
	mode_t mask;
	int r;

	/* A file that nobody answers is what a killed daemon left behind. */
	if (access(sa->sun_path, F_OK) == 0) {
		if (sock_answers(sa))
			return KG_E_EXISTS;
		unlink(sa->sun_path);
	}
	mask = umask(0777 & ~SOCK_MODE);
	r = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));
	umask(mask);
	if (r != 0 || listen(fd, BACKLOG) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return KG_E_IO;
	return KG_OK;
}

int sock_listen(const char *run_dir, const char *name)
{
	struct sockaddr_un sa;
	int fd, r = sock_address(run_dir, name, &sa);

	if (r != KG_OK)
		return r;
	fd = sock_make();
	if (fd < 0)
		return KG_E_IO;
	r = sock_bind(fd, &sa);
	if (r != KG_OK) {
		int saved = errno;

		close(fd);
		errno = saved;
		return r;
	}
	return fd;
}

int sock_connect(const char *run_dir, const char *name)
{
	struct sockaddr_un sa;
	int fd, r = sock_address(run_dir, name, &sa);

	if (r != KG_OK)
		return r;
	fd = sock_make();
	if (fd < 0)
		return KG_E_IO;
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return saved == ENOENT || saved == ECONNREFUSED ? KG_E_UNAVAILABLE : KG_E_IO;
	}
	return fd;
}

int sock_accept(int listen_fd, uid_t uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	/* cppcheck-suppress nullPointer ; nobody needs the address of a unix socket's client */
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return KG_E_IO;
	/* The kernel says who it is, not the peer. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || (peer.uid != getuid() && peer.uid != uid)) {
		close(fd);
		return KG_E_DENIED;
	}
	return fd;
}

int sock_pair(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd) == 0 ? KG_OK : KG_E_IO;
}
