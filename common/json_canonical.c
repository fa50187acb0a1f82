/* JSON in one spelling: RFC 8785, but for numbers. Recursion ends with the scanner's depth. */
#include "common/json_canonical.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"

static int put_value(struct buf *out, const struct json_doc *d, uint32_t t);

static struct json_chars chars(const struct json_doc *d, uint32_t t)
{
	const uint8_t *text = (const uint8_t *)d->text;

	return (struct json_chars){text + d->tok[t].start + 1, text + d->tok[t].end - 1};
}

/* UTF-8 sorts as code points do; UTF-16 puts those over U+FFFF (surrogates) before U+E000 to U+FFFF. */
static int compare_units(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
	if (n == 4 && m == 3 && b[0] >= 0xee)
		return -1;
	if (m == 4 && n == 3 && a[0] >= 0xee)
		return 1;
	return memcmp(a, b, n < m ? n : m);
}

int json_name_order(const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y)
{
	struct json_chars p = chars(a, x), q = chars(b, y);
	uint8_t c[4] = {0}, e[4] = {0};

	for (;;) {
		size_t n = json_chars_next(&p, c), m = json_chars_next(&q, e);
		int order;

		if (n == 0 || m == 0)
			return (n != 0) - (m != 0);
		order = compare_units(c, n, e, m);
		if (order != 0)
			return order;
	}
}

static int by_name(const void *a, const void *b, void *doc)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return json_name_order(doc, x, doc, y);
}

/* Without an escape the scanner has left nothing in a string that could be spelled in two ways. */
static int put_string(struct buf *out, const struct json_doc *d, uint32_t t)
{
	struct json_chars c = chars(d, t);
	size_t len = 0, n;
	uint8_t *plain;
	int r;

	if (!d->tok[t].escaped)
		return buf_put(out, d->text + d->tok[t].start, d->tok[t].end - d->tok[t].start);
	plain = malloc((size_t)(c.end - c.p) + 4);
	if (plain == NULL)
		return KG_E_NOMEM;
	while ((n = json_chars_next(&c, plain + len)) > 0)
		len += n;
	r = json_put_string(out, (const char *)plain, len);
	free(plain);
	return r;
}

static int put_member(struct buf *out, const struct json_doc *d, uint32_t name)
{
	int r = put_string(out, d, name);

	if (r != 0)
		return r;
	r = buf_put(out, ":", 1);
	return r != 0 ? r : put_value(out, d, name + 1);
}

static int put_members(struct buf *out, const struct json_doc *d, uint32_t t)
{
	uint32_t count = d->tok[t].count, n = 0;
	uint32_t *names = malloc((count + 1) * sizeof(*names));
	int r = 0;

	if (names == NULL)
		return KG_E_NOMEM;
	for (uint32_t m = json_first(d, t); m != JSON_NONE; m = json_after(d, t, m + 1))
		names[n++] = m;
	qsort_r(names, n, sizeof(*names), by_name, (void *)(uintptr_t)d);
	for (uint32_t i = 0; i < n && r == 0; i++) {
		if (i > 0)
			r = buf_put(out, ",", 1);
		if (r == 0)
			r = put_member(out, d, names[i]);
	}
	free(names);
	return r;
}

static int put_elements(struct buf *out, const struct json_doc *d, uint32_t t)
{
	uint32_t first = json_first(d, t);
	int r = 0;

	for (uint32_t e = first; e != JSON_NONE && r == 0; e = json_after(d, t, e)) {
		if (e != first)
			r = buf_put(out, ",", 1);
		if (r == 0)
			r = put_value(out, d, e);
	}
	return r;
}

static int put_container(struct buf *out, const struct json_doc *d, uint32_t t)
{
	bool object = d->tok[t].type == JK_OBJECT;
	int r = buf_put(out, object ? "{" : "[", 1);

	if (r != 0)
		return r;
	r = object ? put_members(out, d, t) : put_elements(out, d, t);
	return r != 0 ? r : buf_put(out, object ? "}" : "]", 1);
}

static int put_value(struct buf *out, const struct json_doc *d, uint32_t t)
{
	const struct json_tok *tok = &d->tok[t];

	if (tok->type == JK_OBJECT || tok->type == JK_ARRAY)
		return put_container(out, d, t);
	if (tok->type == JK_STRING)
		return put_string(out, d, t);
	return buf_put(out, d->text + tok->start, tok->end - tok->start);
}

int json_put_canonical(struct buf *out, const struct json_doc *d, uint32_t t)
{
	return t < d->ntok ? put_value(out, d, t) : KG_E_INVALID;
}
