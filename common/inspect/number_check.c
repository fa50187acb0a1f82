#include "common/inspect/number_check.h"

#include <string.h>

static unsigned digit(char c)
{
	return (unsigned)(c - '0');
}

static bool all_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static unsigned two(const char *p)
{
	return digit(p[0]) * 10 + digit(p[1]);
}

/* MM and DD. */
static bool is_date(const char *p)
{
	unsigned month = two(p), day = two(p + 2);

	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static unsigned weighted(const char *p, const char *weights)
{
	unsigned sum = 0;

	for (size_t i = 0; weights[i] != '\0'; i++)
		sum += digit(p[i]) * (unsigned)(weights[i] - '0');
	return sum;
}

static bool all_same(const char *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

static unsigned modulo(const char *p, size_t n, unsigned m)
{
	unsigned rest = 0;

	for (size_t i = 0; i < n; i++)
		rest = (rest * 10 + digit(p[i])) % m;
	return rest;
}

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

bool number_fr_nir(const char *p, size_t n)
{
	return n == 15 && (p[0] == '1' || p[0] == '2') && two(p + 3) >= 1 && two(p + 3) <= 12 &&
	       97 - modulo(p, 13, 97) == two(p + 13);
}

bool number_nl_bsn(const char *p, size_t n)
{
	return n == 9 && !all_same(p, n) && (weighted(p, "98765432") + 10 * digit(p[8])) % 11 == 0;
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
