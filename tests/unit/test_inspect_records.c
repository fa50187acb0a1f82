/* How many records a result carries: as a person would count them, without being misled, and in linear time. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/inspect/inspect.h"
#include "common/inspect/records.h"
#include "tests/unit/unit.h"

static uint32_t of(const char *json)
{
	uint32_t records;
	struct json_doc d;

	json_init(&d);
	if (json_scan(&d, json, strlen(json), NULL) != KG_OK) {
		fprintf(stderr, "no JSON: %.200s\n", json);
		exit(1);
	}
	records = records_count(&d);
	json_free(&d);
	return records;
}

static struct buf made;

static const char *text(void)
{
	return buf_text(&made);
}

static void say(const char *s)
{
	if (buf_puts(&made, s) != KG_OK)
		exit(1);
}

/* A pattern so many times, with commas between; a number in it is counted up. */
static void repeat(const char *pattern, unsigned n, const char *between)
{
	for (unsigned i = 0; i < n; i++) {
		say(i == 0 ? "" : between);
		say(pattern);
	}
}

/* {HEAD pattern, pattern... TAIL} */
static uint32_t list_of(const char *head, const char *pattern, unsigned n, const char *tail)
{
	buf_reset(&made);
	say(head);
	repeat(pattern, n, ",");
	say(tail);
	return of(text());
}

/* A text as it would stand in a result's only block, with escapes. */
static uint32_t in_block(const char *s)
{
	struct buf out;
	uint32_t records;

	buf_init(&out, 16u << 20);
	if (buf_puts(&out, "{\"content\":[{\"type\":\"text\",\"text\":") != KG_OK ||
	    json_put_string(&out, s, strlen(s)) != KG_OK || buf_puts(&out, "}]}") != KG_OK)
		exit(1);
	records = of(buf_text(&out));
	CHECK(records == records_in_text(s, strlen(s)));
	buf_free(&out);
	return records;
}

static uint32_t block_of(const char *head, const char *pattern, unsigned n, const char *between)
{
	buf_reset(&made);
	say(head);
	repeat(pattern, n, between);
	return in_block(text());
}

#define USER "{\"id\":1,\"name\":\"A, \\\"B\\\"\"}"

static void structured_content_is_counted(void)
{
	CHECK(list_of("{\"structuredContent\":{\"users\":[", USER, 500, "],\"groups\":[{},{},{}]}}") == 503);
	CHECK(list_of("{\"structuredContent\":{\"rows\":[", "[1,\"a\"]", 70, "]}}") == 70);
	CHECK(list_of("{\"structuredContent\":{\"a\":{\"b\":{\"nodes\":[", USER, 9, "]}}}}") == 9);
	CHECK(of("{\"structuredContent\":{\"id\":1,\"address\":{\"city\":\"X\"}}}") == 0);
	/* Names, numbers and lists of these are what one record is made of. */
	CHECK(of("{\"structuredContent\":{\"tags\":[\"a\",\"b\"],\"n\":[1,2,3,null,true]}}") == 0);
	CHECK(list_of("{\"toolResult\":[", USER, 12, "]}") == 12);
	CHECK(list_of("{\"_meta\":{\"hidden\":[", USER, 12, "]},\"content\":[]}") == 12);
	/* An error's data. */
	CHECK(list_of("[", USER, 12, "]") == 12);
	CHECK(of("\"none\"") == 0 && of("{}") == 0 && of("[]") == 0);
}

static void lists_in_lists_are_not_counted_twice(void)
{
	CHECK(list_of("{\"s\":[", "{\"tags\":[{},{}]}", 500, "]}") == 1000);
	CHECK(list_of("{\"s\":[", "{\"tags\":[{}]}", 500, "]}") == 500);
	CHECK(list_of("{\"s\":[", "{\"rows\":[[1],[2],[3]]}", 50, "]}") == 150);
	/* One level around is no second. */
	CHECK(list_of("{\"s\":[[[[", USER, 40, "]]]]}") == 40);
	CHECK(list_of("{\"s\":[{\"columns\":[\"a\"],\"rows\":[", "[1]", 40, "]}]}") == 40);
}

static void json_in_texts_is_counted(void)
{
	CHECK(block_of("[", USER, 500, ",") == 500); /* cut off */
	CHECK(block_of("", USER "\n", 500, "") == 500);
	CHECK(block_of("", USER, 500, "\r\n") == 500);
	CHECK(block_of("", "\x1e" USER "\n", 30, "") == 30);
	CHECK(block_of("", USER, 30, ", ") == 30);
	CHECK(in_block("{\"users\":[{\"a\":1},{\"a\":2}],\"groups\":[{}]}") == 3);
	CHECK(in_block("{\n  \"users\": [\n    {\n      \"a\": 1\n    },\n    {\n      \"a\": 2\n    }\n  ]\n}\n") ==
	      2);
	CHECK(in_block("Found 2 users:\n```json\n[{\"a\":1},\n{\"a\":2}]\n```\nThat is all.") == 2);
	CHECK(in_block("\xef\xbb\xbf[{\"a\":1},{\"a\":2}]") == 2);
	CHECK(in_block("[{\"a\":1},{\"a\":2}] (2 rows)") == 2);
	CHECK(in_block("[{\"a\":1},{\"a\":2}, ... and 300 more]") == 2);
	CHECK(in_block("{\"a\":\"[{},{},{}]\"}") == 0);
	CHECK(in_block("{\"a\":1}") == 0 && in_block("{}") == 0 && in_block("[1,2,3]") == 0);
	/* As Python prints a list of rows. */
	CHECK(in_block("[(1, 'O\\'Neil', None), (2, \"x\", True), (3, 'y', -1.5e+3)]") == 3);
	CHECK(in_block("[{'id': 1, 'x': []}, {'id': 2}]") == 2);
}

/* Some servers make a block of each element. */
static void blocks_together_are_one_text(void)
{
	CHECK(list_of("{\"content\":[", "{\"type\":\"text\",\"text\":\"{\\\"id\\\":1}\"}", 60, "]}") == 60);
	CHECK(list_of("{\"content\":[", "{\"type\":\"text\",\"text\":\"a,b,c\\nd,e,f\"}", 30, "]}") == 59);
	CHECK(list_of("{\"content\":[", "{\"type\":\"resource_link\",\"uri\":\"file:///a\",\"name\":\"a\"}", 44,
		      "]}") == 44);
	CHECK(list_of("{\"content\":[", "{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\",\"text\":\"x\"}}", 7,
		      "]}") == 7);
	CHECK(of("{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\",\"mimeType\":\"text/csv\","
		 "\"text\":\"a,b\\n1,2\\n3,4\\n5,6\\n\"}}]}") == 4);
	CHECK(list_of("{\"content\":[", "{\"type\":\"image\",\"data\":\"AAAA\",\"mimeType\":\"image/png\"}", 9, "]}") ==
	      0);
	CHECK(of("{\"content\":{\"type\":\"text\"}}") == 0 && of("{\"content\":[1,null,\"x\",[]]}") == 0);
}

/* MCP: who sends structured content should send it as text, too. */
static void told_twice_is_counted_once(void)
{
	buf_reset(&made);
	say("{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"users\\\":[");
	repeat("{\\\"id\\\":1}", 300, ",");
	say("]}\"}],\"structuredContent\":{\"users\":[");
	repeat("{\"id\":1}", 300, ",");
	say("]}}");
	CHECK(of(text()) == 300);
	/* A shorter summary takes nothing away. */
	buf_reset(&made);
	say("{\"content\":[{\"type\":\"text\",\"text\":\"[{},{}]\"}],\"structuredContent\":{\"users\":[");
	repeat("{}", 300, ",");
	say("]}}");
	CHECK(of(text()) == 300);
	CHECK(of("{\"content\":[{\"type\":\"text\",\"text\":\"[{},{}]\"}],\"structuredContent\":{\"n\":2}}") == 2);
}

static void rows_of_tables_are_counted(void)
{
	CHECK(block_of("id,name\n", "7,anna\n", 500, "") == 500);
	CHECK(block_of("id;name\r\n", "7;\"a;b\r\nc \"\"d\"\"\"\r\n", 500, "") == 500);
	CHECK(block_of("id\tname\n", "7\tan,na", 500, "\n") == 500);
	CHECK(block_of("| id | name |\n|----|:----:|\n", "| 7 | anna |\n", 500, "") == 500);
	CHECK(block_of(" id | name\n----+------\n", "  7 | anna\n", 500, "") == 500);
	CHECK(block_of("Here they are:\n\n| id | name |\n|---|---|\n", "| 7 | anna |\n", 8, "") == 8);
	/* Two of them, one after the other. */
	CHECK(in_block("a,b\n1,2\n3,4\n5,6\n\nx,y,z\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n") == 7);
	/* A lone quotation mark does not hide what comes behind it for long. */
	CHECK(block_of("\"half a quotation\n", "7,anna,berlin\n", 9000, "") > 6000);
}

static void prose_and_code_are_none(void)
{
	static const char *const none[] = {
		"",
		"\n\n",
		"42",
		"The weather is fine.",
		"First, we went there.\nThen, it rained.\nIn the end, all was well.\n",
		"- one\n- two\n- three\n- four\n- five\n",
		"[INFO] started\n[INFO] ready\n[WARN] low\n[INFO] done\n[INFO] bye\n",
		"[1] Knuth\n[2] Reynolds\n[3] Stoumbos\n[4] Rivest\n[5] Merkle\n",
		"[2026-11-21 10:00:00] GET /\n[2026-11-21 10:00:01] GET /\n[2026-11-21 10:00:02] GET /\n",
		"int main(void)\n{\n\tint a;\n\tint b;\n\tint c;\n\tint d;\n\n\treturn a;\n}\n",
		"[link](https://a.example)\n[link](https://b.example)\n[link](https://c.example)\n",
		"---\ntitle: x\n---\n\n# Heading\n\nText: with colons\n",
		"{}}}}]]]]((((",
		"[[[[",
		"]",
		"[}",
		"{]",
		"[{]}",
	};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (in_block(none[i]) != 0)
			fprintf(stderr, "%u in: %s\n", in_block(none[i]), none[i]);
		CHECK(in_block(none[i]) == 0);
	}
}

/* However a text is cut into pieces of strings, it is the same text. */
static void escapes_change_nothing(void)
{
	char json[65536];
	size_t at = 0;

	at += (size_t)snprintf(json, sizeof(json), "{\"content\":[{\"type\":\"text\",\"text\":\"");
	for (unsigned i = 0; i < 200; i++)
		at += (size_t)snprintf(json + at, sizeof(json) - at,
				       "\\u007b\\u0022i\\u0064\\u0022:%u,\\u0022x\\u0022:\\u0022%*s\\u0022\\u007d\\n",
				       i, (int)(i % 97), "y");
	snprintf(json + at, sizeof(json) - at, "\"}]}");
	CHECK(of(json) == 200);
}

static double milliseconds(const char *s, size_t n)
{
	struct timespec a, b;
	double best = 1e9;

	for (int i = 0; i < 3; i++) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		(void)records_in_text(s, n);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		double ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
		best = ms < best ? ms : best;
	}
	return best;
}

/* What is meant to make it slow takes as long as anything of its size; deep nesting is no JSON. */
static void hostile_texts_are_linear(void)
{
	static const char *const texts[] = {
		"[",      "{\"a\":[",    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
		"[{}]",   "{}\n",        "\"",
		"\"\n",   ",\n",         ",",
		"[\"",    "[\n",         "[{},\n",
		"a|b\n",  "[1,",         "\n",
		"[tru\n", "{\"k\":1}\n", "x,\"y\nz\",w\n",
	};
	size_t n = 4u << 20;
	char *s = malloc(n + 128);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t len = strlen(texts[i]);
		double ms;

		for (size_t at = 0; at < n; at += len)
			memcpy(s + at, texts[i], len);
		ms = milliseconds(s, n);
		printf("%-14.12s 4 MiB: %5.1f ms, %u records\n", texts[i], ms, records_in_text(s, n));
#ifdef KG_SANITIZE
		CHECK(ms < 2000);
#else
		CHECK(ms < 200);
#endif
	}
	CHECK(records_in_text("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{},{}]", 76) <=
	      64);
	free(s);
}

static void marks_name_the_count(void)
{
	struct marks m = {.instructions = 7, .personal = 1, .records = UINT32_MAX, .secrets = 2};
	struct buf out;

	buf_init(&out, MARKS_JSON_MAX);
	CHECK(marks_put(&out, &m) == KG_OK &&
	      strcmp(buf_text(&out), "{\"instructions\":7,\"personal\":1,\"records\":4294967295,\"secrets\":2}") == 0);
	buf_free(&out);
}

/* What it costs beside the search for everything else, on one line. */
static void cost(unsigned rows, const char *name)
{
	struct buf b;

	buf_init(&b, 1u << 20);
	if (buf_puts(&b, "[") != KG_OK)
		exit(1);
	for (unsigned i = 0; i < rows; i++)
		if (buf_printf(&b, "%s{\"id\":%u,\"name\":\"Customer %u\",\"city\":\"Berlin\",\"total\":12.50}",
			       i == 0 ? "" : ",", i, i) != KG_OK)
			exit(1);
	if (buf_puts(&b, "]") != KG_OK)
		exit(1);
	CHECK(records_in_text(buf_ptr(&b), buf_len(&b)) == rows);
	printf("%s: %zu bytes, %u records: %.1f us\n", name, buf_len(&b), rows,
	       milliseconds((const char *)buf_ptr(&b), buf_len(&b)) * 1e3);
	buf_free(&b);
}

static void it_costs_little(void)
{
	cost(16, "1 KiB");
	cost(7800, "512 KiB");
}

int main(void)
{
	buf_init(&made, 16u << 20);
	RUN(structured_content_is_counted);
	RUN(lists_in_lists_are_not_counted_twice);
	RUN(json_in_texts_is_counted);
	RUN(blocks_together_are_one_text);
	RUN(told_twice_is_counted_once);
	RUN(rows_of_tables_are_counted);
	RUN(prose_and_code_are_none);
	RUN(escapes_change_nothing);
	RUN(hostile_texts_are_linear);
	RUN(marks_name_the_count);
	RUN(it_costs_little);
	buf_free(&made);
	return unit_end();
}
