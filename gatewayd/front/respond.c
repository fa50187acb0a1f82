#include "gatewayd/front/respond.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	int status;
	const char *reason;
	const char *text; /* what was wrong, for whoever reads the answer by eye */
} reasons[] = {
	{200, "OK", ""},
	{202, "Accepted", ""},
	{204, "No Content", ""},
	{400, "Bad Request", "the request is not well-formed HTTP/1.1"},
	{401, "Unauthorized", "a session token is needed: Authorization: Bearer kgs_..."},
	{403, "Forbidden", "this Host or Origin may not use this endpoint"},
	{404, "Not Found", "there is nothing here: the endpoint is /mcp or /mcp/SERVER"},
	{405, "Method Not Allowed", "the endpoint takes POST, and DELETE to end a session"},
	{406, "Not Acceptable", "Accept must list application/json and text/event-stream"},
	{413, "Content Too Large", "the body is over the limit of this gateway"},
	{414, "URI Too Long", "the request line is over the limit of this gateway"},
	{415, "Unsupported Media Type", "the body must be application/json"},
	{417, "Expectation Failed", "only Expect: 100-continue is understood"},
	{431, "Request Header Fields Too Large", "the header is over the limit of this gateway"},
	{500, "Internal Server Error", ""},
	{501, "Not Implemented", "only the transfer coding chunked is understood"},
	{502, "Bad Gateway", ""},
	{503, "Service Unavailable", "a part of the gateway is away: try again in a moment"},
	{504, "Gateway Timeout", ""},
	{505, "HTTP Version Not Supported", "only HTTP/1.1 is spoken here"},
};

static size_t reason_find(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return i;
	return reason_find(500);
}

/* RFC 9110, section 6.6.1; made once a second. */
static const char *date_now(struct front *f)
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (ts.tv_sec != f->date_second && gmtime_r(&ts.tv_sec, &tm) != NULL) {
		strftime(f->date, sizeof(f->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		f->date_second = ts.tv_sec;
	}
	return f->date;
}

/* CORS: an allowed origin may read the answer and the two fields that clients need. */
static int put_common(struct conn *c, const char *fields)
{
	if (buf_printf(&c->out, "Date: %s\r\n%s", date_now(c->front), fields) != KG_OK)
		return KG_E_LIMIT;
	if (c->head.origin[0] != '\0' &&
	    buf_printf(&c->out,
		       "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
		       "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate\r\n",
		       c->head.origin) != KG_OK)
		return KG_E_LIMIT;
	return c->close_after ? buf_puts(&c->out, "Connection: close\r\n") : KG_OK;
}

int respond_head(struct conn *c, int status, const char *type, const char *fields, size_t len)
{
	size_t i = reason_find(status);

	if (buf_printf(&c->out, "HTTP/1.1 %d %s\r\n", reasons[i].status, reasons[i].reason) != KG_OK ||
	    put_common(c, fields) != KG_OK)
		return KG_E_LIMIT;
	if (type != NULL && buf_printf(&c->out, "Content-Type: %s\r\n", type) != KG_OK)
		return KG_E_LIMIT;
	/* RFC 9110, section 8.6: none with 204. */
	if (status == 204)
		return buf_puts(&c->out, "\r\n");
	return buf_printf(&c->out, "Content-Length: %zu\r\n\r\n", len);
}

int respond_stream_head(struct conn *c, const char *fields)
{
	if (buf_puts(&c->out, "HTTP/1.1 200 OK\r\n") != KG_OK || put_common(c, fields) != KG_OK)
		return KG_E_LIMIT;
	return buf_puts(&c->out,
			"Content-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"
			"Transfer-Encoding: chunked\r\n\r\n");
}

int respond_event(struct conn *c, const void *json, size_t len)
{
	static const char before[] = "event: message\ndata: ", after[] = "\n\n";

	/* JSON that was scanned and compacted holds no line feed, which would end the event. */
	if (buf_printf(&c->out, "%zx\r\n%s", sizeof(before) - 1 + len + sizeof(after) - 1, before) != KG_OK ||
	    buf_put(&c->out, json, len) != KG_OK)
		return KG_E_LIMIT;
	return buf_printf(&c->out, "%s\r\n", after);
}

void respond_comment(struct conn *c)
{
	/* A full output is found by the sweep's deadline. */
	if (buf_puts(&c->out, "3\r\n:\n\n\r\n") != KG_OK)
		return;
}

void respond_plain(struct conn *c, int status)
{
	const char *text = reasons[reason_find(status)].text;
	const char *fields = status == 405 ? "Allow: POST, DELETE\r\n" : "";
	char body[160];
	int n = snprintf(body, sizeof(body), "%s%s", text, *text != '\0' ? "\n" : "");

	conn_respond(c, status, n > 0 ? "text/plain; charset=utf-8" : NULL, fields, body, n > 0 ? (size_t)n : 0);
}

void respond_continue(struct conn *c)
{
	/* Behind what is still unsent; without room for it the client waits and then sends its body. */
	if (buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n") != KG_OK)
		return;
}
