#include "common/sha256.h"

#include <endian.h>
#include <string.h>

#include "common/sha256_native.h"

#define LENGTH_AT 56 /* the last block ends with the number of bits (FIPS 180-4, section 5.1.1) */

/* Whether the instructions are used; asked of the processor once. */
static enum { UNKNOWN, NATIVE, PORTABLE } kind;

static const uint32_t initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

bool sha256_is_native(void)
{
	if (kind == UNKNOWN)
		kind = sha256_native_there() ? NATIVE : PORTABLE;
	return kind == NATIVE;
}

void sha256_force_portable(bool portable)
{
	kind = portable ? PORTABLE : UNKNOWN;
}

void sha256_init(struct sha256_state *st)
{
	st->native = sha256_is_native();
	if (!st->native) {
		crypto_hash_sha256_init(&st->portable);
		return;
	}
	memcpy(st->h, initial, sizeof(initial));
	st->total = 0;
}

void sha256_update(struct sha256_state *st, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t used;

	if (!st->native) {
		crypto_hash_sha256_update(&st->portable, p, n);
		return;
	}
	if (n == 0)
		return;
	used = st->total % SHA256_BLOCK;
	st->total += n;
	if (used != 0) {
		size_t part = n < SHA256_BLOCK - used ? n : SHA256_BLOCK - used;

		memcpy(st->block + used, p, part);
		p += part;
		n -= part;
		if (used + part == SHA256_BLOCK)
			sha256_native_blocks(st->h, st->block, 1);
	}
	sha256_native_blocks(st->h, p, n / SHA256_BLOCK);
	p += n - n % SHA256_BLOCK;
	memcpy(st->block, p, n % SHA256_BLOCK);
}

void sha256_final(struct sha256_state *st, uint8_t out[SHA256_LEN])
{
	size_t used;
	uint64_t bits;

	if (!st->native) {
		crypto_hash_sha256_final(&st->portable, out);
		return;
	}
	used = st->total % SHA256_BLOCK;
	bits = htobe64(st->total * 8);
	st->block[used++] = 0x80;
	if (used > LENGTH_AT) {
		memset(st->block + used, 0, SHA256_BLOCK - used);
		sha256_native_blocks(st->h, st->block, 1);
		used = 0;
	}
	memset(st->block + used, 0, LENGTH_AT - used);
	memcpy(st->block + LENGTH_AT, &bits, sizeof(bits));
	sha256_native_blocks(st->h, st->block, 1);
	for (size_t i = 0; i < 8; i++) {
		uint32_t word = htobe32(st->h[i]);

		memcpy(out + 4 * i, &word, sizeof(word));
	}
	sodium_memzero(st, sizeof(*st));
}
