#include "common/inspect/secrets.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/inspect/secret_value.h"
#include "common/token.h"

#define NAME_MAX_BYTES 40u /* before a keyword and behind it */
#define VALUE_MAX 160u
#define WORK_MAX 2097152u /* a text that is made of beginnings costs no more than this */
#define CURL_BYTES 400u

enum letters { ANY, WORD, LETTERS, HEX, HEXLOW, UPPER, URL, DOT, PATH, CODE, SOURCE, INTRA, AZURE_LETTERS };
enum check { ENTROPY, MIXED, AZURE, CRC32, KEEPGATE, SLACK, ANTHROPIC, JWT, PEM };

static const struct form {
	const char *begin;
	uint8_t letters;
	uint16_t least, most;
	uint8_t check;
} forms[] = {
#define SECRET(name, begin, letters, least, most, check) {begin, letters, least, most, check},
#include "common/inspect/secrets.def"
#undef SECRET
};
#define NFORMS (sizeof(forms) / sizeof(forms[0]))

/* Names of what is secret; strong: by itself, otherwise only with one of the words of key_words before it. */
static const struct keyword {
	const char *name;
	bool strong;
} keywords[] = {
	{"password", true},   {"passwd", true}, {"passphrase", true}, {"secret", true},
	{"token", true},      {"pwd", true},    {"apikey", true},     {"key", false},
	{"credential", true}, {"bearer", true}, {"api-token", true},
};
#define NKEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static const char *const key_words[] = {"api",     "access", "secret", "private", "auth",
					"encrypt", "sign",   "master", "account", "service"};
static const char *const name_not[] = {"public", "csrf", "pub_", "keyword", "_id", "vocab", "tokenizer"};

/* Other marks: of a header, of userinfo in a URL, of curl's option. */
enum { MARK_AUTHORIZATION, MARK_URL, MARK_CURL, MARKS };
static const char *const marks[MARKS] = {"authorization", "://", "curl "};

int secrets_build(struct ac *a)
{
	struct ac_text list[NFORMS + NKEYWORDS + MARKS];
	uint8_t lower[NFORMS][32];
	uint32_t n = 0;

	for (size_t i = 0; i < NFORMS; i++, n++) {
		size_t len = strlen(forms[i].begin);

		for (size_t k = 0; k < len; k++)
			lower[i][k] = (uint8_t)tolower((unsigned char)forms[i].begin[k]);
		list[n] = (struct ac_text){lower[i], len};
	}
	for (size_t i = 0; i < NKEYWORDS; i++, n++)
		list[n] = (struct ac_text){(const uint8_t *)keywords[i].name, strlen(keywords[i].name)};
	for (size_t i = 0; i < MARKS; i++, n++)
		list[n] = (struct ac_text){(const uint8_t *)marks[i], strlen(marks[i])};
	return ac_build(a, list, n, true);
}

static bool is_letter_of(uint8_t c, uint8_t letters)
{
	switch (letters) {
	case WORD:
		return isalnum(c);
	case LETTERS:
		return isalpha(c);
	case HEX:
		return isxdigit(c);
	case HEXLOW:
		return isdigit(c) || (c >= 'a' && c <= 'f');
	case UPPER:
		return isupper(c) || isdigit(c);
	case URL:
		return isalnum(c) || c == '_' || c == '-';
	case DOT:
		return isalnum(c) || c == '_' || c == '-' || c == '.' || c == ':';
	case PATH:
		return isalnum(c) || c == '/' || c == '_' || c == '-';
	case CODE:
		return isalnum(c) || c == '+' || c == '/' || c == '=' || c == '_' || c == '-';
	case SOURCE:
		return isxdigit(c) || c == '_';
	case AZURE_LETTERS:
		return isalnum(c) || c == '_' || c == '.' || c == '~' || c == '-';
	case INTRA:
		return isxdigit(c) || c == '-' || c == 'u';
	default:
		return false;
	}
}

struct search {
	const uint8_t *text;
	size_t n;
	size_t counted; /* end of the last one: what overlaps it is the same one */
	uint32_t count;
	size_t work; /* bytes looked at behind finding places, all together */
};

static bool check_form(const struct form *f, const uint8_t *begin, const uint8_t *value, size_t len)
{
	if (f->check == PEM)
		return value_pem(value, len);
	if (f->check == JWT)
		return value_jwt(begin, len + strlen(f->begin));
	if (f->check == CRC32)
		return value_crc32(value, len);
	if (f->check == KEEPGATE)
		return token_well_formed((const char *)begin, len + strlen(f->begin));
	if (f->check == ANTHROPIC && (value[len - 2] != 'A' || value[len - 1] != 'A'))
		return false;
	if (f->check == MIXED)
		return value_is_mixed(value, len) && !value_is_placeholder(value, len);
	if (f->check == SLACK && (!isdigit(value[0]) || !memchr(value, '-', len)))
		return false;
	if (f->letters == UPPER && len >= 7 && memcmp(value + len - 7, "EXAMPLE", 7) == 0)
		return false;
	return value_entropy(value, len) >= 300 && (f->check == ANTHROPIC || !memmem(value, len, "xxxx", 4));
}

static void counts(struct search *s, size_t begin, size_t end)
{
	if (begin < s->counted)
		return;
	s->counted = end;
	s->count++;
}

static void try_form(struct search *s, const struct form *f, size_t end)
{
	size_t len = strlen(f->begin), begin = end - len, i = end;
	uint8_t before = begin > 0 ? s->text[begin - 1] : ' ';

	if (memcmp(s->text + begin, f->begin, len) != 0 || begin < s->counted)
		return;
	if (f->check == PEM) {
		if (check_form(f, s->text + begin, s->text + end, s->n - end))
			counts(s, begin, end);
		return;
	}
	/* Three letters and a digit stand before the mark of Entra's secrets. */
	if (f->check == AZURE ? begin < 4 || !isdigit(before) : isalnum(before) || before == '_')
		return;
	s->work += f->most;
	while (i < s->n && i - end <= f->most && is_letter_of(s->text[i], f->letters))
		i++;
	if (i - end < f->least || i - end > f->most || (i < s->n && isalnum(s->text[i])))
		return;
	if (check_form(f, s->text + begin, s->text + end, i - end))
		counts(s, begin, i);
}

static bool is_name(uint8_t c)
{
	return isalnum(c) || c == '_' || c == '-' || c == '.';
}

static bool name_has(const uint8_t *p, size_t n, const char *const *words, size_t count)
{
	for (size_t w = 0; w < count; w++)
		for (size_t i = 0, len = strlen(words[w]); i + len <= n; i++)
			if (strncasecmp((const char *)p + i, words[w], len) == 0)
				return true;
	return false;
}

/* Behind the keyword a name may go on only like this. */
static bool tail_fits(const uint8_t *p, size_t n)
{
	static const char *const tails[] = {"",        "s", "_key", "-key", "key", "_token", "_value",
					    "_secret", "1", "2",    "_1",   "_2",  "word"};

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (strlen(tails[i]) == n && strncasecmp((const char *)p, tails[i], n) == 0)
			return true;
	return false;
}

/* Over quotes, spaces and one of = : := => ; the value's place, or 0 when nothing is assigned. */
static size_t assigned(const struct search *s, size_t i)
{
	size_t most = i + 8;
	bool sign = false;

	for (; i < s->n && i < most; i++) {
		uint8_t c = s->text[i];

		if (c == '=' || c == ':' || (c == '>' && sign))
			sign = true;
		else if (c != ' ' && c != '"' && c != '\'' && c != '\t' && c != '\\')
			break;
	}
	return sign && i < s->n ? i : 0;
}

static size_t value_end(const struct search *s, size_t i)
{
	size_t most = i + VALUE_MAX;

	while (i < s->n && i < most && !isspace(s->text[i]) && !strchr("\"'`,;<>(){}|\\", s->text[i]))
		i++;
	return i;
}

static bool value_fits(const uint8_t *p, size_t n, bool password)
{
	bool digit = false, upper = false, lower = false, other = false;

	if (n < (password ? 8u : 12u) || n >= VALUE_MAX || value_is_placeholder(p, n) || memmem(p, n, "://", 3) ||
	    p[0] == '/')
		return false;
	for (size_t i = 0; i < n; i++) {
		digit = digit || isdigit(p[i]);
		upper = upper || isupper(p[i]);
		lower = lower || islower(p[i]);
		other = other || (ispunct(p[i]) && !strchr("-_./:", p[i]));
	}
	/* Words, names and versions are no keys: letters and digits, and as mixed as random ones. */
	if (!digit || !(upper || lower) || memchr(p, ':', n) || (!password && memchr(p, '.', n) && n < 24))
		return false;
	return value_entropy(p, n) >= (password ? 275u : 320u) + (upper && lower ? 0u : 10u);
}

static void try_keyword(struct search *s, const struct keyword *k, size_t end)
{
	size_t begin = end - strlen(k->name), from = begin, to = end, value, last;
	bool password = k->name[0] == 'p';

	while (from > 0 && begin - from < NAME_MAX_BYTES && is_name(s->text[from - 1]))
		from--;
	while (to < s->n && to - end < 12 && is_name(s->text[to]))
		to++;
	if (!tail_fits(s->text + end, to - end) ||
	    name_has(s->text + from, to - from, name_not, sizeof(name_not) / sizeof(name_not[0])))
		return;
	if (!k->strong && !name_has(s->text + from, begin - from, key_words, sizeof(key_words) / sizeof(key_words[0])))
		return;
	value = assigned(s, to);
	if (value == 0)
		return;
	last = value_end(s, value);
	if ((last < s->n && (s->text[last] == '(' || s->text[last] == '{')) ||
	    !value_fits(s->text + value, last - value, password))
		return;
	counts(s, value, last);
}

/* "Authorization: Scheme VALUE", or without a scheme. */
static void try_authorization(struct search *s, size_t end)
{
	size_t value = assigned(s, end), last;

	if (value == 0)
		return;
	last = value_end(s, value);
	if (last < s->n && s->text[last] == ' ' && last - value <= 10) {
		value = last + 1;
		last = value_end(s, value);
	}
	if (last - value >= 10 && !value_is_placeholder(s->text + value, last - value) &&
	    value_entropy(s->text + value, last - value) >= 270)
		counts(s, value, last);
}

static bool is_nobody(const uint8_t *p, size_t n)
{
	static const char *const words[] = {"user",  "username", "password", "pass", "test",
					    "token", "admin",    "secret",   "pwd"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == n && strncasecmp((const char *)p, words[i], n) == 0)
			return true;
	return value_is_placeholder(p, n) || memchr(p, '$', n) == p;
}

/* scheme://user:password@host */
static void try_url(struct search *s, size_t end)
{
	size_t i = end, colon = 0, most = end + VALUE_MAX;

	for (; i < s->n && i < most && isgraph(s->text[i]) && !strchr("/?#\"'<>\\", s->text[i]) && s->text[i] != '@';
	     i++)
		if (s->text[i] == ':' && colon == 0)
			colon = i;
	if (i < s->n && s->text[i] == '@' && colon > end && i - colon > 4 &&
	    !is_nobody(s->text + colon + 1, i - colon - 1))
		counts(s, end, i);
}

/* curl ... -u name:password, within the next bytes of the same command. */
static void try_curl(struct search *s, size_t end)
{
	size_t most = s->n - end < CURL_BYTES ? s->n : end + CURL_BYTES;

	s->work += CURL_BYTES;
	for (size_t i = end; i + 4 < most; i++) {
		size_t begin, last, colon;

		if (s->text[i - 1] != ' ')
			continue;
		if (memcmp(s->text + i, "-u ", 3) == 0)
			begin = i + 3;
		else if (i + 7 < most && memcmp(s->text + i, "--user ", 7) == 0)
			begin = i + 7;
		else
			continue;
		while (begin < most && strchr(" \"'\\", s->text[begin]))
			begin++;
		for (last = begin; last < s->n && last - begin < VALUE_MAX && isgraph(s->text[last]) &&
				   !strchr("\"'<>|", s->text[last]);)
			last++;
		const uint8_t *at = last > begin ? memchr(s->text + begin, ':', last - begin) : NULL;
		if (!at)
			continue;
		colon = (size_t)(at - s->text);
		/* Either side may be the secret: some services take a key as the name. */
		if ((last - colon > 8 && !is_nobody(s->text + colon + 1, last - colon - 1)) ||
		    (colon - begin > 10 && last - colon <= 2 && value_is_mixed(s->text + begin, colon - begin)))
			counts(s, begin, last);
		i = last;
	}
}

static void try_place(struct search *s, uint32_t pattern, size_t end)
{
	s->work += NAME_MAX_BYTES;
	if (s->work > WORK_MAX)
		return;
	if (pattern < NFORMS)
		try_form(s, &forms[pattern], end);
	else if (pattern < NFORMS + NKEYWORDS)
		try_keyword(s, &keywords[pattern - NFORMS], end);
	else if (pattern == NFORMS + NKEYWORDS + MARK_AUTHORIZATION)
		try_authorization(s, end);
	else if (pattern == NFORMS + NKEYWORDS + MARK_URL)
		try_url(s, end);
	else
		try_curl(s, end);
}

uint32_t secret_forms_count(const struct ac *a, const uint8_t *text, size_t n)
{
	struct search s = {.text = text, .n = n};
	uint32_t state = 0;

	for (size_t i = 0; i < n; i++) {
		state = ac_step(a, state, text[i]);
		for (uint32_t e = a->ends[state]; e != AC_NONE; e = a->pattern[e].shorter)
			try_place(&s, e, i + 1);
	}
	return s.count;
}
