/* An allocator for curl that wipes what it takes back: header lines and bodies pass through curl's heap. */
#ifndef COMMON_OUTBOUND_HTTP_ALLOC_H
#define COMMON_OUTBOUND_HTTP_ALLOC_H

#include <stddef.h>

void *wiping_malloc(size_t n);
void wiping_free(void *p);
void *wiping_realloc(void *p, size_t n);
char *wiping_strdup(const char *text);
void *wiping_calloc(size_t count, size_t n);

#endif
