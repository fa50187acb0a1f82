#include "common/jsonschema/js_keywords.h"

#include <string.h>

#include "common/jsonschema/js_kw.h"

#define NAME(name) name, sizeof(name) - 1
#define APPLIES(name, dialects, holds, compile, check)                                                                 \
	{                                                                                                              \
		NAME(name), dialects, JS_APPLICATOR, holds, js_compile_##compile, js_check_##check                     \
	}
#define ASSERTS(name, dialects, compile, check)                                                                        \
	{                                                                                                              \
		NAME(name), dialects, JS_VALIDATION, JS_NOTHING, js_compile_##compile, js_check_##check                \
	}
#define PART(name, dialects, vocabulary, holds)                                                                        \
	{                                                                                                              \
		NAME(name), dialects, vocabulary, holds, NULL, NULL                                                    \
	}

/* What is cheap and tells most goes first; what looks at the others' work goes last. */
static const struct js_keyword keywords[JS_KW_COUNT] = {
	[JS_KW_TYPE] = ASSERTS("type", JS_BOTH, type, type),
	[JS_KW_ENUM] = ASSERTS("enum", JS_BOTH, enum, enum),
	[JS_KW_CONST] = ASSERTS("const", JS_BOTH, const, const),
	[JS_KW_MULTIPLE_OF] = ASSERTS("multipleOf", JS_BOTH, multiple_of, multiple_of),
	[JS_KW_MAXIMUM] = ASSERTS("maximum", JS_BOTH, number, maximum),
	[JS_KW_EXCLUSIVE_MAXIMUM] = ASSERTS("exclusiveMaximum", JS_BOTH, number, exclusive_maximum),
	[JS_KW_MINIMUM] = ASSERTS("minimum", JS_BOTH, number, minimum),
	[JS_KW_EXCLUSIVE_MINIMUM] = ASSERTS("exclusiveMinimum", JS_BOTH, number, exclusive_minimum),
	[JS_KW_MAX_LENGTH] = ASSERTS("maxLength", JS_BOTH, count, max_length),
	[JS_KW_MIN_LENGTH] = ASSERTS("minLength", JS_BOTH, count, min_length),
	[JS_KW_PATTERN] = ASSERTS("pattern", JS_BOTH, pattern, pattern),
	[JS_KW_MAX_ITEMS] = ASSERTS("maxItems", JS_BOTH, count, max_items),
	[JS_KW_MIN_ITEMS] = ASSERTS("minItems", JS_BOTH, count, min_items),
	[JS_KW_MAX_PROPERTIES] = ASSERTS("maxProperties", JS_BOTH, count, max_properties),
	[JS_KW_MIN_PROPERTIES] = ASSERTS("minProperties", JS_BOTH, count, min_properties),
	[JS_KW_REQUIRED] = ASSERTS("required", JS_BOTH, required, required),
	[JS_KW_DEPENDENT_REQUIRED] = ASSERTS("dependentRequired", JS_D2020, dependent_required, dependencies),
	[JS_KW_PROPERTY_NAMES] = APPLIES("propertyNames", JS_BOTH, JS_SCHEMA, schema, property_names),
	[JS_KW_PROPERTIES] = APPLIES("properties", JS_BOTH, JS_SCHEMA_MAP, members, members),
	[JS_KW_PATTERN_PROPERTIES] = APPLIES("patternProperties", JS_BOTH, JS_SCHEMA_MAP, members, members),
	[JS_KW_ADDITIONAL_PROPERTIES] = APPLIES("additionalProperties", JS_BOTH, JS_SCHEMA, members, members),
	[JS_KW_PREFIX_ITEMS] = APPLIES("prefixItems", JS_D2020, JS_SCHEMA_LIST, items, items),
	[JS_KW_ITEMS] = APPLIES("items", JS_BOTH, JS_SCHEMA_OR_LIST, items, items),
	[JS_KW_ADDITIONAL_ITEMS] = PART("additionalItems", JS_D7, JS_APPLICATOR, JS_SCHEMA),
	[JS_KW_UNIQUE_ITEMS] = ASSERTS("uniqueItems", JS_BOTH, unique_items, unique_items),
	[JS_KW_CONTAINS] = APPLIES("contains", JS_BOTH, JS_SCHEMA, contains, contains),
	[JS_KW_MAX_CONTAINS] = PART("maxContains", JS_D2020, JS_VALIDATION, JS_NOTHING),
	[JS_KW_MIN_CONTAINS] = PART("minContains", JS_D2020, JS_VALIDATION, JS_NOTHING),
	[JS_KW_REF] = {NAME("$ref"), JS_BOTH, JS_CORE, JS_NOTHING, js_compile_ref, js_check_ref},
	[JS_KW_DYNAMIC_REF] = {NAME("$dynamicRef"), JS_D2020, JS_CORE, JS_NOTHING, js_compile_dynamic_ref,
			       js_check_dynamic_ref},
	[JS_KW_ALL_OF] = APPLIES("allOf", JS_BOTH, JS_SCHEMA_LIST, schemas, all_of),
	[JS_KW_ANY_OF] = APPLIES("anyOf", JS_BOTH, JS_SCHEMA_LIST, schemas, any_of),
	[JS_KW_ONE_OF] = APPLIES("oneOf", JS_BOTH, JS_SCHEMA_LIST, schemas, one_of),
	[JS_KW_NOT] = APPLIES("not", JS_BOTH, JS_SCHEMA, schema, not ),
	[JS_KW_IF] = APPLIES("if", JS_BOTH, JS_SCHEMA, if, if),
	[JS_KW_THEN] = PART("then", JS_BOTH, JS_APPLICATOR, JS_SCHEMA),
	[JS_KW_ELSE] = PART("else", JS_BOTH, JS_APPLICATOR, JS_SCHEMA),
	[JS_KW_DEPENDENT_SCHEMAS] =
		APPLIES("dependentSchemas", JS_D2020, JS_SCHEMA_MAP, dependent_schemas, dependencies),
	/* No keyword of 2020-12 any more, but its meta-schema keeps the name for what it was. */
	[JS_KW_DEPENDENCIES] = APPLIES("dependencies", JS_BOTH, JS_SCHEMA_MAP, dependencies, dependencies),
	[JS_KW_UNEVALUATED_ITEMS] = {NAME("unevaluatedItems"), JS_D2020, JS_UNEVALUATED, JS_SCHEMA, js_compile_schema,
				     js_check_unevaluated_items},
	[JS_KW_UNEVALUATED_PROPERTIES] = {NAME("unevaluatedProperties"), JS_D2020, JS_UNEVALUATED, JS_SCHEMA,
					  js_compile_schema, js_check_unevaluated_properties},
	[JS_KW_DEFS] = PART("$defs", JS_D2020, JS_CORE, JS_SCHEMA_MAP),
	[JS_KW_DEFINITIONS] = PART("definitions", JS_BOTH, JS_CORE, JS_SCHEMA_MAP),
};

const struct js_keyword *js_keyword(enum js_keyword_id id)
{
	return &keywords[id];
}

enum js_keyword_id js_keyword_find(const struct json_doc *d, uint32_t name, uint8_t dialect, uint8_t vocabularies)
{
	const struct json_tok *tok = &d->tok[name];

	for (size_t i = 0; i < JS_KW_COUNT; i++) {
		const struct js_keyword *k = &keywords[i];

		if (!tok->escaped && tok->end - tok->start != k->len + 2u)
			continue;
		if ((k->dialects & dialect) != 0 && (k->vocabulary & vocabularies) != 0 && json_is(d, name, k->name))
			return (enum js_keyword_id)i;
	}
	return JS_KW_COUNT;
}
