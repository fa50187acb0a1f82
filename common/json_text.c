#include "common/json_text.h"

#include <string.h>

/* The second byte's range for each lead byte decides overlong forms, surrogates and the upper end. */
static bool utf8_second_ok(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return second >= 0x80 && second <= 0xbf;
	}
}

static bool utf8_is_tail(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

size_t utf8_sequence(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n < 2 || !utf8_second_ok(p[0], p[1]))
		return 0;
	if (p[0] < 0xe0)
		return 2;
	if (n < 3 || !utf8_is_tail(p[2]))
		return 0;
	if (p[0] < 0xf0)
		return 3;
	return n >= 4 && utf8_is_tail(p[3]) ? 4 : 0;
}

bool utf8_valid(const void *text, size_t n)
{
	const uint8_t *p = text;

	while (n > 0) {
		size_t step = utf8_sequence(p, n);

		if (step == 0)
			return false;
		p += step;
		n -= step;
	}
	return true;
}

static size_t utf8_put(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads "\uXXXX"; UINT32_MAX when it is none. */
static uint32_t read_unit(const uint8_t *p, size_t n)
{
	uint32_t unit = 0;

	if (n < 6 || p[0] != '\\' || p[1] != 'u')
		return UINT32_MAX;
	for (size_t i = 2; i < 6; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return UINT32_MAX;
		unit = unit << 4 | (uint32_t)digit;
	}
	return unit;
}

static size_t read_unicode_escape(const uint8_t *p, size_t n, uint8_t out[4], size_t *out_len)
{
	uint32_t high = read_unit(p, n), low;

	if (high == UINT32_MAX || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	if (high < 0xd800 || high > 0xdfff) {
		*out_len = utf8_put(high, out);
		return 6;
	}
	low = read_unit(p + 6, n - 6);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*out_len = utf8_put(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), out);
	return 12;
}

size_t json_escape_read(const uint8_t *p, size_t n, uint8_t out[4], size_t *out_len)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (n < 2 || p[0] != '\\' || p[1] == '\0')
		return 0;
	if (p[1] == 'u')
		return read_unicode_escape(p, n, out, out_len);
	name = strchr(names, p[1]);
	if (name == NULL)
		return 0;
	out[0] = (uint8_t)values[name - names];
	*out_len = 1;
	return 2;
}

size_t json_chars_next(struct json_chars *c, uint8_t out[4])
{
	size_t left = (size_t)(c->end - c->p), used, len = 0;

	if (left == 0)
		return 0;
	if (*c->p == '\\') {
		used = json_escape_read(c->p, left, out, &len);
	} else {
		used = utf8_sequence(c->p, left);
		memcpy(out, c->p, used);
		len = used;
	}
	c->p += used;
	return used == 0 ? 0 : len;
}
