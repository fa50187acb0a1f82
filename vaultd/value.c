#include "vaultd/value.h"

#include <string.h>

#include <sodium.h>

#define BASIC_VALUE_MAX ((size_t)(CRED_VALUE_MAX - 6) / 4 * 3) /* "Basic " and base64 of it */

/* Which bytes a kind allows, and how many. */
static const struct value_rule {
	size_t max;
	const char *prefix; /* what is set before it on the wire, and must not be in it */
	uint8_t kind;
	bool spaces, tabs, others; /* others: control characters but NUL */
} rules[] = {
	{CRED_VALUE_MAX - 7, "Bearer ", CRED_BEARER, false, false, false},
	{BASIC_VALUE_MAX, "Basic ", CRED_BASIC, true, false, false},
	{CRED_VALUE_MAX, "", CRED_HEADER, true, true, false},
	{CRED_VALUE_MAX, "", CRED_QUERY, true, false, false},
	{CRED_VALUE_MAX, "", CRED_ENV, true, true, true},
};

static const struct value_rule *rule_find(uint8_t kind)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].kind == kind)
			return &rules[i];
	return NULL;
}

/* RFC 9110, section 5.5: CR, LF and NUL in a header's value would begin another header. */
static const char *byte_refusal(const struct value_rule *rule, uint8_t b)
{
	if (b == 0)
		return "the value contains a NUL byte";
	if (b == '\t')
		return rule->tabs ? NULL : "the value contains a tab";
	if (b < 0x20 || b == 0x7f)
		return rule->others ? NULL : "the value contains a line break or another control character";
	if (b == ' ')
		return rule->spaces ? NULL : "the value contains a space; give the token alone, without \"Bearer \"";
	return NULL;
}

const char *value_refusal(uint8_t kind, const uint8_t *value, size_t len)
{
	const struct value_rule *rule = rule_find(kind);
	const char *why = NULL;

	if (rule == NULL)
		return "the kind is unknown";
	if (len == 0)
		return "the value is empty";
	if (len > rule->max)
		return "the value is too long for its kind";
	for (size_t i = 0; i < len && why == NULL; i++)
		why = byte_refusal(rule, value[i]);
	if (why != NULL)
		return why;
	if (kind == CRED_BASIC && memchr(value, ':', len) == NULL)
		return "a basic credential is USER:PASSWORD, and the value has no colon";
	/* Space around a header's value is no part of it for the server. */
	if (kind == CRED_HEADER && (strchr(" \t", value[0]) != NULL || strchr(" \t", value[len - 1]) != NULL))
		return "the value begins or ends with white space";
	return NULL;
}

bool value_kind_fits(uint8_t wanted, bool bearer_prefix, uint8_t stored)
{
	if (wanted != 0)
		return stored == wanted;
	if (bearer_prefix)
		return stored == CRED_BEARER;
	return stored == CRED_BEARER || stored == CRED_BASIC || stored == CRED_HEADER;
}

/* Decrypts into guarded memory of its own, and from there into base64; vaultd has one thread. */
static int add_basic(const struct secret *master, const struct record_use *use, const struct record *r,
		     const char *slot, struct credential_set *set)
{
	static struct secret *plain;
	size_t len = record_value_len(r), encoded = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *value;
	int got;

	if (plain == NULL)
		plain = secret_new(RECORD_VALUE_MAX);
	got = record_open(master, use, r, secret_bytes(plain));
	if (got == KG_OK)
		got = credentials_add(set, CRED_BASIC, slot, 6 + encoded - 1, &value);
	if (got == KG_OK) {
		memcpy(value, "Basic ", 7); /* its NUL is overwritten */
		sodium_bin2base64(value + 6, encoded, secret_bytes(plain), len, sodium_base64_VARIANT_ORIGINAL);
	}
	sodium_memzero(secret_bytes(plain), len);
	return got;
}

int value_add(const struct secret *master, const struct record_use *use, const struct record *r, const char *slot,
	      struct credential_set *set)
{
	const struct value_rule *rule = rule_find(use->kind);
	size_t prefix;
	char *value;
	int got;

	if (rule == NULL)
		return KG_E_CRYPTO;
	if (use->kind == CRED_BASIC)
		return add_basic(master, use, r, slot, set);
	prefix = strlen(rule->prefix);
	got = credentials_add(set, use->kind, slot, prefix + record_value_len(r), &value);
	if (got != KG_OK)
		return got;
	/* With its NUL, which the value then overwrites: it has at least one byte. */
	memcpy(value, rule->prefix, prefix + 1);
	return record_open(master, use, r, value + prefix);
}
