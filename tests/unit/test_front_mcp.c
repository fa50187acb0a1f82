/* MCP at the edge: who may speak, which era a message belongs to, what goes to the broker and how answers come back. */
#include "tests/unit/front_rig.h"
#include "tests/unit/unit.h"

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
#define CALL(id, meta)                                                                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"notes__add\","            \
	"\"arguments\":{ \"n\" : 1.10, \"big\":9223372036854775807 },\"_meta\":{" meta "}}}"
#define CALL_FIELDS RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: notes__add\r\n"
#define MODERN(method, more)                                                                                           \
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":{\"_meta\":{" RIG_ENVELOPE "}" more "}}"

struct vector {
	const char *what, *line, *fields, *body;
	int status;
	const char *holds; /* a piece of the answer, or NULL */
};

/* Each on a connection of its own; nothing of it may reach the broker. */
static void run_vectors(const struct vector *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rig *r = rig_new();

		rig_request(r, v[i].line, v[i].fields, v[i].body);
		rig_read(r);
		if (rig_status(r) != v[i].status || (v[i].holds != NULL && !rig_has(r, v[i].holds)))
			fprintf(stderr, "%s: not %d %s:\n%s\n", v[i].what, v[i].status, v[i].holds ? v[i].holds : "",
				r->got);
		CHECK(rig_status(r) == v[i].status);
		CHECK(v[i].holds == NULL || rig_has(r, v[i].holds));
		CHECK(rig_take(r, IPC_REQUEST) == NULL);
		CHECK(rig_linked(r));
		rig_free(r);
	}
}

#define RUN_VECTORS(table) run_vectors(table, sizeof(table) / sizeof((table)[0]))

static void edge_is_checked(void)
{
	static const struct vector v[] = {
		{"another path", "POST /", RIG_MEDIA, PING, 404, NULL},
		{"a longer path", "POST /mcpx", RIG_MEDIA, PING, 404, NULL},
		{"an empty server", "POST /mcp/", RIG_MEDIA, PING, 404, NULL},
		{"a deeper path", "POST /mcp/notes/x", RIG_MEDIA, PING, 404, NULL},
		{"an upper-case server", "POST /mcp/Notes", RIG_MEDIA, PING, 404, NULL},
		{"a token in the query", "POST /mcp?access_token=x", RIG_MEDIA, PING, 404, NULL},
		{"a dot segment", "POST /x/../mcp", RIG_MEDIA, PING, 404, NULL},
		{"an encoded path", "POST /%6dcp", RIG_MEDIA, PING, 404, NULL},
		{"GET", "GET /mcp", RIG_MEDIA, "", 405, "Allow: POST, DELETE\r\n"},
		{"PUT", "PUT /mcp", RIG_MEDIA, PING, 405, "Allow: POST, DELETE\r\n"},
		{"a foreign origin", "POST /mcp", RIG_MEDIA "Origin: https://evil.example\r\n", PING, 403, NULL},
		{"the null origin", "POST /mcp", RIG_MEDIA "Origin: null\r\n", PING, 403, NULL},
		{"a prefix of an allowed origin", "POST /mcp", RIG_MEDIA "Origin: https://tools.example.co\r\n", PING,
		 403, NULL},
		{"an allowed origin as a prefix", "POST /mcp", RIG_MEDIA "Origin: https://tools.example.com.evil\r\n",
		 PING, 403, NULL},
		{"preflight of a foreign origin", "OPTIONS /mcp", "Origin: https://evil.example\r\n", "", 403, NULL},
		{"no media type", "POST /mcp", "Accept: application/json, text/event-stream\r\n", PING, 415, NULL},
		{"another media type", "POST /mcp",
		 "Content-Type: text/plain\r\nAccept: application/json, text/event-stream\r\n", PING, 415, NULL},
		{"no Accept", "POST /mcp", "Content-Type: application/json\r\n", PING, 406, NULL},
		{"half an Accept", "POST /mcp", "Content-Type: application/json\r\nAccept: application/json\r\n", PING,
		 406, NULL},
		{"a second authorization", "POST /mcp", RIG_MEDIA "Authorization: Bearer x\r\n", PING, 401,
		 "WWW-Authenticate: Bearer"},
	};

	RUN_VECTORS(v);
}

static void post_with(const char *host, const char *authorization, int status)
{
	struct rig *r = rig_new();
	char text[512];

	snprintf(text, sizeof(text),
		 "POST /mcp HTTP/1.1\r\nHost: %s\r\n%s" RIG_MEDIA "Content-Length: %zu\r\n\r\n" PING, host,
		 authorization, strlen(PING));
	rig_write(r, text, strlen(text));
	rig_read(r);
	CHECK(rig_status(r) == status);
	CHECK(status != 401 || rig_has(r, "\r\nWWW-Authenticate: Bearer"));
	CHECK(rig_take(r, IPC_REQUEST) == NULL);
	rig_free(r);
}

/* A rebound name is not ours; a token is told by its form before the broker is asked. */
static void host_and_token_are_checked(void)
{
	post_with("evil.example", "", 403);
	post_with("evil.example:8931", "", 403);
	post_with("127.0.0.1", "", 403);
	post_with("127.0.0.1:8932", "", 403);
	post_with("127.0.0.1:8931:8931", "", 403);
	post_with("127.0.0.1.evil.example:8931", "", 403);
	post_with("localhost:8931", "", 401);
	post_with("[::1]:8931", "", 401);
	post_with(RIG_HOST, "", 401);
	post_with(RIG_HOST, "Authorization: Bearer\r\n", 401);
	post_with(RIG_HOST, "Authorization: Bearer kgs_short\r\n", 401);
	post_with(RIG_HOST, "Authorization: Basic YTpi\r\n", 401);
	post_with(RIG_HOST, "Authorization: Bearer kgs_0000000000000000000000000000000000000000000000000\r\n", 401);
}

static void preflight_of_an_allowed_origin(void)
{
	struct rig *r = rig_new();
	static const char text[] =
		"OPTIONS /mcp HTTP/1.1\r\nHost: " RIG_HOST "\r\nOrigin: https://tools.example.com\r\n"
		"Access-Control-Request-Method: POST\r\n\r\n";

	rig_write(r, text, sizeof(text) - 1);
	rig_read(r);
	CHECK(rig_status(r) == 204);
	CHECK(rig_has(r, "Access-Control-Allow-Origin: https://tools.example.com\r\n"));
	CHECK(rig_has(r, "Access-Control-Allow-Methods: POST, DELETE\r\n"));
	CHECK(rig_has(r, "Authorization") && rig_has(r, "Mcp-Session-Id") && rig_has(r, "Vary: Origin\r\n"));
	CHECK(!rig_has(r, "Content-Length"));
	rig_free(r);
}

static void messages_are_checked(void)
{
	static const struct vector v[] = {
		{"no JSON", "POST /mcp", RIG_MEDIA, "{", 400, "-32700"},
		{"nothing", "POST /mcp", RIG_MEDIA, "", 400, "-32700"},
		{"a duplicate name", "POST /mcp", RIG_MEDIA,
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"method\":\"ping\"}", 400, "-32700"},
		{"ill-formed UTF-8", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", 400,
		 "-32700"},
		{"an empty batch", "POST /mcp", RIG_MEDIA, "[]", 400, "-32600"},
		{"a batch", "POST /mcp", RIG_MEDIA, "[" PING "]", 400, "-32600"},
		{"a string", "POST /mcp", RIG_MEDIA, "\"ping\"", 400, "-32600"},
		{"no jsonrpc", "POST /mcp", RIG_MEDIA, "{\"id\":5,\"method\":\"ping\"}", 400, "\"id\":5,"},
		{"another jsonrpc", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"ping\"}", 400,
		 "-32600"},
		{"no method", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":5}", 400, "-32600"},
		{"a null id", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", 400,
		 "-32600"},
		{"a fraction as id", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}",
		 400, "-32600"},
		{"an exponent as id", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":1e3,\"method\":\"ping\"}",
		 400, "-32600"},
		{"an object as id", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", 400,
		 "-32600"},
		{"params as an array", "POST /mcp", RIG_MEDIA,
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\",\"params\":[]}", 400, "\"id\":5,"},
		{"a response", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}", 202, NULL},
		{"an error response", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{}}", 202, NULL},
	};

	RUN_VECTORS(v);
}

/* Digest, sections 1, 2.4 and 2.6. */
static void legacy_is_checked(void)
{
	static const struct vector v[] = {
		{"an unknown method", "POST /mcp", RIG_MEDIA, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"no/such\"}",
		 200, "-32601"},
		{"a modern method", "POST /mcp", RIG_MEDIA,
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"server/discover\"}", 200, "-32601"},
		{"an unknown version", "POST /mcp", RIG_MEDIA "MCP-Protocol-Version: 2020-01-01\r\n", PING, 400,
		 "\"id\":1,"},
		{"initialize with a modern header", "POST /mcp", RIG_MEDIA RIG_VERSION,
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-"
		 "25\"}}",
		 400, "-32020"},
		{"initialize without a version", "POST /mcp", RIG_MEDIA,
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"initialize\",\"params\":{}}", 200, "-32602"},
		{"a call without a name", "POST /mcp", RIG_MEDIA,
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{}}", 200, "-32602"},
		{"arguments as an array", "POST /mcp", RIG_MEDIA,
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/"
		 "call\",\"params\":{\"name\":\"a\",\"arguments\":[]}}",
		 200, "-32602"},
		{"a NUL in a name", "POST /mcp", RIG_MEDIA,
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":\"a\\u0000\"}}", 200,
		 "-32602"},
	};

	RUN_VECTORS(v);
}

static void modern_is_checked(void)
{
	static const struct vector v[] = {
		{"no envelope", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: tools/list\r\n",
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\"}", 400, "-32602"},
		{"half an envelope", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: tools/list\r\n",
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
		 "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}",
		 400, "-32602"},
		{"a number as version", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: tools/list\r\n",
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
		 "\"io.modelcontextprotocol/protocolVersion\":1,\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
		 400, "-32602"},
		{"the envelope before the headers", "POST /mcp", RIG_MEDIA "MCP-Protocol-Version: 2025-11-25\r\n",
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
		 "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}",
		 400, "-32602"},
		{"another version in the header", "POST /mcp",
		 RIG_MEDIA "MCP-Protocol-Version: 2025-11-25\r\nMcp-Method: tools/list\r\n", MODERN("tools/list", ""),
		 400, "-32020"},
		{"no version in the header", "POST /mcp", RIG_MEDIA "Mcp-Method: tools/list\r\n",
		 MODERN("tools/list", ""), 400, "-32020"},
		{"no Mcp-Method", "POST /mcp", RIG_MEDIA RIG_VERSION, MODERN("tools/list", ""), 400, "-32020"},
		{"another Mcp-Method", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: tools/call\r\n",
		 MODERN("tools/list", ""), 400, "-32020"},
		{"upper-case Mcp-Method", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: TOOLS/LIST\r\n",
		 MODERN("tools/list", ""), 400, "-32020"},
		{"no Mcp-Name", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: tools/call\r\n",
		 CALL("7", RIG_ENVELOPE), 400, "-32020"},
		{"another Mcp-Name", "POST /mcp",
		 RIG_MEDIA RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: notes__Add\r\n", CALL("7", RIG_ENVELOPE),
		 400, "-32020"},
		{"a bad alphabet in a sentinel", "POST /mcp",
		 RIG_MEDIA RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: =?base64?bm90ZXN!?=\r\n",
		 CALL("7", RIG_ENVELOPE), 400, "-32020"},
		{"bad padding in a sentinel", "POST /mcp",
		 RIG_MEDIA RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: =?base64?bm90ZXNfX2FkZA=?=\r\n",
		 CALL("7", RIG_ENVELOPE), 400, "-32020"},
		{"a sentinel in other letters", "POST /mcp",
		 RIG_MEDIA RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: =?BASE64?bm90ZXNfX2FkZA==?=\r\n",
		 CALL("7", RIG_ENVELOPE), 400, "-32020"},
		{"an unknown method", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: no/such\r\n",
		 MODERN("no/such", ""), 404, "-32601"},
		{"a removed method", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: ping\r\n", MODERN("ping", ""), 404,
		 "-32601"},
		{"an enveloped initialize", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: initialize\r\n",
		 MODERN("initialize", ""), 404, "-32601"},
		{"a bad client identity", "POST /mcp", RIG_MEDIA RIG_VERSION "Mcp-Method: tools/list\r\n",
		 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/list\",\"params\":{\"_meta\":{" RIG_ENVELOPE
		 ",\"io.modelcontextprotocol/clientInfo\":\"me\"}}}",
		 400, "-32602"},
	};
	static const struct vector version[] = {
		{"a version of the future", "POST /mcp",
		 RIG_MEDIA "MCP-Protocol-Version: 2099-01-01\r\nMcp-Method: tools/list\r\n",
		 "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"tools/list\",\"params\":{\"_meta\":{"
		 "\"io.modelcontextprotocol/protocolVersion\":\"2099-01-01\","
		 "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
		 400, "-32022"},
	};

	RUN_VECTORS(v);
	RUN_VECTORS(version);
}

static bool is(struct ipc_bytes b, const char *text)
{
	if (!ipc_is(b, text))
		fprintf(stderr, "\"%.*s\", not \"%s\"\n", (int)b.n, (const char *)b.p, text);
	return ipc_is(b, text);
}

/* Takes the request that must be there, and gives its call. */
static uint64_t taken(struct rig *r, uint8_t method, uint8_t era)
{
	const struct ipc_request *q = rig_take(r, IPC_REQUEST);

	CHECK(q != NULL);
	if (q == NULL)
		return 0;
	CHECK(q->method == method && q->era == era);
	return q->call;
}

static void call_goes_to_the_broker(void)
{
	struct rig *r = rig_new();
	const struct ipc_request *q;

	rig_request(r, "POST /mcp/notes", RIG_MEDIA CALL_FIELDS,
		    CALL("\"c\\u002d41\"", RIG_ENVELOPE
			 ",\"progressToken\":12,\"example.com/a\": [ 1 ],\"baggage\":\"u=1\","
			 "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"desk\",\"version\":\"3.2\"}"));
	q = rig_take(r, IPC_REQUEST);
	CHECK(q != NULL);
	if (q != NULL) {
		CHECK(q->era == ERA_MODERN && q->method == MCP_TOOLS_CALL && q->wants_progress == 1);
		CHECK(is(q->version, "2026-07-28") && is(q->server, "notes") && is(q->name, "notes__add"));
		CHECK(is(q->rpc_id, "\"c\\u002d41\"") && is(q->client, "desk/3.2") && is(q->source, "127.0.0.1:50000"));
		CHECK(is(q->args, "{\"n\":1.10,\"big\":9223372036854775807}"));
		CHECK(is(q->meta, "{\"example.com/a\":[1]}"));
		CHECK(q->token.n == TOKEN_LEN && sodium_memcmp(q->token.p, r->token, TOKEN_LEN) == 0);
		rig_result(r, q->call, "{\"content\":[], \"x\": 1.10}", NULL);
	}
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_has(r, "Content-Type: application/json\r\n"));
	CHECK(rig_has(r, "{\"jsonrpc\":\"2.0\",\"id\":\"c\\u002d41\",\"result\":{"));
	CHECK(rig_has(r, "\"resultType\":\"complete\"") && rig_has(r, "\"x\":1.10"));
	CHECK(rig_has(r, "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"keepgate\"") && !rig_has(r, "ttlMs"));
	rig_free(r);
}

static void trace_context_is_checked(void)
{
	static const struct {
		const char *meta, *want;
	} v[] = {
		{"\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"",
		 "{\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}"},
		{"\"traceparent\":\"00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"", "{}"},
		{"\"traceparent\":\"00-00000000000000000000000000000000-00f067aa0ba902b7-01\"", "{}"},
		{"\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01\"", "{}"},
		{"\"traceparent\":\"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"", "{}"},
		{"\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x\"", "{}"},
		{"\"traceparent\":5", "{}"},
		{"\"tracestate\":\"a=b\"", "{}"},
		{"\"io.modelcontextprotocol/logLevel\":\"info\"", "{}"},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();
		const struct ipc_request *q;
		char body[512];

		snprintf(body, sizeof(body),
			 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
			 "call\",\"params\":{\"name\":\"a\",\"_meta\":{%s}}}",
			 v[i].meta);
		rig_post(r, "", body);
		q = rig_take(r, IPC_REQUEST);
		CHECK(q != NULL && is(q->meta, v[i].want) && is(q->args, "{}"));
		rig_free(r);
	}
}

static void encoded_name_is_read(void)
{
	struct rig *r = rig_new();

	rig_post(r, RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: =?base64?bm90ZXNfX2FkZA==?=\r\n",
		 CALL("7", RIG_ENVELOPE));
	CHECK(taken(r, MCP_TOOLS_CALL, ERA_MODERN) != 0);
	rig_free(r);
}

static void legacy_session(void)
{
	struct rig *r = rig_new();
	const struct ipc_request *q;

	rig_post(r, "",
		 "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-03-"
		 "26\","
		 "\"capabilities\":{},\"clientInfo\":{\"name\":\"old\",\"version\":\"1\"}}}");
	q = rig_take(r, IPC_REQUEST);
	CHECK(q != NULL);
	if (q != NULL) {
		CHECK(q->method == MCP_INITIALIZE && q->era == ERA_LEGACY && is(q->version, "2025-03-26"));
		CHECK(is(q->client, "old/1") && is(q->mcp_session, "") && is(q->rpc_id, "0"));
		rig_result(r, q->call, "{\"protocolVersion\":\"2025-11-25\"}", "0123456789abcdef0123456789abcdef");
	}
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_has(r, "\r\nMcp-Session-Id: 0123456789abcdef0123456789abcdef\r\n"));
	CHECK(strcmp(rig_body(r), "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-11-25\"}}") ==
	      0);

	rig_post(r, "Mcp-Session-Id: 0123456789abcdef0123456789abcdef\r\nMCP-Protocol-Version: 2025-11-25\r\n",
		 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
	q = rig_take(r, IPC_REQUEST);
	CHECK(q != NULL && q->method == MCP_INITIALIZED && is(q->mcp_session, "0123456789abcdef0123456789abcdef"));
	if (q != NULL)
		rig_accepted(r, q->call, 202);
	rig_read(r);
	CHECK(rig_status(r) == 202 && rig_body(r)[0] == '\0');

	rig_post(r, "",
		 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"a\"}}");
	q = rig_take(r, IPC_REQUEST);
	CHECK(q != NULL && q->method == MCP_CANCELLED && is(q->rpc_id, "\"a\""));
	if (q != NULL)
		rig_accepted(r, q->call, 202);
	rig_read(r);

	rig_request(r, "DELETE /mcp", "Mcp-Session-Id: 0123456789abcdef0123456789abcdef\r\n", "");
	q = rig_take(r, IPC_REQUEST);
	CHECK(q != NULL && q->method == MCP_SESSION_DELETE && is(q->mcp_session, "0123456789abcdef0123456789abcdef"));
	if (q != NULL)
		rig_accepted(r, q->call, 200);
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_body(r)[0] == '\0');
	rig_free(r);
}

static void answers_have_their_era(void)
{
	struct rig *r = rig_new();
	uint64_t call;

	rig_post(r, RIG_VERSION "Mcp-Method: tools/list\r\n", MODERN("tools/list", ""));
	call = taken(r, MCP_TOOLS_LIST, ERA_MODERN);
	rig_result(r, call,
		   "{\"tools\":[],\"cacheScope\":\"public\",\"_meta\":{\"a.example/b\":1,"
		   "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"other\"}}}",
		   NULL);
	rig_read(r);
	CHECK(rig_has(r, "\"cacheScope\":\"private\"") && !rig_has(r, "public") && rig_has(r, "\"ttlMs\":0"));
	CHECK(rig_has(r, "\"a.example/b\":1") && rig_has(r, "keepgate") && !rig_has(r, "other"));

	rig_post(r, "", CALL("\"x\"", ""));
	call = taken(r, MCP_TOOLS_CALL, ERA_LEGACY);
	rig_result(r, call, "{\"content\":[],\"isError\":true,\"unknown\":{\"a\":1e400}}", NULL);
	rig_read(r);
	CHECK(strcmp(rig_body(r), "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"content\":[],\"isError\":true,"
				  "\"unknown\":{\"a\":1e400}}}") == 0);
	rig_free(r);
}

static void errors_have_their_status(void)
{
	static const struct {
		uint32_t http;
		int32_t code;
		const char *holds;
	} v[] = {
		{200, -32602, "\"code\":-32602,\"message\":\"no \\\"such\\\" tool\""},
		{401, -32001, "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"},
		{403, -32001, "\"id\":1,"},
		{404, -32001, "\"id\":1,"},
		{503, -32603, "\"id\":1,"},
	};
	struct rig *r = rig_new();

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rig_post(r, "", PING);
		rig_error(r, taken(r, MCP_PING, ERA_LEGACY), v[i].http, v[i].code, "no \"such\" tool");
		rig_read(r);
		CHECK(rig_status(r) == (int)v[i].http && rig_has(r, v[i].holds));
	}
	rig_free(r);
}

/* The broker's bytes are no more believed than a client's. */
static void bad_results_are_not_passed_on(void)
{
	static const char *const bad[] = {"", "[]", "{", "{}{}", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}", "1"};
	struct rig *r = rig_new();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_post(r, "", PING);
		rig_result(r, taken(r, MCP_PING, ERA_LEGACY), bad[i], NULL);
		rig_read(r);
		CHECK(rig_status(r) == 502 && rig_has(r, "-32603"));
	}
	rig_post(r, "", PING);
	rig_result(r, taken(r, MCP_PING, ERA_LEGACY), "{}", "a\r\nX-Injected: b");
	rig_read(r);
	CHECK(rig_status(r) == 200 && !rig_has(r, "X-Injected"));
	rig_free(r);
}

static void late_and_foreign_answers_find_nobody(void)
{
	struct rig *r = rig_new();
	uint64_t call;

	rig_result(r, 0, "{}", NULL);
	rig_result(r, UINT64_MAX, "{}", NULL);
	rig_post(r, "", PING);
	call = taken(r, MCP_PING, ERA_LEGACY);
	rig_result(r, call + 1, "{\"wrong\":1}", NULL);
	rig_result(r, call + (1ull << 32), "{\"wrong\":1}", NULL);
	rig_result(r, call, "{}", NULL);
	rig_result(r, call, "{\"wrong\":1}", NULL);
	rig_read(r);
	CHECK(strcmp(rig_body(r), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}") == 0);
	rig_free(r);
}

static void leaving_client_is_told(void)
{
	struct rig *r = rig_new();
	const struct ipc_request_gone *gone;
	uint64_t call;

	rig_post(r, "", CALL("1", ""));
	call = taken(r, MCP_TOOLS_CALL, ERA_LEGACY);
	close(r->client);
	r->client = -1;
	gone = rig_take(r, IPC_REQUEST_GONE);
	CHECK(gone != NULL && gone->call == call);
	rig_result(r, call, "{}", NULL);
	CHECK(rig_linked(r) && r->served.http.used == 0);
	rig_free(r);
}

static void broker_away_is_said(void)
{
	struct rig *r = rig_new();

	rig_post(r, "", PING);
	CHECK(taken(r, MCP_PING, ERA_LEGACY) != 0);
	close(r->broker);
	r->broker = -1;
	rig_read(r);
	CHECK(rig_status(r) >= 500 && rig_has(r, "-32603") && rig_has(r, "\"id\":1,"));
	rig_post(r, "", PING);
	rig_read(r);
	CHECK(rig_status(r) == 503 && rig_has(r, "-32603"));
	rig_broker(r);
	rig_post(r, "", PING);
	rig_result(r, taken(r, MCP_PING, ERA_LEGACY), "{}", NULL);
	rig_read(r);
	CHECK(rig_status(r) == 200);
	rig_free(r);
}

/* Answers come in the order of the requests, one request at a time. */
static void pipelined_requests_wait(void)
{
	struct rig *r = rig_new();
	char text[1024];
	uint64_t call;
	int n = 0;

	for (int i = 1; i <= 2; i++) {
		char body[64];
		int len = snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"ping\"}", i);

		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "POST /mcp HTTP/1.1\r\nHost: " RIG_HOST "\r\nAuthorization: Bearer %s\r\n" RIG_MEDIA
			      "Content-Length: %d\r\n\r\n%s",
			      r->token, len, body);
	}
	rig_write(r, text, (size_t)n);
	call = taken(r, MCP_PING, ERA_LEGACY);
	CHECK(rig_take(r, IPC_REQUEST) == NULL);
	rig_result(r, call, "{}", NULL);
	rig_result(r, taken(r, MCP_PING, ERA_LEGACY), "{}", NULL);
	rig_read(r);
	CHECK(rig_has(r, "\"id\":1,\"result\":{}}HTTP/1.1 200 OK") && rig_has(r, "\"id\":2,\"result\""));
	rig_free(r);
}

static void smuggled_request_is_not_seen(void)
{
	struct rig *r = rig_new();
	static const char text[] =
		"POST /mcp HTTP/1.1\r\nHost: " RIG_HOST "\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\nGET /mcp HTTP/1.1\r\nHost: " RIG_HOST "\r\n\r\n";

	rig_write(r, text, sizeof(text) - 1);
	rig_read(r);
	CHECK(rig_status(r) == 400 && rig_has(r, "Connection: close\r\n") && strstr(rig_body(r), "HTTP/1.1 ") == NULL);
	CHECK(rig_closed(r));
	rig_free(r);
}

int main(void)
{
	RUN(edge_is_checked);
	RUN(host_and_token_are_checked);
	RUN(preflight_of_an_allowed_origin);
	RUN(messages_are_checked);
	RUN(legacy_is_checked);
	RUN(modern_is_checked);
	RUN(call_goes_to_the_broker);
	RUN(trace_context_is_checked);
	RUN(encoded_name_is_read);
	RUN(legacy_session);
	RUN(answers_have_their_era);
	RUN(errors_have_their_status);
	RUN(bad_results_are_not_passed_on);
	RUN(late_and_foreign_answers_find_nobody);
	RUN(leaving_client_is_told);
	RUN(broker_away_is_said);
	RUN(pipelined_requests_wait);
	RUN(smuggled_request_is_not_seen);
	return unit_end();
}
