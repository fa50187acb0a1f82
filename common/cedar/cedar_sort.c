#include "common/cedar/cedar_sort.h"

#include <string.h>

#define INSERTION_MAX 12u

static void insertion_sort(char *base, size_t count, size_t size, cedar_order_fn *order)
{
	char held[CEDAR_SORT_MAX_ELEMENT];
	size_t i, j;

	for (i = 1; i < count; i++) {
		if (order(base + (i - 1) * size, base + i * size) <= 0)
			continue;
		memcpy(held, base + i * size, size);
		for (j = i; j > 0 && order(base + (j - 1) * size, held) > 0; j--)
			memcpy(base + j * size, base + (j - 1) * size, size);
		memcpy(base + j * size, held, size);
	}
}

static void swap(char *a, char *b, size_t size)
{
	char held[CEDAR_SORT_MAX_ELEMENT];

	memcpy(held, a, size);
	memcpy(a, b, size);
	memcpy(b, held, size);
}

static void sift_down(char *base, size_t root, size_t count, size_t size, cedar_order_fn *order)
{
	size_t child;

	while ((child = root * 2 + 1) < count) {
		if (child + 1 < count && order(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (order(base + root * size, base + child * size) >= 0)
			return;
		swap(base + root * size, base + child * size, size);
		root = child;
	}
}

void cedar_sort(void *array, size_t count, size_t size, cedar_order_fn *order)
{
	char *base = array;
	size_t i;

	if (count <= INSERTION_MAX) {
		insertion_sort(base, count, size, order);
		return;
	}
	for (i = 1; i < count && order(base + (i - 1) * size, base + i * size) <= 0; i++)
		;
	if (i == count)
		return;
	/* Heapsort: qsort may allocate, and quicksort has bad inputs. */
	for (i = count / 2; i > 0; i--)
		sift_down(base, i - 1, count, size, order);
	for (i = count - 1; i > 0; i--) {
		swap(base, base + i * size, size);
		sift_down(base, 0, i, size, order);
	}
}
