/* Inside of the validator: a check under way, and a function for each keyword. */
#ifndef COMMON_SCHEMA_CHECK_H
#define COMMON_SCHEMA_CHECK_H

#include <jansson.h>

#include "common/buf.h"
#include "common/schema.h"

#define SCHEMA_WHAT_MAX 1024 /* bytes of one report */
#define SCHEMA_SHOWN_MAX 48  /* bytes of a value in it */
#define SCHEMA_NAMES_SHOWN 32

struct schema_check {
	const json_t *root;
	schema_report_fn report; /* NULL: only count */
	void *arg;
	char path[SCHEMA_PATH_MAX];
	unsigned mistakes;
};

/* Checks a value against a schema, reporting under the current path. */
void schema_value(struct schema_check *c, const json_t *schema, const json_t *value);

/* Reports a mistake at the current path. */
void schema_mistake(struct schema_check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A keyword's operand, or NULL; its text, or `otherwise`. */
const json_t *schema_keyword(const json_t *schema, const char *name);
const char *schema_text(const json_t *schema, const char *name, const char *otherwise);

/* The value as it may stand in a report: never one that may be a secret. Gives out. */
const char *schema_show(const json_t *schema, const json_t *value, char out[SCHEMA_SHOWN_MAX]);

/* Appends the i-th name to a list for people; what does not fit is left off. */
void schema_list_name(struct buf *out, const char *name, size_t i);

/* A keyword with its operand, applied to a value; a value of another type passes. */
typedef void schema_rule(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value);
schema_rule check_enum;
schema_rule check_range;
schema_rule check_min_length;
schema_rule check_max_length;
schema_rule check_pattern;
schema_rule check_properties;
schema_rule check_additional;
schema_rule check_names;
schema_rule check_max_properties;
schema_rule check_required;
schema_rule check_dependent;
schema_rule check_items;
schema_rule check_min_items;
schema_rule check_max_items;
schema_rule check_unique;
schema_rule check_one_of;
schema_rule check_ref;

#endif
