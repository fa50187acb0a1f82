/* The life of a call: every order of answers, every denial, every loss at every step. */
#include "tests/unit/broker_rig.h"

#define ARGS "{\"text\":\"1.10\"}"

/* Reads the intent and the attachment of a call that has begun; its number at the broker. */
static uint64_t begun(struct rig *r)
{
	const struct ipc_intent *i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	const struct ipc_attach *a;
	uint64_t id;

	if (i == NULL)
		return 0;
	id = i->call;
	a = rig_take(r, RIG_VAULT, IPC_ATTACH);
	return a == NULL || a->call != id ? 0 : id;
}

static uint64_t running(struct rig *r, uint64_t request)
{
	uint64_t id;

	rig_call(r, request, "notes__add_note", ARGS);
	id = begun(r);
	rig_receipt(r, id, GRANT_OK, 41);
	rig_attached(r, id, GRANT_OK, "", "");
	return rig_take(r, RIG_NOTES, IPC_CALL) == NULL ? 0 : id;
}

static bool replied(struct rig *r, uint64_t request, uint8_t kind, uint32_t http)
{
	const struct ipc_reply *m = rig_take(r, RIG_FRONT, IPC_REPLY);
	bool good = m != NULL && m->call == request && m->kind == kind && m->http_status == http;

	if (!good && m != NULL)
		fprintf(stderr, "reply to %llu: kind %u http %u: %.*s\n", (unsigned long long)m->call, m->kind,
			m->http_status, (int)m->message.n, (const char *)m->message.p);
	return good;
}

static bool outcome_is(struct rig *r, uint64_t id, uint8_t kind, uint64_t seq)
{
	const struct ipc_outcome *m = rig_take(r, RIG_RECORDER, IPC_OUTCOME);
	bool good = m != NULL && m->call == id && m->outcome == kind && m->intent_seq == seq;

	if (!good && m != NULL)
		fprintf(stderr, "outcome %s, sequence %llu\n", outcome_name(m->outcome),
			(unsigned long long)m->intent_seq);
	return good;
}

static void what_goes_where(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_request q = rig_request(r, 5, ERA_MODERN, MCP_TOOLS_CALL);
	const struct ipc_intent *i;
	const struct ipc_attach *a;
	const struct ipc_call *c;
	uint8_t hash[HASH_LEN], meta[HASH_LEN], txn[ID_LEN];
	struct buf canonical;
	uint64_t id;

	q.name = ipc_text("notes__add_note");
	q.args = ipc_text(ARGS);
	q.meta = ipc_text("{\"x\":1}");
	q.wants_progress = 1;
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	sha256(ARGS, strlen(ARGS), hash);
	sha256("{\"x\":1}", 7, meta);

	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL && i->decision == DECISION_ALLOW && i->tier == TIER_WRITE && i->method == MCP_TOOLS_CALL);
	CHECK(ipc_is(i->upstream, "notes") && ipc_is(i->name, "add_note") && ipc_is(i->human, "alice@example.com"));
	CHECK(ipc_is(i->agent, "claude-code") && ipc_is(i->client, "test 1.0") && ipc_is(i->source, "127.0.0.1:40000"));
	CHECK(memcmp(i->session, r->session, ID_LEN) == 0 && i->consent[0] == 0xc0);
	CHECK(memcmp(i->args_sha256, hash, HASH_LEN) == 0 && memcmp(i->meta_sha256, meta, HASH_LEN) == 0);
	CHECK(memcmp(i->policy_sha256, policies_hash(r->b->policies), HASH_LEN) == 0);
	CHECK(i->bytes_in == strlen(ARGS) + 7);
	rig_canonical(&canonical, RIG_DEF("add_note"), hash);
	buf_free(&canonical);
	CHECK(memcmp(i->def_sha256, hash, HASH_LEN) == 0 && sodium_is_zero(i->approval, ID_LEN));
	CHECK(i->facts.n > 2 && i->facts.p[0] == '{' && ipc_is(i->reason_code, "policy-permit"));
	memcpy(txn, i->txn, ID_LEN);
	id = i->call;

	a = rig_take(r, RIG_VAULT, IPC_ATTACH);
	CHECK(a != NULL && a->call == id && ipc_is(a->token, r->token) && ipc_is(a->upstream, "notes"));
	CHECK(ipc_is(a->name, "add_note") && a->method == MCP_TOOLS_CALL && memcmp(a->txn, txn, ID_LEN) == 0);
	CHECK(memcmp(a->meta_sha256, meta, HASH_LEN) == 0);

	rig_receipt(r, id, GRANT_OK, 41);
	CHECK(!rig_has(r, RIG_NOTES));
	rig_attached(r, id, GRANT_OK, "", "");
	c = rig_take(r, RIG_NOTES, IPC_CALL);
	CHECK(c != NULL && c->call == id && c->method == MCP_TOOLS_CALL && ipc_is(c->name, "add_note"));
	CHECK(c->wants_progress == 1 && c->timeout_ms == 5000 && c->receipt_seq == 41 && c->receipt_expires_ns == 99);
	CHECK(c->receipt_mac[0] == 0xac && ipc_is(c->sealed, "sealed") && ipc_is(c->args, ARGS) &&
	      ipc_is(c->meta, "{\"x\":1}"));
	CHECK(memcmp(c->session, r->session, ID_LEN) == 0 && memcmp(c->txn, txn, ID_LEN) == 0);
	rig_free(r);
}

static void a_result_is_answered_and_recorded(void)
{
	static const struct {
		const char *body;
		uint8_t outcome;
	} rows[] = {
		{"{\"content\":[]}", OUTCOME_OK},
		{"{\"content\":[],\"isError\":false}", OUTCOME_OK},
		{"{\"content\":[],\"isError\":true}", OUTCOME_TOOL_ERROR},
		{"{\"isError\":\"true\",\"x\":{\"isError\":true}}", OUTCOME_OK},
	};
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		uint64_t id = running(r, n);
		uint8_t hash[HASH_LEN];
		const struct ipc_reply *m;
		const struct ipc_outcome *o;

		rig_result(r, RIG_NOTES, id, RESULT_OK, rows[n].body);
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->call == n && m->kind == REPLY_RESULT && m->http_status == 200 &&
		      ipc_is(m->body, rows[n].body));
		o = rig_take(r, RIG_RECORDER, IPC_OUTCOME);
		sha256(rows[n].body, strlen(rows[n].body), hash);
		CHECK(o != NULL && o->outcome == rows[n].outcome && o->intent_seq == 41 &&
		      o->bytes_out == strlen(rows[n].body));
		CHECK(o != NULL && memcmp(o->result_sha256, hash, HASH_LEN) == 0);
		CHECK(!rig_is_idle(r));
		rig_recorded(r, id);
		CHECK(rig_is_idle(r));
	}
	rig_free(r);
}

static void both_orders_of_the_grants(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t n = 0; n < 2; n++) {
		uint64_t id;

		rig_call(r, n, "notes__add_note", ARGS);
		id = begun(r);
		if (n == 0)
			rig_receipt(r, id, GRANT_OK, 1);
		else
			rig_attached(r, id, GRANT_OK, "", "");
		CHECK(!rig_has(r, RIG_NOTES));
		if (n == 0)
			rig_attached(r, id, GRANT_OK, "", "");
		else
			rig_receipt(r, id, GRANT_OK, 1);
		CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
	}
	rig_free(r);
}

/* Every way in which a grant can be refused, in both orders; whatever is on record gets its outcome. */
static void refused_grants(void)
{
	static const struct {
		uint8_t receipt, attach;
		uint64_t seq;
		bool receipt_first;
		uint32_t http;
		uint8_t outcome; /* 0: nothing is on record */
	} rows[] = {
		{GRANT_OK, GRANT_DENIED, 9, true, 200, OUTCOME_UNSENT},
		{GRANT_OK, GRANT_DENIED, 9, false, 200, OUTCOME_UNSENT},
		{GRANT_OK, GRANT_UNAVAILABLE, 9, true, 503, OUTCOME_UNSENT},
		{GRANT_OK, GRANT_UNAVAILABLE, 9, false, 503, OUTCOME_UNSENT},
		{GRANT_DENIED, GRANT_OK, 9, true, 503, OUTCOME_UNSENT},
		{GRANT_DENIED, GRANT_OK, 9, false, 503, OUTCOME_UNSENT},
		{GRANT_UNAVAILABLE, GRANT_OK, 0, true, 503, 0},
		{GRANT_UNAVAILABLE, GRANT_OK, 0, false, 503, 0},
		{GRANT_UNAVAILABLE, GRANT_DENIED, 0, true, 503, 0},
		{GRANT_UNAVAILABLE, GRANT_DENIED, 0, false, 200, 0},
	};
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		uint64_t id;

		rig_call(r, n, "notes__add_note", ARGS);
		id = begun(r);
		for (int step = 0; step < 2; step++) {
			if ((step == 0) == rows[n].receipt_first)
				rig_receipt(r, id, rows[n].receipt, rows[n].seq);
			else
				rig_attached(r, id, rows[n].attach, "some-code", "some reason");
		}
		CHECK(replied(r, n, REPLY_ERROR, rows[n].http));
		if (rows[n].outcome != 0) {
			CHECK(outcome_is(r, id, rows[n].outcome, rows[n].seq));
			rig_recorded(r, id);
		}
		CHECK(rig_is_idle(r) && !rig_has(r, RIG_RECORDER) && !rig_has(r, RIG_NOTES) && !rig_has(r, RIG_FRONT));
	}
	rig_free(r);
}

static void the_vaults_reason_reaches_the_agent(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	const struct ipc_reply *m;
	const struct ipc_outcome *o;
	uint64_t id;

	rig_call(r, 1, "notes__add_note", ARGS);
	id = begun(r);
	rig_receipt(r, id, GRANT_OK, 1);
	rig_attached(r, id, GRANT_DENIED, "consent-revoked", "the consent was revoked by bob");
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && ipc_is(m->message, "the consent was revoked by bob"));
	o = rig_take(r, RIG_RECORDER, IPC_OUTCOME);
	CHECK(o != NULL && ipc_is(o->reason_code, "consent-revoked"));
	rig_free(r);
}

static void how_an_upstream_can_end_a_call(void)
{
	static const struct {
		uint8_t status;
		const char *body;
		uint8_t outcome;
	} rows[] = {
		{RESULT_RPC_ERROR, "", OUTCOME_RPC_ERROR}, {RESULT_RPC_ERROR, "[1]", OUTCOME_RPC_ERROR},
		{RESULT_REFUSED, "", OUTCOME_UNSENT},      {RESULT_UNSENT, "", OUTCOME_UNSENT},
		{RESULT_LOST, "", OUTCOME_LOST},           {RESULT_TIMEOUT, "", OUTCOME_TIMEOUT},
		{RESULT_CANCELLED, "", OUTCOME_CANCELLED},
	};
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		uint64_t id = running(r, n);

		rig_result(r, RIG_NOTES, id, rows[n].status, rows[n].body);
		CHECK(replied(r, n, REPLY_ERROR, 200));
		CHECK(outcome_is(r, id, rows[n].outcome, 41));
		rig_recorded(r, id);
		CHECK(rig_is_idle(r));
	}
	rig_free(r);
}

/* Bytes that the role should not have let through end its connection; their call is answered and recorded. */
static void malformed_answers_of_an_upstream(void)
{
	static const struct {
		uint8_t status;
		const char *body;
	} rows[] = {
		{RESULT_OK, ""},
		{RESULT_OK, "[]"},
		{RESULT_OK, "{"},
		{RESULT_OK, "{\"a\":1,\"a\":2}"},
		{RESULT_OK, "{}{}"},
		{RESULT_OK, "{\"a\":\"\xff\"}"},
		{RESULT_RPC_ERROR, "{"},
		{0, "{}"},
		{RESULT_CANCELLED + 1, ""},
		{255, ""},
	};

	for (uint64_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		uint64_t id = running(r, n);

		rig_result(r, RIG_NOTES, id, rows[n].status, rows[n].body);
		CHECK(replied(r, n, REPLY_ERROR, 200));
		CHECK(outcome_is(r, id, OUTCOME_LOST, 41));
		CHECK(rig_dropped(r, RIG_NOTES) && (r->wanted & IPC_ROLE_UPSTREAM) != 0);
		CHECK(!rig_dropped(r, RIG_WIKI));
		rig_recorded(r, id);
		CHECK(rig_is_idle(r));
		rig_free(r);
	}
}

/* Messages that no sound peer sends, for a call in each state. */
static void messages_out_of_turn(void)
{
	static const struct {
		int peer;
		bool run; /* while the call runs; else while it waits for its grants */
	} rows[] = {{RIG_NOTES, false}, {RIG_WIKI, true}, {RIG_RECORDER, true}, {RIG_VAULT, true}};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		uint64_t id;

		if (rows[n].run) {
			id = running(r, 1);
		} else {
			rig_call(r, 1, "notes__add_note", ARGS);
			id = begun(r);
		}
		if (rows[n].peer == RIG_RECORDER)
			rig_receipt(r, id, GRANT_OK, 2);
		else if (rows[n].peer == RIG_VAULT)
			rig_attached(r, id, GRANT_OK, "", "");
		else
			rig_result(r, rows[n].peer, id, RESULT_OK, "{}");
		CHECK(rig_dropped(r, rows[n].peer));
		rig_free(r);
	}
}

static void late_and_strange_numbers_are_nothing(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	uint64_t id = running(r, 1);

	rig_result(r, RIG_NOTES, id, RESULT_OK, "{}");
	CHECK(replied(r, 1, REPLY_RESULT, 200));
	rig_result(r, RIG_NOTES, id, RESULT_OK, "{}");
	rig_recorded(r, id);
	rig_recorded(r, id);
	rig_result(r, RIG_NOTES, id, RESULT_OK, "{}");
	rig_receipt(r, 0, GRANT_OK, 1);
	rig_receipt(r, UINT64_MAX, GRANT_OK, 1);
	rig_attached(r, 0xffff, GRANT_OK, "", "");
	for (int i = 0; i < RIG_PEERS; i++)
		CHECK(!rig_dropped(r, i));
	CHECK(!rig_has(r, RIG_FRONT) && rig_is_idle(r));
	rig_free(r);
}

enum step { BEGUN, RECEIPT_CAME, SEAL_CAME, RUNS, ANSWERED };
enum act_of { LOSE_VAULT, LOSE_RECORDER, LOSE_UPSTREAM, LOSE_FRONT, CLIENT_GONE, REVOKED, WITHDRAWN, PAUSED, TOO_LATE };

/* What is expected of a modern call when this happens at this step. http 0: its client got the result, or nobody was
 * there. */
static const struct loss {
	enum step step;
	enum act_of act;
	uint32_t http;
	uint8_t outcome;
	bool cancelled; /* its upstream was told */
} losses[] = {
	{BEGUN, LOSE_VAULT, 503, OUTCOME_UNSENT, false},
	{BEGUN, LOSE_RECORDER, 503, OUTCOME_UNSENT, false},
	{BEGUN, LOSE_UPSTREAM, 503, OUTCOME_UNSENT, false},
	{BEGUN, LOSE_FRONT, 0, OUTCOME_CANCELLED, false},
	{BEGUN, CLIENT_GONE, 0, OUTCOME_CANCELLED, false},
	{BEGUN, REVOKED, 401, OUTCOME_CANCELLED, false},
	{BEGUN, WITHDRAWN, 403, OUTCOME_CANCELLED, false},
	{BEGUN, PAUSED, 403, OUTCOME_CANCELLED, false},
	{BEGUN, TOO_LATE, 503, OUTCOME_UNSENT, false},
	{RECEIPT_CAME, LOSE_VAULT, 503, OUTCOME_UNSENT, false},
	{RECEIPT_CAME, LOSE_RECORDER, 0, OUTCOME_OK, false},
	{RECEIPT_CAME, LOSE_UPSTREAM, 503, OUTCOME_UNSENT, false},
	{RECEIPT_CAME, LOSE_FRONT, 0, OUTCOME_CANCELLED, false},
	{RECEIPT_CAME, CLIENT_GONE, 0, OUTCOME_CANCELLED, false},
	{RECEIPT_CAME, REVOKED, 401, OUTCOME_CANCELLED, false},
	{RECEIPT_CAME, WITHDRAWN, 403, OUTCOME_CANCELLED, false},
	{RECEIPT_CAME, PAUSED, 403, OUTCOME_CANCELLED, false},
	{RECEIPT_CAME, TOO_LATE, 503, OUTCOME_UNSENT, false},
	{SEAL_CAME, LOSE_VAULT, 0, OUTCOME_OK, false},
	{SEAL_CAME, LOSE_RECORDER, 503, OUTCOME_UNSENT, false},
	{SEAL_CAME, LOSE_UPSTREAM, 503, OUTCOME_UNSENT, false},
	{SEAL_CAME, LOSE_FRONT, 0, OUTCOME_CANCELLED, false},
	{SEAL_CAME, CLIENT_GONE, 0, OUTCOME_CANCELLED, false},
	{SEAL_CAME, REVOKED, 401, OUTCOME_CANCELLED, false},
	{SEAL_CAME, WITHDRAWN, 403, OUTCOME_CANCELLED, false},
	{SEAL_CAME, PAUSED, 403, OUTCOME_CANCELLED, false},
	{SEAL_CAME, TOO_LATE, 503, OUTCOME_UNSENT, false},
	{RUNS, LOSE_VAULT, 0, OUTCOME_OK, false},
	{RUNS, LOSE_RECORDER, 0, OUTCOME_OK, false},
	{RUNS, LOSE_UPSTREAM, 200, OUTCOME_LOST, false},
	{RUNS, LOSE_FRONT, 0, OUTCOME_CANCELLED, true},
	{RUNS, CLIENT_GONE, 0, OUTCOME_CANCELLED, true},
	{RUNS, REVOKED, 401, OUTCOME_CANCELLED, true},
	{RUNS, WITHDRAWN, 403, OUTCOME_CANCELLED, true},
	{RUNS, PAUSED, 403, OUTCOME_CANCELLED, true},
	{RUNS, TOO_LATE, 200, OUTCOME_TIMEOUT, true},
	{ANSWERED, LOSE_VAULT, 0, OUTCOME_OK, false},
	{ANSWERED, LOSE_RECORDER, 0, OUTCOME_OK, false},
	{ANSWERED, LOSE_UPSTREAM, 0, OUTCOME_OK, false},
	{ANSWERED, LOSE_FRONT, 0, OUTCOME_OK, false},
	{ANSWERED, CLIENT_GONE, 0, OUTCOME_OK, false},
	{ANSWERED, REVOKED, 0, OUTCOME_OK, false},
	{ANSWERED, WITHDRAWN, 0, OUTCOME_OK, false},
	{ANSWERED, TOO_LATE, 0, OUTCOME_OK, false},
};

static void loss_advance(struct rig *r, uint64_t id, enum step step)
{
	if (step == RECEIPT_CAME || step >= RUNS)
		rig_receipt(r, id, GRANT_OK, 41);
	if (step >= SEAL_CAME)
		rig_attached(r, id, GRANT_OK, "", "");
	if (step >= RUNS)
		CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
	if (step == ANSWERED) {
		rig_result(r, RIG_NOTES, id, RESULT_OK, "{}");
		CHECK(replied(r, 1, REPLY_RESULT, 200));
	}
}

static void loss_happen(struct rig *r, enum act_of act)
{
	static const int peers[] = {[LOSE_VAULT] = RIG_VAULT,
				    [LOSE_RECORDER] = RIG_RECORDER,
				    [LOSE_UPSTREAM] = RIG_NOTES,
				    [LOSE_FRONT] = RIG_FRONT};
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
	struct ipc_request_gone gone = {.call = 1};
	struct call *c;

	if (act <= LOSE_FRONT) {
		rig_lose(r, peers[act]);
	} else if (act == CLIENT_GONE) {
		rig_send(r, RIG_FRONT, IPC_REQUEST_GONE, &gone);
	} else if (act == TOO_LATE) {
		TAILQ_FOREACH(c, &r->b->calls->waiting, in_queue)
		c->due_ns = 1;
		TAILQ_FOREACH(c, &r->b->upstream[0].calls, in_queue)
		c->due_ns = 1;
		rig_pass(r, 2 * TICK_MS);
	} else {
		s.state = act == REVOKED ? SESSION_REVOKED : act == WITHDRAWN ? SESSION_WITHDRAWN : SESSION_PAUSED;
		rig_put_session(r, &s);
	}
}

/* Everybody comes back, and what is still possible goes on to its end. */
static void loss_finish(struct rig *r, uint64_t id, const struct loss *l)
{
	bool receipt = l->step == RECEIPT_CAME || l->step >= RUNS, seal = l->step >= SEAL_CAME;

	if (r->fd[RIG_RECORDER] < 0)
		rig_connect(r, RIG_RECORDER);
	else if (!receipt)
		rig_receipt(r, id, GRANT_OK, 41);
	if (r->fd[RIG_VAULT] >= 0 && !seal)
		rig_attached(r, id, GRANT_OK, "", "");
	if (l->outcome != OUTCOME_OK || l->step == ANSWERED)
		return;
	if (l->step < RUNS)
		CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
	rig_result(r, RIG_NOTES, id, RESULT_OK, "{}");
	CHECK(replied(r, 1, REPLY_RESULT, 200));
}

static void loss_check(const struct loss *l)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	bool unknown_seq = l->act == LOSE_RECORDER && (l->step == BEGUN || l->step == SEAL_CAME);
	uint64_t id;

	rig_call(r, 1, "notes__add_note", ARGS);
	id = begun(r);
	loss_advance(r, id, l->step);
	loss_happen(r, l->act);
	if (l->http != 0)
		CHECK(replied(r, 1, REPLY_ERROR, l->http));
	if (l->cancelled)
		CHECK(rig_take(r, RIG_NOTES, IPC_CALL_CANCEL) != NULL);
	loss_finish(r, id, l);
	CHECK(outcome_is(r, id, l->outcome, unknown_seq ? 0 : 41));
	rig_recorded(r, id);
	CHECK(rig_is_idle(r));
	for (int i = 0; i < RIG_PEERS; i++)
		CHECK(r->fd[i] < 0 || (!rig_has(r, i) && !rig_dropped(r, i)));
	rig_free(r);
}

static void every_loss_at_every_step(void)
{
	for (size_t n = 0; n < sizeof(losses) / sizeof(losses[0]); n++) {
		int bad = unit_bad;

		unit_bad = 0;
		loss_check(&losses[n]);
		if (unit_bad)
			fprintf(stderr, "in row %zu: step %d, act %d\n", n, (int)losses[n].step, (int)losses[n].act);
		unit_bad |= bad;
	}
}

/* The server stands in what the agent is told, and once. */
static void a_failure_names_its_server_once(void)
{
	static const char *const said[] = {"it was too slow", "server notes: it was too slow"};
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	for (uint64_t i = 0; i < 2; i++) {
		uint64_t id = running(r, i + 1);
		struct ipc_result m = {.call = id, .status = RESULT_TIMEOUT, .message = ipc_text(said[i])};
		const struct ipc_reply *reply;

		rig_send(r, RIG_NOTES, IPC_RESULT, &m);
		reply = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(reply != NULL && ipc_is(reply->message, "server notes: it was too slow"));
		CHECK(outcome_is(r, id, OUTCOME_TIMEOUT, 41));
		rig_recorded(r, id);
	}
	rig_free(r);
}

/* A recorder that restarts again and again hears each outcome until it says that it has it. */
static void outcomes_are_sent_again(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	uint64_t first = running(r, 1), second = running(r, 2);

	rig_lose(r, RIG_RECORDER);
	rig_result(r, RIG_NOTES, second, RESULT_OK, "{}");
	rig_result(r, RIG_NOTES, first, RESULT_LOST, "");
	CHECK(replied(r, 2, REPLY_RESULT, 200) && replied(r, 1, REPLY_ERROR, 200));
	rig_call(r, 3, "notes__add_note", ARGS);
	CHECK(replied(r, 3, REPLY_ERROR, 503));
	for (int i = 0; i < 3; i++) {
		rig_connect(r, RIG_RECORDER);
		CHECK(outcome_is(r, second, OUTCOME_OK, 41) && outcome_is(r, first, OUTCOME_LOST, 41));
		if (i < 2)
			rig_lose(r, RIG_RECORDER);
	}
	CHECK((r->wanted & IPC_ROLE_RECORDER) != 0);
	rig_recorded(r, second);
	rig_lose(r, RIG_RECORDER);
	rig_connect(r, RIG_RECORDER);
	CHECK(outcome_is(r, first, OUTCOME_LOST, 41) && !rig_has(r, RIG_RECORDER));
	rig_recorded(r, first);
	CHECK(rig_is_idle(r));
	rig_free(r);
}

static void legacy_call(struct rig *r, const char *session, uint64_t call, const char *rpc_id)
{
	struct ipc_request q = rig_request(r, call, ERA_LEGACY, MCP_TOOLS_CALL);

	q.mcp_session = ipc_text(session);
	q.client = ipc_text("");
	q.rpc_id = ipc_text(rpc_id);
	q.name = ipc_text("notes__add_note");
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
}

static void legacy_cancel(struct rig *r, const char *session, uint64_t call, const char *rpc_id)
{
	struct ipc_request q = rig_request(r, call, ERA_LEGACY, MCP_CANCELLED);

	q.mcp_session = ipc_text(session);
	q.rpc_id = ipc_text(rpc_id);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
}

/* By its MCP session and its raw id, nothing else. */
static void a_legacy_client_cancels(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	char one[65], two[65];
	uint64_t id;

	rig_initialize(r, one);
	rig_initialize(r, two);
	legacy_call(r, one, 10, "\"7\"");
	id = begun(r);
	rig_receipt(r, id, GRANT_OK, 41);
	rig_attached(r, id, GRANT_OK, "", "");
	CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
	legacy_cancel(r, one, 11, "7");
	CHECK(replied(r, 11, REPLY_ACCEPTED, 202));
	legacy_cancel(r, two, 12, "\"7\"");
	CHECK(replied(r, 12, REPLY_ACCEPTED, 202));
	CHECK(!rig_has(r, RIG_NOTES));
	legacy_cancel(r, one, 13, "\"7\"");
	CHECK(replied(r, 10, REPLY_ERROR, 200));
	CHECK(replied(r, 13, REPLY_ACCEPTED, 202));
	CHECK(rig_take(r, RIG_NOTES, IPC_CALL_CANCEL) != NULL);
	CHECK(outcome_is(r, id, OUTCOME_CANCELLED, 41));
	rig_recorded(r, id);
	CHECK(rig_is_idle(r));
	rig_free(r);
}

/* Its later requests do not say again who it is. */
static void a_legacy_client_is_named_in_the_record(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	const struct ipc_intent *i;
	char session[65];

	rig_initialize(r, session);
	legacy_call(r, session, 10, "1");
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL && ipc_is(i->client, "test 1.0"));
	rig_free(r);
}

/* A legacy disconnect is no cancellation: the call goes on, its answer goes nowhere. */
static void a_legacy_client_disconnects(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_request_gone gone = {.call = 10};
	char session[65];
	uint64_t id;

	rig_initialize(r, session);
	legacy_call(r, session, 10, "1");
	id = begun(r);
	rig_send(r, RIG_FRONT, IPC_REQUEST_GONE, &gone);
	rig_receipt(r, id, GRANT_OK, 41);
	rig_attached(r, id, GRANT_OK, "", "");
	CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
	rig_result(r, RIG_NOTES, id, RESULT_OK, "{}");
	CHECK(outcome_is(r, id, OUTCOME_OK, 41));
	CHECK(!rig_has(r, RIG_FRONT));
	rig_recorded(r, id);
	/* Its number is free again for the front. */
	legacy_call(r, session, 10, "2");
	CHECK(begun(r) != 0 && !rig_dropped(r, RIG_FRONT));
	rig_free(r);
}

static void progress_passes_while_the_call_runs(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_call_progress p = {.members = ipc_text("\"progress\":1,\"total\":2.50")};
	struct ipc_request q = rig_request(r, 1, ERA_MODERN, MCP_TOOLS_CALL);
	const struct ipc_progress *m;

	q.name = ipc_text("notes__add_note");
	q.wants_progress = 1;
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	p.call = begun(r);
	rig_send(r, RIG_NOTES, IPC_CALL_PROGRESS, &p);
	CHECK(!rig_has(r, RIG_FRONT));
	rig_receipt(r, p.call, GRANT_OK, 1);
	rig_attached(r, p.call, GRANT_OK, "", "");
	CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
	rig_send(r, RIG_NOTES, IPC_CALL_PROGRESS, &p);
	m = rig_take(r, RIG_FRONT, IPC_PROGRESS);
	CHECK(m != NULL && m->call == 1 && ipc_is(m->members, "{\"progress\":1,\"total\":2.50}"));
	rig_result(r, RIG_NOTES, p.call, RESULT_OK, "{}");
	CHECK(replied(r, 1, REPLY_RESULT, 200));
	rig_send(r, RIG_NOTES, IPC_CALL_PROGRESS, &p);
	CHECK(!rig_has(r, RIG_FRONT));

	/* Nobody asked for it. */
	p.call = running(r, 2);
	rig_send(r, RIG_NOTES, IPC_CALL_PROGRESS, &p);
	CHECK(!rig_has(r, RIG_FRONT) && !rig_dropped(r, RIG_NOTES));
	rig_free(r);
}

static void malformed_progress_ends_its_sender(void)
{
	static const char *const bad[] = {"x", "\"a\":1},\"b\":{", "\"progress\":1,\"progress\":2", "\"a\":\"\xff\""};

	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_request q = rig_request(r, 1, ERA_MODERN, MCP_TOOLS_CALL);
		struct ipc_call_progress p = {.members = ipc_text(bad[n])};

		q.name = ipc_text("notes__add_note");
		q.wants_progress = 1;
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		p.call = begun(r);
		rig_receipt(r, p.call, GRANT_OK, 1);
		rig_attached(r, p.call, GRANT_OK, "", "");
		CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
		rig_send(r, RIG_NOTES, IPC_CALL_PROGRESS, &p);
		CHECK(rig_dropped(r, RIG_NOTES));
		CHECK(replied(r, 1, REPLY_ERROR, 200));
		rig_free(r);
	}
}

int main(void)
{
	RUN(what_goes_where);
	RUN(a_result_is_answered_and_recorded);
	RUN(both_orders_of_the_grants);
	RUN(refused_grants);
	RUN(the_vaults_reason_reaches_the_agent);
	RUN(how_an_upstream_can_end_a_call);
	RUN(malformed_answers_of_an_upstream);
	RUN(messages_out_of_turn);
	RUN(late_and_strange_numbers_are_nothing);
	RUN(every_loss_at_every_step);
	RUN(a_failure_names_its_server_once);
	RUN(outcomes_are_sent_again);
	RUN(a_legacy_client_cancels);
	RUN(a_legacy_client_is_named_in_the_record);
	RUN(a_legacy_client_disconnects);
	RUN(progress_passes_while_the_call_runs);
	RUN(malformed_progress_ends_its_sender);
	return unit_end();
}
