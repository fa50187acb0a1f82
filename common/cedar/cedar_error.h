/* What went wrong, and where in which text. */
#ifndef CEDAR_ERROR_H
#define CEDAR_ERROR_H

#include "common/cedar/cedar_str.h"

#define CEDAR_ERROR_MAX 256

/* Functions return 0 or the negated code. */
enum cedar_code {
	CEDAR_OK,
	CEDAR_E_MEMORY,    /* memory or an arena's limit ended */
	CEDAR_E_LIMIT,     /* a limit of cedar_limits.h */
	CEDAR_E_SYNTAX,    /* text, JSON or UTF-8 is malformed */
	CEDAR_E_FORMAT,    /* well-formed JSON of the wrong shape */
	CEDAR_E_DUPLICATE, /* an id, key or declaration occurs twice */
	CEDAR_E_UNKNOWN,   /* a name that nothing declares */
	CEDAR_E_CYCLE,     /* entities, actions or types contain themselves */
	CEDAR_E_CONFORM,   /* data contradicts the schema */
	CEDAR_E_TEMPLATE,  /* a link does not fit its template */
	/* Evaluation errors (Cedar spec, "Evaluation"). */
	CEDAR_E_TYPE,
	CEDAR_E_OVERFLOW,
	CEDAR_E_NO_ATTRIBUTE,
	CEDAR_E_NO_TAG,
	CEDAR_E_NO_ENTITY,
	CEDAR_E_EXTENSION,
	CEDAR_E_ARITY
};

struct cedar_error {
	enum cedar_code code;
	size_t offset;              /* byte in the text */
	char what[CEDAR_ERROR_MAX]; /* one line, NUL-terminated */
};

/* A place in a text for people: both from 1, columns in characters. */
struct cedar_place {
	size_t line;
	size_t column;
};

/* Fills `error` (may be NULL) and returns -code. */
int cedar_fail(struct cedar_error *error, enum cedar_code code, size_t offset, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The line and column of byte `offset`, which is cut to the text's length. */
struct cedar_place cedar_locate(struct cedar_str text, size_t offset);

/* A short constant name of a code, for logs: "overflow", "no-attribute". */
const char *cedar_code_name(enum cedar_code code);

#endif
