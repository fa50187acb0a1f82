/*
 * JSON Schema, draft 2020-12 and draft 7, over the exact documents of common/json.h: for the
 * arguments and results of tools, whose schemas come from strangers. No schema is ever fetched: a $ref leads into the
 * same schema, to a meta-schema that is compiled in, or to a document that the caller has given.
 * Everything is bounded: depth, size, steps, regular expressions (PCRE2 with match limits).
 */
#ifndef JSONSCHEMA_JSONSCHEMA_H
#define JSONSCHEMA_JSONSCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"

#define JSONSCHEMA_BYTES_MAX 262144u
#define JSONSCHEMA_NESTING_MAX 512    /* schemas inside each other while checking, through members and references */
#define JSONSCHEMA_STEPS_MAX 1000000u /* keywords applied in one check */
#define JSONSCHEMA_PATH_MAX 256
#define JSONSCHEMA_WHAT_MAX 256

struct jsonschema_error {
	char path[JSONSCHEMA_PATH_MAX]; /* JSON pointer to the offending part of the instance (of the schema, when
					   compiling) */
	char what[JSONSCHEMA_WHAT_MAX]; /* what would be right; quotes nothing of the instance but member names */
};

enum jsonschema_dialect { JSONSCHEMA_2020_12 = 1, JSONSCHEMA_DRAFT7 = 2 };

struct jsonschema;

/* A document that $ref may lead to. Borrowed for the call. */
struct jsonschema_remote {
	const char *uri;
	const char *text;
	size_t len;
};

/*
 * Compiles a schema: `dialect` holds where no $schema says another (MCP: 2020-12). Refused with KG_E_INVALID and
 * *error: an unknown $schema, a reference that leads nowhere, a keyword of the wrong type, a regular expression that
 * does not compile; KG_E_LIMIT. Remotes (nremotes may be 0) are compiled in as far as they are needed. *out is owned:
 * jsonschema_free(). `format` is an annotation only (2020-12, section 7.2.1).
 */
int jsonschema_compile(const char *text, size_t len, enum jsonschema_dialect dialect,
		       const struct jsonschema_remote *remotes, size_t nremotes, struct jsonschema **out,
		       struct jsonschema_error *error) MUST_CHECK;
void jsonschema_free(struct jsonschema *s);
/* About how much memory a schema holds: far more than its text, when regular expressions are unrolled. */
size_t jsonschema_size(const struct jsonschema *s);

/*
 * Checks value token t of a document. KG_OK; KG_E_INVALID with the first fault; KG_E_LIMIT when a bound was passed
 * (which is a refusal too). A schema may be checked again and again; not from two threads at once.
 */
int jsonschema_check(struct jsonschema *s, const struct json_doc *doc, uint32_t t,
		     struct jsonschema_error *error) MUST_CHECK;

#endif
