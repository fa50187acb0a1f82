/* What the guardian orders, as the broker holds to it: approvals of a tier, rates, holds, and its refusal of a receipt.
 */
#include "gatewayd/broker/approvals.h"

#include "tests/unit/broker_rig.h"

#define WHY "the guardian has paused this session (rule denial-spike, inc-4); ask an operator"
#define ERROR_TEXT(text) "{\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}],\"isError\":true}"

static bool replied(struct rig *r, uint64_t call, const char *body)
{
	const struct ipc_reply *m = rig_take(r, RIG_FRONT, IPC_REPLY);
	bool right = m != NULL && m->call == call && m->kind == REPLY_RESULT && ipc_is(m->body, body);

	if (!right && m != NULL)
		fprintf(stderr, "  got %.*s %.*s\n", (int)m->body.n, (const char *)m->body.p, (int)m->message.n,
			(const char *)m->message.p);
	return right;
}

static bool replied_with(struct rig *r, uint64_t call, const char *part)
{
	const struct ipc_reply *m = rig_take(r, RIG_FRONT, IPC_REPLY);

	return m != NULL && m->call == call && m->kind == REPLY_RESULT &&
	       memmem(m->body.p, m->body.n, part, strlen(part)) != NULL &&
	       memmem(m->body.p, m->body.n, "\"isError\":true", 14) != NULL;
}

/* Takes an intent of this decision; its call. */
static uint64_t intent(struct rig *r, uint8_t decision, const char *code)
{
	const struct ipc_intent *i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	bool right = i != NULL && i->decision == decision && (code == NULL || ipc_is(i->reason_code, code));

	if (!right && i != NULL)
		fprintf(stderr, "  intent %.*s: %.*s\n", (int)i->reason_code.n, (const char *)i->reason_code.p,
			(int)i->reason.n, (const char *)i->reason.p);
	CHECK(right);
	return i == NULL ? 0 : i->call;
}

static uint64_t begun(struct rig *r, uint64_t request, const char *tool)
{
	uint64_t id;

	rig_call(r, request, tool, "{}");
	id = intent(r, DECISION_ALLOW, NULL);
	CHECK(rig_take(r, RIG_VAULT, IPC_ATTACH) != NULL);
	return id;
}

static void no_receipt(struct rig *r, uint64_t id, const char *code, const char *why)
{
	struct ipc_receipt m = {
		.call = id, .status = GRANT_DENIED, .seq = 41, .reason_code = ipc_text(code), .reason = ipc_text(why)};

	rig_send(r, RIG_RECORDER, IPC_RECEIPT, &m);
}

/* The agent reads why; nothing goes out, whenever the credentials come; the record says that it was not sent. */
static void a_refused_receipt(void)
{
	for (int sealed_first = 0; sealed_first < 2; sealed_first++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		uint64_t id = begun(r, 5, "notes__add_note");
		const struct ipc_outcome *o;

		if (sealed_first)
			rig_attached(r, id, GRANT_OK, "", "");
		no_receipt(r, id, "guardian", WHY);
		CHECK(replied(r, 5, ERROR_TEXT("refused: notes/add_note: " WHY)));
		o = rig_take(r, RIG_RECORDER, IPC_OUTCOME);
		CHECK(o != NULL && o->outcome == OUTCOME_UNSENT && ipc_is(o->reason_code, "guardian") &&
		      o->intent_seq == 41);
		if (!sealed_first)
			rig_attached(r, id, GRANT_OK, "", "");
		CHECK(!rig_has(r, RIG_NOTES) && !rig_has(r, RIG_FRONT));
		rig_recorded(r, id);
		CHECK(rig_is_idle(r));
		rig_free(r);
	}
}

/* Without a reason it is what it was: no receipt can be made. Half a character is no text. */
static void refusals_without_words(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	uint64_t id = begun(r, 5, "notes__add_note");
	const struct ipc_reply *m;

	rig_receipt(r, id, GRANT_DENIED, 41);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_ERROR && m->http_status == 503);
	CHECK(rig_take(r, RIG_RECORDER, IPC_OUTCOME) != NULL);
	id = begun(r, 6, "notes__add_note");
	no_receipt(r, id, "guardian", "\xe2\x82");
	CHECK(rig_dropped(r, RIG_RECORDER));
	rig_free(r);
}

/* A refused call that vaultd has refused first is answered once. */
static void refused_by_both(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	uint64_t id = begun(r, 5, "notes__add_note");
	const struct ipc_reply *m;

	rig_attached(r, id, GRANT_DENIED, "vault-sealed", "the vault is sealed by the guardian");
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_ERROR && ipc_is(m->message, "the vault is sealed by the guardian"));
	no_receipt(r, id, "guardian", WHY);
	CHECK(!rig_has(r, RIG_FRONT));
	CHECK(rig_take(r, RIG_RECORDER, IPC_OUTCOME) != NULL);
	rig_recorded(r, id);
	CHECK(rig_is_idle(r));
	rig_free(r);
}

static struct ipc_session_put limited(const struct rig *r, uint8_t tier, uint32_t rate)
{
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");

	s.approval_tier = tier;
	s.rate = rate;
	return s;
}

static void approved(struct rig *r)
{
	struct ipc_approval_put m = {.upstream = ipc_text("notes"),
				     .name = ipc_text("add_note"),
				     .state = APPROVAL_APPROVED,
				     .expires_unix = RIG_FAR,
				     .approver = ipc_text("bob@example.com")};
	struct buf canonical;

	memset(m.approval, 0xa1, ID_LEN);
	memcpy(m.session, r->session, ID_LEN);
	sha256("{}", 2, m.args_sha256);
	rig_canonical(&canonical, RIG_DEF("add_note"), m.def_sha256);
	buf_free(&canonical);
	rig_send(r, RIG_VAULT, IPC_APPROVAL_PUT, &m);
	CHECK(rig_take(r, RIG_VAULT, IPC_PUT_TAKEN) != NULL);
}

/* What the policies allow by themselves needs a person, from that tier on; with the approval it runs. */
static void approvals_of_a_tier(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_session_put s = limited(r, TIER_WRITE, 0);
	struct ipc_approval_asked pending = {.status = GRANT_OK, .state = APPROVAL_PENDING, .expires_unix = RIG_FAR};
	const struct ipc_approval_ask *ask;
	const struct ipc_attach *attach;
	uint64_t id;

	rig_put_session(r, &s);
	begun(r, 5, "notes__list_notes");
	rig_call(r, 6, "notes__add_note", "{}");
	ask = rig_take(r, RIG_VAULT, IPC_APPROVAL_ASK);
	CHECK(ask != NULL && ask->four_eyes == 0 &&
	      memmem(ask->reason.p, ask->reason.n, "by the guardian", 15) != NULL);
	pending.call = ask == NULL ? 0 : ask->call;
	memset(pending.approval, 0xa1, ID_LEN);
	rig_send(r, RIG_VAULT, IPC_APPROVAL_ASKED, &pending);
	id = intent(r, DECISION_DENY, GUARDIAN_APPROVAL);
	rig_receipt(r, id, GRANT_OK, 7);
	CHECK(replied_with(r, 6, "needs a person's approval of exactly these arguments"));
	approved(r);
	rig_call(r, 7, "notes__add_note", "{}");
	CHECK(intent(r, DECISION_ALLOW, NULL) != 0);
	attach = rig_take(r, RIG_VAULT, IPC_ATTACH);
	CHECK(attach != NULL && attach->approval[0] == 0xa1);
	/* Lifted, all is as before. */
	s = limited(r, 0, 0);
	rig_put_session(r, &s);
	begun(r, 8, "notes__add_note");
	/* A tier of reading includes everything. */
	s = limited(r, TIER_READ, 0);
	rig_put_session(r, &s);
	rig_call(r, 9, "notes__list_notes", "{}");
	CHECK(rig_take(r, RIG_VAULT, IPC_APPROVAL_ASK) != NULL);
	s = limited(r, TIER_DESTRUCTIVE + 1, 0);
	rig_send(r, RIG_VAULT, IPC_SESSION_PUT, &s);
	CHECK(rig_dropped(r, RIG_VAULT));
	rig_free(r);
}

/* A destructive one is asked for as ever. */
static void destructive_as_ever(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_session_put s = limited(r, TIER_READ, 0);
	const struct ipc_approval_ask *ask;

	rig_put_session(r, &s);
	rig_call(r, 6, "notes__wipe_notes", "{}");
	ask = rig_take(r, RIG_VAULT, IPC_APPROVAL_ASK);
	CHECK(ask != NULL && memmem(ask->reason.p, ask->reason.n, "by the guardian", 15) == NULL);
	rig_free(r);
}

static void rates(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_session_put s = limited(r, 0, 2);
	unsigned recorded = 0;
	uint64_t id;

	rig_put_session(r, &s);
	begun(r, 5, "notes__add_note");
	/* What is refused counts too. */
	rig_call(r, 6, "notes__nothing", "{}");
	id = intent(r, DECISION_DENY, "unknown-tool");
	rig_receipt(r, id, GRANT_OK, 7);
	CHECK(rig_take(r, RIG_FRONT, IPC_REPLY) != NULL);
	rig_call(r, 7, "notes__add_note", "{}");
	id = intent(r, DECISION_DENY, "rate-limited");
	CHECK(!rig_has(r, RIG_FRONT) && !rig_has(r, RIG_VAULT));
	rig_receipt(r, id, GRANT_OK, 8);
	CHECK(replied(
		r, 7,
		ERROR_TEXT("refused: the guardian lets this session make at most 2 calls a minute: try again in 30 "
			   "s")));
	/* Answered each time, recorded as far as the bound goes. */
	for (uint64_t n = 100; n < 140; n++) {
		rig_call(r, n, "notes__add_note", "{}");
		if (rig_has(r, RIG_RECORDER)) {
			recorded++;
			rig_receipt(r, intent(r, DECISION_DENY, "rate-limited"), GRANT_OK, n);
		}
		CHECK(replied_with(r, n, "try again in"));
	}
	CHECK(recorded >= DENIALS_PER_SOURCE - 1 && recorded <= 2 * DENIALS_PER_SOURCE);
	/* Lists are no calls. */
	s = limited(r, 0, 0);
	rig_put_session(r, &s);
	begun(r, 200, "notes__add_note");
	rig_free(r);
}

/* A held tool says by whom and why; its whole server has a code of its own. */
static void holds_with_their_reason(void)
{
	static const struct {
		uint8_t held_by;
		const char *reason, *code, *text;
	} rows[] = {
		{HELD_BY_OPERATOR, "", "tool-held",
		 "refused: notes/add_note is quarantined: an operator releases it with: keepgate tools release"},
		{HELD_BY_GUARDIAN, "rule drift, inc-2", "tool-held",
		 "refused: notes/add_note is quarantined: rule drift, inc-2"},
		{HELD_WITH_SERVER, "rule drift, inc-2", "server-held",
		 "refused: notes/add_note is quarantined: rule drift, inc-2"},
		{HELD_WITH_SERVER, "", "server-held",
		 "refused: notes/add_note is quarantined with its whole server by the guardian: ask an operator"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_pin_put m = {.server = ipc_text("notes"),
					.name = ipc_text("add_note"),
					.state = PIN_HELD,
					.held_by = rows[i].held_by,
					.reason = ipc_text(rows[i].reason)};
		char body[512];
		struct buf a;

		rig_canonical(&a, RIG_DEF("add_note"), m.accepted);
		m.definition = ipc_mem(buf_ptr(&a), (uint32_t)buf_len(&a));
		rig_send(r, RIG_VAULT, IPC_PIN_PUT, &m);
		rig_taken(r);
		rig_call(r, 5, "notes__add_note", "{}");
		rig_receipt(r, intent(r, DECISION_DENY, rows[i].code), GRANT_OK, 7);
		snprintf(body, sizeof(body), ERROR_TEXT("%s"), rows[i].text);
		CHECK(replied(r, 5, body));
		m.held_by = HELD_WITH_SERVER + 1;
		rig_send(r, RIG_VAULT, IPC_PIN_PUT, &m);
		CHECK(rig_dropped(r, RIG_VAULT));
		buf_free(&a);
		rig_free(r);
	}
}

/* A pause ends what is in flight, as an operator's does. */
static void a_pause_ends_calls(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_session_put s = limited(r, 0, 0);
	uint64_t id = begun(r, 5, "notes__add_note");
	const struct ipc_reply *m;

	rig_receipt(r, id, GRANT_OK, 41);
	rig_attached(r, id, GRANT_OK, "", "");
	CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
	s.state = SESSION_PAUSED;
	rig_put_session(r, &s);
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->kind == REPLY_ERROR && m->http_status == 403);
	CHECK(rig_take(r, RIG_NOTES, IPC_CALL_CANCEL) != NULL);
	rig_free(r);
}

int main(void)
{
	RUN(a_refused_receipt);
	RUN(refusals_without_words);
	RUN(refused_by_both);
	RUN(approvals_of_a_tier);
	RUN(destructive_as_ever);
	RUN(rates);
	RUN(holds_with_their_reason);
	RUN(a_pause_ends_calls);
	return unit_end();
}
