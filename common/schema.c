#include "common/schema.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/schema_check.h"

void schema_path_member(char path[SCHEMA_PATH_MAX], const char *name)
{
	size_t len = strlen(path), plain = 0;

	while (isalnum((unsigned char)name[plain]) || name[plain] == '_' || name[plain] == '-' || name[plain] == '$')
		plain++;
	if (name[0] != '\0' && name[plain] == '\0')
		snprintf(path + len, SCHEMA_PATH_MAX - len, "%s%s", len == 0 ? "" : ".", name);
	else
		snprintf(path + len, SCHEMA_PATH_MAX - len, "[\"%s\"]", name);
}

void schema_path_element(char path[SCHEMA_PATH_MAX], size_t index)
{
	size_t len = strlen(path);

	snprintf(path + len, SCHEMA_PATH_MAX - len, "[%zu]", index);
}

void schema_mistake(struct schema_check *c, const char *fmt, ...)
{
	char what[SCHEMA_WHAT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	c->mistakes++;
	if (c->report != NULL)
		c->report(c->arg, c->path, what);
}

const json_t *schema_keyword(const json_t *schema, const char *name)
{
	return json_object_get(schema, name);
}

const char *schema_text(const json_t *schema, const char *name, const char *otherwise)
{
	const char *text = json_string_value(schema_keyword(schema, name));

	return text == NULL ? otherwise : text;
}

/* The value as it may stand in a report. */
const char *schema_show(const json_t *schema, const json_t *value, char out[SCHEMA_SHOWN_MAX])
{
	char *text = NULL;

	if (!json_is_true(schema_keyword(schema, "writeOnly")))
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	if (text == NULL || strlen(text) >= SCHEMA_SHOWN_MAX)
		snprintf(out, SCHEMA_SHOWN_MAX, "this value");
	else
		snprintf(out, SCHEMA_SHOWN_MAX, "%s", text);
	free(text);
	return out;
}

/* Appends names as a list for people; what does not fit is left off. */
void schema_list_name(struct buf *out, const char *name, size_t i)
{
	const char *text = i < SCHEMA_NAMES_SHOWN ? name : i == SCHEMA_NAMES_SHOWN ? "…" : NULL;

	if (text != NULL && buf_printf(out, "%s%s", i == 0 ? "" : ", ", text) != 0)
		buf_reset(out);
}

static bool has_type(const json_t *value, const char *type)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return strcmp(type, "object") == 0;
	case JSON_ARRAY:
		return strcmp(type, "array") == 0;
	case JSON_STRING:
		return strcmp(type, "string") == 0;
	case JSON_INTEGER:
		return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
	case JSON_REAL:
		return strcmp(type, "number") == 0;
	case JSON_TRUE:
	case JSON_FALSE:
		return strcmp(type, "boolean") == 0;
	default:
		return false;
	}
}

static const char *type_phrase(const char *type)
{
	static const char *const phrases[][2] = {
		{"object", "an object {…}"}, {"array", "a list […]"},       {"string", "a text in quotes"},
		{"number", "a number"},      {"integer", "a whole number"}, {"boolean", "true or false"},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (strcmp(phrases[i][0], type) == 0)
			return phrases[i][1];
	}
	return type;
}

static const struct keyword_rule {
	const char *name;
	void (*check)(struct schema_check *c, const json_t *schema, const json_t *operand, const json_t *value);
} keyword_rules[] = {
	{"$ref", check_ref},
	{"enum", check_enum},
	{"minimum", check_range},
	{"maximum", check_range},
	{"minLength", check_min_length},
	{"maxLength", check_max_length},
	{"pattern", check_pattern},
	{"required", check_required},
	{"dependentRequired", check_dependent},
	{"oneOf", check_one_of},
	{"maxProperties", check_max_properties},
	{"propertyNames", check_names},
	{"properties", check_properties},
	{"additionalProperties", check_additional},
	{"minItems", check_min_items},
	{"maxItems", check_max_items},
	{"uniqueItems", check_unique},
	{"items", check_items},
};

void schema_value(struct schema_check *c, const json_t *schema, const json_t *value)
{
	const char *type = schema_text(schema, "type", NULL);

	if (json_is_false(schema))
		schema_mistake(c, "must not be here");
	if (type != NULL && !has_type(value, type)) {
		schema_mistake(c, "must be %s", type_phrase(type));
		return;
	}
	for (size_t i = 0; i < sizeof(keyword_rules) / sizeof(*keyword_rules); i++) {
		const json_t *operand = schema_keyword(schema, keyword_rules[i].name);

		if (operand != NULL)
			keyword_rules[i].check(c, schema, operand, value);
	}
}

int schema_check(const json_t *schema, const json_t *value, schema_report_fn report, void *arg)
{
	struct schema_check c = {.root = schema, .report = report, .arg = arg};

	schema_value(&c, schema, value);
	return c.mistakes == 0 ? 0 : KG_E_CONFIG;
}
