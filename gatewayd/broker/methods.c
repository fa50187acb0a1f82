/* The methods that are answered here, without any upstream. */
#include <string.h>

#include "common/version.h"
#include "gatewayd/broker/call.h"
#include "gatewayd/broker/list.h"
#include "gatewayd/broker/lists.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"

#define INITIALIZE_MAX 512
#define CAPABILITIES "\"capabilities\":{\"tools\":{\"listChanged\":false}}"
#define SERVER_INFO "{\"name\":\"keepgate\",\"version\":\"" KEEPGATE_VERSION "\"}"

static const char *const legacy_versions[] = {VERSION_LATEST_LEGACY, "2025-06-18"};

static const char discover_body[] = "{\"supportedVersions\":[\"2026-07-28\"]," CAPABILITIES
				    ",\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\","
				    "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":" SERVER_INFO "}}";

/* The version asked for when we speak it, else our latest (MCP 2025-11-25, lifecycle). */
static const char *negotiate(struct ipc_bytes asked)
{
	for (size_t i = 0; i < sizeof(legacy_versions) / sizeof(legacy_versions[0]); i++)
		if (ipc_is(asked, legacy_versions[i]))
			return legacy_versions[i];
	return VERSION_LATEST_LEGACY;
}

/* Elicitation by URL came with 2025-11-25: who agreed on less cannot be asked so, whatever it declares. */
static uint8_t elicits_in(const char *version, uint8_t declared)
{
	return strcmp(version, VERSION_LATEST_LEGACY) == 0 ? declared : declared & (uint8_t)~ELICITS_URL;
}

int method_initialize(struct act *a)
{
	const char *version = negotiate(a->q->version);
	const struct mcp_hello hello = {version, elicits_in(version, a->q->elicits), a->q->client};
	char id[MCP_SESSION_HEX + 1];
	struct buf body;

	if (mcp_sessions_add(a->b->mcp, a->session, &hello, id) != KG_OK) {
		act_refuse(a, 503, RPC_INTERNAL,
			   "the gateway holds as many MCP sessions as it can: end some, or try again later");
		return KG_OK;
	}
	buf_init(&body, INITIALIZE_MAX);
	if (buf_printf(&body, "{\"protocolVersion\":\"%s\"," CAPABILITIES ",\"serverInfo\":" SERVER_INFO "}",
		       version) == KG_OK)
		reply_result(a->front, a->q->call, ipc_mem(buf_ptr(&body), buf_len(&body)), id);
	else
		act_refuse(a, 503, RPC_INTERNAL, "the gateway is out of memory");
	buf_free(&body);
	return KG_OK;
}

int method_ping(struct act *a)
{
	reply_result(a->front, a->q->call, ipc_text("{}"), NULL);
	return KG_OK;
}

int method_discover(struct act *a)
{
	reply_result(a->front, a->q->call, ipc_text(discover_body), NULL);
	return KG_OK;
}

int method_tools_list(struct act *a)
{
	const struct list_query q = {
		.session = a->session,
		.era = (enum mcp_era)a->q->era,
		.server = a->server,
		.source = a->q->source,
		.now_unix = a->now_unix,
	};

	if (a->b->config->policy.external.kind != PDP_NONE)
		lists_begin(a, &q);
	else
		list_answer(a->b, &q, a->front, a->q->call);
	return KG_OK;
}

/* Modern clients cancel by closing the stream; their notification changes nothing. */
int method_cancelled(struct act *a)
{
	if (a->mcp != NULL)
		calls_cancel(a->b, a->session, a->mcp->id, a->q->rpc_id);
	reply_accepted(a->front, a->q->call, 202);
	return KG_OK;
}

int method_session_delete(struct act *a)
{
	mcp_sessions_remove(a->b->mcp, a->mcp);
	reply_accepted(a->front, a->q->call, 200);
	return KG_OK;
}

int method_note(struct act *a)
{
	reply_accepted(a->front, a->q->call, 202);
	return KG_OK;
}
