#include "common/http/answer.h"

#include <time.h>

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{200, "OK"},
	{202, "Accepted"},
	{204, "No Content"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{409, "Conflict"},
	{406, "Not Acceptable"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{431, "Request Header Fields Too Large"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

static int put_status(struct buf *out, int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return buf_printf(out, "HTTP/1.1 %d %s\r\n", status, phrases[i].phrase);
	return buf_puts(out, "HTTP/1.1 500 Internal Server Error\r\n");
}

/* RFC 9110, section 6.6.1; made once a second. */
static const char *date_now(struct http_server *s)
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (ts.tv_sec != s->date_second && gmtime_r(&ts.tv_sec, &tm) != NULL) {
		strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_second = ts.tv_sec;
	}
	return s->date;
}

static int put_common(struct http_conn *c, const char *fields)
{
	int (*own)(struct http_conn * c, struct buf * out) = c->server->service->fields;

	if (buf_printf(&c->out, "Date: %s\r\n%s", date_now(c->server), fields) != KG_OK)
		return KG_E_LIMIT;
	if (own != NULL && own(c, &c->out) != KG_OK)
		return KG_E_LIMIT;
	return c->close_after ? buf_puts(&c->out, "Connection: close\r\n") : KG_OK;
}

int answer_head(struct http_conn *c, int status, const char *type, const char *fields, size_t len)
{
	if (put_status(&c->out, status) != KG_OK || put_common(c, fields) != KG_OK)
		return KG_E_LIMIT;
	if (type != NULL && buf_printf(&c->out, "Content-Type: %s\r\n", type) != KG_OK)
		return KG_E_LIMIT;
	/* RFC 9110, section 8.6: none with 204. */
	if (status == 204)
		return buf_puts(&c->out, "\r\n");
	return buf_printf(&c->out, "Content-Length: %zu\r\n\r\n", len);
}

int answer_stream_head(struct http_conn *c, const char *fields)
{
	if (put_status(&c->out, 200) != KG_OK || put_common(c, fields) != KG_OK)
		return KG_E_LIMIT;
	return buf_puts(&c->out,
			"Content-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"
			"Transfer-Encoding: chunked\r\n\r\n");
}

int answer_event(struct http_conn *c, const void *json, size_t len)
{
	static const char before[] = "event: message\ndata: ", after[] = "\n\n";

	/* JSON that was scanned and compacted holds no line feed, which would end the event. */
	if (buf_printf(&c->out, "%zx\r\n%s", sizeof(before) - 1 + len + sizeof(after) - 1, before) != KG_OK ||
	    buf_put(&c->out, json, len) != KG_OK)
		return KG_E_LIMIT;
	return buf_printf(&c->out, "%s\r\n", after);
}

void answer_comment(struct http_conn *c)
{
	/* A full output is found by the sweep's deadline. */
	if (buf_puts(&c->out, "3\r\n:\n\n\r\n") != KG_OK)
		return;
}

void answer_continue(struct http_conn *c)
{
	/* Behind what is still unsent; without room for it the client waits and then sends its body. */
	if (buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n") != KG_OK)
		return;
}
