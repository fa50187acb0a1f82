/* One question out of a request's JSON, checked ("Information Model"). */
#ifndef AUTHZEN_QUESTION_H
#define AUTHZEN_QUESTION_H

#include "common/buf.h"
#include "common/call.h"
#include "common/json.h"

#define QUESTION_TYPE_MAX 256
#define QUESTION_ID_MAX 1024
#define QUESTION_PROPERTIES_MAX 65536u

/* The four members of a question; JSON_NONE: absent. */
struct question_parts {
	uint32_t subject, action, resource, context;
};

struct question {
	struct question_parts parts;
	char subject_type[QUESTION_TYPE_MAX + 1], subject_id[QUESTION_ID_MAX + 1];
	char action[QUESTION_TYPE_MAX + 1];
	char resource_type[QUESTION_TYPE_MAX + 1], resource_id[QUESTION_ID_MAX + 1];
};

/* The members of an object, each absent one taken whole from the defaults (NULL: none). */
struct question_parts question_parts(const struct json_doc *d, uint32_t object, const struct question_parts *defaults);

/*
 * Checks and copies. kind (enum authz_kind) says what is searched for: that one's id, or the whole action, is not
 * asked for and not looked at. NULL, or what is wrong, for the caller; static.
 */
const char *question_take(const struct json_doc *d, const struct question_parts *parts, uint8_t kind,
			  struct question *q);

/* Checks the members that are there, as defaults of an array are before any question is asked. The same answer. */
const char *question_check_defaults(const struct json_doc *d, const struct question_parts *parts);

/*
 * Appends the object of properties and context that AUTHZ_ASK carries, compact: {"subject":{…},"action":{…},
 * "resource":{…},"context":{…}}, absent ones left out. KG_E_LIMIT.
 */
int question_put_properties(const struct json_doc *d, const struct question *q, struct buf *out) MUST_CHECK;

#endif
