/* Numbers that name people in Europe. */
#include <string.h>

#include "common/inspect/number_check.h"
#include "common/inspect/number_digits.h"

bool number_pl_pesel(const char *p, size_t n)
{
	return n == 11 && two(p + 2) % 20 >= 1 && two(p + 2) % 20 <= 12 && two(p + 4) >= 1 && two(p + 4) <= 31 &&
	       weighted(p, "13791379131") % 10 == 0;
}

bool number_tr_kimlik(const char *p, size_t n)
{
	unsigned odd, even;

	if (n != 11 || p[0] == '0')
		return false;
	odd = digit(p[0]) + digit(p[2]) + digit(p[4]) + digit(p[6]) + digit(p[8]);
	even = digit(p[1]) + digit(p[3]) + digit(p[5]) + digit(p[7]);
	return (odd * 7 + 100 - even) % 10 == digit(p[9]) && (odd + even + digit(p[9])) % 10 == digit(p[10]);
}

bool number_de_tax(const char *p, size_t n)
{
	unsigned product = 10, count[10] = {0}, doubles = 0;

	if (n != 11 || p[0] == '0')
		return false;
	for (size_t i = 0; i < 10; i++) {
		unsigned sum = (digit(p[i]) + product) % 10;

		product = (sum == 0 ? 10 : sum) * 2 % 11;
		count[digit(p[i])]++;
	}
	for (unsigned d = 0; d < 10; d++)
		doubles += count[d] == 2 || count[d] == 3;
	return doubles == 1 && (11 - product) % 10 == digit(p[10]);
}

bool number_uk_nhs(const char *p, size_t n)
{
	unsigned sum = 0, check;

	if (n != 10 || all_same(p, n))
		return false;
	for (unsigned i = 0; i < 9; i++)
		sum += digit(p[i]) * (10 - i);
	check = 11 - sum % 11;
	return (check == 11 ? 0 : check) == digit(p[9]);
}

bool number_uk_nino(const char *p, size_t n)
{
	return n == 9 && is_upper(p[0]) && is_upper(p[1]) && all_digits(p + 2, 6) && p[8] >= 'A' && p[8] <= 'D' &&
	       !strchr("DFIQUV", p[0]) && !strchr("DFIOQUV", p[1]) && memcmp(p, "BG", 2) != 0 &&
	       memcmp(p, "GB", 2) != 0 && memcmp(p, "NK", 2) != 0 && memcmp(p, "NT", 2) != 0 &&
	       memcmp(p, "KN", 2) != 0 && memcmp(p, "TN", 2) != 0 && memcmp(p, "ZZ", 2) != 0;
}

bool number_fr_nir(const char *p, size_t n)
{
	return n == 15 && (p[0] == '1' || p[0] == '2') && two(p + 3) >= 1 && two(p + 3) <= 12 &&
	       97 - modulo(p, 13, 97) == two(p + 13);
}

bool number_nl_bsn(const char *p, size_t n)
{
	return n == 9 && !all_same(p, n) && (weighted(p, "98765432") + 10 * digit(p[8])) % 11 == 0;
}

bool number_es_nif(const char *p, size_t n)
{
	char number[9] = "";

	if (n != 9 || !is_upper(p[8]) || !(strchr("XYZ", p[0]) || all_digits(p, 1)) || !all_digits(p + 1, 7))
		return false;
	memcpy(number, p, 8);
	if (number[0] >= 'X')
		number[0] = (char)(number[0] - 'X' + '0');
	return "TRWAGMYFPDXBNJZSQVHLCKE"[modulo(number, 8, 23)] == p[8];
}

bool number_it_fiscal(const char *p, size_t n)
{
	static const unsigned char odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
					    20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
	unsigned sum = 0;

	if (n != 16 || !is_upper(p[15]) || !is_upper(p[8]) || !all_digits(p + 6, 1))
		return false;
	for (size_t i = 0; i < 6; i++)
		if (!is_upper(p[i]))
			return false;
	for (size_t i = 0; i < 15; i++) {
		if (!is_upper(p[i]) && !all_digits(p + i, 1))
			return false;
		unsigned v = is_upper(p[i]) ? (unsigned)(p[i] - 'A') : digit(p[i]);

		sum += i % 2 == 0 ? odd[v] : v;
	}
	return (unsigned)(p[15] - 'A') == sum % 26;
}

bool number_fi_hetu(const char *p, size_t n)
{
	char number[10];

	if (n != 11 || !all_digits(p, 6) || !strchr("-+ABCDEFUVWXY", p[6]) || !all_digits(p + 7, 3) || two(p) < 1 ||
	    two(p) > 31 || two(p + 2) < 1 || two(p + 2) > 12)
		return false;
	memcpy(number, p, 6);
	memcpy(number + 6, p + 7, 3);
	return "0123456789ABCDEFHJKLMNPRSTUVWXY"[modulo(number, 9, 31)] == p[10];
}

bool number_se_person(const char *p, size_t n)
{
	if (n == 12) {
		p += 2;
		n = 10;
	}
	return n == 10 && two(p + 2) >= 1 && two(p + 2) <= 12 && two(p + 4) % 60 >= 1 && two(p + 4) % 60 <= 31 &&
	       number_luhn(p, n);
}
