/*
 * Which era a message belongs to, and whether its headers, envelope and parameters are right. The body
 * decides, the headers only cross-check (MCP 2026-07-28, "Server validation").
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "gatewayd/front/elicit.h"
#include "gatewayd/front/mcp.h"

/* Earlier revisions whose clients may initialize; the broker negotiates. */
static const char *const legacy_versions[] = {"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};

static const char modern_data[] = "{\"supported\":[\"" VERSION_MODERN "\"]}";

__attribute__((format(printf, 4, 5))) static void refuse(struct refusal *r, int status, int code, const char *fmt, ...)
{
	va_list ap;

	r->status = status;
	r->code = code;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
}

static bool is_legacy_version(const char *v)
{
	for (size_t i = 0; i < sizeof(legacy_versions) / sizeof(legacy_versions[0]); i++)
		if (strcmp(v, legacy_versions[i]) == 0)
			return true;
	return false;
}

/* Copies the raw bytes of an id or a progress token: a string or an integer, nothing else. */
static bool take_raw_id(const struct json_doc *d, uint32_t t, char out[RAW_ID_MAX + 1])
{
	size_t n;
	const char *raw;
	enum json_kind k = json_kind(d, t);

	if (k != JK_STRING && k != JK_NUMBER)
		return false;
	raw = json_raw(d, t, &n);
	if (n > RAW_ID_MAX)
		return false;
	if (k == JK_NUMBER &&
	    (memchr(raw, '.', n) != NULL || memchr(raw, 'e', n) != NULL || memchr(raw, 'E', n) != NULL))
		return false;
	memcpy(out, raw, n);
	out[n] = '\0';
	return true;
}

/* JSON-RPC 2.0: the members that make it a request or a notification. */
static void check_message(struct conn *c, const struct json_doc *d, struct refusal *r)
{
	uint32_t id = json_get(d, 0, "id"), method = json_get(d, 0, "method"), params = json_get(d, 0, "params");

	c->request.notification = id == JSON_NONE;
	if (id != JSON_NONE && !take_raw_id(d, id, c->request.id))
		refuse(r, 400, RPC_INVALID, "id must be a string or an integer of at most %d bytes", RAW_ID_MAX);
	else if (!json_is(d, json_get(d, 0, "jsonrpc"), "2.0"))
		refuse(r, 400, RPC_INVALID, "jsonrpc must be \"2.0\"");
	else if (json_kind(d, method) != JK_STRING)
		refuse(r, 400, RPC_INVALID, "method must be a string");
	else if (params != JSON_NONE && json_kind(d, params) != JK_OBJECT)
		refuse(r, 400, RPC_INVALID, "params must be an object");
}

static bool envelope_complete(const struct json_doc *d, uint32_t meta)
{
	return json_kind(d, json_get(d, meta, META_VERSION)) == JK_STRING &&
	       json_kind(d, json_get(d, meta, META_CAPABILITIES)) == JK_OBJECT;
}

static uint8_t choose_era(struct conn *c, const struct json_doc *d, uint32_t meta, struct refusal *r)
{
	bool enveloped = json_get(d, meta, META_VERSION) != JSON_NONE;
	bool header_modern = strcmp(c->head.version, VERSION_MODERN) == 0;

	if (json_is(d, json_get(d, 0, "method"), "initialize")) {
		if (envelope_complete(d, meta))
			return ERA_MODERN;
		if (header_modern)
			refuse(r, 400, RPC_HEADER, "MCP-Protocol-Version names %s, which has no initialize",
			       VERSION_MODERN);
		return ERA_LEGACY;
	}
	if (enveloped)
		return ERA_MODERN;
	if (!header_modern)
		return ERA_LEGACY;
	if (!c->request.notification)
		refuse(r, 400, RPC_PARAMS, "params._meta lacks %s%s", META_VERSION,
		       json_get(d, meta, META_CAPABILITIES) == JSON_NONE ? " and " META_CAPABILITIES : "");
	return ERA_MODERN;
}

/* What may stand in a header: visible ASCII, space, tab. Everything else is sent encoded. */
static bool is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if ((*s < 0x20 && *s != '\t') || *s > 0x7e)
			return false;
	return true;
}

/* =?base64?…?= or plain (2026-07-28, "Value encoding"). False for a broken sentinel or a value that is too long. */
static bool decode_header(const char *in, char *out, size_t size)
{
	static const char head[] = "=?base64?", tail[] = "?=";
	size_t n = strlen(in), hl = sizeof(head) - 1, tl = sizeof(tail) - 1, len;

	if (!is_plain(in))
		return false;
	if (n < hl + tl || memcmp(in, head, hl) != 0 || memcmp(in + n - tl, tail, tl) != 0) {
		if (n >= size)
			return false;
		memcpy(out, in, n + 1);
		return true;
	}
	if (sodium_base642bin((unsigned char *)out, size - 1, in + hl, n - hl - tl, NULL, &len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0)
		return false;
	out[len] = '\0';
	return memchr(out, 0, len) == NULL;
}

static void check_envelope(const struct json_doc *d, uint32_t meta, struct refusal *r)
{
	uint32_t client = json_get(d, meta, META_CLIENT);

	if (json_kind(d, json_get(d, meta, META_VERSION)) != JK_STRING)
		refuse(r, 400, RPC_PARAMS, "params._meta[\"%s\"] must be a string", META_VERSION);
	else if (json_kind(d, json_get(d, meta, META_CAPABILITIES)) != JK_OBJECT)
		refuse(r, 400, RPC_PARAMS, "params._meta[\"%s\"] must be an object", META_CAPABILITIES);
	else if (client != JSON_NONE && (json_kind(d, json_get(d, client, "name")) != JK_STRING ||
					 json_kind(d, json_get(d, client, "version")) != JK_STRING))
		refuse(r, 400, RPC_PARAMS, "params._meta[\"%s\"] must have name and version", META_CLIENT);
}

static void check_name_header(struct conn *c, const struct json_doc *d, const struct mcp_rule *rule, struct refusal *r)
{
	uint32_t name = json_get(d, json_get(d, 0, "params"), rule->name_param);
	char value[HEADER_MAX];

	if (!c->head.has_mcp_name)
		refuse(r, 400, RPC_HEADER, "the header Mcp-Name is missing");
	else if (!decode_header(c->head.mcp_name, value, sizeof(value)) || !json_is(d, name, value))
		refuse(r, 400, RPC_HEADER, "the header Mcp-Name does not equal params.%s", rule->name_param);
}

/* The order of checks is the official SDK's: disagreement, version, presence, name, method. */
static void check_modern(struct conn *c, const struct json_doc *d, const struct mcp_rule *rule, uint32_t meta,
			 struct refusal *r)
{
	uint32_t version = json_get(d, meta, META_VERSION);

	check_envelope(d, meta, r);
	if (r->code != 0)
		return;
	if (c->head.version[0] != '\0' && !json_is(d, version, c->head.version))
		refuse(r, 400, RPC_HEADER, "the header MCP-Protocol-Version does not equal params._meta");
	else if (c->head.has_mcp_method && !json_is(d, json_get(d, 0, "method"), c->head.mcp_method))
		refuse(r, 400, RPC_HEADER, "the header Mcp-Method does not equal method");
	else if (!json_is(d, version, VERSION_MODERN)) {
		refuse(r, 400, RPC_VERSION, "this protocol version is not supported");
		r->data = modern_data;
	} else if (c->head.version[0] == '\0')
		refuse(r, 400, RPC_HEADER, "the header MCP-Protocol-Version is missing");
	else if (!c->head.has_mcp_method)
		refuse(r, 400, RPC_HEADER, "the header Mcp-Method is missing");
	else if (rule != NULL && rule->name_param != NULL)
		check_name_header(c, d, rule, r);
	if (r->code == 0 && (rule == NULL || (rule->eras & ERA_MODERN) == 0))
		refuse(r, 404, RPC_NO_METHOD, "this method is not served here");
}

static void check_legacy(struct conn *c, const struct mcp_rule *rule, struct refusal *r)
{
	if (c->head.version[0] != '\0' && !is_legacy_version(c->head.version))
		refuse(r, 400, RPC_INVALID, "MCP-Protocol-Version: this version is not supported");
	else if (!c->request.notification && (rule == NULL || (rule->eras & ERA_LEGACY) == 0))
		refuse(r, 200, RPC_NO_METHOD, "this method is not served here");
}

static void take_call(const struct json_doc *d, struct ipc_request *q, char *name, size_t size, struct refusal *r)
{
	uint32_t params = json_get(d, 0, "params"), args = json_get(d, params, "arguments");
	const char *wrong;

	if (json_kind(d, json_get(d, params, "name")) != JK_STRING)
		refuse(r, 200, RPC_PARAMS, "params.name must be a string");
	else if (json_unescape(d, json_get(d, params, "name"), name, size) != KG_OK)
		refuse(r, 200, RPC_PARAMS, "Unknown tool: its name is longer than %zu bytes", size - 1);
	else if (args != JSON_NONE && json_kind(d, args) != JK_OBJECT)
		refuse(r, 200, RPC_PARAMS, "params.arguments must be an object");
	q->name = ipc_text(name);
	wrong = elicit_take_answer(d, params, q);
	if (wrong != NULL)
		refuse(r, 200, RPC_PARAMS, "%s", wrong);
}

/* "name/version" of the client, as it says itself: for the record, never for a decision. */
static void take_client(const struct json_doc *d, uint32_t info, char *out, size_t size)
{
	char name[96], version[32];

	out[0] = '\0';
	if (json_unescape(d, json_get(d, info, "name"), name, sizeof(name)) == KG_OK &&
	    json_unescape(d, json_get(d, info, "version"), version, sizeof(version)) == KG_OK)
		snprintf(out, size, "%s/%s", name, version);
}

/* A field over its maximum would end the link to the broker: an id that cannot be one stays here. */
static void take_cancelled(const struct json_doc *d, struct ipc_request *q, struct refusal *r)
{
	static char id[RAW_ID_MAX + 1];
	uint32_t t = json_get(d, json_get(d, 0, "params"), "requestId");

	if (t == JSON_NONE)
		return;
	if (take_raw_id(d, t, id))
		q->rpc_id = ipc_text(id);
	else
		refuse(r, 400, RPC_INVALID, "params.requestId must be a string or an integer of at most %d bytes",
		       RAW_ID_MAX);
}

/* Lists have one page here: what claims another was issued by somebody else. */
static void check_issued(const struct json_doc *d, const struct mcp_rule *rule, struct refusal *r)
{
	uint32_t t = json_get(d, json_get(d, 0, "params"), rule->unissued);

	if (t != JSON_NONE && json_kind(d, t) != JK_NULL)
		refuse(r, 200, RPC_PARAMS, "params.%s was not issued here", rule->unissued);
}

static void fill(struct conn *c, const struct json_doc *d, uint32_t meta, const struct mcp_rule *rule,
		 struct ipc_request *q, struct refusal *r)
{
	static char name[129], client[129], version[17];
	uint32_t params = json_get(d, 0, "params");
	bool initialize = rule != NULL && rule->method == MCP_INITIALIZE;

	q->era = c->request.era;
	q->method = c->request.method;
	memcpy(version, c->head.version, sizeof(version) - 1);
	version[sizeof(version) - 1] = '\0';
	take_client(d, initialize ? json_get(d, params, "clientInfo") : json_get(d, meta, META_CLIENT), client,
		    sizeof(client));
	if (initialize)
		q->elicits = elicit_declared(d, json_get(d, params, "capabilities"));
	else if (q->era == ERA_MODERN)
		q->elicits = elicit_declared(d, json_get(d, meta, META_CAPABILITIES));
	q->rpc_id = ipc_text(c->request.id);
	q->args = ipc_text("{}");
	if (initialize && json_unescape(d, json_get(d, params, "protocolVersion"), version, sizeof(version)) != KG_OK)
		refuse(r, 200, RPC_PARAMS, "params.protocolVersion must be a version");
	if (rule != NULL && rule->method == MCP_TOOLS_CALL)
		take_call(d, q, name, sizeof(name), r);
	if (rule != NULL && rule->method == MCP_CANCELLED)
		take_cancelled(d, q, r);
	if (rule != NULL && rule->unissued != NULL)
		check_issued(d, rule, r);
	q->version = ipc_text(version);
	q->client = ipc_text(client);
	q->wants_progress = take_raw_id(d, json_get(d, meta, "progressToken"), c->request.progress);
}

void mcp_classify(struct conn *c, const struct json_doc *d, struct ipc_request *q, struct refusal *r)
{
	uint32_t meta = json_get(d, json_get(d, 0, "params"), "_meta");
	const struct mcp_rule *rule;

	check_message(c, d, r);
	if (r->code != 0)
		return;
	rule = mcp_rule_find(d, json_get(d, 0, "method"));
	/* A request's name on a notification, or the other way round, is not that method. */
	if (rule != NULL && rule->notification != c->request.notification)
		rule = NULL;
	c->request.era = choose_era(c, d, meta, r);
	/* Nor is a note that this era does not have: the broker would take it for a front gone wrong. */
	if (rule != NULL && rule->notification && (rule->eras & c->request.era) == 0)
		rule = NULL;
	c->request.method = rule == NULL ? MCP_OTHER_NOTE : rule->method;
	if (r->code == 0 && c->request.era == ERA_MODERN && !c->request.notification)
		check_modern(c, d, rule, meta, r);
	if (r->code == 0 && c->request.era == ERA_LEGACY)
		check_legacy(c, rule, r);
	if (r->code == 0)
		fill(c, d, meta, rule, q, r);
}
