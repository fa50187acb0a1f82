#include "common/sha256.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include <sodium.h>

#include "common/sha256_cpu.h"

#define BLOCK 64u

/* Two pieces, hashed as if they were one; the first is shorter than a block. */
struct pieces {
	const uint8_t *head, *p;
	size_t nhead, n;
};

/* FIPS 180-4, section 5.1.1: a bit, zeros, the length in bits. */
static void last_blocks(uint32_t state[8], const struct pieces *rest, uint64_t total, uint8_t room[2 * BLOCK])
{
	size_t used = rest->nhead + rest->n, len = used + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
	uint64_t bits = htobe64(total * 8);

	memset(room, 0, 2 * BLOCK);
	if (rest->nhead != 0)
		memcpy(room, rest->head, rest->nhead);
	if (rest->n != 0)
		memcpy(room + rest->nhead, rest->p, rest->n);
	room[used] = 0x80;
	memcpy(room + len - sizeof(bits), &bits, sizeof(bits));
	sha256_cpu_blocks(state, room, len / BLOCK);
}

static void by_cpu(struct pieces in, uint8_t out[SHA256_LEN])
{
	uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	uint64_t total = (uint64_t)in.nhead + in.n;
	uint8_t room[2 * BLOCK];
	size_t taken;

	if (in.nhead != 0 && total >= BLOCK) {
		taken = BLOCK - in.nhead;
		memcpy(room, in.head, in.nhead);
		memcpy(room + in.nhead, in.p, taken);
		sha256_cpu_blocks(state, room, 1);
		in = (struct pieces){NULL, in.p + taken, 0, in.n - taken};
	}
	taken = in.nhead == 0 ? in.n / BLOCK * BLOCK : 0;
	if (taken != 0) {
		sha256_cpu_blocks(state, in.p, taken / BLOCK);
		in.p += taken;
		in.n -= taken;
	}
	last_blocks(state, &in, total, room);
	for (size_t i = 0; i < 8; i++) {
		uint32_t word = htobe32(state[i]);

		memcpy(out + 4 * i, &word, 4);
	}
	sodium_memzero(room, sizeof(room));
	sodium_memzero(state, sizeof(state));
}

static void by_library(const struct pieces *in, uint8_t out[SHA256_LEN])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, in->head, in->nhead);
	crypto_hash_sha256_update(&st, in->p, in->n);
	crypto_hash_sha256_final(&st, out);
}

/* The instructions are used only when they say what libsodium says, over one, two and many blocks. */
static bool cpu_agrees(void)
{
	uint8_t sample[300], ours[SHA256_LEN], theirs[SHA256_LEN];
	bool same = true;

	for (size_t i = 0; i < sizeof(sample); i++)
		sample[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n < sizeof(sample); n += 29) {
		struct pieces in = {sample, sample + 1, 1, n};

		by_cpu(in, ours);
		by_library(&in, theirs);
		same = same && memcmp(ours, theirs, SHA256_LEN) == 0;
	}
	return same;
}

static void hash(struct pieces in, uint8_t out[SHA256_LEN])
{
	static enum { UNKNOWN, LIBRARY, CPU } way;

	if (way == UNKNOWN)
		way = sha256_cpu_has() && cpu_agrees() ? CPU : LIBRARY;
	if (way == CPU)
		by_cpu(in, out);
	else
		by_library(&in, out);
}

void sha256(const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	hash((struct pieces){NULL, p, 0, n}, out);
}

void sha256_tagged(uint8_t tag, const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	hash((struct pieces){&tag, p, 1, n}, out);
}
