/* Whether letters look random, and the checksums of token formats. */
#ifndef INSPECT_SECRET_VALUE_H
#define INSPECT_SECRET_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shannon's, in hundredths of a bit a byte; of the first 256 bytes. */
unsigned value_entropy(const uint8_t *p, size_t n);
/* Stands for a value instead of being one: "xxxx", "example", "${NAME}", "<token>". */
bool value_is_placeholder(const uint8_t *p, size_t n);
/* Upper and lower case, or letters and digits: at least two digits and both kinds of what is asked. */
bool value_is_mixed(const uint8_t *p, size_t n);
/* GitHub's and npm's: the last six letters are the CRC-32 of those before them, in base62. */
bool value_crc32(const uint8_t *p, size_t n);
/* A JSON Web Token: header and claims are JSON objects, the header names an algorithm. */
bool value_jwt(const uint8_t *p, size_t n);
/* BEGIN ... PRIVATE KEY with some base64 behind it; p stands behind "-----BEGIN ". */
bool value_pem(const uint8_t *p, size_t n);

#endif
