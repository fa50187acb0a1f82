#include "common/jsonschema/js_arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST 4096u
#define BLOCK_MOST 65536u

struct js_block {
	struct js_block *next;
	size_t used, cap;
	max_align_t bytes[];
};

static int add_block(struct jsonschema *s, size_t need)
{
	size_t cap = s->arena == NULL ? BLOCK_FIRST : s->arena->cap * 2;
	struct js_block *b;

	if (cap > BLOCK_MOST)
		cap = BLOCK_MOST;
	if (cap < need)
		cap = need;
	if (s->arena_bytes + cap > JS_ARENA_MAX)
		return KG_E_LIMIT;
	b = calloc(1, sizeof(*b) + cap);
	if (b == NULL)
		return KG_E_NOMEM;
	b->next = s->arena;
	b->cap = cap;
	s->arena = b;
	s->arena_bytes += cap;
	return 0;
}

int js_alloc(struct jsonschema *s, size_t size, void *out)
{
	void *p;

	if (size > JS_ARENA_MAX)
		return KG_E_LIMIT;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (s->arena == NULL || s->arena->cap - s->arena->used < size) {
		int r = add_block(s, size);

		if (r != 0)
			return r;
	}
	p = (uint8_t *)s->arena->bytes + s->arena->used;
	s->arena->used += size;
	memcpy(out, &p, sizeof(p));
	return 0;
}

int js_alloc_n(struct jsonschema *s, size_t n, size_t size, void *out)
{
	return n > JS_ARENA_MAX / size ? KG_E_LIMIT : js_alloc(s, n * size, out);
}

int js_copy(struct jsonschema *s, const char *text, size_t len, const char **out)
{
	char *copy = NULL;
	int r = js_alloc(s, len + 1, &copy);

	if (r != 0)
		return r;
	memcpy(copy, text, len);
	*out = copy;
	return 0;
}

void js_arena_free(struct jsonschema *s)
{
	while (s->arena != NULL) {
		struct js_block *next = s->arena->next;

		free(s->arena);
		s->arena = next;
	}
}
