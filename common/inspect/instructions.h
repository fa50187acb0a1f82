/* Texts that read like instructions to a model. */
#ifndef INSPECT_INSTRUCTIONS_H
#define INSPECT_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct phrases;

/* What was seen in one text. */
struct instructions_found {
	uint32_t score;  /* 0 to 100 */
	bool rot13;      /* words of it turned by thirteen places */
	bool backwards;  /* a direction override: what follows is read from its end */
	bool dressed_up; /* hidden or look-alike characters */
};

/* NULL when out of memory. */
struct phrases *phrases_new(void);
void phrases_free(struct phrases *p);

/* One text in UTF-8; linear. */
void instructions_scan(const struct phrases *p, const uint8_t *text, size_t n, struct instructions_found *out);

#endif
