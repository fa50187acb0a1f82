#include "common/cedar/cedar_arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define CEDAR_ARENA_POISON 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define CEDAR_ARENA_POISON 1
#endif

/* Under the sanitizer each object gets a red zone, as malloc would give it. */
#ifdef CEDAR_ARENA_POISON
#include <sanitizer/asan_interface.h>
#define RED_ZONE 16u
#define hide(p, n) __asan_poison_memory_region((p), (n))
#define show(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define RED_ZONE 0u
#define hide(p, n) ((void)0)
#define show(p, n) ((void)0)
#endif

#define CHUNK_SIZE (32u << 10)
#define ALIGNMENT alignof(max_align_t)

struct cedar_chunk {
	struct cedar_chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

void cedar_arena_init(struct cedar_arena *arena, size_t limit)
{
	*arena = (struct cedar_arena){.limit = limit};
}

static struct cedar_chunk *add_chunk(struct cedar_arena *arena, size_t need)
{
	struct cedar_chunk *chunk;
	size_t size = need > CHUNK_SIZE ? need : CHUNK_SIZE, total;

	if (__builtin_add_overflow(size, sizeof(*chunk), &total))
		return NULL;
	chunk = malloc(total);
	if (chunk == NULL)
		return NULL;
	chunk->size = size;
	chunk->used = 0;
	hide(chunk->data, size);
	if (arena->current == NULL) {
		chunk->next = NULL;
		arena->first = chunk;
	} else {
		chunk->next = arena->current->next;
		arena->current->next = chunk;
	}
	return chunk;
}

/* A chunk with `need` free bytes: the current one, one kept by a reset, or new. */
static struct cedar_chunk *find_room(struct cedar_arena *arena, size_t need)
{
	struct cedar_chunk *chunk = arena->current;

	if (chunk != NULL && chunk->size - chunk->used >= need)
		return chunk;
	if (chunk != NULL && chunk->next != NULL && chunk->next->size >= need)
		chunk = chunk->next;
	else
		chunk = add_chunk(arena, need);
	if (chunk != NULL)
		arena->current = chunk;
	return chunk;
}

void *cedar_arena_alloc(struct cedar_arena *arena, size_t size)
{
	struct cedar_chunk *chunk;
	size_t need, taken;
	void *object;

	if (__builtin_add_overflow(size, ALIGNMENT - 1 + RED_ZONE, &need))
		return NULL;
	need &= ~(size_t)(ALIGNMENT - 1);
	if (__builtin_add_overflow(arena->taken, need, &taken) || taken > arena->limit)
		return NULL;
	chunk = find_room(arena, need);
	if (chunk == NULL)
		return NULL;
	object = chunk->data + chunk->used;
	chunk->used += need;
	arena->taken = taken;
	show(object, size);
	return memset(object, 0, size);
}

void *cedar_arena_array(struct cedar_arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return cedar_arena_alloc(arena, total);
}

int cedar_arena_copy(struct cedar_arena *arena, struct cedar_str s, struct cedar_str *copy)
{
	char *bytes = cedar_arena_alloc(arena, s.n);

	if (bytes == NULL)
		return -1;
	if (s.n > 0)
		memcpy(bytes, s.p, s.n);
	*copy = (struct cedar_str){bytes, s.n};
	return 0;
}

void cedar_arena_reset(struct cedar_arena *arena)
{
	struct cedar_chunk *chunk;

	for (chunk = arena->first; chunk != NULL; chunk = chunk->next) {
		chunk->used = 0;
		hide(chunk->data, chunk->size);
	}
	arena->current = arena->first;
	arena->taken = 0;
}

void cedar_arena_free(struct cedar_arena *arena)
{
	struct cedar_chunk *chunk = arena->first, *next;

	for (; chunk != NULL; chunk = next) {
		next = chunk->next;
		show(chunk->data, chunk->size);
		free(chunk);
	}
	cedar_arena_init(arena, arena->limit);
}
