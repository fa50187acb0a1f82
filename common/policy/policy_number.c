/* Numbers of JSON as exact multiples of a power of ten: no double comes near a policy. */
#include "common/policy/policy_set.h"

#define EXPONENT_MAX 1000000 /* beyond it nothing but zero fits */

struct number {
	bool negative;
	uint64_t digits; /* without zeros at its end */
	bool many;       /* more digits than fit */
	int64_t zeros;   /* tens that the digits are multiplied with; may be negative */
};

static void add_digit(struct number *n, char c, int64_t *pending)
{
	uint64_t digit = (uint64_t)(c - '0');

	/* Zeros count when another digit follows, else they are an exponent. */
	if (digit == 0) {
		(*pending)++;
		return;
	}
	for (; n->digits != 0 && *pending >= 0 && !n->many; (*pending)--)
		n->many = __builtin_mul_overflow(n->digits, 10, &n->digits);
	n->many = n->many || __builtin_add_overflow(n->digits, digit, &n->digits);
	*pending = 0;
}

/* The text is a JSON number already: what is left is to count. */
static void read_number(struct number *n, const char *p, size_t len)
{
	int64_t pending = 0, exponent = 0, fraction = 0;
	bool below = false;
	size_t i = 0;

	n->negative = len > 0 && p[0] == '-';
	for (i = n->negative; i < len && p[i] != 'e' && p[i] != 'E'; i++) {
		if (p[i] == '.') {
			below = true;
			continue;
		}
		fraction += below;
		add_digit(n, p[i], &pending);
	}
	if (i < len) {
		bool minus = p[i + 1] == '-';

		for (i += p[i + 1] == '-' || p[i + 1] == '+' ? 2u : 1u; i < len; i++)
			if (exponent < EXPONENT_MAX)
				exponent = exponent * 10 + (p[i] - '0');
		if (minus)
			exponent = -exponent;
	}
	n->zeros = exponent - fraction + pending;
}

int number_scaled(const char *text, size_t len, unsigned places, int64_t *out)
{
	struct number n = {0};
	uint64_t limit;

	read_number(&n, text, len);
	if (n.many)
		return KG_E_INVALID;
	if (n.digits == 0) {
		*out = 0;
		return 0;
	}
	n.zeros += places;
	if (n.zeros < 0 || n.zeros > 19)
		return KG_E_INVALID;
	for (; n.zeros > 0; n.zeros--)
		if (__builtin_mul_overflow(n.digits, 10, &n.digits))
			return KG_E_INVALID;
	limit = (uint64_t)INT64_MAX + n.negative;
	if (n.digits > limit)
		return KG_E_INVALID;
	*out = n.negative ? (int64_t)(0 - n.digits) : (int64_t)n.digits;
	return 0;
}
