/*
 * HTTP/1.1 of a client: whatever the bytes, the reader ends, and says the same whether they come whole or in
 * pieces (the first byte says how large). What it takes as a head has one length and one Host.
 */
#include "common/http/http1.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each piece lies in a block of its own size, so that a read too far is seen. */
static int scan(const char *text, size_t len, size_t step, struct http1_scan *s)
{
	int r = 0;

	for (size_t n = step < len ? step : len; r == 0; n = n + step < len ? n + step : len) {
		char *block = malloc(n + 1);

		memcpy(block, text, n);
		block = realloc(block, n > 0 ? n : 1);
		r = http1_scan_head(s, block, n);
		free(block);
		if (n == len)
			break;
	}
	return r;
}

static int chunks(const char *text, size_t len, size_t step, struct buf *body, size_t *used)
{
	struct http1_chunks c = {0};
	int r = 0;

	*used = 0;
	while (r == 0 && *used < len) {
		size_t n = len - *used < step ? len - *used : step, took;

		r = http1_chunks_feed(&c, text + *used, n, body, &took);
		*used += took;
		if (took > n || (r == 0 && took != n))
			abort();
	}
	return r;
}

static void check_chunks(const char *text, size_t len, size_t step)
{
	struct buf whole, pieces;
	size_t used, used_pieces;
	int r;

	buf_init(&whole, BODY_MAX);
	buf_init(&pieces, BODY_MAX);
	r = chunks(text, len, len > 0 ? len : 1, &whole, &used);
	if (chunks(text, len, step, &pieces, &used_pieces) != r)
		abort();
	if (r == 1 && (used != used_pieces || buf_len(&whole) != buf_len(&pieces) ||
		       memcmp(buf_ptr(&whole), buf_ptr(&pieces), buf_len(&whole)) != 0))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
}

static void check_head(const struct http1_head *h)
{
	bool again;

	if (http1_find(h, "Host", &again) == NULL || again || h->host.n == 0)
		abort();
	if (h->chunked && h->has_length)
		abort();
	if (h->target.n == 0 || h->target.p[0] != '/' || memchr(h->target.p, ' ', h->target.n) != NULL)
		abort();
	for (size_t i = 0; i < h->nfields; i++)
		if (memchr(h->field[i].value.p, '\n', h->field[i].value.n) != NULL ||
		    memchr(h->field[i].value.p, '\r', h->field[i].value.n) != NULL ||
		    memchr(h->field[i].value.p, '\0', h->field[i].value.n) != NULL)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http1_scan whole = {0}, pieces = {0};
	struct http1_head head;
	const char *text = (const char *)data + 1;
	size_t step;
	int r;

	if (size < 2)
		return 0;
	step = (size_t)data[0] + 1;
	size--;
	r = scan(text, size, size, &whole);
	if (scan(text, size, step, &pieces) != r || (r == 1 && whole.at != pieces.at))
		abort();
	if (r == 1 && http1_parse_head(text, whole.at, &head) == 0) {
		check_head(&head);
		check_chunks(text + whole.at, size - whole.at, step);
	}
	check_chunks(text, size, step);
	return 0;
}
