#include "common/inspect/personal.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/inspect/number_check.h"

#define NUMBER_MAX 40u
#define READ_MAX 131072u /* bytes of numbers that are read in one text: tables of numbers cost no more */
#define CONTEXT 48u      /* bytes before a number in which a word may say what it is */

/* A number as it stands: groups of letters and digits with single separators between them. */
struct number {
	char text[NUMBER_MAX + 1];  /* without separators, upper case */
	char shape[NUMBER_MAX + 1]; /* 9 a digit, A a letter, else the separator */
	size_t n, shape_n;
	bool plus, digits; /* behind "+"; digits alone */
};

/*
 * What is asked beside the check: a shape (groups by their lengths), or a word before it. A check that one random
 * number in ten passes needs one of both.
 */
static const struct row {
	const char *name;
	bool (*check)(const char *p, size_t n);
	bool digits;        /* digits alone */
	const char *shapes; /* such shapes need no word; "*": any */
	const char *words;
} rows[] = {
	{"card", number_card, true, "*", ""},
	{"iban", number_iban, false, "*", ""},
	{"us_ssn", number_us_ssn, true, "999-99-9999|999 99 9999", "ssn|social security|social-security"},
	{"us_itin", number_us_itin, true, "999-99-9999|999 99 9999", "itin|tax id|taxpayer"},
	{"pl_pesel", number_pl_pesel, true, "*", ""},
	{"tr_kimlik", number_tr_kimlik, true, "*", ""},
	{"de_tax", number_de_tax, true, "99 999 999 999", "steuer|tax id|idnr|tin|identifikationsnummer"},
	{"br_cpf", number_br_cpf, true, "999.999.999-99", "cpf"},
	{"ca_sin", number_ca_sin, true, "999 999 999|999-999-999", "sin|social insurance"},
	{"au_tfn", number_au_tfn, true, "999 999 999", "tfn|tax file"},
	{"uk_nhs", number_uk_nhs, true, "999 999 9999|999-999-9999", "nhs|national health"},
	{"uk_nino", number_uk_nino, false, "*", ""},
	{"in_aadhaar", number_in_aadhaar, true, "9999 9999 9999|9999-9999-9999", "aadhaar|uidai|uid"},
	{"in_pan", number_in_pan, false, "*", ""},
	{"kr_rrn", number_kr_rrn, true, "999999-9999999", "rrn|resident registration|주민"},
	{"sg_fin", number_sg_fin, false, "*", ""},
	{"za_id", number_za_id, true, "", "id number|south africa|identity|rsa id"},
	{"th_id", number_th_id, true, "9-9999-99999-99-9|9 9999 99999 99 9", "thai|tnin|citizen|national id"},
	{"fr_nir", number_fr_nir, true, "*", ""},
	{"nl_bsn", number_nl_bsn, true, "9999.99.999", "bsn|sofi|burgerservice"},
	{"cn_id", number_cn_id, false, "*", ""},
	{"es_nif", number_es_nif, false, "*", ""},
	{"it_fiscal", number_it_fiscal, false, "*", ""},
	{"fi_hetu", number_fi_hetu, false, "*", ""},
	{"se_person", number_se_person, true, "999999-9999|99999999-9999",
	 "personnummer|personal identity|personal identification"},
};

static bool is_separator(uint8_t c)
{
	return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')' || c == '+';
}

/* Reads on from a beginning; digits alone: stops before the first group with a letter. Gives the length. */
static size_t read_number(const uint8_t *p, size_t n, bool digits, struct number *out)
{
	size_t i = 0, end = 0;

	*out = (struct number){.digits = true};
	for (; i < n && out->n < NUMBER_MAX && out->shape_n + 2 < NUMBER_MAX; i++) {
		uint8_t c = p[i];

		if (isdigit(c) || (!digits && c < 0x80 && isalpha(c))) {
			out->digits = out->digits && isdigit(c);
			out->text[out->n++] = (char)toupper(c);
			out->shape[out->shape_n++] = isdigit(c) ? '9' : 'A';
			end = i + 1;
			continue;
		}
		/* One separator, or ") " and " (". */
		if (!is_separator(c) || i + 1 >= n ||
		    (i > 0 && is_separator(p[i - 1]) && p[i - 1] != ')' && c != '(') || (c == '+' && i > 0 && !digits))
			break;
		if (i > 0)
			out->shape[out->shape_n++] = (char)c;
		/* The sign of the century is part of Finnish ones. */
		if (!digits && (c == '-' || c == '+') && out->n == 6 && out->digits) {
			out->text[out->n++] = (char)c;
			out->digits = false;
		}
	}
	while (out->shape_n > 0 && out->shape[out->shape_n - 1] != '9' && out->shape[out->shape_n - 1] != 'A')
		out->shape_n--;
	out->shape[out->shape_n] = '\0';
	out->text[out->n] = '\0';
	return end;
}

static bool has_shape(const char *shapes, const char *shape, size_t n)
{
	if (shapes[0] == '*')
		return true;
	while (*shapes != '\0') {
		size_t len = strcspn(shapes, "|");

		if (len == n && memcmp(shapes, shape, n) == 0)
			return true;
		shapes += len + (shapes[len] == '|');
	}
	return false;
}

/* Whether one of the words stands shortly before. */
static bool has_word(const char *words, const uint8_t *text, size_t at)
{
	char before[CONTEXT + 1];
	size_t n = at < CONTEXT ? at : CONTEXT;

	for (size_t i = 0; i < n; i++)
		before[i] = (char)tolower(text[at - n + i] == 0 ? ' ' : text[at - n + i]);
	before[n] = '\0';
	while (*words != '\0') {
		char word[32];
		size_t len = strcspn(words, "|");

		memcpy(word, words, len);
		word[len] = '\0';
		for (const char *found = strstr(before, word); found; found = strstr(found + 1, word))
			if (found == before || !isalpha((unsigned char)found[-1]) || (uint8_t)word[0] >= 0x80)
				return true;
		words += len + (words[len] == '|');
	}
	return false;
}

static bool is_phone(const struct number *x, const uint8_t *text, size_t at, bool plus)
{
	static const char words[] = "phone|tel|mobile|cell|call|fax|whatsapp|sms|contact|dial|hotline|handy|電話|电话";

	if (!x->digits || x->n < 7 || x->n > 15)
		return false;
	if (plus)
		return x->n >= 8 && x->text[0] != '0';
	if (x->n == 10 && x->text[0] >= '2' && x->text[3] >= '2' &&
	    has_shape("999-999-9999|999.999.9999|999) 999-9999|999)999-9999", x->shape, x->shape_n))
		return true;
	return has_word(words, text, at);
}

static bool is_personal(const struct number *x, const uint8_t *text, size_t at)
{
	if (x->n < 8)
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		if (r->digits && !x->digits)
			continue;
		/* Letters alone are words. */
		if (!r->digits && !strpbrk(x->text, "0123456789"))
			continue;
		if (r->check(x->text, x->n) &&
		    (has_shape(r->shapes, x->shape, x->shape_n) || has_word(r->words, text, at)))
			return true;
	}
	return false;
}

/* Numbers that begin with letters: two capitals, or one and digits. */
static bool may_begin(const uint8_t *p, size_t n)
{
	if (isdigit(p[0]))
		return true;
	if (n > 3 && p[0] == '+')
		return isdigit(p[1]);
	if (n > 3 && p[0] == '(')
		return isdigit(p[1]);
	return n > 7 && ((isupper(p[0]) && (isupper(p[1]) || isdigit(p[1]))) ||
			 (islower(p[0]) &&
			  (isdigit(p[1]) || (islower(p[1]) && (isdigit(p[2]) || (p[2] == ' ' && isdigit(p[3])))))));
}

/* A letter, or one behind a single separator. */
static bool letter_near(const uint8_t *p, size_t n)
{
	return (n > 0 && isalpha(p[0])) ||
	       (n > 1 && (p[0] == '-' || p[0] == ' ' || p[0] == '+') && isalpha(p[1]) && (n == 2 || !isalpha(p[2])));
}

/* The longest reading first, then shorter ones at group ends: a number may be followed by another word or number. */
static size_t try_readings(const uint8_t *text, size_t n, size_t at, bool *found)
{
	struct number x;
	size_t len = read_number(text + at, n - at, true, &x), all = len;
	bool plus = text[at] == '+';

	*found = false;
	if (x.n >= 7 && !(at + len < n && isalpha(text[at + len])))
		*found = is_personal(&x, text, at) || is_phone(&x, text, at, plus);
	if (*found)
		return len;
	/* With letters: one token, then with its separators. Digits with no letter behind them have been read, but for
	 * one form whose separator counts. */
	if (isdigit(text[at]) && !has_shape("999999-9999", x.shape, x.shape_n) &&
	    !letter_near(text + at + all, n - at - all))
		return all;
	size_t word = 0;
	while (at + word < n && word < NUMBER_MAX && isalnum(text[at + word]))
		word++;
	for (size_t part = word; part > 0 && part <= NUMBER_MAX && at + part <= n && !*found;) {
		(void)!read_number(text + at, part, false, &x);
		*found = x.n >= 8 && is_personal(&x, text, at);
		if (*found)
			return part;
		/* The next group. */
		size_t next = part;
		if (at + next < n && is_separator(text[at + next]))
			next++;
		while (at + next < n && next <= NUMBER_MAX && isalnum(text[at + next]))
			next++;
		if (next <= part + 1)
			break;
		part = next;
	}
	return all > word ? all : word;
}

uint32_t personal_count(const uint8_t *text, size_t n)
{
	uint32_t count = 0;
	size_t work = 0;

	for (size_t i = 0; i < n && work < READ_MAX;) {
		bool found, begins = i == 0 || !(isalnum(text[i - 1]) || text[i - 1] == '_');

		if (!begins || !may_begin(text + i, n - i)) {
			i++;
			continue;
		}
		size_t used = try_readings(text, n, i, &found);
		work += NUMBER_MAX;
		count += found;
		/* What was not one may hold one behind its first group. */
		if (!found)
			for (used = 1; i + used < n && isalnum(text[i + used]);)
				used++;
		i += used > 0 ? used : 1;
	}
	return count;
}
