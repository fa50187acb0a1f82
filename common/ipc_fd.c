#include "common/ipc_fd.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_WAIT_MS 1000
#define PASSED_MAX 4

/* Takes the one descriptor that may come; closes whatever else did. */
static int take_passed(struct msghdr *mh, int *passed)
{
	bool breach = (mh->msg_flags & MSG_CTRUNC) != 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (*passed < 0) {
				*passed = fd;
			} else {
				breach = true;
				close(fd);
			}
		}
	}
	if (!breach)
		return 0;
	if (*passed >= 0)
		close(*passed);
	*passed = -1;
	errno = EBADMSG;
	return -1;
}

ssize_t ipc_recv_fd(int fd, void *room, size_t size, int *passed)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	} control;
	struct iovec iov = {room, size};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return n;
	return take_passed(&mh, passed) != 0 ? -1 : n;
}

static ssize_t send_once(int fd, const struct buf *b, int pass_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)buf_ptr(b), buf_len(b)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (pass_fd >= 0) {
		struct cmsghdr *c;

		mh.msg_control = control.bytes;
		mh.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
	}
	return sendmsg(fd, &mh, MSG_NOSIGNAL);
}

int ipc_send_all(int fd, struct buf *b, int pass_fd)
{
	while (buf_len(b) != 0) {
		ssize_t n = send_once(fd, b, pass_fd);

		if (n > 0) {
			buf_consume(b, (size_t)n);
			pass_fd = -1;
		} else if (errno == EAGAIN) {
			struct pollfd p = {fd, POLLOUT, 0};

			if (poll(&p, 1, SEND_WAIT_MS) <= 0)
				return KG_E_IO;
		} else if (errno != EINTR) {
			return KG_E_IO;
		}
	}
	return KG_OK;
}

void ipc_fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}
