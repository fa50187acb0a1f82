/*
 * Lists in JSON, byte by byte: for a text whose pieces come one after another, and for one that is cut off. Python's
 * way of printing the same is read too, since servers hand it on: 'quotes', (tuples), None.
 */
#ifndef INSPECT_RECORD_LISTS_H
#define INSPECT_RECORD_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

enum lists_state { LISTS_MORE, LISTS_DONE, LISTS_FAILED };

struct lists {
	struct {
		uint32_t items; /* objects and lists that it holds */
		uint32_t inner; /* records in them */
		bool list;
	} level[JSON_DEPTH_MAX];
	uint32_t depth;
	uint8_t expect;
	uint8_t quote; /* of the string in hand */
	uint8_t last;  /* byte of the number in hand */
	bool is_name;
	const char *word; /* what is missing of the word in hand */
};

/* Begins with an object or a list: its opening bracket is the first byte to come. */
void record_lists_begin(struct lists *l);

/* Takes bytes until the value ends or proves to be none (the byte that did is not taken); *used of them were taken. */
enum lists_state record_lists_take(struct lists *l, const uint8_t *p, size_t n, size_t *used);

/*
 * The records of the value, or of as much of it as there was: the greatest number of objects and lists that are
 * elements of lists, of which none lies in another.
 */
uint32_t record_lists_count(struct lists *l);

static inline uint32_t record_sum(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

#endif
