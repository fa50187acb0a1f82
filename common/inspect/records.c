#include "common/inspect/records.h"

#include <string.h>

#include "common/inspect/record_lists.h"
#include "common/inspect/record_rows.h"
#include "common/json_text.h"

#define CHUNK 4096

enum place {
	BETWEEN, /* nothing stands in the line yet but values */
	IN_VALUE,
	IN_LINE, /* of prose, or of a table */
};

/* The texts of a result. */
struct text {
	struct lists lists;
	struct rows rows;
	uint8_t place;
	bool ended;      /* a value, and nothing behind it yet */
	uint32_t values; /* that stand alone in their lines */
	uint32_t inner;  /* records in them */
};

/* Bytes around values: also those before the first (a mark of byte order), and RFC 7464's. */
static bool is_between(uint8_t c)
{
	return c != '\0' && strchr(" \t\r,\x1e\xef\xbb\xbf", c) != NULL;
}

static void end_value(struct text *t)
{
	t->values = record_sum(t->values, t->ended);
	t->ended = false;
}

static const uint8_t *take_value(struct text *t, const uint8_t *p, const uint8_t *end)
{
	size_t used;
	enum lists_state state = record_lists_take(&t->lists, p, (size_t)(end - p), &used);

	if (state == LISTS_MORE)
		return end;
	t->inner = record_sum(t->inner, record_lists_count(&t->lists));
	t->place = state == LISTS_DONE ? BETWEEN : IN_LINE;
	t->ended = state == LISTS_DONE;
	if (state == LISTS_DONE)
		record_rows_break(&t->rows);
	return p + used;
}

static const uint8_t *take_between(struct text *t, const uint8_t *p)
{
	if (*p == '[' || *p == '{') {
		end_value(t);
		record_lists_begin(&t->lists);
		t->place = IN_VALUE;
		return p;
	}
	if (*p == '\n') {
		end_value(t);
	} else if (!is_between(*p)) {
		t->ended = false;
		t->place = IN_LINE;
		return p;
	}
	record_rows_take(&t->rows, p, 1);
	return p + 1;
}

static const uint8_t *take_line(struct text *t, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *stop = memchr(p, '\n', (size_t)(end - p));

	t->place = stop == NULL ? IN_LINE : BETWEEN;
	stop = stop == NULL ? end : stop + 1;
	record_rows_take(&t->rows, p, (size_t)(stop - p));
	return stop;
}

static void take(struct text *t, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end) {
		if (t->place == IN_VALUE)
			p = take_value(t, p, end);
		else
			p = t->place == BETWEEN ? take_between(t, p) : take_line(t, p, end);
	}
}

/* What was cut off counts as far as it goes. */
static uint32_t text_records(struct text *t)
{
	uint32_t rows = record_rows_count(&t->rows);

	if (t->place == IN_VALUE)
		t->inner = record_sum(t->inner, record_lists_count(&t->lists));
	end_value(t);
	/* A single value is no list. */
	return record_sum(t->values > 1 && t->values > t->inner ? t->values : t->inner, rows);
}

uint32_t records_in_text(const void *text, size_t n)
{
	struct text t = {.place = BETWEEN};

	take(&t, text, n);
	return text_records(&t);
}

struct chunk {
	uint8_t bytes[CHUNK];
	size_t n;
};

static void flush(struct text *t, struct chunk *c)
{
	take(t, c->bytes, c->n);
	c->n = 0;
}

/* Escapes part a text into small pieces: these are gathered, long ones are taken where they stand. */
static void gather(struct text *t, struct chunk *c, const void *p, size_t n)
{
	if (n > CHUNK - c->n)
		flush(t, c);
	if (n > CHUNK) {
		take(t, p, n);
		return;
	}
	memcpy(c->bytes + c->n, p, n);
	c->n += n;
}

/* A block's text, escapes undone, ends a line. */
static void take_string(struct text *t, const struct json_doc *d, uint32_t string)
{
	struct chunk chunk = {.n = 0};
	const char *p, *end;
	size_t n;

	if (json_kind(d, string) != JK_STRING)
		return;
	p = json_raw(d, string, &n) + 1;
	end = p + n - 2;
	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		uint8_t c[4];
		size_t len, used;

		gather(t, &chunk, p, (size_t)((slash == NULL ? end : slash) - p));
		if (slash == NULL)
			break;
		used = json_escape_read((const uint8_t *)slash, (size_t)(end - slash), c, &len);
		gather(t, &chunk, c, used > 0 ? len : 0);
		p = slash + (used > 0 ? used : 1);
	}
	gather(t, &chunk, "\n", 1);
	flush(t, &chunk);
}

static uint32_t of_content(const struct json_doc *d, uint32_t content)
{
	struct text t = {.place = BETWEEN};
	uint32_t resources = 0;

	if (json_kind(d, content) != JK_ARRAY)
		return 0;
	for (uint32_t b = json_first(d, content); b != JSON_NONE; b = json_after(d, content, b)) {
		uint32_t type = json_get(d, b, "type"), resource = json_get(d, b, "resource");

		resources += json_is(d, type, "resource_link") || json_is(d, type, "resource");
		take_string(&t, d, json_get(d, resource == JSON_NONE ? b : resource, "text"));
	}
	return record_sum(resources, text_records(&t));
}

static uint32_t of_value(const struct json_doc *d, uint32_t value)
{
	enum json_kind kind = json_kind(d, value);
	struct lists l;
	size_t n, used;
	const char *raw;

	if (kind != JK_ARRAY && kind != JK_OBJECT)
		return 0;
	raw = json_raw(d, value, &n);
	record_lists_begin(&l);
	(void)record_lists_take(&l, (const uint8_t *)raw, n, &used);
	return record_lists_count(&l);
}

uint32_t records_count(const struct json_doc *d)
{
	uint32_t texts, structured = 0;

	if (json_kind(d, 0) != JK_OBJECT)
		return of_value(d, 0);
	for (uint32_t name = json_first(d, 0); name != JSON_NONE; name = json_after(d, 0, name + 1))
		if (!json_is(d, name, "content"))
			structured = record_sum(structured, of_value(d, name + 1));
	texts = of_content(d, json_get(d, 0, "content"));
	return texts > structured ? texts : structured;
}
