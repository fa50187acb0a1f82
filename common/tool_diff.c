/* What changed in a tool's definition, line by line. Both are made canonical first: members then stand in one order. */
#include "common/tool_diff.h"

#include <stdbool.h>
#include <string.h>

#include "common/json.h"
#include "common/json_canonical.h"
#include "common/json_text.h"

#define VALUE_BYTES_MAX 200
#define PATH_BYTES_MAX 400
#define POINTER_DIGITS_MAX 768u /* of the indexes in a path */
#define ELLIPSIS "\xe2\x80\xa6"

struct side {
	struct buf text;
	struct json_doc doc;
};

struct diff {
	struct side a, b; /* before, after */
	struct buf *out;
	struct buf path;
	size_t lines;
};

/*
 * Characters that a reader does not see, or that turn what he sees: controls, marks of direction, tags. Raw they would
 * hide a change from the one who is asked to accept it, or speak to his terminal.
 */
static bool is_hidden(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x0, 0x1f},      {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
		{0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
		{0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
		{0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	}
	return false;
}

static uint32_t code_point(const uint8_t *p, size_t n)
{
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3fu);
	return c;
}

/* Text cut at max bytes, at a character's end. */
static int put_cut(struct buf *out, const uint8_t *p, size_t len, size_t max)
{
	size_t i = 0, n;
	int r = 0;

	for (; i < len && r == 0; i += n) {
		uint32_t c;

		n = utf8_sequence(p + i, len - i);
		if (n == 0)
			return KG_E_PROTO;
		if (i + n > max)
			return buf_puts(out, ELLIPSIS);
		c = code_point(p + i, n);
		r = is_hidden(c) ? buf_printf(out, "\\u{%x}", c) : buf_put(out, p + i, n);
	}
	return r;
}

static int put_value(struct diff *f, const struct side *s, uint32_t t)
{
	size_t len;
	const char *raw = json_raw(&s->doc, t, &len);

	return put_cut(f->out, (const uint8_t *)raw, len, VALUE_BYTES_MAX);
}

/* A line's mark and path; false when there are enough lines already. */
static bool begin_line(struct diff *f, char mark, int *r)
{
	*r = 0;
	if (++f->lines > TOOL_DIFF_LINES_MAX)
		return false;
	*r = buf_printf(f->out, "%c ", mark);
	if (*r == 0)
		*r = put_cut(f->out, buf_ptr(&f->path), buf_len(&f->path), PATH_BYTES_MAX);
	if (*r == 0)
		*r = buf_puts(f->out, ": ");
	return *r == 0;
}

static int put_one(struct diff *f, char mark, const struct side *s, uint32_t t)
{
	int r;

	if (!begin_line(f, mark, &r))
		return r;
	r = put_value(f, s, t);
	return r != 0 ? r : buf_puts(f->out, "\n");
}

static int put_change(struct diff *f, uint32_t x, uint32_t y)
{
	int r;

	if (!begin_line(f, '~', &r))
		return r;
	r = put_value(f, &f->a, x);
	if (r == 0)
		r = buf_puts(f->out, " -> ");
	if (r == 0)
		r = put_value(f, &f->b, y);
	return r != 0 ? r : buf_puts(f->out, "\n");
}

/* One step of a JSON pointer (RFC 6901). The name stays escaped as in JSON. */
static int push_name(struct diff *f, const struct side *s, uint32_t name)
{
	size_t len;
	const char *raw = json_raw(&s->doc, name, &len);
	int r = buf_put(&f->path, "/", 1);

	for (size_t i = 1; i + 1 < len && r == 0; i++) {
		if (raw[i] == '~' || raw[i] == '/')
			r = buf_put(&f->path, raw[i] == '~' ? "~0" : "~1", 2);
		else
			r = buf_put(&f->path, &raw[i], 1);
	}
	return r;
}

static bool same(const struct diff *f, uint32_t x, uint32_t y)
{
	size_t n, m;
	const char *a = json_raw(&f->a.doc, x, &n), *b = json_raw(&f->b.doc, y, &m);

	return n == m && memcmp(a, b, n) == 0;
}

static int diff_values(struct diff *f, uint32_t x, uint32_t y);

/* What stands under a name or an index on one side, or on both; JSON_NONE on the other. */
static int diff_part(struct diff *f, uint32_t x, uint32_t y)
{
	if (x == JSON_NONE)
		return put_one(f, '+', &f->b, y);
	if (y == JSON_NONE)
		return put_one(f, '-', &f->a, x);
	return diff_values(f, x, y);
}

static int diff_member(struct diff *f, uint32_t x, uint32_t y)
{
	size_t mark = f->path.len;
	int r = x != JSON_NONE ? push_name(f, &f->a, x) : push_name(f, &f->b, y);

	if (r == 0)
		r = diff_part(f, x == JSON_NONE ? x : x + 1, y == JSON_NONE ? y : y + 1);
	f->path.len = mark;
	return r;
}

static int diff_objects(struct diff *f, uint32_t a, uint32_t b)
{
	uint32_t x = json_first(&f->a.doc, a), y = json_first(&f->b.doc, b);
	int r = 0;

	while ((x != JSON_NONE || y != JSON_NONE) && r == 0) {
		int order = x == JSON_NONE ? 1 : y == JSON_NONE ? -1 : json_name_order(&f->a.doc, x, &f->b.doc, y);

		r = diff_member(f, order <= 0 ? x : JSON_NONE, order >= 0 ? y : JSON_NONE);
		if (order <= 0)
			x = json_after(&f->a.doc, a, x + 1);
		if (order >= 0)
			y = json_after(&f->b.doc, b, y + 1);
	}
	return r;
}

/* How many elements from the first on are the same. Leaves x and y at the first that are not. */
static uint32_t same_elements(const struct diff *f, uint32_t a, uint32_t b, uint32_t *x, uint32_t *y)
{
	uint32_t n = 0;

	*x = json_first(&f->a.doc, a);
	*y = json_first(&f->b.doc, b);
	while (*x != JSON_NONE && *y != JSON_NONE && same(f, *x, *y)) {
		*x = json_after(&f->a.doc, a, *x);
		*y = json_after(&f->b.doc, b, *y);
		n++;
	}
	return n;
}

static int diff_element(struct diff *f, uint32_t index, uint32_t x, uint32_t y)
{
	size_t mark = f->path.len;
	int r = buf_printf(&f->path, "/%u", index);

	if (r == 0)
		r = diff_part(f, x, y);
	f->path.len = mark;
	return r;
}

/* Whether all behind the first n of x is as all from y on. */
static bool same_behind(const struct json_doc *d, uint32_t a, uint32_t x, uint32_t n, const struct json_doc *e,
			uint32_t b, uint32_t y)
{
	for (; n > 0; n--)
		x = json_after(d, a, x);
	while (x != JSON_NONE && y != JSON_NONE) {
		size_t len, other;
		const char *p = json_raw(d, x, &len), *q = json_raw(e, y, &other);

		if (len != other || memcmp(p, q, len) != 0)
			return false;
		x = json_after(d, a, x);
		y = json_after(e, b, y);
	}
	return x == y;
}

static int diff_arrays(struct diff *f, uint32_t a, uint32_t b)
{
	uint32_t x, y, index = same_elements(f, a, b, &x, &y), n = f->a.doc.tok[a].count, m = f->b.doc.tok[b].count;
	int r = 0;

	/* Some put in or taken out at one place: what follows has only moved. */
	if (n > m && same_behind(&f->a.doc, a, x, n - m, &f->b.doc, b, y)) {
		for (uint32_t last = index + n - m; index < last && r == 0; index++, x = json_after(&f->a.doc, a, x))
			r = diff_element(f, index, x, JSON_NONE);
		return r;
	}
	if (m > n && same_behind(&f->b.doc, b, y, m - n, &f->a.doc, a, x)) {
		for (uint32_t last = index + m - n; index < last && r == 0; index++, y = json_after(&f->b.doc, b, y))
			r = diff_element(f, index, JSON_NONE, y);
		return r;
	}
	for (; (x != JSON_NONE || y != JSON_NONE) && r == 0; index++) {
		r = diff_element(f, index, x, y);
		x = x == JSON_NONE ? x : json_after(&f->a.doc, a, x);
		y = y == JSON_NONE ? y : json_after(&f->b.doc, b, y);
	}
	return r;
}

static int diff_values(struct diff *f, uint32_t x, uint32_t y)
{
	enum json_kind kind = json_kind(&f->a.doc, x);

	if (same(f, x, y))
		return 0;
	if (kind != json_kind(&f->b.doc, y))
		return put_change(f, x, y);
	if (kind == JK_OBJECT)
		return diff_objects(f, x, y);
	return kind == JK_ARRAY ? diff_arrays(f, x, y) : put_change(f, x, y);
}

static int side_read(struct side *s, const char *text, size_t len)
{
	int r = json_scan(&s->doc, text, len, NULL);

	if (r == 0)
		r = json_put_canonical(&s->text, &s->doc, 0);
	return r != 0 ? r : json_scan(&s->doc, (const char *)buf_ptr(&s->text), buf_len(&s->text), NULL);
}

static void side_init(struct side *s, size_t len)
{
	buf_init(&s->text, len);
	json_init(&s->doc);
}

static void side_free(struct side *s)
{
	buf_free(&s->text);
	json_free(&s->doc);
}

int tool_diff(struct buf *out, const char *before, size_t before_len, const char *after, size_t after_len)
{
	struct diff f = {.out = out};
	int r;

	side_init(&f.a, before_len);
	side_init(&f.b, after_len);
	buf_init(&f.path, 2 * (before_len + after_len) + POINTER_DIGITS_MAX);
	r = side_read(&f.a, before, before_len);
	if (r == 0)
		r = side_read(&f.b, after, after_len);
	if (r == 0)
		r = diff_values(&f, 0, 0);
	if (r == 0 && f.lines > TOOL_DIFF_LINES_MAX)
		r = buf_printf(out, "and %zu more\n", f.lines - TOOL_DIFF_LINES_MAX);
	side_free(&f.a);
	side_free(&f.b);
	buf_free(&f.path);
	return r;
}
