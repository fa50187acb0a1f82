/* Escapes of ECMA-262's regular expressions. For js_regex_translate.c. */
#ifndef JSONSCHEMA_JS_REGEX_ESCAPE_H
#define JSONSCHEMA_JS_REGEX_ESCAPE_H

#include "common/jsonschema/js_regex.h"
#include "common/jsonschema/js_types.h"

/* A regular expression that is being translated. */
struct js_regex_text {
	const char *p, *end;
	struct buf *out;
	const char **why;
	uint32_t depth; /* open groups */
	struct js_regex_cost *cost;
	bool atom; /* what stands before can be repeated */
};

/* A character, or a set of characters in PCRE2's syntax. */
struct js_regex_item {
	uint32_t c;
	char set[160]; /* "" for a character */
	bool ranges;   /* the set is what stands in a class, not an escape */
	bool negated;  /* of ranges */
};

/* \S as it stands in a class. */
extern const char js_regex_not_space[];

/* Says why; gives KG_E_INVALID. */
int js_regex_refuse(struct js_regex_text *x, const char *why);
/* The code point at x->p, which moves behind it. */
uint32_t js_regex_next(struct js_regex_text *x);
bool js_regex_is_surrogate(uint32_t c);
/* The escape at x->p, which moves behind it; in a class or not. */
int js_regex_escape(struct js_regex_text *x, bool in_class, struct js_regex_item *out) MUST_CHECK;
/* js_regex_property.c: what \p{...} means, x->p behind the 'p'. */
int js_regex_property(struct js_regex_text *x, bool negated, struct js_regex_item *out) MUST_CHECK;

#endif
