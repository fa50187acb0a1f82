/* Lists and the decision point of others: each tool is asked about, and only what it clearly permits is shown. */
#include "gatewayd/broker/lists.h"

#include <jansson.h>

#include "gatewayd/broker/pdp.h"
#include "tests/unit/broker_rig.h"

#define RIG_BATCH                                                                                                      \
	RIG_CONFIG_WITH("\"policy\":{\"external\":{\"kind\":\"authzen\",\"url\":\"http://127.0.0.1:9/e\","             \
			"\"batch_url\":\"http://127.0.0.1:9/es\"}},")

static void ask_list(struct rig *r, uint64_t request)
{
	struct ipc_request q = rig_request(r, request, ERA_MODERN, MCP_TOOLS_LIST);

	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
}

static void answer(struct rig *r, uint64_t ask, bool permit, const char *code, const char *reason)
{
	struct ipc_pdp_answer m = {
		.ask = ask, .decision = permit, .reason_code = ipc_text(code), .reason = ipc_text(reason)};

	rig_send(r, RIG_PDP, IPC_PDP_ANSWER, &m);
}

static void answer_batch(struct rig *r, uint64_t ask, const char *decisions, uint32_t n)
{
	struct ipc_pdp_answer m = {.ask = ask, .decision = 1, .decisions = ipc_mem(decisions, n)};

	rig_send(r, RIG_PDP, IPC_PDP_ANSWER, &m);
}

static json_t *question(const struct ipc_pdp_ask *m)
{
	return m == NULL ? NULL : json_loadb((const char *)m->request.p, m->request.n, JSON_REJECT_DUPLICATES, NULL);
}

static const char *resource_id(const json_t *o)
{
	const char *id = json_string_value(json_object_get(json_object_get(o, "resource"), "id"));

	return id == NULL ? "" : id;
}

/* Whether the answer lists these tools, by their names in order, separated by spaces. */
static bool lists(struct rig *r, const char *want)
{
	const struct ipc_reply *m = rig_take(r, RIG_FRONT, IPC_REPLY);
	json_t *o =
		m == NULL || m->kind != REPLY_RESULT ? NULL : json_loadb((const char *)m->body.p, m->body.n, 0, NULL);
	char got[512] = "";
	json_t *tool;
	size_t i;

	json_array_foreach(json_object_get(o, "tools"), i, tool)
	{
		strncat(got, i == 0 ? "" : " ", sizeof(got) - strlen(got) - 1);
		strncat(got, json_string_value(json_object_get(tool, "name")), sizeof(got) - strlen(got) - 1);
	}
	if (o == NULL || strcmp(got, want) != 0)
		fprintf(stderr, "got %s, want %s\n", o == NULL ? "no list" : got, want);
	i = o != NULL && strcmp(got, want) == 0;
	json_decref(o);
	return i != 0;
}

static bool fails(struct rig *r, uint32_t http, const char *text)
{
	const struct ipc_reply *m = rig_take(r, RIG_FRONT, IPC_REPLY);

	return m != NULL && m->kind == REPLY_ERROR && m->http_status == http &&
	       memmem(m->message.p, m->message.n, text, strlen(text)) != NULL && lists_count(r->b->lists) == 0;
}

static void one_by_one(void)
{
	static const char *const ids[] = {"notes/add_note", "notes/list_notes", "notes/wipe_notes"};
	struct rig *r = rig_ready_with(RIG_ASKS, TIER_WRITE, "notes/*");
	uint64_t ask[3] = {0};

	ask_list(r, 1);
	for (size_t i = 0; i < 3; i++) {
		const struct ipc_pdp_ask *m = rig_take(r, RIG_PDP, IPC_PDP_ASK);
		json_t *q = question(m), *context = json_object_get(q, "context");

		CHECK(m != NULL && m->kind == PDP_ASK_ONE && m->timeout_ms > 1000 && m->timeout_ms <= LISTS_MS);
		ask[i] = m == NULL ? 0 : m->ask;
		/* What a call would ask, but for its arguments. */
		CHECK(strcmp(resource_id(q), ids[i]) == 0);
		CHECK(json_object_get(context, "args") == NULL && json_object_get(context, "args_sha256") == NULL);
		CHECK(json_is_false(json_object_get(context, "approved")) && json_object_get(context, "session"));
		CHECK(json_object_get(q, "subject") && json_object_get(q, "action"));
		json_decref(q);
	}
	CHECK(!rig_has(r, RIG_PDP) && !rig_has(r, RIG_FRONT));
	answer(r, ask[2], true, "", "");
	answer(r, ask[1], false, "external-obligation", "it permits under an obligation");
	CHECK(!rig_has(r, RIG_FRONT));
	answer(r, ask[0], true, "", "");
	CHECK(lists(r, "notes__add_note notes__wipe_notes"));
	/* A second word, and one to no question. */
	answer(r, ask[1], true, "", "");
	answer(r, UINT64_MAX, true, "", "");
	CHECK(!rig_dropped(r, RIG_PDP) && !rig_has(r, RIG_FRONT) && !rig_has(r, RIG_RECORDER));
	/* Nothing is kept for the next list. */
	ask_list(r, 2);
	for (size_t i = 0; i < 3; i++) {
		const struct ipc_pdp_ask *m = rig_take(r, RIG_PDP, IPC_PDP_ASK);

		ask[i] = m == NULL ? 0 : m->ask;
	}
	answer(r, ask[0], false, "external-denied", "no");
	answer(r, ask[1], false, "external-malformed", "no");
	answer(r, ask[2], false, "external-denied", "no");
	CHECK(lists(r, ""));
	rig_free(r);
}

static void all_at_once(void)
{
	struct rig *r = rig_ready_with(RIG_BATCH, TIER_WRITE, "notes/*\nwiki/*");
	const struct ipc_pdp_ask *m;
	json_t *q, *list;

	ask_list(r, 1);
	m = rig_take(r, RIG_PDP, IPC_PDP_ASK);
	q = question(m);
	list = json_object_get(q, "evaluations");
	CHECK(m != NULL && m->kind == PDP_ASK_BATCH && json_array_size(list) == 4);
	CHECK(json_object_get(q, "resource") == NULL && json_object_get(q, "subject") && json_object_get(q, "context"));
	CHECK(strcmp(json_string_value(json_object_get(json_object_get(q, "options"), "evaluations_semantic")),
		     "execute_all") == 0);
	CHECK(strcmp(resource_id(json_array_get(list, 3)), "wiki/search") == 0);
	json_decref(q);
	answer_batch(r, m->ask, "\1\0\2\1", 4);
	CHECK(lists(r, "notes__add_note wiki__search"));
	/* A list of nothing is no question. */
	rig_tools_done(r, RIG_WIKI, 8, 0);
	rig_tools_done(r, RIG_NOTES, 2, 0);
	ask_list(r, 2);
	CHECK(!rig_has(r, RIG_PDP) && lists(r, ""));
	rig_free(r);
}

/* Decisions of another number are those of other tools. */
static void a_batch_of_another_length(void)
{
	static const uint32_t lengths[] = {0, 3, 5};

	for (size_t i = 0; i < 3; i++) {
		struct rig *r = rig_ready_with(RIG_BATCH, TIER_WRITE, "notes/*\nwiki/*");
		const struct ipc_pdp_ask *m;

		ask_list(r, 1);
		m = rig_take(r, RIG_PDP, IPC_PDP_ASK);
		answer_batch(r, m->ask, "\1\1\1\1\1", lengths[i]);
		CHECK(fails(r, 503, "cannot be used") && rig_dropped(r, RIG_PDP));
		rig_free(r);
	}
}

static void no_answer_is_no_list(void)
{
	static const char *const code[] = {"external-unavailable", "external-timeout", "", "external-new"};
	const char *const config[] = {RIG_ASKS, RIG_BATCH};

	for (size_t i = 0; i < 8; i++) {
		struct rig *r = rig_ready_with(config[i % 2], TIER_WRITE, "notes/*");
		const struct ipc_pdp_ask *m;

		ask_list(r, 1);
		m = rig_take(r, RIG_PDP, IPC_PDP_ASK);
		answer(r, m->ask, false, code[i / 2], "it stands still");
		CHECK(fails(r, 503, "it stands still"));
		rig_free(r);
	}
}

static void silence_is_no_list(void)
{
	struct rig *r = rig_ready_with(RIG_ASKS, TIER_WRITE, "notes/*");
	uint64_t ask;

	ask_list(r, 1);
	ask = ((const struct ipc_pdp_ask *)rig_take(r, RIG_PDP, IPC_PDP_ASK))->ask;
	rig_pass(r, (int)(LISTS_MS + PDP_SLACK_MS + 3 * TICK_MS));
	CHECK(fails(r, 503, "in time"));
	answer(r, ask, true, "", "");
	CHECK(!rig_dropped(r, RIG_PDP) && !rig_has(r, RIG_FRONT));
	rig_free(r);
}

enum mishap { VAULT_GOES, RECORDER_GOES, PDP_GOES, REVOKED, CLIENT_GOES, FRONT_GOES };

static void mishaps_while_it_is_asked(void)
{
	static const uint32_t http[] = {[VAULT_GOES] = 503, [RECORDER_GOES] = 503, [PDP_GOES] = 503, [REVOKED] = 401};
	static const int peers[] = {[VAULT_GOES] = RIG_VAULT,
				    [RECORDER_GOES] = RIG_RECORDER,
				    [PDP_GOES] = RIG_PDP,
				    [FRONT_GOES] = RIG_FRONT};
	const struct ipc_request_gone gone = {.call = 1};

	for (int what = VAULT_GOES; what <= FRONT_GOES; what++) {
		struct rig *r = rig_ready_with(RIG_ASKS, TIER_WRITE, "notes/*");
		struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");

		ask_list(r, 1);
		CHECK(lists_count(r->b->lists) == 1);
		if (what == REVOKED) {
			s.state = SESSION_REVOKED;
			rig_put_session(r, &s);
		} else if (what == CLIENT_GOES) {
			rig_send(r, RIG_FRONT, IPC_REQUEST_GONE, &gone);
		} else {
			rig_lose(r, peers[what]);
		}
		if (http[what < CLIENT_GOES ? what : VAULT_GOES] != 0 && what < CLIENT_GOES)
			CHECK(fails(r, http[what], ""));
		CHECK(lists_count(r->b->lists) == 0);
		rig_free(r);
	}
}

static void its_role_is_away(void)
{
	struct rig *r = rig_ready_with(RIG_BATCH, TIER_WRITE, "notes/*");

	rig_lose(r, RIG_PDP);
	ask_list(r, 1);
	CHECK(fails(r, 503, "its role is away"));
	rig_connect(r, RIG_PDP);
	ask_list(r, 2);
	CHECK(rig_take(r, RIG_PDP, IPC_PDP_ASK) != NULL);
	rig_free(r);
}

/* The tools, the consent and the policies are those of the moment of the answer. */
static void what_changes_while_it_is_asked(void)
{
	struct rig *r = rig_ready_with(RIG_BATCH, TIER_WRITE, "notes/*");
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/a*\nnotes/l*");
	const struct ipc_pdp_ask *m;
	uint64_t ask;

	ask_list(r, 1);
	m = rig_take(r, RIG_PDP, IPC_PDP_ASK);
	ask = m->ask;
	rig_put_session(r, &s);
	rig_pin(r, "notes", "aaa", RIG_DEF("aaa"));
	rig_tool(r, RIG_NOTES, 2, "aaa", RIG_DEF("aaa"));
	rig_tool(r, RIG_NOTES, 2, "list_notes", RIG_DEF("list_notes"));
	rig_tool(r, RIG_NOTES, 2, "wipe_notes", RIG_DEF("wipe_notes"));
	rig_tools_done(r, RIG_NOTES, 2, 3);
	answer_batch(r, ask, "\1\1\1", 3);
	/* aaa was not asked about, add_note is gone, wipe_notes is not consented any more. */
	CHECK(lists(r, "notes__list_notes"));
	rig_free(r);
}

enum { MANY = 1000 };

static struct rig *rig_many(const char *config)
{
	struct rig *r = rig_ready_with(config, TIER_READ, "wiki/*");

	r->synced = false; /* the pins are taken together */
	for (int i = 0; i < MANY; i++) {
		char name[16], definition[128];

		snprintf(name, sizeof(name), "t%04d", i);
		snprintf(definition, sizeof(definition), "{\"name\":\"%s\",\"inputSchema\":{\"type\":\"object\"}}",
			 name);
		rig_pin(r, "wiki", name, definition);
		rig_tool(r, RIG_WIKI, 9, name, definition);
	}
	rig_tools_done(r, RIG_WIKI, 9, MANY);
	r->synced = true;
	for (int i = 0; i < 300 && policies_pending(r->b->policies); i++)
		rig_pass(r, 20);
	while (rig_has(r, RIG_VAULT))
		CHECK(rig_take(r, RIG_VAULT, IPC_PUT_TAKEN) != NULL);
	return r;
}

/* The number of tools in the answer. */
static size_t listed(struct rig *r)
{
	const struct ipc_reply *m = rig_take(r, RIG_FRONT, IPC_REPLY);
	json_t *o =
		m == NULL || m->kind != REPLY_RESULT ? NULL : json_loadb((const char *)m->body.p, m->body.n, 0, NULL);
	size_t n = json_array_size(json_object_get(o, "tools"));

	json_decref(o);
	return n;
}

static void a_thousand_tools(void)
{
	struct rig *r = rig_many(RIG_BATCH);
	char decisions[MANY];
	const struct ipc_pdp_ask *m;

	for (int i = 0; i < MANY; i++)
		decisions[i] = i % 3 != 0;
	ask_list(r, 1);
	m = rig_take(r, RIG_PDP, IPC_PDP_ASK);
	CHECK(m != NULL && !rig_has(r, RIG_PDP));
	answer_batch(r, m == NULL ? 0 : m->ask, decisions, MANY);
	CHECK(listed(r) == MANY - (MANY + 2) / 3);
	rig_free(r);

	r = rig_many(RIG_ASKS);
	ask_list(r, 1);
	for (int done = 0; done < MANY;) {
		uint64_t ask[LISTS_ASKS];
		unsigned n = 0;

		for (; rig_has(r, RIG_PDP) && n < LISTS_ASKS; n++)
			ask[n] = ((const struct ipc_pdp_ask *)rig_take(r, RIG_PDP, IPC_PDP_ASK))->ask;
		CHECK(n == (MANY - done < (int)LISTS_ASKS ? (unsigned)(MANY - done) : LISTS_ASKS));
		CHECK(!rig_has(r, RIG_PDP));
		for (unsigned i = 0; i < n; i++, done++)
			answer(r, ask[i], done % 2 == 0, done % 2 == 0 ? "" : "external-denied", "");
		if (n == 0)
			break;
	}
	CHECK(listed(r) == MANY / 2);
	rig_free(r);
}

static void waiting_lists_are_bounded(void)
{
	struct rig *r = rig_ready_with(RIG_BATCH, TIER_WRITE, "notes/*");
	uint64_t ask[LISTS_PER_SESSION] = {0};

	for (uint64_t i = 0; i < LISTS_PER_SESSION; i++) {
		ask_list(r, i + 1);
		ask[i] = ((const struct ipc_pdp_ask *)rig_take(r, RIG_PDP, IPC_PDP_ASK))->ask;
	}
	ask_list(r, 99);
	CHECK(!rig_has(r, RIG_PDP));
	const struct ipc_reply *m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_ERROR && m->http_status == 503 && m->call == 99);
	for (size_t i = 0; i < LISTS_PER_SESSION; i++) {
		answer_batch(r, ask[i], "\1\1\1", 3);
		CHECK(lists(r, "notes__add_note notes__list_notes notes__wipe_notes"));
	}
	/* One number of a request twice is no honest front. */
	ask_list(r, 7);
	ask_list(r, 7);
	CHECK(rig_dropped(r, RIG_FRONT));
	rig_free(r);
}

int main(void)
{
	RUN(one_by_one);
	RUN(all_at_once);
	RUN(a_batch_of_another_length);
	RUN(no_answer_is_no_list);
	RUN(silence_is_no_list);
	RUN(mishaps_while_it_is_asked);
	RUN(its_role_is_away);
	RUN(what_changes_while_it_is_asked);
	RUN(a_thousand_tools);
	RUN(waiting_lists_are_bounded);
	return unit_end();
}
