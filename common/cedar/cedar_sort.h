/* In-place sorting without allocation, O(n log n) for hostile input too. */
#ifndef CEDAR_SORT_H
#define CEDAR_SORT_H

#include <stddef.h>

#define CEDAR_SORT_MAX_ELEMENT 64u

typedef int cedar_order_fn(const void *a, const void *b);

/* Sorts `count` elements of `size` (at most CEDAR_SORT_MAX_ELEMENT) bytes. */
void cedar_sort(void *base, size_t count, size_t size, cedar_order_fn *order);

#endif
