/* One check of one value. */
#ifndef JSONSCHEMA_JS_CHECK_H
#define JSONSCHEMA_JS_CHECK_H

#include "common/jsonschema/js_arena.h"
#include "common/jsonschema/js_keywords.h"
#include "common/jsonschema/js_types.h"

#define JS_SEEN_SMALL 4 /* words: 256 members without an allocation */

/* Bits: which members or elements of a value have been evaluated (2020-12 core, section 11), by position. */
struct js_seen {
	uint64_t small[JS_SEEN_SMALL];
	uint64_t *bits; /* small, or owned */
	uint32_t n;
};

struct js_check {
	struct jsonschema *s;
	const struct json_doc *doc;
	struct js_meter meter;
	struct jsonschema_error *error; /* never NULL */
	uint32_t quiet;                 /* inside of what may fail without a fault */
	uint32_t nesting;
	uint32_t nscopes;
	/* The resources that were entered: 2020-12 core, section 7.1. One for each change. */
	const struct js_resource *scope[JSONSCHEMA_NESTING_MAX + 1];
};

/* Applies a schema to token t. seen (or NULL) gains what was evaluated, when it holds. */
int js_apply(struct js_check *c, const struct js_node *n, uint32_t t, struct js_seen *seen) MUST_CHECK;
/* The same for a schema that may fail: says nothing, and leaves seen alone when it does. KG_E_INVALID: it failed. */
int js_try(struct js_check *c, const struct js_node *n, uint32_t t, struct js_seen *seen) MUST_CHECK;

/* Says that token t is not as it must be; gives KG_E_INVALID. The format's values are the schema's, or numbers. */
int js_fail(struct js_check *c, uint32_t t, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same, with the raw text of the keyword's value behind the words. */
int js_fail_value(struct js_check *c, uint32_t t, const char *words, const struct js_op *op);
/* A member of object t is missing. */
int js_fail_missing(struct js_check *c, uint32_t t, const char *name, size_t len);

/* js_seen.c */
int js_seen_init(struct js_seen *seen, uint32_t n) MUST_CHECK;
void js_seen_free(struct js_seen *seen);
void js_seen_set(struct js_seen *seen, uint32_t i);
bool js_seen_is(const struct js_seen *seen, uint32_t i);
void js_seen_all(struct js_seen *seen);
void js_seen_add(struct js_seen *seen, const struct js_seen *more);

#endif
