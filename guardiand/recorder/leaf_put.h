/* Canonical JSON, piece by piece, into a place of LEAF_MAX bytes. */
#ifndef RECORDER_LEAF_PUT_H
#define RECORDER_LEAF_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leaf_writer {
	uint8_t *out; /* borrowed, LEAF_MAX bytes */
	size_t len;
	bool full; /* sticky: something did not fit, and nothing after it was written */
};

void leaf_put(struct leaf_writer *w, const void *p, size_t n);
void leaf_put_number(struct leaf_writer *w, uint64_t v);
/* Bytes (at most 32) as a string of lower-case hexadecimal digits. */
void leaf_put_hex(struct leaf_writer *w, const uint8_t *p, size_t n);
/* A string; ill-formed UTF-8 becomes U+FFFD, so that a leaf is always well-formed. */
void leaf_put_string(struct leaf_writer *w, const void *text, size_t n);

#endif
