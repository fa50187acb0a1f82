#include "gatewayd/front/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/front/mcp.h"
#include "gatewayd/front/respond.h"

#define READ_CHUNK 16384u
#define READ_MOST 65536u
#define PIPELINE_MAX 65536u
#define SECOND 1000000000ull

static void conn_free(struct conn *c)
{
	c->front->slots[c->slot] = NULL;
	c->front->used--;
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	buf_free(&c->body);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

/* Ends the connection; whoever waits for an answer on it is told. */
static void conn_end(struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	if (c->state == CONN_WAITING || c->state == CONN_STREAMING)
		mcp_gone(c);
	if (!c->in_process)
		conn_free(c);
}

static void conn_deadline(struct conn *c, unsigned seconds)
{
	c->deadline_ns = loop_now_ns() + seconds * SECOND;
}

/* The client begins to owe us reading: its time for that runs from here. */
static void conn_owes(struct conn *c)
{
	if (buf_len(&c->out) == 0)
		c->written_ns = loop_now_ns();
}

/* An empty buffer gives back what a large message needed. */
static void trim(struct buf *b)
{
	if (buf_len(b) == 0 && b->cap > CONN_KEEP)
		buf_free(b);
}

/* After a refusal inside a request: what follows cannot be told apart from it. Reads on until the client has seen it.
 */
static void conn_drain(struct conn *c)
{
	c->state = CONN_DRAINING;
	conn_deadline(c, CONN_DRAIN_S);
	buf_reset(&c->in);
	if (buf_len(&c->out) == 0)
		shutdown(c->fd, SHUT_WR);
}

static void conn_flush(struct conn *c);

static void conn_refuse(struct conn *c, int status)
{
	c->close_after = true;
	respond_plain(c, status);
}

/* The answer is complete: the next request, or the end. */
static void conn_next(struct conn *c)
{
	explicit_bzero(&c->head, sizeof(c->head));
	c->request = (struct open_request){0};
	c->scan = (struct http1_scan){0};
	c->chunks = (struct http1_chunks){0};
	c->chunked = false;
	c->body_left = 0;
	if (c->close_after) {
		conn_drain(c);
		return;
	}
	c->state = CONN_HEAD;
	conn_deadline(c, CONN_IDLE_S);
}

/* A head: 1 when the state moved on, 0 when more bytes are needed. */
static int step_head(struct conn *c)
{
	const char *text = (const char *)buf_ptr(&c->in);
	struct http1_head head;
	int r;

	if (buf_len(&c->in) == 0)
		return 0;
	if (c->scan.at == 0)
		conn_deadline(c, CONN_HEAD_S);
	r = http1_scan_head(&c->scan, text, buf_len(&c->in));
	if (r == 0)
		return 0;
	if (r == 1)
		r = http1_parse_head(text, c->scan.at, &head);
	if (r == 0 && head.has_length && head.length > c->front->role.config->max_body)
		r = 413;
	if (r != 0) {
		conn_refuse(c, r);
		return 1;
	}
	mcp_head(c, &head);
	c->chunked = head.chunked;
	c->body_left = head.has_length ? (size_t)head.length : 0;
	c->close_after = head.close;
	buf_consume(&c->in, c->scan.at);
	c->state = CONN_BODY;
	conn_deadline(c, CONN_BODY_S);
	if (head.expect_continue && buf_len(&c->in) == 0 && c->head.refused == 0) {
		respond_continue(c);
		conn_flush(c);
	}
	return 1;
}

/* The body is not all there. What was refused by its head is not waited for, nor asked for (RFC 9110, section 10.1.1).
 */
static int body_unfinished(struct conn *c)
{
	if (c->head.refused == 0)
		return 0;
	c->close_after = true;
	c->state = CONN_WAITING;
	buf_reset(&c->body);
	mcp_body(c, "", 0);
	return 1;
}

/* A body: 1 when it was complete and has been handled. */
static int step_body(struct conn *c)
{
	size_t len = c->body_left, used;
	int r;

	if (!c->chunked) {
		if (buf_len(&c->in) < len)
			return body_unfinished(c);
		c->state = CONN_WAITING;
		mcp_body(c, (const char *)buf_ptr(&c->in), len);
		/* A refusal may have thrown all input away already. */
		if (len != 0 && c->state != CONN_DRAINING)
			buf_consume(&c->in, len);
		return 1;
	}
	r = http1_chunks_feed(&c->chunks, (const char *)buf_ptr(&c->in), buf_len(&c->in), &c->body, &used);
	if (used != 0)
		buf_consume(&c->in, used);
	if (r == 0)
		return body_unfinished(c);
	if (r != 1) {
		conn_refuse(c, r);
		return 1;
	}
	c->state = CONN_WAITING;
	mcp_body(c, (const char *)buf_ptr(&c->body), buf_len(&c->body));
	buf_reset(&c->body);
	trim(&c->body);
	return 1;
}

/* While an answer is awaited, or unread, only so much of the next request is taken in. */
static void conn_set_reading(struct conn *c)
{
	bool busy = c->state == CONN_WAITING || c->state == CONN_STREAMING || buf_len(&c->out) > CONN_OUT_HIGH;
	bool on = !busy || buf_len(&c->in) <= PIPELINE_MAX;

	if (on == c->reading)
		return;
	if ((on ? event_add(c->readable, NULL) : event_del(c->readable)) == 0)
		c->reading = on;
}

/* Goes as far as the bytes that are there allow. */
static void conn_process(struct conn *c)
{
	int moved = 1;

	if (c->in_process)
		return;
	c->in_process = true;
	while (moved && !c->dead) {
		if (c->state == CONN_HEAD && buf_len(&c->out) > CONN_OUT_HIGH)
			moved = 0;
		else if (c->state == CONN_HEAD)
			moved = step_head(c);
		else if (c->state == CONN_BODY)
			moved = step_body(c);
		else
			moved = 0;
	}
	c->in_process = false;
	if (c->dead) {
		conn_free(c);
		return;
	}
	trim(&c->in);
	conn_set_reading(c);
}

/* How much to read at once: more as more has come, never what was merely announced. */
static size_t read_size(const struct conn *c)
{
	size_t have = buf_len(&c->in), left = c->state == CONN_BODY && c->body_left > have ? c->body_left - have : 0;
	size_t most = have > READ_MOST ? have : READ_MOST;

	if (left < READ_CHUNK)
		return READ_CHUNK;
	return left < most ? left : most;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	size_t want = read_size(c);
	uint8_t *room;
	ssize_t n;

	(void)what;
	if (buf_reserve(&c->in, want, &room) != KG_OK) {
		conn_end(c);
		return;
	}
	n = read(fd, room, want);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_end(c);
		return;
	}
	buf_commit(&c->in, (size_t)n);
	if (c->state == CONN_DRAINING)
		buf_reset(&c->in);
	else
		conn_process(c);
}

/* Writes what is queued. The connection may be gone afterwards, unless it is in conn_process(). */
static void conn_flush(struct conn *c)
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
	trim(&c->out);
	/* The times of a connection that owes nothing run from when its last answer had left. */
	if (c->state == CONN_DRAINING) {
		shutdown(c->fd, SHUT_WR);
		conn_deadline(c, CONN_DRAIN_S);
	} else if (c->state == CONN_HEAD && c->scan.at == 0) {
		conn_deadline(c, CONN_IDLE_S);
	}
}

static bool conn_alive(struct front *f, uint32_t slot, const struct conn *c)
{
	return f->slots[slot] == c;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct front *f = c->front;
	uint32_t slot = c->slot;

	(void)fd, (void)what;
	conn_flush(c);
	/* Requests may have waited for the client to read. */
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the slot tells, the pointer is not followed */
	if (conn_alive(f, slot, c))
		conn_process(c);
}

struct conn *conn_open(struct front *f, int fd, const char *source)
{
	struct conn *c = f->used == f->nslots ? NULL : calloc(1, sizeof(*c));
	uint32_t slot = 0;

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	while (f->slots[slot] != NULL)
		slot++;
	*c = (struct conn){.front = f, .slot = slot, .generation = ++f->generation, .fd = fd, .reading = true};
	f->slots[slot] = c;
	f->used++;
	memcpy(c->source, source, strnlen(source, sizeof(c->source) - 1));
	buf_init(&c->in, HTTP1_HEAD_MAX + f->role.config->max_body + 2 * PIPELINE_MAX);
	buf_init(&c->out, CONN_OUT_MAX);
	buf_init(&c->body, f->role.config->max_body);
	c->readable = event_new(loop_base(f->role.loop), fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(loop_base(f->role.loop), fd, EV_WRITE, on_writable, c);
	conn_deadline(c, CONN_IDLE_S);
	if (c->readable == NULL || c->writable == NULL || event_add(c->readable, NULL) != 0) {
		conn_free(c);
		return NULL;
	}
	return c;
}

uint64_t conn_call(const struct conn *c)
{
	return (uint64_t)c->generation << 32 | c->slot;
}

struct conn *conn_of_call(struct front *f, uint64_t call)
{
	uint32_t slot = (uint32_t)call;
	struct conn *c = slot < f->nslots ? f->slots[slot] : NULL;

	if (c == NULL || c->dead || conn_call(c) != call || (c->state != CONN_WAITING && c->state != CONN_STREAMING))
		return NULL;
	return c;
}

/* The request is answered. A call's id is used once: a late second answer finds nobody. */
static void conn_answered(struct conn *c)
{
	c->generation = ++c->front->generation;
	conn_next(c);
	conn_flush(c);
	/* Not when conn_process() called us (it goes on itself), nor when the flush ended the connection. */
}

static void conn_finish(struct conn *c)
{
	struct front *f = c->front;
	uint32_t slot = c->slot;

	conn_answered(c);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the slot tells first */
	if (conn_alive(f, slot, c) && !c->dead)
		conn_process(c);
}

void conn_respond(struct conn *c, int status, const char *type, const char *fields, const void *body, size_t len)
{
	conn_owes(c);
	if (respond_head(c, status, type, fields, len) != KG_OK || buf_put(&c->out, body, len) != KG_OK) {
		conn_end(c);
		return;
	}
	conn_finish(c);
}

void conn_stream_begin(struct conn *c, const char *fields)
{
	conn_owes(c);
	if (respond_stream_head(c, fields) != KG_OK) {
		conn_end(c);
		return;
	}
	c->state = CONN_STREAMING;
	c->keepalive_ns = loop_now_ns() + CONN_KEEPALIVE_S * SECOND;
}

void conn_stream_event(struct conn *c, const void *json, size_t len)
{
	conn_owes(c);
	/* A reader that does not read ends here, with what it was owed, not with our memory. */
	if (respond_event(c, json, len) != KG_OK) {
		conn_end(c);
		return;
	}
	c->keepalive_ns = loop_now_ns() + CONN_KEEPALIVE_S * SECOND;
	conn_flush(c);
}

void conn_stream_end(struct conn *c)
{
	if (buf_puts(&c->out, "0\r\n\r\n") != KG_OK) {
		conn_end(c);
		return;
	}
	conn_finish(c);
}

void conn_sweep(struct conn *c, unsigned long long now_ns)
{
	if (buf_len(&c->out) != 0) {
		if (now_ns > c->written_ns + CONN_WRITE_S * SECOND)
			conn_end(c);
		return;
	}
	if (c->state == CONN_STREAMING) {
		if (now_ns > c->keepalive_ns) {
			c->keepalive_ns = now_ns + CONN_KEEPALIVE_S * SECOND;
			conn_owes(c);
			respond_comment(c);
			conn_flush(c);
		}
		return;
	}
	if (c->state != CONN_WAITING && now_ns > c->deadline_ns)
		conn_end(c);
}

/* Since when we have waited for its client; UINT64_MAX while its client waits for us. */
static unsigned long long conn_since(const struct conn *c)
{
	static const unsigned allowed[] = {
		[CONN_HEAD] = CONN_HEAD_S, [CONN_BODY] = CONN_BODY_S, [CONN_DRAINING] = CONN_DRAIN_S};

	if (c->in_process || c->state == CONN_WAITING || c->state == CONN_STREAMING)
		return UINT64_MAX;
	if (buf_len(&c->out) != 0)
		return c->written_ns;
	if (c->state == CONN_HEAD && c->scan.at == 0)
		return c->deadline_ns - CONN_IDLE_S * SECOND;
	return c->deadline_ns - allowed[c->state] * SECOND;
}

static struct conn *longest_awaited(const struct front *f)
{
	struct conn *found = NULL;
	unsigned long long since = UINT64_MAX;

	for (uint32_t i = 0; i < f->nslots; i++) {
		struct conn *c = f->slots[i];

		if (c == NULL || conn_since(c) >= since)
			continue;
		found = c;
		since = conn_since(c);
	}
	return found;
}

bool conn_has_room(const struct front *f)
{
	return f->used < f->nslots || longest_awaited(f) != NULL;
}

void conn_make_room(struct front *f)
{
	struct conn *c = f->used < f->nslots ? NULL : longest_awaited(f);

	if (c != NULL)
		conn_end(c);
}
