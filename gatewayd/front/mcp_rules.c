#include "gatewayd/front/mcp.h"

#define BOTH (ERA_LEGACY | ERA_MODERN)

static const struct mcp_rule rules[] = {
	{"initialize", MCP_INITIALIZE, ERA_LEGACY, false, false, NULL, NULL},
	{"notifications/initialized", MCP_INITIALIZED, ERA_LEGACY, true, false, NULL, NULL},
	{"ping", MCP_PING, ERA_LEGACY, false, false, NULL, NULL},
	{"server/discover", MCP_DISCOVER, ERA_MODERN, false, true, NULL, NULL},
	{"tools/list", MCP_TOOLS_LIST, BOTH, false, true, NULL, "cursor"},
	{"tools/call", MCP_TOOLS_CALL, BOTH, false, false, "name", NULL},
	{"notifications/cancelled", MCP_CANCELLED, BOTH, true, false, NULL, NULL},
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

const struct mcp_rule *mcp_rule_find(const struct json_doc *d, uint32_t method)
{
	for (size_t i = 0; i < RULES; i++)
		if (json_is(d, method, rules[i].name))
			return &rules[i];
	return NULL;
}

const struct mcp_rule *mcp_rule_of(uint8_t method)
{
	for (size_t i = 0; i < RULES; i++)
		if (rules[i].method == method)
			return &rules[i];
	return NULL;
}
