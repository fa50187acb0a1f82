#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 512

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->len);
	free(b->data);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->len);
	b->off = b->len = 0;
}

const uint8_t *buf_ptr(const struct buf *b)
{
	return b->data == NULL ? (const uint8_t *)"" : b->data + b->off;
}

size_t buf_len(const struct buf *b)
{
	return b->len - b->off;
}

/* Moves to a larger block by hand: realloc would leave an unwiped copy behind. */
static int buf_grow(struct buf *b, size_t need)
{
	size_t cap = b->cap == 0 ? BUF_FIRST : b->cap;
	size_t unread = buf_len(b);
	uint8_t *data;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	data = malloc(cap);
	if (data == NULL)
		return KG_E_NOMEM;
	if (b->data != NULL) {
		memcpy(data, b->data + b->off, unread);
		explicit_bzero(b->data, b->len);
		free(b->data);
	}
	b->data = data;
	b->cap = cap;
	b->off = 0;
	b->len = unread;
	return KG_OK;
}

static void buf_compact(struct buf *b)
{
	size_t unread = buf_len(b);

	memmove(b->data, b->data + b->off, unread);
	explicit_bzero(b->data + unread, b->off);
	b->off = 0;
	b->len = unread;
}

int buf_reserve(struct buf *b, size_t n, uint8_t **room)
{
	size_t unread = buf_len(b);

	if (n > b->max || unread > b->max - n)
		return KG_E_LIMIT;
	if (b->data == NULL || b->cap - b->len < n) {
		/* Moving the contents down is cheaper than growing only when they are the smaller half. */
		if (b->data != NULL && b->cap - unread >= n && unread <= b->off) {
			buf_compact(b);
		} else {
			int r = buf_grow(b, unread + n);

			if (r != KG_OK)
				return r;
		}
	}
	*room = b->data + b->len;
	return KG_OK;
}

void buf_commit(struct buf *b, size_t n)
{
	if (n > b->cap - b->len)
		abort();
	b->len += n;
}

int buf_put(struct buf *b, const void *bytes, size_t n)
{
	uint8_t *room;
	int r;

	if (n == 0)
		return KG_OK;
	r = buf_reserve(b, n, &room);
	if (r != KG_OK)
		return r;
	memcpy(room, bytes, n);
	buf_commit(b, n);
	return KG_OK;
}

int buf_puts(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

/* Into the room that is there; KG_E_LIMIT, and nothing left behind, when it is not enough. Sets *n to what is needed.
 */
static int __attribute__((format(printf, 3, 0))) printf_spare(struct buf *b, size_t *n, const char *fmt, va_list ap)
{
	size_t spare = b->data == NULL ? 0 : b->cap - b->len;
	int len = vsnprintf(spare == 0 ? NULL : (char *)b->data + b->len, spare, fmt, ap);

	if (len < 0)
		return KG_E_INVALID;
	*n = (size_t)len;
	if (*n < spare && buf_len(b) + *n < b->max) {
		b->len += *n;
		return KG_OK;
	}
	if (spare != 0)
		explicit_bzero(b->data + b->len, *n < spare ? *n : spare);
	return KG_E_LIMIT;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *room;
	size_t n;
	int r;

	va_start(ap, fmt);
	r = printf_spare(b, &n, fmt, ap);
	va_end(ap);
	if (r != KG_E_LIMIT)
		return r;
	r = buf_reserve(b, n + 1, &room);
	if (r != KG_OK)
		return r;
	va_start(ap, fmt);
	vsnprintf((char *)room, n + 1, fmt, ap);
	va_end(ap);
	buf_commit(b, n);
	return KG_OK;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > buf_len(b))
		abort();
	explicit_bzero(b->data + b->off, n);
	b->off += n;
	if (b->off == b->len)
		b->off = b->len = 0;
}

const char *buf_text(struct buf *b)
{
	uint8_t *room;

	if (buf_reserve(b, 1, &room) != KG_OK)
		return NULL;
	*room = 0;
	return (const char *)buf_ptr(b);
}
