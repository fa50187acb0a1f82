/* Between sha256.c and sha256_native.c. */
#ifndef COMMON_SHA256_NATIVE_H
#define COMMON_SHA256_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool sha256_native_there(void);
/* Works whole blocks into the chaining value. */
void sha256_native_blocks(uint32_t h[8], const uint8_t *p, size_t blocks);

#endif
