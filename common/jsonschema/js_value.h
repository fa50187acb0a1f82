/* Values compared: strings, names, whole values; numbers by what they are worth. */
#ifndef JSONSCHEMA_JS_VALUE_H
#define JSONSCHEMA_JS_VALUE_H

#include "common/jsonschema/js_arena.h"
#include "common/jsonschema/js_types.h"

/* js_text.c: string t after unescaping: its own bytes, or the schema's scratch until the next call. KG_E_NOMEM. */
int js_text(struct jsonschema *s, const struct json_doc *d, uint32_t t, const char **text, size_t *len) MUST_CHECK;
/* Whether string t is text, after unescaping. */
bool js_text_is(const struct json_doc *d, uint32_t t, const char *text, size_t len);
/* Code points of string t. */
uint64_t js_text_length(const struct json_doc *d, uint32_t t);

/* js_equal.c: the hash of a value; equal values have equal ones. KG_E_LIMIT, KG_E_NOMEM. */
int js_hash(struct jsonschema *s, struct js_meter *m, const struct json_doc *d, uint32_t t, uint64_t *out) MUST_CHECK;
/* KG_OK: equal; KG_E_INVALID: not; KG_E_LIMIT. */
int js_equal(struct js_meter *m, const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y) MUST_CHECK;

/* js_names.c: a set of names, found by hash when there are many. */
struct js_name {
	const char *text;
	uint32_t len;
	uint32_t next; /* in the same slot, plus one */
};

struct js_names {
	struct js_name *at;
	uint32_t *slot; /* NULL: few */
	uint32_t n, mask;
};

#define JS_NO_NAME UINT32_MAX

/* Room for n names. */
int js_names_init(struct jsonschema *s, struct js_names *names, uint32_t n) MUST_CHECK;
/* Adds string t of a document that lives as long as the schema; gives its place, an earlier one when it is there. */
int js_names_add(struct jsonschema *s, struct js_names *names, const struct json_doc *d, uint32_t t,
		 uint32_t *place) MUST_CHECK;
uint32_t js_names_find(const struct jsonschema *s, const struct js_names *names, const char *text, size_t len);

#endif
