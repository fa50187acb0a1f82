/* Who is let in, what is answered here, and what is refused before anything begins. */
#include "tests/unit/broker_rig.h"

/* Sends a request and takes its answer, with no record in between; NULL when there was none. */
static const struct ipc_reply *ask(struct rig *r, const struct ipc_request *q)
{
	const struct ipc_reply *m;

	rig_send(r, RIG_FRONT, IPC_REQUEST, q);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	return m != NULL && m->call == q->call ? m : NULL;
}

static bool refused(struct rig *r, const struct ipc_request *q, uint32_t http, int32_t code)
{
	const struct ipc_reply *m = ask(r, q);

	return m != NULL && m->kind == REPLY_ERROR && m->http_status == http && m->code == code && m->message.n != 0;
}

/* The same for a refusal that is recorded first: there is no answer before the receipt. */
static bool denied(struct rig *r, const struct ipc_request *q, const char *reason_code)
{
	const struct ipc_intent *i;
	uint64_t id;

	rig_send(r, RIG_FRONT, IPC_REQUEST, q);
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	if (i == NULL || i->decision != DECISION_DENY || !ipc_is(i->reason_code, reason_code) || rig_has(r, RIG_FRONT))
		return false;
	id = i->call;
	if (rig_has(r, RIG_VAULT))
		return false;
	rig_receipt(r, id, GRANT_OK, 3);
	return rig_is_idle(r);
}

static void nobody_is_let_in_before_the_sync(void)
{
	struct rig *r = rig_new();
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
	struct ipc_request q = rig_request(r, 1, ERA_MODERN, MCP_TOOLS_LIST);
	const struct ipc_reply *m;

	rig_connect(r, RIG_FRONT);
	CHECK(refused(r, &q, 503, RPC_INTERNAL));
	rig_connect(r, RIG_RECORDER);
	CHECK(refused(r, &q, 503, RPC_INTERNAL));
	rig_connect(r, RIG_VAULT);
	rig_put_session(r, &s);
	CHECK(refused(r, &q, 503, RPC_INTERNAL));
	rig_sync(r);
	m = ask(r, &q);
	CHECK(m != NULL && m->kind == REPLY_RESULT);
	rig_lose(r, RIG_RECORDER);
	CHECK(refused(r, &q, 503, RPC_INTERNAL));
	rig_connect(r, RIG_RECORDER);
	rig_lose(r, RIG_VAULT);
	CHECK(refused(r, &q, 503, RPC_INTERNAL));
	CHECK((r->wanted & (IPC_ROLE_VAULT | IPC_ROLE_RECORDER)) == (IPC_ROLE_VAULT | IPC_ROLE_RECORDER));
	rig_connect(r, RIG_VAULT);
	CHECK(refused(r, &q, 503, RPC_INTERNAL));
	/* What the vault does not name again has ended. */
	rig_sync(r);
	CHECK(denied(r, &q, "token-unknown"));
	rig_free(r);
}

static void tokens_that_are_none(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	char other[TOKEN_LEN + 1];
	const char *tokens[] = {other, "", "kgs_", "Bearer x"};

	token_make(other);
	for (uint64_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		struct ipc_request q = rig_request(r, i, ERA_MODERN, MCP_TOOLS_CALL);
		const struct ipc_reply *m;

		q.token = ipc_text(tokens[i]);
		q.name = ipc_text("notes__list_notes");
		CHECK(denied(r, &q, "token-unknown"));
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->call == i && m->kind == REPLY_ERROR && m->http_status == 401);
	}
	rig_free(r);
}

static void sessions_that_may_not(void)
{
	static const struct {
		uint8_t state;
		uint64_t expires;
		uint32_t http;
		const char *code;
	} rows[] = {
		{SESSION_PAUSED, RIG_FAR, 403, "session-paused"},
		{SESSION_ACTIVE, RIG_FAR, 0, NULL},
		{SESSION_ACTIVE, 1, 401, "session-expired"},
		{SESSION_WITHDRAWN, RIG_FAR, 403, "session-revoked-by-guardian"},
		{SESSION_ACTIVE, RIG_FAR, 0, NULL},
		{SESSION_WITHDRAWN, 1, 401, "session-expired"},
		{SESSION_REVOKED, RIG_FAR, 401, "session-revoked"},
	};
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ipc_request q = rig_request(r, i, ERA_MODERN, MCP_TOOLS_LIST);
		struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
		const struct ipc_reply *m;

		s.state = rows[i].state;
		s.expires_unix = rows[i].expires;
		CHECK(sessions_put(r->b->sessions, &s) == KG_OK);
		if (rows[i].code != NULL)
			CHECK(denied(r, &q, rows[i].code));
		else
			rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->http_status == (rows[i].http == 0 ? 200 : rows[i].http));
		CHECK(rows[i].state != SESSION_PAUSED ||
		      memmem(m->message.p, m->message.n, "resume 5e5e5e", 13) != NULL);
		CHECK(rows[i].state != SESSION_WITHDRAWN || rows[i].expires == 1 ||
		      memmem(m->message.p, m->message.n, "the guardian has revoked", 24) != NULL);
	}
	rig_free(r);
}

/* By which rule, and in which incident: what vaultd and the recorder say too. */
static void who_is_stopped_by_the_guardian_is_told(void)
{
	static const char why[] = "the guardian has paused this session (rule denial-spike, inc-3); ask an operator";
	static const struct {
		uint8_t state;
		const char *code;
	} rows[] = {{SESSION_PAUSED, "session-paused"},
		    {SESSION_WITHDRAWN, "session-revoked-by-guardian"},
		    {SESSION_REVOKED, "session-revoked"}};
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ipc_request q = rig_request(r, i, ERA_MODERN, MCP_TOOLS_LIST);
		struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
		const struct ipc_reply *m;

		s.state = rows[i].state;
		s.why = ipc_text(why);
		CHECK(sessions_put(r->b->sessions, &s) == KG_OK);
		CHECK(denied(r, &q, rows[i].code));
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && (memmem(m->message.p, m->message.n, why, strlen(why)) != NULL) == (i < 2));
		CHECK(m != NULL &&
		      (memmem(m->message.p, m->message.n, "(keepgate session resume 5e5e", 29) != NULL) == (i == 0));
	}
	rig_free(r);
}

/* The next second ends the call. */
static void expiry_ends_open_calls(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
	const struct ipc_reply *m;

	s.expires_unix = broker_unix_now() + 1;
	rig_put_session(r, &s);
	rig_call(r, 1, "notes__add_note", "{}");
	CHECK(rig_take(r, RIG_RECORDER, IPC_INTENT) != NULL);
	rig_pass(r, 1100);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_ERROR && m->http_status == 401);
	CHECK(sessions_count(r->b->sessions) == 0);
	rig_free(r);
}

/* A flood of bad tokens is refused to the last, and recorded up to the bound. */
static void refused_tokens_are_recorded_within_bounds(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	unsigned recorded = 0, answered = 0;

	for (uint64_t i = 0; i < 4 * DENIALS_PER_SOURCE; i++) {
		struct ipc_request q = rig_request(r, i, ERA_MODERN, MCP_TOOLS_LIST);
		char source[32];

		snprintf(source, sizeof(source), "127.0.0.1:%llu", (unsigned long long)(40000 + i));
		q.token = ipc_text("");
		q.source = ipc_text(source);
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		if (rig_has(r, RIG_RECORDER)) {
			CHECK(rig_take(r, RIG_RECORDER, IPC_INTENT) != NULL);
			recorded++;
		} else {
			const struct ipc_reply *m = rig_take(r, RIG_FRONT, IPC_REPLY);

			CHECK(m != NULL && m->http_status == 401);
			answered++;
		}
	}
	/* The second may have turned over once on the way. */
	CHECK(recorded >= DENIALS_PER_SOURCE && recorded <= 2 * DENIALS_PER_SOURCE);
	CHECK(answered == 4 * DENIALS_PER_SOURCE - recorded);
	rig_free(r);
}

/* A revoked token that is used again is noticed however many guesses surround it; it cannot make a flood of its own. */
static void a_revoked_token_does_not_drown(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_request q = rig_request(r, 1, ERA_MODERN, MCP_TOOLS_LIST);
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
	uint64_t none;

	s.state = SESSION_REVOKED;
	CHECK(sessions_put(r->b->sessions, &s) == KG_OK);
	/* In a second that has just begun, and is full already. */
	while (loop_now_ns() % 1000000000 > 300000000)
		usleep(10000);
	for (unsigned i = 0; i < DENIALS_PER_SECOND; i++)
		(void)denials_take(r->b->denials, q.source, loop_now_ns(), &none);
	CHECK(denied(r, &q, "session-revoked"));
	CHECK(rig_take(r, RIG_FRONT, IPC_REPLY) != NULL);
	q.call = 2;
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	CHECK(rig_take(r, RIG_FRONT, IPC_REPLY) != NULL && !rig_has(r, RIG_RECORDER));
	rig_free(r);
}

static void the_bound_counts_what_it_passes_over(void)
{
	struct denials *d = denials_new();
	uint64_t n = 99;
	char source[32];

	for (int i = 0; i < DENIALS_PER_SOURCE; i++)
		CHECK(denials_take(d, ipc_text("10.0.0.1:1"), 1, &n) && n == 0);
	for (int i = 0; i < 5; i++)
		CHECK(!denials_take(d, ipc_text("10.0.0.1:2"), 1, &n));
	CHECK(denials_take(d, ipc_text("10.0.0.1:3"), 2000000000, &n) && n == 5);
	/* And all sources together. */
	for (int i = 0; i < 2 * DENIALS_PER_SECOND; i++) {
		snprintf(source, sizeof(source), "10.1.%d.1:1", i);
		(void)denials_take(d, ipc_text(source), 5000000000, &n);
	}
	CHECK(!denials_take(d, ipc_text("10.9.9.9:1"), 5000000000, &n));
	denials_free(d);
}

static void initialize_negotiates(void)
{
	static const char *const rows[][2] = {
		{"2025-11-25", "2025-11-25"}, {"2025-06-18", "2025-06-18"}, {"2024-11-05", "2025-11-25"},
		{"2026-07-28", "2025-11-25"}, {"", "2025-11-25"},           {"2025-06-18 ", "2025-11-25"},
	};
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ipc_request q = rig_request(r, i, ERA_LEGACY, MCP_INITIALIZE);
		const struct ipc_reply *m;
		char want[256];

		q.version = ipc_text(rows[i][0]);
		snprintf(want, sizeof(want),
			 "{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{\"listChanged\":false}},"
			 "\"serverInfo\":{\"name\":\"keepgate\",",
			 rows[i][1]);
		m = ask(r, &q);
		CHECK(m != NULL && m->kind == REPLY_RESULT && m->mcp_session.n == 32);
		CHECK(m != NULL && m->body.n > strlen(want) && memcmp(m->body.p, want, strlen(want)) == 0);
	}
	rig_free(r);
}

static void legacy_requests_need_their_session(void)
{
	static const uint8_t methods[] = {MCP_INITIALIZED, MCP_PING,           MCP_TOOLS_LIST, MCP_TOOLS_CALL,
					  MCP_CANCELLED,   MCP_SESSION_DELETE, MCP_OTHER_NOTE};
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t i = 0; i < sizeof(methods); i++) {
		struct ipc_request q = rig_request(r, i, ERA_LEGACY, methods[i]);

		CHECK(refused(r, &q, 400, RPC_BAD_REQUEST));
		q.mcp_session = ipc_text("0123456789abcdef0123456789abcdef");
		CHECK(refused(r, &q, 404, RPC_REFUSED));
		q.mcp_session = ipc_text("nonsense");
		CHECK(refused(r, &q, 404, RPC_REFUSED));
	}
	rig_free(r);
}

static void what_is_answered_here(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	char session[65];
	struct ipc_request q;
	const struct ipc_reply *m;

	rig_initialize(r, session);
	q = rig_request(r, 2, ERA_LEGACY, MCP_PING);
	q.mcp_session = ipc_text(session);
	m = ask(r, &q);
	CHECK(m != NULL && m->kind == REPLY_RESULT && ipc_is(m->body, "{}"));
	q.method = MCP_INITIALIZED;
	m = ask(r, &q);
	CHECK(m != NULL && m->kind == REPLY_ACCEPTED && m->http_status == 202);
	q.method = MCP_OTHER_NOTE;
	m = ask(r, &q);
	CHECK(m != NULL && m->kind == REPLY_ACCEPTED && m->http_status == 202);
	q.method = MCP_SESSION_DELETE;
	m = ask(r, &q);
	CHECK(m != NULL && m->kind == REPLY_ACCEPTED && m->http_status == 200);
	CHECK(refused(r, &q, 404, RPC_REFUSED));

	q = rig_request(r, 3, ERA_MODERN, MCP_DISCOVER);
	m = ask(r, &q);
	CHECK(m != NULL && m->kind == REPLY_RESULT && m->mcp_session.n == 0);
	CHECK(m != NULL && memmem(m->body.p, m->body.n, "\"supportedVersions\":[\"2026-07-28\"]", 34) != NULL);
	q.server = ipc_text("nowhere");
	CHECK(refused(r, &q, 404, RPC_BAD_REQUEST));
	rig_free(r);
}

/* What an honest front never sends costs it its connection. */
static void a_hostile_front_is_dropped(void)
{
	static const struct {
		uint8_t era, method;
		const char *args, *meta;
	} rows[] = {
		{ERA_MODERN, MCP_TOOLS_CALL, "", "{}"},
		{ERA_MODERN, MCP_TOOLS_CALL, "[]", "{}"},
		{ERA_MODERN, MCP_TOOLS_CALL, "{\"a\":1,\"a\":2}", "{}"},
		{ERA_MODERN, MCP_TOOLS_CALL, "{}", ""},
		{ERA_MODERN, MCP_TOOLS_CALL, "{}", "null"},
		{ERA_MODERN, MCP_TOOLS_CALL, "{},\"x\":{}", "{}"},
		{ERA_MODERN, MCP_INITIALIZE, "{}", "{}"},
		{ERA_MODERN, MCP_SESSION_DELETE, "{}", "{}"},
		{ERA_LEGACY, MCP_DISCOVER, "{}", "{}"},
		{0, MCP_TOOLS_LIST, "{}", "{}"},
		{3, MCP_TOOLS_LIST, "{}", "{}"},
		{ERA_MODERN, 0, "{}", "{}"},
		{ERA_MODERN, SELF_CONNECT, "{}", "{}"},
		{ERA_MODERN, 255, "{}", "{}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_request q = rig_request(r, 1, rows[i].era, rows[i].method);

		q.name = ipc_text("notes__add_note");
		q.args = ipc_text(rows[i].args);
		q.meta = ipc_text(rows[i].meta);
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		CHECK(rig_dropped(r, RIG_FRONT) && (r->wanted & IPC_ROLE_FRONT) != 0);
		CHECK(!rig_has(r, RIG_RECORDER) && !rig_has(r, RIG_VAULT) && rig_is_idle(r));
		rig_free(r);
	}
}

/* Its texts go into the record: bytes that are no UTF-8 must not get so far. */
static void ill_formed_texts_are_a_breach(void)
{
	for (int field = 0; field < 3; field++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_request q = rig_request(r, 1, ERA_MODERN, MCP_TOOLS_CALL);
		struct ipc_bytes bad = ipc_text("notes__\xc3(");

		if (field == 0)
			q.name = bad;
		else if (field == 1)
			q.client = bad;
		else
			q.source = bad;
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		CHECK(rig_dropped(r, RIG_FRONT) && !rig_has(r, RIG_RECORDER));
		rig_free(r);
	}
}

static void a_number_in_use_is_a_breach(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	rig_call(r, 1, "notes__add_note", "{}");
	rig_call(r, 1, "notes__add_note", "{}");
	CHECK(rig_dropped(r, RIG_FRONT));
	rig_free(r);
}

static void denials_of_the_policy(void)
{
	static const struct {
		const char *name, *server, *code, *upstream, *tool, *message;
		bool as_result;
	} rows[] = {
		{"notes__add_note", "", "tier-above-consent", "notes", "add_note", "notes/add_note writes", true},
		{"notes__wipe_notes", "", "tier-above-consent", "notes", "wipe_notes", "ask an operator", true},
		{"wipe_notes", "notes", "tier-above-consent", "notes", "wipe_notes", "ask an operator", true},
		{"wiki__search", "", "not-in-consent", "wiki", "search", "Unknown tool: wiki__search", false},
		{"notes__nothing", "", "unknown-tool", "notes", "nothing", "Unknown tool: notes__nothing", false},
		{"nowhere__x", "", "unknown-tool", "", "nowhere__x", "Unknown tool: nowhere__x", false},
		{"list_notes", "", "unknown-tool", "", "list_notes", "Unknown tool: list_notes", false},
		{"", "", "unknown-tool", "", "", "Unknown tool: ", false},
		{"notes__list_notes", "notes", "unknown-tool", "notes", "notes__list_notes", "Unknown tool: ", false},
	};
	struct rig *r = rig_ready(TIER_READ, "notes/*");

	for (uint64_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ipc_request q = rig_request(r, i, ERA_MODERN, MCP_TOOLS_CALL);
		const struct ipc_intent *in;
		const struct ipc_reply *m;
		uint64_t id = 0;

		q.name = ipc_text(rows[i].name);
		q.server = ipc_text(rows[i].server);
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		in = rig_take(r, RIG_RECORDER, IPC_INTENT);
		CHECK(in != NULL && in->decision == DECISION_DENY && ipc_is(in->reason_code, rows[i].code));
		CHECK(in != NULL && ipc_is(in->upstream, rows[i].upstream) && ipc_is(in->name, rows[i].tool));
		CHECK(in != NULL && memcmp(in->session, r->session, ID_LEN) == 0);
		if (in != NULL)
			id = in->call;
		CHECK(!rig_has(r, RIG_VAULT) && !rig_has(r, RIG_FRONT));
		rig_receipt(r, id, GRANT_OK, 9);
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->call == i && m->kind == (rows[i].as_result ? REPLY_RESULT : REPLY_ERROR));
		CHECK(m != NULL && m->http_status == 200 && (rows[i].as_result || m->code == RPC_INVALID_PARAMS));
		if (m != NULL) {
			struct ipc_bytes text = rows[i].as_result ? m->body : m->message;

			CHECK(memmem(text.p, text.n, rows[i].message, strlen(rows[i].message)) != NULL);
			CHECK(!rows[i].as_result || memmem(text.p, text.n, "\"isError\":true", 14) != NULL);
		}
		CHECK(rig_is_idle(r) && !rig_has(r, RIG_RECORDER));
	}
	rig_free(r);
}

/* A denial that could not be recorded is answered all the same, and never as a success. */
static void denials_without_a_record(void)
{
	struct rig *r = rig_ready(TIER_READ, "notes/*");
	struct ipc_request_gone gone = {.call = 3};
	const struct ipc_intent *i;
	const struct ipc_reply *m;

	rig_call(r, 1, "notes__wipe_notes", "{}");
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL);
	if (i != NULL)
		rig_receipt(r, i->call, GRANT_UNAVAILABLE, 0);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->http_status == 503);
	rig_call(r, 2, "notes__wipe_notes", "{}");
	rig_lose(r, RIG_RECORDER);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->call == 2 && m->http_status == 503);
	CHECK(rig_is_idle(r));
	rig_connect(r, RIG_RECORDER);
	CHECK(!rig_has(r, RIG_RECORDER));
	/* A client that goes meanwhile leaves nothing behind. */
	rig_call(r, 3, "notes__wipe_notes", "{}");
	rig_send(r, RIG_FRONT, IPC_REQUEST_GONE, &gone);
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL);
	if (i != NULL)
		rig_receipt(r, i->call, GRANT_OK, 5);
	CHECK(rig_is_idle(r) && !rig_has(r, RIG_FRONT));
	rig_free(r);
}

static void servers_that_are_not_there_yet(void)
{
	struct rig *r = rig_new();
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
	struct ipc_request q = rig_request(r, 1, ERA_MODERN, MCP_TOOLS_CALL);
	const struct ipc_upstream_down down = {.why = ipc_text("connection refused")};
	const struct ipc_reply *m;

	for (int i = 0; i < RIG_PDP; i++)
		rig_connect(r, i);
	rig_pin_all(r);
	rig_put_session(r, &s);
	rig_sync(r);
	rig_send(r, RIG_NOTES, IPC_UPSTREAM_DOWN, &down);
	q.name = ipc_text("notes__list_notes");
	m = ask(r, &q);
	CHECK(m != NULL && m->http_status == 503 &&
	      memmem(m->message.p, m->message.n, "connection refused", 18) != NULL);
	/* Outside the consent it is as unknown as ever. */
	q.name = ipc_text("wiki__search");
	CHECK(denied(r, &q, "unknown-tool"));
	CHECK(rig_take(r, RIG_FRONT, IPC_REPLY) != NULL);
	/* Listed, and then its role is away. */
	rig_list_notes(r);
	rig_lose(r, RIG_NOTES);
	q.name = ipc_text("notes__list_notes");
	CHECK(refused(r, &q, 503, RPC_INTERNAL));
	CHECK(!rig_has(r, RIG_RECORDER) && rig_is_idle(r));
	rig_free(r);
}

static void calls_in_flight_are_bounded(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*\nwiki/*");
	const struct ipc_reply *m;

	/* max_calls of the server is 2. */
	rig_call(r, 1, "wiki__search", "{}");
	rig_call(r, 2, "wiki__search", "{}");
	CHECK(!rig_has(r, RIG_FRONT));
	rig_call(r, 3, "wiki__search", "{}");
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->call == 3 && m->http_status == 503 &&
	      memmem(m->message.p, m->message.n, "max_calls", 9) != NULL);
	/* Of one session 256 together. */
	for (uint64_t i = 10; i < 10 + CALLS_PER_SESSION - 2; i++)
		rig_call(r, i, "notes__add_note", "{}");
	CHECK(!rig_has(r, RIG_FRONT));
	rig_call(r, 4, "notes__add_note", "{}");
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->call == 4 && m->http_status == 503);
	rig_call(r, 5, "notes__wipe_notes", "{}");
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->call == 5 && m->http_status == 503);
	rig_free(r);
}

static void the_pool_is_bounded(void)
{
	static struct peer front;
	struct call_pool *p = call_pool_new();
	struct ipc_request q = {.era = ERA_MODERN};
	struct call *c = NULL;
	uint64_t first = 0;

	for (uint64_t i = 0; i < CALLS_MAX; i++) {
		q.call = i;
		c = call_new(p, &front, &q);
		CHECK(c != NULL && call_find(p, c->id) == c && call_find_request(p, &front, i) == c);
		if (i == 0)
			first = c->id;
	}
	q.call = CALLS_MAX;
	CHECK(call_new(p, &front, &q) == NULL);
	call_free(p, call_find(p, first));
	CHECK(call_find(p, first) == NULL && call_find_request(p, &front, 0) == NULL);
	c = call_new(p, &front, &q);
	CHECK(c != NULL && c->id != first);
	call_pool_free(p);
}

static void held_bytes_are_bounded(void)
{
	static struct peer front;
	struct call_pool *p = call_pool_new();
	struct ipc_bytes big = ipc_mem(calloc(1, IPC_BODY_MAX), IPC_BODY_MAX), none = {NULL, 0};
	struct ipc_request q = {.era = ERA_MODERN};
	struct call *last = NULL;

	for (q.call = 0; q.call < CALLS_BYTES_MAX / IPC_BODY_MAX; q.call++) {
		last = call_new(p, &front, &q);
		CHECK(call_keep_body(p, last, big, none) == KG_OK);
	}
	CHECK(call_keep_body(p, call_new(p, &front, &q), ipc_text("x"), none) == KG_E_LIMIT);
	call_free(p, last);
	q.call++;
	CHECK(call_keep_body(p, call_new(p, &front, &q), ipc_text("x"), none) == KG_OK);
	call_pool_free(p);
	free((void *)(uintptr_t)big.p);
}

static void strangers_are_not_served(void)
{
	struct rig *r = rig_new();
	static const struct {
		enum ipc_role role;
		uint32_t index;
		const char *name;
	} rows[] = {{IPC_ROLE_UPSTREAM, 0, "wiki"}, {IPC_ROLE_UPSTREAM, 2, "notes"}, {IPC_ROLE_FRONT, 2, ""},
		    {IPC_ROLE_VAULT, 1, ""},        {IPC_ROLE_PDP, 0, ""},           {IPC_ROLE_PARENT, 0, ""}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int pair[2];
		char byte;

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
			abort();
		broker_peer(r->b, rows[i].role, rows[i].index, rows[i].name, pair[1]);
		CHECK(recv(pair[0], &byte, 1, MSG_DONTWAIT) == 0);
		close(pair[0]);
	}
	rig_free(r);
}

int main(void)
{
	RUN(nobody_is_let_in_before_the_sync);
	RUN(tokens_that_are_none);
	RUN(sessions_that_may_not);
	RUN(who_is_stopped_by_the_guardian_is_told);
	RUN(expiry_ends_open_calls);
	RUN(refused_tokens_are_recorded_within_bounds);
	RUN(a_revoked_token_does_not_drown);
	RUN(the_bound_counts_what_it_passes_over);
	RUN(initialize_negotiates);
	RUN(legacy_requests_need_their_session);
	RUN(what_is_answered_here);
	RUN(a_hostile_front_is_dropped);
	RUN(ill_formed_texts_are_a_breach);
	RUN(a_number_in_use_is_a_breach);
	RUN(denials_of_the_policy);
	RUN(denials_without_a_record);
	RUN(servers_that_are_not_there_yet);
	RUN(calls_in_flight_are_bounded);
	RUN(the_pool_is_bounded);
	RUN(held_bytes_are_bounded);
	RUN(strangers_are_not_served);
	return unit_end();
}
