/* What is written in another way inside a text: one pass finds and decodes it all. */
#ifndef INSPECT_DECODE_H
#define INSPECT_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define DECODE_RUN_MIN 24u /* shorter runs of base64 and hex say nothing */

/*
 * Appends to out the texts of runs of base64 (both alphabets) and hex that decode to text, each with a line end; and
 * when the text has at least four escapes of one kind (\xNN, \uNNNN, %NN, &#N;), the whole text with these decoded.
 * True when anything was appended. Stops quietly when out is full.
 */
bool decode_layers(const uint8_t *text, size_t n, struct buf *out);

/* The same letters thirteen places on. */
bool decode_rot13(const uint8_t *text, size_t n, struct buf *out);
/* What stands behind direction overrides, read from its end. */
bool decode_backwards(const uint8_t *text, size_t n, struct buf *out);

#endif
