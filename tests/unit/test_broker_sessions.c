#include "gatewayd/broker/sessions.h"

#include <string.h>

#include <sodium.h>

#include "gatewayd/broker/gate.h"
#include "gatewayd/broker/mcp_sessions.h"
#include "tests/unit/unit.h"

static const struct mcp_hello hello = {VERSION_LATEST_LEGACY, ELICITS_URL, {(const uint8_t *)"c 1", 3}};
static unsigned nended;
static enum session_end last_end;

static void ended(struct session *s, enum session_end why, void *arg)
{
	nended++;
	last_end = why;
	if (why != SESSION_END_PAUSED)
		mcp_sessions_drop(arg, s);
}

static struct ipc_session_put put(uint8_t n, uint8_t state)
{
	struct ipc_session_put m = {.tier = TIER_WRITE,
				    .state = state,
				    .expires_unix = 1000,
				    .human = ipc_text("h"),
				    .agent = ipc_text("a"),
				    .tools = ipc_text("notes/*\n\nwiki/search"),
				    .suspended = ipc_text("notes/a\nnotes/b")};

	memset(m.session, n, ID_LEN);
	memset(m.token_hash, n, HASH_LEN);
	return m;
}

static struct session *find(struct sessions *t, uint8_t n)
{
	uint8_t hash[HASH_LEN];

	memset(hash, n, sizeof(hash));
	return sessions_find(t, hash);
}

static void a_session_is_found_by_its_hash(void)
{
	struct sessions *t = sessions_new(ended, NULL);
	struct ipc_session_put m = put(1, SESSION_ACTIVE);

	CHECK(sessions_put(t, &m) == KG_OK);
	CHECK(find(t, 1) != NULL && find(t, 2) == NULL);
	CHECK(find(t, 1)->tools.count == 2 && find(t, 1)->suspended.count == 2);
	CHECK(strcmp(find(t, 1)->tools.glob[1], "wiki/search") == 0 && find(t, 1)->labels.count == 0);
	m.labels = ipc_text("confidential\npii");
	CHECK(sessions_put(t, &m) == KG_OK && find(t, 1)->labels.count == 2);
	CHECK(strcmp(find(t, 1)->labels.glob[0], "confidential") == 0);
	m.labels = ipc_text("");
	m.tools = m.suspended = ipc_text("");
	m.tier = TIER_READ;
	CHECK(sessions_put(t, &m) == KG_OK);
	CHECK(sessions_count(t) == 1 && find(t, 1)->tools.count == 0 && find(t, 1)->suspended.count == 0 &&
	      find(t, 1)->labels.count == 0 && find(t, 1)->tier == TIER_READ);
	sessions_free(t);
}

static void what_cannot_be_is_refused(void)
{
	struct sessions *t = sessions_new(ended, NULL);
	struct ipc_session_put m = put(1, 0);

	CHECK(sessions_put(t, &m) == KG_E_PROTO);
	m.state = SESSION_WITHDRAWN + 1;
	CHECK(sessions_put(t, &m) == KG_E_PROTO);
	m = put(1, SESSION_ACTIVE);
	m.tier = 0;
	CHECK(sessions_put(t, &m) == KG_E_PROTO);
	m.tier = TIER_DESTRUCTIVE + 1;
	CHECK(sessions_put(t, &m) == KG_E_PROTO);
	m = put(1, SESSION_ACTIVE);
	CHECK(sessions_put(t, &m) == KG_OK);
	/* Another session with the same token. */
	memset(m.session, 9, ID_LEN);
	CHECK(sessions_put(t, &m) == KG_E_PROTO);
	CHECK(sessions_count(t) == 1);
	sessions_free(t);
}

static void ends_are_told_once(void)
{
	struct mcp_sessions *mcp = mcp_sessions_new();
	struct sessions *t = sessions_new(ended, mcp);
	struct ipc_session_put m = put(1, SESSION_ACTIVE);

	CHECK(sessions_put(t, &m) == KG_OK);
	nended = 0;
	m.state = SESSION_PAUSED;
	CHECK(sessions_put(t, &m) == KG_OK && nended == 1 && last_end == SESSION_END_PAUSED);
	CHECK(sessions_put(t, &m) == KG_OK && nended == 1);
	CHECK(gate_check(find(t, 1), 1)->http == 403);
	m.state = SESSION_ACTIVE;
	CHECK(sessions_put(t, &m) == KG_OK && nended == 1);
	CHECK(gate_check(find(t, 1), 1) == NULL);
	/* The guardian revokes, and that is lifted. */
	m.state = SESSION_WITHDRAWN;
	CHECK(sessions_put(t, &m) == KG_OK && nended == 2 && last_end == SESSION_END_WITHDRAWN);
	CHECK(sessions_put(t, &m) == KG_OK && nended == 2 && gate_check(find(t, 1), 1)->http == 403);
	m.state = SESSION_ACTIVE;
	CHECK(sessions_put(t, &m) == KG_OK && nended == 2 && gate_check(find(t, 1), 1) == NULL);
	m.state = SESSION_REVOKED;
	CHECK(sessions_put(t, &m) == KG_OK && nended == 3 && last_end == SESSION_END_REVOKED);
	CHECK(gate_check(find(t, 1), 1)->http == 401);
	sessions_free(t);
	mcp_sessions_free(mcp);
}

static void expiry_ends_and_forgets(void)
{
	struct mcp_sessions *mcp = mcp_sessions_new();
	struct sessions *t = sessions_new(ended, mcp);
	struct ipc_session_put m = put(1, SESSION_ACTIVE);

	CHECK(sessions_next_expiry(t) == UINT64_MAX);
	CHECK(sessions_put(t, &m) == KG_OK);
	CHECK(sessions_next_expiry(t) == 1000);
	CHECK(gate_check(find(t, 1), 999) == NULL);
	CHECK(gate_check(find(t, 1), 1000)->http == 401);
	nended = 0;
	sessions_expire(t, 999);
	CHECK(nended == 0 && find(t, 1) != NULL);
	sessions_expire(t, 1000);
	CHECK(nended == 1 && last_end == SESSION_END_EXPIRED && find(t, 1) == NULL);
	sessions_free(t);
	mcp_sessions_free(mcp);
}

/* What was revoked while the vault was away is not named again. */
static void a_sync_ends_what_it_does_not_name(void)
{
	struct mcp_sessions *mcp = mcp_sessions_new();
	struct sessions *t = sessions_new(ended, mcp);
	struct ipc_session_put one = put(1, SESSION_ACTIVE), two = put(2, SESSION_PAUSED);

	CHECK(!sessions_synced(t));
	sessions_sync_begin(t);
	CHECK(sessions_put(t, &one) == KG_OK && sessions_put(t, &two) == KG_OK);
	CHECK(!sessions_synced(t));
	sessions_sync_end(t);
	CHECK(sessions_synced(t));
	nended = 0;
	sessions_sync_begin(t);
	CHECK(!sessions_synced(t));
	CHECK(sessions_put(t, &two) == KG_OK);
	sessions_sync_end(t);
	CHECK(nended == 1 && find(t, 1) == NULL && find(t, 2) != NULL);
	sessions_free(t);
	mcp_sessions_free(mcp);
}

static void the_table_is_bounded(void)
{
	struct mcp_sessions *mcp = mcp_sessions_new();
	struct sessions *t = sessions_new(ended, mcp);
	struct ipc_session_put m = put(0, SESSION_ACTIVE);

	for (uint32_t i = 0; i < SESSIONS_MAX; i++) {
		memcpy(m.session, &i, sizeof(i));
		memcpy(m.token_hash, &i, sizeof(i));
		m.state = i == 7 ? SESSION_REVOKED : SESSION_ACTIVE;
		CHECK(sessions_put(t, &m) == KG_OK);
	}
	/* The revoked one makes room, then there is none. */
	m = put(0xee, SESSION_ACTIVE);
	CHECK(sessions_put(t, &m) == KG_OK && sessions_count(t) == SESSIONS_MAX);
	m = put(0xef, SESSION_ACTIVE);
	CHECK(sessions_put(t, &m) == KG_E_LIMIT && find(t, 0xef) == NULL);
	sessions_free(t);
	mcp_sessions_free(mcp);
}

static void an_mcp_session_belongs_to_one_agent(void)
{
	struct mcp_sessions *mcp = mcp_sessions_new();
	struct sessions *t = sessions_new(ended, mcp);
	struct ipc_session_put one = put(1, SESSION_ACTIVE), two = put(2, SESSION_ACTIVE);
	char id[MCP_SESSION_HEX + 1], upper[MCP_SESSION_HEX + 1];

	CHECK(sessions_put(t, &one) == KG_OK && sessions_put(t, &two) == KG_OK);
	CHECK(mcp_sessions_add(mcp, find(t, 1), &hello, id) == KG_OK);
	CHECK(mcp_sessions_find(mcp, find(t, 1), ipc_text(id)) != NULL);
	CHECK(mcp_sessions_find(mcp, find(t, 2), ipc_text(id)) == NULL);
	CHECK(mcp_sessions_find(mcp, find(t, 1), ipc_mem(id, 31)) == NULL);
	CHECK(mcp_sessions_find(mcp, find(t, 1), ipc_text("")) == NULL);
	for (size_t i = 0; i <= MCP_SESSION_HEX; i++)
		upper[i] = id[i] >= 'a' ? (char)(id[i] - 32) : id[i];
	CHECK(strcmp(upper, id) == 0 || mcp_sessions_find(mcp, find(t, 1), ipc_text(upper)) == NULL);
	/* It outlives a pause, and ends with a revocation. */
	one.state = SESSION_PAUSED;
	CHECK(sessions_put(t, &one) == KG_OK && mcp_sessions_find(mcp, find(t, 1), ipc_text(id)) != NULL);
	one.state = SESSION_REVOKED;
	CHECK(sessions_put(t, &one) == KG_OK && mcp_sessions_find(mcp, find(t, 1), ipc_text(id)) == NULL);
	/* So it does when the guardian revokes, also what it had paused before; a lift does not bring it back. */
	for (int paused = 0; paused < 2; paused++) {
		two.state = SESSION_ACTIVE;
		CHECK(sessions_put(t, &two) == KG_OK && mcp_sessions_add(mcp, find(t, 2), &hello, id) == KG_OK);
		two.state = paused ? SESSION_PAUSED : SESSION_ACTIVE;
		CHECK(sessions_put(t, &two) == KG_OK && mcp_sessions_find(mcp, find(t, 2), ipc_text(id)) != NULL);
		two.state = SESSION_WITHDRAWN;
		CHECK(sessions_put(t, &two) == KG_OK && mcp_sessions_find(mcp, find(t, 2), ipc_text(id)) == NULL);
		two.state = SESSION_ACTIVE;
		CHECK(sessions_put(t, &two) == KG_OK && mcp_sessions_find(mcp, find(t, 2), ipc_text(id)) == NULL);
	}
	mcp_sessions_free(mcp);
	sessions_free(t);
}

static void the_oldest_mcp_session_makes_room(void)
{
	struct mcp_sessions *mcp = mcp_sessions_new();
	struct sessions *t = sessions_new(ended, mcp);
	struct ipc_session_put m = put(1, SESSION_ACTIVE);
	char first[MCP_SESSION_HEX + 1], second[MCP_SESSION_HEX + 1], id[MCP_SESSION_HEX + 1];

	CHECK(sessions_put(t, &m) == KG_OK);
	CHECK(mcp_sessions_add(mcp, find(t, 1), &hello, first) == KG_OK &&
	      mcp_sessions_add(mcp, find(t, 1), &hello, second) == KG_OK);
	for (int i = 2; i < MCP_SESSIONS_PER_AGENT; i++)
		CHECK(mcp_sessions_add(mcp, find(t, 1), &hello, id) == KG_OK);
	CHECK(mcp_sessions_find(mcp, find(t, 1), ipc_text(first)) != NULL);
	CHECK(mcp_sessions_add(mcp, find(t, 1), &hello, id) == KG_OK);
	CHECK(mcp_sessions_find(mcp, find(t, 1), ipc_text(first)) == NULL);
	CHECK(mcp_sessions_find(mcp, find(t, 1), ipc_text(second)) != NULL);
	CHECK(find(t, 1)->nmcp == MCP_SESSIONS_PER_AGENT);
	mcp_sessions_free(mcp);
	sessions_free(t);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(a_session_is_found_by_its_hash);
	RUN(what_cannot_be_is_refused);
	RUN(ends_are_told_once);
	RUN(expiry_ends_and_forgets);
	RUN(a_sync_ends_what_it_does_not_name);
	RUN(the_table_is_bounded);
	RUN(an_mcp_session_belongs_to_one_agent);
	RUN(the_oldest_mcp_session_makes_room);
	return unit_end();
}
