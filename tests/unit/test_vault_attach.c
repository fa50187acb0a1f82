/* ATTACH: a table over everything that is refused, and what a grant holds. */
#include <sys/socket.h>
#include <unistd.h>

#include "common/call.h"
#include "tests/unit/vault_rig.h"
#include "vaultd/answers.h"
#include "vaultd/sessions.h"

/* A vault with an operator, a recorder, a broker, and the roles of notes and web. */
struct scene {
	struct rig r;
	int admin, recorder, broker, notes, web;
	uint8_t notes_key[KX_LEN], web_key[KX_LEN];
	char token[TOKEN_LEN + 1];
	uint8_t session[ID_LEN];
};

static void drain_sessions(struct scene *s)
{
	struct rig_message m;

	while (rig_next(&s->r, s->broker, &m)) {
		bool last = m.type == IPC_SESSIONS_SYNCED;

		rig_forget(&m);
		if (last)
			return;
	}
}

static void tell_tools(struct scene *s)
{
	rig_tool(s->notes, 1, "list_notes", 0, 0);
	rig_tool(s->notes, 1, "add_note", 0, 0);
	rig_tool(s->notes, 1, "wipe_notes", 0, 0);
	rig_tool(s->notes, 1, "raised", 0, TIER_DESTRUCTIVE);
	rig_tools_done(&s->r, s->notes, 1, 4);
	rig_tool(s->web, 1, "get_page", TIER_READ, 0);
	rig_tools_done(&s->r, s->web, 1, 1);
	CHECK(rig_record_all(&s->r, s->recorder, "tools.accepted") == 2);
	rig_take_all(&s->r, s->broker);
}

static void scene_open(struct scene *s)
{
	char error[1025];
	json_t *grant;

	rig_open(&s->r);
	s->admin = rig_peer(&s->r, IPC_ROLE_ADMIN);
	s->recorder = rig_peer(&s->r, IPC_ROLE_RECORDER);
	grant = rig_grant(&s->r, s->admin, s->recorder, NULL);
	snprintf(s->token, sizeof(s->token), "%s", rig_text(grant, "token"));
	sodium_hex2bin(s->session, ID_LEN, rig_text(grant, "session"), 32, NULL, NULL, NULL);
	json_decref(grant);
	rig_put(&s->r, s->admin, s->recorder, "web-token", "web", "bearer", "", false, "abc123", error);
	rig_put(&s->r, s->admin, s->recorder, "web-key", "web", "header", "X-Key", false, "k=v w", error);
	rig_put(&s->r, s->admin, s->recorder, "web-query", "web", "query", "api_key", false, "q&q", error);
	rig_put(&s->r, s->admin, s->recorder, "notes-token", "notes", "env", "", false, "line1\nline2", error);
	CHECK(error[0] == '\0');
	s->broker = rig_peer(&s->r, IPC_ROLE_BROKER);
	drain_sessions(s);
	s->notes = rig_upstream(&s->r, "notes", s->notes_key);
	s->web = rig_upstream(&s->r, "web", s->web_key);
	tell_tools(s);
}

static void scene_close(struct scene *s)
{
	rig_close(&s->r);
	close(s->admin);
	close(s->recorder);
	close(s->broker);
	close(s->notes);
	close(s->web);
}

struct ask {
	const char *token, *upstream, *name;
	uint8_t method;
};

static const uint8_t txn[ID_LEN] = {1, 2, 3};

static void say_attach(struct scene *s, const struct ask *q)
{
	struct ipc_attach m = {.call = 42, .method = q->method};

	m.token = ipc_text(q->token);
	m.upstream = ipc_text(q->upstream);
	m.name = ipc_text(q->name);
	memcpy(m.txn, txn, ID_LEN);
	sha256("{}", 2, m.args_sha256);
	sha256("{}", 2, m.meta_sha256);
	rig_say(s->broker, IPC_ATTACH, &m);
}

/* The answer; m keeps its bytes. */
static const struct ipc_attached *attach(struct scene *s, const struct ask *q, struct rig_message *m)
{
	say_attach(s, q);
	if (!rig_expect(&s->r, s->broker, IPC_ATTACHED, m))
		return NULL;
	return (const struct ipc_attached *)&m->any;
}

static bool refused(struct scene *s, const struct ask *q, uint8_t status, const char *code)
{
	struct rig_message m;
	const struct ipc_attached *a = attach(s, q, &m);
	bool right;

	if (a == NULL)
		return false;
	right = a->status == status && ipc_is(a->reason_code, code) && a->sealed.n == 0 && a->reason.n > 0 &&
		a->call == 42;
	if (!right)
		fprintf(stderr, "  got status %u, code %.*s\n", a->status, (int)a->reason_code.n, a->reason_code.p);
	rig_forget(&m);
	return right;
}

/* The digest as the upstream role would compute it from the call that it was handed. */
static void digest_of(struct scene *s, const struct ask *q, uint8_t out[HASH_LEN])
{
	uint8_t hash[HASH_LEN];
	struct call_id id = {.session = s->session,
			     .upstream = q->upstream,
			     .method = q->method,
			     .name = {q->name, strlen(q->name)},
			     .txn = txn,
			     .args_sha256 = hash,
			     .meta_sha256 = hash};

	sha256("{}", 2, hash);
	call_digest(&id, out);
}

static void grants_what_the_consent_covers(void)
{
	struct scene s;
	struct ask q = {.upstream = "notes", .name = "add_note", .method = MCP_TOOLS_CALL};
	const struct ipc_attached *a;
	struct credential_set *set;
	uint8_t digest[HASH_LEN];
	struct rig_message m;

	scene_open(&s);
	q.token = s.token;
	a = attach(&s, &q, &m);
	CHECK(a != NULL && a->status == GRANT_OK);
	digest_of(&s, &q, digest);
	/* A server that needs none for its calls gets an empty set: vaultd's word. */
	CHECK(credentials_open(s.notes_key, digest, "stdio", loop_now_ns(), a->sealed.p, a->sealed.n, &set) == KG_OK);
	CHECK(set->count == 0);
	credentials_free(set);
	/* Another call, another upstream's key, another destination, later: it does not open. */
	CHECK(credentials_open(s.web_key, digest, "stdio", loop_now_ns(), a->sealed.p, a->sealed.n, &set) ==
	      KG_E_CRYPTO);
	CHECK(credentials_open(s.notes_key, digest, "https://x:443", loop_now_ns(), a->sealed.p, a->sealed.n, &set) ==
	      KG_E_CRYPTO);
	CHECK(credentials_open(s.notes_key, digest, "stdio", loop_now_ns() + SEAL_TTL_NS, a->sealed.p, a->sealed.n,
			       &set) == KG_E_EXPIRED);
	digest[0] ^= 1;
	CHECK(credentials_open(s.notes_key, digest, "stdio", loop_now_ns(), a->sealed.p, a->sealed.n, &set) ==
	      KG_E_CRYPTO);
	rig_forget(&m);
	scene_close(&s);
}

static void seals_the_credentials_of_the_server(void)
{
	struct scene s;
	struct ask q = {.upstream = "web", .name = "get_page", .method = MCP_TOOLS_CALL};
	const struct ipc_attached *a;
	struct credential_set *set;
	uint8_t digest[HASH_LEN];
	struct rig_message m;
	int seen = 0;

	scene_open(&s);
	q.token = s.token;
	a = attach(&s, &q, &m);
	CHECK(a != NULL && a->status == GRANT_OK && memmem(a->sealed.p, a->sealed.n, "abc123", 6) == NULL);
	digest_of(&s, &q, digest);
	CHECK(credentials_open(s.web_key, digest, "https://api.example.com:443", loop_now_ns(), a->sealed.p,
			       a->sealed.n, &set) == KG_OK);
	CHECK(set->count == 3);
	for (size_t i = 0; i < set->count; i++) {
		const struct credential *c = &set->item[i];

		if (c->kind == CRED_BEARER)
			seen += strcmp(c->slot, "Authorization") == 0 && strcmp(c->value, "Bearer abc123") == 0;
		if (c->kind == CRED_HEADER)
			seen += 10 * (strcmp(c->slot, "X-Key") == 0 && strcmp(c->value, "k=v w") == 0);
		if (c->kind == CRED_QUERY)
			seen += 100 * (strcmp(c->slot, "api_key") == 0 && strcmp(c->value, "q&q") == 0);
	}
	CHECK(seen == 111);
	credentials_free(set);
	rig_forget(&m);
	scene_close(&s);
}

/* Every refusal that depends on the call alone. */
static void refuses_by_the_call(void)
{
	static const struct {
		struct ask q; /* token NULL: the right one */
		uint8_t status;
		const char *code;
	} rows[] = {
		{{NULL, "notes", "add_note", MCP_TOOLS_LIST}, GRANT_DENIED, "method"},
		{{NULL, "notes", "add_note", SELF_SPAWN}, GRANT_DENIED, "method"},
		{{NULL, "notes", "add_note", 0}, GRANT_DENIED, "method"},
		{{"", "notes", "add_note", MCP_TOOLS_CALL}, GRANT_DENIED, "token-malformed"},
		{{"kgs_", "notes", "add_note", MCP_TOOLS_CALL}, GRANT_DENIED, "token-malformed"},
		{{NULL, "nobody", "add_note", MCP_TOOLS_CALL}, GRANT_DENIED, "upstream-unknown"},
		{{NULL, "", "add_note", MCP_TOOLS_CALL}, GRANT_DENIED, "upstream-unknown"},
		{{NULL, "notes2", "add_note", MCP_TOOLS_CALL}, GRANT_DENIED, "upstream-unknown"},
		{{NULL, "plain", "anything", MCP_TOOLS_CALL}, GRANT_UNAVAILABLE, "upstream-away"},
		{{NULL, "notes", "", MCP_TOOLS_CALL}, GRANT_DENIED, "tool-name"},
		{{NULL, "web", "post_page", MCP_TOOLS_CALL}, GRANT_DENIED, "not-in-consent"},
		{{NULL, "web", "../notes/add_note", MCP_TOOLS_CALL}, GRANT_DENIED, "not-in-consent"},
		{{NULL, "notes", "wipe_notes", MCP_TOOLS_CALL}, GRANT_DENIED, "approval-required"},
		{{NULL, "notes", "raised", MCP_TOOLS_CALL}, GRANT_DENIED, "approval-required"},
		{{NULL, "notes", "unheard_of", MCP_TOOLS_CALL}, GRANT_DENIED, "tool-unknown"},
		/* The operator's rule says read, but the server has listed no such tool. */
		{{NULL, "notes", "list_others", MCP_TOOLS_CALL}, GRANT_DENIED, "tool-unknown"},
		{{NULL, "web", "get_other", MCP_TOOLS_CALL}, GRANT_DENIED, "tool-unknown"},
	};
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ask q = rows[i].q;

		if (q.token == NULL)
			q.token = s.token;
		CHECK(refused(&s, &q, rows[i].status, rows[i].code));
	}
	scene_close(&s);
}

static void refuses_other_tokens(void)
{
	struct scene s;
	char token[TOKEN_LEN + 1];
	struct ask q = {token, "notes", "add_note", MCP_TOOLS_CALL};

	scene_open(&s);
	token_make(token);
	CHECK(refused(&s, &q, GRANT_DENIED, "token-unknown"));
	memcpy(token, s.token, sizeof(token));
	token[10] = token[10] == 'a' ? 'b' : 'a';
	CHECK(refused(&s, &q, GRANT_DENIED, "token-malformed"));
	memcpy(token, s.token, sizeof(token));
	token[TOKEN_LEN - 1] = '\0';
	CHECK(refused(&s, &q, GRANT_DENIED, "token-malformed"));
	scene_close(&s);
}

/* An act on sessions: the operator has no answer before the broker has it in force. */
static json_t *do_taken(struct scene *s, const char *op, const char *json, const uint8_t *session)
{
	static const struct ipc_put_taken taken = {0};
	struct rig_message m;
	char error[1025], byte;

	rig_ask(s->admin, op, json);
	CHECK(rig_record(&s->r, s->recorder, op, GRANT_OK));
	CHECK(rig_expect(&s->r, s->broker, IPC_SESSION_PUT, &m));
	CHECK(session == NULL || memcmp(((struct ipc_session_put *)&m.any)->session, session, ID_LEN) == 0);
	rig_forget(&m);
	CHECK(recv(s->admin, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0);
	rig_say(s->broker, IPC_PUT_TAKEN, &taken);
	return rig_answer(&s->r, s->admin, error);
}

static void change(struct scene *s, const char *op)
{
	char json[128], hex[33];
	json_t *answer;

	sodium_bin2hex(hex, sizeof(hex), s->session, ID_LEN);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", hex);
	answer = do_taken(s, op, json, s->session);
	CHECK(answer != NULL);
	json_decref(answer);
}

/* A broker that is gone, silent, or says what nobody asked, keeps no operator waiting for long. */
static void an_answer_does_not_hang_on_the_broker(void)
{
	static const struct ipc_put_taken taken = {0};
	struct scene s;
	json_t *answer;
	char error[1025], json[128], hex[33];

	scene_open(&s);
	sodium_bin2hex(hex, sizeof(hex), s.session, ID_LEN);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", hex);
	rig_ask(s.admin, "session.pause", json);
	CHECK(rig_record(&s.r, s.recorder, "session.pause", GRANT_OK));
	usleep((ANSWER_WAIT_MS + 10) * 1000);
	answer = rig_answer(&s.r, s.admin, error);
	CHECK(answer != NULL);
	json_decref(answer);
	rig_ask(s.admin, "session.resume", json);
	CHECK(rig_record(&s.r, s.recorder, "session.resume", GRANT_OK));
	close(s.broker);
	answer = rig_answer(&s.r, s.admin, error);
	CHECK(answer != NULL);
	json_decref(answer);
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	drain_sessions(&s);
	rig_say(s.broker, IPC_PUT_TAKEN, &taken);
	CHECK(rig_dropped(&s.r, s.broker));
	scene_close(&s);
}

/* A pause, an end and a revocation hold for the very next call, whatever the broker believes. */
static void refuses_by_the_session(void)
{
	struct scene s;
	struct ask q = {.upstream = "notes", .name = "list_notes", .method = MCP_TOOLS_CALL};
	const struct ipc_attached *a;
	struct rig_message m;

	scene_open(&s);
	q.token = s.token;
	change(&s, "session.pause");
	CHECK(refused(&s, &q, GRANT_DENIED, "session-paused"));
	change(&s, "session.resume");
	a = attach(&s, &q, &m);
	CHECK(a != NULL && a->status == GRANT_OK);
	rig_forget(&m);
	rig_clock = RIG_NOW + 3599;
	a = attach(&s, &q, &m);
	CHECK(a != NULL && a->status == GRANT_OK);
	rig_forget(&m);
	rig_clock = RIG_NOW + 3600;
	CHECK(refused(&s, &q, GRANT_DENIED, "consent-expired"));
	rig_clock = RIG_NOW;
	change(&s, "session.revoke");
	CHECK(refused(&s, &q, GRANT_DENIED, "session-revoked"));
	scene_close(&s);
}

static void a_consent_for_reading_does_not_write(void)
{
	struct scene s;
	struct ask q = {.upstream = "notes", .name = "add_note", .method = MCP_TOOLS_CALL};
	json_t *grant;

	scene_open(&s);
	grant = do_taken(
		&s, "consent.grant",
		"{\"human\":\"a\",\"agent\":\"b\",\"tools\":\"notes/*\",\"tier\":\"read\",\"for_s\":60,\"why\":\"c\"}",
		NULL);
	q.token = rig_text(grant, "token");
	CHECK(refused(&s, &q, GRANT_DENIED, "tier-above-consent"));
	q.name = "wipe_notes";
	CHECK(refused(&s, &q, GRANT_DENIED, "tier-above-consent"));
	json_decref(grant);
	scene_close(&s);
}

static void a_lost_role_is_unavailable(void)
{
	struct scene s;
	struct ask q = {.upstream = "notes", .name = "list_notes", .method = MCP_TOOLS_CALL};
	uint8_t key[KX_LEN];

	scene_open(&s);
	q.token = s.token;
	close(s.notes);
	rig_pump(&s.r);
	CHECK(refused(&s, &q, GRANT_UNAVAILABLE, "upstream-away"));
	/* Keyed again, but its tools are not known: nothing can be said of a tier. */
	s.notes = rig_upstream(&s.r, "notes", key);
	CHECK(refused(&s, &q, GRANT_UNAVAILABLE, "upstream-away"));
	scene_close(&s);
}

static void a_missing_or_misplaced_credential_is_refused(void)
{
	struct scene s;
	struct ask q = {.upstream = "web", .name = "get_page", .method = MCP_TOOLS_CALL};
	char error[1025];

	scene_open(&s);
	q.token = s.token;
	json_decref(rig_do(&s.r, s.admin, s.recorder, "secret.rm", "{\"name\":\"web-key\"}", true));
	CHECK(refused(&s, &q, GRANT_DENIED, "credential-missing"));
	rig_put(&s.r, s.admin, s.recorder, "web-key", "web", "header", "", false, "again", error);
	CHECK(error[0] == '\0');
	/* Somebody with the database moves web's credential to another host: the configuration's host opens nothing. */
	((struct config_server *)s.r.v->upstreams[2].server)->destination = "https://evil.example.com:443";
	CHECK(refused(&s, &q, GRANT_DENIED, "credential-mismatch"));
	scene_close(&s);
}

/* A role's own acts: its own server's, with no session. */
static bool self_attach(struct scene *s, int fd, uint8_t method, struct rig_message *m)
{
	struct ipc_self_attach q = {.call = 7, .method = method};

	memcpy(q.txn, txn, ID_LEN);
	rig_say(fd, IPC_SELF_ATTACH, &q);
	return rig_expect(&s->r, fd, IPC_SELF_ATTACHED, m);
}

static void self_digest(const char *server, uint8_t method, uint8_t out[HASH_LEN])
{
	static const uint8_t zero[ID_LEN];
	uint8_t hash[HASH_LEN];
	struct call_id id = {.session = zero,
			     .upstream = server,
			     .method = method,
			     .name = {"", 0},
			     .txn = txn,
			     .args_sha256 = hash,
			     .meta_sha256 = hash};

	sha256("", 0, hash);
	call_digest(&id, out);
}

static void a_role_gets_its_own_for_its_own_acts(void)
{
	struct scene s;
	struct rig_message m;
	const struct ipc_self_attached *a = (const struct ipc_self_attached *)&m.any;
	struct credential_set *set;
	uint8_t digest[HASH_LEN];

	scene_open(&s);
	CHECK(self_attach(&s, s.notes, SELF_SPAWN, &m) && a->status == GRANT_OK);
	self_digest("notes", SELF_SPAWN, digest);
	CHECK(credentials_open(s.notes_key, digest, "stdio", loop_now_ns(), a->sealed.p, a->sealed.n, &set) == KG_OK);
	CHECK(set->count == 1 && set->item[0].kind == CRED_ENV && strcmp(set->item[0].slot, "NOTES_TOKEN") == 0 &&
	      strcmp(set->item[0].value, "line1\nline2") == 0);
	credentials_free(set);
	rig_forget(&m);
	/* A handshake of a started server carries no credential, one of a web server its headers. */
	CHECK(self_attach(&s, s.notes, SELF_CONNECT, &m) && a->status == GRANT_OK);
	self_digest("notes", SELF_CONNECT, digest);
	CHECK(credentials_open(s.notes_key, digest, "stdio", loop_now_ns(), a->sealed.p, a->sealed.n, &set) == KG_OK);
	CHECK(set->count == 0);
	credentials_free(set);
	rig_forget(&m);
	CHECK(self_attach(&s, s.web, SELF_CONNECT, &m) && a->status == GRANT_OK && a->sealed.n > 100);
	rig_forget(&m);
	scene_close(&s);
}

static void a_role_gets_nothing_for_other_acts(void)
{
	static const uint8_t methods[] = {0, MCP_INITIALIZE, MCP_TOOLS_CALL, SELF_SPAWN + 1, 255};
	struct scene s;
	struct rig_message m;
	const struct ipc_self_attached *a = (const struct ipc_self_attached *)&m.any;

	scene_open(&s);
	for (size_t i = 0; i < sizeof(methods); i++) {
		CHECK(self_attach(&s, s.web, methods[i], &m) && a->status == GRANT_DENIED && a->sealed.n == 0 &&
		      ipc_is(a->reason_code, "method"));
		rig_forget(&m);
	}
	CHECK(self_attach(&s, s.web, SELF_SPAWN, &m) && a->status == GRANT_DENIED && a->sealed.n == 0);
	rig_forget(&m);
	scene_close(&s);
}

int main(void)
{
	RUN(grants_what_the_consent_covers);
	RUN(seals_the_credentials_of_the_server);
	RUN(refuses_by_the_call);
	RUN(refuses_other_tokens);
	RUN(refuses_by_the_session);
	RUN(an_answer_does_not_hang_on_the_broker);
	RUN(a_consent_for_reading_does_not_write);
	RUN(a_lost_role_is_unavailable);
	RUN(a_missing_or_misplaced_credential_is_refused);
	RUN(a_role_gets_its_own_for_its_own_acts);
	RUN(a_role_gets_nothing_for_other_acts);
	return unit_end();
}
