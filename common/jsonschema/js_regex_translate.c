/*
 * From ECMA-262's syntax to PCRE2's, item by item: nothing is passed on that was not understood, so that the syntax of
 * PCRE2 alone (recursion, verbs, options, \K) cannot come in. As the u flag has it, but for the escapes and brackets
 * that ECMA-262's annex B lets pass and that are often met: \- and \@, a lone { or ].
 */
#include <ctype.h>
#include <string.h>

#include "common/json_text.h"
#include "common/jsonschema/js_regex.h"
#include "common/jsonschema/js_regex_escape.h"

#define REPEATS_MAX 65535u
#define NAME_MAX_LEN 32

static int put(struct js_regex_text *x, const char *text)
{
	return buf_puts(x->out, text);
}

static int put_char(struct js_regex_text *x, uint32_t c)
{
	return buf_printf(x->out, "\\x{%x}", c);
}

/* Digits at *p, at most REPEATS_MAX. */
static int number(const char **p, const char *end, uint32_t *out)
{
	*out = 0;
	for (; *p < end && isdigit((unsigned char)**p); (*p)++) {
		*out = *out * 10 + (uint32_t)(**p - '0');
		if (*out > REPEATS_MAX)
			return KG_E_LIMIT;
	}
	return 0;
}

/* Whether a '{' begins a quantifier, and where it ends. */
static bool is_braces(const struct js_regex_text *x, const char **behind)
{
	const char *p = x->p + 1;

	if (p == x->end || !isdigit((unsigned char)*p))
		return false;
	while (p < x->end && isdigit((unsigned char)*p))
		p++;
	if (p < x->end && *p == ',')
		p++;
	while (p < x->end && isdigit((unsigned char)*p))
		p++;
	*behind = p + 1;
	return p < x->end && *p == '}';
}

static int braces(struct js_regex_text *x, const char *behind)
{
	const char *p = x->p + 1;
	uint32_t least, most;
	int r = number(&p, x->end, &least);

	if (r == 0 && *p == ',' && isdigit((unsigned char)p[1])) {
		p++;
		r = number(&p, x->end, &most);
		if (r == 0 && most < least)
			return js_regex_refuse(x, "must be a regular expression: the numbers in {} are out of order");
	}
	if (r != 0)
		return r;
	if (least > x->cost->repeats)
		x->cost->repeats = least;
	r = buf_put(x->out, x->p, (size_t)(behind - x->p));
	x->p = behind;
	return r;
}

static int quantifier(struct js_regex_text *x)
{
	const char *behind = NULL;
	int r;

	if (!x->atom)
		return js_regex_refuse(x, "must be a regular expression: nothing to repeat");
	x->atom = false;
	if (*x->p == '{' && is_braces(x, &behind))
		r = braces(x, behind);
	else
		r = buf_put(x->out, x->p++, 1);
	if (r == 0 && x->p < x->end && *x->p == '?')
		r = buf_put(x->out, x->p++, 1);
	return r;
}

/* A group's name up to '>': what PCRE2 takes too. */
static int group_name(struct js_regex_text *x, const char *before)
{
	const char *start = x->p;
	int r;

	while (x->p < x->end && (isalnum((unsigned char)*x->p) || *x->p == '_'))
		x->p++;
	if (x->p == x->end || *x->p != '>' || x->p == start || isdigit((unsigned char)*start) ||
	    x->p - start > NAME_MAX_LEN)
		return js_regex_refuse(x, "must be a regular expression: a group has no name that can be used");
	r = put(x, before);
	x->p++;
	return r != 0 ? r : buf_put(x->out, start, (size_t)(x->p - start));
}

static int open_group(struct js_regex_text *x)
{
	static const char *const kinds[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!"};
	size_t left = (size_t)(x->end - x->p);

	x->depth++;
	x->atom = false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strlen(kinds[i]);

		if (left >= n && memcmp(x->p, kinds[i], n) == 0) {
			x->p += n;
			return put(x, kinds[i]);
		}
	}
	if (left < 2 || x->p[1] != '?') {
		x->p++;
		return put(x, "(");
	}
	if (left < 3 || x->p[2] != '<')
		return js_regex_refuse(x, "must be a regular expression of ECMA-262: a group of another kind is in it");
	x->p += 3;
	return group_name(x, "(?<");
}

static int close_group(struct js_regex_text *x)
{
	if (x->depth-- == 0)
		return js_regex_refuse(x, "must be a regular expression: a parenthesis is not opened");
	x->p++;
	x->atom = true;
	return put(x, ")");
}

static int back_reference(struct js_regex_text *x)
{
	const char *p = x->p + 1;
	uint32_t n;
	int r = number(&p, x->end, &n);

	if (r != 0)
		return r;
	x->p = p;
	x->cost->backrefs = true;
	return buf_printf(x->out, "\\g{%u}", n);
}

/* An escape outside of a class. */
static int escape(struct js_regex_text *x)
{
	char kind = x->end - x->p > 1 ? x->p[1] : '\0';
	struct js_regex_item item;
	int r;

	x->atom = kind != 'b' && kind != 'B';
	if (!x->atom) {
		r = buf_put(x->out, x->p, 2);
		x->p += 2;
		return r;
	}
	if (kind >= '1' && kind <= '9')
		return back_reference(x);
	if (kind == 'k' && x->end - x->p > 2 && x->p[2] == '<') {
		x->p += 3;
		x->cost->backrefs = true;
		return group_name(x, "\\k<");
	}
	r = js_regex_escape(x, false, &item);
	if (r != 0)
		return r;
	if (item.set[0] != '\0')
		return buf_printf(x->out, item.ranges ? "[%s%s]" : "%s%s", item.ranges && item.negated ? "^" : "",
				  item.set);
	return js_regex_is_surrogate(item.c) ? put(x, "[]") : put_char(x, item.c);
}

/* One member of a class: an escape or a character. */
static int class_item(struct js_regex_text *x, struct js_regex_item *item)
{
	if (*x->p == '\\')
		return js_regex_escape(x, true, item);
	*item = (struct js_regex_item){.c = js_regex_next(x)};
	return 0;
}

static int put_item(struct js_regex_text *x, const struct js_regex_item *item)
{
	if (item->set[0] != '\0')
		return put(x, item->negated && item->ranges ? js_regex_not_space : item->set);
	return js_regex_is_surrogate(item->c) ? 0 : put_char(x, item->c);
}

/* Lone surrogates are in no text of ours: a range over some of them loses these. */
static int put_range(struct js_regex_text *x, uint32_t first, uint32_t last)
{
	if (first > last)
		return js_regex_refuse(x, "must be a regular expression: a range in [] is out of order");
	if (js_regex_is_surrogate(first))
		first = 0xe000;
	if (js_regex_is_surrogate(last))
		last = 0xd7ff;
	return first > last ? 0 : buf_printf(x->out, "\\x{%x}-\\x{%x}", first, last);
}

static int class_range(struct js_regex_text *x)
{
	struct js_regex_item first, last;
	int r = class_item(x, &first);

	if (r != 0)
		return r;
	if (x->end - x->p < 2 || x->p[0] != '-' || x->p[1] == ']')
		return put_item(x, &first);
	x->p++;
	r = class_item(x, &last);
	if (r != 0)
		return r;
	if (first.set[0] == '\0' && last.set[0] == '\0')
		return put_range(x, first.c, last.c);
	r = put_item(x, &first);
	if (r == 0)
		r = put_char(x, '-');
	return r != 0 ? r : put_item(x, &last);
}

static int class(struct js_regex_text *x)
{
	uint32_t members = 0;
	int r = put(x, "[");

	x->p++;
	x->atom = true;
	if (r == 0 && x->p < x->end && *x->p == '^') {
		x->p++;
		r = put(x, "^");
	}
	for (; r == 0 && x->p < x->end && *x->p != ']'; members++)
		r = class_range(x);
	if (r != 0)
		return r;
	if (members > x->cost->members)
		x->cost->members = members;
	if (x->p == x->end)
		return js_regex_refuse(x, "must be a regular expression: a bracket is not closed");
	x->p++;
	return put(x, "]");
}

static int item(struct js_regex_text *x)
{
	const char *behind;

	switch (*x->p) {
	case '(':
		return open_group(x);
	case ')':
		return close_group(x);
	case '[':
		return class(x);
	case '\\':
		return escape(x);
	case '*':
	case '+':
	case '?':
		return quantifier(x);
	case '^':
	case '$':
	case '|':
		x->atom = false;
		return buf_put(x->out, x->p++, 1);
	case '.':
		x->atom = true;
		x->p++;
		return put(x, "[^\\n\\r\\x{2028}\\x{2029}]");
	case '{':
		if (is_braces(x, &behind))
			return quantifier(x);
		break;
	default:
		break;
	}
	x->atom = true;
	return put_char(x, js_regex_next(x));
}

int js_regex_translate(const char *text, size_t len, struct buf *out, struct js_regex_cost *cost, const char **why)
{
	struct js_regex_text x = {.p = text, .end = text + len, .out = out, .why = why, .cost = cost};
	int r = 0;

	while (x.p < x.end && r == 0)
		r = item(&x);
	if (r == 0 && x.depth != 0)
		return js_regex_refuse(&x, "must be a regular expression: a parenthesis is not closed");
	return r;
}
