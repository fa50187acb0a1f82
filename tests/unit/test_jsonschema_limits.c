/* Schemas and values that are made to cost much: each ends soon, with KG_E_LIMIT or an answer. */
#include "common/jsonschema/jsonschema.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/unit.h"

#define TEXT_MAX (JSONSCHEMA_BYTES_MAX + 4096)
#define VALUE_MAX (2u << 20)
#ifdef KG_SANITIZE
#define SECONDS_MAX 20.0
#else
#define SECONDS_MAX 2.0
#endif

static struct json_doc doc;
static char *text, *value;
static size_t text_len, value_len;

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(void)
{
	text_len = value_len = 0;
	text[0] = value[0] = '\0';
}

__attribute__((format(printf, 1, 2))) static void schema(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_len += (size_t)vsnprintf(text + text_len, TEXT_MAX - text_len, fmt, args);
	va_end(args);
}

static void repeat(char *out, size_t *len, const char *part, size_t times)
{
	size_t n = strlen(part);

	for (size_t i = 0; i < times; i++, *len += n)
		memcpy(out + *len, part, n + 1);
}

static void put(const char *part, size_t times)
{
	repeat(value, &value_len, part, times);
}

static int compile(struct jsonschema **out)
{
	struct jsonschema_error error = {0};
	double start = now();
	int r = jsonschema_compile(text, text_len, JSONSCHEMA_2020_12, NULL, 0, out, &error);

	CHECK(r == 0 || error.what[0] != '\0');
	CHECK(now() - start < SECONDS_MAX);
	return r;
}

/* The result of the check, or KG_E_STATE when the schema does not compile. */
static int run(void)
{
	struct jsonschema_error error = {0};
	struct jsonschema *s = NULL;
	double start;
	int r;

	CHECK(json_scan(&doc, value, value_len, NULL) == 0);
	if (compile(&s) != 0)
		return KG_E_STATE;
	start = now();
	r = jsonschema_check(s, &doc, 0, &error);
	CHECK(now() - start < SECONDS_MAX);
	CHECK(r == 0 || error.what[0] != '\0');
	jsonschema_free(s);
	return r;
}

static void test_loops(void)
{
	begin();
	schema("{\"$ref\":\"#\"}");
	put("1", 1);
	CHECK(run() == KG_E_LIMIT);
	begin();
	schema("{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}");
	put("1", 1);
	CHECK(run() == KG_E_LIMIT);
	begin();
	schema("{\"not\":{\"$ref\":\"#\"}}");
	put("1", 1);
	CHECK(run() == KG_E_LIMIT);
	begin();
	schema("{\"$dynamicAnchor\":\"a\",\"anyOf\":[{\"$dynamicRef\":\"#a\"},true]}");
	put("1", 1);
	CHECK(run() == KG_E_LIMIT);
}

/* 2 to the 60th paths through references: each schema names the next one twice. */
static void nest(const char *keyword, const char *last)
{
	begin();
	schema("{\"$ref\":\"#/$defs/s0\",\"$defs\":{");
	for (int i = 0; i < 60; i++)
		schema("\"s%d\":{\"%s\":[{\"$ref\":\"#/$defs/s%d\"},{\"$ref\":\"#/$defs/s%d\"}]},", i, keyword, i + 1,
		       i + 1);
	schema("\"s60\":%s}}", last);
	put("{\"a\":1}", 1);
}

static void test_exponential(void)
{
	nest("allOf", "{\"type\":\"object\"}");
	CHECK(run() == KG_E_LIMIT);
	nest("anyOf", "{\"type\":\"null\"}");
	CHECK(run() == KG_E_LIMIT);
	nest("oneOf", "{\"type\":\"object\"}");
	CHECK(run() == KG_E_LIMIT);
	nest("anyOf", "{\"unevaluatedProperties\":{\"type\":\"string\"}}");
	CHECK(run() == KG_E_LIMIT);
}

/* 30 unevaluatedProperties around each other is all that the scanner's depth lets in; a large object in it. */
static void test_unevaluated(void)
{
	begin();
	repeat(text, &text_len, "{\"unevaluatedProperties\":true,\"anyOf\":[", 31);
	schema("{\"unevaluatedProperties\":{\"type\":\"integer\"}}");
	repeat(text, &text_len, "]}", 31);
	put("{\"a\":1}", 1);
	CHECK(run() == 0);
	value_len = 0;
	put("{\"", 1);
	for (int i = 0; i < 20000; i++)
		value_len +=
			(size_t)snprintf(value + value_len, VALUE_MAX - value_len, "%s%d\":1", i == 0 ? "" : ",\"", i);
	put("}", 1);
	CHECK(run() == 0);
	begin();
	nest("anyOf", "{\"properties\":{\"a\":true}}");
	text_len--;
	schema(",\"unevaluatedProperties\":false}");
	CHECK(run() == KG_E_LIMIT);
}

static int match(const char *pattern, const char *part, size_t times)
{
	begin();
	schema("{\"pattern\":\"%s\"}", pattern);
	put("\"", 1);
	put(part, times);
	put("\"", 1);
	return run();
}

static void test_costly_expressions(void)
{
	CHECK(match("^(a+)+$", "a", 64) == 0);
	/* [bc] and not b: that b is nowhere in the text is seen before anything is tried. */
	CHECK(match("^(a+)+[bc]$", "a", 64) == KG_E_LIMIT);
	CHECK(match("^(a|a)*[bc]", "a", 64) == KG_E_LIMIT);
	CHECK(match("(.*)*[xy]", "a", 2000) == KG_E_LIMIT);
	CHECK(match("([a-z]+)*[xy]", "a", 2000) == KG_E_LIMIT);
	/* Quadratic: under PCRE2's own limits, but for minutes. */
	CHECK(match("[a-z]+[@!]", "a", 1000000) == KG_E_LIMIT);
	CHECK(match("(?:x|[a-z]{60000})[@!]", "a", 119999) == KG_E_LIMIT);
	CHECK(match("(a*)\\\\1[bc]", "a", 100000) == KG_E_LIMIT);
	CHECK(match("(?=(a+))\\\\1\\\\1", "a", 100000) != KG_OK);
	CHECK(match("(?<=[a-z]{254}[@!])[a-z]", "a", 1000000) == KG_E_LIMIT);
	CHECK(match("^(?:a?){64}a{64}$", "a", 64) != KG_E_STATE);
	/* Long, but linear. */
	CHECK(match("^[a-z]+$", "a", 1000000) == 0);
	CHECK(match("\\\\S", "a", 1000000) == 0);
	CHECK(match("^(?:[A-Za-z0-9+/]{4})*$", "abcd", 10000) == 0);
}

/* A class of many members is gone through for each character. */
static void test_large_class(void)
{
	begin();
	schema("{\"pattern\":\"[");
	for (int i = 0; i < 600; i++)
		schema("\\\\u%04x", 0x1000 + 2 * i);
	schema("]+[@!]\"}");
	put("\"", 1);
	put("\u14ae", 100000);
	put("\"", 1);
	CHECK(run() == KG_E_LIMIT);
}

static void test_large_expressions(void)
{
	CHECK(match("a{65536}", "a", 1) == KG_E_STATE);
	CHECK(match("(((a{1000}){1000}){1000}){1000}", "a", 1) == KG_E_STATE);
	begin();
	schema("{\"pattern\":\"");
	repeat(text, &text_len, "(", 100);
	repeat(text, &text_len, ")", 100);
	schema("\"}");
	put("1", 1);
	CHECK(run() == KG_E_STATE);
	begin();
	schema("{\"pattern\":\"");
	repeat(text, &text_len, "a", 5000);
	schema("\"}");
	put("1", 1);
	CHECK(run() == KG_E_STATE);
	begin();
	schema("{\"patternProperties\":{");
	for (int i = 0; i < 5000; i++)
		schema("%s\"(aa){900}%d\":true", i == 0 ? "" : ",", i);
	schema("}}");
	put("1", 1);
	CHECK(run() == KG_E_STATE);
}

/* Many references to many places: a schema of its greatest size that is looked up again and again. */
static void test_large_schemas(void)
{
	struct jsonschema *s = NULL;

	begin();
	schema("{\"allOf\":[true");
	for (int i = 0; i < 7000; i++)
		schema(",{\"$ref\":\"#/$defs/d6999\"}");
	schema("],\"$defs\":{\"a\":{}");
	for (int i = 0; i < 5000; i++)
		schema(",\"d%d\":{}", i);
	schema("}}");
	put("1", 1);
	CHECK(compile(&s) != 0);
	begin();
	schema("{\"$defs\":{\"a\":{}");
	for (int i = 0; i < 9000; i++)
		schema(",\"d%d\":{\"$anchor\":\"a%d\"}", i, i);
	schema("}}");
	CHECK(compile(&s) == KG_E_LIMIT);
	begin();
	schema("{\"$defs\":{\"a\":{}");
	for (int i = 0; i < 8000; i++)
		schema(",\"d%d\":{\"$id\":\"%d\"}", i, i);
	schema("}}");
	CHECK(compile(&s) == KG_E_LIMIT);
	begin();
	repeat(text, &text_len, " ", JSONSCHEMA_BYTES_MAX + 1);
	CHECK(compile(&s) == KG_E_LIMIT);
	begin();
	repeat(text, &text_len, "{\"not\":", 65);
	schema("{}");
	repeat(text, &text_len, "}", 65);
	CHECK(compile(&s) == KG_E_LIMIT);
	begin();
	schema("{\"multipleOf\":1.234567890123456789}");
	CHECK(compile(&s) == KG_E_LIMIT);
	begin();
	schema("{\"$ref\":\"");
	repeat(text, &text_len, "a", 3000);
	schema("\"}");
	CHECK(compile(&s) == KG_E_LIMIT);
}

/* A schema of usual size over many values, and what is compared pair by pair. */
static void test_large_values(void)
{
	begin();
	schema("{\"items\":{\"enum\":[1,2,3]},\"uniqueItems\":true}");
	put("[1", 1);
	put(",2", 100000);
	put("]", 1);
	CHECK(run() == KG_E_INVALID);
	begin();
	schema("{\"uniqueItems\":true}");
	put("[0", 1);
	for (int i = 1; i < 100000; i++)
		value_len += (size_t)snprintf(value + value_len, VALUE_MAX - value_len, ",%d", i);
	put("]", 1);
	CHECK(run() == 0);
	begin();
	schema("{\"items\":{\"items\":{\"items\":{\"type\":\"integer\"}}}}");
	put("[[[1", 1);
	put(",1", 200000);
	put("]]]", 1);
	CHECK(run() == 0);
	begin();
	schema("{\"allOf\":[{}");
	for (int i = 0; i < 100; i++)
		schema(",{\"items\":{\"type\":\"integer\"}}");
	schema("]}");
	put("[1", 1);
	put(",1", 100000);
	put("]", 1);
	CHECK(run() == KG_E_LIMIT);
	begin();
	schema("{\"multipleOf\":3,\"maximum\":4}");
	put("1", 1);
	put("0", 1000000);
	CHECK(run() == KG_E_INVALID);
}

/* One long string or number, gone through by many keywords. */
static void test_long_scalars(void)
{
	static const char *const keywords[] = {
		"{\"required\":[\"a\"]}", "{\"type\":\"integer\"}", "{\"minLength\":2}",   "{\"maximum\":3}",
		"{\"multipleOf\":7}",     "{\"enum\":[1,2]}",       "{\"pattern\":\"b\"}",
	};
	static const char *const values[][2] = {{"{\"\\u0061", "\":1,\"a\":1}"}, {"\"\\u0061", "\""}, {"1", ""}};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		for (size_t k = 0; k < sizeof(values) / sizeof(*values); k++) {
			begin();
			schema("{\"anyOf\":[false");
			for (int j = 0; j < 5000; j++)
				schema(",{\"not\":%s}", keywords[i]);
			schema("]}");
			put(values[k][0], 1);
			put("0", 1000000);
			put(values[k][1], 1);
			CHECK(run() != KG_E_STATE);
		}
	}
}

static void test_many_names(void)
{
	begin();
	schema("{\"required\":[\"a\"");
	for (int i = 0; i < 20000; i++)
		schema(",\"%05d\"", i);
	schema("]}");
	put("{\"b\":1", 1);
	for (int i = 0; i < 100000; i++)
		value_len += (size_t)snprintf(value + value_len, VALUE_MAX - value_len, ",\"%05d\":1", i);
	put("}", 1);
	CHECK(run() == KG_E_INVALID);
}

/* What is nested as deep as the scanner takes it is checked, through references too. */
static void test_depth(void)
{
	begin();
	schema("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"}]},"
	       "\"b\":{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}}}");
	put("[", 64);
	put("]", 64);
	CHECK(run() == 0);
}

#ifndef KG_SANITIZE
static size_t allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}

/* The broker checks each call: a usual one must cost no memory. */
static void test_warm_check_allocates_nothing(void)
{
	struct jsonschema *s = NULL;
	size_t before;

	begin();
	schema("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"},"
	       "\"b\":{\"type\":\"array\",\"uniqueItems\":true},\"c\":{\"enum\":[1,\"x\\u0041\"]},"
	       "\"d\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}},\"required\":[\"a\"],"
	       "\"unevaluatedProperties\":false}");
	put("{\"a\":\"\\u0061bc\",\"b\":[1,2,{\"x\":[]}],\"c\":\"x\\u0041\",\"d\":null}", 1);
	CHECK(json_scan(&doc, value, value_len, NULL) == 0);
	CHECK(compile(&s) == 0);
	CHECK(jsonschema_check(s, &doc, 0, NULL) == 0);
	before = allocations;
	CHECK(jsonschema_check(s, &doc, 0, NULL) == 0);
	CHECK(allocations == before);
	jsonschema_free(s);
}
#endif

int main(void)
{
	text = calloc(1, TEXT_MAX);
	value = calloc(1, VALUE_MAX);
	json_init(&doc);
	RUN(test_loops);
	RUN(test_exponential);
	RUN(test_unevaluated);
	RUN(test_costly_expressions);
	RUN(test_large_class);
	RUN(test_large_expressions);
	RUN(test_large_schemas);
	RUN(test_large_values);
	RUN(test_long_scalars);
	RUN(test_many_names);
	RUN(test_depth);
#ifndef KG_SANITIZE
	RUN(test_warm_check_allocates_nothing);
#else
	SKIP(test_warm_check_allocates_nothing, "a sanitizer has its own memory");
#endif
	json_free(&doc);
	free(text);
	free(value);
	return unit_end();
}
