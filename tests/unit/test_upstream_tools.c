/* Reading a tool's definition: names, tiers, x-mcp-header; and the headers of a call. */
#include "gatewayd/upstream/tool.h"

#include <stdlib.h>
#include <string.h>

#include "common/call.h"
#include "tests/unit/unit.h"

static struct json_doc doc, args;

/* Reads a tool; NULL when it is fine, else why it is left out. */
static const char *read_tool(const char *text, bool with_headers, struct tool *t)
{
	const char *why = "no JSON";

	memset(t, 0, sizeof(*t));
	if (json_scan(&doc, text, strlen(text), NULL) != 0)
		return why;
	return tool_read(&doc, 0, with_headers, t, &why) == 0 ? NULL : why;
}

static const struct {
	const char *annotations;
	uint8_t tier, floor;
} hints[] = {
	{"{}", 0, 0},
	{"{\"readOnlyHint\":true}", TIER_READ, 0},
	{"{\"readOnlyHint\":true,\"destructiveHint\":false}", TIER_READ, 0},
	{"{\"readOnlyHint\":true,\"destructiveHint\":true}", TIER_DESTRUCTIVE, TIER_DESTRUCTIVE},
	{"{\"readOnlyHint\":false}", TIER_DESTRUCTIVE, TIER_WRITE},
	{"{\"readOnlyHint\":false,\"destructiveHint\":false}", TIER_WRITE, TIER_WRITE},
	{"{\"destructiveHint\":false}", TIER_WRITE, 0},
	{"{\"destructiveHint\":true}", TIER_DESTRUCTIVE, TIER_DESTRUCTIVE},
	{"{\"readOnlyHint\":\"true\"}", 0, 0},
	{"{\"readOnlyHint\":1,\"destructiveHint\":null}", 0, 0},
	{"{\"idempotentHint\":true,\"title\":\"x\"}", 0, 0},
	{"null", 0, 0},
};

static void tiers_come_from_explicit_hints(void)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		char text[512];
		struct tool t;

		snprintf(text, sizeof(text),
			 "{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\"},\"annotations\":%s}",
			 hints[i].annotations);
		CHECK(read_tool(text, true, &t) == NULL);
		CHECK(t.tier == hints[i].tier && t.floor == hints[i].floor);
		tool_free(&t);
	}
}

static void names_are_checked(void)
{
	char name[140], text[512];
	static const char *const bad[] = {"", "a b", "a/b", "a:b", "\\u00e4", "a\\u0000", "a\\n"};
	struct tool t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{\"name\":\"%s\",\"inputSchema\":{}}", bad[i]);
		CHECK(read_tool(text, true, &t) != NULL);
	}
	CHECK(read_tool("{\"inputSchema\":{}}", true, &t) != NULL);
	CHECK(read_tool("{\"name\":5,\"inputSchema\":{}}", true, &t) != NULL);
	CHECK(read_tool("{\"name\":\"a\"}", true, &t) != NULL);
	CHECK(read_tool("{\"name\":\"a\",\"inputSchema\":[]}", true, &t) != NULL);
	CHECK(read_tool("[]", true, &t) != NULL);
	for (size_t n = 128; n <= 129; n++) {
		memset(name, 'x', n);
		name[n] = '\0';
		snprintf(text, sizeof(text), "{\"name\":\"%s\",\"inputSchema\":{}}", name);
		CHECK((read_tool(text, true, &t) == NULL) == (n == 128));
		tool_free(&t);
	}
}

static void definition_is_kept_exactly_and_compact(void)
{
	struct tool t;

	CHECK(read_tool("{ \"name\" : \"a\", \"x-vendor\": 1.10,\n \"inputSchema\":{\"$defs\" : {}, "
			"\"type\":\"object\"} }",
			true, &t) == NULL);
	static const char compact[] =
		"{\"name\":\"a\",\"x-vendor\":1.10,\"inputSchema\":{\"$defs\":{},\"type\":\"object\"}}";
	CHECK(t.definition_len == strlen(compact) && memcmp(t.definition, compact, t.definition_len) == 0);
	tool_free(&t);
}

/* What is pinned: the whole definition, in one spelling. */
static void canonical_form_is_one_for_all_spellings(void)
{
	static const char *const same[] = {
		"{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\",\"$defs\":{}},\"x-vendor\":1.10}",
		"{ \"x-vendor\" : 1.10, \"inputSchema\":{\"$defs\":{},\n\"type\":\"\\u006fbject\"}, \"name\":\"a\" }",
	};
	static const char want[] =
		"{\"inputSchema\":{\"$defs\":{},\"type\":\"object\"},\"name\":\"a\",\"x-vendor\":1.10}";
	struct tool t;

	for (size_t i = 0; i < 2; i++) {
		CHECK(read_tool(same[i], true, &t) == NULL);
		CHECK(t.canonical_len == strlen(want) && memcmp(t.canonical, want, t.canonical_len) == 0);
		tool_free(&t);
	}
}

static void definitions_are_bounded(void)
{
	for (int more = 0; more <= 1; more++) {
		static char text[TOOL_DEFINITION_MAX + 2];
		static const char head[] = "{\"name\":\"a\",\"inputSchema\":{},\"description\":\"", tail[] = "\"}";
		size_t n = TOOL_DEFINITION_MAX + (size_t)more;
		struct tool t;

		memset(text, 'x', n);
		memcpy(text, head, sizeof(head) - 1);
		memcpy(text + n - 2, tail, sizeof(tail));
		CHECK((read_tool(text, true, &t) == NULL) == (more == 0));
		tool_free(&t);
	}
}

#define TOOL(properties) "{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\",\"properties\":{" properties "}}}"
#define MARK(type) "{\"type\":\"" type "\",\"x-mcp-header\":\"Region\"}"

static const struct {
	const char *tool;
	bool good;
} schemas[] = {
	{TOOL("\"r\":" MARK("string")), true},
	{TOOL("\"r\":" MARK("integer")), true},
	{TOOL("\"r\":" MARK("boolean")), true},
	{TOOL("\"r\":" MARK("number")), false},
	{TOOL("\"r\":" MARK("object")), false},
	{TOOL("\"r\":{\"x-mcp-header\":\"Region\"}"), false},
	{TOOL("\"r\":{\"type\":[\"string\",\"null\"],\"x-mcp-header\":\"Region\"}"), false},
	{TOOL("\"r\":{\"type\":\"string\",\"x-mcp-header\":\"\"}"), false},
	{TOOL("\"r\":{\"type\":\"string\",\"x-mcp-header\":\"a b\"}"), false},
	{TOOL("\"r\":{\"type\":\"string\",\"x-mcp-header\":7}"), false},
	{TOOL("\"r\":" MARK("string") ",\"s\":{\"type\":\"string\",\"x-mcp-header\":\"REGION\"}"), false},
	{TOOL("\"o\":{\"type\":\"object\",\"properties\":{\"r\":" MARK("string") "}}"), true},
	{TOOL("\"o\":{\"type\":\"array\",\"items\":" MARK("string") "}"), false},
	{TOOL("\"o\":{\"oneOf\":[" MARK("string") "]}"), false},
	{TOOL("\"o\":{\"anyOf\":[{\"properties\":{\"r\":" MARK("string") "}}]}"), false},
	{TOOL("\"o\":{\"not\":" MARK("string") "}"), false},
	{TOOL("\"o\":{\"additionalProperties\":" MARK("string") "}"), false},
	{"{\"name\":\"a\",\"inputSchema\":{\"$defs\":{\"r\":" MARK("string") "}}}", false},
	{"{\"name\":\"a\",\"inputSchema\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"}}", false},
	/* A property of that name, and data that looks like it, are no annotations. */
	{TOOL("\"x-mcp-header\":{\"type\":\"number\"}"), true},
	{TOOL("\"r\":{\"type\":\"object\",\"default\":{\"x-mcp-header\":\"\"}}"), true},
	{TOOL("\"r\":{\"enum\":[{\"x-mcp-header\":\"\"}]}"), true},
};

static void annotations_of_headers_are_checked(void)
{
	for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
		struct tool t;
		bool good = read_tool(schemas[i].tool, true, &t) == NULL;

		if (good != schemas[i].good)
			fprintf(stderr, "%s\n", schemas[i].tool);
		CHECK(good == schemas[i].good);
		tool_free(&t);
		/* On stdio there are no headers, and nothing to break. */
		CHECK(read_tool(schemas[i].tool, false, &t) == NULL && t.nparams == 0);
		tool_free(&t);
	}
}

static const char wide[] = "{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\",\"properties\":{"
			   "\"r\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"},"
			   "\"n\":{\"type\":\"integer\",\"x-mcp-header\":\"Count\"},"
			   "\"o\":{\"type\":\"object\",\"properties\":{"
			   "\"b\":{\"type\":\"boolean\",\"x-mcp-header\":\"Deep\"}}}}}}";

static const struct {
	const char *args;
	int err;
	const char *lines; /* each behind a '|' */
} calls[] = {
	{"{}", 0, ""},
	{"{\"r\":\"us west 1\",\"n\":42,\"o\":{\"b\":true}}", 0,
	 "|Mcp-Param-Region: us west 1|Mcp-Param-Count: 42|Mcp-Param-Deep: true"},
	{"{\"r\":null,\"n\":null,\"o\":null}", 0, ""},
	{"{\"r\":\"\"}", 0, "|Mcp-Param-Region;"},
	{"{\"r\":\"a\\nb\"}", 0, "|Mcp-Param-Region: =?base64?YQpi?="},
	{"{\"r\":\"\\u00fc\"}", 0, "|Mcp-Param-Region: =?base64?w7w=?="},
	{"{\"n\":42.0}", 0, "|Mcp-Param-Count: 42"},
	{"{\"n\":4.2e1}", 0, "|Mcp-Param-Count: 42"},
	{"{\"n\":-9007199254740991}", 0, "|Mcp-Param-Count: -9007199254740991"},
	{"{\"n\":9007199254740992}", KG_E_INVALID, ""},
	{"{\"n\":1e400}", KG_E_INVALID, ""},
	{"{\"n\":1.5}", KG_E_INVALID, ""},
	{"{\"n\":\"1\"}", KG_E_INVALID, ""},
	{"{\"r\":1}", KG_E_INVALID, ""},
	{"{\"o\":{\"b\":0}}", KG_E_INVALID, ""},
	{"{\"o\":{\"b\":false}}", 0, "|Mcp-Param-Deep: false"},
	{"{\"o\":[]}", 0, ""},
};

static void headers_come_from_the_arguments(void)
{
	struct tool t;

	CHECK(read_tool(wide, true, &t) == NULL);
	CHECK(t.nparams == 3);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		char got[1024] = "";
		struct headers h;

		headers_init(&h);
		CHECK(json_scan(&args, calls[i].args, strlen(calls[i].args), NULL) == 0);
		CHECK(tool_param_headers(&t, &args, &h) == calls[i].err);
		for (struct curl_slist *l = headers_list(&h); l && calls[i].err == 0; l = l->next)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "|%s", l->data);
		CHECK(strcmp(got, calls[i].lines) == 0);
		headers_free(&h);
	}
	tool_free(&t);
}

static void params_are_bounded(void)
{
	for (int n = TOOL_PARAMS_MAX; n <= TOOL_PARAMS_MAX + 1; n++) {
		struct buf text;
		struct tool t;
		int err = 0;

		buf_init(&text, 16384);
		err |= buf_puts(&text, "{\"name\":\"a\",\"inputSchema\":{\"properties\":{");
		for (int i = 0; i < n; i++)
			err |= buf_printf(&text, "%s\"p%d\":{\"type\":\"string\",\"x-mcp-header\":\"H%d\"}",
					  i ? "," : "", i, i);
		err |= buf_puts(&text, "}}}");
		CHECK(err == 0);
		CHECK((read_tool(buf_text(&text), true, &t) == NULL) == (n == TOOL_PARAMS_MAX));
		tool_free(&t);
		buf_free(&text);
	}
}

int main(void)
{
	json_init(&doc);
	json_init(&args);
	RUN(tiers_come_from_explicit_hints);
	RUN(names_are_checked);
	RUN(definition_is_kept_exactly_and_compact);
	RUN(canonical_form_is_one_for_all_spellings);
	RUN(definitions_are_bounded);
	RUN(annotations_of_headers_are_checked);
	RUN(headers_come_from_the_arguments);
	RUN(params_are_bounded);
	json_free(&doc);
	json_free(&args);
	return unit_end();
}
