/* Writing JSON: the bytes of a scanned value without its white space, and strings. */
#include "common/json.h"

#include <string.h>

#include "common/json_text.h"

/* Copies the brackets, commas and colons of a stretch between tokens; gives their number. out may be NULL. */
static size_t put_structure(const char *p, size_t n, uint8_t *out)
{
	size_t written = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t')
			continue;
		if (out != NULL)
			out[written] = (uint8_t)p[i];
		written++;
	}
	return written;
}

/* White space can stand only outside strings, and all strings are tokens. out may be NULL to measure. */
static size_t put_value(const struct json_doc *d, uint32_t t, uint8_t *out)
{
	size_t pos = d->tok[t].start, written = 0;

	for (uint32_t i = t; i < d->tok[t].next; i++) {
		const struct json_tok *tok = &d->tok[i];
		size_t len = tok->end - tok->start;

		if (tok->type == JK_OBJECT || tok->type == JK_ARRAY)
			continue;
		written += put_structure(d->text + pos, tok->start - pos, out == NULL ? NULL : out + written);
		if (out != NULL)
			memcpy(out + written, d->text + tok->start, len);
		written += len;
		pos = tok->end;
	}
	return written + put_structure(d->text + pos, d->tok[t].end - pos, out == NULL ? NULL : out + written);
}

int json_put_compact(struct buf *out, const struct json_doc *d, uint32_t t)
{
	uint8_t *room;
	size_t len;
	int r;

	if (t >= d->ntok)
		return KG_E_INVALID;
	len = put_value(d, t, NULL);
	r = buf_reserve(out, len, &room);
	if (r != 0)
		return r;
	buf_commit(out, put_value(d, t, room));
	return 0;
}

/* What stands in the string for the character at p: its own bytes, an escape or U+FFFD. */
static size_t put_char(const uint8_t *p, size_t n, uint8_t out[6], size_t *out_len)
{
	static const char hex[] = "0123456789abcdef";
	static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
	size_t step = utf8_sequence(p, n);
	const char *value;

	if (step != 1) {
		memcpy(out, step == 0 ? (const uint8_t *)"\xef\xbf\xbd" : p, step == 0 ? 3 : step);
		*out_len = step == 0 ? 3 : step;
		return step == 0 ? 1 : step;
	}
	value = *p == '\0' ? NULL : strchr(values, *p);
	if (value != NULL) {
		out[0] = '\\';
		out[1] = (uint8_t)names[value - values];
		*out_len = 2;
	} else if (*p < 0x20) {
		memcpy(out, "\\u00", 4);
		out[4] = (uint8_t)hex[*p >> 4];
		out[5] = (uint8_t)hex[*p & 15];
		*out_len = 6;
	} else {
		out[0] = *p;
		*out_len = 1;
	}
	return 1;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A high bit when one of eight bytes is not plain. It may be that of a byte above it, which a borrow has reached. */
static uint64_t not_plain(uint64_t x)
{
	uint64_t quote = x ^ EACH('"'), backslash = x ^ EACH('\\');

	return (x | ((x - EACH(0x20)) & ~x) | ((quote - EACH(1)) & ~quote) | ((backslash - EACH(1)) & ~backslash)) &
	       EACH(0x80);
}

/* Whether all of it stands in a string as it is: most texts do. */
static bool is_plain(const uint8_t *p, size_t len)
{
	uint64_t x, found = 0;

	for (; len >= sizeof(x); p += sizeof(x), len -= sizeof(x)) {
		memcpy(&x, p, sizeof(x));
		found |= not_plain(x);
	}
	x = EACH(' ');
	if (len > 0)
		memcpy(&x, p, len);
	return (found | not_plain(x)) == 0;
}

static size_t escaped_len(const uint8_t *p, size_t len)
{
	size_t total = 2, n = 0;
	uint8_t ch[6];

	for (size_t i = 0; i < len; total += n)
		i += put_char(p + i, len - i, ch, &n);
	return total;
}

static void write_escaped(uint8_t *room, const uint8_t *p, size_t len)
{
	uint8_t ch[6];
	size_t n = 0;

	*room++ = '"';
	for (size_t i = 0; i < len; room += n) {
		i += put_char(p + i, len - i, ch, &n);
		memcpy(room, ch, n);
	}
	*room = '"';
}

static void write_plain(uint8_t *room, const char *text, size_t len)
{
	room[0] = '"';
	if (len > 0)
		memcpy(room + 1, text, len);
	room[len + 1] = '"';
}

size_t json_write_string(uint8_t *room, size_t size, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	bool plain = is_plain(p, len);
	size_t total = plain ? len + 2 : escaped_len(p, len);

	if (total > size)
		return total;
	if (plain)
		write_plain(room, text, len);
	else
		write_escaped(room, p, len);
	return total;
}

int json_put_string(struct buf *out, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	bool plain = is_plain(p, len);
	size_t total = plain ? len + 2 : escaped_len(p, len);
	uint8_t *room;
	int r = buf_reserve(out, total, &room);

	if (r != 0)
		return r;
	if (plain)
		write_plain(room, text, len);
	else
		write_escaped(room, p, len);
	buf_commit(out, total);
	return 0;
}
