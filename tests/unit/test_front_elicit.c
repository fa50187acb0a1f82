/* What a client can be asked, its answer in a repeated call, and the page that it can be sent to. */
#include "tests/unit/front_rig.h"
#include "tests/unit/unit.h"

#define ID "0123456789abcdef0123456789abcdef"
#define PAGE "/approvals/" ID
#define CALL_FIELDS RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: a\r\n"

static const struct ipc_request *modern_call(struct rig *r, const char *capabilities, const char *more)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
		 "call\",\"params\":{\"name\":\"a\",\"arguments\":{\"x\":1}"
		 "%s,\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"a/b\":1,"
		 "\"io.modelcontextprotocol/clientCapabilities\":%s}}}",
		 more, capabilities);
	rig_post(r, CALL_FIELDS, body);
	return rig_take(r, IPC_REQUEST);
}

static const struct ipc_request *initialize(struct rig *r, const char *capabilities)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
		 "\"2025-11-25\",\"capabilities\":%s,\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}",
		 capabilities);
	rig_post(r, "", body);
	return rig_take(r, IPC_REQUEST);
}

static void capabilities_are_read(void)
{
	static const struct {
		const char *capabilities;
		uint8_t elicits;
	} v[] = {
		{"{}", 0},
		{"{\"elicitation\":{}}", ELICITS_FORM},
		{"{\"elicitation\":{\"form\":{}}}", ELICITS_FORM},
		{"{\"elicitation\":{\"url\":{}}}", ELICITS_URL},
		{"{\"sampling\":{},\"elicitation\":{\"form\":{\"x\":1},\"url\":{}}}", ELICITS_FORM | ELICITS_URL},
		{"{\"elicitation\":{\"url\":true}}", 0},
		{"{\"elicitation\":{\"other\":{}}}", 0},
		{"{\"elicitation\":true}", 0},
		{"{\"elicitation\":null}", 0},
		{"{\"elicitation\":[]}", 0},
		{"{\"form\":{},\"url\":{}}", 0},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();
		const struct ipc_request *q = modern_call(r, v[i].capabilities, "");

		CHECK(q != NULL && q->elicits == v[i].elicits && q->consented == ELICIT_NONE && q->state.n == 0);
		rig_free(r);
		r = rig_new();
		q = initialize(r, v[i].capabilities);
		CHECK(q != NULL && q->elicits == v[i].elicits);
		rig_free(r);
	}
}

/* Declared for one request, never remembered; and not where earlier revisions have their capabilities. */
static void other_requests_declare_nothing(void)
{
	struct rig *r = rig_new();
	const struct ipc_request *q;

	rig_post(r, "",
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"a\","
		 "\"capabilities\":{\"elicitation\":{\"url\":{}}},"
		 "\"_meta\":{\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{\"url\":{}}}}}}");
	q = rig_take(r, IPC_REQUEST);
	CHECK(q != NULL && q->era == ERA_LEGACY && q->elicits == 0);
	rig_free(r);
}

static void answers_are_taken(void)
{
	static const struct {
		const char *more, *state;
		enum elicit_answer answer;
	} v[] = {
		{",\"requestState\":\"" ID "\"", ID, ELICIT_NONE},
		{",\"requestState\":\"\\u0061b\"", "ab", ELICIT_NONE},
		{",\"requestState\":null", "", ELICIT_NONE},
		{",\"inputResponses\":{}", "", ELICIT_NONE},
		{",\"inputResponses\":{\"other\":5}", "", ELICIT_NONE},
		{",\"requestState\":\"" ID "\",\"inputResponses\":{\"approval\":{\"action\":\"accept\"}}", ID,
		 ELICIT_ACCEPT},
		{",\"inputResponses\":{\"approval\":{\"action\":\"decline\",\"content\":{\"a\":1}}}", "",
		 ELICIT_DECLINE},
		{",\"inputResponses\":{\"approval\":{\"action\":\"cancel\"},\"b\":{}}", "", ELICIT_CANCEL},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();
		const struct ipc_request *q = modern_call(r, "{}", v[i].more);

		CHECK(q != NULL && q->consented == v[i].answer);
		CHECK(q != NULL && q->state.n == strlen(v[i].state) && memcmp(q->state.p, v[i].state, q->state.n) == 0);
		CHECK(q != NULL && ipc_is(q->args, "{\"x\":1}") && ipc_is(q->meta, "{\"a/b\":1}"));
		rig_free(r);
	}
}

static void wrong_answers_are_refused(void)
{
	static const char long_state[] = ",\"requestState\":\"" ID ID ID ID ID ID ID ID "x\"";
	static const char *const v[] = {
		",\"requestState\":\"\"",
		",\"requestState\":5",
		",\"requestState\":{}",
		",\"requestState\":\"a\\u0000\"",
		long_state,
		",\"inputResponses\":[]",
		",\"inputResponses\":null",
		",\"inputResponses\":{\"approval\":\"accept\"}",
		",\"inputResponses\":{\"approval\":null}",
		",\"inputResponses\":{\"approval\":{}}",
		",\"inputResponses\":{\"approval\":{\"action\":\"Accept\"}}",
		",\"inputResponses\":{\"approval\":{\"action\":[\"accept\"]}}",
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();

		CHECK(modern_call(r, "{}", v[i]) == NULL);
		rig_read(r);
		CHECK(rig_status(r) == 200 && rig_has(r, "-32602"));
		rig_free(r);
	}
}

/* What the broker asks the client for reaches it as it is. */
static void questions_are_passed_on(void)
{
	struct rig *r = rig_new();
	const struct ipc_request *q = modern_call(r, "{\"elicitation\":{\"url\":{}}}", "");

	CHECK(q != NULL);
	if (q != NULL)
		rig_result(r, q->call,
			   "{\"resultType\":\"input_required\",\"inputRequests\":{\"approval\":{\"method\":"
			   "\"elicitation/create\",\"params\":{}}},\"requestState\":\"" ID "\"}",
			   NULL);
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_has(r, "\"resultType\":\"input_required\"") && !rig_has(r, "complete"));
	CHECK(rig_has(r, "\"inputRequests\":{\"approval\":") && rig_has(r, "\"requestState\":\"" ID "\""));
	rig_free(r);
}

/* As a browser asks: no token, no media types of ours. */
static void browse(struct rig *r, const char *method, const char *target, const char *fields)
{
	char text[512];

	snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: " RIG_HOST "\r\nAccept: text/html\r\n%s\r\n", method,
		 target, fields);
	rig_write(r, text, strlen(text));
	rig_read(r);
}

static void page_tells_how_to_approve(void)
{
	struct rig *r = rig_new();
	char length[64];

	browse(r, "GET", PAGE, "");
	CHECK(rig_status(r) == 200 && rig_has(r, "Content-Type: text/html; charset=utf-8\r\n"));
	CHECK(rig_has(r, "\r\nCache-Control: no-store\r\n") && rig_has(r, "\r\nReferrer-Policy: no-referrer\r\n"));
	CHECK(rig_has(r, "\r\nContent-Security-Policy: default-src 'none'; "));
	CHECK(rig_has(r, "frame-ancestors 'none'\r\n") && rig_has(r, "\r\nX-Frame-Options: DENY\r\n"));
	CHECK(rig_has(r, "keepgate approvals show " ID "<") && rig_has(r, "keepgate approvals approve " ID "<"));
	CHECK(!rig_has(r, "<script") && !rig_has(r, "href") && !rig_has(r, "src=") && !rig_has(r, "<form"));
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(rig_body(r)));
	CHECK(rig_has(r, length));

	browse(r, "HEAD", PAGE, "");
	CHECK(rig_status(r) == 200 && rig_has(r, length) && rig_body(r)[0] == '\0');
	/* The connection is still in step. */
	browse(r, "GET", PAGE, "");
	CHECK(rig_status(r) == 200 && rig_body(r)[0] == '<');
	CHECK(rig_take(r, IPC_REQUEST) == NULL);
	rig_free(r);
}

static void style_is_the_one_allowed(void)
{
	struct rig *r = rig_new();
	unsigned char hash[crypto_hash_sha256_BYTES];
	char text[64] = "", want[96];
	const char *from, *to;

	browse(r, "GET", PAGE, "");
	from = strstr(rig_body(r), "<style>");
	to = strstr(rig_body(r), "</style>");
	CHECK(from != NULL && to != NULL && from < to);
	if (from != NULL && to != NULL) {
		from += strlen("<style>");
		crypto_hash_sha256(hash, (const unsigned char *)from, (unsigned long long)(to - from));
		sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	}
	snprintf(want, sizeof(want), "style-src 'sha256-%s'", text);
	CHECK(rig_has(r, want));
	rig_free(r);
}

static void page_is_checked_like_the_rest(void)
{
	static const struct {
		const char *method, *target, *fields;
		int status;
	} v[] = {
		{"GET", "/approvals/", "", 404},
		{"GET", "/approvals", "", 404},
		{"GET", PAGE "0", "", 404},
		{"GET", PAGE "/", "", 404},
		{"GET", PAGE "?a=1", "", 404},
		{"GET", "/approvals/0123456789ABCDEF0123456789abcdef", "", 404},
		{"GET", "/approvals/0123456789abcdef0123456789abcde", "", 404},
		{"GET", "/approvals/<b>3456789abcdef0123456789abcdef", "", 404},
		{"GET", "/approvals/%30123456789abcdef0123456789abcd", "", 404},
		{"HEAD", "/approvals/x", "", 404},
		{"HEAD", "/mcp", "", 405},
		{"POST", PAGE, "Content-Length: 0\r\n", 405},
		{"DELETE", PAGE, "", 405},
		{"OPTIONS", PAGE, "Origin: https://tools.example.com\r\n", 405},
		{"GET", PAGE, "Origin: https://evil.example\r\n", 403},
		{"GET", PAGE, "Origin: null\r\n", 403},
		{"GET", PAGE, "Origin: http://127.0.0.1:8931\r\n", 200},
	};
	static const char rebound[] = "GET " PAGE " HTTP/1.1\r\nHost: evil.example:8931\r\n\r\n";
	struct rig *r;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		r = rig_new();
		browse(r, v[i].method, v[i].target, v[i].fields);
		if (rig_status(r) != v[i].status)
			fprintf(stderr, "%s %s: %d\n", v[i].method, v[i].target, rig_status(r));
		CHECK(rig_status(r) == v[i].status);
		CHECK(v[i].status != 405 || v[i].target[1] == 'm' || rig_has(r, "Allow: GET, HEAD\r\n"));
		CHECK(strcmp(v[i].method, "HEAD") != 0 || rig_body(r)[0] == '\0');
		CHECK(rig_take(r, IPC_REQUEST) == NULL);
		rig_free(r);
	}
	r = rig_new();
	rig_write(r, rebound, sizeof(rebound) - 1);
	rig_read(r);
	CHECK(rig_status(r) == 403);
	rig_free(r);
}

int main(void)
{
	RUN(capabilities_are_read);
	RUN(other_requests_declare_nothing);
	RUN(answers_are_taken);
	RUN(wrong_answers_are_refused);
	RUN(questions_are_passed_on);
	RUN(page_tells_how_to_approve);
	RUN(style_is_the_one_allowed);
	RUN(page_is_checked_like_the_rest);
	return unit_end();
}
