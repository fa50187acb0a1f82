/*
 * A validator for JSON Schema 2020-12: the keywords that common/config.schema.json uses and no
 * others. A schema with an unknown keyword is refused when it is loaded, so that no rule is
 * ever ignored in silence. Patterns are taken as POSIX extended regular expressions, which agree with
 * ECMA-262 in what we use: classes, groups, counts, anchors.
 */
#ifndef COMMON_SCHEMA_H
#define COMMON_SCHEMA_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"

#define SCHEMA_PATH_MAX 512

/* Parses and checks a schema; KG_E_INVALID with the reason in why. *out is a new reference. */
int schema_load(const char *text, json_t **out, char *why, size_t why_size) MUST_CHECK;

/* Called for each mistake: where ("mcpServers.notes.tiers.list_notes", "" for the whole) and what would be right. */
typedef void (*schema_report_fn)(void *arg, const char *path, const char *what);

/*
 * Checks a value; KG_E_CONFIG when anything was reported. Values under a schema with
 * "writeOnly": true may be secrets and never stand in a report.
 */
int schema_check(const json_t *schema, const json_t *value, schema_report_fn report, void *arg) MUST_CHECK;

/* Appends a member's name to a path: "a.b", or "a[\"b c\"]" when it is no plain word. Cut when too long. */
void schema_path_member(char path[SCHEMA_PATH_MAX], const char *name);
void schema_path_element(char path[SCHEMA_PATH_MAX], size_t index);

#endif
