#include "common/jsonschema/js_regex_escape.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/json_text.h"

/* ECMA-262, section 12.2 and 12.3: white space and ends of lines, those of Unicode's Zs too. */
static const char space[] = "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
			    "\\x{205f}\\x{3000}\\x{feff}";
const char js_regex_not_space[] = "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"
				  "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"
				  "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";

int js_regex_refuse(struct js_regex_text *x, const char *why)
{
	*x->why = why;
	return KG_E_INVALID;
}

static int bad(struct js_regex_text *x)
{
	return js_regex_refuse(x, "must be a regular expression of ECMA-262: an escape in it has no meaning");
}

bool js_regex_is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

uint32_t js_regex_next(struct js_regex_text *x)
{
	const uint8_t *p = (const uint8_t *)x->p;
	size_t n = utf8_sequence(p, (size_t)(x->end - x->p));
	uint32_t c = n <= 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3fu);
	x->p += n == 0 ? 1 : n;
	return c;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly n digits at *p. */
static bool hex(const char **p, const char *end, size_t n, uint32_t *out)
{
	*out = 0;
	if ((size_t)(end - *p) < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int digit = hex_digit((*p)[i]);

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint32_t)digit;
	}
	*p += n;
	return true;
}

/* Behind "\u": four digits, with those of the lower surrogate, or {digits}. */
static int unicode(struct js_regex_text *x, uint32_t *c)
{
	const char *p = x->p;
	uint32_t low;

	if (p < x->end && *p == '{') {
		size_t n = strspn(p + 1, "0123456789abcdefABCDEF");

		p++;
		if (n == 0 || n > 6 || !hex(&p, x->end, n, c) || p == x->end || *p != '}' || *c > 0x10ffff)
			return bad(x);
		x->p = p + 1;
		return 0;
	}
	if (!hex(&p, x->end, 4, c))
		return bad(x);
	x->p = p;
	if (*c < 0xd800 || *c > 0xdbff || x->end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return 0;
	p += 2;
	if (hex(&p, x->end, 4, &low) && low >= 0xdc00 && low <= 0xdfff) {
		*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
		x->p = p;
	}
	return 0;
}

/* An escape that stands for one character; x->p is behind its letter. */
static int character(struct js_regex_text *x, char kind, uint32_t *c)
{
	static const char names[] = "tnvfr", values[] = "\t\n\v\f\r";
	const char *name = kind == '\0' ? NULL : strchr(names, kind);
	char next = x->p < x->end ? *x->p : '\0';

	if (name != NULL) {
		*c = (uint32_t)values[name - names];
		return 0;
	}
	switch (kind) {
	case 'c':
		if (!isalpha((unsigned char)next))
			return bad(x);
		x->p++;
		*c = (uint32_t)next & 31;
		return 0;
	case '0':
		*c = 0;
		return isdigit((unsigned char)next) ? bad(x) : 0;
	case 'x':
		return hex(&x->p, x->end, 2, c) ? 0 : bad(x);
	case 'u':
		return unicode(x, c);
	default:
		*c = (uint32_t)(unsigned char)kind;
		return ispunct((unsigned char)kind) || kind == ' ' ? 0 : bad(x);
	}
}

int js_regex_escape(struct js_regex_text *x, bool in_class, struct js_regex_item *out)
{
	char kind = x->end - x->p > 1 ? x->p[1] : '\0';

	*out = (struct js_regex_item){0};
	x->p += x->end - x->p > 1 ? 2 : 1;
	switch (kind) {
	case 'd':
	case 'D':
	case 'w':
	case 'W':
		/* Without UCP these are ASCII's in PCRE2 too. */
		(void)snprintf(out->set, sizeof(out->set), "\\%c", kind);
		return 0;
	case 's':
	case 'S':
		(void)snprintf(out->set, sizeof(out->set), "%s", space);
		out->ranges = true;
		out->negated = kind == 'S';
		return 0;
	case 'p':
	case 'P':
		return js_regex_property(x, kind == 'P', out);
	case 'b':
		out->c = '\b';
		return in_class ? 0 : bad(x);
	default:
		return character(x, kind, &out->c);
	}
}
