/* SHA-256 on the processor's instructions gives what libsodium gives, for every length and every split. */
#include <string.h>

#include "common/sha256.h"
#include "tests/unit/unit.h"

static uint8_t data[70000];

static void hash_in_pieces(const uint8_t *p, size_t n, size_t piece, uint8_t out[SHA256_LEN])
{
	struct sha256_state st;

	sha256_init(&st);
	for (size_t i = 0; i < n; i += piece)
		sha256_update(&st, p + i, n - i < piece ? n - i : piece);
	sha256_final(&st, out);
}

static void check_hex(const char *text, size_t repeat, const char *hex)
{
	struct sha256_state st;
	uint8_t got[SHA256_LEN], want[SHA256_LEN];

	sha256_init(&st);
	for (size_t i = 0; i < repeat; i++)
		sha256_update(&st, text, strlen(text));
	sha256_final(&st, got);
	CHECK(sodium_hex2bin(want, sizeof(want), hex, strlen(hex), NULL, NULL, NULL) == 0);
	CHECK(memcmp(got, want, sizeof(got)) == 0);
}

/* FIPS 180-4's examples. */
static void vectors(void)
{
	check_hex("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_hex("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_hex("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_vectors(void)
{
	vectors();
	sha256_force_portable(true);
	CHECK(!sha256_is_native());
	vectors();
	sha256_force_portable(false);
}

static void test_every_length(void)
{
	uint8_t got[SHA256_LEN], want[SHA256_LEN];

	for (size_t n = 0; n < 700; n++) {
		const uint8_t *p = data + n % 17; /* unaligned, too */

		crypto_hash_sha256(want, p, n);
		hash_in_pieces(p, n, n + 1, got);
		CHECK(memcmp(got, want, SHA256_LEN) == 0);
	}
	crypto_hash_sha256(want, data, sizeof(data));
	hash_in_pieces(data, sizeof(data), sizeof(data), got);
	CHECK(memcmp(got, want, SHA256_LEN) == 0);
}

static void test_every_split(void)
{
	uint8_t got[SHA256_LEN], want[SHA256_LEN];

	for (size_t n = 0; n < 260; n += 3) {
		crypto_hash_sha256(want, data, n);
		for (size_t piece = 1; piece <= n + 1; piece++) {
			hash_in_pieces(data, n, piece, got);
			CHECK(memcmp(got, want, SHA256_LEN) == 0);
		}
	}
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	randombytes_buf(data, sizeof(data));
	RUN(test_vectors);
	RUN(test_every_length);
	RUN(test_every_split);
	if (!sha256_is_native())
		SKIP(native, "this processor has no SHA instructions");
	return unit_end();
}
