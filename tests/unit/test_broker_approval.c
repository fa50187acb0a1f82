/* Calls that need a person: how each client hears of it, how the decision reaches the call, and what is no approval. */
#include "gatewayd/broker/approvals.h"

#include "tests/unit/broker_rig.h"

#define ARGS "{\"all\":true}"
#define ID "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
#define LONGER "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a10"
#define PLACE "http://127.0.0.1:8931/approvals/" ID
#define NEEDS "notes/wipe_notes needs a person's approval of exactly these arguments."
#define MESSAGE NEEDS " An operator gives it with: keepgate approvals approve " ID

/* Of notes__wipe_notes. */
static struct ipc_request wipe(const struct rig *r, uint64_t call, uint8_t elicits)
{
	struct ipc_request q = rig_request(r, call, ERA_MODERN, MCP_TOOLS_CALL);

	q.name = ipc_text("notes__wipe_notes");
	q.args = ipc_text(ARGS);
	q.elicits = elicits;
	return q;
}

static struct ipc_approval_put approval(const struct rig *r, uint8_t state)
{
	struct ipc_approval_put m = {.upstream = ipc_text("notes"),
				     .name = ipc_text("wipe_notes"),
				     .state = state,
				     .mfa = 1,
				     .expires_unix = RIG_FAR,
				     .approver = ipc_text("bob@example.com")};
	struct buf canonical;

	memset(m.approval, 0xa1, ID_LEN);
	memcpy(m.session, r->session, ID_LEN);
	sha256(ARGS, strlen(ARGS), m.args_sha256);
	rig_canonical(&canonical, RIG_DEF("wipe_notes"), m.def_sha256);
	buf_free(&canonical);
	return m;
}

static void put(struct rig *r, const struct ipc_approval_put *m)
{
	rig_send(r, RIG_VAULT, IPC_APPROVAL_PUT, m);
	CHECK(rig_take(r, RIG_VAULT, IPC_PUT_TAKEN) != NULL);
}

/* The number of the call whose approval is asked for; 0. */
static uint64_t asks(struct rig *r)
{
	const struct ipc_approval_ask *m = rig_take(r, RIG_VAULT, IPC_APPROVAL_ASK);

	return m == NULL ? 0 : m->call;
}

static void asked(struct rig *r, uint64_t call, uint8_t state, const char *reason)
{
	struct ipc_approval_asked m = {
		.call = call, .status = GRANT_OK, .state = state, .expires_unix = RIG_FAR, .reason = ipc_text(reason)};

	memset(m.approval, 0xa1, ID_LEN);
	rig_send(r, RIG_VAULT, IPC_APPROVAL_ASKED, &m);
}

/* Takes the denial's intent and says that it is durable. */
static bool denied(struct rig *r, const char *code, bool names_approval)
{
	const struct ipc_intent *i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	bool good = i != NULL && i->decision == DECISION_DENY && ipc_is(i->reason_code, code) &&
		    sodium_is_zero(i->approval, ID_LEN) == !names_approval && i->facts.n != 0 &&
		    ipc_is(i->name, "wipe_notes") && ipc_is(i->human, "alice@example.com") && !rig_has(r, RIG_FRONT);

	if (!good && i != NULL)
		fprintf(stderr, "intent: %.*s: %.*s\n", (int)i->reason_code.n, (const char *)i->reason_code.p,
			(int)i->reason.n, (const char *)i->reason.p);
	if (i != NULL)
		rig_receipt(r, i->call, GRANT_OK, 7);
	return good;
}

static bool body_is(struct ipc_bytes body, const char *want)
{
	if (!ipc_is(body, want))
		fprintf(stderr, "got  %.*s\nwant %s\n", (int)body.n, (const char *)body.p, want);
	return ipc_is(body, want);
}

static const char input_required[] =
	"{\"resultType\":\"input_required\",\"inputRequests\":{\"approval\":{\"method\":\"elicitation/create\","
	"\"params\":{\"mode\":\"url\",\"message\":\"" MESSAGE "\",\"url\":\"" PLACE "\"}}},\"requestState\":\"" ID
	"\"}";
static const char elicitations[] = "{\"elicitations\":[{\"mode\":\"url\",\"elicitationId\":\"" ID "\",\"url\":\"" PLACE
				   "\",\"message\":\"" MESSAGE "\"}]}";
static const char as_text[] = "{\"content\":[{\"type\":\"text\",\"text\":\"" MESSAGE " The place: " PLACE
			      ". Then repeat the same call: it is allowed once.\"}],\"isError\":true}";

/* Each client in its own words, and never before the denial is on record. */
static void how_each_client_hears_of_it(void)
{
	static const struct {
		uint8_t era;
		const char *version;
		uint8_t elicits;
		uint8_t kind;
		const char *body;
	} rows[] = {
		{ERA_MODERN, "", ELICITS_URL, REPLY_RESULT, input_required},
		{ERA_MODERN, "", ELICITS_URL | ELICITS_FORM, REPLY_RESULT, input_required},
		{ERA_MODERN, "", ELICITS_FORM, REPLY_RESULT, as_text},
		{ERA_MODERN, "", 0, REPLY_RESULT, as_text},
		{ERA_LEGACY, "2025-11-25", ELICITS_URL, REPLY_ERROR, elicitations},
		{ERA_LEGACY, "2025-11-25", ELICITS_FORM, REPLY_RESULT, as_text},
		{ERA_LEGACY, "2025-11-25", 0, REPLY_RESULT, as_text},
		/* Not in that version, whatever it declares. */
		{ERA_LEGACY, "2025-06-18", ELICITS_URL, REPLY_RESULT, as_text},
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_request q = wipe(r, 9, rows[n].era == ERA_MODERN ? rows[n].elicits : 0);
		const struct ipc_reply *m;
		char session[65] = "";
		uint64_t id;

		if (rows[n].era == ERA_LEGACY) {
			struct ipc_request first = rig_request(r, 1, ERA_LEGACY, MCP_INITIALIZE);

			first.version = ipc_text(rows[n].version);
			first.elicits = rows[n].elicits;
			rig_send(r, RIG_FRONT, IPC_REQUEST, &first);
			m = rig_take(r, RIG_FRONT, IPC_REPLY);
			CHECK(m != NULL && ipc_copy(m->mcp_session, session, sizeof(session)) == KG_OK);
			q.era = ERA_LEGACY;
			q.mcp_session = ipc_text(session);
		}
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		id = asks(r);
		CHECK(id != 0 && !rig_has(r, RIG_RECORDER) && !rig_has(r, RIG_FRONT));
		asked(r, id, APPROVAL_PENDING, "");
		CHECK(denied(r, "approval-required", true));
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->call == 9 && m->kind == rows[n].kind && m->http_status == 200);
		CHECK(m != NULL && body_is(m->body, rows[n].body));
		CHECK(m != NULL && (m->kind != REPLY_ERROR || (m->code == -32042 && ipc_is(m->message, MESSAGE))));
		CHECK(rig_is_idle(r) && !rig_has(r, RIG_VAULT));
		rig_free(r);
	}
}

static void what_the_vault_is_asked(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_request q = wipe(r, 9, ELICITS_URL);
	struct ipc_approval_put like = approval(r, APPROVAL_PENDING);
	const struct ipc_approval_ask *m;

	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	m = rig_take(r, RIG_VAULT, IPC_APPROVAL_ASK);
	CHECK(m != NULL && memcmp(m->session, r->session, ID_LEN) == 0 && ipc_is(m->upstream, "notes"));
	CHECK(m != NULL && ipc_is(m->name, "wipe_notes") && ipc_is(m->args, ARGS) && m->reason.n != 0);
	CHECK(m != NULL && memcmp(m->args_sha256, like.args_sha256, HASH_LEN) == 0 &&
	      memcmp(m->def_sha256, like.def_sha256, HASH_LEN) == 0);
	rig_free(r);
}

static void the_place_may_be_configured(void)
{
	struct rig *r = rig_ready_with(RIG_CONFIG_WITH("\"approvals\":{\"url\":\"https://kg.example/ok\"},"),
				       TIER_WRITE, "notes/*");
	struct ipc_request q = wipe(r, 9, ELICITS_URL);
	const struct ipc_reply *m;

	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	asked(r, asks(r), APPROVAL_PENDING, "");
	CHECK(denied(r, "approval-required", true));
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && memmem(m->body.p, m->body.n, "\"url\":\"https://kg.example/ok/" ID "\"", 62) != NULL);
	rig_free(r);
}

static void answers_that_are_no_approval(void)
{
	static const struct {
		uint8_t status, state;
		const char *code, *reason, *recorded, *told;
	} rows[] = {
		{GRANT_OK, APPROVAL_DENIED, "", "not on a Friday", "approval-denied", "was denied: not on a Friday"},
		{GRANT_OK, APPROVAL_DENIED, "", "", "approval-denied", "notes/wipe_notes was denied"},
		{GRANT_DENIED, 0, "approval-limit", "32 wait already", "approval-limit", "32 wait already"},
		{GRANT_UNAVAILABLE, 0, "", "", "approval-unavailable", "the vault (vaultd) takes none now"},
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_request q = wipe(r, 9, ELICITS_URL);
		struct ipc_approval_asked a = {.status = rows[n].status,
					       .state = rows[n].state,
					       .reason_code = ipc_text(rows[n].code),
					       .reason = ipc_text(rows[n].reason)};
		const struct ipc_reply *m;

		if (rows[n].status == GRANT_OK)
			memset(a.approval, 0xa1, ID_LEN);
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		a.call = asks(r);
		rig_send(r, RIG_VAULT, IPC_APPROVAL_ASKED, &a);
		CHECK(denied(r, rows[n].recorded, rows[n].status == GRANT_OK));
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->kind == REPLY_RESULT &&
		      memmem(m->body.p, m->body.n, rows[n].told, strlen(rows[n].told)) != NULL &&
		      memmem(m->body.p, m->body.n, "\"isError\":true", 14) != NULL);
		CHECK(rig_is_idle(r));
		rig_free(r);
	}
}

/* A state that cannot be, and an answer for a call in another state, cost the vault's connection. */
static void answers_that_cannot_be(void)
{
	static const uint8_t states[] = {0, APPROVAL_USED, APPROVAL_EXPIRED, 99};

	for (size_t n = 0; n <= sizeof(states); n++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_request q = wipe(r, 9, ELICITS_URL);
		const struct ipc_intent *i;

		if (n == sizeof(states)) {
			rig_call(r, 9, "notes__add_note", "{}");
			i = rig_take(r, RIG_RECORDER, IPC_INTENT);
			CHECK(i != NULL && rig_take(r, RIG_VAULT, IPC_ATTACH) != NULL);
			asked(r, r->b->calls->record[0]->id, APPROVAL_APPROVED, "");
		} else {
			rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
			asked(r, asks(r), states[n], "");
		}
		CHECK(rig_dropped(r, RIG_VAULT));
		rig_free(r);
	}
}

/* The approval goes with the call: to the record, and to the vault that consumes it. */
static void an_approved_call_runs(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_approval_put p = approval(r, APPROVAL_APPROVED);
	struct ipc_request q = wipe(r, 9, 0);
	const struct ipc_intent *i;
	const struct ipc_attach *a;
	uint64_t id = 0;

	put(r, &p);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL && i->decision == DECISION_ALLOW && memcmp(i->approval, p.approval, ID_LEN) == 0);
	CHECK(i != NULL && memmem(i->facts.p, i->facts.n, "bob@example.com", 15) != NULL);
	if (i != NULL)
		id = i->call;
	a = rig_take(r, RIG_VAULT, IPC_ATTACH);
	CHECK(a != NULL && a->call == id && memcmp(a->approval, p.approval, ID_LEN) == 0);
	rig_receipt(r, id, GRANT_OK, 1);
	rig_attached(r, id, GRANT_OK, "", "");
	CHECK(rig_take(r, RIG_NOTES, IPC_CALL) != NULL);
	/* Used: the next one asks again. */
	p.state = APPROVAL_USED;
	put(r, &p);
	CHECK(approvals_count(r->b->approvals) == 0);
	q.call = 10;
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	CHECK(asks(r) != 0);
	rig_free(r);
}

/* One byte of anything else, and there is none. */
/* Nobody has seen what stands beside the arguments: it does not go with them. */
static void an_approved_call_carries_its_arguments_alone(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_approval_put p = approval(r, APPROVAL_APPROVED);
	struct ipc_request q = wipe(r, 9, 0);
	const struct ipc_intent *i;
	const struct ipc_attach *a;
	const struct ipc_call *c;
	uint8_t none[HASH_LEN];
	uint64_t id = 0;

	sha256("{}", 2, none);
	q.meta = ipc_text("{\"force\":true}");
	put(r, &p);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL && memcmp(i->meta_sha256, none, HASH_LEN) == 0);
	if (i != NULL)
		id = i->call;
	a = rig_take(r, RIG_VAULT, IPC_ATTACH);
	CHECK(a != NULL && memcmp(a->meta_sha256, none, HASH_LEN) == 0);
	rig_receipt(r, id, GRANT_OK, 1);
	rig_attached(r, id, GRANT_OK, "", "");
	c = rig_take(r, RIG_NOTES, IPC_CALL);
	CHECK(c != NULL && ipc_is(c->args, ARGS) && ipc_is(c->meta, "{}"));
	rig_free(r);
}

static void an_approval_of_another_call_is_none(void)
{
	for (int what = 0; what < 8; what++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_approval_put p = approval(r, APPROVAL_APPROVED);
		struct ipc_request q = wipe(r, 9, 0);

		p.args_sha256[HASH_LEN - 1] ^= what == 0;
		p.def_sha256[HASH_LEN - 1] ^= what == 1;
		p.session[ID_LEN - 1] ^= what == 2;
		if (what == 3)
			p.upstream = ipc_text("wiki");
		if (what == 4)
			p.name = ipc_text("wipe_note");
		if (what == 5)
			p.expires_unix = broker_unix_now();
		if (what == 6)
			p.state = APPROVAL_PENDING;
		if (what == 7)
			q.args = ipc_text("{\"all\":true }");
		put(r, &p);
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		CHECK(asks(r) != 0 && !rig_has(r, RIG_RECORDER));
		rig_free(r);
	}
}

/* A broker whose policies take bob's approvals alone, of accounts with a second factor. */
static struct rig *only_bob(void)
{
	static const char policies[] =
		"@id(\"bob\") @on_deny(\"approval\") permit (principal, action, resource) when {\n"
		"  context.base has approval && context.base.approval.approver == "
		"Gate::Human::\"bob@example.com\"\n};\n"
		"@id(\"mfa\") @reason(\"the approver has no second factor\") forbid (principal, action, resource) when "
		"{\n"
		"  context.base has approval && !context.base.mfa\n};\n";
	static const char people[] = "[{\"uid\":{\"type\":\"Gate::Human\",\"id\":\"bob@example.com\"},\"attrs\":{"
				     "\"issuer\":\"\",\"contractor\":false,\"max_trust\":3},\"parents\":[]}]";
	char dir[] = "/tmp/keepgate-bob-XXXXXX", config[2048], cedar[64], entities[64];
	struct rig *r;
	FILE *f;

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(cedar, sizeof(cedar), "%s/a.cedar", dir);
	snprintf(entities, sizeof(entities), "%s/entities.json", dir);
	f = fopen(cedar, "w");
	CHECK(f != NULL && fputs(policies, f) >= 0 && fclose(f) == 0);
	f = fopen(entities, "w");
	CHECK(f != NULL && fputs(people, f) >= 0 && fclose(f) == 0);
	snprintf(config, sizeof(config), RIG_CONFIG_WITH("\"policy\":{\"dir\":\"%s\"},"), dir);
	r = rig_ready_with(config, TIER_WRITE, "notes/*");
	unlink(cedar);
	unlink(entities);
	rmdir(dir);
	return r;
}

/* Whether a person may give it; else why not. */
static bool may_give(struct rig *r, const char *approver, uint8_t mfa, char why[513])
{
	struct ipc_approval_check m = {.id = 3,
				       .upstream = ipc_text("notes"),
				       .name = ipc_text("wipe_notes"),
				       .approver = ipc_text(approver),
				       .mfa = mfa,
				       .expires_unix = RIG_FAR,
				       .source = ipc_text("127.0.0.1:40000"),
				       .args = ipc_text(ARGS)};
	const struct ipc_approval_checked *a;

	memcpy(m.session, r->session, ID_LEN);
	rig_send(r, RIG_VAULT, IPC_APPROVAL_CHECK, &m);
	a = rig_take(r, RIG_VAULT, IPC_APPROVAL_CHECKED);
	CHECK(a != NULL && a->id == 3 && ipc_copy(a->reason, why, 513) == KG_OK);
	CHECK(!rig_has(r, RIG_RECORDER));
	return a != NULL && a->status == GRANT_OK;
}

/* It is told before it is given; one that was given all the same holds nothing up: the call asks for another. */
static void an_approver_whom_the_policies_do_not_take(void)
{
	struct rig *r = only_bob();
	struct ipc_approval_put p = approval(r, APPROVAL_APPROVED);
	struct ipc_request q = wipe(r, 9, 0);
	const struct ipc_approval_ask *m;
	char why[513];

	CHECK(may_give(r, "bob@example.com", 1, why));
	CHECK(!may_give(r, "bob@example.com", 0, why) && strstr(why, "no second factor") != NULL);
	CHECK(!may_give(r, "carol@example.com", 1, why) && strstr(why, "by policy") != NULL);
	p.approver = ipc_text("carol@example.com");
	put(r, &p);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	m = rig_take(r, RIG_VAULT, IPC_APPROVAL_ASK);
	CHECK(m != NULL && memcmp(m->spent, p.approval, ID_LEN) == 0 && ipc_is(m->source, "127.0.0.1:40000"));
	p.approver = ipc_text("bob@example.com");
	put(r, &p);
	q = wipe(r, 10, 0);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	CHECK(rig_take(r, RIG_RECORDER, IPC_INTENT) != NULL);
	rig_free(r);
	/* Where nothing else would help none is asked for. */
	r = rig_ready(TIER_WRITE, "notes/*");
	CHECK(may_give(r, "carol@example.com", 0, why));
	rig_free(r);
}

static void what_is_not_named_again_is_forgotten(void)
{
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_approval_put p = approval(r, APPROVAL_APPROVED);

	put(r, &p);
	CHECK(approvals_count(r->b->approvals) == 1);
	rig_lose(r, RIG_VAULT);
	rig_connect(r, RIG_VAULT);
	rig_sync(r);
	CHECK(approvals_count(r->b->approvals) == 0);
	p.state = 0;
	rig_send(r, RIG_VAULT, IPC_APPROVAL_PUT, &p);
	CHECK(rig_dropped(r, RIG_VAULT));
	rig_free(r);
}

static void their_number_is_bounded(void)
{
	struct approvals *t = approvals_new();
	struct ipc_approval_put p = {.state = APPROVAL_PENDING, .expires_unix = RIG_FAR};

	for (uint32_t i = 1; i <= APPROVALS_MAX; i++) {
		memcpy(p.approval, &i, sizeof(i));
		CHECK(approvals_put(t, &p) == KG_OK && approvals_put(t, &p) == KG_OK);
	}
	memset(p.approval, 0xff, ID_LEN);
	CHECK(approvals_put(t, &p) == KG_E_LIMIT && approvals_count(t) == APPROVALS_MAX);
	approvals_free(t);
}

static void arguments_that_nobody_could_read(void)
{
	enum { LONG = 65537 };
	struct rig *r = rig_ready(TIER_WRITE, "notes/*");
	struct ipc_request q = wipe(r, 9, ELICITS_URL);
	char *args = malloc(LONG + 1);
	const struct ipc_reply *m;

	memset(args, ' ', LONG);
	memcpy(args, "{", 1);
	memcpy(args + LONG - 1, "}", 2);
	q.args = ipc_text(args);
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	CHECK(denied(r, "approval-limit", false) && !rig_has(r, RIG_VAULT));
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && memmem(m->body.p, m->body.n, "65536 bytes", 11) != NULL);
	free(args);
	rig_free(r);
}

enum mishap { VAULT_GOES, RECORDER_GOES, TOO_LATE, REVOKED, CLIENT_GOES };

/* While the vault is asked: whatever happens, nothing runs, and a client that waits is answered. */
static void mishaps_while_the_vault_is_asked(void)
{
	static const uint32_t http[] = {
		[VAULT_GOES] = 503, [RECORDER_GOES] = 503, [TOO_LATE] = 503, [REVOKED] = 401, [CLIENT_GOES] = 0};

	for (int what = VAULT_GOES; what <= CLIENT_GOES; what++) {
		struct rig *r = rig_ready(TIER_WRITE, "notes/*");
		struct ipc_request q = wipe(r, 9, ELICITS_URL);
		struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
		struct ipc_request_gone gone = {.call = 9};
		const struct ipc_reply *m;
		struct call *c;
		uint64_t id;

		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		id = asks(r);
		if (what == VAULT_GOES || what == RECORDER_GOES) {
			rig_lose(r, what == VAULT_GOES ? RIG_VAULT : RIG_RECORDER);
		} else if (what == TOO_LATE) {
			TAILQ_FOREACH(c, &r->b->calls->waiting, in_queue)
			c->due_ns = 1;
			rig_pass(r, 2 * TICK_MS);
		} else if (what == REVOKED) {
			s.state = SESSION_REVOKED;
			rig_put_session(r, &s);
		} else {
			rig_send(r, RIG_FRONT, IPC_REQUEST_GONE, &gone);
		}
		if (what != CLIENT_GOES) {
			m = rig_take(r, RIG_FRONT, IPC_REPLY);
			CHECK(m != NULL && m->kind == REPLY_ERROR && m->http_status == http[what]);
			CHECK(rig_is_idle(r));
		}
		if (r->fd[RIG_VAULT] >= 0)
			asked(r, id, APPROVAL_PENDING, "");
		/* Who goes away is refused on record all the same. */
		if (what == CLIENT_GOES)
			CHECK(denied(r, "approval-required", true));
		CHECK(rig_is_idle(r) && !rig_has(r, RIG_FRONT) && !rig_has(r, RIG_NOTES));
		rig_free(r);
	}
}

/* A repeat that names its pending approval, held by the broker. */
static struct rig *holding(struct ipc_request *q)
{
	struct rig *r = rig_ready_with(RIG_HOLDS, TIER_WRITE, "notes/*");
	struct ipc_approval_put p = approval(r, APPROVAL_PENDING);

	put(r, &p);
	*q = wipe(r, 9, ELICITS_URL);
	q->state = ipc_text(ID);
	q->consented = ELICIT_ACCEPT;
	rig_send(r, RIG_FRONT, IPC_REQUEST, q);
	CHECK(held_count(r->b->held) == 1 && !rig_has(r, RIG_FRONT) && !rig_has(r, RIG_VAULT) &&
	      !rig_has(r, RIG_RECORDER));
	return r;
}

static void a_held_call_runs_when_it_is_approved(void)
{
	struct ipc_request q;
	struct rig *r = holding(&q);
	struct ipc_approval_put p = approval(r, APPROVAL_APPROVED);
	const struct ipc_intent *i;
	const struct ipc_attach *a;

	put(r, &p);
	i = rig_take(r, RIG_RECORDER, IPC_INTENT);
	CHECK(i != NULL && i->decision == DECISION_ALLOW && memcmp(i->approval, p.approval, ID_LEN) == 0);
	a = rig_take(r, RIG_VAULT, IPC_ATTACH);
	CHECK(a != NULL && ipc_is(a->token, r->token) && memcmp(a->approval, p.approval, ID_LEN) == 0);
	CHECK(held_count(r->b->held) == 0);
	rig_free(r);
}

static void a_held_call_is_refused_when_it_is_denied(void)
{
	struct ipc_request q;
	struct rig *r = holding(&q);
	struct ipc_approval_put p = approval(r, APPROVAL_DENIED);
	const struct ipc_reply *m;

	put(r, &p);
	asked(r, asks(r), APPROVAL_DENIED, "no");
	CHECK(denied(r, "approval-denied", true));
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->call == 9 && memmem(m->body.p, m->body.n, "was denied: no", 14) != NULL);
	CHECK(rig_is_idle(r));
	rig_free(r);
}

static void a_held_call_is_asked_again_when_its_time_is_up(void)
{
	struct ipc_request q;
	struct rig *r = holding(&q);
	const struct ipc_reply *m;

	rig_pass(r, 1000 + 3 * TICK_MS);
	asked(r, asks(r), APPROVAL_PENDING, "");
	CHECK(denied(r, "approval-required", true));
	m = rig_take(r, RIG_FRONT, IPC_REPLY);
	CHECK(m != NULL && m->call == 9 && body_is(m->body, input_required));
	CHECK(rig_is_idle(r));
	rig_free(r);
}

/* The vault comes back without it: it is asked for again. */
static void a_forgotten_approval_wakes(void)
{
	struct ipc_request q;
	struct rig *r = holding(&q);
	struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");

	rig_lose(r, RIG_VAULT);
	CHECK(held_count(r->b->held) == 1 && !rig_has(r, RIG_FRONT));
	rig_connect(r, RIG_VAULT);
	rig_pin_all(r);
	rig_put_session(r, &s);
	rig_sync(r);
	CHECK(asks(r) != 0 && held_count(r->b->held) == 0);
	rig_free(r);
}

static void what_is_held_can_go(void)
{
	for (int what = 0; what < 4; what++) {
		struct ipc_request q;
		struct rig *r = holding(&q);
		struct ipc_session_put s = rig_session(r, TIER_WRITE, "notes/*");
		struct ipc_request_gone gone = {.call = 9};
		struct ipc_approval_put p = approval(r, APPROVAL_APPROVED);
		const struct ipc_reply *m;

		if (what == 0) {
			rig_send(r, RIG_FRONT, IPC_REQUEST_GONE, &gone);
		} else if (what == 1) {
			rig_lose(r, RIG_FRONT);
		} else if (what == 2) {
			s.state = SESSION_REVOKED;
			rig_put_session(r, &s);
			m = rig_take(r, RIG_FRONT, IPC_REPLY);
			CHECK(m != NULL && m->call == 9 && m->http_status == 401);
		} else {
			/* Its number is in use: an honest front does not send it twice. */
			rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
			CHECK(rig_dropped(r, RIG_FRONT));
		}
		CHECK(rig_is_idle(r));
		put(r, &p);
		CHECK(!rig_has(r, RIG_RECORDER) && !rig_has(r, RIG_VAULT));
		rig_free(r);
	}
}

/* A state that is not ours, or names another call, is as good as none: the call is asked about as if it came first. */
static void states_that_name_nothing(void)
{
	static const char *const states[] = {"", "x", LONGER, "A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1",
					     "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"};
	size_t rows = sizeof(states) / sizeof(states[0]);

	for (size_t n = 0; n < rows + 3; n++) {
		struct rig *r = rig_ready_with(RIG_HOLDS, TIER_WRITE, "notes/*");
		struct ipc_approval_put p = approval(r, APPROVAL_PENDING);
		struct ipc_request q = wipe(r, 9, ELICITS_URL);

		q.state = ipc_text(n < rows ? states[n] : ID);
		q.consented = ELICIT_DECLINE;
		if (n == rows)
			p.session[0] ^= 1;
		if (n == rows + 1)
			q.args = ipc_text("{\"all\":false}");
		if (n == rows + 2)
			p.expires_unix = broker_unix_now();
		put(r, &p);
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		CHECK(asks(r) != 0 && held_count(r->b->held) == 0 && !rig_has(r, RIG_RECORDER));
		rig_free(r);
	}
}

/* "No" from the client's side, whatever was decided meanwhile. */
static void the_client_declines(void)
{
	static const uint8_t states[] = {APPROVAL_PENDING, APPROVAL_APPROVED},
			     answers[] = {ELICIT_DECLINE, ELICIT_CANCEL};

	for (int n = 0; n < 4; n++) {
		struct rig *r = rig_ready_with(RIG_HOLDS, TIER_WRITE, "notes/*");
		struct ipc_approval_put p = approval(r, states[n / 2]);
		struct ipc_request q = wipe(r, 9, ELICITS_URL);
		const struct ipc_reply *m;

		put(r, &p);
		q.state = ipc_text(ID);
		q.consented = answers[n % 2];
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
		CHECK(denied(r, "approval-declined", true));
		m = rig_take(r, RIG_FRONT, IPC_REPLY);
		CHECK(m != NULL && m->kind == REPLY_RESULT &&
		      memmem(m->body.p, m->body.n, "declined on the client's side", 29) != NULL);
		CHECK(!rig_has(r, RIG_VAULT) && approvals_count(r->b->approvals) == 1 && rig_is_idle(r));
		rig_free(r);
	}
}

static void held_requests_are_bounded(void)
{
	struct rig *r = rig_ready_with(RIG_HOLDS, TIER_WRITE, "notes/*");
	struct ipc_approval_put p = approval(r, APPROVAL_PENDING);
	struct ipc_request q = wipe(r, 0, ELICITS_URL);

	put(r, &p);
	q.state = ipc_text(ID);
	for (q.call = 1; q.call <= HELD_PER_SESSION; q.call++)
		rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	CHECK(held_count(r->b->held) == HELD_PER_SESSION && !rig_has(r, RIG_VAULT));
	rig_send(r, RIG_FRONT, IPC_REQUEST, &q);
	CHECK(asks(r) != 0 && held_count(r->b->held) == HELD_PER_SESSION);
	rig_free(r);
}

int main(void)
{
	RUN(how_each_client_hears_of_it);
	RUN(what_the_vault_is_asked);
	RUN(the_place_may_be_configured);
	RUN(answers_that_are_no_approval);
	RUN(answers_that_cannot_be);
	RUN(an_approved_call_runs);
	RUN(an_approved_call_carries_its_arguments_alone);
	RUN(an_approval_of_another_call_is_none);
	RUN(an_approver_whom_the_policies_do_not_take);
	RUN(what_is_not_named_again_is_forgotten);
	RUN(their_number_is_bounded);
	RUN(arguments_that_nobody_could_read);
	RUN(mishaps_while_the_vault_is_asked);
	RUN(a_held_call_runs_when_it_is_approved);
	RUN(a_held_call_is_refused_when_it_is_denied);
	RUN(a_held_call_is_asked_again_when_its_time_is_up);
	RUN(a_forgotten_approval_wakes);
	RUN(what_is_held_can_go);
	RUN(states_that_name_nothing);
	RUN(the_client_declines);
	RUN(held_requests_are_bounded);
	return unit_end();
}
