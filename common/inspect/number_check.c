/* Cards and accounts. */
#include "common/inspect/number_check.h"

#include <string.h>

#include "common/inspect/number_digits.h"

bool number_luhn(const char *p, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = digit(p[n - 1 - i]) << (i & 1);

		sum += d > 9 ? d - 9 : d;
	}
	return n > 1 && sum % 10 == 0;
}

bool number_card(const char *p, size_t n)
{
	static const struct {
		unsigned first, last, lengths; /* of the first four digits; bits of lengths */
	} issuers[] = {
		{4000, 4999, 1u << 13 | 1u << 16 | 1u << 19},
		{5100, 5599, 1u << 16},
		{2221, 2720, 1u << 16},
		{3400, 3499, 1u << 15},
		{3700, 3799, 1u << 15},
		{6011, 6011, 1u << 16 | 1u << 19},
		{6440, 6599, 1u << 16 | 1u << 19},
		{3000, 3059, 1u << 14},
		{3600, 3699, 1u << 14},
		{3800, 3899, 1u << 14},
		{3528, 3589, 1u << 16},
		{6200, 6299, 1u << 16 | 1u << 17 | 1u << 18 | 1u << 19},
		{5000, 5099, 1u << 16},
		{5600, 5999, 1u << 16},
		{6750, 6799, 1u << 16},
		{1000, 1999, 1u << 15},
	};
	unsigned first;

	if (n < 13 || n > 19 || all_same(p, n))
		return false;
	first = modulo(p, 4, 10000);
	for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++)
		if (first >= issuers[i].first && first <= issuers[i].last && (issuers[i].lengths >> n & 1) != 0)
			return number_luhn(p, n);
	return false;
}

bool number_iban(const char *p, size_t n)
{
	static const char countries[] =
		"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22"
		"GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22"
		"MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29"
		"VA22VG24XK20";
	unsigned rest = 0;
	size_t len = 0;

	if (n < 15 || n > 34 || !all_digits(p + 2, 2))
		return false;
	for (const char *c = countries; *c != '\0' && len == 0; c += 4)
		if (memcmp(c, p, 2) == 0)
			len = two(c + 2);
	if (len != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = p[(i + 4) % n];

		rest = is_upper(c) ? (rest * 100 + (unsigned)(c - 'A') + 10) % 97 : (rest * 10 + digit(c)) % 97;
	}
	return rest == 1;
}
