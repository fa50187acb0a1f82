/* Text of another's making, before it stands in a log, a terminal or an agent's context. */
#include "common/json_text.h"
#include "common/text_plain.h"
#include "gatewayd/pdp/verdict.h"

#include <string.h>

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
		if (text_unsafe(text_point(c, n))) {
			c[0] = ' ';
			n = 1;
		}
		memcpy(out + used, c, n);
		used += n;
	}
	out[used] = '\0';
}
