/* Every message of the table on every socket of vaultd: what is not for that place ends the connection, and nothing
 * else. */
#include "common/call.h"
#include "tests/unit/vault_rig.h"

/* What each socket takes, by the state of its connection. */
static const struct place {
	const char *what;
	enum ipc_role role;
	enum ipc_state state;
	enum ipc_type takes[6];
} places[] = {
	{"broker", IPC_ROLE_BROKER, IPC_ST_READY, {IPC_ATTACH, IPC_APPROVAL_ASK, IPC_POLICY_KEEP}},
	{"upstream, new", IPC_ROLE_UPSTREAM, IPC_ST_NEW, {IPC_UPSTREAM_NAME}},
	{"upstream, named", IPC_ROLE_UPSTREAM, IPC_ST_NAMED, {IPC_UPSTREAM_KEY}},
	{"upstream, keyed", IPC_ROLE_UPSTREAM, IPC_ST_READY, {IPC_TOOL_TIER, IPC_TOOL_TIERS_DONE, IPC_SELF_ATTACH}},
	{"recorder", IPC_ROLE_RECORDER, IPC_ST_READY, {IPC_VAULT_EVENT_RECORDED, IPC_CHECKPOINT, IPC_GUARD_ACT}},
	{"operator", IPC_ROLE_ADMIN, IPC_ST_READY, {IPC_ADMIN_REQUEST, IPC_SECRET_PUT}},
};
#define NPLACES (sizeof(places) / sizeof(places[0]))

static bool place_takes(const struct place *p, enum ipc_type type)
{
	for (size_t i = 0; i < 6; i++)
		if (p->takes[i] == type && p->takes[i] != 0)
			return true;
	return false;
}

/* A connection in the state of its place. */
static int connect_at(struct rig *r, const struct place *p)
{
	struct ipc_upstream_name name = {.upstream = ipc_text("plain")};
	uint8_t key[KX_LEN];
	int fd;

	if (p->role == IPC_ROLE_UPSTREAM && p->state == IPC_ST_READY)
		return rig_upstream(r, "plain", key);
	fd = rig_peer(r, p->role);
	if (p->state == IPC_ST_NAMED)
		rig_say(fd, IPC_UPSTREAM_NAME, &name);
	rig_pump(r);
	return fd;
}

static void refuses_every_message_in_the_wrong_place(void)
{
	size_t n;
	const struct ipc_msg_info *table = ipc_messages(&n);
	static const union ipc_any zero;
	struct rig r;

	rig_open(&r);
	for (size_t p = 0; p < NPLACES; p++) {
		for (size_t i = 0; i < n; i++) {
			int fd;

			if (place_takes(&places[p], table[i].type))
				continue;
			fd = connect_at(&r, &places[p]);
			rig_say(fd, table[i].type, &zero);
			if (!rig_dropped(&r, fd))
				fprintf(stderr, "  %s took %s\n", places[p].what, table[i].name), unit_bad = 1;
			close(fd);
		}
	}
	CHECK(r.v->peers == NULL);
	rig_close(&r);
}

/* Raw bytes that are no message: unknown numbers, impossible lengths, a body that is too long for its fields. */
static void refuses_what_is_no_message(void)
{
	static const uint8_t unknown[8] = {0, 0, 0, 0, 0xff, 0xff, 0, 0};
	static const uint8_t huge[8] = {0xff, 0xff, 0xff, 0xff, 0, IPC_ATTACH, 0, 0};
	static const uint8_t bits[8] = {0, 0, 0, 0, 0, IPC_ATTACH, 0, 1};
	static const uint8_t short_body[8] = {0, 0, 0, 1, 0, IPC_ATTACH, 0, 0};
	const uint8_t *const rows[] = {unknown, huge, bits, short_body};
	struct rig r;

	rig_open(&r);
	for (size_t p = 0; p < NPLACES; p++) {
		for (size_t i = 0; i < 4; i++) {
			int fd = connect_at(&r, &places[p]);

			CHECK(write(fd, rows[i], 8) == 8 && rig_dropped(&r, fd));
			close(fd);
		}
	}
	rig_close(&r);
}

static void names_and_keys_come_once(void)
{
	struct ipc_upstream_name name = {.upstream = ipc_text("plain")}, other = {.upstream = ipc_text("notes")};
	struct ipc_upstream_name nobody = {.upstream = ipc_text("nobody")};
	struct ipc_upstream_key key = {0}, small = {0};
	uint8_t sk[KX_LEN], agreed[KX_LEN];
	struct rig r;
	int fd;

	rig_open(&r);
	upstream_key_pair(key.public_key, sk);
	fd = rig_peer(&r, IPC_ROLE_UPSTREAM);
	rig_say(fd, IPC_UPSTREAM_NAME, &nobody);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	fd = rig_peer(&r, IPC_ROLE_UPSTREAM);
	rig_say(fd, IPC_UPSTREAM_NAME, &name);
	rig_say(fd, IPC_UPSTREAM_NAME, &other);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	/* The role cannot take another name later, nor agree a second key. */
	fd = rig_upstream(&r, "plain", agreed);
	rig_say(fd, IPC_UPSTREAM_NAME, &other);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	fd = rig_upstream(&r, "plain", agreed);
	rig_say(fd, IPC_UPSTREAM_KEY, &key);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	/* A key of small order would fix the secret. */
	fd = rig_peer(&r, IPC_ROLE_UPSTREAM);
	rig_say(fd, IPC_UPSTREAM_NAME, &name);
	rig_say(fd, IPC_UPSTREAM_KEY, &small);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	CHECK(r.v->upstreams[1].key == NULL && r.v->upstreams[1].peer == NULL);
	rig_close(&r);
}

/* The parent brings a new role: the old connection ends, and its end does not take the new key away. */
static void the_newest_role_counts(void)
{
	uint8_t first[KX_LEN], second[KX_LEN];
	struct rig r;
	int old, new;

	rig_open(&r);
	old = rig_upstream(&r, "plain", first);
	new = rig_upstream(&r, "plain", second);
	CHECK(rig_dropped(&r, old) && !rig_dropped(&r, new));
	CHECK(r.v->upstreams[1].key != NULL && memcmp(secret_bytes(r.v->upstreams[1].key), second, KX_LEN) == 0);
	close(old);
	rig_pump(&r);
	CHECK(r.v->upstreams[1].key != NULL);
	close(new);
	rig_pump(&r);
	CHECK(r.v->upstreams[1].key == NULL);
	rig_close(&r);
}

static void tool_lists_are_bounded_and_whole(void)
{
	struct rig r;
	uint8_t key[KX_LEN];
	char name[16];
	int fd;

	rig_open(&r);
	fd = rig_upstream(&r, "plain", key);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		rig_tool(fd, 1, name, TIER_READ, 0);
		if (i % 100 == 0)
			rig_pump(&r);
	}
	rig_tools_done(&r, fd, 1, 1000);
	CHECK(!rig_dropped(&r, fd));
	for (int i = 0; i < 1001; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		rig_tool(fd, 2, name, TIER_READ, 0);
		if (i % 100 == 0)
			rig_pump(&r);
	}
	CHECK(rig_dropped(&r, fd));
	close(fd);
	fd = rig_upstream(&r, "plain", key);
	rig_tool(fd, 1, "twice", 0, 0);
	rig_tool(fd, 1, "twice", TIER_READ, 0);
	rig_tools_done(&r, fd, 1, 2);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	fd = rig_upstream(&r, "plain", key);
	rig_tool(fd, 1, "a", 0, 0);
	rig_tools_done(&r, fd, 1, 2);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	fd = rig_upstream(&r, "plain", key);
	rig_tool(fd, 1, "a", 4, 0);
	CHECK(rig_dropped(&r, fd));
	close(fd);
	rig_close(&r);
}

/* Whoever breaks the protocol is on record. */
static void a_breach_is_an_event(void)
{
	struct ipc_sessions_synced wrong = {0};
	struct rig_message m;
	struct rig r;
	int recorder, broker;

	rig_open(&r);
	recorder = rig_peer(&r, IPC_ROLE_RECORDER);
	broker = rig_peer(&r, IPC_ROLE_BROKER);
	rig_say(broker, IPC_SESSIONS_SYNCED, &wrong);
	CHECK(rig_expect(&r, recorder, IPC_VAULT_EVENT, &m));
	CHECK(ipc_is(((struct ipc_vault_event *)&m.any)->kind, "vault.peer-dropped"));
	rig_forget(&m);
	close(broker);
	close(recorder);
	rig_close(&r);
}

static void a_broker_gets_the_sessions(void)
{
	struct rig r;
	struct rig_message m;
	json_t *a, *b;
	char json[64];
	uint8_t live[HASH_LEN], revoked[HASH_LEN];
	int admin, recorder, broker;

	rig_open(&r);
	admin = rig_peer(&r, IPC_ROLE_ADMIN);
	recorder = rig_peer(&r, IPC_ROLE_RECORDER);
	a = rig_grant(&r, admin, recorder, NULL);
	b = rig_grant(&r, admin, recorder, NULL);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", rig_text(b, "session"));
	json_decref(rig_do(&r, admin, recorder, "session.revoke", json, true));
	broker = rig_peer(&r, IPC_ROLE_BROKER);
	CHECK(rig_expect(&r, broker, IPC_POLICY_STATE, &m));
	rig_forget(&m);
	/* The revoked one too: its token is then told from one that never was. */
	token_hash(rig_text(a, "token"), TOKEN_LEN, live);
	token_hash(rig_text(b, "token"), TOKEN_LEN, revoked);
	for (int i = 0; i < 2; i++) {
		const struct ipc_session_put *x = (const struct ipc_session_put *)&m.any;
		bool is_live;

		CHECK(rig_expect(&r, broker, IPC_SESSION_PUT, &m));
		is_live = memcmp(x->token_hash, live, HASH_LEN) == 0;
		CHECK(is_live || memcmp(x->token_hash, revoked, HASH_LEN) == 0);
		CHECK(x->state == (is_live ? SESSION_ACTIVE : SESSION_REVOKED) && x->tier == TIER_WRITE);
		CHECK(ipc_is(x->tools, "notes/*\nweb/get_*") && x->expires_unix == RIG_NOW + 3600);
		rig_forget(&m);
	}
	CHECK(rig_expect(&r, broker, IPC_SESSIONS_SYNCED, &m));
	rig_forget(&m);
	json_decref(a);
	json_decref(b);
	close(admin);
	close(recorder);
	close(broker);
	rig_close(&r);
}

static void operators_are_bounded(void)
{
	struct rig r;
	int fd[34], pair[2];

	rig_open(&r);
	for (int i = 0; i < 32; i++)
		fd[i] = rig_peer(&r, IPC_ROLE_ADMIN);
	CHECK(sock_pair(pair) == KG_OK && peer_open(r.v, pair[0], IPC_ROLE_ADMIN) == NULL);
	close(pair[1]);
	rig_ask(fd[0], "no.such", "{}");
	{
		char error[1025];

		CHECK(rig_answer(&r, fd[0], error) == NULL && strstr(error, "does not know") != NULL);
	}
	rig_ask(fd[1], "status", "[]");
	CHECK(rig_dropped(&r, fd[1]));
	rig_ask(fd[2], "status", "{\"a\":1,\"a\":2}");
	CHECK(rig_dropped(&r, fd[2]));
	for (int i = 0; i < 32; i++)
		close(fd[i]);
	rig_pump(&r);
	CHECK(r.v->peers == NULL);
	rig_close(&r);
}

int main(void)
{
	RUN(refuses_every_message_in_the_wrong_place);
	RUN(refuses_what_is_no_message);
	RUN(names_and_keys_come_once);
	RUN(the_newest_role_counts);
	RUN(tool_lists_are_bounded_and_whole);
	RUN(a_breach_is_an_event);
	RUN(a_broker_gets_the_sessions);
	RUN(operators_are_bounded);
	return unit_end();
}
