/* UTF-8: strict checking, decoding, encoding. */
#ifndef CEDAR_UTF8_H
#define CEDAR_UTF8_H

#include "common/cedar/cedar_str.h"

#define CEDAR_UTF8_MAX 4 /* bytes of one scalar value */

/*
 * Bytes of the scalar value at the start of `s`, 0 if ill-formed (overlong,
 * surrogate, beyond U+10FFFF, cut short, or `s` empty). Sets `*scalar`.
 */
size_t cedar_utf8_decode(struct cedar_str s, uint32_t *scalar);

/* Writes `scalar`; its length, 0 if it is no Unicode scalar value. */
size_t cedar_utf8_encode(uint32_t scalar, char out[CEDAR_UTF8_MAX]);

/* Offset of the first ill-formed sequence; s.n when all is well. */
size_t cedar_utf8_check(struct cedar_str s);

/* Whether `scalar` has the Unicode property White_Space. */
bool cedar_utf8_is_space(uint32_t scalar);

#endif
