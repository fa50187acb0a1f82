/* Numbers that name people in the Americas, Africa, Asia and Australia. */
#include <string.h>

#include "common/inspect/number_check.h"
#include "common/inspect/number_digits.h"

bool number_us_ssn(const char *p, size_t n)
{
	return n == 9 && memcmp(p, "000", 3) != 0 && memcmp(p, "666", 3) != 0 && p[0] != '9' &&
	       memcmp(p + 3, "00", 2) != 0 && memcmp(p + 5, "0000", 4) != 0 && memcmp(p, "123456789", 9) != 0 &&
	       !all_same(p, 9);
}

bool number_us_itin(const char *p, size_t n)
{
	unsigned group = n == 9 ? two(p + 3) : 0;

	return n == 9 && p[0] == '9' && group >= 50 && group != 66 && group != 89 && group != 93;
}

bool number_br_cpf(const char *p, size_t n)
{
	unsigned a = 0, b = 0;

	if (n != 11 || all_same(p, 11))
		return false;
	for (unsigned i = 0; i < 9; i++)
		a += digit(p[i]) * (10 - i);
	for (unsigned i = 0; i < 10; i++)
		b += digit(p[i]) * (11 - i);
	return a * 10 % 11 % 10 == digit(p[9]) && b * 10 % 11 % 10 == digit(p[10]);
}

bool number_ca_sin(const char *p, size_t n)
{
	return n == 9 && p[0] != '0' && p[0] != '8' && number_luhn(p, n) && !all_same(p, n);
}

bool number_au_tfn(const char *p, size_t n)
{
	return n == 9 && (digit(p[0]) * 1 + digit(p[1]) * 4 + digit(p[2]) * 3 + digit(p[3]) * 7 + digit(p[4]) * 5 +
			  digit(p[5]) * 8 + digit(p[6]) * 6 + digit(p[7]) * 9 + digit(p[8]) * 10) %
					 11 ==
				 0;
}

bool number_in_aadhaar(const char *p, size_t n)
{
	static const char times[] =
		"0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210";
	static const char turned[] = "01234567891576283094580379614289160435279453126870428657390127938064157046913258";
	unsigned c = 0;

	if (n != 12 || p[0] < '2')
		return false;
	for (size_t i = 0; i < n; i++)
		c = digit(times[c * 10 + digit(turned[i % 8 * 10 + digit(p[n - 1 - i])])]);
	return c == 0;
}

bool number_in_pan(const char *p, size_t n)
{
	return n == 10 && is_upper(p[0]) && is_upper(p[1]) && is_upper(p[2]) && strchr("ABCFGHJLPT", p[3]) &&
	       is_upper(p[4]) && all_digits(p + 5, 4) && is_upper(p[9]);
}

bool number_kr_rrn(const char *p, size_t n)
{
	return n == 13 && is_date(p + 2) && p[6] >= '1' && p[6] <= '8';
}

bool number_sg_fin(const char *p, size_t n)
{
	unsigned sum;
	const char *letters;

	if (n != 9 || !strchr("STFG", p[0]) || !all_digits(p + 1, 7) || !is_upper(p[8]))
		return false;
	sum = weighted(p + 1, "2765432") + (p[0] == 'T' || p[0] == 'G' ? 4 : 0);
	letters = p[0] == 'S' || p[0] == 'T' ? "JZIHGFEDCBA" : "XWUTRQPNMLK";
	return p[8] == letters[sum % 11];
}

bool number_za_id(const char *p, size_t n)
{
	return n == 13 && is_date(p + 2) && (p[10] == '0' || p[10] == '1') && number_luhn(p, n);
}

bool number_th_id(const char *p, size_t n)
{
	unsigned sum = 0;

	if (n != 13 || p[0] == '0' || p[0] == '9')
		return false;
	for (unsigned i = 0; i < 12; i++)
		sum += digit(p[i]) * (13 - i);
	return (11 - sum % 11) % 10 == digit(p[12]);
}

bool number_cn_id(const char *p, size_t n)
{
	static const unsigned char weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
	unsigned sum = 0;

	if (n != 18 || !all_digits(p, 17) || !is_date(p + 10) || (two(p + 6) != 19 && two(p + 6) != 20))
		return false;
	for (size_t i = 0; i < 17; i++)
		sum += digit(p[i]) * weights[i];
	return "10X98765432"[sum % 11] == p[17];
}
