/*
 * A connection: whole frames in, checked against the table before a handler sees them;
 * queued frames out, one write per batch.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/ipc_fd.h"
#include "common/ipc_flush.h"
#include "common/ipc_frame.h"
#include "common/log.h"

#define READ_CHUNK 65536u
#define ONCE_ROWS 128

struct ipc_conn {
	struct loop *loop;
	struct ipc_conn *next_dirty;
	int fd;
	enum ipc_role self, peer;
	enum ipc_state state;
	const struct ipc_handlers *handlers;
	void *arg;
	struct event *readable, *writable;
	struct buf in, out;
	int passed_fd; /* received, not yet claimed by its message; or -1 */
	uint64_t once[ONCE_ROWS / 64];
	const char *broken; /* why the connection ends; set where closed() may not be called */
	bool dirty, busy, closing;
};

static void conn_free(struct ipc_conn *c)
{
	struct ipc_conn **p = loop_dirty(c->loop);

	while (*p != NULL && *p != c)
		p = &(*p)->next_dirty;
	if (*p == c)
		*p = c->next_dirty;
	event_free(c->readable);
	event_free(c->writable);
	if (c->passed_fd >= 0)
		close(c->passed_fd);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

void ipc_close(struct ipc_conn *c)
{
	if (c == NULL)
		return;
	c->closing = true;
	if (!c->busy)
		conn_free(c);
}

/* Tells the owner and frees. Only where no handler of this connection is running. */
static void conn_end(struct ipc_conn *c, const char *reason)
{
	if (!c->closing) {
		if (reason != NULL)
			log_warn("%s: connection to %s dropped: %s", ipc_role_name(c->self), ipc_role_name(c->peer),
				 reason);
		c->busy = true;
		c->handlers->closed(c, reason, c->arg);
	}
	conn_free(c);
}

/* Ends the connection from the loop, not from under the caller's feet. */
static void conn_break(struct ipc_conn *c, const char *reason)
{
	if (c->broken == NULL)
		c->broken = reason;
	event_active(c->readable, EV_READ, 0);
}

/* Whether this row may come now on this connection; marks ONCE rows. */
static const char *row_refusal(struct ipc_conn *c, const struct ipc_msg_info *m)
{
	size_t n, row = (size_t)(m - ipc_messages(&n));
	uint64_t bit = 1ull << (row % 64);

	if ((m->from & c->peer) == 0 || (m->to & c->self) == 0)
		return "a message that this peer may not send";
	if ((m->states & c->state) == 0)
		return "a message in the wrong state";
	if ((m->flags & IPC_ONCE) != 0) {
		if (row >= ONCE_ROWS || (c->once[row / 64] & bit) != 0)
			return "a message that may come once came twice";
		c->once[row / 64] |= bit;
	}
	return NULL;
}

static const struct ipc_op *op_find(const struct ipc_handlers *h, enum ipc_type type)
{
	for (size_t i = 0; i < h->nops; i++)
		if (h->ops[i].type == type)
			return &h->ops[i];
	return NULL;
}

/* One whole frame: table, decode, handler. The reason to drop the connection, or NULL. */
static const char *conn_dispatch(struct ipc_conn *c, const struct ipc_msg_info *m, const uint8_t *body, size_t len)
{
	union ipc_any msg;
	const struct ipc_op *op = op_find(c->handlers, m->type);
	const char *why = row_refusal(c, m);
	int fd = -1;

	if (why != NULL)
		return why;
	if (op == NULL)
		return "a message that is not for this process";
	if (ipc_decode(m->type, body, len, &msg) != KG_OK)
		return "a malformed message";
	if ((m->flags & IPC_FD) != 0) {
		fd = c->passed_fd;
		c->passed_fd = -1;
		if (fd < 0)
			return "a message without its descriptor";
	}
	if (op->run(c, &msg, fd, c->arg) != KG_OK)
		return "a message that its handler refused";
	return NULL;
}

static const char *conn_frames(struct ipc_conn *c)
{
	struct ipc_frame f;
	const char *why;

	while (!c->closing && buf_len(&c->in) >= IPC_HEADER_LEN) {
		why = ipc_frame_header(buf_ptr(&c->in), &f);
		if (why != NULL)
			return why;
		if (buf_len(&c->in) < IPC_HEADER_LEN + f.body_len)
			break;
		why = conn_dispatch(c, f.info, buf_ptr(&c->in) + IPC_HEADER_LEN, f.body_len);
		if (why != NULL)
			return why;
		buf_consume(&c->in, IPC_HEADER_LEN + f.body_len);
	}
	if (c->passed_fd >= 0 && buf_len(&c->in) == 0)
		return "a descriptor without its message";
	return NULL;
}

/* How much to read: the rest of a frame that has begun, or a chunk. */
static size_t read_size(const struct ipc_conn *c)
{
	struct ipc_frame f;
	size_t have = buf_len(&c->in);

	if (have >= IPC_HEADER_LEN && ipc_frame_header(buf_ptr(&c->in), &f) == NULL &&
	    f.body_len + IPC_HEADER_LEN > have) {
		size_t rest = f.body_len + IPC_HEADER_LEN - have;

		return rest > READ_CHUNK ? rest : READ_CHUNK;
	}
	return READ_CHUNK;
}

/* Reads once. 1: bytes came; 0: nothing to read; -1 with *why (NULL: the peer closed). */
static int conn_fill(struct ipc_conn *c, const char **why)
{
	size_t want = read_size(c);
	uint8_t *room;
	ssize_t n;

	*why = "out of memory";
	if (buf_reserve(&c->in, want, &room) != KG_OK)
		return -1;
	/* Only a parent passes descriptors; from anybody else they are never even received. */
	n = c->peer == IPC_ROLE_PARENT ? ipc_recv_fd(c->fd, room, want, &c->passed_fd) : read(c->fd, room, want);
	if (n > 0) {
		buf_commit(&c->in, (size_t)n);
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	*why = n == 0 || errno == ECONNRESET ? NULL : "reading failed";
	return -1;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ipc_conn *c = arg;
	const char *why = c->broken;
	int r;

	(void)fd, (void)what;
	if (why != NULL) {
		conn_end(c, why);
		return;
	}
	r = conn_fill(c, &why);
	if (r < 0) {
		conn_end(c, why);
		return;
	}
	if (r == 0)
		return;
	c->busy = true;
	why = conn_frames(c);
	c->busy = false;
	if (why != NULL || c->closing)
		conn_end(c, why);
}

static void conn_write(struct ipc_conn *c)
{
	ssize_t n = send(c->fd, buf_ptr(&c->out), buf_len(&c->out), MSG_NOSIGNAL);

	if (n >= 0)
		buf_consume(&c->out, (size_t)n);
	else if (errno == EPIPE || errno == ECONNRESET)
		buf_reset(&c->out); /* the end is read, after what the peer still said */
	else if (errno != EAGAIN && errno != EINTR)
		conn_break(c, "writing failed");
	if (buf_len(&c->out) != 0 && c->broken == NULL && event_add(c->writable, NULL) != 0)
		conn_break(c, "the loop refused an event");
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	conn_write(arg);
}

void ipc_flush(struct ipc_conn **head)
{
	struct ipc_conn *c;

	while ((c = *head) != NULL) {
		*head = c->next_dirty;
		c->dirty = false;
		if (buf_len(&c->out) != 0 && !event_pending(c->writable, EV_WRITE, NULL))
			conn_write(c);
	}
}

struct ipc_conn *ipc_open(struct loop *l, int fd, enum ipc_role self, enum ipc_role peer, enum ipc_state state,
			  const struct ipc_handlers *h, void *arg)
{
	struct ipc_conn *c = calloc(1, sizeof(*c));
	int flags = fcntl(fd, F_GETFL);

	if (c == NULL)
		log_fatal(KG_EXIT_FAILURE, "connection to %s: out of memory", ipc_role_name(peer));
	*c = (struct ipc_conn){.loop = l,
			       .fd = fd,
			       .self = self,
			       .peer = peer,
			       .state = state,
			       .handlers = h,
			       .arg = arg,
			       .passed_fd = -1};
	buf_init(&c->in, IPC_FRAME_MAX + READ_CHUNK);
	buf_init(&c->out, IPC_QUEUE_MAX);
	c->readable = event_new(loop_base(l), fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(loop_base(l), fd, EV_WRITE, on_writable, c);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || c->readable == NULL || c->writable == NULL ||
	    event_add(c->readable, NULL) != 0)
		log_fatal(KG_EXIT_FAILURE, "connection to %s: cannot be served", ipc_role_name(peer));
	return c;
}

static void conn_mark(struct ipc_conn *c)
{
	struct ipc_conn **head = loop_dirty(c->loop);

	if (c->dirty)
		return;
	c->dirty = true;
	c->next_dirty = *head;
	*head = c;
}

int ipc_send(struct ipc_conn *c, enum ipc_type type, const void *msg)
{
	int r;

	if (c->closing || c->broken != NULL)
		return KG_E_STATE;
	r = ipc_encode(&c->out, type, msg);
	if (r != KG_OK) {
		conn_break(c, r == KG_E_LIMIT ? "too much is queued, or a field is too long"
					      : "a message cannot be encoded");
		return r;
	}
	conn_mark(c);
	return KG_OK;
}

int ipc_send_fd(struct ipc_conn *c, enum ipc_type type, const void *msg, int fd)
{
	int r;

	if (c->closing || c->broken != NULL)
		return KG_E_STATE;
	/* What was queued before goes before: the descriptor travels with its own bytes. */
	r = ipc_send_all(c->fd, &c->out, -1);
	if (r == KG_OK)
		r = ipc_encode(&c->out, type, msg);
	if (r == KG_OK)
		r = ipc_send_all(c->fd, &c->out, fd);
	if (r != KG_OK)
		conn_break(c, "a descriptor could not be passed");
	return r;
}

void ipc_set_state(struct ipc_conn *c, enum ipc_state state)
{
	c->state = state;
}

void *ipc_arg(const struct ipc_conn *c)
{
	return c->arg;
}

int ipc_fd(const struct ipc_conn *c)
{
	return c->fd;
}

size_t ipc_queued(const struct ipc_conn *c)
{
	return buf_len(&c->out);
}
