/* Digits of a number that may have check digits; for the files of number_check.h only. */
#ifndef INSPECT_NUMBER_DIGITS_H
#define INSPECT_NUMBER_DIGITS_H

#include <stdbool.h>
#include <stddef.h>

static inline unsigned digit(char c)
{
	return (unsigned)(c - '0');
}

static inline bool all_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

static inline bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline unsigned two(const char *p)
{
	return digit(p[0]) * 10 + digit(p[1]);
}

/* MM and DD. */
static inline bool is_date(const char *p)
{
	unsigned month = two(p), day = two(p + 2);

	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static inline unsigned weighted(const char *p, const char *weights)
{
	unsigned sum = 0;

	for (size_t i = 0; weights[i] != '\0'; i++)
		sum += digit(p[i]) * (unsigned)(weights[i] - '0');
	return sum;
}

static inline bool all_same(const char *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

static inline unsigned modulo(const char *p, size_t n, unsigned m)
{
	unsigned rest = 0;

	for (size_t i = 0; i < n; i++)
		rest = (rest * 10 + digit(p[i])) % m;
	return rest;
}

#endif
