#include "common/inspect/record_rows.h"

#include <string.h>

#include "common/inspect/record_lists.h"

enum field {
	AT_START,
	INSIDE,
	QUOTED,
	QUOTE_SEEN, /* its end, or the first of two that stand for one */
};

/* What a byte means outside of quotes. */
enum sign { LETTER, RULE, BLANK, END, QUOTE, DELIMITER };
static const uint8_t sign_of[256] = {
	['\t'] = DELIMITER + 2, [' '] = BLANK,     ['\r'] = BLANK,        ['\n'] = END,
	['"'] = QUOTE,          ['-'] = RULE,      ['='] = RULE,          ['+'] = RULE,
	[':'] = RULE,           [','] = DELIMITER, [';'] = DELIMITER + 1, ['|'] = DELIMITER + 3,
};

static void end_table(struct rows *r, size_t d)
{
	if (r->run[d] >= ROWS_LINES_MIN)
		r->total[d] = record_sum(r->total[d], r->run[d] - 1);
	r->run[d] = r->columns[d] = 0;
}

static void end_line(struct rows *r)
{
	bool is_rule = r->any && !r->letter && !r->taken;

	/* Below a heading, or between parts of one table. */
	for (size_t d = 0; d < ROWS_DELIMITERS && !is_rule; d++) {
		/* Nor is one a column that only ends the line: "int a;". */
		bool ends = r->field == AT_START && r->last == d && r->line[d] == 1;
		uint32_t columns = r->taken || ends ? 0 : r->line[d];

		if (columns != r->columns[d])
			end_table(r, d);
		r->columns[d] = columns;
		r->run[d] += columns != 0 && r->run[d] != UINT32_MAX;
	}
	memset(r->line, 0, sizeof(r->line));
	r->field = AT_START;
	r->any = r->letter = r->taken = false;
}

/* The end of the quoted text in hand, if it is there. */
static const uint8_t *take_quoted(struct rows *r, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *quote = memchr(p, '"', (size_t)(end - p)), *to = quote == NULL ? end : quote + 1;

	r->quoted += (uint32_t)(to - p);
	r->field = quote != NULL ? QUOTE_SEEN : r->quoted > ROWS_QUOTED_MAX ? INSIDE : QUOTED;
	return to;
}

static void take_byte(struct rows *r, uint8_t c)
{
	uint8_t sign = sign_of[c];

	if (sign == END) {
		end_line(r);
		return;
	}
	if (sign == QUOTE && (r->field == AT_START || r->field == QUOTE_SEEN)) {
		r->quoted = r->field == AT_START ? 0 : r->quoted;
		r->field = QUOTED;
		r->any = r->letter = true;
		return;
	}
	/* Tabs before the first letter indent. */
	if (sign >= DELIMITER && (c != '\t' || r->any)) {
		r->line[sign - DELIMITER]++;
		r->field = AT_START;
		r->last = (uint8_t)(sign - DELIMITER);
		r->any = true;
		return;
	}
	if (sign != BLANK || r->field != AT_START)
		r->field = INSIDE;
	r->any |= sign != BLANK && sign < DELIMITER;
	r->letter |= sign == LETTER || sign == QUOTE;
}

void record_rows_take(struct rows *r, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end) {
		if (r->field == QUOTED)
			p = take_quoted(r, p, end);
		else
			take_byte(r, *p++);
	}
}

void record_rows_break(struct rows *r)
{
	r->taken = true;
}

uint32_t record_rows_count(struct rows *r)
{
	uint32_t most = 0;

	end_line(r);
	for (size_t d = 0; d < ROWS_DELIMITERS; d++) {
		end_table(r, d);
		most = r->total[d] > most ? r->total[d] : most;
	}
	return most;
}
