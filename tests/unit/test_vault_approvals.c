/* Approvals: asked for, given by a person who may, used once for exactly one call, and over with their time or session.
 */
#include <unistd.h>

#include "common/call.h"
#include "tests/unit/vault_rig.h"
#include "vaultd/approvals.h"
#include "common/operators.h"

#define ARGS "{\"all\":true}"

struct scene {
	struct rig r;
	int admin, recorder, broker, notes;
	char token[TOKEN_LEN + 1], consent[33];
	uint8_t session[ID_LEN], def[HASH_LEN];
	uint8_t spent[ID_LEN];                 /* what the broker says of its next question */
	struct config_operator me, *operators; /* the configuration's own */
	size_t noperators;
};

/* A consent for notes; its token becomes the scene's. */
static void grant(struct scene *s, const char *human, const char *tier)
{
	char json[512], error[1025];
	json_t *g;

	snprintf(json, sizeof(json),
		 "{\"human\":\"%s\",\"agent\":\"claude-code\",\"tools\":\"notes/*\",\"tier\":\"%s\",\"for_s\":3600,"
		 "\"why\":\"OPS-1\"}",
		 human, tier);
	rig_ask(s->admin, "consent.grant", json);
	CHECK(rig_record(&s->r, s->recorder, "consent.grant", GRANT_OK));
	rig_take_all(&s->r, s->broker);
	g = rig_answer(&s->r, s->admin, error);
	CHECK(g != NULL);
	snprintf(s->token, sizeof(s->token), "%s", rig_text(g, "token"));
	snprintf(s->consent, sizeof(s->consent), "%s", rig_text(g, "consent"));
	sodium_hex2bin(s->session, ID_LEN, rig_text(g, "session"), 32, NULL, NULL, NULL);
	json_decref(g);
}

static void list_tools(struct scene *s, const char *wipe)
{
	static uint32_t generation;

	generation++;
	rig_tool(s->notes, generation, "list_notes", 0, 0);
	rig_tool(s->notes, generation, "add_note", 0, 0);
	rig_tool_as(s->notes, generation, "wipe_notes", 0, 0, wipe);
	rig_tools_done(&s->r, s->notes, generation, 3);
	rig_record_all(&s->r, s->recorder, NULL);
	rig_take_all(&s->r, s->broker);
	sha256(wipe, strlen(wipe), s->def);
}

static void connect_all(struct scene *s)
{
	uint8_t key[KX_LEN];

	s->admin = rig_peer(&s->r, IPC_ROLE_ADMIN);
	s->recorder = rig_peer(&s->r, IPC_ROLE_RECORDER);
	s->broker = rig_peer(&s->r, IPC_ROLE_BROKER);
	rig_take_all(&s->r, s->broker);
	s->notes = rig_upstream(&s->r, "notes", key);
	list_tools(s, "{\"wipe\":1}");
}

static void hang_up(struct scene *s)
{
	close(s->admin);
	close(s->recorder);
	close(s->broker);
	close(s->notes);
}

static void scene_open(struct scene *s)
{
	*s = (struct scene){0};
	rig_open(&s->r);
	connect_all(s);
	grant(s, "alice@example.com", "write");
}

static void scene_close(struct scene *s)
{
	if (s->r.config->operators == &s->me) {
		s->r.config->noperators = s->noperators;
		s->r.config->operators = s->operators;
	}
	rig_close(&s->r);
	hang_up(s);
}

/* The user who runs the test is this human for the policies. */
static void i_am(struct scene *s, const char *human, bool mfa)
{
	s->me = (struct config_operator){operators_name(s->r.v->operators, getuid()), human, mfa};
	if (s->r.config->operators != &s->me) {
		s->operators = s->r.config->operators;
		s->noperators = s->r.config->noperators;
	}
	s->r.config->operators = &s->me;
	s->r.config->noperators = 1;
}

static void say_ask(struct scene *s, uint64_t call, const char *args, uint8_t four_eyes)
{
	struct ipc_approval_ask m = {.call = call,
				     .upstream = ipc_text("notes"),
				     .name = ipc_text("wipe_notes"),
				     .four_eyes = four_eyes,
				     .policies = ipc_text("destroy-with-approval"),
				     .reason = ipc_text("destructive"),
				     .args = ipc_text(args)};

	memcpy(m.session, s->session, ID_LEN);
	memcpy(m.spent, s->spent, ID_LEN);
	memcpy(m.def_sha256, s->def, HASH_LEN);
	sha256(args, strlen(args), m.args_sha256);
	rig_say(s->broker, IPC_APPROVAL_ASK, &m);
}

/* The answer to it among what the broker is told; what it is told else is taken. */
static bool asked(struct scene *s, struct ipc_approval_asked *out, char code[65])
{
	static const struct ipc_put_taken taken = {0};
	struct rig_message m;

	while (rig_read(&s->r, s->broker, &m)) {
		bool mine = m.type == IPC_APPROVAL_ASKED;

		if (mine) {
			*out = *(struct ipc_approval_asked *)&m.any;
			CHECK(ipc_copy(out->reason_code, code, 65) == KG_OK);
		} else {
			rig_say(s->broker, IPC_PUT_TAKEN, &taken);
		}
		rig_forget(&m);
		if (mine)
			return true;
	}
	return false;
}

/* Asks for one and has it on record; its id, or zero and the code. */
static uint8_t ask(struct scene *s, const char *args, uint8_t four_eyes, uint8_t id[ID_LEN], char code[65])
{
	struct ipc_approval_asked a = {0};

	say_ask(s, 5, args, four_eyes);
	rig_record_all(&s->r, s->recorder, NULL);
	memset(id, 0, ID_LEN);
	snprintf(code, 65, "no answer");
	if (!asked(s, &a, code))
		return 255;
	CHECK(a.call == 5);
	memcpy(id, a.approval, ID_LEN);
	return a.status == GRANT_OK ? a.state : 0;
}

static bool ask_refused(struct scene *s, const char *args, const char *want)
{
	uint8_t id[ID_LEN];
	char code[65];
	uint8_t state = ask(s, args, 0, id, code);

	if (state == 0 && strcmp(code, want) == 0)
		return true;
	fprintf(stderr, "  state %u, code %s\n", state, code);
	return false;
}

/* The one way to have one. */
static void must_ask(struct scene *s, const char *args, uint8_t four_eyes, uint8_t id[ID_LEN])
{
	char code[65];

	CHECK(ask(s, args, four_eyes, id, code) == APPROVAL_PENDING);
}

/* approvals.approve or deny; the error, "" when it was done. */
static const char *decide(struct scene *s, const char *op, const uint8_t id[ID_LEN])
{
	static char error[1025];
	char json[128], hex[33];
	json_t *out;

	sodium_bin2hex(hex, sizeof(hex), id, ID_LEN);
	snprintf(json, sizeof(json), "{\"id\":\"%s\",\"note\":\"seen\"}", hex);
	rig_ask(s->admin, op, json);
	rig_take_all(&s->r, s->broker);
	rig_record_all(&s->r, s->recorder, NULL);
	rig_take_all(&s->r, s->broker);
	out = rig_answer(&s->r, s->admin, error);
	json_decref(out);
	return error;
}

static void approve(struct scene *s, const uint8_t id[ID_LEN])
{
	const char *error = decide(s, "approvals.approve", id);

	if (error[0] != '\0')
		fprintf(stderr, "  %s\n", error);
	CHECK(error[0] == '\0');
}

struct use {
	const char *tool, *args, *token, *meta;
	const uint8_t *approval;
};

/* The code with which a call is refused; "" when it is let through. */
static const char *attach(struct scene *s, const struct use *q)
{
	static char code[65];
	struct ipc_attach m = {.call = 1,
			       .token = ipc_text(q->token == NULL ? s->token : q->token),
			       .upstream = ipc_text("notes"),
			       .method = MCP_TOOLS_CALL,
			       .name = ipc_text(q->tool == NULL ? "wipe_notes" : q->tool)};
	struct rig_message a;
	const char *args = q->args == NULL ? ARGS : q->args, *meta = q->meta == NULL ? "{}" : q->meta;

	sha256(args, strlen(args), m.args_sha256);
	sha256(meta, strlen(meta), m.meta_sha256);
	if (q->approval != NULL)
		memcpy(m.approval, q->approval, ID_LEN);
	rig_take_all(&s->r, s->broker);
	rig_say(s->broker, IPC_ATTACH, &m);
	snprintf(code, sizeof(code), "no answer");
	while (rig_read(&s->r, s->broker, &a)) {
		static const struct ipc_put_taken taken = {0};

		if (a.type == IPC_ATTACHED) {
			CHECK(ipc_copy(((struct ipc_attached *)&a.any)->reason_code, code, sizeof(code)) == KG_OK);
			CHECK((code[0] == '\0') == (((struct ipc_attached *)&a.any)->sealed.n != 0));
		} else {
			rig_say(s->broker, IPC_PUT_TAKEN, &taken);
		}
		rig_forget(&a);
	}
	return code;
}

#define USE(s, ...) attach(s, &(struct use){__VA_ARGS__})

static void destruction_needs_its_approval(void)
{
	struct scene s;
	uint8_t id[ID_LEN], other[ID_LEN] = {7};

	scene_open(&s);
	CHECK(strcmp(USE(&s, 0), "approval-required") == 0);
	CHECK(strcmp(USE(&s, .approval = other), "approval-expired") == 0);
	must_ask(&s, ARGS, 0, id);
	CHECK(strcmp(USE(&s, .approval = id), "approval-required") == 0);
	approve(&s, id);
	/* A byte of the arguments, another tool, another definition. */
	CHECK(strcmp(USE(&s, .approval = id, .args = "{\"all\":false}"), "approval-mismatch") == 0);
	CHECK(strcmp(USE(&s, .approval = id, .args = ARGS " "), "approval-mismatch") == 0);
	CHECK(strcmp(USE(&s, .approval = id, .tool = "add_note"), "approval-mismatch") == 0);
	/* What goes beside the arguments, and was shown to nobody. */
	CHECK(strcmp(USE(&s, .approval = id, .meta = "{\"force\":true}"), "approval-mismatch") == 0);
	/* None of that used it up. */
	CHECK(strcmp(USE(&s, .approval = id), "") == 0);
	CHECK(rig_record_all(&s.r, s.recorder, "approval.used") == 1);
	/* Other tools may have one or not. */
	CHECK(strcmp(USE(&s, .tool = "list_notes"), "") == 0 && strcmp(USE(&s, .tool = "add_note"), "") == 0);
	CHECK(strcmp(USE(&s, .tool = "add_note", .approval = other), "approval-expired") == 0);
	scene_close(&s);
}

/* Once, and each further try is a sign of an attack: on record at the first, second, fourth, eighth ... time. */
static void one_is_used_once(void)
{
	struct scene s;
	uint8_t id[ID_LEN], next[ID_LEN];

	scene_open(&s);
	must_ask(&s, ARGS, 0, id);
	approve(&s, id);
	CHECK(strcmp(USE(&s, .approval = id), "") == 0);
	rig_record_all(&s.r, s.recorder, NULL);
	for (int i = 0; i < 10; i++)
		CHECK(strcmp(USE(&s, .approval = id), "approval-used") == 0);
	CHECK(rig_record_all(&s.r, s.recorder, "approval.replayed") == 4);
	/* The same call again needs another one. */
	must_ask(&s, ARGS, 0, next);
	CHECK(memcmp(id, next, ID_LEN) != 0);
	scene_close(&s);
}

static void another_session_cannot_use_it(void)
{
	struct scene s;
	uint8_t id[ID_LEN], first[ID_LEN];
	char mine[TOKEN_LEN + 1];

	scene_open(&s);
	must_ask(&s, ARGS, 0, id);
	approve(&s, id);
	memcpy(mine, s.token, sizeof(mine));
	memcpy(first, s.session, ID_LEN);
	grant(&s, "alice@example.com", "write");
	CHECK(strcmp(USE(&s, .approval = id), "approval-mismatch") == 0);
	CHECK(strcmp(USE(&s, .approval = id, .token = mine), "") == 0);
	rig_record_all(&s.r, s.recorder, NULL);
	/* A consent for reading destroys nothing, approval or not. */
	grant(&s, "alice@example.com", "read");
	CHECK(strcmp(USE(&s, .approval = id), "tier-above-consent") == 0 &&
	      ask_refused(&s, ARGS, "tier-above-consent"));
	scene_close(&s);
}

/* Asked again it is the same one, whatever became of it; until then nobody hears of it before it is on record. */
static void the_same_call_has_the_same_approval(void)
{
	struct scene s;
	struct ipc_approval_asked a;
	uint8_t id[ID_LEN], same[ID_LEN];
	char code[65];

	scene_open(&s);
	say_ask(&s, 1, ARGS, 0);
	say_ask(&s, 2, ARGS, 0);
	CHECK(!asked(&s, &a, code));
	CHECK(rig_record_all(&s.r, s.recorder, "approval.requested") == 1);
	CHECK(asked(&s, &a, code) && a.call == 1 && a.status == GRANT_OK &&
	      a.expires_unix == RIG_NOW + APPROVALS_TTL_S);
	memcpy(id, a.approval, ID_LEN);
	CHECK(asked(&s, &a, code) && a.call == 2 && memcmp(a.approval, id, ID_LEN) == 0);
	CHECK(ask(&s, ARGS, 0, same, code) == APPROVAL_PENDING && memcmp(same, id, ID_LEN) == 0);
	approve(&s, id);
	CHECK(ask(&s, ARGS, 0, same, code) == APPROVAL_APPROVED && memcmp(same, id, ID_LEN) == 0);
	must_ask(&s, "{}", 0, same);
	CHECK(memcmp(same, id, ID_LEN) != 0);
	CHECK(strcmp(decide(&s, "approvals.deny", same), "") == 0);
	memcpy(id, same, ID_LEN);
	CHECK(ask(&s, "{}", 0, same, code) == APPROVAL_DENIED && memcmp(same, id, ID_LEN) == 0);
	CHECK(strcmp(USE(&s, .approval = id, .args = "{}"), "approval-denied") == 0);
	CHECK(strstr(decide(&s, "approvals.approve", id), "decided already") != NULL);
	scene_close(&s);
}

/* Without a record there is none. */
static void nothing_without_a_record(void)
{
	struct scene s;
	struct ipc_approval_asked a;
	char code[65];
	struct rig_message m;

	scene_open(&s);
	say_ask(&s, 1, ARGS, 0);
	CHECK(rig_record(&s.r, s.recorder, "approval.requested", GRANT_DENIED));
	CHECK(asked(&s, &a, code) && a.status == GRANT_UNAVAILABLE && strcmp(code, "recorder-away") == 0);
	say_ask(&s, 2, ARGS, 0);
	CHECK(rig_expect(&s.r, s.recorder, IPC_VAULT_EVENT, &m));
	/* Never the arguments: their hash. */
	CHECK(memmem(((struct ipc_vault_event *)&m.any)->members.p, ((struct ipc_vault_event *)&m.any)->members.n,
		     "all", 3) == NULL &&
	      memmem(((struct ipc_vault_event *)&m.any)->members.p, ((struct ipc_vault_event *)&m.any)->members.n,
		     "args_sha256", 11) != NULL);
	rig_forget(&m);
	close(s.recorder);
	CHECK(asked(&s, &a, code) && a.status == GRANT_UNAVAILABLE);
	say_ask(&s, 3, ARGS, 0);
	CHECK(asked(&s, &a, code) && a.status == GRANT_UNAVAILABLE);
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	must_ask(&s, ARGS, 0, a.approval);
	approve(&s, a.approval);
	/* A use that cannot be recorded is none, and does not use it up. */
	close(s.recorder);
	CHECK(strcmp(USE(&s, .approval = a.approval), "recorder-away") == 0);
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	CHECK(strcmp(USE(&s, .approval = a.approval), "") == 0);
	scene_close(&s);
}

static void four_eyes_are_two_persons(void)
{
	struct scene s;
	uint8_t id[ID_LEN];

	scene_open(&s);
	must_ask(&s, ARGS, 1, id);
	/* A user that is mapped to nobody, the human itself in two spellings, another human. */
	CHECK(strstr(decide(&s, "approvals.approve", id), "name the human") != NULL);
	i_am(&s, "alice@example.com", true);
	CHECK(strstr(decide(&s, "approvals.approve", id), "you are the one") != NULL);
	i_am(&s, "Alice@Example.COM", true);
	CHECK(strstr(decide(&s, "approvals.approve", id), "you are the one") != NULL);
	i_am(&s, "bob@example.com", true);
	approve(&s, id);
	CHECK(strcmp(USE(&s, .approval = id), "") == 0);
	/* Without four eyes the human may approve. */
	i_am(&s, "alice@example.com", false);
	must_ask(&s, "{}", 0, id);
	approve(&s, id);
	CHECK(strcmp(USE(&s, .approval = id, .args = "{}"), "") == 0);
	scene_close(&s);
}

/* Begins an approval; the broker's question about it, whose answer is still to come. */
static uint64_t begin_approve(struct scene *s, const uint8_t id[ID_LEN])
{
	const struct ipc_approval_check *x;
	struct rig_message m;
	char json[128], hex[33];
	uint64_t check;

	sodium_bin2hex(hex, sizeof(hex), id, ID_LEN);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", hex);
	rig_take_all(&s->r, s->broker);
	rig_ask(s->admin, "approvals.approve", json);
	if (!rig_expect(&s->r, s->broker, IPC_APPROVAL_CHECK, &m))
		return 0;
	x = (const struct ipc_approval_check *)&m.any;
	CHECK(ipc_is(x->approver, "bob@example.com") && x->mfa == 1 && ipc_is(x->args, ARGS) &&
	      ipc_is(x->name, "wipe_notes") && memcmp(x->session, s->session, ID_LEN) == 0);
	check = x->id;
	rig_forget(&m);
	CHECK(!rig_waits(&s->r, s->admin) && !rig_waits(&s->r, s->recorder));
	return check;
}

static void answer_check(struct scene *s, uint64_t check, const char *why)
{
	const struct ipc_approval_check m = {.id = check};

	CHECK(check != 0);
	rig_checked(s->broker, &m, why);
	rig_pump(&s->r);
}

static bool told(struct scene *s, const char *want)
{
	char error[1025];
	json_t *out = rig_answer(&s->r, s->admin, error);

	json_decref(out);
	if (strstr(error, want) == NULL)
		fprintf(stderr, "  %s\n", error);
	return strstr(error, want) != NULL;
}

/* Whom they do not take is told why; a broker that does not say is no yes. */
static void the_policies_are_asked_before_it_is_given(void)
{
	struct ipc_approval_checked never = {.id = 99};
	struct scene s;
	uint8_t id[ID_LEN];

	scene_open(&s);
	i_am(&s, "bob@example.com", true);
	must_ask(&s, ARGS, 0, id);
	answer_check(&s, begin_approve(&s, id), "the approver is on holiday");
	CHECK(told(&s, "with your approval: the approver is on holiday") && !rig_waits(&s.r, s.recorder));
	CHECK(begin_approve(&s, id) != 0);
	close(s.broker);
	CHECK(told(&s, "did not say"));
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	CHECK(begin_approve(&s, id) != 0);
	usleep((APPROVAL_CHECK_MS + 100) * 1000);
	rig_pump(&s.r);
	CHECK(told(&s, "did not say"));
	/* Who has gone is told nothing, and nothing is approved. */
	CHECK(begin_approve(&s, id) != 0);
	close(s.admin);
	s.admin = rig_peer(&s.r, IPC_ROLE_ADMIN);
	rig_take_all(&s.r, s.broker);
	CHECK(strcmp(USE(&s, .approval = id), "approval-required") == 0);
	approve(&s, id);
	CHECK(strcmp(USE(&s, .approval = id), "") == 0);
	rig_say(s.broker, IPC_APPROVAL_CHECKED, &never);
	CHECK(rig_dropped(&s.r, s.broker));
	scene_close(&s);
}

/* The call asks anew, and names the one that did not do. */
static void one_that_the_policies_do_not_take_is_over(void)
{
	struct scene s;
	uint8_t id[ID_LEN], next[ID_LEN];
	char code[65];

	scene_open(&s);
	i_am(&s, "bob@example.com", true);
	must_ask(&s, ARGS, 0, id);
	/* While nobody has decided there is nothing to ask anew. */
	memcpy(s.spent, id, ID_LEN);
	CHECK(ask(&s, ARGS, 0, next, code) == APPROVAL_PENDING && memcmp(id, next, ID_LEN) == 0);
	approve(&s, id);
	memset(s.spent, 7, ID_LEN);
	CHECK(ask(&s, ARGS, 0, next, code) == APPROVAL_APPROVED && memcmp(id, next, ID_LEN) == 0);
	memcpy(s.spent, id, ID_LEN);
	CHECK(ask(&s, ARGS, 0, next, code) == APPROVAL_PENDING && memcmp(id, next, ID_LEN) != 0);
	CHECK(strcmp(USE(&s, .approval = id), "approval-expired") == 0);
	scene_close(&s);
}

/* The policies want four eyes by now: one that was given without them is over, a pending one gets them. */
static void four_eyes_later(void)
{
	struct scene s;
	uint8_t id[ID_LEN], next[ID_LEN];
	char code[65];

	scene_open(&s);
	i_am(&s, "alice@example.com", false);
	must_ask(&s, ARGS, 0, id);
	CHECK(ask(&s, ARGS, 1, next, code) == APPROVAL_PENDING && memcmp(id, next, ID_LEN) == 0);
	CHECK(strstr(decide(&s, "approvals.approve", id), "you are the one") != NULL);
	must_ask(&s, "{}", 0, id);
	approve(&s, id);
	CHECK(ask(&s, "{}", 1, next, code) == APPROVAL_PENDING && memcmp(id, next, ID_LEN) != 0);
	CHECK(strcmp(USE(&s, .approval = id, .args = "{}"), "approval-expired") == 0);
	scene_close(&s);
}

/* What the broker is told of the approver: the policies ask for it. */
static void the_broker_hears_who_approved(void)
{
	static const struct ipc_put_taken taken = {0};
	struct scene s;
	struct rig_message m;
	const struct ipc_approval_put *x = (const struct ipc_approval_put *)&m.any;
	uint8_t id[ID_LEN];
	char json[64], hex[33], error[1025];
	json_t *out;

	scene_open(&s);
	i_am(&s, "bob@example.com", true);
	must_ask(&s, ARGS, 0, id);
	sodium_bin2hex(hex, sizeof(hex), id, ID_LEN);
	hex[8] = '\0';
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", hex);
	rig_take_all(&s.r, s.broker);
	rig_ask(s.admin, "approvals.approve", json);
	CHECK(rig_expect(&s.r, s.broker, IPC_APPROVAL_CHECK, &m));
	rig_checked(s.broker, (const struct ipc_approval_check *)&m.any, "");
	rig_forget(&m);
	CHECK(rig_record(&s.r, s.recorder, "approval.approved", GRANT_OK));
	CHECK(rig_expect(&s.r, s.broker, IPC_APPROVAL_PUT, &m));
	CHECK(x->state == APPROVAL_APPROVED && x->mfa == 1 && ipc_is(x->approver, "bob@example.com") &&
	      memcmp(x->approval, id, ID_LEN) == 0 && memcmp(x->session, s.session, ID_LEN) == 0 &&
	      memcmp(x->def_sha256, s.def, HASH_LEN) == 0 && ipc_is(x->name, "wipe_notes"));
	rig_forget(&m);
	/* The operator has no answer before the broker has it in force. */
	CHECK(!rig_waits(&s.r, s.admin));
	rig_say(s.broker, IPC_PUT_TAKEN, &taken);
	out = rig_answer(&s.r, s.admin, error);
	CHECK(strcmp(rig_text(out, "state"), "approved") == 0 &&
	      strcmp(rig_text(out, "approver"), "bob@example.com") == 0);
	json_decref(out);
	/* A broker that comes later hears of it, too. */
	close(s.broker);
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	{
		unsigned puts = 0;

		while (rig_read(&s.r, s.broker, &m)) {
			puts += m.type == IPC_APPROVAL_PUT;
			rig_forget(&m);
		}
		CHECK(puts == 1);
	}
	scene_close(&s);
}

static json_t *show(struct scene *s, const uint8_t id[ID_LEN])
{
	char json[64], hex[33];

	sodium_bin2hex(hex, sizeof(hex), id, ID_LEN);
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", hex);
	return rig_do(&s->r, s->admin, s->recorder, "approvals.show", json, false);
}

/* An operator reads exactly what is approved; afterwards nobody does. */
static void operators_see_the_arguments(void)
{
	struct scene s;
	uint8_t id[ID_LEN];
	json_t *out, *row;

	scene_open(&s);
	must_ask(&s, ARGS, 1, id);
	out = rig_do(&s.r, s.admin, s.recorder, "approvals.list", "{}", false);
	row = json_array_get(json_object_get(out, "approvals"), 0);
	CHECK(strcmp(rig_text(row, "tool"), "wipe_notes") == 0 && strcmp(rig_text(row, "tier"), "destructive") == 0 &&
	      strcmp(rig_text(row, "policies"), "destroy-with-approval") == 0 &&
	      json_is_true(json_object_get(row, "four_eyes")) && json_object_get(row, "arguments") == NULL);
	json_decref(out);
	out = show(&s, id);
	CHECK(strcmp(rig_text(out, "arguments"), ARGS) == 0 && strcmp(rig_text(out, "reason"), "destructive") == 0);
	json_decref(out);
	CHECK(strcmp(decide(&s, "approvals.deny", id), "") == 0);
	out = show(&s, id);
	CHECK(json_is_null(json_object_get(out, "arguments")) && strcmp(rig_text(out, "state"), "denied") == 0 &&
	      strcmp(rig_text(out, "note"), "seen") == 0 && strncmp(rig_text(out, "approver"), "unix:", 5) == 0);
	json_decref(out);
	out = rig_do(&s.r, s.admin, s.recorder, "approvals.list", "{}", false);
	CHECK(json_array_size(json_object_get(out, "approvals")) == 0);
	json_decref(out);
	out = rig_do(&s.r, s.admin, s.recorder, "approvals.list", "{\"all\":true}", false);
	CHECK(json_array_size(json_object_get(out, "approvals")) == 1);
	json_decref(out);
	scene_close(&s);
}

static void they_expire(void)
{
	struct scene s;
	uint8_t pending[ID_LEN], given[ID_LEN], next[ID_LEN];

	scene_open(&s);
	s.r.config->approvals.ttl_s = 60;
	must_ask(&s, ARGS, 0, pending);
	must_ask(&s, "{}", 0, given);
	approve(&s, given);
	rig_clock = RIG_NOW + 60;
	CHECK(strcmp(USE(&s, .approval = given, .args = "{}"), "approval-expired") == 0);
	CHECK(strstr(decide(&s, "approvals.approve", pending), "expired") != NULL);
	/* By itself, told to the brokers and on record. */
	rig_clock = RIG_NOW + 61;
	must_ask(&s, ARGS, 0, next);
	CHECK(memcmp(next, pending, ID_LEN) != 0);
	rig_clock = RIG_NOW + 200;
	usleep(300000);
	rig_pump(&s.r);
	CHECK(approvals_find(s.r.v->approvals, next)->state == APPROVAL_EXPIRED &&
	      approvals_find(s.r.v->approvals, next)->args == NULL);
	CHECK(rig_record_all(&s.r, s.recorder, "approval.expired") == 1);
	CHECK(!approvals_tick(s.r.v));
	scene_close(&s);
}

/* A session that ends takes its approvals with it; a resumed one has to ask again. */
static void they_end_with_their_session(void)
{
	static const char *const ops[] = {"session.pause", "session.revoke", "consent.revoke"};
	struct scene s;
	uint8_t id[ID_LEN];
	char json[64], hex[33], error[1025];

	scene_open(&s);
	for (size_t i = 0; i < 3; i++) {
		grant(&s, "alice@example.com", "write");
		must_ask(&s, ARGS, 0, id);
		approve(&s, id);
		sodium_bin2hex(hex, sizeof(hex), s.session, ID_LEN);
		snprintf(json, sizeof(json), "{\"id\":\"%s\"}", i == 2 ? s.consent : hex);
		rig_ask(s.admin, ops[i], json);
		CHECK(rig_record(&s.r, s.recorder, ops[i], GRANT_OK));
		rig_take_all(&s.r, s.broker);
		json_decref(rig_answer(&s.r, s.admin, error));
		CHECK(approvals_find(s.r.v->approvals, id)->state == APPROVAL_EXPIRED &&
		      approvals_find(s.r.v->approvals, id)->args == NULL);
		if (i == 0) {
			rig_ask(s.admin, "session.resume", json);
			CHECK(rig_record(&s.r, s.recorder, "session.resume", GRANT_OK) || true);
			rig_record_all(&s.r, s.recorder, NULL);
			rig_take_all(&s.r, s.broker);
			json_decref(rig_answer(&s.r, s.admin, error));
			CHECK(strcmp(USE(&s, .approval = id), "approval-expired") == 0);
		}
		rig_record_all(&s.r, s.recorder, NULL);
	}
	scene_close(&s);
}

/* For the definition that was looked at: not for another, even when that is accepted in between. */
static void they_hold_for_one_definition(void)
{
	struct scene s;
	uint8_t id[ID_LEN], old[HASH_LEN];
	char json[256], hex[65], error[1025];

	scene_open(&s);
	memcpy(old, s.def, HASH_LEN);
	must_ask(&s, ARGS, 0, id);
	approve(&s, id);
	must_ask(&s, "{}", 0, old);
	list_tools(&s, "{\"wipe\":2}");
	CHECK(strcmp(USE(&s, .approval = id), "tool-changed") == 0);
	sodium_bin2hex(hex, sizeof(hex), s.def, HASH_LEN);
	snprintf(json, sizeof(json), "{\"server\":\"notes\",\"tool\":\"wipe_notes\",\"sha256\":\"%s\"}", hex);
	rig_ask(s.admin, "tools.accept", json);
	rig_record_all(&s.r, s.recorder, NULL);
	rig_take_all(&s.r, s.broker);
	json_decref(rig_answer(&s.r, s.admin, error));
	CHECK(error[0] == '\0');
	snprintf(json, sizeof(json), "{\"id\":\"%s\"}", s.consent);
	rig_ask(s.admin, "consent.confirm", json);
	rig_record_all(&s.r, s.recorder, NULL);
	rig_take_all(&s.r, s.broker);
	json_decref(rig_answer(&s.r, s.admin, error));
	CHECK(error[0] == '\0');
	CHECK(strcmp(USE(&s, .approval = id), "approval-mismatch") == 0);
	CHECK(strstr(decide(&s, "approvals.approve", old), "another by now") != NULL);
	scene_close(&s);
}

static void refuses_what_nobody_could_approve(void)
{
	struct scene s;
	struct ipc_approval_ask m = {.call = 9, .upstream = ipc_text("notes"), .name = ipc_text("wipe_notes")};
	struct ipc_approval_asked a;
	char code[65];

	scene_open(&s);
	memcpy(m.session, s.session, ID_LEN);
	memcpy(m.def_sha256, s.def, HASH_LEN);
	/* The broker has left out what is too long: its hash is not that of nothing. */
	sha256(ARGS, strlen(ARGS), m.args_sha256);
	rig_say(s.broker, IPC_APPROVAL_ASK, &m);
	CHECK(asked(&s, &a, code) && a.status == GRANT_DENIED && strcmp(code, "approval-too-large") == 0);
	m.args = ipc_text("{\"all\":false}");
	rig_say(s.broker, IPC_APPROVAL_ASK, &m);
	CHECK(asked(&s, &a, code) && strcmp(code, "approval-mismatch") == 0);
	m.args = ipc_text("\"\xff\"");
	sha256("\"\xff\"", 3, m.args_sha256);
	rig_say(s.broker, IPC_APPROVAL_ASK, &m);
	CHECK(asked(&s, &a, code) && strcmp(code, "approval-mismatch") == 0);
	m.def_sha256[0] ^= 1;
	rig_say(s.broker, IPC_APPROVAL_ASK, &m);
	CHECK(asked(&s, &a, code) && strcmp(code, "tool-changed") == 0);
	m.name = ipc_text("unheard_of");
	rig_say(s.broker, IPC_APPROVAL_ASK, &m);
	CHECK(asked(&s, &a, code) && strcmp(code, "tool-unknown") == 0);
	m.session[0] ^= 1;
	rig_say(s.broker, IPC_APPROVAL_ASK, &m);
	CHECK(asked(&s, &a, code) && strcmp(code, "session-unknown") == 0);
	m.policies = ipc_text("\xff");
	rig_say(s.broker, IPC_APPROVAL_ASK, &m);
	CHECK(rig_dropped(&s.r, s.broker));
	scene_close(&s);
}

static void they_are_bounded(void)
{
	struct scene s;
	uint8_t id[ID_LEN];
	char args[64];

	scene_open(&s);
	for (int i = 0; i < APPROVALS_PER_SESSION; i++) {
		snprintf(args, sizeof(args), "{\"n\":%d}", i);
		must_ask(&s, args, 0, id);
	}
	CHECK(ask_refused(&s, "{\"n\":99}", "approval-limit"));
	CHECK(strcmp(decide(&s, "approvals.deny", id), "") == 0);
	must_ask(&s, "{\"n\":99}", 0, id);
	CHECK(ask_refused(&s, "{\"n\":100}", "approval-limit"));
	/* Another session has its own. */
	grant(&s, "bob@example.com", "write");
	must_ask(&s, "{\"n\":100}", 0, id);
	scene_close(&s);
}

/* The table alone, without the rest of a vault: what has ended makes room, the arguments have a bound of their own. */
static void the_table_is_bounded(void)
{
	static char args[APPROVALS_ARGS_MAX];
	struct approvals *a = approvals_new();
	struct session session = {0};
	struct upstream u = {0};
	uint8_t hash[HASH_LEN] = {0};
	struct approval_call c = {&session, &u, "x", hash, hash};
	struct approval *x, *first = NULL;
	unsigned made = 0;

	for (unsigned i = 0; i < APPROVALS_MAX; i++) {
		session.id[0] = (uint8_t)(i / 16), session.id[1] = (uint8_t)(i / 4096);
		CHECK(approvals_make(a, &c, "{}", 2, &x) == KG_OK);
		first = first == NULL ? x : first;
	}
	memset(session.id, 0xff, ID_LEN);
	CHECK(approvals_make(a, &c, "{}", 2, &x) == KG_E_LIMIT);
	first->state = APPROVAL_USED;
	CHECK(approvals_make(a, &c, "{}", 2, &x) == KG_OK);
	CHECK(approvals_make(a, &c, "{}", 2, &x) == KG_E_LIMIT);
	approvals_free(a);
	a = approvals_new();
	for (unsigned i = 0; i < 300; i++) {
		session.id[0] = (uint8_t)i, session.id[1] = (uint8_t)(i / 256);
		made += approvals_make(a, &c, args, sizeof(args), &x) == KG_OK;
	}
	CHECK(made == APPROVALS_BYTES_MAX / APPROVALS_ARGS_MAX);
	CHECK(approvals_make(a, &c, args, APPROVALS_ARGS_MAX + 1, &x) == KG_E_LIMIT);
	approvals_free(a);
}

/* Neither the arguments nor anything else of an approval is in a file; after a restart there is none. */
static void a_restart_forgets_them(void)
{
	struct scene s;
	uint8_t id[ID_LEN];
	static char bytes[4 << 20];
	const char *files[] = {"vault.db", "vault.db-wal"};

	scene_open(&s);
	must_ask(&s, "{\"password\":\"hunter2hunter2\"}", 0, id);
	approve(&s, id);
	for (size_t i = 0; i < 2; i++) {
		char path[128];
		FILE *f;
		size_t n;

		snprintf(path, sizeof(path), "%s/%s", s.r.dir, files[i]);
		f = fopen(path, "rb");
		CHECK(f != NULL);
		n = f == NULL ? 0 : fread(bytes, 1, sizeof(bytes), f);
		CHECK(n > 0 && memmem(bytes, n, "hunter2", 7) == NULL);
		if (f != NULL)
			fclose(f);
	}
	hang_up(&s);
	rig_restart(&s.r);
	connect_all(&s);
	CHECK(strcmp(USE(&s, .approval = id, .args = "{\"password\":\"hunter2hunter2\"}"), "approval-expired") == 0);
	must_ask(&s, "{\"password\":\"hunter2hunter2\"}", 0, id);
	scene_close(&s);
}

/* A broker that goes while its request is on its way to the record. */
static void a_broker_that_goes_waits_for_nothing(void)
{
	struct scene s;
	struct rig_message m;
	unsigned puts = 0;

	scene_open(&s);
	say_ask(&s, 1, ARGS, 0);
	rig_pump(&s.r);
	close(s.broker);
	rig_pump(&s.r);
	rig_record_all(&s.r, s.recorder, NULL);
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	while (rig_read(&s.r, s.broker, &m)) {
		puts += m.type == IPC_APPROVAL_PUT;
		rig_forget(&m);
	}
	CHECK(puts == 1);
	scene_close(&s);
}

int main(void)
{
	RUN(destruction_needs_its_approval);
	RUN(one_is_used_once);
	RUN(another_session_cannot_use_it);
	RUN(the_same_call_has_the_same_approval);
	RUN(nothing_without_a_record);
	RUN(four_eyes_are_two_persons);
	RUN(four_eyes_later);
	RUN(the_broker_hears_who_approved);
	RUN(the_policies_are_asked_before_it_is_given);
	RUN(one_that_the_policies_do_not_take_is_over);
	RUN(operators_see_the_arguments);
	RUN(they_expire);
	RUN(they_end_with_their_session);
	RUN(they_hold_for_one_definition);
	RUN(refuses_what_nobody_could_approve);
	RUN(they_are_bounded);
	RUN(the_table_is_bounded);
	RUN(a_restart_forgets_them);
	RUN(a_broker_that_goes_waits_for_nothing);
	return unit_end();
}
