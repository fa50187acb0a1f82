/* What is said of a value that does not fit, and of a schema that is none. */
#include "common/jsonschema/jsonschema.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct json_doc doc;

struct expectation {
	const char *schema, *value, *path, *what;
};

static void check_one(const struct expectation *e)
{
	struct jsonschema_error error = {0};
	struct jsonschema *s = NULL;
	int r = jsonschema_compile(e->schema, strlen(e->schema), JSONSCHEMA_2020_12, NULL, 0, &s, &error);

	if (r == 0 && e->value != NULL) {
		r = json_scan(&doc, e->value, strlen(e->value), NULL);
		if (r == 0)
			r = jsonschema_check(s, &doc, 0, &error);
	}
	jsonschema_free(s);
	if (r != KG_E_INVALID || strcmp(error.path, e->path) != 0 || strcmp(error.what, e->what) != 0) {
		fprintf(stderr, "%s, %s: %d [%s] [%s]\n", e->schema, e->value == NULL ? "" : e->value, r, error.path,
			error.what);
		unit_bad = 1;
	}
}

static void test_values(void)
{
	static const struct expectation list[] = {
		{"{\"type\":\"string\"}", "1", "", "must be a string"},
		{"{\"type\":[\"integer\",\"null\"]}", "1.5", "", "must be an integer or null"},
		{"{\"type\":\"boolean\"}", "1", "", "must be true or false"},
		{"{\"properties\":{\"a/b~\":{\"items\":{\"type\":\"object\"}}}}", "{\"x\":[],\"a/b~\":[{},{},7]}",
		 "/a~1b~0/2", "must be an object"},
		{"{\"required\":[\"a\",\"b/c\"]}", "{\"a\":1}", "/b~1c", "is missing"},
		{"{\"properties\":{\"o\":{\"required\":[\"a\"]}}}", "{\"o\":{\"b\":1}}", "/o/a", "is missing"},
		{"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b\":2}", "/b",
		 "is not allowed here"},
		{"{\"unevaluatedProperties\":false}", "{\"b\":2}", "/b", "is not allowed here"},
		{"{\"prefixItems\":[{}],\"items\":false}", "[1,2]", "/1", "is not allowed here"},
		{"{\"enum\":[\"a\", 2]}", "\"secret\"", "", "must be one of [\"a\", 2]"},
		{"{\"const\":{\"a\":1}}", "\"secret\"", "", "must be {\"a\":1}"},
		{"{\"multipleOf\":0.01}", "1.001", "", "must be a multiple of 0.01"},
		{"{\"maximum\":10.50}", "11", "", "must be at most 10.50"},
		{"{\"exclusiveMaximum\":10}", "10", "", "must be less than 10"},
		{"{\"minimum\":-1e2}", "-101", "", "must be at least -1e2"},
		{"{\"exclusiveMinimum\":0}", "0", "", "must be more than 0"},
		{"{\"maxLength\":2}", "\"secret\"", "", "must have at most 2 characters"},
		{"{\"minLength\":9}", "\"secret\"", "", "must have at least 9 characters"},
		{"{\"pattern\":\"^a+$\"}", "\"secret\"", "", "must match the regular expression \"^a+$\""},
		{"{\"maxItems\":1}", "[1,2]", "", "must have at most 1 elements"},
		{"{\"minItems\":1}", "[]", "", "must have at least 1 elements"},
		{"{\"uniqueItems\":true}", "[\"secret\",1,\"secret\"]", "/2", "must not be in the array twice"},
		{"{\"contains\":{\"type\":\"null\"}}", "[1]", "",
		 "must contain at least 1 elements of the form that is asked for"},
		{"{\"contains\":{\"type\":\"null\"},\"maxContains\":1}", "[null,null]", "",
		 "must contain at most 1 elements of the form that is asked for"},
		{"{\"maxProperties\":0}", "{\"a\":1}", "", "must have at most 0 members"},
		{"{\"minProperties\":1}", "{}", "", "must have at least 1 members"},
		{"{\"propertyNames\":{\"maxLength\":2}}", "{\"a\":1,\"long\":2}", "/long",
		 "has a name that is not allowed here"},
		{"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "/b", "is missing"},
		{"{\"dependentSchemas\":{\"a\":{\"minProperties\":2}}}", "{\"a\":1}", "",
		 "must have at least 2 members"},
		{"{\"allOf\":[{},{\"type\":\"array\"}]}", "1", "", "must be an array"},
		{"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "1", "", "must be a string or null"},
		{"{\"anyOf\":[{\"type\":\"string\",\"maxLength\":1},{\"minimum\":2}]}", "1", "",
		 "must have one of the 2 forms that are allowed here"},
		{"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":0}]}", "1", "",
		 "must have only one of the 2 forms that are allowed here"},
		{"{\"not\":{\"type\":\"string\"}}", "\"secret\"", "", "must not have a form that is excluded here"},
		{"{\"if\":{\"type\":\"string\"},\"then\":{\"maxLength\":1}}", "\"secret\"", "",
		 "must have at most 1 characters"},
		{"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"null\"}}}", "1", "", "must be null"},
		{"false", "1", "", "is not allowed here"},
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		check_one(&list[i]);
}

static void test_schemas(void)
{
	static const struct expectation list[] = {
		{"{", NULL, "", "a member name in quotes must be here"},
		{"{\"a\":1,\"a\":2}", NULL, "", "a duplicate member name"},
		{"1", NULL, "", "must be a schema: an object, true or false"},
		{"{\"not\":[]}", NULL, "/not", "must be a schema: an object, true or false"},
		{"{\"allOf\":[]}", NULL, "/allOf", "must be an array of schemas, and not empty"},
		{"{\"items\":[{}]}", NULL, "/items", "must be a schema: an object, true or false"},
		{"{\"type\":\"text\"}", NULL, "/type",
		 "must be a type: string, integer, number, boolean, object, array or null"},
		{"{\"properties\":{\"a\":{\"type\":[]}}}", NULL, "/properties/a/type",
		 "must be a type or an array of types"},
		{"{\"enum\":1}", NULL, "/enum", "must be an array"},
		{"{\"required\":\"a\"}", NULL, "/required", "must be an array of names"},
		{"{\"required\":[1]}", NULL, "/required/0", "must be a string"},
		{"{\"properties\":[]}", NULL, "/properties", "must be an object of schemas"},
		{"{\"minLength\":-1}", NULL, "/minLength", "must be a whole number of 0 or more"},
		{"{\"minLength\":1.5}", NULL, "/minLength", "must be a whole number of 0 or more"},
		{"{\"maximum\":\"1\"}", NULL, "/maximum", "must be a number"},
		{"{\"multipleOf\":0}", NULL, "/multipleOf", "must be a number over 0"},
		{"{\"uniqueItems\":1}", NULL, "/uniqueItems", "must be true or false"},
		{"{\"pattern\":1}", NULL, "/pattern", "must be a string"},
		{"{\"pattern\":\"(\"}", NULL, "/pattern", "must be a regular expression: a parenthesis is not closed"},
		{"{\"dependentRequired\":[]}", NULL, "/dependentRequired", "must be an object"},
		{"{\"$ref\":1}", NULL, "/$ref", "must be a string"},
		{"{\"$ref\":\"#/$defs/a\"}", NULL, "/$ref", "refers to a schema that is not there"},
		{"{\"$ref\":\"#a\"}", NULL, "/$ref", "refers to a schema that is not there"},
		{"{\"$ref\":\"#/a~2\",\"a~2\":{}}", NULL, "/$ref", "refers to a schema that is not there"},
		{"{\"$ref\":\"#%zz\"}", NULL, "/$ref", "must be the reference of a URI"},
		{"{\"$ref\":\"http://example.com/schema.json\"}", NULL, "/$ref",
		 "refers to a schema that is not there"},
		{"{\"$ref\":\"file:///etc/passwd\"}", NULL, "/$ref", "refers to a schema that is not there"},
		{"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}", NULL, "/$schema",
		 "names no known dialect (known are draft 2020-12 and draft 7)"},
		{"{\"$id\":\"http://a/b\",\"$schema\":\"http://a/b\"}", NULL, "/$schema",
		 "names no known dialect (known are draft 2020-12 and draft 7)"},
		{"{\"$id\":\"#a\"}", NULL, "/$id", "must not have a fragment"},
		{"{\"$anchor\":\"1a\"}", NULL, "/$anchor",
		 "must be a name: a letter or _, then letters, digits, and -._"},
		{"{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}}}", NULL, "/$defs/b/$anchor",
		 "is an anchor that is there twice"},
		{"{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}", NULL, "/$defs/b/$id",
		 "names a schema that is there twice"},
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		check_one(&list[i]);
}

/* A path or a text that is too long ends with an ellipsis, at a character's end. */
static void test_cut(void)
{
	char value[2048] = "{\"";
	size_t n = 2;
	struct jsonschema_error error;
	struct jsonschema *s = NULL;

	for (int i = 0; i < 300; i++, n += 2)
		memcpy(value + n, "\xc3\xa9", 3);
	memcpy(value + n, "\":1}", 5);
	CHECK(jsonschema_compile("{\"additionalProperties\":false}", 30, JSONSCHEMA_2020_12, NULL, 0, &s, NULL) == 0);
	CHECK(json_scan(&doc, value, strlen(value), NULL) == 0);
	CHECK(jsonschema_check(s, &doc, 0, &error) == KG_E_INVALID);
	CHECK(strlen(error.path) < JSONSCHEMA_PATH_MAX);
	CHECK(strcmp(error.path + strlen(error.path) - 5, "\xc3\xa9\xe2\x80\xa6") == 0);
	CHECK(jsonschema_check(s, &doc, 0, NULL) == KG_E_INVALID);
	CHECK(jsonschema_check(s, &doc, 999, NULL) == KG_E_INVALID);
	jsonschema_free(s);
}

/* Remotes are read only when a reference leads there; what is wrong in one names it. */
static void test_remotes(void)
{
	struct jsonschema_remote remotes[] = {
		{"http://example.com/bad#", "{\"type\":1}", 0},
		{"http://example.com/good",
		 "{\"$id\":\"http://example.com/other\",\"$defs\":{\"a\":{\"type\":\"null\"}}}", 0},
	};
	static const char good[] = "{\"$ref\":\"http://example.com/good#/$defs/a\"}";
	static const char bad[] = "{\"$ref\":\"http://example.com/bad\"}";
	struct jsonschema_error error;
	struct jsonschema *s = NULL;

	for (size_t i = 0; i < 2; i++)
		remotes[i].len = strlen(remotes[i].text);
	CHECK(jsonschema_compile(good, strlen(good), JSONSCHEMA_2020_12, remotes, 2, &s, &error) == 0);
	CHECK(json_scan(&doc, "1", 1, NULL) == 0);
	CHECK(jsonschema_check(s, &doc, 0, &error) == KG_E_INVALID);
	jsonschema_free(s);
	CHECK(jsonschema_compile(bad, strlen(bad), JSONSCHEMA_2020_12, remotes, 2, &s, &error) == KG_E_INVALID);
	CHECK(strcmp(error.path, "/type") == 0);
	CHECK(strstr(error.what, " (in http://example.com/bad)") != NULL);
}

/* The dialect is the caller's where the schema names none. */
static void test_dialects(void)
{
	static const char schema[] = "{\"items\":[{\"type\":\"null\"}],\"additionalItems\":false}";
	struct jsonschema *s = NULL;

	CHECK(jsonschema_compile(schema, strlen(schema), JSONSCHEMA_2020_12, NULL, 0, &s, NULL) == KG_E_INVALID);
	CHECK(jsonschema_compile(schema, strlen(schema), JSONSCHEMA_DRAFT7, NULL, 0, &s, NULL) == 0);
	CHECK(json_scan(&doc, "[null,1]", 8, NULL) == 0);
	CHECK(jsonschema_check(s, &doc, 0, NULL) == KG_E_INVALID);
	jsonschema_free(s);
}

int main(void)
{
	json_init(&doc);
	RUN(test_values);
	RUN(test_schemas);
	RUN(test_cut);
	RUN(test_remotes);
	RUN(test_dialects);
	json_free(&doc);
	return unit_end();
}
