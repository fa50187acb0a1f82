/* What a compiled schema is made of. For common/jsonschema/ alone. */
#ifndef JSONSCHEMA_JS_TYPES_H
#define JSONSCHEMA_JS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "common/jsonschema/jsonschema.h"

struct js_block;
struct js_regex;
struct js_regexes;
struct js_check;
struct js_seen;
struct js_keyword;
struct js_node;

/* Work that may still be done. */
struct js_meter {
	uint64_t left;
};

/* A text with schemas in it: the schema itself, a remote or a meta-schema. Its text is owned by the arena. */
struct js_doc {
	const char *uri;
	struct json_doc json;
	struct js_resource **resource_of; /* while compiling: for each token that is a schema, the resource around it */
	struct js_node **node_of;         /* while compiling: its compiled form */
	struct js_doc *next;
};

/* A schema with a URI of its own (2020-12, section 8.2): the root of a document, or an embedded $id. */
struct js_resource {
	const char *uri;
	struct js_doc *doc;
	uint32_t root; /* token */
	uint32_t id;
	uint8_t dialect; /* one bit, enum js_dialect_bit */
	uint8_t vocabularies;
	struct js_resource *next;
};

/* One subschema, compiled once and shared by all that refer to it. */
struct js_node {
	enum { JS_KEYWORDS, JS_ALWAYS, JS_NEVER } kind;
	bool unevaluated; /* it asks what its other keywords have evaluated */
	uint16_t nops;
	uint32_t tok;
	struct js_doc *doc;
	struct js_resource *resource;
	struct js_op *op;
	struct js_node *todo; /* the next one to compile */
};

struct js_nodes {
	struct js_node **at;
	uint32_t n;
};

/* A number as its significant digits (a point may stand among them): 0.DIGITS * 10^point. No digits: zero. */
struct js_num {
	const char *p, *end;
	uint32_t digits;
	bool negative;
	int64_t point;
};

struct js_op {
	const struct js_keyword *keyword;
	const struct json_doc *doc;
	uint32_t value; /* the keyword's value in doc */
	union {
		uint32_t types; /* bits by enum json_kind, and JS_INTEGER */
		uint64_t count;
		struct js_num number;
		struct {
			uint64_t digits;
			int64_t exponent;
		} divisor;
		const struct js_regex *regex;
		struct js_node *node;
		struct js_nodes nodes;
		const struct js_values *values;
		const struct js_names *names;
		const struct js_members *members;
		const struct js_items *items;
		const struct js_contains *contains;
		const struct js_if *branches;
		const struct js_dependencies *dependencies;
		const struct js_dynamic_ref *dynamic;
	};
};

#define JS_INTEGER 16u /* a bit beside those of enum json_kind */

struct jsonschema {
	struct js_block *arena;
	size_t arena_bytes;
	struct js_doc *docs; /* the first is the schema itself */
	struct js_resource *resources;
	uint32_t nresources;
	struct js_node *root;
	struct js_regexes *regexes;
	uint8_t key[crypto_shorthash_KEYBYTES]; /* a known hash could be made to collide */
	char *text;                             /* scratch: a string after unescaping */
	size_t text_cap;
	uint64_t *slots; /* scratch of uniqueItems */
	size_t slots_cap;
};

#endif
