/* What each keyword does; the table is js_keywords.c. */
#ifndef JSONSCHEMA_JS_KW_H
#define JSONSCHEMA_JS_KW_H

#include "common/jsonschema/js_build.h"
#include "common/jsonschema/js_check.h"
#include "common/jsonschema/js_value.h"

#define JS_COMPILE(name) int js_compile_##name(const struct js_at *at)
#define JS_CHECK(name) int js_check_##name(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen)

/* js_kw_any.c: any type */
JS_COMPILE(type);
JS_CHECK(type);
JS_COMPILE(enum);
JS_CHECK(enum);
JS_COMPILE(const);
JS_CHECK(const);

/* js_kw_scalar.c: numbers and strings */
JS_COMPILE(number);
JS_CHECK(maximum);
JS_CHECK(exclusive_maximum);
JS_CHECK(minimum);
JS_CHECK(exclusive_minimum);
JS_COMPILE(multiple_of);
JS_CHECK(multiple_of);
JS_COMPILE(count);
JS_CHECK(max_length);
JS_CHECK(min_length);
JS_COMPILE(pattern);
JS_CHECK(pattern);

/* js_kw_array.c */
JS_CHECK(max_items);
JS_CHECK(min_items);
JS_COMPILE(items);
JS_CHECK(items);
JS_COMPILE(unique_items);
JS_CHECK(unique_items);
JS_COMPILE(contains);
JS_CHECK(contains);
JS_CHECK(unevaluated_items);

/* js_kw_object.c */
JS_CHECK(max_properties);
JS_CHECK(min_properties);
JS_COMPILE(required);
JS_CHECK(required);
JS_COMPILE(property_names);
JS_CHECK(property_names);
JS_COMPILE(members);
JS_CHECK(members);
JS_CHECK(unevaluated_properties);

/* js_kw_depend.c */
JS_COMPILE(dependent_required);
JS_COMPILE(dependent_schemas);
JS_COMPILE(dependencies);
JS_CHECK(dependencies);

/* js_kw_logic.c */
JS_COMPILE(schema);
JS_COMPILE(schemas);
JS_CHECK(all_of);
JS_CHECK(any_of);
JS_CHECK(one_of);
JS_CHECK(not );
JS_COMPILE(if);
JS_CHECK(if);

/* js_kw_ref.c */
JS_COMPILE(ref);
JS_CHECK(ref);
JS_COMPILE(dynamic_ref);
JS_CHECK(dynamic_ref);

/* "a string or null", for a set of types. */
void js_type_words(uint32_t types, char *out, size_t size);
/* Whether token t is of one of the types. KG_OK, KG_E_INVALID, KG_E_LIMIT. */
int js_type_is(struct js_check *c, uint32_t types, uint32_t t) MUST_CHECK;
/* A whole number of 0 or more at token t of the schema. */
int js_count_read(const struct js_at *at, uint32_t t, uint64_t *out) MUST_CHECK;
/* The regular expression of string t of the schema. */
int js_regex_read(const struct js_at *at, uint32_t t, const struct js_regex **out) MUST_CHECK;
/* Text of string t of the value, paid for by its length. KG_E_LIMIT, KG_E_NOMEM. */
int js_string(struct js_check *c, uint32_t t, const char **text, size_t *len) MUST_CHECK;
/* Whether string t of the value matches. KG_OK, KG_E_INVALID, KG_E_LIMIT. */
int js_matches(struct js_check *c, const struct js_regex *r, uint32_t t) MUST_CHECK;
/* A set of names from array t of the schema. */
int js_names_read(const struct js_at *at, uint32_t t, struct js_names *out) MUST_CHECK;
/* Whether object t has all the names; says which is missing. */
int js_has_all(struct js_check *c, uint32_t t, const struct js_names *names) MUST_CHECK;

#endif
