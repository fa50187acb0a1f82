#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/jsonschema/js_value.h"

static struct json_chars chars(const struct json_doc *d, uint32_t t)
{
	const uint8_t *text = (const uint8_t *)d->text;

	return (struct json_chars){text + d->tok[t].start + 1, text + d->tok[t].end - 1};
}

static int grow(struct jsonschema *s, size_t need)
{
	char *text;

	if (need <= s->text_cap)
		return 0;
	need = need < 256 ? 256 : need;
	text = realloc(s->text, need);
	if (text == NULL)
		return KG_E_NOMEM;
	s->text = text;
	s->text_cap = need;
	return 0;
}

int js_text(struct jsonschema *s, const struct json_doc *d, uint32_t t, const char **text, size_t *len)
{
	struct json_chars c = chars(d, t);
	size_t n;
	int r;

	*len = (size_t)(c.end - c.p);
	*text = (const char *)c.p;
	if (!d->tok[t].escaped)
		return 0;
	r = grow(s, *len + 4);
	if (r != 0)
		return r;
	*len = 0;
	*text = s->text;
	while ((n = json_chars_next(&c, (uint8_t *)s->text + *len)) > 0)
		*len += n;
	s->text[*len] = '\0';
	return 0;
}

bool js_text_is(const struct json_doc *d, uint32_t t, const char *text, size_t len)
{
	struct json_chars c = chars(d, t);
	uint8_t out[4];
	size_t n;

	if (!d->tok[t].escaped)
		return (size_t)(c.end - c.p) == len && memcmp(c.p, text, len) == 0;
	while ((n = json_chars_next(&c, out)) > 0) {
		if (n > len || memcmp(text, out, n) != 0)
			return false;
		text += n;
		len -= n;
	}
	return len == 0;
}

uint64_t js_text_length(const struct json_doc *d, uint32_t t)
{
	struct json_chars c = chars(d, t);
	uint64_t length = 0;
	uint8_t out[4];

	if (d->tok[t].escaped) {
		while (json_chars_next(&c, out) > 0)
			length++;
		return length;
	}
	for (; c.p < c.end; c.p++)
		length += (*c.p & 0xc0) != 0x80;
	return length;
}
