/* The decision point of others: what it is asked, and that nothing but its clear permit lets a call go on. */
#include "gatewayd/broker/pdp.h"

#include <jansson.h>

#include "tests/unit/broker_rig.h"

#define ARGS "{\"text\":\"1.10\"}"

static struct rig *rig_asks(void)
{
	return rig_ready_with(RIG_ASKS, TIER_WRITE, "notes/*");
}

/* The number of the question about a call of add_note; nothing is on record before its answer. */
static uint64_t asks(struct rig *r, uint64_t request)
{
	const struct ipc_pdp_ask *m;
	uint64_t ask;

	rig_call(r, request, "notes__add_note", ARGS);
	m = rig_take(r, RIG_PDP, IPC_PDP_ASK);
	ask = m == NULL ? 0 : m->ask;
	CHECK(ask != 0 && !rig_has(r, RIG_RECORDER) && !rig_has(r, RIG_VAULT));
	return ask;
}

static void answer(struct rig *r, uint64_t ask, uint8_t decision, const char *code, const char *reason)
{
	struct ipc_pdp_answer m = {
		.ask = ask, .decision = decision, .reason_code = ipc_text(code), .reason = ipc_text(reason)};

	rig_send(r, RIG_PDP, IPC_PDP_ANSWER, &m);
}

static const char *text_at(const json_t *o, const char *a, const char *b, const char *c)
{
	o = json_object_get(json_object_get(o, a), b);
	return json_string_value(c == NULL ? o : json_object_get(o, c));
}

static bool is(const char *got, const char *want)
{
	return got != NULL && strcmp(got, want) == 0;
}

static void what_it_is_asked(void)
{
	struct rig *r = rig_asks();
	const struct ipc_pdp_ask *m;
	json_t *q;

	rig_call(r, 1, "notes__add_note", ARGS);
	m = rig_take(r, RIG_PDP, IPC_PDP_ASK);
	q = m == NULL ? NULL : json_loadb((const char *)m->request.p, m->request.n, JSON_REJECT_DUPLICATES, NULL);
	CHECK(is(text_at(q, "subject", "type", NULL), "identity"));
	CHECK(is(text_at(q, "subject", "id", NULL), "alice@example.com"));
	CHECK(is(text_at(q, "subject", "properties", "agent"), "claude-code"));
	CHECK(is(text_at(q, "action", "name", NULL), "tools/call"));
	CHECK(is(text_at(q, "resource", "type", NULL), "tool"));
	CHECK(is(text_at(q, "resource", "id", NULL), "notes/add_note"));
	CHECK(is(text_at(q, "resource", "properties", "tier"), "write"));
	CHECK(is(text_at(q, "context", "agent", NULL), "claude-code"));
	CHECK(is(text_at(q, "context", "source_ip", NULL), "127.0.0.1"));
	CHECK(is(text_at(q, "context", "args", "text"), "1.10"));
	CHECK(m != NULL && memmem(m->request.p, m->request.n, r->token, TOKEN_LEN) == NULL);
	json_decref(q);
	rig_free(r);
}

static void its_permit_lets_the_call_go_on(void)
{
	struct rig *r = rig_asks();
	uint64_t id = asks(r, 1);
	const struct ipc_intent *i;
	const struct ipc_attach *a;
	const struct ipc_call *c;

	answer(r, id, 1, "ok", "");
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL && i->call == id && i->decision == DECISION_ALLOW && ipc_is(i->client, "test 1.0"));
	CHECK(i != NULL && memmem(i->facts.p, i->facts.n,
				  "\"external\":{\"decision\":\"permit\",\"reason_code\":\"ok\"}", 51) != NULL);
	a = rig_take(r, RIG_VAULT, IPC_ATTACH);
	CHECK(a != NULL && a->call == id && ipc_is(a->token, r->token) && ipc_is(a->name, "add_note"));
	rig_receipt(r, id, GRANT_OK, 5);
	rig_attached(r, id, GRANT_OK, "", "");
	c = rig_take(r, RIG_NOTES, IPC_CALL);
	CHECK(c != NULL && ipc_is(c->args, ARGS) && ipc_is(c->meta, "{}"));
	/* A second word changes nothing. */
	answer(r, id, 0, "no", "");
	CHECK(!rig_dropped(r, RIG_PDP));
	rig_result(r, RIG_NOTES, id, RESULT_OK, "{\"content\":[]}");
	CHECK(rig_take(r, RIG_FRONT, IPC_REPLY) != NULL && rig_take(r, RIG_RECORDER, IPC_OUTCOME) != NULL);
	rig_recorded(r, id);
	CHECK(rig_is_idle(r));
	rig_free(r);
}

/* The refusal is on record with its word, then it is told. */
static void refused(struct rig *r, const char *code, const char *told)
{
	const struct ipc_intent *i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	const struct ipc_reply *m;
	char word[128];

	snprintf(word, sizeof(word), "\"external\":{\"decision\":\"deny\",\"reason_code\":\"%s\"}", code);
	CHECK(i != NULL && i->decision == DECISION_DENY && ipc_is(i->reason_code, code));
	CHECK(i != NULL && memmem(i->facts.p, i->facts.n, word, strlen(word)) != NULL);
	CHECK(!rig_has(r, RIG_FRONT) && !rig_has(r, RIG_VAULT));
	if (i != NULL)
		rig_receipt(r, i->call, GRANT_OK, 5);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_RESULT && memmem(m->body.p, m->body.n, told, strlen(told)) != NULL);
	CHECK(rig_is_idle(r) && !rig_has(r, RIG_NOTES));
}

static void anything_else_refuses(void)
{
	static const struct {
		uint8_t decision;
		const char *code, *reason, *recorded, *told;
	} rows[] = {
		{0, "", "", "external-denied", "it denies the call"},
		{0, "external-denied", "not today", "external-denied", "not today"},
		{0, "external-obligation", "", "external-obligation", "it denies the call"},
		{2, "", "", "external-denied", "it denies the call"},
		{255, "", "", "external-denied", "it denies the call"},
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct rig *r = rig_asks();

		answer(r, asks(r, 1), rows[n].decision, rows[n].code, rows[n].reason);
		refused(r, rows[n].recorded, rows[n].told);
		rig_free(r);
	}
}

static void silence_refuses(void)
{
	struct rig *r = rig_asks();
	uint64_t id = asks(r, 1);

	rig_pass(r, (int)(50 + PDP_SLACK_MS + 3 * TICK_MS));
	refused(r, "external-timeout", "did not answer in time");
	/* Too late. */
	answer(r, id, 1, "", "");
	CHECK(!rig_dropped(r, RIG_PDP) && !rig_has(r, RIG_RECORDER));
	rig_free(r);
}

static void its_role_is_away(void)
{
	struct rig *r = rig_asks();

	(void)asks(r, 1);
	rig_lose(r, RIG_PDP);
	refused(r, "external-unavailable", "ended before it answered");
	rig_call(r, 2, "notes__add_note", ARGS);
	refused(r, "external-unavailable", "its role is away");
	rig_free(r);
}

/* What the local policies refuse is no question for others. */
static void it_is_not_asked_about_refusals(void)
{
	struct rig *r = rig_asks();

	rig_call(r, 1, "wiki__search", "{}");
	CHECK(rig_take(r, RIG_RECORDER, IPC_INTENT) != NULL && !rig_has(r, RIG_PDP));
	rig_free(r);
}

/* Arguments are never left out of the question: a rule may rest on them. */
static void too_long_a_question(void)
{
	enum { LONG = 262144 };
	struct rig *r = rig_asks();
	char *args = malloc(LONG + 1);

	memset(args, ' ', LONG);
	args[0] = '{';
	memcpy(args + LONG - 1, "}", 2);
	rig_call(r, 1, "notes__add_note", args);
	CHECK(!rig_has(r, RIG_PDP));
	refused(r, "external-limit", "too long");
	free(args);
	rig_free(r);
}

enum mishap { VAULT_GOES, RECORDER_GOES, UPSTREAM_GOES, REVOKED, CLIENT_GOES };

static void mishaps_while_it_is_asked(void)
{
	static const uint32_t http[] = {
		[VAULT_GOES] = 503, [RECORDER_GOES] = 503, [UPSTREAM_GOES] = 503, [REVOKED] = 401, [CLIENT_GOES] = 0};
	static const int peers[] = {
		[VAULT_GOES] = RIG_VAULT, [RECORDER_GOES] = RIG_RECORDER, [UPSTREAM_GOES] = RIG_NOTES};

	for (int what = VAULT_GOES; what <= CLIENT_GOES; what++) {
		struct rig *r = rig_asks();
		uint64_t id = asks(r, 1);
		struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
		struct ipc_request_gone gone = {.call = 1};
		const struct ipc_reply *m;

		if (what <= UPSTREAM_GOES) {
			rig_lose(r, peers[what]);
		} else if (what == REVOKED) {
			s.state = SESSION_REVOKED;
			rig_put_session(r, &s);
		} else {
			rig_send(r, RIG_FRONT, IPC_REQUEST_GONE, &gone);
		}
		if (what != CLIENT_GOES) {
			m = rig_take(r, RIG_FRONT, IPC_REPLY);
			CHECK(m != NULL && m->kind == REPLY_ERROR && m->http_status == http[what]);
		}
		CHECK(rig_is_idle(r));
		answer(r, id, 1, "", "");
		CHECK(!rig_dropped(r, RIG_PDP) && !rig_has(r, RIG_FRONT));
		rig_free(r);
	}
}

static void the_word_has_its_place_in_the_facts(void)
{
	static const char *const rows[][2] = {
		{"", "{W}"},
		{"{}", "{W}"},
		{"{\"action\":1,\"policies\":[{\"external\":2}]}", "{\"action\":1,W,\"policies\":[{\"external\":2}]}"},
		{"{\"action\":1}", "{\"action\":1,W}"},
		{"{\"zeal\":1}", "{W,\"zeal\":1}"},
		{"{\"externa\":1,\"externals\":2}", "{\"externa\":1,W,\"externals\":2}"},
	};
	static const char word[] = "\"external\":{\"decision\":\"permit\",\"reason_code\":\"r\"}";

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		const char *w = strchr(rows[n][1], 'W');
		char want[256];
		struct buf out;

		snprintf(want, sizeof(want), "%.*s%s%s", (int)(w - rows[n][1]), rows[n][1], word, w + 1);
		buf_init(&out, 1024);
		CHECK(pdp_facts_put(&out, ipc_text(rows[n][0]), true, "r") == KG_OK);
		CHECK(strcmp(buf_text(&out), want) == 0);
		buf_free(&out);
	}
}

int main(void)
{
	RUN(what_it_is_asked);
	RUN(its_permit_lets_the_call_go_on);
	RUN(anything_else_refuses);
	RUN(silence_refuses);
	RUN(its_role_is_away);
	RUN(it_is_not_asked_about_refusals);
	RUN(too_long_a_question);
	RUN(mishaps_while_it_is_asked);
	RUN(the_word_has_its_place_in_the_facts);
	return unit_end();
}
