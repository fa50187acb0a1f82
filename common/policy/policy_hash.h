/* SHA-256 over named parts, each with its length before it. */
#ifndef POLICY_POLICY_HASH_H
#define POLICY_POLICY_HASH_H

#include <sodium.h>

#include "common/call.h"

struct policy_hash {
	crypto_hash_sha256_state state;
};

void policy_hash_begin(struct policy_hash *h, const char *label);
void policy_hash_part(struct policy_hash *h, const char *name, const void *bytes, size_t n);
void policy_hash_end(struct policy_hash *h, uint8_t out[HASH_LEN]);

#endif
