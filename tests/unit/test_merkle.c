/* The tree against its vectors, and its proofs against a naive reading of the RFC. */
#include <string.h>

#include <sodium.h>

#include "common/merkle.h"
#include "tests/unit/unit.h"

#define LEAVES 130

static uint8_t leaves[LEAVES][MERKLE_LEN];
static uint8_t roots[LEAVES + 1][MERKLE_LEN]; /* roots[n] of the first n leaves */

static void from_hex(const char *hex, uint8_t *out, size_t size, size_t *len)
{
	CHECK(sodium_hex2bin(out, size, hex, strlen(hex), NULL, len, NULL) == 0);
}

static void hash_pair(const uint8_t *l, const uint8_t *r, uint8_t *out)
{
	uint8_t both[65] = {0x01};

	memcpy(both + 1, l, 32);
	memcpy(both + 33, r, 32);
	crypto_hash_sha256(out, both, sizeof(both));
}

/* MTH of section 2.1 as it is written there. */
static void naive_root(size_t start, size_t n, uint8_t *out)
{
	uint8_t l[32], r[32];
	size_t k = 1;

	if (n == 0) {
		crypto_hash_sha256(out, NULL, 0);
		return;
	}
	if (n == 1) {
		memcpy(out, leaves[start], 32);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	naive_root(start, k, l);
	naive_root(start + k, n - k, r);
	hash_pair(l, r, out);
}

static size_t naive_path(size_t m, size_t start, size_t n, uint8_t out[][32])
{
	size_t k = 1, count;

	if (n == 1)
		return 0;
	while (k * 2 < n)
		k *= 2;
	if (m < k) {
		count = naive_path(m, start, k, out);
		naive_root(start + k, n - k, out[count]);
	} else {
		count = naive_path(m - k, start + k, n - k, out);
		naive_root(start, k, out[count]);
	}
	return count + 1;
}

static size_t naive_subproof(size_t m, size_t start, size_t n, int whole, uint8_t out[][32])
{
	size_t k = 1, count;

	if (m == n) {
		if (!whole)
			naive_root(start, n, out[0]);
		return whole ? 0 : 1;
	}
	while (k * 2 < n)
		k *= 2;
	if (m <= k) {
		count = naive_subproof(m, start, k, whole, out);
		naive_root(start + k, n - k, out[count]);
	} else {
		count = naive_subproof(m - k, start + k, n - k, 0, out);
		naive_root(start, k, out[count]);
	}
	return count + 1;
}

static int node_of_leaves(void *arg, unsigned level, uint64_t index, uint8_t out[MERKLE_LEN])
{
	size_t size = *(const size_t *)arg;

	if (((index + 1) << level) > size)
		return KG_E_NOTFOUND;
	naive_root((size_t)(index << level), (size_t)1 << level, out);
	return 0;
}

static void make_leaves(void)
{
	for (size_t i = 0; i < LEAVES; i++) {
		uint8_t data[2] = {(uint8_t)i, 0x5a};

		merkle_leaf(data, sizeof(data), leaves[i]);
	}
	for (size_t n = 0; n <= LEAVES; n++)
		naive_root(0, n, roots[n]);
}

static void test_vectors(void)
{
	static const char *const data[] = {
		"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
	};
	static const struct {
		uint64_t size;
		const char *root;
	} want[] = {
		{0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
		{3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
		{7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
		{8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
	};
	struct merkle m = {0};
	size_t w = 0;

	for (size_t i = 0; i <= sizeof(data) / sizeof(data[0]); i++) {
		uint8_t bytes[32], hash[32], expected[32];
		size_t len;

		if (w < sizeof(want) / sizeof(want[0]) && want[w].size == m.size) {
			from_hex(want[w++].root, expected, sizeof(expected), &len);
			merkle_root(&m, hash);
			CHECK(memcmp(hash, expected, 32) == 0);
		}
		if (i == sizeof(data) / sizeof(data[0]))
			break;
		from_hex(data[i], bytes, sizeof(bytes), &len);
		merkle_leaf(bytes, len, hash);
		merkle_append(&m, hash);
	}
	CHECK(w == sizeof(want) / sizeof(want[0]));
}

static void test_append_matches_naive(void)
{
	struct merkle m = {0};
	uint8_t root[32];

	for (size_t n = 0; n < LEAVES; n++) {
		merkle_append(&m, leaves[n]);
		merkle_root(&m, root);
		CHECK(m.size == n + 1);
		CHECK(memcmp(root, roots[n + 1], 32) == 0);
	}
}

static void test_every_inclusion(void)
{
	uint8_t proof[MERKLE_PROOF_MAX][32], expected[MERKLE_PROOF_MAX][32];

	for (size_t n = 1; n <= LEAVES; n++) {
		for (size_t i = 0; i < n; i++) {
			size_t count = 99, want = naive_path(i, 0, n, expected);

			CHECK(merkle_inclusion_proof(i, n, node_of_leaves, &n, proof, &count) == 0);
			CHECK(count == want && memcmp(proof, expected, count * 32) == 0);
			CHECK(merkle_inclusion_check(leaves[i], i, n, roots[n], (const uint8_t(*)[32])proof, count) ==
			      0);
			CHECK(merkle_inclusion_check(leaves[(i + 1) % LEAVES], i, n, roots[n],
						     (const uint8_t(*)[32])proof, count) == KG_E_CRYPTO);
		}
	}
}

static void test_every_consistency(void)
{
	uint8_t proof[MERKLE_PROOF_MAX][32], expected[MERKLE_PROOF_MAX][32];

	for (size_t n = 0; n <= LEAVES; n++) {
		for (size_t m = 0; m <= n; m++) {
			size_t count = 99, want = m == 0 ? 0 : naive_subproof(m, 0, n, 1, expected);

			CHECK(merkle_consistency_proof(m, n, node_of_leaves, &n, proof, &count) == 0);
			CHECK(count == want && memcmp(proof, expected, count * 32) == 0);
			CHECK(merkle_consistency_check(m, roots[m], n, roots[n], (const uint8_t(*)[32])proof, count) ==
			      0);
		}
	}
}

/* Every single hash, the number of hashes, the sizes and both roots matter. */
static void test_altered_consistency_is_refused(void)
{
	uint8_t proof[MERKLE_PROOF_MAX][32];
	const uint8_t(*p)[32] = (const uint8_t(*)[32])proof;

	for (size_t n = 2; n <= 70; n++) {
		for (size_t m = 1; m < n; m++) {
			size_t count = 0;

			memset(proof, 0, sizeof(proof));
			CHECK(merkle_consistency_proof(m, n, node_of_leaves, &n, proof, &count) == 0);
			for (size_t i = 0; i < count; i++) {
				proof[i][i % 32] ^= 1;
				CHECK(merkle_consistency_check(m, roots[m], n, roots[n], p, count) == KG_E_CRYPTO);
				proof[i][i % 32] ^= 1;
			}
			CHECK(merkle_consistency_check(m, roots[m], n, roots[n], p, count - 1) == KG_E_CRYPTO);
			CHECK(merkle_consistency_check(m, roots[m], n, roots[n], p, count + 1) == KG_E_CRYPTO);
			CHECK(merkle_consistency_check(m, roots[m - 1], n, roots[n], p, count) == KG_E_CRYPTO);
			CHECK(merkle_consistency_check(m, roots[m], n, roots[n - 1], p, count) == KG_E_CRYPTO);
		}
	}
}

static void test_altered_inclusion_is_refused(void)
{
	uint8_t proof[MERKLE_PROOF_MAX][32];
	const uint8_t(*p)[32] = (const uint8_t(*)[32])proof;

	for (size_t n = 2; n <= 70; n++) {
		for (size_t i = 0; i < n; i++) {
			size_t count = 0;

			memset(proof, 0, sizeof(proof));
			CHECK(merkle_inclusion_proof(i, n, node_of_leaves, &n, proof, &count) == 0);
			for (size_t h = 0; h < count; h++) {
				proof[h][31] ^= 0x80;
				CHECK(merkle_inclusion_check(leaves[i], i, n, roots[n], p, count) == KG_E_CRYPTO);
				proof[h][31] ^= 0x80;
			}
			CHECK(merkle_inclusion_check(leaves[i], i, n, roots[n], p, count - 1) == KG_E_CRYPTO);
			CHECK(merkle_inclusion_check(leaves[i], i, n, roots[n], p, count + 1) == KG_E_CRYPTO);
			CHECK(merkle_inclusion_check(leaves[i], n, n, roots[n], p, count) == KG_E_CRYPTO);
			CHECK(merkle_inclusion_check(leaves[i], (i + 1) % n, n, roots[n], p, count) == KG_E_CRYPTO);
		}
	}
}

static void test_bounds(void)
{
	uint8_t proof[MERKLE_PROOF_MAX][32], zero[32] = {0};
	const uint8_t(*p)[32] = (const uint8_t(*)[32])proof;
	size_t n = 8, count = 77;

	memset(proof, 0, sizeof(proof));
	CHECK(merkle_consistency_proof(9, 8, node_of_leaves, &n, proof, &count) == KG_E_INVALID);
	CHECK(merkle_inclusion_proof(8, 8, node_of_leaves, &n, proof, &count) == KG_E_INVALID);
	CHECK(merkle_inclusion_proof(0, 0, node_of_leaves, &n, proof, &count) == KG_E_INVALID);
	/* A node that its keeper cannot give is an error, and no output is touched. */
	CHECK(merkle_consistency_proof(3, 9, node_of_leaves, &n, proof, &count) == KG_E_NOTFOUND);
	CHECK(count == 77);
	CHECK(merkle_consistency_check(9, roots[9], 8, roots[8], p, 0) == KG_E_CRYPTO);
	CHECK(merkle_consistency_check(0, zero, 8, roots[8], p, 0) == KG_E_CRYPTO);
	CHECK(merkle_consistency_check(0, roots[0], 8, roots[8], p, 1) == KG_E_CRYPTO);
	CHECK(merkle_consistency_check(8, roots[8], 8, roots[7], p, 0) == KG_E_CRYPTO);
	CHECK(merkle_inclusion_check(leaves[0], 0, 0, roots[0], p, 0) == KG_E_CRYPTO);
	CHECK(merkle_inclusion_check(leaves[0], 0, 1, leaves[0], p, 0) == 0);
	CHECK(merkle_inclusion_check(leaves[0], 0, UINT64_MAX, leaves[0], p, MERKLE_PROOF_MAX) == KG_E_CRYPTO);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	make_leaves();
	RUN(test_vectors);
	RUN(test_append_matches_naive);
	RUN(test_every_inclusion);
	RUN(test_every_consistency);
	RUN(test_altered_consistency_is_refused);
	RUN(test_altered_inclusion_is_refused);
	RUN(test_bounds);
	return unit_end();
}
