/* Memory that is freed together: one arena per loaded set, one per request. */
#ifndef CEDAR_ARENA_H
#define CEDAR_ARENA_H

#include <stddef.h>

#include "common/cedar/cedar_str.h"

struct cedar_chunk;

/* Fields are private; the struct is public so that it can be embedded. */
struct cedar_arena {
	struct cedar_chunk *first;
	struct cedar_chunk *current;
	size_t taken; /* bytes handed out */
	size_t limit; /* never hand out more */
};

/* Prepares an empty arena that hands out at most `limit` bytes. */
void cedar_arena_init(struct cedar_arena *arena, size_t limit);

/*
 * `size` zeroed bytes, aligned for any object, alive until reset or free.
 * NULL when the limit or the machine's memory is reached.
 */
void *cedar_arena_alloc(struct cedar_arena *arena, size_t size);

/* The same for `count` elements; a product that overflows gives NULL. */
void *cedar_arena_array(struct cedar_arena *arena, size_t count, size_t size);

/* Copies `s` into the arena; 0, or -1 when memory ends. */
int cedar_arena_copy(struct cedar_arena *arena, struct cedar_str s, struct cedar_str *copy);

/* Forgets all contents and keeps the chunks: the warm path stays malloc-free. */
void cedar_arena_reset(struct cedar_arena *arena);

/* Frees everything; the arena may be initialised again. */
void cedar_arena_free(struct cedar_arena *arena);

#endif
