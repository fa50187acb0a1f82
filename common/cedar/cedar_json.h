/*
 * A strict JSON reader: exact 64-bit integers, NUL in strings, no repeated key,
 * no lone surrogate, bounded depth. Each node knows its place in the text.
 */
#ifndef CEDAR_JSON_H
#define CEDAR_JSON_H

#include "common/cedar/cedar_arena.h"
#include "common/cedar/cedar_error.h"

enum cedar_json_kind {
	CEDAR_J_NULL,
	CEDAR_J_BOOL,
	CEDAR_J_INT,    /* fits int64_t and was written as an integer */
	CEDAR_J_NUMBER, /* any other number; its value is not kept */
	CEDAR_J_STRING,
	CEDAR_J_ARRAY,
	CEDAR_J_OBJECT
};

struct cedar_json_member;

struct cedar_json {
	enum cedar_json_kind kind;
	uint32_t start; /* bytes of the text */
	uint32_t end;
	size_t count; /* items or members */
	union {
		bool b;
		int64_t i;
		struct cedar_str s;
		const struct cedar_json *items;
		const struct cedar_json_member *members; /* in text order */
	} u;
};

struct cedar_json_member {
	struct cedar_str key;
	struct cedar_json value;
};

/*
 * Parses the whole of `text`. Nodes live in `arena`, strings without escapes
 * borrow `text`. 0 or a negated code with *error set.
 */
int cedar_json_parse(struct cedar_str text, struct cedar_arena *arena, struct cedar_json *root,
		     struct cedar_error *error);

/* The member called `key`, or NULL (also when `json` is no object). */
const struct cedar_json *cedar_json_get(const struct cedar_json *json, const char *key);

/* Refuses any member not in the NULL-ended `keys`; `what` names the object. */
int cedar_json_only(const struct cedar_json *json, const char *const *keys, const char *what,
		    struct cedar_error *error);

/* A format error unless `json` is there and of `kind`. */
int cedar_json_need(const struct cedar_json *json, enum cedar_json_kind kind, const struct cedar_json *parent,
		    const char *what, struct cedar_error *error);

#endif
