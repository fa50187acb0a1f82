#include "common/jsonschema/js_number.h"

#include <string.h>

#define EXPONENT_DIGITS_MAX 15

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What stands behind the 'e', if anything does. */
static int read_exponent(const char *p, const char *end, int64_t *out)
{
	bool negative = false;
	int64_t value = 0;

	if (p == end) {
		*out = 0;
		return 0;
	}
	p++;
	if (*p == '-' || *p == '+')
		negative = *p++ == '-';
	while (p < end && *p == '0')
		p++;
	if (end - p > EXPONENT_DIGITS_MAX)
		return KG_E_LIMIT;
	for (; p < end; p++)
		value = value * 10 + (*p - '0');
	*out = negative ? -value : value;
	return 0;
}

int js_num_read(const struct json_doc *d, uint32_t t, struct js_num *out)
{
	size_t len;
	const char *p = json_raw(d, t, &len), *end = p + len;
	int64_t whole = 0, first = 0, last = 0, at = 0, exponent;
	bool point = false;
	int r;

	*out = (struct js_num){.negative = *p == '-'};
	p += out->negative;
	for (; p < end && (is_digit(*p) || *p == '.'); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if (*p != '0') {
			if (out->p == NULL) {
				out->p = p;
				first = at;
			}
			out->end = p + 1;
			last = at;
		}
		at++;
		whole += !point;
	}
	r = read_exponent(p, end, &exponent);
	if (r != 0)
		return r;
	if (out->p == NULL) {
		*out = (struct js_num){0};
		return 0;
	}
	out->digits = (uint32_t)(last - first + 1);
	out->point = whole - first + exponent;
	return 0;
}

int js_num_digit(const char **p, const char *end)
{
	if (*p < end && **p == '.')
		(*p)++;
	return *p < end ? *(*p)++ - '0' : -1;
}

/* Without the signs. */
static int compare_sizes(const struct js_num *a, const struct js_num *b)
{
	const char *p = a->p, *q = b->p;

	if (a->digits == 0 || b->digits == 0)
		return (a->digits != 0) - (b->digits != 0);
	if (a->point != b->point)
		return a->point < b->point ? -1 : 1;
	for (;;) {
		int x = js_num_digit(&p, a->end), y = js_num_digit(&q, b->end);

		if (x != y)
			return x < y ? -1 : 1;
		if (x < 0)
			return 0;
	}
}

int js_num_compare(const struct js_num *a, const struct js_num *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? compare_sizes(b, a) : compare_sizes(a, b);
}

bool js_num_is_integer(const struct js_num *n)
{
	return n->digits == 0 || n->point >= n->digits;
}

uint64_t js_num_count(const struct js_num *n)
{
	const char *p = n->p;
	uint64_t value = 0;

	if (n->point > 19)
		return UINT64_MAX;
	for (int64_t i = 0; i < n->point; i++) {
		int digit = js_num_digit(&p, n->end);

		value = value * 10 + (uint64_t)(digit < 0 ? 0 : digit);
	}
	return value;
}

int js_num_divisor(const struct js_num *n, uint64_t *digits, int64_t *exponent)
{
	const char *p = n->p;
	int digit;

	if (n->digits > JS_DIVISOR_DIGITS_MAX)
		return KG_E_LIMIT;
	*digits = 0;
	while ((digit = js_num_digit(&p, n->end)) >= 0)
		*digits = *digits * 10 + (uint64_t)digit;
	*exponent = n->point - n->digits;
	return 0;
}

static uint64_t times(uint64_t a, uint64_t b, uint64_t modulus)
{
	return (uint64_t)((unsigned __int128)a * b % modulus);
}

/*
 * n is a * 10^e with a not divisible by 10. Over a smaller power of ten than the divisor's it can be no multiple;
 * else it is one when the divisor's digits divide a * 10^(e - exponent).
 */
bool js_num_is_multiple(const struct js_num *n, uint64_t digits, int64_t exponent)
{
	int64_t shift = n->point - n->digits - exponent;
	uint64_t rest = 0, power = 10 % digits;
	const char *p = n->p;
	int digit;

	if (n->digits == 0)
		return true;
	if (shift < 0)
		return false;
	while ((digit = js_num_digit(&p, n->end)) >= 0)
		rest = (rest * 10 + (uint64_t)digit) % digits;
	for (; shift > 0 && rest != 0; shift >>= 1) {
		if (shift & 1)
			rest = times(rest, power, digits);
		power = times(power, power, digits);
	}
	return rest == 0;
}
