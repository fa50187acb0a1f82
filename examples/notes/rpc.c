#include "examples/notes/rpc.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "examples/notes/tools.h"

#define LEGACY "2025-11-25"
#define LEGACY_BEFORE "2025-06-18" /* the same for a server of three tools */
#define MODERN "2026-07-28"
#define VERSION_MAX 32
#define SERVER_INFO "{\"name\":\"notes\",\"title\":\"Notes\",\"version\":\"1.0.0\"}"
#define CAPABILITIES "\"capabilities\":{\"tools\":{}},\"instructions\":\"Keeps notes until it is stopped.\""
#define META(name) "io.modelcontextprotocol/" name

struct request {
	const struct json_doc *d;
	uint32_t id, params, meta;
	bool modern;
	struct buf *out;
};

static void put_id(const struct request *r)
{
	put(r->out, "{\"jsonrpc\":\"2.0\",\"id\":");
	if (json_put_compact(r->out, r->d, r->id) != 0)
		put(r->out, "null");
}

static void put_error(const struct request *r, int code, const char *message, const char *data)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", code);
	put_id(r);
	put(r->out, ",\"error\":{\"code\":");
	put(r->out, number);
	put(r->out, ",\"message\":");
	put_string(r->out, message);
	put(r->out, data);
	put(r->out, "}}");
}

/* Opens the result object; members of a modern result stand in it already. */
static void begin_result(const struct request *r)
{
	put_id(r);
	put(r->out, ",\"result\":{");
	if (r->modern)
		put(r->out, "\"resultType\":\"complete\",\"_meta\":{\"" META("serverInfo") "\":" SERVER_INFO "},");
}

static void do_initialize(const struct request *r)
{
	bool before = json_is(r->d, json_get(r->d, r->params, "protocolVersion"), LEGACY_BEFORE);

	begin_result(r);
	put(r->out, before ? "\"protocolVersion\":\"" LEGACY_BEFORE "\"," : "\"protocolVersion\":\"" LEGACY "\",");
	put(r->out, CAPABILITIES ",\"serverInfo\":" SERVER_INFO "}}");
}

static void do_ping(const struct request *r)
{
	begin_result(r);
	put(r->out, "}}");
}

static void do_discover(const struct request *r)
{
	begin_result(r);
	put(r->out,
	    "\"supportedVersions\":[\"" MODERN "\"]," CAPABILITIES ",\"ttlMs\":3600000,\"cacheScope\":\"public\"}}");
}

static void do_list(const struct request *r)
{
	if (json_get(r->d, r->params, "cursor") != JSON_NONE) {
		put_error(r, -32602, "This cursor was not given by this server", "");
		return;
	}
	begin_result(r);
	put(r->out, r->modern ? "\"ttlMs\":3600000,\"cacheScope\":\"public\",\"tools\":" : "\"tools\":");
	tools_put_list(r->out);
	put(r->out, "}}");
}

static void do_call(const struct request *r)
{
	const struct tool *tool = tools_find(r->d, json_get(r->d, r->params, "name"));
	uint32_t args = json_get(r->d, r->params, "arguments");

	if (tool == NULL) {
		put_error(r, -32602, "Unknown tool", "");
		return;
	}
	if (args != JSON_NONE && json_kind(r->d, args) != JK_OBJECT) {
		put_error(r, -32602, "arguments must be an object", "");
		return;
	}
	begin_result(r);
	tools_run(tool, r->d, args, r->out);
	put(r->out, "}}");
}

enum era { IN_LEGACY = 1, IN_MODERN = 2 };

static const struct method {
	const char *name;
	unsigned eras;
	void (*run)(const struct request *r);
} methods[] = {
	{"initialize", IN_LEGACY, do_initialize},       {"ping", IN_LEGACY, do_ping},
	{"server/discover", IN_MODERN, do_discover},    {"tools/list", IN_LEGACY | IN_MODERN, do_list},
	{"tools/call", IN_LEGACY | IN_MODERN, do_call},
};

/* The envelope of a modern request: its version is ours, the required members are there. */
static bool envelope_is_right(const struct request *r, uint32_t version)
{
	char text[VERSION_MAX];
	struct buf data;

	if (json_unescape(r->d, version, text, sizeof(text)) != 0 ||
	    json_kind(r->d, json_get(r->d, r->meta, META("clientCapabilities"))) != JK_OBJECT) {
		put_error(r, -32602, "_meta needs " META("protocolVersion") " and " META("clientCapabilities"), "");
		return false;
	}
	if (strcmp(text, MODERN) == 0)
		return true;
	buf_init(&data, 512);
	put(&data, ",\"data\":{\"supported\":[\"" MODERN "\"],\"requested\":");
	put_string(&data, text);
	put(&data, "}");
	put_error(r, -32022, "Unsupported protocol version", buf_text(&data));
	buf_free(&data);
	return false;
}

static void run_method(struct request *r, uint32_t method)
{
	uint32_t version = json_get(r->d, r->meta, META("protocolVersion"));
	unsigned era;

	r->modern = version != JSON_NONE || json_is(r->d, method, "server/discover");
	if (r->modern && !envelope_is_right(r, version))
		return;
	era = r->modern ? IN_MODERN : IN_LEGACY;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		if ((methods[i].eras & era) != 0 && json_is(r->d, method, methods[i].name)) {
			methods[i].run(r);
			return;
		}
	}
	put_error(r, -32601, "Method not found", "");
}

void rpc_answer(struct json_doc *d, const char *line, size_t len, struct buf *out)
{
	struct request r = {.d = d, .id = JSON_NONE, .out = out};
	uint32_t method, id;

	if (json_scan(d, line, len, NULL) != 0) {
		put_error(&r, -32700, "Parse error", "");
		return;
	}
	method = json_get(d, 0, "method");
	id = json_get(d, 0, "id");
	r.params = json_get(d, 0, "params");
	r.meta = json_get(d, r.params, "_meta");
	if (json_kind(d, id) == JK_STRING || json_kind(d, id) == JK_NUMBER)
		r.id = id;
	if (!json_is(d, json_get(d, 0, "jsonrpc"), "2.0") || json_kind(d, method) != JK_STRING ||
	    (id != JSON_NONE && r.id == JSON_NONE))
		put_error(&r, -32600, "Invalid request", "");
	else if (id != JSON_NONE) /* without an id it is a notification, and none changes anything here */
		run_method(&r, method);
}
