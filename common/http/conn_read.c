/* What a client sends: heads and bodies, one request after the other. */
#include <errno.h>
#include <unistd.h>

#include "common/http/answer.h"
#include "common/http/conn.h"

#define READ_CHUNK 16384u
#define READ_MOST 65536u

static void conn_refuse(struct http_conn *c, int status)
{
	c->close_after = true;
	c->server->service->refuse(c, status);
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
	conn_trim(&c->body);
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
void conn_process(struct http_conn *c)
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
	conn_trim(&c->in);
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

void conn_on_readable(evutil_socket_t fd, short what, void *arg)
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
