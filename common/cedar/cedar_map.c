#include "common/cedar/cedar_map.h"

#include "common/cedar/cedar_error.h"

#define FIRST_CAPACITY 16u

struct cedar_map_slot {
	uint64_t hash;
	struct cedar_str a, b;
	void *value; /* NULL: free */
};

uint64_t cedar_map_hash(struct cedar_str a, struct cedar_str b)
{
	return cedar_str_hash(b, cedar_str_hash(a, 0));
}

/* The slot of the key, or the free slot where it belongs. */
static struct cedar_map_slot *probe(const struct cedar_map *map, uint64_t hash, struct cedar_str a, struct cedar_str b)
{
	size_t mask = map->capacity - 1, i = (size_t)hash & mask;
	struct cedar_map_slot *slot;

	for (;; i = (i + 1) & mask) {
		slot = &map->slots[i];
		if (slot->value == NULL ||
		    (slot->hash == hash && cedar_str_equal(slot->b, b) && cedar_str_equal(slot->a, a)))
			return slot;
	}
}

void *cedar_map_find(const struct cedar_map *map, uint64_t hash, struct cedar_str a, struct cedar_str b)
{
	if (map->capacity == 0)
		return NULL;
	return probe(map, hash, a, b)->value;
}

void *cedar_map_get(const struct cedar_map *map, struct cedar_str a, struct cedar_str b)
{
	return cedar_map_find(map, cedar_map_hash(a, b), a, b);
}

static int grow(struct cedar_map *map, struct cedar_arena *arena)
{
	struct cedar_map wider = *map;
	const struct cedar_map_slot *old;
	size_t i;

	wider.capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
	wider.slots = cedar_arena_array(arena, wider.capacity, sizeof(*wider.slots));
	if (wider.slots == NULL)
		return -CEDAR_E_MEMORY;
	for (i = 0; i < map->capacity; i++) {
		old = &map->slots[i];
		if (old->value != NULL)
			*probe(&wider, old->hash, old->a, old->b) = *old;
	}
	*map = wider;
	return 0;
}

int cedar_map_put(struct cedar_map *map, struct cedar_arena *arena, struct cedar_str a, struct cedar_str b, void *value)
{
	uint64_t hash = cedar_map_hash(a, b);
	struct cedar_map_slot *slot;

	if (map->count * 4 >= map->capacity * 3 && grow(map, arena) != 0)
		return -CEDAR_E_MEMORY;
	slot = probe(map, hash, a, b);
	if (slot->value != NULL)
		return -CEDAR_E_DUPLICATE;
	*slot = (struct cedar_map_slot){hash, a, b, value};
	map->count++;
	return 0;
}
