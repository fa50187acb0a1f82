/* Connections that take too long: their deadlines, and who has to go when there is no place. */
#include "common/http/answer.h"
#include "common/http/conn.h"

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
