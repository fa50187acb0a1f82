/* Arguments and results against the schemas that a tool has for them. */
#include "tests/unit/broker_rig.h"

#define TOOL(name)                                                                                                     \
	"{\"name\":\"" name                                                                                            \
	"\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\",\"minimum\":1}},"        \
	"\"required\":[\"id\"]},\"outputSchema\":{\"type\":\"object\",\"properties\":{\"hits\":{\"type\":\"array\","   \
	"\"items\":{\"type\":\"string\"}}},\"required\":[\"hits\"]}}"

static void list(struct rig *r, uint32_t generation, const char *definition)
{
	rig_tool(r, RIG_WIKI, generation, "search", definition);
	rig_tools_done(r, RIG_WIKI, generation, 1);
}

/* wiki/search with both schemas. */
static struct rig *rig_checked(void)
{
	struct rig *r = rig_ready(TIER_READ, "wiki/*");

	rig_pin(r, "wiki", "search", TOOL("search"));
	list(r, 8, TOOL("search"));
	return r;
}

static uint64_t running(struct rig *r, uint64_t request)
{
	const struct ipc_intent *i;
	uint64_t id;

	rig_call(r, request, "wiki__search", "{\"id\":1}");
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	id = i == NULL || i->decision != DECISION_ALLOW ? 0 : i->call;
	CHECK(rig_take(r, RIG_VAULT, IPC_ATTACH) != NULL);
	rig_receipt(r, id, GRANT_OK, 41);
	rig_attached(r, id, GRANT_OK, "", "");
	return rig_take(r, RIG_WIKI, IPC_CALL) == NULL ? 0 : id;
}

static void results_that_fit_and_do_not(void)
{
	static const struct {
		const char *body;
		const char *told; /* NULL: it is handed on as it is */
		uint8_t outcome;
		const char *code;
	} rows[] = {
		{"{\"content\":[],\"structuredContent\":{\"hits\":[\"a\"]}}", NULL, OUTCOME_OK, ""},
		{"{\"content\":[],\"structuredContent\":{\"hits\":[],\"more\":1.10}}", NULL, OUTCOME_OK, ""},
		{"{\"content\":[],\"structuredContent\":{\"hits\":[\"a\",7]}}",
		 "at /structuredContent/hits/1: ", OUTCOME_TOOL_ERROR, "invalid-result"},
		{"{\"content\":[],\"structuredContent\":{}}", "at /structuredContent/hits: ", OUTCOME_TOOL_ERROR,
		 "invalid-result"},
		{"{\"content\":[],\"structuredContent\":null}", "at /structuredContent: ", OUTCOME_TOOL_ERROR,
		 "invalid-result"},
		{"{\"content\":[]}", "there is none", OUTCOME_TOOL_ERROR, "invalid-result"},
		/* An error need not have one. */
		{"{\"content\":[],\"isError\":true}", NULL, OUTCOME_TOOL_ERROR, "tool-error"},
		{"{\"content\":[],\"isError\":true,\"structuredContent\":1}", NULL, OUTCOME_TOOL_ERROR, "tool-error"},
	};
	struct rig *r = rig_checked();

	for (uint64_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		uint64_t id = running(r, n);
		const struct ipc_outcome *o;
		const struct ipc_reply *m;

		rig_result(r, RIG_WIKI, id, RESULT_OK, rows[n].body);
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->kind == REPLY_RESULT);
		if (m != NULL && rows[n].told == NULL)
			CHECK(ipc_is(m->body, rows[n].body));
		if (m != NULL && rows[n].told != NULL)
			CHECK(memmem(m->body.p, m->body.n, rows[n].told, strlen(rows[n].told)) != NULL &&
			      memmem(m->body.p, m->body.n, "may have taken effect", 21) != NULL &&
			      memmem(m->body.p, m->body.n, "\"isError\":true", 14) != NULL);
		o = rig_take(r, RIG_RECORDER, IPC_OUTCOME);
		CHECK(o != NULL && o->outcome == rows[n].outcome && ipc_is(o->reason_code, rows[n].code));
		CHECK(o != NULL && o->bytes_out == strlen(rows[n].body));
		rig_recorded(r, id);
		CHECK(rig_is_idle(r));
	}
	rig_free(r);
}

/* A server that lists another definition before it answers gets no unchecked result through. */
static void a_definition_that_changes_during_the_call(void)
{
	static const char *const bodies[] = {"{\"content\":[]}",
					     "{\"content\":[],\"structuredContent\":{\"hits\":[]}}"};

	for (int n = 0; n < 3; n++) {
		struct rig *r = rig_checked();
		uint64_t id = running(r, 1);
		const struct ipc_reply *m;

		list(r, 9, n == 2 ? TOOL("search") : RIG_DEF("search"));
		rig_result(r, RIG_WIKI, id, RESULT_OK, bodies[n != 0]);
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && (memmem(m->body.p, m->body.n, "has changed meanwhile", 21) == NULL) == (n == 2));
		rig_free(r);
	}
}

/* Told to a model that can do better; to a client of 2025-06-18 as an error of the protocol. */
static void invalid_arguments_by_revision(void)
{
	static const struct {
		const char *version; /* NULL: modern */
		uint8_t kind;
	} rows[] = {{NULL, REPLY_RESULT}, {"2025-11-25", REPLY_RESULT}, {"2025-06-18", REPLY_ERROR}};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct rig *r = rig_checked();
		struct ipc_request q =
			rig_request(r, 9, rows[n].version == NULL ? ERA_MODERN : ERA_LEGACY, MCP_TOOLS_CALL);
		char session[65] = "";
		const struct ipc_intent *i;
		const struct ipc_reply *m;

		if (rows[n].version != NULL) {
			struct ipc_request first = rig_request(r, 1, ERA_LEGACY, MCP_INITIALIZE);

			first.version = ipc_text(rows[n].version);
			rig_send(r, RIG_FRONT, IPC_REQUEST, &first);
			m = rig_take(r, RIG_FRONT, IPC_REPLY);
			CHECK(m != NULL && ipc_copy(m->mcp_session, session, sizeof(session)) == KG_OK);
		}
		q.mcp_session = ipc_text(session);
		q.name = ipc_text("wiki__search");
		q.args = ipc_text("{\"id\":0}");
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		i = rig_take(r, RIG_RECORDER, IPC_INTENT);
		CHECK(i != NULL && i->decision == DECISION_DENY && ipc_is(i->reason_code, "invalid-arguments"));
		CHECK(!rig_has(r, RIG_VAULT) && !rig_has(r, RIG_FRONT));
		if (i != NULL)
			rig_receipt(r, i->call, GRANT_OK, 3);
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->kind == rows[n].kind && m->http_status == 200);
		if (m != NULL) {
			struct ipc_bytes text = m->kind == REPLY_ERROR ? m->message : m->body;

			CHECK(memmem(text.p, text.n, "at /id: ", 8) != NULL);
			CHECK(m->kind != REPLY_ERROR || m->code == RPC_INVALID_PARAMS);
		}
		rig_free(r);
	}
}

enum { LONG = 250000, TOOLS = CATALOGUE_SCHEMAS_MAX / LONG + 1 };

/* Lists t0, t1, … with long schemas; the last one's passes what a server may have together. */
static void list_long(struct rig *r, size_t server, uint32_t generation)
{
	char *definition = malloc(LONG + 512), name[16];

	for (int i = 0; i < TOOLS; i++) {
		int at = snprintf(
			definition, 512,
			"{\"name\":\"t%d\",\"inputSchema\":{\"properties\":{\"id\":{\"minimum\":1}},\"title\":\"", i);

		snprintf(name, sizeof(name), "t%d", i);
		memset(definition + at, 'x', (size_t)(LONG - at));
		memcpy(definition + LONG, "\"}}", 4);
		CHECK(catalogue_put(r->b->catalogue, server,
				    &(struct ipc_tool){.generation = generation,
						       .name = ipc_text(name),
						       .definition = ipc_text(definition)}) == KG_OK);
	}
	CHECK(catalogue_done(r->b->catalogue, server,
			     &(struct ipc_tools_done){.generation = generation, .count = TOOLS}) == KG_OK);
	free(definition);
}

/* How many stay compiled; the others are checked as strictly. */
static int kept(struct rig *r, size_t server)
{
	struct jsonschema_error e;
	struct json_doc doc;
	char name[16];
	int n = 0;

	json_init(&doc);
	CHECK(json_scan(&doc, "{\"id\":0}", 8, NULL) == KG_OK);
	for (int i = 0; i < TOOLS; i++) {
		const struct tool *t;

		snprintf(name, sizeof(name), "t%d", i);
		t = catalogue_find_own(r->b->catalogue, server, name, strlen(name));
		CHECK(t != NULL && t->schema_ok == (i < TOOLS - 1));
		if (t == NULL || !t->schema_ok)
			continue;
		n += t->def.input.kept != NULL;
		CHECK(tool_schema_check(&t->def, &t->def.input, &doc, 0, &e) == KG_E_INVALID &&
		      strcmp(e.path, "/id") == 0);
	}
	json_free(&doc);
	return n;
}

static void schemas_past_the_bounds(void)
{
	struct rig *r = rig_new();

	list_long(r, 0, 1);
	list_long(r, 1, 1);
	CHECK(kept(r, 0) == TOOLS - 1 && kept(r, 1) == TOOLS - 1);
	/* The new listing and the old one are there together for a moment. */
	list_long(r, 1, 2);
	CHECK(kept(r, 0) == TOOLS - 1 && kept(r, 1) == 0);
	list_long(r, 1, 3);
	CHECK(kept(r, 1) == TOOLS - 1);
	rig_free(r);
}

int main(void)
{
	RUN(results_that_fit_and_do_not);
	RUN(a_definition_that_changes_during_the_call);
	RUN(invalid_arguments_by_revision);
	RUN(schemas_past_the_bounds);
	return unit_end();
}
