#include "gatewayd/front/respond.h"

#include <stdio.h>

static const struct {
	int status;
	const char *text; /* what was wrong, for whoever reads the answer by eye */
} reasons[] = {
	{400, "the request is not well-formed HTTP/1.1"},
	{401, "a session token is needed: Authorization: Bearer kgs_..."},
	{403, "this Host or Origin may not use this endpoint"},
	{404, "there is nothing here: the endpoint is /mcp or /mcp/SERVER"},
	{405, "the endpoint takes POST, and DELETE to end a session"},
	{406, "Accept must list application/json and text/event-stream"},
	{413, "the body is over the limit of this gateway"},
	{414, "the request line is over the limit of this gateway"},
	{415, "the body must be application/json"},
	{417, "only Expect: 100-continue is understood"},
	{431, "the header is over the limit of this gateway"},
	{501, "only the transfer coding chunked is understood"},
	{503, "a part of the gateway is away: try again in a moment"},
	{505, "only HTTP/1.1 is spoken here"},
};

static const char *reason_text(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "";
}

int respond_put_cors(const struct conn *c, struct buf *out)
{
	if (c->head.origin[0] == '\0')
		return KG_OK;
	return buf_printf(out,
			  "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
			  "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate\r\n",
			  c->head.origin);
}

void respond_plain(struct conn *c, int status)
{
	const char *text = reason_text(status);
	const char *fields = status == 405 ? "Allow: POST, DELETE\r\n" : "";
	char body[160];
	int n = snprintf(body, sizeof(body), "%s%s", text, *text != '\0' ? "\n" : "");

	conn_respond(c, status, n > 0 ? "text/plain; charset=utf-8" : NULL, fields, body, n > 0 ? (size_t)n : 0);
}
