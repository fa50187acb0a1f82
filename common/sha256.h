/*
 * SHA-256 (FIPS 180-4): by the processor's own instructions where it has them and they agree with
 * libsodium, else by libsodium, whose portable code costs five times as much. Every record and every
 * call hash their bytes with it.
 */
#ifndef COMMON_SHA256_H
#define COMMON_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

/* p may be NULL when n is 0. */
void sha256(const void *p, size_t n, uint8_t out[SHA256_LEN]);

/* Over one byte and what follows it: leaves and nodes of a Merkle tree (RFC 6962, section 2.1). */
void sha256_tagged(uint8_t tag, const void *p, size_t n, uint8_t out[SHA256_LEN]);

#endif
