/* Schemas (spec, "Schema"): what entities, actions and contexts may be. */
#ifndef CEDAR_SCHEMA_H
#define CEDAR_SCHEMA_H

#include "common/cedar/cedar_error.h"
#include "common/cedar/cedar_eval.h"
#include "common/cedar/cedar_type.h"

struct cedar_schema;

struct cedar_attr_note {
	struct cedar_str attr;
	const struct cedar_annotation *note;
};

struct cedar_schema_entity {
	struct cedar_str name;
	bool is_enum;
	struct cedar_str *ids; /* of an enum */
	size_t id_count;
	const struct cedar_type *shape; /* a record */
	const struct cedar_type *tags;  /* NULL: none allowed */
	struct cedar_str *parents;      /* declared, direct */
	size_t parent_count;
	/* What is annotated at attributes (text form); for cedar_schema_attr_note(). */
	struct cedar_attr_note *notes;
	size_t note_count;
	/* All types that may be ancestors: a row of the closure, by .number. */
	uint64_t *ancestors;
	uint32_t number;
};

struct cedar_schema_action {
	const struct cedar_uid *uid;
	bool applies; /* else to nothing */
	struct cedar_str *principals;
	size_t principal_count;
	struct cedar_str *resources;
	size_t resource_count;
	const struct cedar_type *context; /* a record */
};

/*
 * Reads a schema from text, or from the JSON form. NULL and *error set on any
 * fault. The result is read-only and may be shared between threads.
 */
struct cedar_schema *cedar_schema_from_text(struct cedar_str text, struct cedar_error *error);
struct cedar_schema *cedar_schema_from_json(struct cedar_str text, struct cedar_error *error);
void cedar_schema_free(struct cedar_schema *schema);

const struct cedar_schema_entity *cedar_schema_entity(const struct cedar_schema *schema, struct cedar_str name);
const struct cedar_schema_action *cedar_schema_action(const struct cedar_schema *schema, const struct cedar_uid *uid);
/* The value of annotation `key` at the entity's own attribute `attr`; NULL: there is none. */
const struct cedar_str *cedar_schema_attr_note(const struct cedar_schema_entity *entity, struct cedar_str attr,
					       struct cedar_str key);
/* In no particular order; NULL past the end. */
const struct cedar_schema_entity *cedar_schema_entity_at(const struct cedar_schema *schema, size_t i);
const struct cedar_schema_action *cedar_schema_action_at(const struct cedar_schema *schema, size_t i);
/* The actions as entities with their closure, sealed. */
const struct cedar_entities *cedar_schema_actions(const struct cedar_schema *schema);
const struct cedar_types *cedar_schema_types(const struct cedar_schema *schema);

/* Whether an entity of type `type` may have an ancestor of type `ancestor`. */
bool cedar_schema_may_descend(const struct cedar_schema *schema, struct cedar_str type, struct cedar_str ancestor);

/* Whether some action has this type. */
bool cedar_schema_is_action_type(const struct cedar_schema *schema, struct cedar_str type);

/* An enum id, a declared action, a declared type: 0 or an error. */
int cedar_schema_check_uid(const struct cedar_schema *schema, const struct cedar_uid *uid, struct cedar_error *error);

/* Whether the value has exactly this type; errors name the offending part. */
int cedar_schema_check_value(const struct cedar_schema *schema, const struct cedar_value *value,
			     const struct cedar_type *type, struct cedar_error *error);

/* Declared action, types it applies to, enum ids, context: 0 or an error. */
int cedar_schema_check_request(const struct cedar_schema *schema, const struct cedar_request *request,
			       struct cedar_error *error);

/* One stored entity against its declaration. */
int cedar_schema_check_entity(const struct cedar_schema *schema, const struct cedar_entity *entity,
			      struct cedar_error *error);

#endif
