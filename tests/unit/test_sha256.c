#include "common/sha256.h"

#include <string.h>

#include <sodium.h>

#include "common/sha256_cpu.h"
#include "tests/unit/unit.h"

/* FIPS 180-4's examples, and the empty string. */
static const struct {
	const char *text, *sha256;
} vectors[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_vectors(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		uint8_t hash[SHA256_LEN];
		char hex[2 * SHA256_LEN + 1];

		sha256(vectors[i].text, strlen(vectors[i].text), hash);
		sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
		CHECK(strcmp(hex, vectors[i].sha256) == 0);
	}
}

static void test_nothing_may_be_null(void)
{
	uint8_t hash[SHA256_LEN], same[SHA256_LEN];

	sha256(NULL, 0, hash);
	sha256("", 0, same);
	CHECK(memcmp(hash, same, SHA256_LEN) == 0);
	sha256_tagged('a', NULL, 0, hash);
	sha256("a", 1, same);
	CHECK(memcmp(hash, same, SHA256_LEN) == 0);
}

/* Every length around the ends of blocks, at every alignment, as libsodium has it. */
static void test_as_libsodium(void)
{
	uint8_t bytes[1100], hash[SHA256_LEN], want[SHA256_LEN];

	randombytes_buf(bytes, sizeof(bytes));
	for (size_t n = 0; n < 1024; n++) {
		const uint8_t *p = bytes + n % 17;

		crypto_hash_sha256(want, p, n);
		sha256(p, n, hash);
		CHECK(memcmp(hash, want, SHA256_LEN) == 0);
		crypto_hash_sha256(want, p, n + 1);
		sha256_tagged(*p, p + 1, n, hash);
		CHECK(memcmp(hash, want, SHA256_LEN) == 0);
	}
}

/* The first block of FIPS 180-4's "abc", padded by hand: so that the fallback can hide no error of the instructions. */
static void test_the_processor_itself(void)
{
	uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	uint8_t block[64] = {'a', 'b', 'c', 0x80, [63] = 24};

	if (!sha256_cpu_has())
		return;
	sha256_cpu_blocks(state, block, 1);
	CHECK(state[0] == 0xba7816bf && state[7] == 0xf20015ad);
}

int main(void)
{
	RUN(test_vectors);
	RUN(test_nothing_may_be_null);
	RUN(test_as_libsodium);
	RUN(test_the_processor_itself);
	return unit_end();
}
