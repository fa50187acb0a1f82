/* The inside of a schema; for the code that builds and reads it. */
#ifndef CEDAR_SCHEMA_PRIV_H
#define CEDAR_SCHEMA_PRIV_H

#include "common/cedar/cedar_schema.h"
#include "common/cedar/cedar_schema_raw.h"

struct cedar_schema {
	struct cedar_arena arena;
	struct cedar_types types;
	struct cedar_map entities;     /* ("", name) to entity */
	struct cedar_map actions;      /* uid to action */
	struct cedar_map action_types; /* ("", type) to anything */
	struct cedar_list entity_list;
	struct cedar_list action_list;
	struct cedar_entities *action_store;
};

/* Resolves all names of `raw` into `schema`: 0 or a negated code. */
int cedar_schema_resolve(struct cedar_schema *schema, struct cedar_raw_schema *raw);

#endif
