#include "gatewayd/upstream/exchange_head.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

void exchange_head_reset(struct exchange_head *h)
{
	h->status = 0;
	h->type = EXCHANGE_OTHER;
	h->session[0] = '\0';
	h->bytes = h->lines = 0;
	h->why = NULL;
}

static int refuse(struct exchange_head *h, int err, const char *why)
{
	h->why = why;
	return err;
}

/* Only printable ASCII, as the protocol says: it goes into our own requests again. */
static int on_session(struct exchange_head *h, const char *value, size_t len)
{
	if (len > MCP_SESSION_MAX)
		return refuse(h, KG_E_LIMIT, "its Mcp-Session-Id is longer than 512 characters");
	for (size_t i = 0; i < len; i++)
		if (value[i] < 0x21 || value[i] > 0x7e)
			return refuse(h, KG_E_PROTO, "its Mcp-Session-Id is not visible ASCII");
	memcpy(h->session, value, len);
	h->session[len] = '\0';
	return 0;
}

static bool media_is(const char *value, size_t len, const char *type)
{
	size_t n = strlen(type);

	if (len < n || strncasecmp(value, type, n) != 0)
		return false;
	return len == n || value[n] == ';' || value[n] == ' ' || value[n] == '\t';
}

static int on_type(struct exchange_head *h, const char *value, size_t len)
{
	if (media_is(value, len, "application/json"))
		h->type = EXCHANGE_JSON;
	else if (media_is(value, len, "text/event-stream"))
		h->type = EXCHANGE_EVENTS;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct exchange_head *h, const char *value, size_t len);
} headers[] = {
	{"content-type", on_type},
	{"mcp-session-id", on_session},
};

/* "HTTP/1.1 200 OK": begins a head, and forgets an interim answer before it. */
static int status_line(struct exchange_head *h, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	size_t at = space ? (size_t)(space - line) + 1 : len;

	if (len - at < 3)
		return refuse(h, KG_E_PROTO, "its status line is malformed");
	h->status = 0;
	for (size_t i = 0; i < 3; i++) {
		if (line[at + i] < '0' || line[at + i] > '9')
			return refuse(h, KG_E_PROTO, "its status line is malformed");
		h->status = h->status * 10 + (line[at + i] - '0');
	}
	h->type = EXCHANGE_OTHER;
	h->session[0] = '\0';
	return 0;
}

int exchange_head_line(struct exchange_head *h, const char *line, size_t len)
{
	h->bytes += len;
	h->lines++;
	if (h->bytes > EXCHANGE_HEADER_BYTES_MAX || h->lines > EXCHANGE_HEADER_LINES_MAX)
		return refuse(h, KG_E_LIMIT, "its answer's head is larger than 65536 bytes or 128 lines");
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		return status_line(h, line, len);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		size_t n = strlen(headers[i].name);

		if (len <= n || line[n] != ':' || strncasecmp(line, headers[i].name, n) != 0)
			continue;
		const char *value = line + n + 1, *end = line + len;
		while (value < end && (*value == ' ' || *value == '\t'))
			value++;
		while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
			end--;
		return headers[i].run(h, value, (size_t)(end - value));
	}
	return 0;
}
