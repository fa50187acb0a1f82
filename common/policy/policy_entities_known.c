/* The entities that the configuration and the pins give: servers and tools. */
#include "common/cedar/cedar_sort.h"
#include "common/policy/policy_entities.h"

static int put_parents(struct composer *c, const struct cedar_list *parents, bool first)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < parents->count; i++) {
		if (!first)
			rc = buf_puts(c->out, ",");
		first = false;
		if (rc == 0)
			rc = entities_put_part(c, parents->items[i]);
	}
	return rc != 0 ? rc : buf_puts(c->out, "]}");
}

static int put_name(struct composer *c, const char *before, struct cedar_str name, const char *behind)
{
	int rc = buf_puts(c->out, before);

	if (rc == 0)
		rc = json_put_string(c->out, name.p, name.n);
	return rc != 0 ? rc : buf_puts(c->out, behind);
}

static int put_server(struct composer *c, size_t i)
{
	const struct policy_server *server = &c->source->servers[i];
	int rc = entities_put_separator(c);

	if (rc == 0)
		rc = put_name(c, "{\"uid\":{\"type\":\"" GATE_SERVER "\",\"id\":", cedar_str_from(server->name), "}");
	if (rc == 0)
		rc = put_name(c, ",\"attrs\":{\"env\":{\"type\":\"Gate::Environment\",\"id\":",
			      cedar_str_from(server->environment), "}");
	if (rc == 0)
		rc = buf_printf(c->out, ",\"quarantined\":%s},\"parents\":[", server->quarantined ? "true" : "false");
	return rc != 0 ? rc : put_parents(c, &c->server_parents[i], true);
}

static int put_tool(struct composer *c, const struct gate_tool *tool)
{
	const struct policy_server *server = &c->source->servers[tool->owner];
	int rc = entities_put_separator(c);

	if (rc == 0)
		rc = put_name(c, "{\"uid\":{\"type\":\"" GATE_TOOL "\",\"id\":", tool->id, "}");
	if (rc == 0)
		rc = put_name(c, ",\"attrs\":{\"server\":{\"type\":\"" GATE_SERVER "\",\"id\":", tool->server, "}");
	if (rc == 0)
		rc = put_name(c,
			      ",\"env\":{\"type\":\"Gate::Environment\",\"id\":", cedar_str_from(server->environment),
			      "}");
	if (rc == 0)
		rc = buf_printf(c->out, ",\"tier\":%u,\"min_trust\":%u,\"quarantined\":%s,\"pinned_digest\":\"",
				tool->tier, server->min_trust, tool->quarantined ? "true" : "false");
	for (size_t i = 0; rc == 0 && i < HASH_LEN; i++)
		rc = buf_printf(c->out, "%02x", tool->sha256[i]);
	if (rc == 0)
		rc = put_name(c, "\"},\"parents\":[{\"type\":\"" GATE_SERVER "\",\"id\":", tool->server, "}");
	return rc != 0 ? rc : put_parents(c, &tool->parents, false);
}

static int order_servers(const void *a, const void *b)
{
	const struct policy_server *x = *(const struct policy_server *const *)a;
	const struct policy_server *y = *(const struct policy_server *const *)b;

	return strcmp(x->name, y->name);
}

int entities_put_generated(struct composer *c)
{
	const struct policy_server **servers =
		cedar_arena_array(&c->arena, c->source->nservers, sizeof(const struct policy_server *));
	int rc = servers == NULL ? KG_E_NOMEM : 0;

	for (size_t i = 0; rc == 0 && i < c->source->nservers; i++)
		servers[i] = &c->source->servers[i];
	if (rc == 0)
		cedar_sort(servers, c->source->nservers, sizeof(*servers), order_servers);
	for (size_t i = 0; rc == 0 && i < c->source->nservers; i++)
		rc = put_server(c, (size_t)(servers[i] - c->source->servers));
	for (size_t i = 0; rc == 0 && i < c->set->ntools; i++)
		rc = put_tool(c, c->set->tools[i]);
	return rc != 0 ? rc : buf_puts(c->out, c->first ? "[]" : "]");
}
