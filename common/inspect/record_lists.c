#include "common/inspect/record_lists.h"

#include <string.h>

enum expect {
	VALUE,
	VALUE_OR_END,
	NAME_OR_END,
	COLON,
	COMMA_OR_END,
	IN_STRING,
	IN_ESCAPE,
	IN_NUMBER,
	IN_WORD,
	ENDED,
};

static const char *const words[] = {"true", "false", "null", "True", "False", "None"};

void record_lists_begin(struct lists *l)
{
	l->depth = 0;
	l->expect = VALUE;
}

/* What a level comes to: lists of lists count by the inner ones, unless there are more outer ones. */
static uint32_t level_records(const struct lists *l, uint32_t depth)
{
	uint32_t items = l->level[depth].items, inner = l->level[depth].inner;

	return l->level[depth].list && items > inner ? items : inner;
}

static bool open_level(struct lists *l, bool list)
{
	if (l->depth == JSON_DEPTH_MAX)
		return false;
	l->level[l->depth].items = l->level[l->depth].inner = 0;
	l->level[l->depth++].list = list;
	l->expect = list ? VALUE_OR_END : NAME_OR_END;
	return true;
}

/* The last level stays for record_lists_count(). */
static bool close_level(struct lists *l, bool list)
{
	uint32_t records;

	if (l->level[l->depth - 1].list != list)
		return false;
	l->expect = l->depth == 1 ? ENDED : COMMA_OR_END;
	if (l->depth == 1)
		return true;
	records = level_records(l, --l->depth);
	l->level[l->depth - 1].items = record_sum(l->level[l->depth - 1].items, 1);
	l->level[l->depth - 1].inner = record_sum(l->level[l->depth - 1].inner, records);
	return true;
}

static bool begin_string(struct lists *l, uint8_t quote, bool is_name)
{
	l->expect = IN_STRING;
	l->quote = quote;
	l->is_name = is_name;
	return true;
}

static bool begin_word(struct lists *l, uint8_t c)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((uint8_t)words[i][0] != c)
			continue;
		l->word = words[i] + 1;
		l->expect = IN_WORD;
		return true;
	}
	return false;
}

static bool begin_value(struct lists *l, uint8_t c)
{
	if (c == '[' || c == '(' || c == '{')
		return open_level(l, c != '{');
	if (l->depth == 0)
		return false;
	if (c == '"' || c == '\'')
		return begin_string(l, c, false);
	if (c != '-' && (c < '0' || c > '9'))
		return begin_word(l, c);
	l->expect = IN_NUMBER;
	l->last = c;
	return true;
}

/* A byte between values, no space. */
static bool take_sign(struct lists *l, uint8_t c)
{
	bool end = c == ']' || c == ')' || c == '}';

	switch (l->expect) {
	case NAME_OR_END:
		return end ? close_level(l, c != '}') : (c == '"' || c == '\'') && begin_string(l, c, true);
	case COLON:
		l->expect = VALUE;
		return c == ':';
	case COMMA_OR_END:
		if (end)
			return close_level(l, c != '}');
		l->expect = l->level[l->depth - 1].list ? VALUE_OR_END : NAME_OR_END;
		return c == ',';
	case VALUE_OR_END:
		if (end)
			return close_level(l, c != '}');
		return begin_value(l, c);
	default:
		return begin_value(l, c);
	}
}

/* The rest of a string up to its end, an escape, or what must not stand in one. */
static const uint8_t *take_string(struct lists *l, const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != l->quote && *p != '\\' && *p >= ' ')
		p++;
	if (p == end || *p < ' ')
		return p;
	l->expect = *p == '\\' ? IN_ESCAPE : l->is_name ? COLON : COMMA_OR_END;
	return p + 1;
}

/* Whether c belongs to the number in hand. "2026-11-21" is none. */
static bool in_number(const struct lists *l, uint8_t c)
{
	bool exponent = l->last == 'e' || l->last == 'E';

	return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || (exponent && (c == '+' || c == '-'));
}

/* One byte; false when the text is no JSON. */
static bool take_byte(struct lists *l, uint8_t c)
{
	if (l->expect == IN_ESCAPE) {
		l->expect = IN_STRING;
		return true;
	}
	if (l->expect == IN_WORD && *l->word != '\0')
		return (uint8_t)*l->word++ == c;
	if (l->expect == IN_NUMBER && in_number(l, c)) {
		l->last = c;
		return true;
	}
	if (l->expect == IN_WORD || l->expect == IN_NUMBER)
		l->expect = COMMA_OR_END;
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || take_sign(l, c);
}

enum lists_state record_lists_take(struct lists *l, const uint8_t *p, size_t n, size_t *used)
{
	const uint8_t *at = p, *end = p + n;
	enum lists_state state = LISTS_MORE;

	while (at < end && state == LISTS_MORE) {
		if (l->expect == IN_STRING) {
			at = take_string(l, at, end);
			if (at < end && l->expect == IN_STRING)
				state = LISTS_FAILED;
			continue;
		}
		if (!take_byte(l, *at)) {
			state = LISTS_FAILED;
			continue;
		}
		state = l->expect == ENDED ? LISTS_DONE : LISTS_MORE;
		at++;
	}
	*used = (size_t)(at - p);
	return state;
}

uint32_t record_lists_count(struct lists *l)
{
	if (l->depth == 0)
		return 0;
	for (; l->depth > 1; l->depth--)
		l->level[l->depth - 2].inner = record_sum(l->level[l->depth - 2].inner, level_records(l, l->depth - 1));
	return level_records(l, 0);
}
