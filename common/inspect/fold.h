/*
 * Text as a reader (or a model) takes it: letters that look alike are one letter, what cannot be seen is gone, what
 * hides in characters that are not shown comes out. Letters and digits come as lower case, the digits that stand for
 * letters as these, l as i; all else is a gap.
 */
#ifndef INSPECT_FOLD_H
#define INSPECT_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fold_kind {
	FOLD_LETTER,
	FOLD_GAP,
	FOLD_NOTHING, /* a mark on the letter before it */
	FOLD_UNSEEN,  /* zero width, soft hyphen, direction */
};

struct fold {
	uint8_t out[4];
	uint8_t n;
	uint8_t kind;  /* enum fold_kind */
	bool likeness; /* of another script, or dressed up */
	bool hidden;   /* out was carried by a character that is not shown */
};

/* Of ASCII: the folded byte, 0 for a gap. */
extern const uint8_t fold_ascii[128];

/* Any character; one of another script than Latin keeps its bytes. */
struct fold fold_char(uint32_t c);

/* The next character of well-formed UTF-8; *used is its length. */
uint32_t fold_next(const uint8_t *p, size_t n, size_t *used);

#endif
