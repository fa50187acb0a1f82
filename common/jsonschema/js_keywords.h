/* The keywords of both dialects: one table. Their order is the order in which they are applied. */
#ifndef JSONSCHEMA_JS_KEYWORDS_H
#define JSONSCHEMA_JS_KEYWORDS_H

#include "common/jsonschema/js_types.h"

enum js_dialect_bit { JS_D2020 = 1, JS_D7 = 2, JS_BOTH = 3 };

enum js_vocabulary {
	JS_CORE = 1,
	JS_APPLICATOR = 2,
	JS_VALIDATION = 4,
	JS_UNEVALUATED = 8,
	JS_ALL_VOCABULARIES = 15,
};

/* What a keyword's value holds that is a schema itself, and may have an $id or an anchor. */
enum js_holds { JS_NOTHING, JS_SCHEMA, JS_SCHEMA_LIST, JS_SCHEMA_OR_LIST, JS_SCHEMA_MAP };

enum js_keyword_id {
	JS_KW_TYPE,
	JS_KW_ENUM,
	JS_KW_CONST,
	JS_KW_MULTIPLE_OF,
	JS_KW_MAXIMUM,
	JS_KW_EXCLUSIVE_MAXIMUM,
	JS_KW_MINIMUM,
	JS_KW_EXCLUSIVE_MINIMUM,
	JS_KW_MAX_LENGTH,
	JS_KW_MIN_LENGTH,
	JS_KW_PATTERN,
	JS_KW_MAX_ITEMS,
	JS_KW_MIN_ITEMS,
	JS_KW_MAX_PROPERTIES,
	JS_KW_MIN_PROPERTIES,
	JS_KW_REQUIRED,
	JS_KW_DEPENDENT_REQUIRED,
	JS_KW_PROPERTY_NAMES,
	JS_KW_PROPERTIES,
	JS_KW_PATTERN_PROPERTIES,
	JS_KW_ADDITIONAL_PROPERTIES,
	JS_KW_PREFIX_ITEMS,
	JS_KW_ITEMS,
	JS_KW_ADDITIONAL_ITEMS,
	JS_KW_UNIQUE_ITEMS,
	JS_KW_CONTAINS,
	JS_KW_MAX_CONTAINS,
	JS_KW_MIN_CONTAINS,
	JS_KW_REF,
	JS_KW_DYNAMIC_REF,
	JS_KW_ALL_OF,
	JS_KW_ANY_OF,
	JS_KW_ONE_OF,
	JS_KW_NOT,
	JS_KW_IF,
	JS_KW_THEN,
	JS_KW_ELSE,
	JS_KW_DEPENDENT_SCHEMAS,
	JS_KW_DEPENDENCIES,
	JS_KW_UNEVALUATED_ITEMS,
	JS_KW_UNEVALUATED_PROPERTIES,
	JS_KW_DEFS,
	JS_KW_DEFINITIONS,
	JS_KW_COUNT,
};

struct js_at;

struct js_keyword {
	const char *name;
	uint8_t len; /* of the name */
	uint8_t dialects;
	uint8_t vocabulary;
	uint8_t holds;
	/* Fills at->op; leaves op->keyword NULL when another keyword does its work. NULL: nothing to compile. */
	int (*compile)(const struct js_at *at);
	/* KG_OK, KG_E_INVALID (said by js_fail()) or why it cannot be told. seen: what is evaluated, or NULL. */
	int (*check)(struct js_check *c, const struct js_op *op, uint32_t t, struct js_seen *seen);
};

/* The keyword of a member name in a dialect with vocabularies; JS_KW_COUNT when there is none. */
enum js_keyword_id js_keyword_find(const struct json_doc *d, uint32_t name, uint8_t dialect, uint8_t vocabularies);
const struct js_keyword *js_keyword(enum js_keyword_id id);

#endif
