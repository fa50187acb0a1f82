#include "common/text_plain.h"

#include "common/json_text.h"

#define CUT "..."
#define CUT_LEN (sizeof(CUT) - 1)

/* C0, C1, and the ranges here (Unicode 15, Cf, Zl, Zp, private use; what is drawn as nothing, but for emoji's). */
static const struct {
	uint32_t first, last;
} unsafe[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x034f, 0x034f}, {0x061c, 0x061c},    {0x115f, 0x1160},
	{0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},    {0xe000, 0xf8ff},
	{0xfe00, 0xfe0e}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0x10ffff},
};

bool text_unsafe(uint32_t point)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (point >= unsafe[i].first && point <= unsafe[i].last)
			return true;
	return false;
}

uint32_t text_point(const uint8_t *c, size_t n)
{
	static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t point = c[0] & lead[n];

	for (size_t i = 1; i < n; i++)
		point = point << 6 | (c[i] & 0x3f);
	return point;
}

/* The next character as it may stand: its bytes in *at, their number in *n; the bytes that it was are returned. */
static size_t next(const uint8_t *p, size_t len, bool lines, const uint8_t **at, size_t *n)
{
	size_t was = utf8_sequence(p, len);

	*at = p;
	*n = was;
	if (was == 0) {
		*at = (const uint8_t *)"?";
		*n = 1;
		return 1;
	}
	if (text_unsafe(text_point(p, was)) && !(lines && *p == '\n')) {
		*at = (const uint8_t *)" ";
		*n = 1;
	}
	return was;
}

/* How many bytes of text come to at most max. */
static size_t fits(const uint8_t *p, size_t len, size_t max, bool lines)
{
	const uint8_t *at;
	size_t n, was, i = 0, used = 0;

	for (; i < len; i += was, used += n) {
		was = next(p + i, len - i, lines, &at, &n);
		if (used + n > max)
			break;
	}
	return i;
}

int text_plain(struct buf *out, const void *text, size_t len, size_t max, bool lines)
{
	const uint8_t *p = text, *at;
	size_t n, end = fits(p, len, max, lines);
	bool cut = end < len;
	int err = 0;

	if (cut)
		end = max < CUT_LEN ? 0 : fits(p, len, max - CUT_LEN, lines);
	for (size_t i = 0; i < end && err == 0;) {
		i += next(p + i, len - i, lines, &at, &n);
		err = buf_put(out, at, n);
	}
	return err == 0 && cut && max >= CUT_LEN ? buf_puts(out, CUT) : err;
}
