/* What the recorder says of risk, as the policies see it: order, restarts, bounds, and a recorder that says nonsense.
 */
#include "tests/unit/broker_rig.h"

#define HEX "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e" /* of the rig's session */

static void put(struct rig *r, uint8_t kind, const char *subject, uint8_t score)
{
	struct ipc_risk_put m = {.kind = kind, .score = score, .subject = ipc_text(subject)};

	rig_send(r, RIG_RECORDER, IPC_RISK_PUT, &m);
}

static void synced(struct rig *r)
{
	static const struct ipc_risks_synced m = {0};

	rig_send(r, RIG_RECORDER, IPC_RISKS_SYNCED, &m);
}

/* What the record of the next call says of it; -1 when there is no record. */
static int recorded(struct rig *r, const char *tool)
{
	static uint64_t call = 100;
	const struct ipc_intent *i;
	char facts[4096];
	const char *at;

	rig_call(r, ++call, tool, "{}");
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	if (i == NULL || ipc_copy(i->facts, facts, sizeof(facts)) != KG_OK)
		return -1;
	at = strstr(facts, "\"risk\":");
	(void)rig_take(r, RIG_VAULT, IPC_ATTACH);
	return at == NULL ? -1 : (int)strtol(at + 7, NULL, 10);
}

static int risk(struct rig *r)
{
	return recorded(r, "notes__list_notes");
}

/* Another recorder, which has said nothing yet and has read what was sent again. */
static void anew(struct rig *r)
{
	rig_connect_silent(r, RIG_RECORDER);
	rig_pump(r);
	while (rig_has(r, RIG_RECORDER))
		(void)rig_take(r, RIG_RECORDER, IPC_OUTCOME);
}

static bool dropped(struct rig *r)
{
	rig_skip_events(r);
	return rig_dropped(r, RIG_RECORDER);
}

/* The highest of the three, each as it was said last. */
static void the_highest_counts(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	CHECK(risk(r) == 0);
	put(r, RISK_AGENT, "claude-code", 7);
	CHECK(risk(r) == 7);
	put(r, RISK_HUMAN, "alice@example.com", 12);
	CHECK(risk(r) == 12);
	put(r, RISK_SESSION, HEX, 100);
	CHECK(risk(r) == 100);
	put(r, RISK_SESSION, HEX, 11);
	CHECK(risk(r) == 12);
	put(r, RISK_HUMAN, "alice@example.com", 0);
	CHECK(risk(r) == 11);
	/* Others, and the same name as something else. */
	put(r, RISK_SESSION, "00000000000000000000000000000000", 90);
	put(r, RISK_AGENT, "alice@example.com", 90);
	put(r, RISK_HUMAN, "claude-code", 90);
	CHECK(risk(r) == 11);
	rig_free(r);
}

/* What is told before a receipt is in force when the receipt is read: the connection keeps the order. */
static void before_the_receipt(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	const struct ipc_intent *i;
	struct ipc_risk_put put_it = {.kind = RISK_SESSION, .score = 60, .subject = ipc_text(HEX)};
	struct ipc_receipt receipt = {.status = GRANT_OK, .seq = 41, .expires_ns = 99};

	rig_call(r, 5, "notes__add_note", "{}");
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL && rig_take(r, RIG_VAULT, IPC_ATTACH) != NULL);
	receipt.call = i == NULL ? 0 : i->call;
	CHECK(ipc_write_blocking(r->fd[RIG_RECORDER], IPC_RISK_PUT, &put_it, -1) == KG_OK);
	CHECK(ipc_write_blocking(r->fd[RIG_RECORDER], IPC_RECEIPT, &receipt, -1) == KG_OK);
	rig_pump(r);
	CHECK(recorded(r, "notes__list_notes") == 60);
	rig_free(r);
}

/* A new connection changes nothing until the recorder has told all that it knows. */
static void a_recorder_that_begins_anew(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	put(r, RISK_SESSION, HEX, 80);
	put(r, RISK_HUMAN, "alice@example.com", 40);
	rig_lose(r, RIG_RECORDER);
	anew(r);
	CHECK(risk(r) == 80);
	put(r, RISK_AGENT, "claude-code", 20);
	CHECK(risk(r) == 80);
	put(r, RISK_SESSION, HEX, 30);
	CHECK(risk(r) == 40);
	synced(r);
	CHECK(risk(r) == 30);
	/* Broken off in the middle, again. */
	anew(r);
	put(r, RISK_AGENT, "claude-code", 21);
	anew(r);
	CHECK(risk(r) == 30);
	synced(r);
	CHECK(risk(r) == 0);
	rig_free(r);
}

/* To a new broker 0 means nothing before that. */
static void nobody_before_the_first(void)
{
	struct rig *r = rig_new();
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
	struct ipc_request q = rig_request(r, 1, ERA_MODERN, MCP_TOOLS_LIST);
	const struct ipc_reply *m;

	for (int i = 0; i < RIG_PDP; i++)
		if (i != RIG_RECORDER)
			rig_connect(r, i);
	rig_put_session(r, &s);
	rig_sync(r);
	rig_connect_silent(r, RIG_RECORDER);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_ERROR && m->http_status == 503);
	put(r, RISK_SESSION, HEX, 80);
	q.call++;
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_ERROR && m->http_status == 503);
	synced(r);
	q.call++;
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_RESULT);
	rig_free(r);
}

/* It can raise and lower, and nothing else: the rest ends its connection, and what was known stays. */
static void nonsense_ends_the_connection(void)
{
	static char long_text[258];
	const struct {
		uint8_t kind, score;
		const char *subject;
		uint32_t n; /* 0: all of it */
	} rows[] = {
		{RISK_SESSION, 101, HEX, 0},
		{RISK_SESSION, 255, HEX, 0},
		{0, 5, HEX, 0},
		{RISK_SHARE, 5, "claude-code", 0},
		{255, 5, "claude-code", 0},
		{RISK_SESSION, 5, "5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E5E", 0},
		{RISK_SESSION, 5, HEX, 31},
		{RISK_SESSION, 5, HEX "5", 0},
		{RISK_SESSION, 0, "nobody", 0},
		{RISK_AGENT, 5, "", 0},
		{RISK_HUMAN, 0, "", 0},
		{RISK_AGENT, 5, long_text, 129},
		{RISK_HUMAN, 5, long_text, 257},
		{RISK_HUMAN, 5, "\xe2\x82", 0},
		{RISK_AGENT, 0, "\xff", 0},
	};

	memset(long_text, 'a', 257);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_risk_put m = {
			.kind = rows[i].kind,
			.score = rows[i].score,
			.subject = ipc_mem(rows[i].subject, rows[i].n != 0 ? rows[i].n : strlen(rows[i].subject))};
		uint8_t frame[512];
		struct buf out;

		put(r, RISK_SESSION, HEX, 33);
		buf_init(&out, sizeof(frame));
		/* What the encoder refuses to say is written by hand. */
		if (ipc_encode(&out, IPC_RISK_PUT, &m) != KG_OK) {
			uint32_t n = m.subject.n;
			const uint8_t head[] = {
				0, 0, (uint8_t)((n + 6) >> 8), (uint8_t)(n + 6), 0, IPC_RISK_PUT, 0, 0, m.kind, m.score,
				0, 0, (uint8_t)(n >> 8),       (uint8_t)n};

			CHECK(buf_put(&out, head, sizeof(head)) == KG_OK && buf_put(&out, m.subject.p, n) == KG_OK);
		}
		CHECK(send(r->fd[RIG_RECORDER], buf_ptr(&out), buf_len(&out), MSG_NOSIGNAL) == (ssize_t)buf_len(&out));
		buf_free(&out);
		if (!dropped(r))
			fprintf(stderr, "  row %zu\n", i);
		CHECK(dropped(r));
		anew(r);
		CHECK(risk(r) == 33);
		rig_free(r);
	}
}

/* Once for each connection. */
static void told_twice(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");

	put(r, RISK_SESSION, HEX, 33);
	synced(r);
	CHECK(dropped(r));
	anew(r);
	CHECK(risk(r) == 33);
	rig_free(r);
}

/* More names than there can be sessions: those said last are kept. */
static void bounded(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	char name[32];

	put(r, RISK_AGENT, "claude-code", 50);
	put(r, RISK_HUMAN, "alice@example.com", 40);
	for (int i = 0; i < RISK_SUBJECTS_MAX - 1; i++) {
		struct ipc_risk_put m = {.kind = RISK_HUMAN, .score = 9};

		snprintf(name, sizeof(name), "human-%d", i);
		m.subject = ipc_text(name);
		CHECK(risks_put(r->b->risks, &m) == KG_OK);
	}
	CHECK(risk(r) == 40);
	put(r, RISK_HUMAN, "one more", 9);
	CHECK(risk(r) == 0);
	rig_free(r);
}

/* The set that ships: from 60 on what writes needs a person; its tools stay listed. */
static void the_default_set(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_request q = rig_request(r, 7, ERA_MODERN, MCP_TOOLS_LIST);
	const struct ipc_approval_ask *ask;
	const struct ipc_reply *m;

	put(r, RISK_SESSION, HEX, 59);
	CHECK(recorded(r, "notes__add_note") == 59);
	put(r, RISK_SESSION, HEX, 60);
	rig_call(r, 6, "notes__add_note", "{}");
	ask = rig_take(r, RIG_VAULT, IPC_APPROVAL_ASK);
	CHECK(ask != NULL && ipc_is(ask->policies, "risk-needs-approval") &&
	      memmem(ask->reason.p, ask->reason.n, "risk", 4) != NULL);
	CHECK(recorded(r, "notes__list_notes") == 60);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && memmem(m->body.p, m->body.n, "notes__add_note", 15) != NULL);
	rig_free(r);
}

int main(void)
{
	RUN(the_highest_counts);
	RUN(before_the_receipt);
	RUN(a_recorder_that_begins_anew);
	RUN(nobody_before_the_first);
	RUN(nonsense_ends_the_connection);
	RUN(told_twice);
	RUN(bounded);
	RUN(the_default_set);
	return unit_end();
}
