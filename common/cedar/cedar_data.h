/* Entities and contexts from JSON (spec, "Entities and context"). */
#ifndef CEDAR_DATA_H
#define CEDAR_DATA_H

#include "common/cedar/cedar_json.h"
#include "common/cedar/cedar_schema.h"

enum cedar_escapes {
	CEDAR_ESCAPES, /* __entity and __extn mean what they say */
	/*
	 * All JSON is data, as it must be for what strangers send: an object is a
	 * record, and an entity can come from no JSON at all. Where the type asks
	 * for an extension value, its constructor's string does.
	 */
	CEDAR_NO_ESCAPES
};

/* How JSON becomes values; they live in `arena` and borrow the JSON. */
struct cedar_reader {
	struct cedar_arena *arena;
	const struct cedar_schema *schema; /* or NULL */
	enum cedar_escapes escapes;
	struct cedar_error *error; /* not NULL */
};

/*
 * One value. With `type`, implicit escapes are understood and the value conforms
 * to it; without, it is read by its own shape.
 */
int cedar_value_from_json(const struct cedar_reader *reader, const struct cedar_json *json,
			  const struct cedar_type *type, struct cedar_value *out);

/* {"type","id"} or {"__entity":{"type","id"}}. */
int cedar_uid_from_json(const struct cedar_reader *reader, const struct cedar_json *json, const struct cedar_uid **out);

/*
 * A context text. With a schema, `action` must be declared and the context
 * conforms to it.
 */
int cedar_context_from_json(const struct cedar_reader *reader, struct cedar_str text, const struct cedar_uid *action,
			    struct cedar_value *out);

/*
 * A sealed store from the JSON form of entities. With a schema everything must
 * conform, and the schema's actions are added. NULL and *error on a fault. The
 * store copies what it needs and keeps nothing of `text`.
 */
struct cedar_entities *cedar_entities_from_json(struct cedar_str text, const struct cedar_schema *schema,
						struct cedar_error *error);

#endif
