/*
 * SHA-256 (FIPS 180-4) on the processor's own instructions where it has them, else libsodium's:
 * hashing each record twice was most of what an audited call cost.
 */
#ifndef COMMON_SHA256_H
#define COMMON_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#define SHA256_LEN 32
#define SHA256_BLOCK 64

struct sha256_state {
	bool native;
	uint32_t h[8];
	uint64_t total; /* bytes so far */
	uint8_t block[SHA256_BLOCK];
	crypto_hash_sha256_state portable;
};

void sha256_init(struct sha256_state *st);
void sha256_update(struct sha256_state *st, const void *p, size_t n);
/* Ends it; the state is used up. */
void sha256_final(struct sha256_state *st, uint8_t out[SHA256_LEN]);

/* Whether this processor has the instructions. */
bool sha256_is_native(void);
/* For tests: do without them. */
void sha256_force_portable(bool portable);

#endif
