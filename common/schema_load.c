/* A schema is checked before it is used: every keyword known, every operand of its type, every reference there. */
#include "common/schema.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

struct load {
	const json_t *root;
	char path[SCHEMA_PATH_MAX];
	char *why;
	size_t why_size;
};

static int check_schema(struct load *l, const json_t *schema);

static int refuse(struct load *l, const char *what)
{
	snprintf(l->why, l->why_size, "%s: %s", l->path, what);
	return KG_E_INVALID;
}

static int want(struct load *l, int right, const char *what)
{
	return right ? 0 : refuse(l, what);
}

static int any_value(struct load *l, const json_t *operand)
{
	(void)l;
	(void)operand;
	return 0;
}

static int text_value(struct load *l, const json_t *operand)
{
	return want(l, json_is_string(operand), "must be a string");
}

static int bool_value(struct load *l, const json_t *operand)
{
	return want(l, json_is_boolean(operand), "must be a boolean");
}

static int number_value(struct load *l, const json_t *operand)
{
	return want(l, json_is_number(operand), "must be a number");
}

static int count_value(struct load *l, const json_t *operand)
{
	return want(l, json_is_integer(operand) && json_integer_value(operand) >= 0, "must be a count");
}

static int list_value(struct load *l, const json_t *operand)
{
	return want(l, json_array_size(operand) > 0, "must be a list with something in it");
}

static int names_value(struct load *l, const json_t *operand)
{
	size_t i;
	json_t *name;

	if (!json_is_array(operand))
		return refuse(l, "must be a list of names");
	json_array_foreach(operand, i, name)
	{
		if (!json_is_string(name))
			return refuse(l, "must be a list of names");
	}
	return 0;
}

static int names_by_name(struct load *l, const json_t *operand)
{
	const char *name;
	json_t *names;

	if (!json_is_object(operand))
		return refuse(l, "must be an object of lists of names");
	json_object_foreach((json_t *)operand, name, names)
	{
		if (names_value(l, names) != 0)
			return KG_E_INVALID;
	}
	return 0;
}

static int type_value(struct load *l, const json_t *operand)
{
	static const char *const types[] = {"object", "array", "string", "integer", "number", "boolean"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (json_is_string(operand) && strcmp(types[i], json_string_value(operand)) == 0)
			return 0;
	}
	return refuse(l, "must be one type");
}

static int pattern_value(struct load *l, const json_t *operand)
{
	regex_t re;

	if (!json_is_string(operand) || regcomp(&re, json_string_value(operand), REG_EXTENDED | REG_NOSUB) != 0)
		return refuse(l, "must be an extended regular expression");
	regfree(&re);
	return 0;
}

static int ref_value(struct load *l, const json_t *operand)
{
	static const char prefix[] = "#/$defs/";
	const char *ref = json_string_value(operand);

	if (ref == NULL || strncmp(ref, prefix, sizeof(prefix) - 1) != 0)
		return refuse(l, "must be #/$defs/NAME");
	if (json_object_get(json_object_get(l->root, "$defs"), ref + sizeof(prefix) - 1) == NULL)
		return refuse(l, "names a definition that is not there");
	return 0;
}

static int schemas_by_name(struct load *l, const json_t *operand)
{
	size_t len = strlen(l->path);
	const char *name;
	json_t *schema;

	if (!json_is_object(operand))
		return refuse(l, "must be an object of schemas");
	json_object_foreach((json_t *)operand, name, schema)
	{
		schema_path_member(l->path, name);
		if (check_schema(l, schema) != 0)
			return KG_E_INVALID;
		l->path[len] = '\0';
	}
	return 0;
}

static int schema_list(struct load *l, const json_t *operand)
{
	size_t len = strlen(l->path), i;
	json_t *schema;

	if (json_array_size(operand) == 0)
		return refuse(l, "must be a list of schemas");
	json_array_foreach(operand, i, schema)
	{
		schema_path_element(l->path, i);
		if (check_schema(l, schema) != 0)
			return KG_E_INVALID;
		l->path[len] = '\0';
	}
	return 0;
}

static const struct keyword_form {
	const char *name;
	int (*check)(struct load *l, const json_t *operand);
} keyword_forms[] = {
	{"$schema", text_value},
	{"$id", text_value},
	{"$ref", ref_value},
	{"$defs", schemas_by_name},
	{"title", text_value},
	{"description", text_value},
	{"default", any_value},
	{"writeOnly", bool_value},
	{"type", type_value},
	{"enum", list_value},
	{"minimum", number_value},
	{"maximum", number_value},
	{"minLength", count_value},
	{"maxLength", count_value},
	{"pattern", pattern_value},
	{"properties", schemas_by_name},
	{"required", names_value},
	{"additionalProperties", check_schema},
	{"propertyNames", check_schema},
	{"maxProperties", count_value},
	{"dependentRequired", names_by_name},
	{"items", check_schema},
	{"minItems", count_value},
	{"maxItems", count_value},
	{"uniqueItems", bool_value},
	{"oneOf", schema_list},
};

static const struct keyword_form *form_find(const char *name)
{
	for (size_t i = 0; i < sizeof(keyword_forms) / sizeof(*keyword_forms); i++) {
		if (strcmp(keyword_forms[i].name, name) == 0)
			return &keyword_forms[i];
	}
	return NULL;
}

static int check_schema(struct load *l, const json_t *schema)
{
	size_t len = strlen(l->path);
	const char *name;
	json_t *operand;

	if (json_is_boolean(schema))
		return 0;
	if (!json_is_object(schema))
		return refuse(l, "must be a schema: an object or a boolean");
	json_object_foreach((json_t *)schema, name, operand)
	{
		const struct keyword_form *form = form_find(name);

		schema_path_member(l->path, name);
		if (form == NULL)
			return refuse(l, "this keyword is not known to the validator");
		if (form->check(l, operand) != 0)
			return KG_E_INVALID;
		l->path[len] = '\0';
	}
	return 0;
}

int schema_load(const char *text, json_t **out, char *why, size_t why_size)
{
	struct load l = {.why = why, .why_size = why_size};
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL) {
		snprintf(why, why_size, "line %d: %s", error.line, error.text);
		return KG_E_INVALID;
	}
	l.root = root;
	if (check_schema(&l, root) != 0) {
		json_decref(root);
		return KG_E_INVALID;
	}
	*out = root;
	return 0;
}
