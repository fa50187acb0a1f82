#include "common/outbound/header.h"

#include <string.h>
#include <strings.h>

#include <sodium.h>

#define SENTINEL_OPEN "=?base64?"
#define SENTINEL_CLOSE "?="

static const char *const reserved[] = {
	"accept",
	"accept-encoding",
	"connection",
	"content-encoding",
	"content-length",
	"content-type",
	"expect",
	"host",
	"keep-alive",
	"last-event-id",
	"mcp-method",
	"mcp-name",
	"mcp-session-id",
	"proxy-connection",
	"mcp-protocol-version",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"user-agent",
};

void headers_init(struct headers *h)
{
	memset(h, 0, sizeof(*h));
	buf_init(&h->text, HEADER_BYTES_MAX);
}

void headers_free(struct headers *h)
{
	buf_free(&h->text);
	h->n = 0;
}

void headers_cut(struct headers *h, size_t n)
{
	if (n >= h->n)
		return;
	if (n == 0) {
		buf_reset(&h->text);
	} else {
		explicit_bzero(h->text.data + h->offset[n], h->text.len - h->offset[n]);
		h->text.len = h->offset[n];
	}
	h->n = n;
}

bool header_name_ok(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return len > 0;
}

bool header_is_reserved(const char *name)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcasecmp(reserved[i], name) == 0)
			return true;
	return strncasecmp(name, "mcp-param-", 10) == 0;
}

/* A CR, LF or NUL in a value would be a header, or a request, of somebody else's making. */
static bool value_ok(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

int headers_put(struct headers *h, const char *name, const char *value, size_t len)
{
	size_t start = h->text.len;

	if (!header_name_ok(name, strlen(name)) || !value_ok(value, len))
		return KG_E_INVALID;
	if (h->n == HEADERS_MAX || len > HEADER_VALUE_MAX)
		return KG_E_LIMIT;
	/* curl's spelling: "Name;" is an empty header, "Name:" would remove one. */
	int err = buf_puts(&h->text, name);
	if (err == 0)
		err = buf_puts(&h->text, len > 0 ? ": " : ";");
	if (err == 0)
		err = buf_put(&h->text, value, len);
	if (err == 0)
		err = buf_put(&h->text, "", 1);
	if (err != 0) {
		h->text.len = start;
		return err;
	}
	h->offset[h->n++] = start;
	return 0;
}

int headers_put_line(struct headers *h, const char *line)
{
	size_t start = h->text.len;

	if (h->n == HEADERS_MAX)
		return KG_E_LIMIT;
	int err = buf_put(&h->text, line, strlen(line) + 1);
	if (err == 0)
		h->offset[h->n++] = start;
	return err;
}

int headers_puts(struct headers *h, const char *name, const char *value)
{
	return headers_put(h, name, value, strlen(value));
}

int headers_copy(struct headers *h, const struct headers *from, size_t n)
{
	size_t end = n < from->n ? from->offset[n] : from->text.len, base = h->text.len;

	if (n > from->n || h->n + n > HEADERS_MAX)
		return KG_E_LIMIT;
	if (n == 0)
		return 0;
	int err = buf_put(&h->text, from->text.data, end);
	for (size_t i = 0; err == 0 && i < n; i++)
		h->offset[h->n++] = base + from->offset[i];
	return err;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool plain_ok(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((value[i] < 0x20 || value[i] > 0x7e) && value[i] != '\t')
			return false;
	if (len > 0 && (is_blank(value[0]) || is_blank(value[len - 1])))
		return false;
	/* What looks encoded must be encoded, or the server would decode what we did not encode. */
	return len < strlen(SENTINEL_OPEN) || memcmp(value, SENTINEL_OPEN, strlen(SENTINEL_OPEN)) != 0;
}

int headers_put_encoded(struct headers *h, const char *name, const char *value, size_t len)
{
	char encoded[HEADER_VALUE_MAX + 1];
	size_t open = strlen(SENTINEL_OPEN), need;

	if (plain_ok(value, len))
		return headers_put(h, name, value, len);
	if (len > HEADER_VALUE_MAX)
		return KG_E_LIMIT;
	need = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL); /* with its NUL */
	if (open + need + strlen(SENTINEL_CLOSE) > sizeof(encoded))
		return KG_E_LIMIT;
	memcpy(encoded, SENTINEL_OPEN, open);
	sodium_bin2base64(encoded + open, sizeof(encoded) - open, (const unsigned char *)value, len,
			  sodium_base64_VARIANT_ORIGINAL);
	memcpy(encoded + open + need - 1, SENTINEL_CLOSE, strlen(SENTINEL_CLOSE) + 1);
	return headers_puts(h, name, encoded);
}

struct curl_slist *headers_list(struct headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		h->node[i].data = (char *)h->text.data + h->offset[i];
		h->node[i].next = i + 1 < h->n ? &h->node[i + 1] : NULL;
	}
	return h->n > 0 ? &h->node[0] : NULL;
}
