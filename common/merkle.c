#include "common/merkle.h"

#include <stdbool.h>
#include <string.h>

#include <sodium.h>

/* RFC 6962, section 2.1: distinct first bytes, so that a leaf can never be shown as a node. */
static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

struct proof {
	uint8_t (*hash)[MERKLE_LEN];
	size_t count;
};

void merkle_leaf(const void *data, size_t len, uint8_t out[MERKLE_LEN])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, &leaf_prefix, 1);
	crypto_hash_sha256_update(&st, data, len);
	crypto_hash_sha256_final(&st, out);
}

/* out may be left or right. */
static void node_hash(const uint8_t left[MERKLE_LEN], const uint8_t right[MERKLE_LEN], uint8_t out[MERKLE_LEN])
{
	uint8_t both[1 + 2 * MERKLE_LEN];

	both[0] = node_prefix;
	memcpy(both + 1, left, MERKLE_LEN);
	memcpy(both + 1 + MERKLE_LEN, right, MERKLE_LEN);
	crypto_hash_sha256(out, both, sizeof(both));
}

static unsigned edge_count(uint64_t size)
{
	return (unsigned)__builtin_popcountll(size);
}

void merkle_append(struct merkle *m, const uint8_t leaf[MERKLE_LEN])
{
	unsigned top = edge_count(m->size);
	uint8_t hash[MERKLE_LEN];

	memcpy(hash, leaf, MERKLE_LEN);
	for (uint64_t carry = m->size; carry & 1; carry >>= 1)
		node_hash(m->edge[--top], hash, hash);
	memcpy(m->edge[top], hash, MERKLE_LEN);
	m->size++;
}

void merkle_root(const struct merkle *m, uint8_t out[MERKLE_LEN])
{
	unsigned top = edge_count(m->size);
	uint8_t hash[MERKLE_LEN];

	if (top == 0) {
		crypto_hash_sha256(out, NULL, 0);
		return;
	}
	memcpy(hash, m->edge[--top], MERKLE_LEN);
	while (top > 0)
		node_hash(m->edge[--top], hash, hash);
	memcpy(out, hash, MERKLE_LEN);
}

/* k of section 2.1: the largest power of two smaller than n (n > 1). */
static unsigned split_level(uint64_t n)
{
	return 63u - (unsigned)__builtin_clzll(n - 1);
}

/* MTH(D[start:start + n]), n > 0; start is a multiple of the power of two that covers n. */
static int range_root(uint64_t start, uint64_t n, merkle_node_fn node, void *arg, uint8_t out[MERKLE_LEN])
{
	struct merkle part = {.size = n};
	unsigned count = 0;

	for (uint64_t left = n; left > 0; count++) {
		unsigned level = 63u - (unsigned)__builtin_clzll(left);
		int err = node(arg, level, start >> level, part.edge[count]);

		if (err != 0)
			return err;
		start += 1ull << level;
		left -= 1ull << level;
	}
	merkle_root(&part, out);
	return 0;
}

static int proof_add(struct proof *p, uint64_t start, uint64_t n, merkle_node_fn node, void *arg)
{
	int err;

	if (p->count == MERKLE_PROOF_MAX)
		return KG_E_LIMIT;
	err = range_root(start, n, node, arg, p->hash[p->count]);
	if (err == 0)
		p->count++;
	return err;
}

/* Proofs are collected from the root down; on the wire they begin at the leaves. */
static void proof_reverse(struct proof *p)
{
	uint8_t swap[MERKLE_LEN];

	for (size_t i = 0, j = p->count; i + 1 < j; i++) {
		j--;
		memcpy(swap, p->hash[i], MERKLE_LEN);
		memcpy(p->hash[i], p->hash[j], MERKLE_LEN);
		memcpy(p->hash[j], swap, MERKLE_LEN);
	}
}

int merkle_consistency_proof(uint64_t first, uint64_t size, merkle_node_fn node, void *arg,
			     uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN], size_t *count)
{
	struct proof p = {.hash = proof};
	uint64_t start = 0, m = first, n = size;
	bool whole = true; /* b of SUBPROOF: the old tree is exactly this subtree, its root is known */
	int err = 0;

	if (first > size)
		return KG_E_INVALID;
	while (err == 0 && m > 0 && m != n) {
		uint64_t k = 1ull << split_level(n);

		if (m <= k) {
			err = proof_add(&p, start + k, n - k, node, arg);
			n = k;
			continue;
		}
		err = proof_add(&p, start, k, node, arg);
		start += k;
		m -= k;
		n -= k;
		whole = false;
	}
	if (err == 0 && !whole)
		err = proof_add(&p, start, n, node, arg);
	if (err != 0)
		return err;
	proof_reverse(&p);
	*count = p.count;
	return 0;
}

int merkle_inclusion_proof(uint64_t index, uint64_t size, merkle_node_fn node, void *arg,
			   uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN], size_t *count)
{
	struct proof p = {.hash = proof};
	uint64_t start = 0, m = index, n = size;
	int err = 0;

	if (index >= size)
		return KG_E_INVALID;
	while (err == 0 && n > 1) {
		uint64_t k = 1ull << split_level(n);

		if (m < k) {
			err = proof_add(&p, start + k, n - k, node, arg);
			n = k;
			continue;
		}
		err = proof_add(&p, start, k, node, arg);
		start += k;
		m -= k;
		n -= k;
	}
	if (err != 0)
		return err;
	proof_reverse(&p);
	*count = p.count;
	return 0;
}

static bool hash_equal(const uint8_t a[MERKLE_LEN], const uint8_t b[MERKLE_LEN])
{
	return memcmp(a, b, MERKLE_LEN) == 0;
}

/* Two trees of which no proof is needed, or none can be right. */
static int consistency_trivial(uint64_t first, const uint8_t *first_root, uint64_t size, const uint8_t *root,
			       size_t count)
{
	struct merkle empty = {0};
	uint8_t empty_root[MERKLE_LEN];

	if (first > size || count != 0)
		return KG_E_CRYPTO;
	merkle_root(&empty, empty_root);
	if (first == 0 && !hash_equal(first_root, empty_root))
		return KG_E_CRYPTO;
	if (first == size && !hash_equal(first_root, root))
		return KG_E_CRYPTO;
	return 0;
}

/* RFC 9162, section 2.1.4.2, from step 4 on: 0 < first < size. */
int merkle_consistency_check(uint64_t first, const uint8_t first_root[MERKLE_LEN], uint64_t size,
			     const uint8_t root[MERKLE_LEN], const uint8_t (*proof)[MERKLE_LEN], size_t count)
{
	uint64_t fn, sn = size - 1;
	uint8_t fr[MERKLE_LEN], sr[MERKLE_LEN];
	size_t i = 0;

	if (first == 0 || first >= size)
		return consistency_trivial(first, first_root, size, root, count);
	fn = first - 1;
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	/* A first tree of a power of two is itself the first hash (step 2); else the proof says it. */
	if ((first & (first - 1)) != 0 && count == 0)
		return KG_E_CRYPTO;
	memcpy(fr, (first & (first - 1)) == 0 ? first_root : proof[i++], MERKLE_LEN);
	memcpy(sr, fr, MERKLE_LEN);
	for (; i < count; i++) {
		if (sn == 0)
			return KG_E_CRYPTO;
		if ((fn & 1) != 0 || fn == sn) {
			node_hash(proof[i], fr, fr);
			node_hash(proof[i], sr, sr);
			for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			node_hash(sr, proof[i], sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && hash_equal(fr, first_root) && hash_equal(sr, root) ? 0 : KG_E_CRYPTO;
}

/* RFC 9162, section 2.1.3.2. */
int merkle_inclusion_check(const uint8_t leaf[MERKLE_LEN], uint64_t index, uint64_t size,
			   const uint8_t root[MERKLE_LEN], const uint8_t (*proof)[MERKLE_LEN], size_t count)
{
	uint64_t fn = index, sn = size - 1;
	uint8_t hash[MERKLE_LEN];

	if (index >= size)
		return KG_E_CRYPTO;
	memcpy(hash, leaf, MERKLE_LEN);
	for (size_t i = 0; i < count; i++) {
		if (sn == 0)
			return KG_E_CRYPTO;
		if ((fn & 1) != 0 || fn == sn) {
			node_hash(proof[i], hash, hash);
			for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			node_hash(hash, proof[i], hash);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && hash_equal(hash, root) ? 0 : KG_E_CRYPTO;
}
