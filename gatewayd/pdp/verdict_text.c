/* Text of another's making, before it stands in a log, a terminal or an agent's context. */
#include "common/json_text.h"
#include "gatewayd/pdp/verdict.h"

#include <string.h>

/* What steers a terminal, turns the direction of text or hides: C0, C1, and the ranges here (Unicode 15, Cf, Zl, Zp).
 */
static const struct {
	uint32_t first, last;
} unsafe[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x061c, 0x061c}, {0x200b, 0x200f},    {0x2028, 0x202e},
	{0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe000, 0xf8ff}, {0xe0000, 0x10ffff},
};

static uint32_t code_point(const uint8_t c[4], size_t n)
{
	static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t point = c[0] & lead[n];

	for (size_t i = 1; i < n; i++)
		point = point << 6 | (c[i] & 0x3f);
	return point;
}

static bool is_unsafe(uint32_t point)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (point >= unsafe[i].first && point <= unsafe[i].last)
			return true;
	return false;
}

void verdict_text(const struct json_doc *d, uint32_t t, char *out, size_t size)
{
	struct json_chars chars;
	uint8_t c[4];
	size_t len, n, used = 0;
	const char *raw;

	out[0] = '\0';
	if (json_kind(d, t) != JK_STRING)
		return;
	raw = json_raw(d, t, &len);
	chars = (struct json_chars){(const uint8_t *)raw + 1, (const uint8_t *)raw + len - 1};
	while ((n = json_chars_next(&chars, c)) != 0 && used + n < size) {
		if (is_unsafe(code_point(c, n))) {
			c[0] = ' ';
			n = 1;
		}
		memcpy(out + used, c, n);
		used += n;
	}
	out[used] = '\0';
}
