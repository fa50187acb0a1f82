#include "common/http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http/answer.h"
#include "common/log.h"

#define READ_CHUNK 16384u
#define READ_MOST 65536u
#define PIPELINE_MAX 65536u
#define SECOND 1000000000ull

static void conn_free(struct http_conn *c)
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
static void conn_end(struct http_conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	if (c->state == HTTP_WAITING || c->state == HTTP_STREAMING)
		c->server->service->gone(c);
	if (!c->in_process)
		conn_free(c);
}

static void conn_deadline(struct http_conn *c, unsigned seconds)
{
	c->deadline_ns = loop_now_ns() + seconds * SECOND;
}

/* The client begins to owe us reading: its time for that runs from here. */
static void conn_owes(struct http_conn *c)
{
	if (buf_len(&c->out) == 0)
		c->written_ns = loop_now_ns();
}

/* An empty buffer gives back what a large message needed. */
static void trim(struct buf *b)
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

static void conn_flush(struct http_conn *c);

static void conn_refuse(struct http_conn *c, int status)
{
	c->close_after = true;
	c->server->service->refuse(c, status);
}

/* The answer is complete: the next request, or the end. */
static void conn_next(struct http_conn *c)
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

/* A head: 1 when the state moved on, 0 when more bytes are needed. */
static int step_head(struct http_conn *c)
{
	const char *text = (const char *)buf_ptr(&c->in);
	struct http1_head head;
	int r;

	if (buf_len(&c->in) == 0)
		return 0;
	if (c->scan.at == 0)
		conn_deadline(c, HTTP_HEAD_S);
	r = http1_scan_head(&c->scan, text, buf_len(&c->in));
	if (r == 0)
		return 0;
	if (r == 1)
		r = http1_parse_head(text, c->scan.at, &head);
	if (r == 0 && head.has_length && head.length > c->server->max_body)
		r = 413;
	if (r != 0) {
		conn_refuse(c, r);
		return 1;
	}
	c->bodiless = head.method == HTTP1_HEAD;
	c->refused = !c->server->service->head(c, &head);
	c->chunked = head.chunked;
	c->body_left = head.has_length ? (size_t)head.length : 0;
	c->close_after = head.close;
	buf_consume(&c->in, c->scan.at);
	c->state = HTTP_BODY;
	conn_deadline(c, HTTP_BODY_S);
	if (head.expect_continue && buf_len(&c->in) == 0 && !c->refused) {
		answer_continue(c);
		conn_flush(c);
	}
	return 1;
}

/* The body is not all there. What was refused by its head is not waited for, nor asked for (RFC 9110, section 10.1.1).
 */
static int body_unfinished(struct http_conn *c)
{
	if (!c->refused)
		return 0;
	c->close_after = true;
	c->state = HTTP_WAITING;
	buf_reset(&c->body);
	c->server->service->body(c, "", 0);
	return 1;
}

/* A body: 1 when it was complete and has been handled. */
static int step_body(struct http_conn *c)
{
	size_t len = c->body_left, used;
	int r;

	if (!c->chunked) {
		if (buf_len(&c->in) < len)
			return body_unfinished(c);
		c->state = HTTP_WAITING;
		c->server->service->body(c, (const char *)buf_ptr(&c->in), len);
		/* A refusal may have thrown all input away already. */
		if (len != 0 && c->state != HTTP_DRAINING)
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
	c->state = HTTP_WAITING;
	c->server->service->body(c, (const char *)buf_ptr(&c->body), buf_len(&c->body));
	buf_reset(&c->body);
	trim(&c->body);
	return 1;
}

/* While an answer is awaited, or unread, only so much of the next request is taken in. */
static void conn_set_reading(struct http_conn *c)
{
	bool busy = c->state == HTTP_WAITING || c->state == HTTP_STREAMING || buf_len(&c->out) > HTTP_OUT_HIGH;
	bool on = !busy || buf_len(&c->in) <= PIPELINE_MAX;

	if (on == c->reading)
		return;
	if ((on ? event_add(c->readable, NULL) : event_del(c->readable)) == 0)
		c->reading = on;
}

/* Goes as far as the bytes that are there allow. */
static void conn_process(struct http_conn *c)
{
	int moved = 1;

	if (c->in_process)
		return;
	c->in_process = true;
	while (moved && !c->dead) {
		if (c->state == HTTP_HEAD && buf_len(&c->out) > HTTP_OUT_HIGH)
			moved = 0;
		else if (c->state == HTTP_HEAD)
			moved = step_head(c);
		else if (c->state == HTTP_BODY)
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
static size_t read_size(const struct http_conn *c)
{
	size_t have = buf_len(&c->in), left = c->state == HTTP_BODY && c->body_left > have ? c->body_left - have : 0;
	size_t most = have > READ_MOST ? have : READ_MOST;

	if (left < READ_CHUNK)
		return READ_CHUNK;
	return left < most ? left : most;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;
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
	if (c->state == HTTP_DRAINING)
		buf_reset(&c->in);
	else
		conn_process(c);
}

/* Writes what is queued. The connection may be gone afterwards, unless it is in conn_process(). */
static void conn_flush(struct http_conn *c)
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
	if (c->state == HTTP_DRAINING) {
		shutdown(c->fd, SHUT_WR);
		conn_deadline(c, HTTP_DRAIN_S);
	} else if (c->state == HTTP_HEAD && c->scan.at == 0) {
		conn_deadline(c, HTTP_IDLE_S);
	}
}

static bool conn_alive(struct http_server *s, uint32_t slot, const struct http_conn *c)
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
	c->readable = event_new(loop_base(s->loop), fd, EV_READ | EV_PERSIST, on_readable, c);
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

/* The request is answered. A call's id is used once: a late second answer finds nobody. */
static void conn_answered(struct http_conn *c)
{
	c->generation = ++c->server->generation;
	conn_next(c);
	conn_flush(c);
	/* Not when conn_process() called us (it goes on itself), nor when the flush ended the connection. */
}

static void conn_finish(struct http_conn *c)
{
	struct http_server *s = c->server;
	uint32_t slot = c->slot;

	conn_answered(c);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the slot tells first */
	if (conn_alive(s, slot, c) && !c->dead)
		conn_process(c);
}

void http_respond(struct http_conn *c, int status, const char *type, const char *fields, const void *body, size_t len)
{
	conn_owes(c);
	if (answer_head(c, status, type, fields, len) != KG_OK ||
	    buf_put(&c->out, body, c->bodiless ? 0 : len) != KG_OK) {
		conn_end(c);
		return;
	}
	conn_finish(c);
}

void http_stream_begin(struct http_conn *c, const char *fields)
{
	conn_owes(c);
	if (answer_stream_head(c, fields) != KG_OK) {
		conn_end(c);
		return;
	}
	c->state = HTTP_STREAMING;
	c->keepalive_ns = loop_now_ns() + HTTP_KEEPALIVE_S * SECOND;
}

void http_stream_event(struct http_conn *c, const void *json, size_t len)
{
	conn_owes(c);
	/* A reader that does not read ends here, with what it was owed, not with our memory. */
	if (answer_event(c, json, len) != KG_OK) {
		conn_end(c);
		return;
	}
	c->keepalive_ns = loop_now_ns() + HTTP_KEEPALIVE_S * SECOND;
	conn_flush(c);
}

void http_stream_end(struct http_conn *c)
{
	if (buf_puts(&c->out, "0\r\n\r\n") != KG_OK) {
		conn_end(c);
		return;
	}
	conn_finish(c);
}

void http_sweep(struct http_conn *c, unsigned long long now_ns)
{
	if (buf_len(&c->out) != 0) {
		if (now_ns > c->written_ns + HTTP_WRITE_S * SECOND)
			conn_end(c);
		return;
	}
	if (c->state == HTTP_STREAMING) {
		if (now_ns > c->keepalive_ns) {
			c->keepalive_ns = now_ns + HTTP_KEEPALIVE_S * SECOND;
			conn_owes(c);
			answer_comment(c);
			conn_flush(c);
		}
		return;
	}
	if (c->state != HTTP_WAITING && now_ns > c->deadline_ns)
		conn_end(c);
}

/* Since when we have waited for its client; UINT64_MAX while its client waits for us. */
static unsigned long long conn_since(const struct http_conn *c)
{
	static const unsigned allowed[] = {
		[HTTP_HEAD] = HTTP_HEAD_S, [HTTP_BODY] = HTTP_BODY_S, [HTTP_DRAINING] = HTTP_DRAIN_S};

	if (c->in_process || c->state == HTTP_WAITING || c->state == HTTP_STREAMING)
		return UINT64_MAX;
	if (buf_len(&c->out) != 0)
		return c->written_ns;
	if (c->state == HTTP_HEAD && c->scan.at == 0)
		return c->deadline_ns - HTTP_IDLE_S * SECOND;
	return c->deadline_ns - allowed[c->state] * SECOND;
}

static struct http_conn *longest_awaited(const struct http_server *s)
{
	struct http_conn *found = NULL;
	unsigned long long since = UINT64_MAX;

	for (uint32_t i = 0; i < s->nslots; i++) {
		struct http_conn *c = s->slots[i];

		if (c == NULL || conn_since(c) >= since)
			continue;
		found = c;
		since = conn_since(c);
	}
	return found;
}

bool http_has_room(const struct http_server *s)
{
	return s->used < s->nslots || longest_awaited(s) != NULL;
}

void http_make_room(struct http_server *s)
{
	struct http_conn *c = s->used < s->nslots ? NULL : longest_awaited(s);

	if (c != NULL)
		conn_end(c);
}
