/*
 * A secret in memory of its own: between guard pages, locked, left out of core dumps, wiped when
 * freed. No function prints, parses or copies one: it is filled in place, used in place, moved.
 */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct secret;

/* Fatal when this process may not lock memory: a secret must never reach the swap. Call once, at start. */
void secret_probe(void);

/* len zero bytes, at least one, owned by the caller. Fatal when the memory cannot be had or locked. */
struct secret *secret_new(size_t len);

/* The bytes, to be filled or used in place. They live as long as the secret. */
uint8_t *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);

/* Makes it shorter and wipes the rest; len must not be over secret_len(). */
void secret_shrink(struct secret *s, size_t len);

/* From here on a write to it ends the process. */
void secret_protect(struct secret *s);

/* Whether both hold the same bytes, in constant time for equal lengths. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* *to (freed first) becomes *from, and *from NULL. */
void secret_move(struct secret **to, struct secret **from);

/* Wipes and frees; *s becomes NULL. */
void secret_free(struct secret **s);

#endif
