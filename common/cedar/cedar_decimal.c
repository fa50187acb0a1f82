#include "common/cedar/cedar_ext.h"

#define FRACTION_DIGITS 4u

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Appends a digit to a number that carries its sign, so INT64_MIN is reachable. */
static int append_digit(int64_t *value, char digit, int64_t sign)
{
	return __builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, sign * (digit - '0'), value)
		       ? -1
		       : 0;
}

int cedar_decimal_parse(struct cedar_str s, int64_t *out)
{
	size_t i = 0, start, fraction = 0;
	int64_t sign = 1, value = 0;

	if (s.n > 0 && s.p[0] == '-') {
		sign = -1;
		i = 1;
	}
	for (start = i; i < s.n && is_digit(s.p[i]); i++)
		if (append_digit(&value, s.p[i], sign) != 0)
			return -1;
	if (i == start || i == s.n || s.p[i] != '.')
		return -1;
	for (i++; i < s.n && is_digit(s.p[i]); i++, fraction++)
		if (fraction == FRACTION_DIGITS || append_digit(&value, s.p[i], sign) != 0)
			return -1;
	if (fraction == 0 || i != s.n)
		return -1;
	for (; fraction < FRACTION_DIGITS; fraction++)
		if (append_digit(&value, '0', sign) != 0)
			return -1;
	*out = value;
	return 0;
}
