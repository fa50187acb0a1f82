/* The Merkle tree of RFC 6962, section 2.1, over SHA-256. */
#ifndef COMMON_MERKLE_H
#define COMMON_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define MERKLE_LEN 32
#define MERKLE_PROOF_MAX 66

/* The right edge: enough to append and to give the root. Zeroed is the empty tree. */
struct merkle {
	uint64_t size;
	uint8_t edge[64][MERKLE_LEN]; /* a hash for each set bit of size, largest subtree first */
};

void merkle_leaf(const void *data, size_t len, uint8_t out[MERKLE_LEN]);
void merkle_append(struct merkle *m, const uint8_t leaf[MERKLE_LEN]);
void merkle_root(const struct merkle *m, uint8_t out[MERKLE_LEN]);

/*
 * Gives the hash of the full subtree of 2^level leaves whose first leaf is index*2^level; 0 or an error.
 * Whoever stores the tree supplies it.
 */
typedef int (*merkle_node_fn)(void *arg, unsigned level, uint64_t index, uint8_t out[MERKLE_LEN]);

/* PROOF(first, D[size]) of section 2.1.2 and PATH(index, D[size]) of 2.1.1; *count hashes are written. */
int merkle_consistency_proof(uint64_t first, uint64_t size, merkle_node_fn node, void *arg,
			     uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN], size_t *count) MUST_CHECK;
int merkle_inclusion_proof(uint64_t index, uint64_t size, merkle_node_fn node, void *arg,
			   uint8_t proof[MERKLE_PROOF_MAX][MERKLE_LEN], size_t *count) MUST_CHECK;

/* KG_E_CRYPTO when the proof does not hold. The tree before any leaf (first 0) has the root of the empty tree. */
int merkle_consistency_check(uint64_t first, const uint8_t first_root[MERKLE_LEN], uint64_t size,
			     const uint8_t root[MERKLE_LEN], const uint8_t (*proof)[MERKLE_LEN],
			     size_t count) MUST_CHECK;
int merkle_inclusion_check(const uint8_t leaf[MERKLE_LEN], uint64_t index, uint64_t size,
			   const uint8_t root[MERKLE_LEN], const uint8_t (*proof)[MERKLE_LEN], size_t count) MUST_CHECK;

#endif
