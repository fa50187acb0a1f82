#include "common/cedar/cedar_entities.h"

#include <stdlib.h>

#include "common/cedar/cedar_ast.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_map.h"
#include "common/cedar/cedar_sort.h"

enum visit { NEW, OPEN, DONE };

struct cedar_entities {
	struct cedar_arena arena;
	struct cedar_map map;
	struct cedar_list list;
	const struct cedar_entities *base;
	size_t ancestors; /* entries so far */
};

/* One entity being closed and the next parent to look at. */
struct frame {
	struct cedar_entity *entity;
	size_t next;
};

struct cedar_entities *cedar_entities_new(const struct cedar_entities *base)
{
	struct cedar_entities *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return NULL;
	cedar_arena_init(&store->arena, CEDAR_MAX_LOAD_ARENA);
	store->base = base;
	return store;
}

void cedar_entities_free(struct cedar_entities *store)
{
	if (store == NULL)
		return;
	cedar_arena_free(&store->arena);
	free(store);
}

void cedar_entities_reset(struct cedar_entities *store)
{
	cedar_arena_reset(&store->arena);
	store->map = (struct cedar_map){0};
	store->list = (struct cedar_list){0};
	store->ancestors = 0;
}

struct cedar_arena *cedar_entities_arena(struct cedar_entities *store)
{
	return &store->arena;
}

static struct cedar_entity *find_own(const struct cedar_entities *store, const struct cedar_uid *uid)
{
	return cedar_map_find(&store->map, uid->hash, uid->type, uid->id);
}

const struct cedar_entity *cedar_entities_find(const struct cedar_entities *store, const struct cedar_uid *uid)
{
	const struct cedar_entity *entity = find_own(store, uid);

	if (entity == NULL && store->base != NULL)
		entity = find_own(store->base, uid);
	return entity;
}

const struct cedar_entity *cedar_entities_at(const struct cedar_entities *store, size_t i)
{
	return i < store->list.count ? store->list.items[i] : NULL;
}

static int order_uids(const void *a, const void *b)
{
	return cedar_uid_order(*(const struct cedar_uid *const *)a, *(const struct cedar_uid *const *)b);
}

/* Sorts uids and drops repeated ones; the number that remain. */
static size_t sort_uids(const struct cedar_uid **uids, size_t count)
{
	size_t i, kept = 0;

	cedar_sort(uids, count, sizeof(*uids), order_uids);
	for (i = 0; i < count; i++)
		if (kept == 0 || !cedar_uid_equal(uids[kept - 1], uids[i]))
			uids[kept++] = uids[i];
	return kept;
}

static bool same_entity(const struct cedar_entity *a, const struct cedar_entity *b)
{
	size_t i;

	if (cedar_value_order(&a->attrs, &b->attrs) != 0 || cedar_value_order(&a->tags, &b->tags) != 0 ||
	    a->parent_count != b->parent_count)
		return false;
	for (i = 0; i < a->parent_count; i++)
		if (!cedar_uid_equal(a->parents[i], b->parents[i]))
			return false;
	return true;
}

static int no_memory(struct cedar_error *error)
{
	return cedar_fail(error, CEDAR_E_MEMORY, 0, "out of memory for entities");
}

static int add(struct cedar_entities *store, const struct cedar_entity *given, bool cover, struct cedar_error *error)
{
	struct cedar_entity *entity;
	const struct cedar_entity *known;

	entity = cedar_arena_alloc(&store->arena, sizeof(*entity));
	if (entity == NULL)
		return no_memory(error);
	*entity = *given;
	entity->visit = NEW;
	entity->parents = cedar_arena_array(&store->arena, given->parent_count, sizeof(*entity->parents));
	if (entity->parents == NULL)
		return no_memory(error);
	if (given->parent_count > 0)
		memcpy(entity->parents, given->parents, given->parent_count * sizeof(*entity->parents));
	entity->parent_count = sort_uids(entity->parents, given->parent_count);
	known = cover ? find_own(store, entity->uid) : cedar_entities_find(store, entity->uid);
	if (known != NULL && same_entity(known, entity))
		return 0;
	if (known != NULL)
		return cedar_fail(error, CEDAR_E_DUPLICATE, 0, "entity %.*s::\"%.*s\" is defined twice, differently",
				  CEDAR_SHOW(entity->uid->type), CEDAR_SHOW(entity->uid->id));
	if (cedar_map_put(&store->map, &store->arena, entity->uid->type, entity->uid->id, entity) != 0 ||
	    cedar_list_add(&store->list, &store->arena, entity) != 0)
		return no_memory(error);
	return 0;
}

int cedar_entities_add(struct cedar_entities *store, const struct cedar_entity *entity, struct cedar_error *error)
{
	return add(store, entity, false, error);
}

int cedar_entities_cover(struct cedar_entities *store, const struct cedar_entity *entity, struct cedar_error *error)
{
	return add(store, entity, true, error);
}

/* All parents are closed: their union with their ancestors is the closure. */
static int collect_ancestors(struct cedar_entities *store, struct cedar_entity *entity, struct cedar_error *error)
{
	const struct cedar_entity *parent;
	size_t total = entity->parent_count, at = total, i;

	for (i = 0; i < entity->parent_count; i++) {
		parent = cedar_entities_find(store, entity->parents[i]);
		if (parent != NULL)
			total += parent->ancestor_count;
	}
	store->ancestors += total;
	if (store->ancestors > CEDAR_MAX_ANCESTORS)
		return cedar_fail(error, CEDAR_E_LIMIT, 0, "the hierarchy has more than %u pairs", CEDAR_MAX_ANCESTORS);
	entity->ancestors = cedar_arena_array(&store->arena, total, sizeof(*entity->ancestors));
	if (entity->ancestors == NULL)
		return no_memory(error);
	for (i = 0; i < entity->parent_count; i++) {
		entity->ancestors[i] = entity->parents[i];
		parent = cedar_entities_find(store, entity->parents[i]);
		if (parent == NULL || parent->ancestor_count == 0)
			continue;
		memcpy(entity->ancestors + at, parent->ancestors, parent->ancestor_count * sizeof(*entity->ancestors));
		at += parent->ancestor_count;
	}
	entity->ancestor_count = sort_uids(entity->ancestors, total);
	entity->visit = DONE;
	return 0;
}

/* Depth first with a stack of its own: a long chain must not end ours. */
static int close_entity(struct cedar_entities *store, struct cedar_entity *entity, struct frame *stack,
			struct cedar_error *error)
{
	struct cedar_entity *parent;
	size_t depth = 0;
	struct frame *top;
	int rc = 0;

	stack[depth++] = (struct frame){entity, 0};
	entity->visit = OPEN;
	while (rc == 0 && depth > 0) {
		top = &stack[depth - 1];
		if (top->next == top->entity->parent_count) {
			rc = collect_ancestors(store, top->entity, error);
			depth--;
			continue;
		}
		parent = find_own(store, top->entity->parents[top->next++]);
		if (parent == NULL || parent->visit == DONE)
			continue;
		if (parent->visit == OPEN)
			return cedar_fail(error, CEDAR_E_CYCLE, 0, "entity %.*s::\"%.*s\" is its own ancestor",
					  CEDAR_SHOW(parent->uid->type), CEDAR_SHOW(parent->uid->id));
		parent->visit = OPEN;
		stack[depth++] = (struct frame){parent, 0};
	}
	return rc;
}

int cedar_entities_seal(struct cedar_entities *store, struct cedar_error *error)
{
	struct frame *stack = cedar_arena_array(&store->arena, store->list.count, sizeof(*stack));
	struct cedar_entity *entity;
	size_t i;
	int rc = 0;

	if (stack == NULL)
		return no_memory(error);
	for (i = 0; rc == 0 && i < store->list.count; i++) {
		entity = store->list.items[i];
		if (entity->visit == NEW)
			rc = close_entity(store, entity, stack, error);
	}
	return rc;
}

bool cedar_entity_has_ancestor(const struct cedar_entity *entity, const struct cedar_uid *ancestor)
{
	size_t low = 0, high = entity->ancestor_count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = cedar_uid_order(ancestor, entity->ancestors[middle]);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
