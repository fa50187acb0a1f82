#include "common/outbound/http_alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The size asked for stands in front of each block; 16 bytes keep the alignment of malloc. */
#define HEAD 16

static size_t *head_of(void *p)
{
	return (size_t *)(void *)((char *)p - HEAD);
}

void *wiping_malloc(size_t n)
{
	size_t *head = n <= SIZE_MAX - HEAD ? malloc(n + HEAD) : NULL;

	if (!head)
		return NULL;
	*head = n;
	return (char *)head + HEAD;
}

void wiping_free(void *p)
{
	if (!p)
		return;
	explicit_bzero(p, *head_of(p));
	free(head_of(p));
}

void *wiping_realloc(void *p, size_t n)
{
	if (!p)
		return wiping_malloc(n);
	size_t old = *head_of(p);
	void *q = wiping_malloc(n);

	if (!q)
		return NULL;
	memcpy(q, p, old < n ? old : n);
	wiping_free(p);
	return q;
}

char *wiping_strdup(const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = wiping_malloc(n);

	if (copy)
		memcpy(copy, text, n);
	return copy;
}

void *wiping_calloc(size_t count, size_t n)
{
	if (n != 0 && count > SIZE_MAX / n)
		return NULL;
	void *p = wiping_malloc(count * n);

	if (p)
		memset(p, 0, count * n);
	return p;
}
