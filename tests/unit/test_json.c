#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "tests/unit/unit.h"

static struct json_doc doc;

static int scan(const char *text)
{
	return json_scan(&doc, text, strlen(text), NULL);
}

/* A copy without a byte behind it, so that the sanitizer sees any reading over the end. */
static int scan_exact(const char *text, size_t len, struct json_error *err)
{
	char *copy = malloc(len == 0 ? 1 : len);
	int r;

	memcpy(copy, text, len);
	r = json_scan(&doc, copy, len, err);
	free(copy);
	return r;
}

static void test_accepts(void)
{
	static const char *const good[] = {
		"0",
		"-0",
		"1.10",
		"9223372036854775807",
		"1e400",
		"-1.5E+10",
		"0.0",
		"\"\"",
		"true",
		"false",
		"null",
		"{}",
		"[]",
		" [ ] ",
		"\t{\r\n} ",
		"[[],{},[{}]]",
		"{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}",
		"[1,2,3]",
		"\"\\u0000\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		"\"\\ud83d\\ude00\"",
		"\"\x7f\"",
		"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"",
		"\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
		"{\"\":1}",
		"{\"a\":1,\"A\":2}",
		"{\"a\":1,\"a\\u0000\":2}",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (scan_exact(good[i], strlen(good[i]), NULL) != 0) {
			fprintf(stderr, "refused: %s\n", good[i]);
			unit_bad = 1;
		}
	}
}

static void test_refuses(void)
{
	static const struct {
		const char *text;
		size_t offset;
	} bad[] = {
		{"", 0},
		{" ", 1},
		{"{", 1},
		{"[", 1},
		{"[1", 2},
		{"[1,", 3},
		{"[1,]", 3},
		{"[,1]", 1},
		{"[1 2]", 3},
		{"]", 0},
		{"{]", 1},
		{"[}", 1},
		{"{\"a\"}", 4},
		{"{\"a\":}", 5},
		{"{\"a\":1,}", 7},
		{"{a:1}", 1},
		{"{1:1}", 1},
		{"{\"a\":1 \"b\":2}", 7},
		{"{\"a\":1]", 6},
		{"1 2", 2},
		{"{}{}", 2},
		{"01", 0},
		{"-01", 1},
		{"00", 0},
		{"+1", 0},
		{".5", 0},
		{"1.", 2},
		{"-", 1},
		{"1e", 2},
		{"1e+", 3},
		{"1.e5", 2},
		{"0x10", 1},
		{"NaN", 0},
		{"Infinity", 0},
		{"-Infinity", 1},
		{"True", 0},
		{"tru", 0},
		{"nul", 0},
		{"nulll", 4},
		{"'a'", 0},
		{"\"", 1},
		{"\"a", 2},
		{"\"a\nb\"", 2},
		{"\"abcdefgh\x1fz\"", 9},
		{"\"\t\"", 1},
		{"\"\\x41\"", 1},
		{"\"\\\"", 3},
		{"\"\\", 1},
		{"\"\\u12\"", 1},
		{"\"\\u12g4\"", 1},
		{"\"\\U0041\"", 1},
		{"\"\\ud800\"", 1},
		{"\"\\udc00\"", 1},
		{"\"\\ud800\\u0041\"", 1},
		{"\"\\ud800x\"", 1},
		{"\"\\udc00\\ud800\"", 1},
		{"\"\x80\"", 1},
		{"\"\xc0\x80\"", 1},
		{"\"\xc1\xbf\"", 1},
		{"\"\xe0\x9f\xbf\"", 1},
		{"\"\xed\xa0\x80\"", 1},
		{"\"\xed\xbf\xbf\"", 1},
		{"\"\xf0\x8f\xbf\xbf\"", 1},
		{"\"\xf4\x90\x80\x80\"", 1},
		{"\"\xf5\x80\x80\x80\"", 1},
		{"\"\xff\"", 1},
		{"\"\xc3\"", 1},
		{"\"\xe2\x82\"", 1},
		{"\"ok\xc3\xa9\xf0\x9f\x98\"", 5},
		{"\xef\xbb\xbf{}", 0},
		{"[1]//", 3},
		{"[1/**/]", 2},
		{"{\"a\":1,\"a\":2}", 7},
		{"{\"name\":1,\"n\\u0061me\":2}", 10},
		{"{\"n\\u0061me\":1,\"\\u006eame\":2}", 15},
		{"{\"\\u00e9\":1,\"\xc3\xa9\":2}", 12},
		{"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", 18},
		{"{\"\\/\":1,\"/\":2}", 8},
		{"[{\"x\":{\"a\":1,\"b\":2,\"a\":3}}]", 19},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct json_error err = {0};
		int r = scan_exact(bad[i].text, strlen(bad[i].text), &err);

		if (r != KG_E_PROTO || err.offset != bad[i].offset || err.why == NULL) {
			fprintf(stderr, "%s: result %d, offset %zu (%s), not %zu\n", bad[i].text, r, err.offset,
				err.why == NULL ? "-" : err.why, bad[i].offset);
			unit_bad = 1;
		}
		CHECK(json_kind(&doc, 0) == 0);
	}
}

static void test_nul_is_no_end(void)
{
	CHECK(scan_exact("[1\0]", 4, NULL) == KG_E_PROTO);
	CHECK(scan_exact("[]\0", 3, NULL) == KG_E_PROTO);
	CHECK(scan_exact("\"a\0b\"", 5, NULL) == KG_E_PROTO);
	CHECK(scan_exact("{\0}", 3, NULL) == KG_E_PROTO);
}

/* Every prefix and every broken byte of a text: refused or accepted, never read beyond. */
static void test_cut_and_broken(void)
{
	static const char text[] =
		"{\"k\\u0041\":[1.5e3,-0,true,null,\"\xc3\xa9\xf0\x9f\x98\x80 plain text\"],\"z\":{}}";
	size_t len = sizeof(text) - 1;
	char broken[sizeof(text)];

	for (size_t n = 0; n < len; n++)
		CHECK(scan_exact(text, n, NULL) == KG_E_PROTO);
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			memcpy(broken, text, sizeof(text));
			broken[i] = (char)(broken[i] ^ (1 << bit));
			(void)!scan_exact(broken, len, NULL);
		}
	}
	CHECK(scan_exact(text, len, NULL) == 0);
}

static void nest(char *out, unsigned depth, char open, char close)
{
	memset(out, open, depth);
	memset(out + depth, close, depth);
	out[2 * depth] = '\0';
}

static void test_depth_limit(void)
{
	char text[2 * JSON_DEPTH_MAX + 3];
	struct json_error err;

	nest(text, JSON_DEPTH_MAX, '[', ']');
	CHECK(scan(text) == 0);
	nest(text, JSON_DEPTH_MAX + 1, '[', ']');
	CHECK(json_scan(&doc, text, strlen(text), &err) == KG_E_LIMIT);
	CHECK(err.offset == JSON_DEPTH_MAX);
}

static void test_token_limit(void)
{
	size_t n = JSON_TOKENS_MAX - 1, len = 2 * n + 1;
	char *text = malloc(len + 3);

	text[0] = '[';
	for (size_t i = 0; i < n; i++)
		memcpy(text + 1 + 2 * i, "1,", 2);
	text[len - 1] = ']';
	CHECK(json_scan(&doc, text, len, NULL) == 0);
	CHECK(doc.ntok == JSON_TOKENS_MAX);
	memcpy(text + len - 1, ",1]", 3);
	CHECK(json_scan(&doc, text, len + 2, NULL) == KG_E_LIMIT);
	free(text);
}

/* An object of n members m0, m1, …; the last one's name is `last` when given. */
static char *make_object(unsigned n, const char *last)
{
	char *text = malloc(n * 24u + 600);
	size_t at = 0;

	text[at++] = '{';
	for (unsigned i = 0; i < n; i++) {
		if (last != NULL && i == n - 1)
			at += (size_t)snprintf(text + at, 600, "\"%s\":%u,", last, i);
		else
			at += (size_t)snprintf(text + at, 24, "\"m%u\":%u,", i, i);
	}
	text[at - 1] = '}';
	text[at] = '\0';
	return text;
}

static void test_duplicates_in_large_objects(void)
{
	static const unsigned sizes[] = {2, 11, 12, 13, 14, 100, 10000, 100000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *text = make_object(sizes[i], NULL);

		CHECK(scan(text) == 0);
		free(text);
		text = make_object(sizes[i], "m0");
		CHECK(scan(text) == KG_E_PROTO);
		free(text);
		text = make_object(sizes[i], "\\u006D\\u0030");
		CHECK(scan(text) == KG_E_PROTO);
		free(text);
		text = make_object(sizes[i], "\\u006D\\u0030x");
		CHECK(scan(text) == 0);
		free(text);
	}
}

/* Names longer than a hash block, equal after unescaping and different in their last byte. */
static void test_long_names(void)
{
	char name[400], other[460], *text;
	char *whole = malloc(4096);

	memset(name, 'y', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(other, sizeof(other), "\\u0079%s", name + 1);
	text = make_object(20, name);
	snprintf(whole, 4096, "%.*s,\"%s\":1}", (int)strlen(text) - 1, text, other);
	CHECK(scan(whole) == KG_E_PROTO);
	other[strlen(other) - 1] = 'z';
	snprintf(whole, 4096, "%.*s,\"%s\":1}", (int)strlen(text) - 1, text, other);
	CHECK(scan(whole) == 0);
	free(text);
	free(whole);
}

static void test_navigation(void)
{
	uint32_t t, e;
	size_t len;

	CHECK(scan(" {\"a\":[10,[20],{}],\"b\":{\"c\":\"x\"},\"\\u0064\":1.10} ") == 0);
	CHECK(json_kind(&doc, 0) == JK_OBJECT && doc.tok[0].count == 3);
	t = json_get(&doc, 0, "a");
	CHECK(json_kind(&doc, t) == JK_ARRAY && doc.tok[t].count == 3);
	e = json_first(&doc, t);
	CHECK(json_kind(&doc, e) == JK_NUMBER);
	e = json_after(&doc, t, e);
	CHECK(json_kind(&doc, e) == JK_ARRAY);
	e = json_after(&doc, t, e);
	CHECK(json_kind(&doc, e) == JK_OBJECT && json_first(&doc, e) == JSON_NONE);
	CHECK(json_after(&doc, t, e) == JSON_NONE);
	CHECK(json_is(&doc, json_get(&doc, json_get(&doc, 0, "b"), "c"), "x"));
	CHECK(json_get(&doc, json_get(&doc, 0, "zz"), "c") == JSON_NONE);
	CHECK(json_kind(&doc, JSON_NONE) == 0);
	CHECK(json_first(&doc, JSON_NONE) == JSON_NONE);
	t = json_get(&doc, 0, "d");
	CHECK(strncmp(json_raw(&doc, t, &len), "1.10", 4) == 0 && len == 4);
	e = json_first(&doc, 0);
	e = json_after(&doc, 0, e + 1);
	e = json_after(&doc, 0, e + 1);
	CHECK(json_is(&doc, e, "d") && e + 1 == t);
	CHECK(json_after(&doc, 0, e + 1) == JSON_NONE);
}

static void test_strings(void)
{
	char out[8];

	CHECK(scan("[\"a\\u00e9\\n\",\"\\u0000\",5,\"1234567\",\"12345678\",\"\"]") == 0);
	CHECK(json_unescape(&doc, 1, out, sizeof(out)) == 0 && strcmp(out, "a\xc3\xa9\n") == 0);
	CHECK(json_is(&doc, 1, "a\xc3\xa9\n"));
	CHECK(!json_is(&doc, 1, "a\xc3\xa9"));
	CHECK(!json_is(&doc, 1, "a\xc3\xa9\nx"));
	CHECK(json_unescape(&doc, 2, out, sizeof(out)) == KG_E_INVALID);
	CHECK(!json_is(&doc, 2, ""));
	CHECK(json_unescape(&doc, 3, out, sizeof(out)) == KG_E_INVALID);
	CHECK(json_unescape(&doc, 4, out, sizeof(out)) == 0 && strcmp(out, "1234567") == 0);
	CHECK(json_unescape(&doc, 5, out, sizeof(out)) == KG_E_LIMIT);
	CHECK(json_unescape(&doc, 6, out, 1) == 0 && out[0] == '\0');
}

static void test_integers(void)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} vectors[] = {
		{"0", 0, 0},
		{"-0", 0, 0},
		{"42", 0, 42},
		{"-42", 0, -42},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775808", KG_E_INVALID, 0},
		{"-9223372036854775808", 0, INT64_MIN},
		{"-9223372036854775809", KG_E_INVALID, 0},
		{"99999999999999999999", KG_E_INVALID, 0},
		{"1.0", KG_E_INVALID, 0},
		{"1e3", KG_E_INVALID, 0},
		{"\"1\"", KG_E_INVALID, 0},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		int64_t value = 0;

		CHECK(scan(vectors[i].text) == 0);
		CHECK(json_int(&doc, 0, &value) == vectors[i].result);
		CHECK(value == vectors[i].value);
	}
}

static bool compact_is(uint32_t t, const char *want)
{
	struct buf out;
	bool same;

	buf_init(&out, 1024);
	same = json_put_compact(&out, &doc, t) == 0 && strcmp(buf_text(&out), want) == 0;
	if (!same)
		fprintf(stderr, "compact: %s\n", buf_text(&out));
	buf_free(&out);
	return same;
}

static void test_compact(void)
{
	static const char text[] =
		" { \"a b\" : [ 1.10 , -0 ,\t1e400 ] ,\r\n \"s\" : \" \\u0041 \" , \"e\":{ } , \"f\" : [ ] } ";

	CHECK(scan(text) == 0);
	CHECK(compact_is(0, "{\"a b\":[1.10,-0,1e400],\"s\":\" \\u0041 \",\"e\":{},\"f\":[]}"));
	CHECK(compact_is(json_get(&doc, 0, "a b"), "[1.10,-0,1e400]"));
	CHECK(compact_is(json_get(&doc, 0, "s"), "\" \\u0041 \""));
	CHECK(compact_is(json_get(&doc, 0, "e"), "{}"));
	CHECK(scan("9223372036854775807 ") == 0);
	CHECK(compact_is(0, "9223372036854775807"));
}

static void test_compact_limit(void)
{
	struct buf out;

	CHECK(scan("[1,      2]") == 0);
	buf_init(&out, 5);
	CHECK(json_put_compact(&out, &doc, 0) == 0);
	CHECK(json_put_compact(&out, &doc, 0) == KG_E_LIMIT);
	CHECK(json_put_compact(&out, &doc, JSON_NONE) == KG_E_INVALID);
	buf_free(&out);
}

static bool put_is(const char *text, size_t len, const char *want)
{
	struct buf out;
	bool same;

	buf_init(&out, 256);
	same = json_put_string(&out, text, len) == 0 && strcmp(buf_text(&out), want) == 0;
	same = same && json_scan(&doc, buf_text(&out), buf_len(&out), NULL) == 0;
	buf_free(&out);
	return same;
}

static void test_put_string(void)
{
	CHECK(put_is("", 0, "\"\""));
	CHECK(put_is("a\"b\\c/", 6, "\"a\\\"b\\\\c/\""));
	CHECK(put_is("\n\t\x01\x1f\x7f", 5, "\"\\n\\t\\u0001\\u001f\x7f\""));
	CHECK(put_is("a\0b", 3, "\"a\\u0000b\""));
	CHECK(put_is("\xc3\xa9\xf0\x9f\x98\x80", 6, "\"\xc3\xa9\xf0\x9f\x98\x80\""));
	CHECK(put_is("x\xff\xc3", 3, "\"x\xef\xbf\xbd\xef\xbf\xbd\""));
	CHECK(put_is("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""));
}

/* Once a document has grown, equal texts need no more memory. */
static void test_memory_is_kept(void)
{
	struct json_doc d;
	char *text = make_object(1000, NULL);
	struct json_tok *tok;
	uint64_t *slots;

	json_init(&d);
	CHECK(json_scan(&d, text, strlen(text), NULL) == 0);
	tok = d.tok;
	slots = d.slots;
	CHECK(json_scan(&d, "[]", 2, NULL) == 0);
	CHECK(json_scan(&d, text, strlen(text), NULL) == 0);
	CHECK(d.tok == tok && d.slots == slots);
	json_free(&d);
	CHECK(d.tok == NULL && d.ntok == 0);
	free(text);
}

static void test_utf8_valid(void)
{
	CHECK(utf8_valid("", 0));
	CHECK(utf8_valid("plain \xe2\x82\xac", 9));
	CHECK(!utf8_valid("plain \xe2\x82", 8));
}

/* Each byte at each place, whatever is read at once: what has to be escaped is found, what has not stays as it is. */
static void test_every_byte_of_a_string(void)
{
	static const char escaped[] = "\"\\\b\f\n\r\t";
	uint8_t room[128];
	char text[24];

	for (int byte = 0; byte < 256; byte++) {
		bool two = byte != 0 && strchr(escaped, byte) != NULL;
		size_t more = two ? 1 : byte < 0x20 ? 5 : byte < 0x80 ? 0 : 2; /* U+FFFD for a byte that is no UTF-8 */

		for (size_t len = 1; len <= 20; len++)
			for (size_t at = 0; at < len; at++) {
				size_t want = len + 2 + more;

				memset(text, at % 2 == 0 ? '~' : '!', len);
				text[at] = (char)byte;
				CHECK(json_write_string(room, want - 1, text, len) == want);
				CHECK(json_write_string(room, want, text, len) == want && room[want - 1] == '"');
				CHECK(more != 0 || memcmp(room + 1, text, len) == 0);
			}
	}
	CHECK(json_write_string(room, 2, NULL, 0) == 2 && memcmp(room, "\"\"", 2) == 0);
}

int main(void)
{
	json_init(&doc);
	RUN(test_accepts);
	RUN(test_refuses);
	RUN(test_nul_is_no_end);
	RUN(test_cut_and_broken);
	RUN(test_depth_limit);
	RUN(test_token_limit);
	RUN(test_duplicates_in_large_objects);
	RUN(test_long_names);
	RUN(test_navigation);
	RUN(test_strings);
	RUN(test_integers);
	RUN(test_compact);
	RUN(test_compact_limit);
	RUN(test_put_string);
	RUN(test_memory_is_kept);
	RUN(test_utf8_valid);
	RUN(test_every_byte_of_a_string);
	json_free(&doc);
	return unit_end();
}
