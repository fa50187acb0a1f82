#include "common/tool_diff.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct buf out;

static const char *diff(const char *before, const char *after)
{
	buf_reset(&out);
	if (tool_diff(&out, before, strlen(before), after, strlen(after)) != 0)
		return "refused";
	return buf_text(&out);
}

static void test_lines(void)
{
	static const struct {
		const char *before, *after, *want;
	} cases[] = {
		{"{\"a\":1}", " { \"\\u0061\" : 1 } ", ""},
		{"{\"b\":2,\"a\":1}", "{\"a\":1,\"b\":2}", ""},
		{"{\"a\":1}", "{\"a\":1.0}", "~ /a: 1 -> 1.0\n"},
		{"{\"a\":1,\"b\":{\"c\":[1]}}", "{\"b\":{\"c\":[1,{\"d\":null}]},\"e\":\"x\"}",
		 "- /a: 1\n+ /b/c/1: {\"d\":null}\n+ /e: \"x\"\n"},
		{"{\"a\":{}}", "{\"a\":[]}", "~ /a: {} -> []\n"},
		{"1", "2", "~ : 1 -> 2\n"},
		{"{\"a/b~\":1}", "{\"a/b~\":2}", "~ /a~1b~0: 1 -> 2\n"},
		{"[1,2,3,4]", "[1,4]", "- /1: 2\n- /2: 3\n"},
		{"[1,4]", "[0,1,4]", "+ /0: 0\n"},
		{"[1,2]", "[3,2,1]", "~ /0: 1 -> 3\n+ /2: 1\n"},
		{"{\"x\":1}", "{\"\":1,\"z\":2}", "+ /: 1\n- /x: 1\n+ /z: 2\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (strcmp(diff(cases[i].before, cases[i].after), cases[i].want) != 0) {
			fprintf(stderr, "%s, %s:\n%s", cases[i].before, cases[i].after,
				diff(cases[i].before, cases[i].after));
			unit_bad = 1;
		}
	}
}

/* Escapes for a terminal, turned text and invisible tags must be seen. */
static void test_hidden_characters(void)
{
	CHECK(strcmp(diff("{\"d\":\"a\"}", "{\"d\":\"a\\u001b[2J\"}"), "~ /d: \"a\" -> \"a\\u001b[2J\"\n") == 0);
	CHECK(strcmp(diff("{\"d\":\"a\"}", "{\"d\":\"\\u009b\\u202e\\u200b\\udb40\\udc41\\ufeff\x7f\"}"),
		     "~ /d: \"a\" -> \"\\u{9b}\\u{202e}\\u{200b}\\u{e0041}\\u{feff}\\u{7f}\"\n") == 0);
	CHECK(strcmp(diff("{}", "{\"a\\u202e\\n\":1}"), "+ /a\\u{202e}\\n: 1\n") == 0);
	CHECK(strcmp(diff("{}", "{\"d\":\"\xc3\xa9\xf0\x9f\x98\x80\"}"), "+ /d: \"\xc3\xa9\xf0\x9f\x98\x80\"\n") == 0);
}

static void test_cut(void)
{
	char text[1024] = "{\"d\":\"x";
	size_t n = strlen(text);
	const char *line;

	for (int i = 0; i < 300; i++, n += 2)
		memcpy(text + n, "\xc3\xa9", 3);
	memcpy(text + n, "\"}", 3);
	line = diff("{}", text);
	/* 200 bytes: the quote, x, and 99 letters of two bytes. */
	CHECK(strlen(line) == strlen("+ /d: ") + 200 + strlen("\xe2\x80\xa6\n"));
	CHECK(strcmp(line + strlen(line) - 6, "\xc3\xa9\xe2\x80\xa6\n") == 0);
}

static void test_too_many(void)
{
	static char text[8192];
	size_t n = 0;
	const char *got;
	int lines = 0;

	for (int i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%c\"%03d\":1", i == 0 ? '{' : ',', i);
	(void)snprintf(text + n, sizeof(text) - n, "}");
	got = diff("{}", text);
	for (const char *p = got; *p != '\0'; p++)
		lines += *p == '\n';
	CHECK(lines == TOOL_DIFF_LINES_MAX + 1);
	CHECK(strstr(got, "\nand 100 more\n") != NULL);
}

static void test_refusals(void)
{
	struct buf small;

	CHECK(tool_diff(&out, "{", 1, "{}", 2) == KG_E_PROTO);
	CHECK(tool_diff(&out, "{}", 2, "", 0) == KG_E_PROTO);
	buf_init(&small, 4);
	CHECK(tool_diff(&small, "{}", 2, "{\"abc\":1}", 9) == KG_E_LIMIT);
	buf_free(&small);
}

int main(void)
{
	buf_init(&out, 1u << 20);
	RUN(test_lines);
	RUN(test_hidden_characters);
	RUN(test_cut);
	RUN(test_too_many);
	RUN(test_refusals);
	buf_free(&out);
	return unit_end();
}
