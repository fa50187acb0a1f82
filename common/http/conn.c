/* A connection's life, and what it writes. */
#include "common/http/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void conn_free(struct http_conn *c)
{
	c->server->slots[c->slot] = NULL;
	c->server->used--;
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	buf_free(&c->body);
	explicit_bzero(c, c->server->conn_size);
	free(c);
}

/* Ends the connection; whoever waits for an answer on it is told. */
void conn_end(struct http_conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	if (c->state == HTTP_WAITING || c->state == HTTP_STREAMING)
		c->server->service->gone(c);
	if (!c->in_process)
		conn_free(c);
}

void conn_deadline(struct http_conn *c, unsigned seconds)
{
	c->deadline_ns = loop_now_ns() + seconds * SECOND;
}

/* The client begins to owe us reading: its time for that runs from here. */
void conn_owes(struct http_conn *c)
{
	if (buf_len(&c->out) == 0)
		c->written_ns = loop_now_ns();
}

/* An empty buffer gives back what a large message needed. */
void conn_trim(struct buf *b)
{
	if (buf_len(b) == 0 && b->cap > HTTP_KEEP)
		buf_free(b);
}

/* After a refusal inside a request: what follows cannot be told apart from it. Reads on until the client has seen it.
 */
static void conn_drain(struct http_conn *c)
{
	c->state = HTTP_DRAINING;
	conn_deadline(c, HTTP_DRAIN_S);
	buf_reset(&c->in);
	if (buf_len(&c->out) == 0)
		shutdown(c->fd, SHUT_WR);
}

/* The answer is complete: the next request, or the end. */
void conn_next(struct http_conn *c)
{
	c->server->service->ready(c);
	c->scan = (struct http1_scan){0};
	c->chunks = (struct http1_chunks){0};
	c->chunked = c->bodiless = false;
	c->body_left = 0;
	if (c->close_after) {
		conn_drain(c);
		return;
	}
	c->state = HTTP_HEAD;
	conn_deadline(c, HTTP_IDLE_S);
}

/* Writes what is queued. The connection may be gone afterwards, unless it is in conn_process(). */
void conn_flush(struct http_conn *c)
{
	ssize_t n = 0;

	if (buf_len(&c->out) != 0) {
		n = send(c->fd, buf_ptr(&c->out), buf_len(&c->out), MSG_NOSIGNAL);
		if (n > 0) {
			buf_consume(&c->out, (size_t)n);
			c->written_ns = loop_now_ns();
		}
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn_end(c);
		return;
	}
	if (buf_len(&c->out) != 0) {
		event_add(c->writable, NULL);
		return;
	}
	conn_trim(&c->out);
	/* The times of a connection that owes nothing run from when its last answer had left. */
	if (c->state == HTTP_DRAINING) {
		shutdown(c->fd, SHUT_WR);
		conn_deadline(c, HTTP_DRAIN_S);
	} else if (c->state == HTTP_HEAD && c->scan.at == 0) {
		conn_deadline(c, HTTP_IDLE_S);
	}
}

bool conn_alive(struct http_server *s, uint32_t slot, const struct http_conn *c)
{
	return s->slots[slot] == c;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;
	struct http_server *s = c->server;
	uint32_t slot = c->slot;

	(void)fd, (void)what;
	conn_flush(c);
	/* Requests may have waited for the client to read. */
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the slot tells, the pointer is not followed */
	if (conn_alive(s, slot, c))
		conn_process(c);
}

struct http_conn *http_open(struct http_server *s, int fd, const char *source)
{
	struct http_conn *c = s->used == s->nslots ? NULL : calloc(1, s->conn_size);
	uint32_t slot = 0;

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	while (s->slots[slot] != NULL)
		slot++;
	*c = (struct http_conn){.server = s, .slot = slot, .generation = ++s->generation, .fd = fd, .reading = true};
	s->slots[slot] = c;
	s->used++;
	memcpy(c->source, source, strnlen(source, sizeof(c->source) - 1));
	buf_init(&c->in, HTTP1_HEAD_MAX + s->max_body + 2ul * PIPELINE_MAX);
	buf_init(&c->out, s->out_max);
	buf_init(&c->body, s->max_body);
	s->service->ready(c);
	c->readable = event_new(loop_base(s->loop), fd, EV_READ | EV_PERSIST, conn_on_readable, c);
	c->writable = event_new(loop_base(s->loop), fd, EV_WRITE, on_writable, c);
	conn_deadline(c, HTTP_IDLE_S);
	if (c->readable == NULL || c->writable == NULL || event_add(c->readable, NULL) != 0) {
		conn_free(c);
		return NULL;
	}
	return c;
}

uint64_t http_call(const struct http_conn *c)
{
	return (uint64_t)c->generation << 32 | c->slot;
}

struct http_conn *http_of_call(struct http_server *s, uint64_t call)
{
	uint32_t slot = (uint32_t)call;
	struct http_conn *c = slot < s->nslots ? s->slots[slot] : NULL;

	if (c == NULL || c->dead || http_call(c) != call || (c->state != HTTP_WAITING && c->state != HTTP_STREAMING))
		return NULL;
	return c;
}
