#include "common/config_secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define RANDOM_MIN 32   /* shorter runs are words too often */
#define RANDOM_KINDS 14 /* different characters in one */

static bool name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

enum secret_ref secret_ref_read(const char *value, const char **name, size_t *len)
{
	static const char bearer[] = "Bearer ", open[] = "${secret:";
	enum secret_ref whole = SECRET_REF_WHOLE;
	const char *p = value;
	size_t n = 0;

	if (strstr(value, "${") == NULL)
		return SECRET_REF_NONE;
	if (strncmp(p, bearer, sizeof(bearer) - 1) == 0) {
		whole = SECRET_REF_BEARER;
		p += sizeof(bearer) - 1;
	}
	if (strncmp(p, open, sizeof(open) - 1) != 0)
		return SECRET_REF_WRONG;
	p += sizeof(open) - 1;
	while (name_char(p[n]))
		n++;
	if (n == 0 || n > SECRET_NAME_MAX || !isalnum((unsigned char)p[0]) || strcmp(p + n, "}") != 0)
		return SECRET_REF_WRONG;
	*name = p;
	*len = n;
	return whole;
}

/* Compares without case, '-' as '_'. */
static bool same_word(const char *text, const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i] == '-' ? '_' : (char)tolower((unsigned char)text[i]);

		if (c != word[i])
			return false;
	}
	return true;
}

enum place { ANYWHERE, AT_END, WHOLE };

/* A header names itself more loosely than a variable: MAX_TOKENS is no secret, X-Token-Value is. */
static const struct suspect_name {
	const char *word;
	enum place in_header, in_variable;
} suspect_names[] = {
	{"authorization", ANYWHERE, AT_END},
	{"cookie", ANYWHERE, AT_END},
	{"token", ANYWHERE, AT_END},
	{"secret", ANYWHERE, AT_END},
	{"password", ANYWHERE, ANYWHERE},
	{"passwd", ANYWHERE, ANYWHERE},
	{"passphrase", ANYWHERE, ANYWHERE},
	{"credential", ANYWHERE, AT_END},
	{"apikey", ANYWHERE, AT_END},
	{"api_key", ANYWHERE, ANYWHERE},
	{"_key", AT_END, AT_END},
	{"key", WHOLE, WHOLE},
	{"secret_key", ANYWHERE, ANYWHERE},
	{"x_auth", ANYWHERE, ANYWHERE},
	{"auth", WHOLE, WHOLE},
	{"jwt", ANYWHERE, AT_END},
	{"_pat", AT_END, AT_END},
	{"pat", WHOLE, WHOLE},
	{"_pass", AT_END, AT_END},
	{"pass", WHOLE, WHOLE},
	{"sig", WHOLE, WHOLE},
	{"signature", AT_END, WHOLE},
	{"pwd", WHOLE, WHOLE},
};

static bool word_is_there(const char *name, size_t len, const char *word, enum place place)
{
	size_t n = strlen(word);

	if (n > len || (place == WHOLE && n != len))
		return false;
	if (place != ANYWHERE)
		return same_word(name + len - n, word, n);
	for (size_t at = 0; at + n <= len; at++) {
		if (same_word(name + at, word, n))
			return true;
	}
	return false;
}

bool secret_header_suspect(const char *name)
{
	for (size_t i = 0; i < sizeof(suspect_names) / sizeof(*suspect_names); i++) {
		if (word_is_there(name, strlen(name), suspect_names[i].word, suspect_names[i].in_header))
			return true;
	}
	return false;
}

bool secret_variable_suspect(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(suspect_names) / sizeof(*suspect_names); i++) {
		if (word_is_there(name, len, suspect_names[i].word, suspect_names[i].in_variable))
			return true;
	}
	return false;
}

/* What issuers begin their tokens with, so that they can be recognised. */
static const struct suspect_prefix {
	const char *text;
	size_t len_min; /* of the whole value */
} suspect_prefixes[] = {
	{"ghp_", 20},    {"gho_", 20},     {"ghu_", 20},        {"ghs_", 20},     {"ghr_", 20},     {"github_pat_", 20},
	{"sk-", 20},     {"sk_live_", 16}, {"sk_test_", 16},    {"rk_live_", 16}, {"xoxb-", 12},    {"xoxp-", 12},
	{"xoxa-", 12},   {"xoxr-", 12},    {"xoxs-", 12},       {"xoxe-", 12},    {"xapp-", 12},    {"AKIA", 16},
	{"ASIA", 16},    {"glpat-", 16},   {"kgs_", 16},        {"AIza", 30},     {"npm_", 20},     {"hf_", 20},
	{"pypi-", 20},   {"dop_v1_", 20},  {"SG.", 30},         {"shpat_", 20},   {"lin_api_", 16}, {"ntn_", 20},
	{"secret_", 30}, {"eyJ", 30},      {"-----BEGIN ", 20}, {"PMAK-", 20},    {"tfp_", 20},     {"whsec_", 16},
};

static bool has_suspect_prefix(const char *value, size_t len)
{
	for (size_t i = 0; i < sizeof(suspect_prefixes) / sizeof(*suspect_prefixes); i++) {
		const struct suspect_prefix *s = &suspect_prefixes[i];

		if (len >= s->len_min && strncmp(value, s->text, strlen(s->text)) == 0)
			return true;
	}
	return false;
}

/* A run of one alphabet that nobody types: many different characters, letters and digits mixed. */
static bool run_is_random(const char *run, size_t len)
{
	bool seen[256] = {false};
	size_t upper = 0, lower = 0, digits = 0, hex = 0, kinds = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)run[i];

		upper += isupper(c) != 0;
		lower += islower(c) != 0;
		digits += isdigit(c) != 0;
		hex += isxdigit(c) != 0;
		kinds += !seen[c];
		seen[c] = true;
	}
	if (hex == len)
		return digits >= 4 && upper + lower >= 4 && kinds >= 10;
	return upper >= 4 && lower >= 4 && digits >= 3 && kinds >= RANDOM_KINDS;
}

static bool run_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '+' || c == '=' || c == '-';
}

static bool has_random_run(const char *value, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && run_char(value[i]))
			continue;
		if (i - start >= RANDOM_MIN && run_is_random(value + start, i - start))
			return true;
		start = i + 1;
	}
	return false;
}

/* scheme://user:password@host */
static bool has_url_password(const char *value, size_t len)
{
	const char *p = memmem(value, len, "://", 3), *end = value + len;
	bool colon = false;

	for (p = p == NULL ? end : p + 3; p < end; p++) {
		if (*p == '@')
			return colon;
		if (*p == '/' || *p == '?' || *p == '#' || isspace((unsigned char)*p))
			return false;
		colon = colon || *p == ':';
	}
	return false;
}

bool secret_value_suspect(const char *value, size_t len)
{
	static const char *const schemes[] = {"Bearer ", "Basic ", "Token "};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (len > n + 7 && strncasecmp(value, schemes[i], n) == 0 && memchr(value + n, ' ', len - n) == NULL)
			return true;
	}
	return has_suspect_prefix(value, len) || has_random_run(value, len) || has_url_password(value, len);
}

bool secret_is_path(const char *value)
{
	return value[0] == '/' || strncmp(value, "./", 2) == 0 || strncmp(value, "~/", 2) == 0;
}
