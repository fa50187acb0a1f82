/*
 * An index from names to things, built once and read often. The hash is keyed per process: whoever
 * chooses the names (a server, a client) cannot choose collisions.
 */
#ifndef BROKER_INDEX_H
#define BROKER_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct index_slot {
	const char *name; /* borrowed; NULL when free */
	size_t len;
	void *item;
};

struct index {
	struct index_slot *slot; /* owned; at least half are free */
	uint32_t mask;
};

/* The hash, for tables of other shapes too. */
uint64_t index_hash(const void *p, size_t n);

/* Room for `items` names. */
int index_init(struct index *x, size_t items) MUST_CHECK;
void index_free(struct index *x);

/* KG_E_EXISTS when the name is there. The name must outlive the index; no more names than index_init() was told. */
int index_add(struct index *x, const char *name, void *item) MUST_CHECK;

/* NULL when there is none. */
void *index_find(const struct index *x, const void *name, size_t len);

#endif
