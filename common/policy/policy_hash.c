#include "common/policy/policy_hash.h"

#include <string.h>

static void add(struct policy_hash *h, const void *bytes, size_t n)
{
	if (n > 0)
		(void)crypto_hash_sha256_update(&h->state, bytes, n);
}

static void add_counted(struct policy_hash *h, const void *bytes, size_t n)
{
	uint8_t length[8];

	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
	add(h, length, sizeof(length));
	add(h, bytes, n);
}

void policy_hash_begin(struct policy_hash *h, const char *label)
{
	(void)crypto_hash_sha256_init(&h->state);
	add(h, label, strlen(label));
}

void policy_hash_part(struct policy_hash *h, const char *name, const void *bytes, size_t n)
{
	add_counted(h, name, strlen(name));
	add_counted(h, bytes, n);
}

void policy_hash_end(struct policy_hash *h, uint8_t out[HASH_LEN])
{
	(void)crypto_hash_sha256_final(&h->state, out);
}
