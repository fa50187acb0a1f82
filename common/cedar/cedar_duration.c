#include "common/cedar/cedar_ext.h"

struct unit {
	const char *name;
	int64_t milliseconds;
};

/* The order in which units may occur. */
static const struct unit units[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

#define UNITS (sizeof(units) / sizeof(units[0]))

/* Index of the unit at s[*i], not before `least`; UNITS if there is none. */
static size_t parse_unit(struct cedar_str s, size_t *i, size_t least)
{
	size_t length = 0, unit;
	struct cedar_str name;

	while (*i + length < s.n && (s.p[*i + length] < '0' || s.p[*i + length] > '9'))
		length++;
	name = (struct cedar_str){s.p + *i, length};
	for (unit = least; unit < UNITS; unit++)
		if (cedar_str_is(name, units[unit].name))
			break;
	*i += length;
	return unit;
}

static int parse_amount(struct cedar_str s, size_t *i, int64_t sign, int64_t *out)
{
	int64_t value = 0;
	size_t start = *i;

	for (; *i < s.n && s.p[*i] >= '0' && s.p[*i] <= '9'; (*i)++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, sign * (s.p[*i] - '0'), &value))
			return -1;
	*out = value;
	return *i == start ? -1 : 0;
}

int cedar_duration_parse(struct cedar_str s, int64_t *out)
{
	int64_t sign = 1, sum = 0, amount;
	size_t i = 0, least = 0, unit;

	if (s.n > 0 && s.p[0] == '-') {
		sign = -1;
		i = 1;
	}
	do {
		if (parse_amount(s, &i, sign, &amount) != 0)
			return -1;
		unit = parse_unit(s, &i, least);
		if (unit == UNITS || __builtin_mul_overflow(amount, units[unit].milliseconds, &amount) ||
		    __builtin_add_overflow(sum, amount, &sum))
			return -1;
		least = unit + 1;
	} while (i < s.n);
	*out = sum;
	return 0;
}
