/* "Did you mean": the known word that a mistyped one is nearest to. */
#ifndef COMMON_NEAREST_H
#define COMMON_NEAREST_H

#include <stddef.h>

#define NEAREST_WORD_MAX 64 /* longer words have no neighbours */

/*
 * The candidate with the fewest edits (letter added, lost, changed, or two swapped), when these are
 * few enough for its length to be a slip; else NULL. Upper and lower case are the same.
 */
struct nearest {
	const char *word;
	const char *best;
	size_t edits;
};
void nearest_begin(struct nearest *n, const char *word);
void nearest_offer(struct nearest *n, const char *candidate);
const char *nearest_end(const struct nearest *n);

#endif
