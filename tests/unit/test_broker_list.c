#include "gatewayd/broker/list.h"

#include "tests/unit/broker_rig.h"

/* The answer to tools/list as text; "" when there was none. */
static char *list(struct rig *r, uint8_t era, const char *server)
{
	struct ipc_request q = rig_request(r, 50, era, MCP_TOOLS_LIST);
	const struct ipc_reply *m;
	char id[65] = "";

	if (era == ERA_LEGACY)
		rig_initialize(r, id);
	q.mcp_session = ipc_text(id);
	q.server = ipc_text(server);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	return m == NULL || m->kind != REPLY_RESULT ? strdup("") : strndup((const char *)m->body.p, m->body.n);
}

static bool list_is(struct rig *r, uint8_t era, const char *server, const char *want)
{
	char *got = list(r, era, server);
	bool same = strcmp(got, want) == 0;

	if (!same)
		fprintf(stderr, "got  %s\nwant %s\n", got, want);
	free(got);
	return same;
}

#define MODERN_TAIL "],\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"}"
#define AS(name) "{\"name\":\"" name "\",\"description\":\"d\",\"inputSchema\":{\"type\":\"object\"}}"

static void a_list_shows_what_a_call_would_be_allowed(void)
{
	struct rig *r = rig_ready(TIER_READ, "notes/*\nwiki/*");
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");

	CHECK(list_is(r, ERA_MODERN, "", "{\"tools\":[" AS("notes__list_notes") "," AS("wiki__search") MODERN_TAIL));
	CHECK(list_is(r, ERA_LEGACY, "", "{\"tools\":[" AS("notes__list_notes") "," AS("wiki__search") "]}"));
	rig_put_session(r, &s);
	/* What an approval would allow is shown: its absence would be a riddle. */
	CHECK(list_is(r, ERA_MODERN, "",
		      "{\"tools\":[" AS("notes__add_note") "," AS("notes__list_notes") "," AS("notes__wipe_notes")
			      MODERN_TAIL));
	CHECK(list_is(r, ERA_MODERN, "notes",
		      "{\"tools\":[" AS("add_note") "," AS("list_notes") "," AS("wipe_notes") MODERN_TAIL));
	CHECK(list_is(r, ERA_MODERN, "wiki", "{\"tools\":[" MODERN_TAIL));
	CHECK(list_is(r, ERA_MODERN, "nowhere", ""));
	rig_free(r);
}

/* Unknown members, numbers and spaces stay as they came; only the name is another. */
static void definitions_survive_exactly(void)
{
	static const char definition[] =
		"{ \"description\":\"1.10 \\u00e4\", \"x-any\":[1.10,9223372036854775807,1e400] ,\"name\" : "
		"\"s\\u0065arch\" ,"
		"\"inputSchema\":{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\"}}";
	static const char want[] = "{\"tools\":[{ \"description\":\"1.10 \\u00e4\", "
				   "\"x-any\":[1.10,9223372036854775807,1e400] ,\"name\" : \"wiki__search\" ,"
				   "\"inputSchema\":{\"$schema\":\"https://json-schema.org/draft/2020-12/"
				   "schema\",\"type\":\"object\"}}" MODERN_TAIL;
	struct rig *r = rig_ready(TIER_READ, "wiki/*");

	rig_pin(r, "wiki", "search", definition);
	rig_tool(r, RIG_WIKI, 8, "search", definition);
	rig_tools_done(r, RIG_WIKI, 8, 1);
	CHECK(list_is(r, ERA_MODERN, "", want));
	rig_free(r);
}

/* Each place that a member can have, with the comma that goes with it. */
static void members_of_another_era_are_left_out(void)
{
	static const struct {
		const char *definition, *modern, *legacy;
	} rows[] = {
		{"{\"execution\":{\"taskSupport\":\"optional\"},\"name\":\"t\",\"inputSchema\":{}}",
		 "{\"name\":\"wiki__t\",\"inputSchema\":{}}",
		 "{\"execution\":{\"taskSupport\":\"optional\"},\"name\":\"wiki__t\",\"inputSchema\":{}}"},
		{"{\"name\":\"t\",\"execution\":{}, \"inputSchema\":{}}", "{\"name\":\"wiki__t\",\"inputSchema\":{}}",
		 "{\"name\":\"wiki__t\",\"execution\":{}, \"inputSchema\":{}}"},
		{"{\"inputSchema\":{},\"name\":\"t\", \"execution\":{} }", "{\"inputSchema\":{},\"name\":\"wiki__t\" }",
		 "{\"inputSchema\":{},\"name\":\"wiki__t\", \"execution\":{} }"},
		{"{\"inputSchema\":{},\"name\":\"t\",\"outputSchema\":{\"type\":\"array\"}}",
		 "{\"inputSchema\":{},\"name\":\"wiki__t\",\"outputSchema\":{\"type\":\"array\"}}",
		 "{\"inputSchema\":{},\"name\":\"wiki__t\"}"},
		{"{\"outputSchema\":true,\"name\":\"t\",\"inputSchema\":{},\"execution\":1}",
		 "{\"outputSchema\":true,\"name\":\"wiki__t\",\"inputSchema\":{}}",
		 "{\"name\":\"wiki__t\",\"inputSchema\":{},\"execution\":1}"},
		{"{\"outputSchema\":{\"type\":\"object\"},\"name\":\"t\",\"inputSchema\":{}}",
		 "{\"outputSchema\":{\"type\":\"object\"},\"name\":\"wiki__t\",\"inputSchema\":{}}",
		 "{\"outputSchema\":{\"type\":\"object\"},\"name\":\"wiki__t\",\"inputSchema\":{}}"},
	};
	struct rig *r = rig_ready(TIER_READ, "wiki/*");
	char want[512];

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_pin(r, "wiki", "t", rows[i].definition);
		rig_tool(r, RIG_WIKI, 20 + i, "t", rows[i].definition);
		rig_tools_done(r, RIG_WIKI, 20 + i, 1);
		snprintf(want, sizeof(want), "{\"tools\":[%s" MODERN_TAIL, rows[i].modern);
		CHECK(list_is(r, ERA_MODERN, "", want));
		snprintf(want, sizeof(want), "{\"tools\":[%s]}", rows[i].legacy);
		CHECK(list_is(r, ERA_LEGACY, "", want));
	}
	rig_free(r);
}

/* A restart of an upstream role changes no list; its next listing does. */
static void lists_outlive_a_restart(void)
{
	struct rig *r = rig_ready(TIER_READ, "wiki/*");

	rig_lose(r, RIG_WIKI);
	CHECK(list_is(r, ERA_MODERN, "", "{\"tools\":[" AS("wiki__search") MODERN_TAIL));
	rig_connect(r, RIG_WIKI);
	rig_tool(r, RIG_WIKI, 1, "find", RIG_DEF("find"));
	CHECK(list_is(r, ERA_MODERN, "", "{\"tools\":[" AS("wiki__search") MODERN_TAIL));
	rig_tools_done(r, RIG_WIKI, 1, 1);
	CHECK(list_is(r, ERA_MODERN, "", "{\"tools\":[" MODERN_TAIL));
	rig_pin(r, "wiki", "find", RIG_DEF("find"));
	CHECK(list_is(r, ERA_MODERN, "", "{\"tools\":[" AS("wiki__find") MODERN_TAIL));
	rig_free(r);
}

static void a_list_that_is_too_long_is_an_error(void)
{
	enum { BIG = 250000, TOOLS = 17 };
	char *definition = malloc(BIG + 1), name[16];
	struct rig *r = rig_ready(TIER_READ, "wiki/*");

	for (int i = 0; i < TOOLS; i++) {
		int at = snprintf(definition, BIG, "{\"inputSchema\":{},\"name\":\"t%d\",\"description\":\"", i);

		memset(definition + at, 'x', (size_t)(BIG - at));
		memcpy(definition + BIG - 2, "\"}", 3);
		snprintf(name, sizeof(name), "t%d", i);
		rig_pin(r, "wiki", name, definition);
		(void)!catalogue_put(r->b->catalogue, 1,
				     &(struct ipc_tool){.generation = 9,
							.name = ipc_text(name),
							.definition = ipc_text(definition)});
	}
	CHECK(catalogue_done(r->b->catalogue, 1, &(struct ipc_tools_done){.generation = 9, .count = TOOLS}) == KG_OK);
	CHECK(list_is(r, ERA_MODERN, "", ""));
	free(definition);
	rig_free(r);
}

int main(void)
{
	RUN(a_list_shows_what_a_call_would_be_allowed);
	RUN(definitions_survive_exactly);
	RUN(members_of_another_era_are_left_out);
	RUN(lists_outlive_a_restart);
	RUN(a_list_that_is_too_long_is_an_error);
	return unit_end();
}
