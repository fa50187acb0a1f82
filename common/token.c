#include "common/token.h"

#include <string.h>

#include <sodium.h>

#include "common/call.h"

#define PREFIX_LEN (sizeof(TOKEN_PREFIX) - 1)
#define CHECK_LEN 6
#define BODY_LEN (TOKEN_LEN - CHECK_LEN) /* prefix and random characters */

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* CRC-32 of IEEE 802.3, bit by bit: 47 bytes at a time need no table. */
static uint32_t crc32_of(const char *text, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320 & (0 - (crc & 1)));
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
