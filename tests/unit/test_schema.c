#include "common/schema.h"

#include <string.h>

#include "common/buf.h"
#include "common/nearest.h"
#include "tests/unit/unit.h"

extern const char config_schema_json[];

static void collect(void *arg, const char *path, const char *what)
{
	struct buf *out = arg;

	CHECK(buf_printf(out, "%s: %s\n", path, what) == 0);
}

/* What the schema says about the value; NULL when it cannot be loaded. */
static const char *reports(const char *schema, const char *value)
{
	static struct buf out;
	static char why[256];
	json_t *s = NULL, *v = json_loads(value, JSON_DECODE_ANY, NULL);
	int r;

	buf_free(&out);
	buf_init(&out, 8192);
	CHECK(v != NULL);
	if (schema_load(schema, &s, why, sizeof(why)) != 0)
		return why;
	r = schema_check(s, v, collect, &out);
	CHECK((r == 0) == (buf_len(&out) == 0));
	json_decref(s);
	json_decref(v);
	return buf_text(&out);
}

static void test_keywords(void)
{
	static const struct {
		const char *schema, *value, *want;
	} vectors[] = {
		{"{}", "1", ""},
		{"{\"type\":\"integer\"}", "1", ""},
		{"{\"type\":\"integer\"}", "1.5", ": must be a whole number\n"},
		{"{\"type\":\"number\"}", "1.5", ""},
		{"{\"type\":\"string\"}", "null", ": must be a text in quotes\n"},
		{"{\"type\":\"boolean\"}", "false", ""},
		{"{\"minimum\":1,\"maximum\":9}", "0", ": 0 is not between 1 and 9\n"},
		{"{\"minimum\":1,\"maximum\":9}", "10", ": 10 is not between 1 and 9\n"},
		{"{\"minimum\":1,\"maximum\":9}", "9", ""},
		{"{\"minimum\":1}", "0", ": 0 is below 1\n"},
		{"{\"maximum\":1}", "2", ": 2 is above 1\n"},
		{"{\"maximum\":1}", "\"x\"", ""},
		{"{\"minLength\":2}", "\"x\"", ": must have at least 2 character(s)\n"},
		{"{\"minItems\":1}", "[]", ": must have at least 1 element(s)\n"},
		{"{\"minItems\":1}", "[1]", ""},
		{"{\"minLength\":2}", "\"\xc3\xa9\"", ": must have at least 2 character(s)\n"},
		{"{\"maxLength\":2}", "\"\xc3\xa9\xc3\xa9\"", ""},
		{"{\"maxLength\":2}", "\"abc\"", ": must have at most 2 characters\n"},
		{"{\"pattern\":\"^a+$\",\"description\":\"some a\"}", "\"ab\"",
		 ": \"ab\" is not right: must be some a\n"},
		{"{\"pattern\":\"^a+$\",\"writeOnly\":true}", "\"ab\"", ": this value is not right: must be ^a+$\n"},
		{"{\"enum\":[\"read\",\"write\"]}", "\"reed\"",
		 ": \"reed\" is not one of read, write; did you mean \"read\"?\n"},
		{"{\"enum\":[\"read\",\"write\"],\"writeOnly\":true}", "\"zzzz\"",
		 ": this value is not one of read, write\n"},
		{"{\"required\":[\"a\"]}", "{\"b\":1}", ": \"a\" is missing\n"},
		{"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", ": \"a\" goes only with \"b\"\n"},
		{"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"c\":1}", ""},
		{"{\"properties\":{\"port\":{}},\"additionalProperties\":false}", "{\"prot\":1}",
		 "prot: there is no such setting; did you mean \"port\"?\n"},
		{"{\"properties\":{\"port\":{},\"x\":{}},\"additionalProperties\":false}", "{\"colour\":1}",
		 "colour: there is no such setting; here may stand: port, x\n"},
		{"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"a b\":1}",
		 "[\"a b\"]: must be a text in quotes\n"},
		{"{\"propertyNames\":{\"pattern\":\"^[a-z]*$\"}}", "{\"A\":1}",
		 "A: \"A\" is not right: must be ^[a-z]*$\n"},
		{"{\"maxProperties\":1}", "{\"a\":1,\"b\":1}", ": must have at most 1 members\n"},
		{"{\"items\":{\"items\":{\"maximum\":3}}}", "[[1],[2,4]]", "[1][1]: 4 is above 3\n"},
		{"{\"maxItems\":1}", "[1,2]", ": must have at most 1 elements\n"},
		{"{\"uniqueItems\":true}", "[1,2,1]", ": elements 0 and 2 are the same\n"},
		{"{\"oneOf\":[{\"required\":[\"a\"],\"title\":\"an a\"},{\"required\":[\"b\"],\"title\":\"a b\"}]}",
		 "{\"a\":1,\"b\":1}", ": must have exactly one of: an a, or a b\n"},
		{"{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"b\":1}", ""},
		{"{\"$defs\":{\"n\":{\"maximum\":3}},\"properties\":{\"a\":{\"$ref\":\"#/$defs/n\"}}}", "{\"a\":4}",
		 "a: 4 is above 3\n"},
		{"{\"properties\":{\"a\":false}}", "{\"a\":4}", "a: must not be here\n"},
		{"{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"minimum\":5}}}", "{\"a\":4,\"b\":1}",
		 "a: must be a text in quotes\nb: 1 is below 5\n"},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		const char *got = reports(vectors[i].schema, vectors[i].value);

		if (strcmp(got, vectors[i].want) != 0) {
			fprintf(stderr, "%s with %s:\n  got  %s  want %s\n", vectors[i].schema, vectors[i].value, got,
				vectors[i].want);
			unit_bad = 1;
		}
	}
}

static void test_bad_schemas(void)
{
	static const char *const bad[] = {
		"{",
		"[]",
		"{\"type\":\"text\"}",
		"{\"type\":[\"string\"]}",
		"{\"anyOf\":[{}]}",
		"{\"properties\":{\"a\":{\"minimun\":1}}}",
		"{\"properties\":[]}",
		"{\"pattern\":\"(\"}",
		"{\"pattern\":1}",
		"{\"$ref\":\"#/$defs/x\"}",
		"{\"$ref\":\"https://example.com/\"}",
		"{\"required\":[1]}",
		"{\"oneOf\":[]}",
		"{\"oneOf\":[1]}",
		"{\"enum\":[]}",
		"{\"maxLength\":-1}",
		"{\"items\":[{}]}",
		"{\"dependentRequired\":{\"a\":\"b\"}}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		json_t *schema = NULL;
		char why[256] = "";

		CHECK(schema_load(bad[i], &schema, why, sizeof(why)) == KG_E_INVALID);
		CHECK(schema == NULL && why[0] != '\0');
	}
}

static void test_ours_loads(void)
{
	json_t *schema = NULL;
	char why[256];

	CHECK(schema_load(config_schema_json, &schema, why, sizeof(why)) == 0);
	json_decref(schema);
}

static void test_paths(void)
{
	char path[SCHEMA_PATH_MAX] = "", name[SCHEMA_PATH_MAX];

	schema_path_member(path, "mcpServers");
	schema_path_member(path, "my server");
	schema_path_member(path, "args");
	schema_path_element(path, 3);
	CHECK(strcmp(path, "mcpServers[\"my server\"].args[3]") == 0);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	schema_path_member(path, name);
	schema_path_element(path, 1);
	CHECK(strlen(path) == SCHEMA_PATH_MAX - 1);
}

static const char *nearest_of_three(const char *word)
{
	struct nearest n;

	nearest_begin(&n, word);
	nearest_offer(&n, "consent");
	nearest_offer(&n, "secret");
	nearest_offer(&n, "status");
	return nearest_end(&n) == NULL ? "-" : nearest_end(&n);
}

static void test_nearest(void)
{
	CHECK(strcmp(nearest_of_three("secrets"), "secret") == 0);
	CHECK(strcmp(nearest_of_three("SECRET"), "secret") == 0);
	CHECK(strcmp(nearest_of_three("stauts"), "status") == 0);
	CHECK(strcmp(nearest_of_three("consnet"), "consent") == 0);
	CHECK(strcmp(nearest_of_three("purple"), "-") == 0);
	CHECK(strcmp(nearest_of_three(""), "-") == 0);
}

int main(void)
{
	RUN(test_keywords);
	RUN(test_bad_schemas);
	RUN(test_ours_loads);
	RUN(test_paths);
	RUN(test_nearest);
	return unit_end();
}
