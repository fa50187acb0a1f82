/* One message at a time, for start-up and for commands. */
#include <errno.h>
#include <poll.h>

#include "common/ipc.h"
#include "common/ipc_fd.h"
#include "common/ipc_frame.h"

int ipc_write_blocking(int fd, enum ipc_type type, const void *msg, int pass_fd)
{
	struct buf b;
	int r;

	buf_init(&b, IPC_FRAME_MAX);
	r = ipc_encode(&b, type, msg);
	if (r == KG_OK)
		r = ipc_send_all(fd, &b, pass_fd);
	buf_free(&b);
	return r;
}

static int now_ms(void)
{
	return (int)(loop_now_ns() / 1000000ull % 1000000000ull);
}

/* Reads exactly n more bytes, not one further: what follows belongs to the next reader. */
static int read_exactly(int fd, struct buf *store, size_t n, int deadline_ms, int *passed)
{
	while (n > 0) {
		struct pollfd p = {fd, POLLIN, 0};
		int left = deadline_ms - now_ms();
		uint8_t *room;
		ssize_t got;

		if (left <= 0 || (poll(&p, 1, left) == 0))
			return KG_E_UNAVAILABLE;
		if (buf_reserve(store, n, &room) != KG_OK)
			return KG_E_NOMEM;
		got = ipc_recv_fd(fd, room, n, passed);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return KG_E_IO;
		if (got > 0) {
			buf_commit(store, (size_t)got);
			n -= (size_t)got;
		}
	}
	return KG_OK;
}

int ipc_read_blocking(int fd, int timeout_ms, struct buf *store, enum ipc_type *type, union ipc_any *msg, int *fd_out)
{
	int deadline = now_ms() + timeout_ms, passed = -1, r;
	struct ipc_frame f;

	buf_reset(store);
	r = read_exactly(fd, store, IPC_HEADER_LEN, deadline, &passed);
	if (r == KG_OK && ipc_frame_header(buf_ptr(store), &f) != NULL)
		r = KG_E_PROTO;
	if (r == KG_OK) {
		buf_reset(store);
		r = read_exactly(fd, store, f.body_len, deadline, &passed);
	}
	if (r == KG_OK)
		r = ipc_decode(f.info->type, buf_ptr(store), f.body_len, msg);
	if (r != KG_OK) {
		ipc_fd_close(passed);
		return r;
	}
	*type = f.info->type;
	*fd_out = passed;
	return KG_OK;
}
