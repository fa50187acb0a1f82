/*
 * Session tokens: "kgs_", 43 characters of base62 (256 random bits), and a CRC-32 of all before
 * it as 6 characters of base62, so that secret scanners can tell a token from noise.
 */
#ifndef COMMON_TOKEN_H
#define COMMON_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_PREFIX "kgs_"
#define TOKEN_LEN 53

/* A fresh token, NUL-terminated. The caller wipes it. */
void token_make(char out[TOKEN_LEN + 1]);
/* Whether the bytes have a token's form and checksum. Says nothing of its validity. */
bool token_well_formed(const char *token, size_t len);
/* What is stored instead of a token: SHA-256 (the token has 256 bits, no stretching is needed). */
void token_hash(const char *token, size_t len, uint8_t out[32]);

#endif
