#include "guardiand/recorder/leaf_put.h"

#include <string.h>

#include "common/json_text.h"
#include "guardiand/recorder/leaf.h"

static const char hex_digits[] = "0123456789abcdef";

void leaf_put(struct leaf_writer *w, const void *p, size_t n)
{
	if (w->full || n > LEAF_MAX - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->out + w->len, p, n);
	w->len += n;
}

void leaf_put_number(struct leaf_writer *w, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	leaf_put(w, digits + i, sizeof(digits) - i);
}

void leaf_put_hex(struct leaf_writer *w, const uint8_t *p, size_t n)
{
	char text[2 + 2 * 32];

	text[0] = text[1 + 2 * n] = '"';
	for (size_t i = 0; i < n; i++) {
		text[1 + 2 * i] = hex_digits[p[i] >> 4];
		text[2 + 2 * i] = hex_digits[p[i] & 15];
	}
	leaf_put(w, text, 2 + 2 * n);
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* RFC 8785, section 3.2.2.2: the short escapes where there are some, lower-case hexadecimal for the rest. */
static void put_escape(struct leaf_writer *w, uint8_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *hit = memchr(from, c, sizeof(from) - 1);
	char text[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};

	if (hit == NULL) {
		leaf_put(w, text, 6);
		return;
	}
	text[1] = to[hit - from];
	leaf_put(w, text, 2);
}

static size_t put_special(struct leaf_writer *w, const uint8_t *p, size_t n)
{
	size_t sequence;

	if (*p < 0x80) {
		put_escape(w, *p);
		return 1;
	}
	sequence = utf8_sequence(p, n);
	if (sequence == 0) {
		leaf_put(w, "\xef\xbf\xbd", 3);
		return 1;
	}
	leaf_put(w, p, sequence);
	return sequence;
}

void leaf_put_string(struct leaf_writer *w, const void *text, size_t n)
{
	const uint8_t *p = text;
	size_t i = 0;

	leaf_put(w, "\"", 1);
	while (i < n) {
		size_t run = i;

		while (run < n && is_plain(p[run]))
			run++;
		leaf_put(w, p + i, run - i);
		i = run;
		if (i < n)
			i += put_special(w, p + i, n - i);
	}
	leaf_put(w, "\"", 1);
}
