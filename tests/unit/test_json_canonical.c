#include "common/json_canonical.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct json_doc doc;
static struct buf out;

/* The canonical form; "" when it cannot be. */
static const char *canonical(const char *text)
{
	buf_reset(&out);
	if (json_scan(&doc, text, strlen(text), NULL) != 0 || json_put_canonical(&out, &doc, 0) != 0)
		return "";
	return buf_text(&out);
}

static void test_spelling(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{" { \"b\" : [ 1 , 2 ] , \"a\" : { } } ", "{\"a\":{},\"b\":[1,2]}"},
		{"[ true,false , null,[],{} ]", "[true,false,null,[],{}]"},
		{"[1.0,1,1e2,-0,1.10]", "[1.0,1,1e2,-0,1.10]"},
		{"\"\\u0041\\/\\u00e9\\ud83d\\ude00\"", "\"A/\xc3\xa9\xf0\x9f\x98\x80\""},
		{"\"\\u0008\\u0009\\u000A\\u000c\\u000D\\u0022\\u005C\"", "\"\\b\\t\\n\\f\\r\\\"\\\\\""},
		{"\"\\u0000\\u001F\\u007f\\u2028\"", "\"\\u0000\\u001f\x7f\xe2\x80\xa8\""},
		{"{\"b\":{\"d\":1,\"c\":2},\"\\u0061\":3}", "{\"a\":3,\"b\":{\"c\":2,\"d\":1}}"},
		{"{\"aa\":1,\"a\":2,\"\":3,\"B\":4}", "{\"\":3,\"B\":4,\"a\":2,\"aa\":1}"},
		{"{\"a\\u0000b\":1,\"a\":2,\"a\\u0000\":3}", "{\"a\":2,\"a\\u0000\":3,\"a\\u0000b\":1}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (strcmp(canonical(cases[i].text), cases[i].want) != 0) {
			fprintf(stderr, "%s gives %s\n", cases[i].text, canonical(cases[i].text));
			unit_bad = 1;
		}
	}
}

/* RFC 8785, section 3.2.3: its own example of the order. U+1F600 is D83D DE00, before U+FB33. */
static void test_order_of_rfc8785(void)
{
	const char *text =
		"{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew\",\"1\":\"One\","
		"\"\\ud83d\\ude00\":\"Emoji\",\"\\u0080\":\"Control\",\"\\u00f6\":\"Latin\"}";

	CHECK(strcmp(canonical(text), "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
				      "\"\xc3\xb6\":\"Latin\",\"\xe2\x82\xac\":\"Euro Sign\","
				      "\"\xf0\x9f\x98\x80\":\"Emoji\",\"\xef\xac\xb3\":\"Hebrew\"}") == 0);
	CHECK(strcmp(canonical("{\"\\ue000\":1,\"\\ud7ff\":2,\"\\ud800\\udc00\":3}"),
		     "{\"\xed\x9f\xbf\":2,\"\xf0\x90\x80\x80\":3,\"\xee\x80\x80\":1}") == 0);
}

static void test_idempotent(void)
{
	const char *first = canonical("{\"z\":[{\"y\":\"\\u0001\\/\",\"x\":1.50}],\"a\":\"\\ud83d\\ude00\"}");
	char *copy = strdup(first);

	CHECK(strcmp(canonical(copy), copy) == 0);
	free(copy);
}

static void test_part_and_bounds(void)
{
	struct buf small;

	buf_reset(&out);
	CHECK(json_scan(&doc, "{\"a\":{\"c\":1,\"b\":2}}", 19, NULL) == 0);
	CHECK(json_put_canonical(&out, &doc, json_get(&doc, 0, "a")) == 0);
	CHECK(strcmp(buf_text(&out), "{\"b\":2,\"c\":1}") == 0);
	CHECK(json_put_canonical(&out, &doc, JSON_NONE) == KG_E_INVALID);
	buf_init(&small, 10);
	CHECK(json_put_canonical(&small, &doc, 0) == KG_E_LIMIT);
	buf_free(&small);
}

static void test_deep_and_wide(void)
{
	char text[400] = "";
	char *wide = malloc(200000);
	size_t n = 0;

	for (int i = 0; i < 63; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "[");
	n += (size_t)snprintf(text + n, sizeof(text) - n, "{}");
	for (int i = 0; i < 63; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "]");
	CHECK(strcmp(canonical(text), text) == 0);
	n = 0;
	for (int i = 9999; i >= 0; i--)
		n += (size_t)snprintf(wide + n, 200000 - n, "%c\"k%04d\":%d", i == 9999 ? '{' : ',', i, i);
	n += (size_t)snprintf(wide + n, 200000 - n, "}");
	CHECK(strncmp(canonical(wide), "{\"k0000\":0,\"k0001\":1,", 21) == 0);
	CHECK(buf_len(&out) == n);
	free(wide);
}

int main(void)
{
	json_init(&doc);
	buf_init(&out, 1u << 20);
	RUN(test_spelling);
	RUN(test_order_of_rfc8785);
	RUN(test_idempotent);
	RUN(test_part_and_bounds);
	RUN(test_deep_and_wide);
	buf_free(&out);
	json_free(&doc);
	return unit_end();
}
