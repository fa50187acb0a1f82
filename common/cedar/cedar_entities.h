/* The entity store (spec, "Entities"): attributes, tags and the hierarchy. */
#ifndef CEDAR_ENTITIES_H
#define CEDAR_ENTITIES_H

#include "common/cedar/cedar_error.h"
#include "common/cedar/cedar_value.h"

struct cedar_entities;

/* One stored entity; everything in it lives as long as its store. */
struct cedar_entity {
	const struct cedar_uid *uid;
	struct cedar_value attrs; /* a record */
	struct cedar_value tags;  /* a record */
	const struct cedar_uid **parents;
	size_t parent_count;
	const struct cedar_uid **ancestors; /* closure, sorted */
	size_t ancestor_count;
	unsigned char visit; /* while sealing */
};

/*
 * An empty store, or NULL. With `base` (sealed, not owned, must live longer) it
 * is an overlay: a request's own entities over those loaded. Ancestors reach from
 * the overlay into the base, never back.
 */
struct cedar_entities *cedar_entities_new(const struct cedar_entities *base);
void cedar_entities_free(struct cedar_entities *store);

/* Empties an overlay but keeps its memory for the next request. */
void cedar_entities_reset(struct cedar_entities *store);

/* Where entities' values may be built so that they live long enough. */
struct cedar_arena *cedar_entities_arena(struct cedar_entities *store);

/*
 * Adds `entity` (uid, attrs, tags, parents; all must live as long as the store).
 * The same uid twice is CEDAR_E_DUPLICATE unless both are equal. Not after seal.
 */
int cedar_entities_add(struct cedar_entities *store, const struct cedar_entity *entity, struct cedar_error *error);

/*
 * The same, but an entity of the base with this uid is hidden behind it: what a
 * request knows better. Those of the base that descend from it keep its ancestors.
 */
int cedar_entities_cover(struct cedar_entities *store, const struct cedar_entity *entity, struct cedar_error *error);

/*
 * Computes ancestors. A cycle is CEDAR_E_CYCLE, more than CEDAR_MAX_ANCESTORS
 * entries CEDAR_E_LIMIT. After this the store is read-only and may be shared
 * between threads.
 */
int cedar_entities_seal(struct cedar_entities *store, struct cedar_error *error);

/* The entity, in the overlay or its base; NULL if there is none. */
const struct cedar_entity *cedar_entities_find(const struct cedar_entities *store, const struct cedar_uid *uid);

/* Whether `ancestor` is among the entity's ancestors (not itself). */
bool cedar_entity_has_ancestor(const struct cedar_entity *entity, const struct cedar_uid *ancestor);

/* The i-th entity of this store without its base, in order; NULL past the end. */
const struct cedar_entity *cedar_entities_at(const struct cedar_entities *store, size_t i);

#endif
