/* Reading a scanned document. */
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_names.h"
#include "common/json_text.h"

void json_init(struct json_doc *d)
{
	*d = (struct json_doc){0};
	json_names_init();
}

void json_free(struct json_doc *d)
{
	free(d->tok);
	free(d->slots);
	*d = (struct json_doc){0};
}

enum json_kind json_kind(const struct json_doc *d, uint32_t t)
{
	return t < d->ntok ? (enum json_kind)d->tok[t].type : 0;
}

uint32_t json_get(const struct json_doc *d, uint32_t t, const char *name)
{
	if (json_kind(d, t) != JK_OBJECT)
		return JSON_NONE;
	for (uint32_t m = json_first(d, t); m != JSON_NONE; m = json_after(d, t, m + 1)) {
		if (json_is(d, m, name))
			return m + 1;
	}
	return JSON_NONE;
}

uint32_t json_first(const struct json_doc *d, uint32_t t)
{
	enum json_kind type = json_kind(d, t);

	if ((type != JK_OBJECT && type != JK_ARRAY) || d->tok[t].count == 0)
		return JSON_NONE;
	return t + 1;
}

uint32_t json_after(const struct json_doc *d, uint32_t c, uint32_t t)
{
	if (c >= d->ntok || t >= d->ntok || d->tok[t].next >= d->tok[c].next)
		return JSON_NONE;
	return d->tok[t].next;
}

const char *json_raw(const struct json_doc *d, uint32_t t, size_t *len)
{
	if (t >= d->ntok) {
		*len = 0;
		return "";
	}
	*len = d->tok[t].end - d->tok[t].start;
	return d->text + d->tok[t].start;
}

/* The characters of string t; false when it is none. */
static bool string_chars(const struct json_doc *d, uint32_t t, struct json_chars *out)
{
	if (json_kind(d, t) != JK_STRING)
		return false;
	out->p = (const uint8_t *)d->text + d->tok[t].start + 1;
	out->end = (const uint8_t *)d->text + d->tok[t].end - 1;
	return true;
}

bool json_is(const struct json_doc *d, uint32_t t, const char *text)
{
	struct json_chars c;
	size_t len = strlen(text), n;
	uint8_t out[4];

	if (!string_chars(d, t, &c))
		return false;
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

int json_unescape(const struct json_doc *d, uint32_t t, char *out, size_t size)
{
	struct json_chars c, again;
	uint8_t ch[4];
	size_t len = 0, n;

	if (!string_chars(d, t, &c))
		return KG_E_INVALID;
	again = c;
	while ((n = json_chars_next(&c, ch)) > 0) {
		if (ch[0] == '\0')
			return KG_E_INVALID;
		len += n;
	}
	if (len >= size)
		return KG_E_LIMIT;
	while ((n = json_chars_next(&again, ch)) > 0) {
		memcpy(out, ch, n);
		out += n;
	}
	*out = '\0';
	return 0;
}

int json_int(const struct json_doc *d, uint32_t t, int64_t *out)
{
	uint64_t value = 0, limit = INT64_MAX;
	size_t len, i = 0;
	const char *p = json_raw(d, t, &len);
	bool negative;

	if (json_kind(d, t) != JK_NUMBER)
		return KG_E_INVALID;
	negative = p[0] == '-';
	if (negative) {
		i = 1;
		limit++;
	}
	for (; i < len; i++) {
		uint64_t digit = (uint64_t)(p[i] - '0');

		if (p[i] < '0' || p[i] > '9' || value > (limit - digit) / 10)
			return KG_E_INVALID;
		value = value * 10 + digit;
	}
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}
