/* Types of schemas and of the type checker (spec, "Validation"), hash-consed. */
#ifndef CEDAR_TYPE_H
#define CEDAR_TYPE_H

#include "common/cedar/cedar_map.h"
#include "common/cedar/cedar_value.h"

enum cedar_type_kind {
	CEDAR_TY_FALSE,
	CEDAR_TY_TRUE,
	CEDAR_TY_BOOL,
	CEDAR_TY_LONG,
	CEDAR_TY_STRING,
	CEDAR_TY_ENTITY,   /* .name */
	CEDAR_TY_SET,      /* .element */
	CEDAR_TY_RECORD,   /* .attrs, sorted by name */
	CEDAR_TY_EXTENSION /* .extension */
};

struct cedar_attr;

struct cedar_type {
	enum cedar_type_kind kind;
	uint8_t extension; /* enum cedar_kind */
	uint16_t depth;
	struct cedar_str name;
	const struct cedar_type *element;
	const struct cedar_attr *attrs;
	size_t count;
	uint64_t hash;
	struct cedar_type *next; /* of the same hash */
};

struct cedar_attr {
	struct cedar_str name;
	const struct cedar_type *type;
	bool required;
};

/* Equal types of one table, or of a table and its base, are one pointer. */
struct cedar_types {
	struct cedar_arena *arena;
	const struct cedar_types *base; /* read-only, or NULL */
	struct cedar_type **buckets;
	size_t bucket_count;
	size_t count;
};

/* The one type equal to `wanted` (attrs may be a scratch array; they are copied
 * and must be sorted). NULL when memory, depth or number reach their limit. */
const struct cedar_type *cedar_type_intern(struct cedar_types *types, const struct cedar_type *wanted);

const struct cedar_type *cedar_type_simple(struct cedar_types *types, enum cedar_type_kind kind);
const struct cedar_type *cedar_type_entity(struct cedar_types *types, struct cedar_str name);
const struct cedar_type *cedar_type_extension(struct cedar_types *types, enum cedar_kind extension);
const struct cedar_type *cedar_type_set(struct cedar_types *types, const struct cedar_type *element);
/* Sorts `attrs` in place; a repeated name gives NULL. */
const struct cedar_type *cedar_type_record(struct cedar_types *types, struct cedar_attr *attrs, size_t count);

/* The attribute of a record type, or NULL. */
const struct cedar_attr *cedar_type_attr(const struct cedar_type *record, struct cedar_str name);

/* Least upper bound, or NULL if there is none. */
const struct cedar_type *cedar_type_lub(struct cedar_types *types, const struct cedar_type *a,
					const struct cedar_type *b);

/* "Set", "entity", ... for messages. */
const char *cedar_type_kind_name(const struct cedar_type *type);

#endif
