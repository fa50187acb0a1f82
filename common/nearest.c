#include "common/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: three rows of the table are enough. */
static size_t count_edits(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t row[3][NEAREST_WORD_MAX + 1] = {{0}};

	for (size_t j = 0; j <= blen; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= alen; i++) {
		size_t *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			size_t change = before[j - 1] + !same_letter(a[i - 1], b[j - 1]);

			now[j] = least(change, least(before[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return row[alen % 3][blen];
}

void nearest_begin(struct nearest *n, const char *word)
{
	*n = (struct nearest){.word = word, .edits = SIZE_MAX};
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	size_t alen = strlen(n->word), blen = strlen(candidate), edits;

	if (alen > NEAREST_WORD_MAX || blen > NEAREST_WORD_MAX)
		return;
	edits = count_edits(n->word, alen, candidate, blen);
	if (edits >= n->edits || edits > 1 + least(alen, blen) / 4)
		return;
	n->best = candidate;
	n->edits = edits;
}

const char *nearest_end(const struct nearest *n)
{
	return n->best;
}
