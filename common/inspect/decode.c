#include "common/inspect/decode.h"

#include <string.h>

#include "common/inspect/fold.h"

#define ESCAPES_MIN 4u
#define RUN_MAX 262144u
#define PROBE 48u /* letters of a run that must already look like text */

static int value_hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int value_base64(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Nearly all of it can be read. */
static bool is_text(const uint8_t *p, size_t n)
{
	size_t odd = 0;

	for (size_t i = 0; i < n; i++)
		odd += p[i] == 0x7f || (p[i] < 0x20 && p[i] != '\n' && p[i] != '\t' && p[i] != '\r') || p[i] >= 0xf5;
	for (size_t i = 0; i < n; i++) {
		size_t used;

		if (p[i] < 0x80)
			continue;
		if (fold_next(p + i, n - i, &used) == 0xfffd || (p[i + used - 1] & 0xc0) != 0x80)
			odd++;
		i += used - 1;
	}
	return n > 0 && odd * 16 <= n;
}

static size_t decode_hex(const uint8_t *p, size_t n, uint8_t *out)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		out[i / 2] = (uint8_t)((unsigned)value_hex(p[i]) << 4 | (unsigned)value_hex(p[i + 1]));
	return n / 2;
}

static size_t decode_base64(const uint8_t *p, size_t n, uint8_t *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 6 | (uint32_t)value_base64(p[i]);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[len++] = (uint8_t)(bits >> have);
		}
	}
	return len;
}

/* One run, when its beginning and then all of it decode to text. */
static bool take_run(const uint8_t *p, size_t n, size_t (*decode)(const uint8_t *p, size_t n, uint8_t *out),
		     struct buf *out)
{
	uint8_t probe[PROBE];
	uint8_t *room;
	size_t len;

	if (n > RUN_MAX)
		n = RUN_MAX;
	len = decode(p, n < PROBE ? n : PROBE, probe);
	/* The probe may end inside a character. */
	if (!is_text(probe, len > 20 ? len - 3 : len) || buf_reserve(out, n + 1, &room) != KG_OK)
		return false;
	len = decode(p, n, room);
	if (!is_text(room, len))
		return false;
	room[len] = '\n';
	buf_commit(out, len + 1);
	return true;
}

static bool decode_runs(const uint8_t *text, size_t n, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		size_t begin = i;
		bool hex = true, done = false;

		for (; i < n && value_base64(text[i]) >= 0; i++)
			hex = hex && value_hex(text[i]) >= 0;
		if (i - begin < DECODE_RUN_MIN)
			continue;
		if (hex && (i - begin) % 2 == 0)
			done = take_run(text + begin, i - begin, decode_hex, out);
		if (!done)
			done = take_run(text + begin, i - begin, decode_base64, out);
		any = any || done;
	}
	return any;
}

static size_t put_utf8(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
		out[2] = (uint8_t)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
	out[3] = (uint8_t)(0x80 | (c & 63));
	return 4;
}

/* digits hex digits from p: their value, or -1. */
static int32_t read_hex(const uint8_t *p, size_t n, size_t digits)
{
	int32_t v = 0;

	if (n < digits)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		if (value_hex(p[i]) < 0)
			return -1;
		v = v << 4 | value_hex(p[i]);
	}
	return v;
}

/* &#65; and &#x41; */
static int32_t read_reference(const uint8_t *p, size_t n, size_t *used)
{
	bool hex = n > 2 && (p[2] | 0x20) == 'x';
	int32_t v = 0;
	size_t i = hex ? 3 : 2;

	if (n < 4 || p[1] != '#')
		return -1;
	for (; i < n && i < 10 && p[i] != ';'; i++) {
		int d = value_hex(p[i]);

		if (d < 0 || (!hex && d > 9))
			return -1;
		v = v * (hex ? 16 : 10) + d;
	}
	*used = i + 1;
	return i < n && p[i] == ';' && v <= 0x10ffff ? v : -1;
}

/* The escape at p: its character and length, or -1. */
static int32_t read_escape(const uint8_t *p, size_t n, size_t *used)
{
	if (p[0] == '%') {
		*used = 3;
		return read_hex(p + 1, n - 1, 2);
	}
	if (p[0] == '&')
		return read_reference(p, n, used);
	if (n < 4)
		return -1;
	*used = p[1] == 'x' ? 4 : 6;
	return p[1] == 'x' || p[1] == 'u' ? read_hex(p + 2, n - 2, *used - 2) : -1;
}

static bool is_escape_mark(uint8_t c)
{
	return c == '%' || c == '&' || c == '\\';
}

static bool decode_escapes(const uint8_t *text, size_t n, struct buf *out)
{
	unsigned found = 0;
	uint8_t *room;
	size_t len = 0, used = 0;

	for (size_t i = 0; i < n && found < ESCAPES_MIN; i++)
		found += is_escape_mark(text[i]) && read_escape(text + i, n - i, &used) >= 0;
	if (found < ESCAPES_MIN || buf_reserve(out, n + 1, &room) != KG_OK)
		return false;
	for (size_t i = 0; i < n; i += used) {
		int32_t c = is_escape_mark(text[i]) ? read_escape(text + i, n - i, &used) : -1;

		if (c < 0) {
			used = 1;
			room[len++] = text[i];
		} else if (text[i] == '&' || used == 6) {
			len += put_utf8((uint32_t)c, room + len);
		} else {
			room[len++] = (uint8_t)c; /* a byte, perhaps of a longer character */
		}
	}
	room[len++] = '\n';
	buf_commit(out, len);
	return true;
}

bool decode_layers(const uint8_t *text, size_t n, struct buf *out)
{
	bool escapes = decode_escapes(text, n, out);

	return decode_runs(text, n, out) || escapes;
}

bool decode_rot13(const uint8_t *text, size_t n, struct buf *out)
{
	uint8_t *room;

	if (n == 0 || buf_reserve(out, n, &room) != KG_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = text[i], low = c | 0x20;

		room[i] = low < 'a' || low > 'z' ? c : (uint8_t)(low < 'n' ? c + 13 : c - 13);
	}
	buf_commit(out, n);
	return true;
}

/* The override U+202E is e2 80 ae; U+202C (e2 80 ac), a line end or the text's end ends it. */
bool decode_backwards(const uint8_t *text, size_t n, struct buf *out)
{
	const uint8_t *p = text, *end = text + n, *at;
	uint8_t *room;
	bool any = false;

	while (p < end && (at = memmem(p, (size_t)(end - p), "\xe2\x80\xae", 3)) != NULL) {
		const uint8_t *from = at + 3, *to = from;

		while (to < end && *to != '\n' && !(end - to >= 3 && memcmp(to, "\xe2\x80\xac", 3) == 0))
			to++;
		if (buf_reserve(out, (size_t)(to - from) + 1, &room) != KG_OK)
			return any;
		size_t len = (size_t)(to - from);
		/* Bytes of a longer character come out wrong, which hides nothing that is written in ASCII. */
		for (size_t i = 0; i < len; i++)
			room[i] = from[len - 1 - i] < 0x80 ? from[len - 1 - i] : ' ';
		room[len] = '\n';
		buf_commit(out, len + 1);
		any = true;
		p = to;
	}
	return any;
}
