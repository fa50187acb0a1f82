#include "gatewayd/upstream/handshake.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/upstream/upstream.h"

#define HTTP_TIMEOUT_MS 15000u
#define STDIO_PROBE_TIMEOUT_MS 10000u  /* silence is how some old servers answer what they do not know */
#define STDIO_START_TIMEOUT_MS 120000u /* a package runner may have to fetch the server first */

#define CODE_HEADERS (-32020)
#define CODE_CAPABILITY (-32021)
#define CODE_VERSION (-32022)

static void initialize(struct upstream *u);

static void finish(struct upstream *u, const struct rpc_end *failed)
{
	rpc_free(u->session.rpc);
	u->session.rpc = NULL;
	u->session.done(u, failed);
}

static void fail(struct upstream *u, enum rpc_how how, long status, const char *why)
{
	struct rpc_end e = {.how = how, .status = status, .why = why};

	finish(u, &e);
}

/* Sends what stands in the request; body was put with this error. */
static void ask(struct upstream *u, const struct rpc_ops *ops, uint32_t timeout_ms, const struct rpc_request *q,
		int (*put)(struct buf *out, uint64_t id))
{
	struct session *s = &u->session;

	rpc_free(s->rpc);
	s->rpc = rpc_new(u, ops, u, timeout_ms);
	int err = s->rpc ? rpc_authorize(s->rpc, s->creds) : KG_E_NOMEM;
	if (err == 0)
		err = put(rpc_body(s->rpc), s->rpc->id);
	if (err == 0) {
		s->rpc->note = q->method == NULL;
		err = rpc_send(s->rpc, q);
	}
	if (err != 0)
		fail(u, RPC_UNSENT, 0,
		     err == KG_E_INVALID ? "a stored credential cannot stand in a header" : kg_strerror(err));
}

/* An outage, a refused credential, a redirect: they say nothing about the era. Tells and ends, or gives false. */
static bool settled_by_status(struct upstream *u, const struct rpc_end *e)
{
	char why[RPC_WHY_MAX];

	if (e->status == 401 || e->status == 403)
		snprintf(why, sizeof(why),
			 "it refuses our credentials (HTTP status %ld): store the right ones with keepgate secret put",
			 e->status);
	else if (e->status >= 300 && e->status < 400)
		snprintf(why, sizeof(why),
			 "it redirects (HTTP status %ld), which is never followed: set url to the final address",
			 e->status);
	else if (e->status >= 500)
		snprintf(why, sizeof(why), "it answers with HTTP status %ld", e->status);
	else
		return false;
	fail(u, RPC_HTTP, e->status, why);
	return true;
}

static void read_capabilities(struct upstream *u, uint32_t result)
{
	uint32_t tools = json_get(&u->doc, json_get(&u->doc, result, "capabilities"), "tools");

	u->session.has_tools = json_kind(&u->doc, tools) == JK_OBJECT;
	u->session.list_changed = json_kind(&u->doc, json_get(&u->doc, tools, "listChanged")) == JK_TRUE;
}

static bool list_names(const struct json_doc *d, uint32_t list, const char *version)
{
	if (json_kind(d, list) != JK_ARRAY)
		return false;
	for (uint32_t v = json_first(d, list); v != JSON_NONE; v = json_after(d, list, v))
		if (json_is(d, v, version))
			return true;
	return false;
}

static void probe_result(struct upstream *u, const struct rpc_end *e)
{
	uint32_t supported = json_get(e->doc, e->message->value, "supportedVersions");

	if (!list_names(e->doc, supported, WIRE_MODERN)) {
		initialize(u);
		return;
	}
	read_capabilities(u, e->message->value);
	finish(u, NULL);
}

static void probe_error(struct upstream *u, const struct rpc_end *e)
{
	struct message_error m;

	message_error_read(e->doc, e->message->value, &m);
	if (m.code == CODE_HEADERS || m.code == CODE_CAPABILITY) {
		fail(u, RPC_ERROR, e->status, "it is of the 2026-07-28 era and refuses server/discover");
		return;
	}
	if (m.code == CODE_VERSION) {
		uint32_t data = json_get(e->doc, e->message->value, "data");
		if (list_names(e->doc, json_get(e->doc, data, "supported"), WIRE_MODERN)) {
			fail(u, RPC_ERROR, e->status, "it lists revision 2026-07-28 and refuses it");
			return;
		}
	}
	initialize(u);
}

static void on_probe(struct rpc *r, const struct rpc_end *e, void *arg)
{
	struct upstream *u = arg;

	(void)r;
	if (settled_by_status(u, e))
		return;
	if (e->how == RPC_RESULT)
		probe_result(u, e);
	else if (e->how == RPC_ERROR)
		probe_error(u, e);
	else if (e->how == RPC_HTTP || (e->how == RPC_LOST && e->status == 200))
		initialize(u);
	else if (e->how == RPC_TIMEOUT && !u->server->is_http)
		initialize(u);
	else
		fail(u, e->how, e->status, e->why);
}

static void on_initialized(struct rpc *r, const struct rpc_end *e, void *arg)
{
	struct upstream *u = arg;

	(void)r;
	if (settled_by_status(u, e))
		return;
	if (e->how == RPC_RESULT)
		finish(u, NULL);
	else
		fail(u, e->how, e->status, e->how == RPC_ERROR ? "it refuses notifications/initialized" : e->why);
}

static int put_initialized(struct buf *out, uint64_t id)
{
	(void)id;
	return wire_put_note(out, "notifications/initialized", "");
}

static const struct rpc_ops initialized_ops = {on_initialized, NULL, NULL};

static void initialize_result(struct upstream *u, const struct rpc_end *e)
{
	static const struct rpc_request note = {0};
	struct session *s = &u->session;
	char version[WIRE_VERSION_MAX + 1];

	if (json_unescape(e->doc, json_get(e->doc, e->message->value, "protocolVersion"), version, sizeof(version)) !=
		    0 ||
	    wire_version_era(version) != ERA_LEGACY) {
		fail(u, RPC_ERROR, e->status, "it chose a protocol revision that Keepgate does not know");
		return;
	}
	memcpy(s->version, version, sizeof(s->version));
	read_capabilities(u, e->message->value);
	if (u->server->is_http) {
		snprintf(s->id, sizeof(s->id), "%s", exchange_session(s->rpc->x));
		ask(u, &initialized_ops, HTTP_TIMEOUT_MS, &note, put_initialized);
		return;
	}
	buf_reset(&u->rpc.body);
	int err = put_initialized(&u->rpc.body, 0);
	if (err == 0)
		err = rpc_note(u, NULL, &u->rpc.body);
	if (err != 0)
		fail(u, RPC_UNSENT, 0, kg_strerror(err));
	else
		finish(u, NULL);
}

static void on_initialize(struct rpc *r, const struct rpc_end *e, void *arg)
{
	struct upstream *u = arg;

	(void)r;
	if (settled_by_status(u, e))
		return;
	if (e->how == RPC_RESULT)
		initialize_result(u, e);
	else if (e->how == RPC_ERROR)
		fail(u, RPC_ERROR, e->status,
		     "it refuses initialize: it may be of a revision that Keepgate does not speak");
	else if (e->how == RPC_HTTP)
		fail(u, RPC_HTTP, e->status, "no MCP server of Streamable HTTP answers at this url");
	else
		fail(u, e->how, e->status, e->why);
}

static const struct rpc_ops probe_ops = {on_probe, NULL, NULL};
static const struct rpc_ops initialize_ops = {on_initialize, NULL, NULL};

static int put_probe(struct buf *out, uint64_t id)
{
	return wire_put_request(out, ERA_MODERN, id, "server/discover", "");
}

static void initialize(struct upstream *u)
{
	static const struct rpc_request q = {.method = "initialize"};
	struct session *s = &u->session;

	s->era = ERA_LEGACY;
	s->version[0] = s->id[0] = '\0';
	ask(u, &initialize_ops, u->server->is_http ? HTTP_TIMEOUT_MS : STDIO_START_TIMEOUT_MS, &q, wire_put_initialize);
}

static void probe(struct upstream *u)
{
	static const struct rpc_request q = {.method = "server/discover"};
	struct session *s = &u->session;

	s->era = ERA_MODERN;
	snprintf(s->version, sizeof(s->version), "%s", WIRE_MODERN);
	s->id[0] = '\0';
	ask(u, &probe_ops, u->server->is_http ? HTTP_TIMEOUT_MS : STDIO_PROBE_TIMEOUT_MS, &q, put_probe);
}

void handshake_begin(struct upstream *u, void (*done)(struct upstream *u, const struct rpc_end *failed))
{
	u->session.done = done;
	if (u->session.is_legacy)
		initialize(u);
	else
		probe(u);
}

bool handshake_is_probing(const struct upstream *u)
{
	return u->session.rpc && u->session.rpc->ops == &probe_ops;
}

void handshake_legacy(struct upstream *u)
{
	initialize(u);
}
