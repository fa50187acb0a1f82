/* Inside of JSON strings: UTF-8 and escapes. For common/json*.c and the few others that handle raw text. */
#ifndef COMMON_JSON_TEXT_H
#define COMMON_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Length of the well-formed UTF-8 sequence at p (n bytes are there), 0 when it is ill-formed:
 * overlong, a surrogate, over U+10FFFF, cut short. Unicode 15, table 3-7.
 */
size_t utf8_sequence(const uint8_t *p, size_t n);

/* Whether all of text is well-formed UTF-8. */
bool utf8_valid(const void *text, size_t n);

/*
 * Length of the escape at p (n bytes are there) with its surrogate pair where it needs one, 0 when
 * it is none or names a lone surrogate. out gets the character in UTF-8, *out_len its bytes.
 */
size_t json_escape_read(const uint8_t *p, size_t n, uint8_t out[4], size_t *out_len);

/* Characters of a checked string, one by one, as they are after unescaping. */
struct json_chars {
	const uint8_t *p, *end;
};

/* Bytes of the next character in out; 0 at the end. */
size_t json_chars_next(struct json_chars *c, uint8_t out[4]);

#endif
