/* Requests are answered, whole or as a stream of events. */
#include "common/http/answer.h"
#include "common/http/conn.h"

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
