/* What goes to the server: messages of both eras, header values; and what is read of its answers. */
#include "gatewayd/upstream/wire.h"

#include <string.h>

#include <sodium.h>

#include "common/version.h"
#include "gatewayd/upstream/exchange_head.h"
#include "common/outbound/header.h"
#include "common/outbound/http_alloc.h"
#include "gatewayd/upstream/message.h"
#include "tests/unit/unit.h"

#define ENVELOPE                                                                                                       \
	"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientInfo\":{\"name\":" \
	"\"keepgate\",\"version\":\"" KEEPGATE_VERSION "\"},\"io.modelcontextprotocol/clientCapabilities\":{}"
#define CALL "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":"

static const struct {
	enum mcp_era era;
	const char *args, *meta;
	bool progress;
	const char *text;
} calls[] = {
	{ERA_LEGACY, "{}", "{}", false, CALL "{}}}"},
	{ERA_LEGACY, "{\"a\":1.10}", "{}", true, CALL "{\"a\":1.10},\"_meta\":{\"progressToken\":5}}}"},
	{ERA_LEGACY, "{}", "{\"x/y\":[1]}", false, CALL "{},\"_meta\":{\"x/y\":[1]}}}"},
	{ERA_LEGACY, "{}", "{\"x/y\":1}", true, CALL "{},\"_meta\":{\"x/y\":1,\"progressToken\":5}}}"},
	{ERA_MODERN, "{\"a\":9223372036854775807}", "{}", false,
	 CALL "{\"a\":9223372036854775807},\"_meta\":{" ENVELOPE "}}}"},
	{ERA_MODERN, "{}", "{}", true, CALL "{},\"_meta\":{" ENVELOPE ",\"progressToken\":5}}}"},
	{ERA_MODERN, "{}", "{\"x/y\":1}", false, CALL "{},\"_meta\":{" ENVELOPE ",\"x/y\":1}}}"},
	{ERA_MODERN, "{}", " { } ", true, CALL "{},\"_meta\":{" ENVELOPE ",\"progressToken\":5}}}"},
};

static void calls_are_made_in_the_era_s_form(void)
{
	struct json_doc d;

	json_init(&d);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct wire_call c = {.name = "t",
				      .args = {calls[i].args, strlen(calls[i].args)},
				      .meta = {calls[i].meta, strlen(calls[i].meta)},
				      .wants_progress = calls[i].progress};
		struct wire_call_at at;
		const char *why;
		struct buf out;

		buf_init(&out, WIRE_BODY_MAX);
		CHECK(wire_meta_check(&d, &c.meta, &why) == 0);
		CHECK(wire_put_call(&out, calls[i].era, 5, &c, &at) == 0);
		CHECK(strcmp(buf_text(&out), calls[i].text) == 0);
		CHECK(memcmp(buf_ptr(&out) + at.args, c.args.p, c.args.n) == 0 && at.args_len == c.args.n);
		CHECK(memcmp(buf_ptr(&out) + at.meta, c.meta.p, c.meta.n) == 0 && at.meta_len == c.meta.n);
		CHECK(json_scan(&d, (const char *)buf_ptr(&out), buf_len(&out), NULL) == 0);
		buf_free(&out);
	}
	json_free(&d);
}

static void what_could_break_out_is_refused(void)
{
	static const char *const bad_args[] = {
		"[1]", "1", "", "{\"a\":1}{}", "{\"a\":1,\n\"b\":2}", "{\r}", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}"};
	static const char *const bad_meta[] = {"{\"progressToken\":1}",
					       "{\"progress\\u0054oken\":1}",
					       "{\"io.modelcontextprotocol/protocolVersion\":\"x\"}",
					       "{\"io.modelcontextprotocol\\/clientInfo\":{}}",
					       "{\n\"jsonrpc\":\"2.0\"}",
					       "[]"};
	struct json_doc d;
	const char *why;

	json_init(&d);
	for (size_t i = 0; i < sizeof(bad_args) / sizeof(bad_args[0]); i++) {
		struct wire_bytes b = {bad_args[i], strlen(bad_args[i])};
		CHECK(wire_object_check(&d, b, &why) == KG_E_PROTO);
	}
	for (size_t i = 0; i < sizeof(bad_meta) / sizeof(bad_meta[0]); i++) {
		struct wire_bytes b = {bad_meta[i], strlen(bad_meta[i])};
		CHECK(wire_meta_check(&d, &b, &why) == KG_E_PROTO);
	}
	json_free(&d);
}

static bool is_text(struct buf *b, const char *text)
{
	bool same = strcmp(buf_text(b), text) == 0;

	if (!same)
		fprintf(stderr, "%s\n", buf_text(b));
	buf_reset(b);
	return same;
}

static void other_messages(void)
{
	struct buf b;

	buf_init(&b, WIRE_BODY_MAX);
	CHECK(wire_put_request(&b, ERA_MODERN, 1, "server/discover", "") == 0);
	CHECK(is_text(&b,
		      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{\"_meta\":{" ENVELOPE
		      "}}}"));
	CHECK(wire_put_request(&b, ERA_MODERN, 2, "tools/list", "\"cursor\":\"\"") == 0);
	CHECK(is_text(&b, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/"
			  "list\",\"params\":{\"cursor\":\"\",\"_meta\":{" ENVELOPE "}}}"));
	CHECK(wire_put_request(&b, ERA_LEGACY, 3, "tools/list", "") == 0);
	CHECK(is_text(&b, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\",\"params\":{}}"));
	CHECK(wire_put_initialize(&b, 4) == 0);
	CHECK(is_text(&b, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
			  "\"2025-11-25\","
			  "\"capabilities\":{},\"clientInfo\":{\"name\":\"keepgate\",\"version\":\"" KEEPGATE_VERSION
			  "\"}}}"));
	CHECK(wire_put_note(&b, "notifications/initialized", "") == 0);
	CHECK(is_text(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"));
	CHECK(wire_put_cancel(&b, 7, "no \"use\"\n") == 0);
	CHECK(is_text(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7,"
			  "\"reason\":\"no \\\"use\\\"\\n\"}}"));
	CHECK(wire_put_answer(&b, "ping", (struct wire_bytes){"\"p1\"", 4}) == 0);
	CHECK(is_text(&b, "{\"jsonrpc\":\"2.0\",\"id\":\"p1\",\"result\":{}}"));
	CHECK(wire_put_answer(&b, "roots/list", (struct wire_bytes){"8", 1}) == 0);
	CHECK(strstr(buf_text(&b), "\"code\":-32601") != NULL);
	CHECK(wire_version_era("2026-07-28") == ERA_MODERN && wire_version_era("2024-11-05") == ERA_LEGACY);
	CHECK(wire_version_era("2027-01-01") == 0 && wire_version_era("") == 0);
	buf_free(&b);
}

/* The table of the digest's section 2.5, and its edges. */
static const struct {
	const char *value, *header;
} encodings[] = {
	{"M\xC3\xBCller", "N: =?base64?TcO8bGxlcg==?="},
	{" lead", "N: =?base64?IGxlYWQ=?="},
	{"trail\t", "N: =?base64?dHJhaWwJ?="},
	{"a\nb", "N: =?base64?YQpi?="},
	{"=?base64?x?=", "N: =?base64?PT9iYXNlNjQ/eD89?="},
	{"=?base64?", "N: =?base64?PT9iYXNlNjQ/?="},
	{"=?BASE64?x?=", "N: =?BASE64?x?="},
	{"us west 1", "N: us west 1"},
	{"a\tb", "N: a\tb"},
	{"\x7f", "N: =?base64?fw==?="},
	{"", "N;"},
};

static void header_values_are_encoded(void)
{
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
		struct headers h;

		headers_init(&h);
		CHECK(headers_put_encoded(&h, "N", encodings[i].value, strlen(encodings[i].value)) == 0);
		struct curl_slist *list = headers_list(&h);
		CHECK(list && strcmp(list->data, encodings[i].header) == 0);
		headers_free(&h);
	}
}

static void header_lines_cannot_be_broken(void)
{
	struct headers h;
	char big[HEADER_VALUE_MAX + 1];

	headers_init(&h);
	CHECK(headers_puts(&h, "X-A", "b\r\nX-Evil: 1") == KG_E_INVALID);
	CHECK(headers_put(&h, "X-A", "b\0c", 3) == KG_E_INVALID);
	CHECK(headers_puts(&h, "X A", "b") == KG_E_INVALID);
	CHECK(headers_puts(&h, "", "b") == KG_E_INVALID);
	CHECK(headers_puts(&h, "X:", "b") == KG_E_INVALID);
	memset(big, 'x', sizeof(big));
	CHECK(headers_put(&h, "X", big, HEADER_VALUE_MAX) == 0);
	CHECK(headers_put(&h, "X", big, HEADER_VALUE_MAX + 1) == KG_E_LIMIT);
	CHECK(h.n == 1);
	headers_cut(&h, 0);
	for (int i = 0; i < HEADERS_MAX; i++)
		CHECK(headers_puts(&h, "X", "y") == 0);
	CHECK(headers_puts(&h, "X", "y") == KG_E_LIMIT);
	headers_free(&h);
	CHECK(header_is_reserved("Content-Length") && header_is_reserved("mcp-param-x") &&
	      header_is_reserved("Mcp-Name"));
	CHECK(!header_is_reserved("Authorization") && !header_is_reserved("X-Api-Key"));
}

static void cut_headers_are_wiped(void)
{
	struct headers h, copy;

	headers_init(&h);
	headers_init(&copy);
	CHECK(headers_puts(&h, "Authorization", "Bearer secret") == 0);
	CHECK(headers_puts(&h, "Accept", "x") == 0);
	CHECK(headers_copy(&copy, &h, 1) == 0);
	struct curl_slist *list = headers_list(&copy);
	CHECK(list && strcmp(list->data, "Authorization: Bearer secret") == 0 && list->next == NULL);
	CHECK(headers_copy(&copy, &h, 3) == KG_E_LIMIT);
	headers_cut(&h, 1);
	CHECK(h.n == 1 && strcmp(headers_list(&h)->data, "Authorization: Bearer secret") == 0);
	uint8_t *memory = h.text.data;
	headers_cut(&h, 0);
	CHECK(h.n == 0 && headers_list(&h) == NULL);
	CHECK(sodium_is_zero(memory, 32));
	headers_free(&h);
	headers_free(&copy);
}

static void allocator_keeps_sizes(void)
{
	char *p = wiping_strdup("secret"), *q = wiping_realloc(p, 100);

	CHECK(q && strcmp(q, "secret") == 0);
	q = wiping_realloc(q, 3);
	CHECK(q && memcmp(q, "sec", 3) == 0);
	wiping_free(q);
	wiping_free(NULL);
	CHECK(wiping_calloc(SIZE_MAX / 2, 4) == NULL);
	CHECK(wiping_malloc(SIZE_MAX) == NULL);
	char *zero = wiping_calloc(4, 4);
	CHECK(zero && sodium_is_zero((unsigned char *)zero, 16));
	wiping_free(zero);
}

static const struct {
	const char *text;
	int err;
	enum message_kind kind;
} messages[] = {
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 0, MESSAGE_RESULT},
	{"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"x\"}}", 0, MESSAGE_ERROR},
	{"{\"jsonrpc\":\"2.0\",\"error\":{}}", 0, MESSAGE_ERROR},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", 0, MESSAGE_REQUEST},
	{"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}", 0, MESSAGE_NOTE},
	{"{\"id\":1,\"result\":{}}", KG_E_PROTO, 0},
	{"{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":{}}", KG_E_PROTO, 0},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{}}", KG_E_PROTO, 0},
	{"{\"jsonrpc\":\"2.0\",\"id\":1}", KG_E_PROTO, 0},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}", KG_E_PROTO, 0},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", KG_E_PROTO, 0},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1,\"a\":2}}", KG_E_PROTO, 0},
	{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", KG_E_PROTO, 0},
	{"[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]", KG_E_PROTO, 0},
	{"", KG_E_PROTO, 0},
	{"<html>", KG_E_PROTO, 0},
};

static void answers_are_classified(void)
{
	struct json_doc d;
	struct message m;
	const char *why;

	json_init(&d);
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		CHECK(message_read(&d, messages[i].text, strlen(messages[i].text), &m, &why) == messages[i].err);
		CHECK(messages[i].err != 0 || m.kind == messages[i].kind);
	}
	json_free(&d);
}

static void errors_are_read(void)
{
	static const char head[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"data\":{\"a\": 1},\"message\":\"";
	char text[4096];
	struct message_error e;
	struct json_doc d;
	struct message m;
	const char *why;

	json_init(&d);
	snprintf(text, sizeof(text), "%sbad\"}}", head);
	CHECK(message_read(&d, text, strlen(text), &m, &why) == 0);
	message_error_read(&d, m.value, &e);
	CHECK(e.code == -32602 && strcmp(e.text, "bad") == 0);

	/* 1022 bytes fit, then a character of two bytes that would be cut in half. */
	size_t at = strlen(head);
	memcpy(text, head, at);
	memset(text + at, 'x', 1022);
	memcpy(text + at + 1022, "\xC3\xA4\"}}", 6);
	CHECK(message_read(&d, text, strlen(text), &m, &why) == 0);
	message_error_read(&d, m.value, &e);
	CHECK(strlen(e.text) == 1022 && e.text[1021] == 'x');

	static const char odd[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1e99,\"message\":7}}";
	CHECK(message_read(&d, odd, strlen(odd), &m, &why) == 0);
	message_error_read(&d, m.value, &e);
	CHECK(e.code == -32603);
	json_free(&d);
}

static int head_feed(struct exchange_head *h, const char *const *lines, size_t n)
{
	int err = 0;

	exchange_head_reset(h);
	for (size_t i = 0; i < n && err == 0; i++)
		err = exchange_head_line(h, lines[i], strlen(lines[i]));
	return err;
}

static void heads_are_read_and_bounded(void)
{
	static const char *const interim[] = {"HTTP/1.1 100 Continue\r\n",
					      "Content-Type: text/event-stream\r\n",
					      "\r\n",
					      "HTTP/1.1 200 OK\r\n",
					      "content-TYPE:  application/json; charset=utf-8 \r\n",
					      "MCP-Session-Id: abc-1\r\n"};
	static const char *const bad_session[] = {"HTTP/1.1 200 OK\r\n", "Mcp-Session-Id: a b\r\n"};
	static const char *const bad_status[] = {"HTTP/1.1 2x0 OK\r\n"};
	struct exchange_head h;
	int err = 0;

	CHECK(head_feed(&h, interim, 6) == 0);
	CHECK(h.status == 200 && h.type == EXCHANGE_JSON && strcmp(h.session, "abc-1") == 0);
	CHECK(head_feed(&h, bad_session, 2) == KG_E_PROTO);
	CHECK(head_feed(&h, bad_status, 1) == KG_E_PROTO);
	exchange_head_reset(&h);
	for (size_t i = 0; i < EXCHANGE_HEADER_LINES_MAX; i++)
		err |= exchange_head_line(&h, "A: b\r\n", 6);
	CHECK(err == 0);
	CHECK(exchange_head_line(&h, "A: b\r\n", 6) == KG_E_LIMIT);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(calls_are_made_in_the_era_s_form);
	RUN(what_could_break_out_is_refused);
	RUN(other_messages);
	RUN(header_values_are_encoded);
	RUN(header_lines_cannot_be_broken);
	RUN(cut_headers_are_wiped);
	RUN(allocator_keeps_sizes);
	RUN(answers_are_classified);
	RUN(errors_are_read);
	RUN(heads_are_read_and_bounded);
	return unit_end();
}
