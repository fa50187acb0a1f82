#include "common/token.h"

#include <string.h>

#include <sodium.h>

#include "tests/unit/unit.h"

/* Made with another CRC-32 and another base62. */
static const struct {
	const char *token, *sha256;
} vectors[] = {
	{"kgs_00000000000000000000000000000000000000000000VRwit",
	 "94027aaa603c3a0ea652ba77a9f9a184583775e7f18d1f3cd5ad1c5fa7cda600"},
	{"kgs_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz2D8hEU",
	 "bebdd2f3f0a243a7d8da5abc3d5d58cd0f25ff349c7c2e849ac87465e3859c06"},
	{"kgs_AbcdefghijKLMNOPQRstuvwxyz0123456789ZYXWVut0il8ar",
	 "e6afad9caaa88469bedf3b06ea0a6504cc2ebe91e3e1971cbaf3f5b296f50e7a"},
};

static void test_vectors(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		uint8_t hash[32];
		char hex[65];

		CHECK(token_well_formed(vectors[i].token, TOKEN_LEN));
		token_hash(vectors[i].token, TOKEN_LEN, hash);
		sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
		CHECK(strcmp(hex, vectors[i].sha256) == 0);
	}
}

static void test_any_change_is_seen(void)
{
	char token[TOKEN_LEN + 1];

	for (size_t i = 0; i < TOKEN_LEN; i++) {
		memcpy(token, vectors[2].token, sizeof(token));
		token[i] = token[i] == 'x' ? 'y' : 'x';
		CHECK(!token_well_formed(token, TOKEN_LEN));
	}
}

static void test_other_forms(void)
{
	char token[TOKEN_LEN + 2];

	CHECK(!token_well_formed("", 0));
	CHECK(!token_well_formed(vectors[0].token, TOKEN_LEN - 1));
	snprintf(token, sizeof(token), "%s0", vectors[0].token);
	CHECK(!token_well_formed(token, TOKEN_LEN + 1));
	memcpy(token, vectors[0].token, TOKEN_LEN);
	token[20] = '\0';
	CHECK(!token_well_formed(token, TOKEN_LEN));
	token[20] = '-';
	CHECK(!token_well_formed(token, TOKEN_LEN));
}

static void test_made_ones(void)
{
	char one[TOKEN_LEN + 1], other[TOKEN_LEN + 1];

	for (int i = 0; i < 100; i++) {
		token_make(one);
		token_make(other);
		CHECK(strlen(one) == TOKEN_LEN && token_well_formed(one, TOKEN_LEN));
		CHECK(strcmp(one, other) != 0);
	}
}

int main(void)
{
	RUN(test_vectors);
	RUN(test_any_change_is_seen);
	RUN(test_other_forms);
	RUN(test_made_ones);
	return unit_end();
}
