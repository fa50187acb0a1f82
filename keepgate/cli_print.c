/* Lists and objects for people. What stands in them may come from a hostile server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json_text.h"
#include "common/text_plain.h"
#include "keepgate/cli.h"

#define CELL_MAX 512
#define SAFE_MAX 12 /* "\u{10ffff}" */

/*
 * Appends one character of text, made harmless: no control character, no broken UTF-8, and nothing that a person does
 * not see where an agent reads it (tags, zero widths), or sees in another order. Gives its length in text.
 */
static size_t put_safe(const uint8_t *p, size_t left, char out[SAFE_MAX])
{
	size_t n = utf8_sequence(p, left);
	uint32_t point = n == 0 ? *p : text_point(p, n);

	if (n == 0 || (point < 0xa0 && text_unsafe(point))) {
		snprintf(out, SAFE_MAX, "\\x%02x", (unsigned)point & 0xff);
	} else if (text_unsafe(point)) {
		snprintf(out, SAFE_MAX, "\\u{%x}", (unsigned)point & 0x1fffff);
	} else {
		memcpy(out, p, n);
		out[n] = '\0';
	}
	return n == 0 ? 1 : n;
}

void cli_puts_safe(FILE *out, const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text), n;
	char ch[SAFE_MAX];

	for (; left > 0; p += n, left -= n) {
		n = put_safe(p, left, ch);
		fputs(ch, out);
	}
}

void cli_lines(FILE *out, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		char *line = strndup(text, n);

		cli_puts_safe(out, line == NULL ? "out of memory" : line);
		fputc('\n', out);
		free(line);
		text += n + (text[n] == '\n');
	}
}

static void format_time(json_int_t seconds, char out[CELL_MAX])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, CELL_MAX, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
		snprintf(out, CELL_MAX, "%" JSON_INTEGER_FORMAT, seconds);
}

static void format_duration(json_int_t seconds, char out[CELL_MAX])
{
	static const struct {
		json_int_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	if (i == 3)
		snprintf(out, CELL_MAX, "%" JSON_INTEGER_FORMAT "s", seconds);
	else
		snprintf(out, CELL_MAX, "%" JSON_INTEGER_FORMAT "%c%" JSON_INTEGER_FORMAT "%c",
			 seconds / units[i].seconds, units[i].unit, seconds % units[i].seconds / units[i + 1].seconds,
			 units[i + 1].unit);
}

static void format_text(const char *text, char out[CELL_MAX])
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text), at = 0, n;

	for (; left > 0 && at + SAFE_MAX < CELL_MAX; p += n, left -= n) {
		n = put_safe(p, left, out + at);
		at += strlen(out + at);
	}
	out[at] = '\0';
}

/* A list in one cell: its texts with commas between. */
static void format_list(const json_t *list, char out[CELL_MAX])
{
	char cell[CELL_MAX];
	size_t i, at = 0;
	json_t *item;

	out[0] = '\0';
	json_array_foreach(list, i, item)
	{
		format_text(json_is_string(item) ? json_string_value(item) : "…", cell);
		at += (size_t)snprintf(out + at, CELL_MAX - at, "%s%s", i == 0 ? "" : ", ", cell);
		if (at >= CELL_MAX)
			return;
	}
}

static void format_cell(const json_t *value, enum cli_format format, char out[CELL_MAX])
{
	json_int_t number = json_integer_value(value);

	snprintf(out, CELL_MAX, "-");
	if (json_is_string(value) && json_string_length(value) > 0)
		format_text(json_string_value(value), out);
	else if (json_is_boolean(value))
		snprintf(out, CELL_MAX, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_real(value))
		snprintf(out, CELL_MAX, "%g", json_real_value(value));
	else if (json_array_size(value) > 0)
		format_list(value, out);
	else if (json_is_integer(value) && format == CLI_TIME)
		format_time(number, out);
	else if (json_is_integer(value) && format == CLI_TIME_US && number == 0)
		return; /* never */
	else if (json_is_integer(value) && format == CLI_TIME_US)
		format_time(number / 1000000, out);
	else if (json_is_integer(value) && format == CLI_DURATION)
		format_duration(number, out);
	else if (json_is_integer(value))
		snprintf(out, CELL_MAX, "%" JSON_INTEGER_FORMAT, number);
}

/* Columns on the screen, as well as it can be known without a terminal's own tables: characters. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void print_cell(FILE *out, const char *text, size_t width, bool last)
{
	fputs(text, out);
	for (size_t n = width_of(text); !last && n < width + 2; n++)
		fputc(' ', out);
}

void cli_table(FILE *out, const json_t *rows, const struct cli_column *columns, size_t ncolumns)
{
	size_t width[CLI_COLUMNS_MAX] = {0}, i, n = ncolumns < CLI_COLUMNS_MAX ? ncolumns : CLI_COLUMNS_MAX;
	char cell[CELL_MAX];
	json_t *row;

	for (size_t k = 0; k < n; k++) {
		width[k] = width_of(columns[k].title);
		json_array_foreach(rows, i, row)
		{
			format_cell(json_object_get(row, columns[k].key), columns[k].format, cell);
			if (width_of(cell) > width[k])
				width[k] = width_of(cell);
		}
	}
	for (size_t k = 0; k < n; k++)
		print_cell(out, columns[k].title, width[k], k + 1 == n);
	fputc('\n', out);
	json_array_foreach(rows, i, row)
	{
		for (size_t k = 0; k < n; k++) {
			format_cell(json_object_get(row, columns[k].key), columns[k].format, cell);
			print_cell(out, cell, width[k], k + 1 == n);
		}
		fputc('\n', out);
	}
}

void cli_fields(FILE *out, const json_t *object, const struct cli_column *columns, size_t ncolumns)
{
	size_t width = 0;
	char cell[CELL_MAX];

	for (size_t k = 0; k < ncolumns; k++)
		width = width_of(columns[k].title) > width ? width_of(columns[k].title) : width;
	for (size_t k = 0; k < ncolumns; k++) {
		format_cell(json_object_get(object, columns[k].key), columns[k].format, cell);
		print_cell(out, columns[k].title, width, false);
		fprintf(out, "%s\n", cell);
	}
}

void cli_json(FILE *out, const json_t *value)
{
	/* Raw, a terminal would obey a C1 control, and a person would miss what hides. */
	json_dumpf(value, out, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	fputc('\n', out);
}
