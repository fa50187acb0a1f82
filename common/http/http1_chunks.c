/* The chunked transfer coding, with nothing that it allows beyond sizes and data. */
#include <string.h>

#include "common/http/http1.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of a size line; the line is complete at its line feed. */
static int feed_size(struct http1_chunks *c, char byte)
{
	uint64_t size = 0;

	if (c->line_len == HTTP1_CHUNK_LINE_MAX)
		return 400;
	c->line[c->line_len++] = byte;
	if (byte != '\n')
		return hex_value(byte) >= 0 || byte == '\r' ? 0 : 400;
	if (c->line_len < 3 || c->line[c->line_len - 2] != '\r')
		return 400;
	/* One spelling: no leading zeros. */
	if (c->line[0] == '0' && c->line_len > 3)
		return 400;
	for (size_t i = 0; i + 2 < c->line_len; i++) {
		int v = hex_value(c->line[i]);

		if (v < 0)
			return 400;
		size = size * 16 + (uint64_t)v;
	}
	c->left = size;
	c->line_len = 0;
	c->state = size == 0 ? CHUNK_LAST_CR : CHUNK_DATA;
	return 0;
}

/* Where one certain byte must stand, and what comes after it. */
static int feed_fixed(struct http1_chunks *c, char byte)
{
	static const struct {
		char want;
		enum http1_chunk_state next;
	} steps[] = {
		[CHUNK_DATA_CR] = {'\r', CHUNK_DATA_LF},
		[CHUNK_DATA_LF] = {'\n', CHUNK_SIZE},
		[CHUNK_LAST_CR] = {'\r', CHUNK_LAST_LF},
		[CHUNK_LAST_LF] = {'\n', CHUNK_DONE},
	};

	if (byte != steps[c->state].want)
		return 400;
	c->state = steps[c->state].next;
	return 0;
}

static int feed_data(struct http1_chunks *c, const char *in, size_t len, struct buf *body, size_t *used)
{
	size_t n = c->left < len ? (size_t)c->left : len;

	if (buf_put(body, in, n) != KG_OK)
		return 413;
	c->left -= n;
	*used += n;
	if (c->left == 0)
		c->state = CHUNK_DATA_CR;
	return 0;
}

int http1_chunks_feed(struct http1_chunks *c, const char *in, size_t len, struct buf *body, size_t *used)
{
	*used = 0;
	while (c->state != CHUNK_DONE && *used < len) {
		int r;

		if (c->state == CHUNK_DATA)
			r = feed_data(c, in + *used, len - *used, body, used);
		else if (c->state == CHUNK_SIZE)
			r = feed_size(c, in[(*used)++]);
		else
			r = feed_fixed(c, in[(*used)++]);
		if (r != 0)
			return r;
		/* A size beyond the maximum is refused before its first byte is waited for. */
		if (c->left > body->max - buf_len(body))
			return 413;
	}
	return c->state == CHUNK_DONE;
}
