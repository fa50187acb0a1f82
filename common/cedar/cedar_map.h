/* A table from a pair of strings to a pointer: ids, names, entity uids. */
#ifndef CEDAR_MAP_H
#define CEDAR_MAP_H

#include "common/cedar/cedar_arena.h"

struct cedar_map_slot;

/* All zero is an empty map. Memory comes from the arena given to each put. */
struct cedar_map {
	struct cedar_map_slot *slots;
	size_t capacity;
	size_t count;
};

/* The value put under (a, b), or NULL. */
void *cedar_map_get(const struct cedar_map *map, struct cedar_str a, struct cedar_str b);

/* The same when hash = cedar_map_hash(a, b) is known. */
void *cedar_map_find(const struct cedar_map *map, uint64_t hash, struct cedar_str a, struct cedar_str b);

uint64_t cedar_map_hash(struct cedar_str a, struct cedar_str b);

/*
 * Files `value` (not NULL) under (a, b); keys are borrowed and must outlive the
 * map. 0; -CEDAR_E_DUPLICATE if present already; -CEDAR_E_MEMORY.
 */
int cedar_map_put(struct cedar_map *map, struct cedar_arena *arena, struct cedar_str a, struct cedar_str b,
		  void *value);

#endif
