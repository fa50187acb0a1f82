/* JSON of strangers for people: indented, every byte of a value as it was written, and harmless for a terminal. */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "keepgate/cli.h"

static void put_raw(FILE *out, const struct json_doc *d, uint32_t t)
{
	size_t len;
	const char *raw = json_raw(d, t, &len);
	char *text = strndup(raw, len);

	cli_puts_safe(out, text == NULL ? "?" : text);
	free(text);
}

static void put_margin(FILE *out, unsigned depth)
{
	fprintf(out, "\n%*s", (int)(2 * depth), "");
}

static void put_value(FILE *out, const struct json_doc *d, uint32_t t, unsigned depth);

/* Members or elements; depth is bounded by the scanner (JSON_DEPTH_MAX). */
static void put_parts(FILE *out, const struct json_doc *d, uint32_t t, unsigned depth)
{
	bool object = json_kind(d, t) == JK_OBJECT;
	uint32_t at = json_first(d, t);

	fputc(object ? '{' : '[', out);
	while (at != JSON_NONE) {
		uint32_t value = object ? at + 1 : at;

		put_margin(out, depth + 1);
		if (object) {
			put_raw(out, d, at);
			fputs(": ", out);
		}
		put_value(out, d, value, depth + 1);
		at = json_after(d, t, value);
		if (at != JSON_NONE)
			fputc(',', out);
	}
	put_margin(out, depth);
	fputc(object ? '}' : ']', out);
}

static void put_value(FILE *out, const struct json_doc *d, uint32_t t, unsigned depth)
{
	enum json_kind kind = json_kind(d, t);

	if ((kind == JK_OBJECT || kind == JK_ARRAY) && json_first(d, t) != JSON_NONE)
		put_parts(out, d, t, depth);
	else
		put_raw(out, d, t);
}

void cli_pretty(FILE *out, const char *json)
{
	struct json_doc d;

	json_init(&d);
	if (json_scan(&d, json, strlen(json), NULL) == 0)
		put_value(out, &d, 0, 0);
	else
		cli_puts_safe(out, json);
	fputc('\n', out);
	json_free(&d);
}
