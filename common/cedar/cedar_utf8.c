#include "common/cedar/cedar_utf8.h"

#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LAST 0xdfffu
#define SCALAR_LAST 0x10ffffu

static bool is_scalar(uint32_t c)
{
	return c <= SCALAR_LAST && (c < SURROGATE_FIRST || c > SURROGATE_LAST);
}

size_t cedar_utf8_decode(struct cedar_str s, uint32_t *scalar)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead, next;
	size_t length, i;
	uint32_t c;

	if (s.n == 0)
		return 0;
	lead = (unsigned char)s.p[0];
	if (lead < 0x80) {
		*scalar = lead;
		return 1;
	}
	length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || s.n < length)
		return 0;
	c = lead & (0x7fu >> length);
	for (i = 1; i < length; i++) {
		next = (unsigned char)s.p[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (next & 0x3fu);
	}
	if (c < least[length] || !is_scalar(c))
		return 0;
	*scalar = c;
	return length;
}

size_t cedar_utf8_encode(uint32_t c, char out[CEDAR_UTF8_MAX])
{
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t length, i;

	if (!is_scalar(c))
		return 0;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (i = length - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(lead[length] | c);
	return length;
}

size_t cedar_utf8_check(struct cedar_str s)
{
	size_t i = 0, length;
	uint32_t c;

	while (i < s.n) {
		length = cedar_utf8_decode((struct cedar_str){s.p + i, s.n - i}, &c);
		if (length == 0)
			break;
		i += length;
	}
	return i;
}

bool cedar_utf8_is_space(uint32_t c)
{
	if (c <= 0x20)
		return c == 0x20 || (c >= 0x09 && c <= 0x0d);
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}
