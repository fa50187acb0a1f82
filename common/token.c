#include "common/token.h"

#include <string.h>

#include <sodium.h>

#include "common/call.h"

#define PREFIX_LEN (sizeof(TOKEN_PREFIX) - 1)
#define CHECK_LEN 6
#define BODY_LEN (TOKEN_LEN - CHECK_LEN) /* prefix and random characters */

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* CRC-32 of IEEE 802.3, half a byte at a time: each call checks its token twice. */
static uint32_t crc32_of(const char *text, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)text[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static void put_check(const char *body, char out[CHECK_LEN])
{
	uint32_t crc = crc32_of(body, BODY_LEN);

	for (size_t i = CHECK_LEN; i-- > 0; crc /= 62)
		out[i] = base62[crc % 62];
}

/* 43 independent characters of 62 carry 256.03 bits. */
void token_make(char out[TOKEN_LEN + 1])
{
	memcpy(out, TOKEN_PREFIX, PREFIX_LEN);
	for (size_t i = PREFIX_LEN; i < BODY_LEN; i++)
		out[i] = base62[randombytes_uniform(62)];
	put_check(out, out + BODY_LEN);
	out[TOKEN_LEN] = '\0';
}

static bool is_base62(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool token_well_formed(const char *token, size_t len)
{
	char check[CHECK_LEN];

	if (len != TOKEN_LEN || memcmp(token, TOKEN_PREFIX, PREFIX_LEN) != 0)
		return false;
	for (size_t i = PREFIX_LEN; i < TOKEN_LEN; i++) {
		if (!is_base62(token[i]))
			return false;
	}
	put_check(token, check);
	return sodium_memcmp(check, token + BODY_LEN, CHECK_LEN) == 0;
}

void token_hash(const char *token, size_t len, uint8_t out[32])
{
	sha256(token, len, out);
}
