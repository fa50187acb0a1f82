/* The part of SHA-256 that a processor may do itself. Inside sha256.c alone. */
#ifndef COMMON_SHA256_CPU_H
#define COMMON_SHA256_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Asks the processor, which is slow in a virtual machine: once is enough. */
bool sha256_cpu_has(void);

/* Takes n blocks of 64 bytes into the state. Only where sha256_cpu_has(). */
void sha256_cpu_blocks(uint32_t state[8], const uint8_t *p, size_t n);

#endif
