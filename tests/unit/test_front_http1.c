/* The HTTP/1.1 reader: what it refuses, limits and one beyond, and the same answer however the bytes were cut. */
#include "common/http/fields.h"
#include "common/http/http1.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define MORE (-1)
#define HOST "Host: 127.0.0.1:8931\r\n"
#define POST "POST /mcp HTTP/1.1\r\n" HOST
#define END "\r\n"

struct vector {
	const char *what;
	const char *text;
	int want; /* 0, a status, or MORE */
};

/*
 * The bytes end where their block ends, so that the address sanitizer sees a read too far; `step` says
 * how many come at a time.
 */
static int read_head(const char *text, size_t len, size_t step, struct http1_head *out)
{
	struct http1_scan s = {0};
	int r = 0;

	for (size_t n = step < len ? step : len; r == 0; n = n + step < len ? n + step : len) {
		char *block = malloc(n + (n == 0));

		memcpy(block, text, n);
		r = http1_scan_head(&s, block, n);
		free(block);
		if (n == len)
			break;
	}
	if (r != 1)
		return r == 0 ? MORE : r;
	return http1_parse_head(text, s.at, out);
}

/* Whole, byte by byte, and in two pieces cut at every byte: always the same. */
static int read_every_way(const char *text, size_t len)
{
	struct http1_head h;
	int whole = read_head(text, len, len, &h);

	for (size_t step = 1; step < len; step++)
		if (read_head(text, len, step, &h) != whole)
			return -2;
	return whole;
}

static void run_vectors(const struct vector *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int got = read_every_way(v[i].text, strlen(v[i].text));

		if (got != v[i].want)
			fprintf(stderr, "%s: %d, not %d\n", v[i].what, got, v[i].want);
		CHECK(got == v[i].want);
	}
}

#define RUN_VECTORS(table) run_vectors(table, sizeof(table) / sizeof((table)[0]))

static void good_heads_pass(void)
{
	static const struct vector v[] = {
		{"a length", POST "Content-Length: 5\r\n" END, 0},
		{"no length", POST "Content-Length: 0\r\n" END, 0},
		{"chunked", POST "Transfer-Encoding: chunked\r\n" END, 0},
		{"tabs around a value", POST "Content-Length:\t5 \t\r\n" END, 0},
		{"no space behind the colon", POST "Content-Length:5\r\n" END, 0},
		{"an empty value", POST "X-Empty:\r\nContent-Length: 5\r\n" END, 0},
		{"obs-text in a value", POST "X-Text: caf\xe9\r\nContent-Length: 5\r\n" END, 0},
		{"another method", "BREW /mcp HTTP/1.1\r\n" HOST END, 0},
		{"expect", POST "Expect: 100-continue\r\nContent-Length: 5\r\n" END, 0},
		{"begun", POST "Content-Le", MORE},
		{"nothing", "", MORE},
		{"carriage return at the cut", POST "\r", MORE},
	};

	RUN_VECTORS(v);
}

/* RFC 9112, sections 2.2, 3 and 5. */
static void bad_lines_are_refused(void)
{
	static const struct vector v[] = {
		{"an empty line first", "\r\n" POST END, 400},
		{"a bare line feed behind the request line", "POST /mcp HTTP/1.1\n" HOST END, 400},
		{"a bare line feed behind a field", "POST /mcp HTTP/1.1\r\nHost: a\n\r\n", 400},
		{"a bare line feed at the end", POST "\n", 400},
		{"a bare carriage return in a value", POST "X-A: b\rc\r\n" END, 400},
		{"a carriage return twice", POST "X-A: b\r\r\n" END, 400},
		{"a control character in a value", POST "X-A: b\x01\r\n" END, 400},
		{"DEL in a value", POST "X-A: b\x7f\r\n" END, 400},
		{"a space before the colon", POST "Content-Length : 5\r\n" END, 400},
		{"a tab before the colon", POST "X-A\t: 5\r\n" END, 400},
		{"a folded line", POST "X-A: b\r\n c\r\n" END, 400},
		{"a folded line by a tab", POST "X-A: b\r\n\tc\r\n" END, 400},
		{"a field line folded to the request line", "POST /mcp HTTP/1.1\r\n X: y\r\n" HOST END, 400},
		{"no colon", POST "X-A\r\n" END, 400},
		{"no name", POST ": b\r\n" END, 400},
		{"a bad character in a name", POST "X(A): b\r\n" END, 400},
		{"a byte over 127 in a name", POST "X\xe9: b\r\n" END, 400},
		{"two spaces behind the method", "POST  /mcp HTTP/1.1\r\n" HOST END, 400},
		{"two spaces before the version", "POST /mcp  HTTP/1.1\r\n" HOST END, 400},
		{"a tab in the request line", "POST\t/mcp HTTP/1.1\r\n" HOST END, 400},
		{"a space at the end", "POST /mcp HTTP/1.1 \r\n" HOST END, 400},
		{"no version", "POST /mcp\r\n" HOST END, 400},
		{"no target", "POST HTTP/1.1\r\n" HOST END, 400},
		{"a bad method", "PO(ST /mcp HTTP/1.1\r\n" HOST END, 400},
		{"no method", " /mcp HTTP/1.1\r\n" HOST END, 400},
		{"asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST END, 400},
		{"authority form", "CONNECT a:80 HTTP/1.1\r\n" HOST END, 400},
		{"absolute form", "POST http://evil.example/mcp HTTP/1.1\r\n" HOST END, 400},
		{"a fragment", "POST /mcp#a HTTP/1.1\r\n" HOST END, 400},
		{"a byte over 127 in the target", "POST /mcp\xe9 HTTP/1.1\r\n" HOST END, 400},
		{"lower-case protocol", "POST /mcp http/1.1\r\n" HOST END, 400},
		{"HTTP/1.0", "POST /mcp HTTP/1.0\r\n" HOST END, 505},
		{"HTTP/2.0", "PRI /mcp HTTP/2.0\r\n" HOST END, 505},
		{"HTTP/1.10", "POST /mcp HTTP/1.10\r\n" HOST END, 400},
	};
	static const char nul[] = POST "X-A: b\0c\r\n" END;
	static const char nul_name[] = POST "X\0A: b\r\n" END;

	RUN_VECTORS(v);
	CHECK(read_every_way(nul, sizeof(nul) - 1) == 400);
	CHECK(read_every_way(nul_name, sizeof(nul_name) - 1) == 400);
}

/* RFC 9112, sections 3.2 and 6.3; RFC 9110, sections 7.2, 8.6 and 10.1.1. */
static void bad_framing_is_refused(void)
{
	static const struct vector v[] = {
		{"no Host", "POST /mcp HTTP/1.1\r\nContent-Length: 5\r\n" END, 400},
		{"two Hosts", POST HOST END, 400},
		{"two Hosts in other letters", POST "hOST: 127.0.0.1:8931\r\n" END, 400},
		{"an empty Host", "POST /mcp HTTP/1.1\r\nHost:\r\n" END, 400},
		{"two lengths", POST "Content-Length: 5\r\nContent-Length: 6\r\n" END, 400},
		{"two equal lengths", POST "Content-Length: 5\r\ncontent-length: 5\r\n" END, 400},
		{"a list of lengths", POST "Content-Length: 5, 5\r\n" END, 400},
		{"a signed length", POST "Content-Length: +5\r\n" END, 400},
		{"a negative length", POST "Content-Length: -5\r\n" END, 400},
		{"a hexadecimal length", POST "Content-Length: 0x5\r\n" END, 400},
		{"a length with a leading zero", POST "Content-Length: 05\r\n" END, 400},
		{"a length of zeros", POST "Content-Length: 00\r\n" END, 400},
		{"something behind a length", POST "Content-Length: 5 6\r\n" END, 400},
		{"a letter behind a length", POST "Content-Length: 5a\r\n" END, 400},
		{"a fraction", POST "Content-Length: 5.0\r\n" END, 400},
		{"an empty length", POST "Content-Length:\r\n" END, 400},
		{"a length that would overflow", POST "Content-Length: 18446744073709551621\r\n" END, 413},
		{"a letter far behind a length", POST "Content-Length: 1844674407370955162x\r\n" END, 400},
		{"chunked in other letters", POST "Transfer-Encoding: Chunked\r\n" END, 501},
		{"length and coding", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END, 400},
		{"coding and length", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END, 400},
		{"two codings", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END, 400},
		{"another coding", POST "Transfer-Encoding: gzip\r\n" END, 501},
		{"a list of codings", POST "Transfer-Encoding: gzip, chunked\r\n" END, 501},
		{"chunked twice in one line", POST "Transfer-Encoding: chunked, chunked\r\n" END, 501},
		{"identity", POST "Transfer-Encoding: identity\r\n" END, 501},
		{"a coding with a parameter", POST "Transfer-Encoding: chunked;a=b\r\n" END, 501},
		{"a prefix of chunked", POST "Transfer-Encoding: chunke\r\n" END, 501},
		{"a vertical tab before chunked",
		 POST "Transfer-Encoding: \x0b"
		      "chunked\r\n" END,
		 400},
		{"another expectation", POST "Expect: 200-ok\r\nContent-Length: 5\r\n" END, 417},
	};

	RUN_VECTORS(v);
}

static char *grown(const char *before, size_t fill, const char *after)
{
	size_t b = strlen(before), a = strlen(after);
	char *text = malloc(b + fill + a + 1);

	memcpy(text, before, b);
	memset(text + b, 'a', fill);
	memcpy(text + b + fill, after, a + 1);
	return text;
}

/* One way is enough here: each is tens of thousands of bytes long. */
static int read_grown(const char *before, size_t whole, const char *after)
{
	char *text = grown(before, whole - strlen(before) - strlen(after), after);
	struct http1_head h;
	int at_once = read_head(text, whole, whole, &h), in_bytes = 0;
	struct http1_scan s = {0};

	for (size_t n = 1; n <= whole && in_bytes == 0; n++)
		in_bytes = http1_scan_head(&s, text, n);
	if (in_bytes == 1)
		in_bytes = http1_parse_head(text, s.at, &h);
	free(text);
	return at_once == in_bytes ? at_once : -2;
}

static void request_line_has_a_limit(void)
{
	static const char version[] = " HTTP/1.1\r\n";
	struct http1_scan s = {0};
	char *text;

	/* The line's own bytes, CRLF included, are counted; the rest of the head follows it. */
	text = grown("POST /", HTTP1_LINE_MAX - 6 - (sizeof(version) - 1), version);
	CHECK(strlen(text) == HTTP1_LINE_MAX);
	CHECK(http1_scan_head(&s, text, strlen(text)) == 0);
	free(text);
	s = (struct http1_scan){0};
	text = grown("POST /", HTTP1_LINE_MAX + 1 - 6 - (sizeof(version) - 1), version);
	CHECK(http1_scan_head(&s, text, strlen(text)) == 414);
	free(text);
}

static void head_has_a_limit(void)
{
	CHECK(read_grown(POST "X-A: ", HTTP1_HEAD_MAX, "\r\n\r\n") == 0);
	CHECK(read_grown(POST "X-A: ", HTTP1_HEAD_MAX + 1, "\r\n\r\n") == 431);
}

static int read_fields(unsigned n)
{
	char text[4096] = POST;
	struct http1_head h;

	for (unsigned i = 1; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "X-%u: y\r\n", i);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "\r\n");
	return read_head(text, strlen(text), strlen(text), &h);
}

static void fields_have_a_limit(void)
{
	CHECK(read_fields(HTTP1_HEADERS_MAX) == 0);
	CHECK(read_fields(HTTP1_HEADERS_MAX + 1) == 431);
}

static void head_is_read(void)
{
	static const char text[] = "DELETE /mcp/notes HTTP/1.1\r\nhost: Localhost:1\r\nContent-Length: 12\r\n"
				   "Connection: close\r\nExpect: 100-Continue\r\n\r\nbody";
	struct http1_head h;
	bool again;

	CHECK(read_head(text, sizeof(text) - 1, sizeof(text) - 1, &h) == 0);
	CHECK(h.method == HTTP1_DELETE);
	CHECK(h.target.n == 10 && memcmp(h.target.p, "/mcp/notes", 10) == 0);
	CHECK(http1_is(h.host, "localhost:1"));
	CHECK(h.has_length && h.length == 12 && !h.chunked && h.close && h.expect_continue);
	CHECK(http1_find(&h, "CONNECTION", &again) != NULL && !again);
	CHECK(http1_find(&h, "Accept", &again) == NULL);
}

#define GET "GET /mcp HTTP/1.1\r\nHost: a\r\n"

static void a_type_is_one_and_not_coded(void)
{
	static const struct {
		const char *fields;
		bool json;
	} rows[] = {
		{"Content-Type: application/json\r\n", true},
		{"content-type: Application/JSON ; charset=utf-8\r\nContent-Encoding: identity\r\n", true},
		{"", false},
		{"Content-Type: text/plain\r\n", false},
		{"Content-Type: application/json-seq\r\n", false},
		{"Content-Type: application/json, text/plain\r\n", false},
		{"Content-Type: application/json\r\nContent-Type: application/json\r\n", false},
		{"Content-Type: application/json\r\nContent-Encoding: gzip\r\n", false},
		{"Content-Type: application/json\r\nContent-Encoding: identity\r\nContent-Encoding: gzip\r\n", false},
	};
	char text[512];
	struct http1_head h;
	int n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = snprintf(text, sizeof(text), GET "%s\r\n", rows[i].fields);
		CHECK(read_head(text, (size_t)n, (size_t)n, &h) == 0 && http1_is_json(&h) == rows[i].json);
	}
}

static void a_bearer_is_one_of_one_scheme(void)
{
	static const struct {
		const char *fields, *token;
	} rows[] = {
		{"Authorization: Bearer abc\r\n", "abc"},
		{"authorization: bEARER   abc d\r\n", "abc d"},
		{"", ""},
		{"Authorization: Bearer\r\n", ""},
		{"Authorization: Bearerabc\r\n", ""},
		{"Authorization: Basic YTpi\r\n", ""},
		{"Authorization: Bearer abc\r\nAuthorization: Bearer abc\r\n", ""},
	};
	char text[512];
	struct http1_head h;
	struct http1_span token;
	int n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = snprintf(text, sizeof(text), GET "%s\r\n", rows[i].fields);
		CHECK(read_head(text, (size_t)n, (size_t)n, &h) == 0);
		token = http1_bearer(&h);
		CHECK(token.n == strlen(rows[i].token) &&
		      memcmp(token.n == 0 ? "" : token.p, rows[i].token, token.n) == 0);
	}
}

/* Feeds a chunked body in pieces of `step`; what is decoded is in *body. 1, a status, or MORE. */
static int read_chunks(const char *text, size_t len, size_t step, struct buf *body, size_t *used)
{
	struct http1_chunks c = {0};
	int r = 0;

	buf_reset(body);
	*used = 0;
	while (r == 0 && *used < len) {
		size_t n = len - *used < step ? len - *used : step, took;
		char *block = malloc(n);

		memcpy(block, text + *used, n);
		r = http1_chunks_feed(&c, block, n, body, &took);
		free(block);
		*used += took;
		if (r == 0 && took != n)
			return -2;
	}
	return r == 0 ? MORE : r;
}

static int read_chunks_every_way(const char *text, size_t max, const char *want)
{
	struct buf body;
	size_t used, len = strlen(text), end;
	int whole;

	buf_init(&body, max);
	whole = read_chunks(text, len, len, &body, &end);
	if (whole == 1 && (buf_len(&body) != strlen(want) || memcmp(buf_ptr(&body), want, strlen(want)) != 0))
		whole = -3;
	for (size_t step = 1; step < len; step++)
		if (read_chunks(text, len, step, &body, &used) != whole || (whole == 1 && used != end))
			whole = -2;
	buf_free(&body);
	return whole;
}

/* RFC 9112, section 7.1: sizes and data alone. */
static void chunks_are_read_strictly(void)
{
	static const struct {
		const char *text, *body;
		int want;
	} v[] = {
		{"0\r\n\r\n", "", 1},
		{"5\r\nhello\r\n0\r\n\r\n", "hello", 1},
		{"5\r\nhello\r\nA\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "hello01234567890123456789", 1},
		{"5\r\nhel", "", MORE},
		{"5\r\nhello\r\n0\r\n", "", MORE},
		{"5;a=b\r\nhello\r\n0\r\n\r\n", "", 400},
		{"5 \r\nhello\r\n0\r\n\r\n", "", 400},
		{" 5\r\nhello\r\n0\r\n\r\n", "", 400},
		{"+5\r\nhello\r\n0\r\n\r\n", "", 400},
		{"-5\r\nhello\r\n0\r\n\r\n", "", 400},
		{"0x5\r\nhello\r\n0\r\n\r\n", "", 400},
		{"\r\nhello\r\n0\r\n\r\n", "", 400},
		{"5\nhello\r\n0\r\n\r\n", "", 400},
		{"5\r\r\nhello\r\n0\r\n\r\n", "", 400},
		{"5\r\nhello\n0\r\n\r\n", "", 400},
		{"5\r\nhelloo\r\n0\r\n\r\n", "", 400},
		{"5\r\nhell\r\n0\r\n\r\n", "", 400},
		{"0\r\nX-Trailer: a\r\n\r\n", "", 400},
		{"0\r\n\n", "", 400},
		{"0;a\r\n\r\n", "", 400},
		{"05\r\nhello\r\n0\r\n\r\n", "", 400},
		{"5\r\nhello\r\n00\r\n\r\n", "", 400},
		{"g\r\n", "", 400},
		{"fffffffffffffffff\r\n", "", 400},
		{"ffffffffffffffff\r\n", "", 413},
		{"8000000000000001\r\n", "", 413},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		int got = read_chunks_every_way(v[i].text, 64, v[i].body);

		if (got != v[i].want)
			fprintf(stderr, "chunks %zu: %d, not %d\n", i, got, v[i].want);
		CHECK(got == v[i].want);
	}
}

static void chunked_body_has_a_limit(void)
{
	CHECK(read_chunks_every_way("5\r\nhello\r\n0\r\n\r\n", 5, "hello") == 1);
	CHECK(read_chunks_every_way("5\r\nhello\r\n0\r\n\r\n", 4, "") == 413);
	CHECK(read_chunks_every_way("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 5, "hello") == 1);
	CHECK(read_chunks_every_way("3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n", 5, "") == 413);
}

/* What stands behind the last chunk belongs to the next request. */
static void chunks_stop_at_their_end(void)
{
	static const char text[] = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
	struct buf body;
	size_t used;

	buf_init(&body, 16);
	for (size_t step = 1; step <= sizeof(text) - 1; step++) {
		CHECK(read_chunks(text, sizeof(text) - 1, step, &body, &used) == 1);
		CHECK(used == 11);
	}
	buf_free(&body);
}

int main(void)
{
	RUN(good_heads_pass);
	RUN(bad_lines_are_refused);
	RUN(bad_framing_is_refused);
	RUN(request_line_has_a_limit);
	RUN(head_has_a_limit);
	RUN(fields_have_a_limit);
	RUN(head_is_read);
	RUN(a_type_is_one_and_not_coded);
	RUN(a_bearer_is_one_of_one_scheme);
	RUN(chunks_are_read_strictly);
	RUN(chunked_body_has_a_limit);
	RUN(chunks_stop_at_their_end);
	return unit_end();
}
