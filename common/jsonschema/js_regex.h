/* Regular expressions of ECMA-262 (with the u flag), matched by PCRE2 within a budget. */
#ifndef JSONSCHEMA_JS_REGEX_H
#define JSONSCHEMA_JS_REGEX_H

#include "common/jsonschema/js_types.h"

#define JS_REGEX_BYTES_MAX 4096u             /* one, as it is written */
#define JS_REGEXES_BYTES_MAX (4096ul * 1024) /* all of a schema, compiled */

/* All of a schema's, and what matching needs. */
int js_regexes_new(struct js_regexes **out) MUST_CHECK;
void js_regexes_free(struct js_regexes *all);
size_t js_regexes_size(const struct js_regexes *all);

/*
 * Compiles one. KG_E_INVALID with *why (static); KG_E_LIMIT. Owned by all. Text is UTF-8 and stays borrowed for the
 * call.
 */
int js_regex_compile(struct jsonschema *s, const char *text, size_t len, const struct js_regex **out,
		     const char **why) MUST_CHECK;

/* KG_OK when it matches anywhere in text, KG_E_INVALID when it does not; KG_E_LIMIT when the meter ran out. */
int js_regex_match(struct jsonschema *s, const struct js_regex *r, const char *text, size_t len,
		   struct js_meter *meter) MUST_CHECK;

/* What an item of an expression may cost. */
struct js_regex_cost {
	uint32_t repeats; /* the largest number of repetitions that must be there */
	uint32_t members; /* of the largest class in [] */
	bool backrefs;    /* it refers to what was matched */
};

/* js_regex_translate.c: the same expression in PCRE2's syntax. What only PCRE2 knows is refused. */
int js_regex_translate(const char *text, size_t len, struct buf *out, struct js_regex_cost *cost,
		       const char **why) MUST_CHECK;

#endif
