/* Orders of the guardian at vaultd: each stands by itself, holds at once and whatever a broker says, and ends by its
 * time or by a person. */
#include <time.h>

#include <sqlite3.h>

#include "common/call.h"
#include "common/guardian/guardian.h"
#include "tests/unit/vault_rig.h"
#include "vaultd/chores.h"
#include "vaultd/guard.h"
#include "vaultd/sessions.h"

#define ARGS "{\"all\":true}"

struct scene {
	struct rig r;
	int admin, recorder, broker, notes;
	uint32_t generation;
	char token[TOKEN_LEN + 1], hex[33];
	uint8_t session[ID_LEN], consent[ID_LEN];
	struct ipc_session_put seen; /* the last that the broker was sent; its texts are dead */
	char why[513];               /* but this one */
	uint8_t pin_state, held_by;  /* of add_note, likewise */
	char pin_reason[513];
	unsigned puts;
};

/* What lies before the broker is taken; how many changes of a session it was. */
static unsigned take(struct scene *s)
{
	static const struct ipc_put_taken taken = {0};
	struct rig_message m;
	unsigned owed = 0;

	s->puts = 0;
	while (rig_read(&s->r, s->broker, &m)) {
		const struct ipc_pin_put *pin = (const struct ipc_pin_put *)&m.any;

		owed = m.type == IPC_SESSIONS_SYNCED ? 0 : owed + rig_is_put(m.type);
		if (m.type == IPC_APPROVAL_CHECK)
			rig_checked(s->broker, (const struct ipc_approval_check *)&m.any, "");
		if (m.type == IPC_SESSION_PUT) {
			s->seen = *(const struct ipc_session_put *)&m.any;
			CHECK(ipc_copy(s->seen.why, s->why, sizeof(s->why)) == KG_OK);
			s->puts++;
		}
		if (m.type == IPC_PIN_PUT && ipc_is(pin->name, "add_note")) {
			s->pin_state = pin->state;
			s->held_by = pin->held_by;
			CHECK(ipc_copy(pin->reason, s->pin_reason, sizeof(s->pin_reason)) == KG_OK);
		}
		rig_forget(&m);
	}
	while (owed-- > 0)
		rig_say(s->broker, IPC_PUT_TAKEN, &taken);
	rig_pump(&s->r);
	return s->puts;
}

static void list_tools(struct scene *s, const char *extra)
{
	s->generation++;
	rig_tool(s->notes, s->generation, "add_note", 0, 0);
	rig_tool(s->notes, s->generation, "list_notes", 0, 0);
	rig_tool(s->notes, s->generation, "wipe_notes", 0, 0);
	if (extra != NULL)
		rig_tool(s->notes, s->generation, extra, 0, 0);
	rig_tools_done(&s->r, s->notes, s->generation, extra == NULL ? 3 : 4);
}

static void settle(struct scene *s)
{
	rig_record_all(&s->r, s->recorder, NULL);
	take(s);
}

static void connect_all(struct scene *s)
{
	uint8_t key[KX_LEN];

	s->admin = rig_peer(&s->r, IPC_ROLE_ADMIN);
	s->recorder = rig_peer(&s->r, IPC_ROLE_RECORDER);
	s->broker = rig_peer(&s->r, IPC_ROLE_BROKER);
	take(s);
	s->notes = rig_upstream(&s->r, "notes", key);
	list_tools(s, NULL);
	settle(s);
}

static void hang_up(struct scene *s)
{
	close(s->admin);
	close(s->recorder);
	close(s->broker);
	close(s->notes);
}

/* An operator's command with everybody doing their part; NULL and the error printed when it is refused. */
static json_t *operate(struct scene *s, const char *op, const char *json)
{
	static char error[1025];
	json_t *out;

	rig_ask(s->admin, op, json);
	settle(s);
	if (!rig_waits(&s->r, s->admin))
		settle(s);
	out = rig_answer(&s->r, s->admin, error);
	settle(s);
	if (out == NULL)
		fprintf(stderr, "  %s: %s\n", op, error);
	return out;
}

static bool done_by_operator(struct scene *s, const char *op, const char *json)
{
	json_t *out = operate(s, op, json);

	json_decref(out);
	return out != NULL;
}

static void grant(struct scene *s)
{
	json_t *g = operate(s, "consent.grant",
			    "{\"human\":\"alice@example.com\",\"agent\":\"claude-code\",\"tools\":\"notes/*\","
			    "\"tier\":\"write\",\"for_s\":36000,\"why\":\"OPS-1\"}");

	CHECK(g != NULL);
	snprintf(s->token, sizeof(s->token), "%s", rig_text(g, "token"));
	snprintf(s->hex, sizeof(s->hex), "%s", rig_text(g, "session"));
	sodium_hex2bin(s->session, ID_LEN, s->hex, 32, NULL, NULL, NULL);
	sodium_hex2bin(s->consent, ID_LEN, rig_text(g, "consent"), 32, NULL, NULL, NULL);
	json_decref(g);
}

static void scene_open(struct scene *s)
{
	char error[1025];

	*s = (struct scene){0};
	rig_open(&s->r);
	connect_all(s);
	rig_put(&s->r, s->admin, s->recorder, "notes-token", "notes", "env", "", false, "line1", error);
	CHECK(error[0] == '\0');
	grant(s);
}

static void scene_close(struct scene *s)
{
	rig_close(&s->r);
	hang_up(s);
}

static void again(struct scene *s)
{
	hang_up(s);
	rig_restart(&s->r);
	connect_all(s);
}

/* Time passes, and vaultd has looked at the clock. */
static void later(struct scene *s, unsigned seconds)
{
	rig_clock += seconds;
	for (int i = 0; i < 2; i++) {
		usleep(CHORES_MS * 1000 + 20000);
		rig_pump(&s->r);
	}
}

static struct ipc_guard_act order(const struct scene *s, uint64_t id, uint8_t act, unsigned seconds)
{
	struct ipc_guard_act m = {.id = id,
				  .act = act,
				  .server = ipc_text("notes"),
				  .tool = ipc_text("add_note"),
				  .tier = TIER_WRITE,
				  .rate = 3,
				  .until_unix = seconds == 0 ? 0 : rig_clock + seconds,
				  .rule = ipc_text("denial-spike"),
				  .incident = ipc_text("inc-1"),
				  .reason = ipc_text("the guardian says so (rule denial-spike, inc-1)")};

	memcpy(m.session, s->session, ID_LEN);
	memcpy(m.consent, s->consent, ID_LEN);
	return m;
}

/* The status of GUARD_DONE; 255 when none has come. */
static uint8_t done(struct scene *s, uint64_t id)
{
	struct rig_message m;
	uint8_t status;

	if (!rig_expect(&s->r, s->recorder, IPC_GUARD_DONE, &m))
		return 255;
	status = ((const struct ipc_guard_done *)&m.any)->id == id ? ((const struct ipc_guard_done *)&m.any)->status
								   : 254;
	rig_forget(&m);
	return status;
}

static uint8_t ordered(struct scene *s, const struct ipc_guard_act *m)
{
	rig_say(s->recorder, IPC_GUARD_ACT, m);
	take(s);
	return done(s, m->id);
}

static bool contain(struct scene *s, uint64_t id, uint8_t act, unsigned seconds)
{
	const struct ipc_guard_act m = order(s, id, act, seconds);

	return ordered(s, &m) == GRANT_OK;
}

static bool lift(struct scene *s, uint64_t id, uint8_t act)
{
	struct ipc_guard_act m = order(s, id, act, 0);

	m.lift = 1;
	return ordered(s, &m) == GRANT_OK;
}

static void say_attach(struct scene *s, const char *tool, const uint8_t *approval)
{
	struct ipc_attach m = {.call = 42, .method = MCP_TOOLS_CALL};

	m.token = ipc_text(s->token);
	m.upstream = ipc_text("notes");
	m.name = ipc_text(tool);
	memset(m.txn, 7, ID_LEN);
	sha256(ARGS, strlen(ARGS), m.args_sha256);
	sha256("{}", 2, m.meta_sha256);
	if (approval != NULL)
		memcpy(m.approval, approval, ID_LEN);
	rig_say(s->broker, IPC_ATTACH, &m);
}

/* The code of the refusal; "" for a grant. The reason stays in `reason`. */
static char reason[513];
static const char *attach_with(struct scene *s, const char *tool, const uint8_t *approval)
{
	static const struct ipc_put_taken taken = {0};
	static char code[65];
	struct rig_message m;

	say_attach(s, tool, approval);
	snprintf(code, sizeof(code), "no answer");
	while (rig_read(&s->r, s->broker, &m)) {
		const struct ipc_attached *a = (const struct ipc_attached *)&m.any;
		bool mine = m.type == IPC_ATTACHED;

		if (mine) {
			CHECK(ipc_copy(a->reason_code, code, sizeof(code)) == KG_OK &&
			      ipc_copy(a->reason, reason, sizeof(reason)) == KG_OK);
			CHECK((code[0] == '\0') == (a->status == GRANT_OK) && (a->sealed.n == 0) == (code[0] != '\0'));
		} else {
			rig_say(s->broker, IPC_PUT_TAKEN, &taken);
		}
		rig_forget(&m);
		if (mine)
			break;
	}
	return code;
}

static bool is(struct scene *s, const char *tool, const char *want)
{
	const char *code = attach_with(s, tool, NULL);

	if (strcmp(code, want) == 0)
		return true;
	fprintf(stderr, "  %s: %s (%s)\n", tool, code, reason);
	return false;
}

/* The next act before the recorder is "guardian.lifted" for this response, by this. */
static bool told(struct scene *s, uint64_t id, const char *why)
{
	struct ipc_vault_event_recorded yes = {.status = GRANT_OK, .seq = 9};
	struct rig_message m;
	bool right = false;
	json_t *in;

	if (!rig_expect(&s->r, s->recorder, IPC_VAULT_EVENT, &m))
		return false;
	if (ipc_is(((struct ipc_vault_event *)&m.any)->kind, "guardian.lifted")) {
		const struct ipc_bytes text = ((struct ipc_vault_event *)&m.any)->members;

		in = json_loadb((const char *)text.p, text.n, 0, NULL);
		right = json_integer_value(json_object_get(in, "response")) == (json_int_t)id &&
			strcmp(rig_text(in, "why"), why) == 0 && strcmp(rig_text(in, "rule"), "denial-spike") == 0;
		json_decref(in);
	}
	yes.id = ((struct ipc_vault_event *)&m.any)->id;
	rig_forget(&m);
	rig_say(s->recorder, IPC_VAULT_EVENT_RECORDED, &yes);
	rig_pump(&s->r);
	return right;
}

/* The shown session, or tool add_note: a new reference. */
static json_t *shown(struct scene *s, bool session)
{
	json_t *all = operate(s, session ? "session.list" : "tools.list", "{}"), *found = NULL, *row;
	const char *want = session ? s->hex : "add_note";
	size_t i;

	json_array_foreach(json_object_get(all, session ? "sessions" : "tools"), i,
			   row) if (strcmp(rig_text(row, session ? "id" : "name"), want) == 0) found = json_incref(row);
	json_decref(all);
	return found;
}

static bool shows(struct scene *s, bool session, const char *key, const char *want)
{
	json_t *row = shown(s, session);
	bool right = strcmp(rig_text(row, key), want) == 0;

	if (!right)
		fprintf(stderr, "  %s is \"%s\"\n", key, rig_text(row, key));
	json_decref(row);
	return right;
}

static void a_pause_holds_and_ends(void)
{
	struct ipc_guard_act m;
	struct scene s;

	scene_open(&s);
	m = order(&s, 1, GUARD_ACT_PAUSE, 60);
	CHECK(is(&s, "add_note", ""));
	rig_say(s.recorder, IPC_GUARD_ACT, &m);
	/* It holds before the broker has it, and is answered then. */
	CHECK(done(&s, 1) == 255);
	CHECK(take(&s) == 1 && s.seen.state == SESSION_PAUSED);
	CHECK(done(&s, 1) == GRANT_OK);
	CHECK(is(&s, "add_note", "session-paused") && strstr(reason, "inc-1") != NULL && strcmp(s.why, reason) == 0);
	/* The same again is no change. */
	CHECK(ordered(&s, &m) == GRANT_OK && s.puts == 0);
	CHECK(shows(&s, true, "state", "paused") && shows(&s, true, "paused_by", "guardian"));
	later(&s, 59);
	CHECK(is(&s, "add_note", "session-paused"));
	later(&s, 2);
	CHECK(take(&s) == 1 && s.seen.state == SESSION_ACTIVE);
	CHECK(told(&s, 1, "time"));
	CHECK(is(&s, "add_note", "") && shows(&s, true, "state", "active"));
	CHECK(!rig_read(&s.r, s.recorder, &(struct rig_message){0}));
	/* What is over changes nothing any more. */
	CHECK(ordered(&s, &m) == GRANT_OK && s.puts == 0 && is(&s, "add_note", ""));
	scene_close(&s);
}

static unsigned long long boot_clock;

static unsigned long long rig_boot(void)
{
	return boot_clock;
}

/* An order for a minute lasts a minute; what the clock is set to meanwhile is no time that has passed. */
static void a_clock_that_is_set(void)
{
	struct scene s;

	scene_open(&s);
	steady_init(&s.r.v->clock, rig_wall, rig_boot);
	CHECK(contain(&s, 1, GUARD_ACT_PAUSE, 60));
	later(&s, 86400);
	CHECK(is(&s, "add_note", "session-paused"));
	/* One that comes before a chore has seen the step. */
	rig_clock -= 7 * 86400;
	CHECK(contain(&s, 2, GUARD_ACT_HOLD_SERVER, 120));
	boot_clock += 61000000000ull;
	later(&s, 61);
	CHECK(is(&s, "add_note", "server-held"));
	/* The moved end is the stored one. */
	again(&s);
	CHECK(is(&s, "add_note", "server-held"));
	later(&s, 60);
	CHECK(is(&s, "add_note", ""));
	scene_close(&s);
}

static void overlapping_pauses_are_kept_apart(void)
{
	struct ipc_guard_act m;
	struct scene s;

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_PAUSE, 60) && s.puts == 1);
	/* The broker names the one that lasts longest, which never is one that has ended. */
	m = order(&s, 2, GUARD_ACT_PAUSE, 200);
	m.reason = ipc_text("of inc-2");
	CHECK(ordered(&s, &m) == GRANT_OK && s.puts == 1 && strcmp(s.why, "of inc-2") == 0);
	m = order(&s, 4, GUARD_ACT_PAUSE, 100);
	CHECK(ordered(&s, &m) == GRANT_OK && s.puts == 0 && lift(&s, 4, GUARD_ACT_PAUSE) && s.puts == 0);
	later(&s, 61);
	CHECK(told(&s, 1, "time") && is(&s, "add_note", "session-paused"));
	/* The same order with a later end lasts longer; an earlier one changes nothing. */
	m = order(&s, 2, GUARD_ACT_PAUSE, 300);
	CHECK(ordered(&s, &m) == GRANT_OK);
	m = order(&s, 2, GUARD_ACT_PAUSE, 5);
	CHECK(ordered(&s, &m) == GRANT_OK);
	later(&s, 200);
	CHECK(is(&s, "add_note", "session-paused"));
	/* One that another incident has ordered is not lifted with it. */
	CHECK(contain(&s, 3, GUARD_ACT_PAUSE, 0) && lift(&s, 2, GUARD_ACT_PAUSE));
	CHECK(is(&s, "add_note", "session-paused") && strcmp(s.why, reason) == 0);
	CHECK(lift(&s, 3, GUARD_ACT_PAUSE) && s.puts == 1 && is(&s, "add_note", ""));
	/* The recorder's own lifts are not told to it; what is not there is lifted. */
	CHECK(rig_record_all(&s.r, s.recorder, "guardian.lifted") == 0);
	CHECK(lift(&s, 3, GUARD_ACT_PAUSE) && lift(&s, 77, GUARD_ACT_PAUSE));
	scene_close(&s);
}

static void an_operators_pause_is_another(void)
{
	char id[64];
	struct scene s;

	scene_open(&s);
	snprintf(id, sizeof(id), "{\"id\":\"%s\"}", s.hex);
	CHECK(contain(&s, 1, GUARD_ACT_PAUSE, 60));
	CHECK(done_by_operator(&s, "session.pause", id) && shows(&s, true, "paused_by", "both"));
	later(&s, 61);
	CHECK(told(&s, 1, "time"));
	CHECK(is(&s, "add_note", "session-paused") && shows(&s, true, "paused_by", "operator"));
	again(&s);
	CHECK(is(&s, "add_note", "session-paused"));
	CHECK(contain(&s, 2, GUARD_ACT_PAUSE, 0));
	/* Who resumes ends both, and the recorder hears of it. */
	rig_ask(s.admin, "session.resume", id);
	CHECK(rig_record(&s.r, s.recorder, "session.resume", GRANT_OK));
	CHECK(told(&s, 2, "session.resume"));
	take(&s);
	CHECK(s.seen.state == SESSION_ACTIVE && is(&s, "add_note", ""));
	again(&s);
	CHECK(is(&s, "add_note", "") && shows(&s, true, "state", "active"));
	/* The guardian's pause alone can be resumed too. */
	CHECK(contain(&s, 4, GUARD_ACT_PAUSE, 600) && done_by_operator(&s, "session.resume", id));
	CHECK(is(&s, "add_note", "") && !done_by_operator(&s, "session.resume", id));
	scene_close(&s);
}

/* What consent.show says of it. */
static bool consent_is(struct scene *s, const char *state, const char *by)
{
	char id[64], hex[33];
	json_t *out;
	bool right;

	sodium_bin2hex(hex, sizeof(hex), s->consent, ID_LEN);
	snprintf(id, sizeof(id), "{\"id\":\"%s\"}", hex);
	out = operate(s, "consent.show", id);
	right = strcmp(rig_text(out, "state"), state) == 0 &&
		strcmp(by, json_object_get(out, "revoked_by") == NULL ? "" : rig_text(out, "revoked_by")) == 0;
	if (!right)
		fprintf(stderr, "  the consent is %s\n", rig_text(out, "state"));
	json_decref(out);
	return right;
}

#define TAKEN_BACK "session-revoked-by-guardian"

static void a_revoke_holds_and_is_lifted(void)
{
	struct ipc_guard_act m;
	json_t *row, *o;
	struct scene s;

	scene_open(&s);
	m = order(&s, 1, GUARD_ACT_REVOKE, 0);
	memset(m.consent, 9, ID_LEN);
	CHECK(ordered(&s, &m) == GRANT_DENIED && is(&s, "add_note", ""));
	CHECK(contain(&s, 2, GUARD_ACT_REVOKE, 0) && s.puts == 1 && s.seen.state == SESSION_WITHDRAWN);
	CHECK(contain(&s, 2, GUARD_ACT_REVOKE, 0) && s.puts == 0);
	CHECK(is(&s, "add_note", TAKEN_BACK) && strstr(reason, "inc-1") != NULL);
	CHECK(consent_is(&s, "revoked", "guardian") && shows(&s, true, "revoked_by", "guardian"));
	row = shown(&s, true);
	o = json_array_get(json_object_get(row, "orders"), 0);
	CHECK(strcmp(rig_text(row, "state"), "revoked") == 0 && json_integer_value(json_object_get(o, "id")) == 2);
	CHECK(strcmp(rig_text(o, "rule"), "denial-spike") == 0 && strcmp(rig_text(o, "incident"), "inc-1") == 0);
	json_decref(row);
	again(&s);
	CHECK(s.seen.state == SESSION_WITHDRAWN && is(&s, "add_note", TAKEN_BACK));
	/* Another order's lift is not its own; then the same token goes on, also after a restart. */
	CHECK(contain(&s, 3, GUARD_ACT_REVOKE, 0) && lift(&s, 2, GUARD_ACT_REVOKE) && is(&s, "add_note", TAKEN_BACK));
	CHECK(lift(&s, 3, GUARD_ACT_REVOKE) && s.puts == 1 && s.seen.state == SESSION_ACTIVE);
	CHECK(is(&s, "add_note", "") && consent_is(&s, "active", "") && lift(&s, 3, GUARD_ACT_REVOKE));
	again(&s);
	CHECK(is(&s, "add_note", ""));
	scene_close(&s);
}

static void a_revoke_for_a_time(void)
{
	struct scene s;

	scene_open(&s);
	CHECK(contain(&s, 2, GUARD_ACT_REVOKE, 60));
	later(&s, 59);
	CHECK(is(&s, "add_note", TAKEN_BACK));
	later(&s, 2);
	CHECK(take(&s) == 1 && s.seen.state == SESSION_ACTIVE && told(&s, 2, "time") && is(&s, "add_note", ""));
	/* What else ends the session outlasts it, and its own end too. */
	CHECK(contain(&s, 3, GUARD_ACT_REVOKE, 60) && contain(&s, 4, GUARD_ACT_PAUSE, 600));
	CHECK(is(&s, "add_note", TAKEN_BACK));
	later(&s, 61);
	CHECK(take(&s) == 1 && s.seen.state == SESSION_PAUSED && told(&s, 3, "time"));
	CHECK(is(&s, "add_note", "session-paused") && lift(&s, 4, GUARD_ACT_PAUSE) && is(&s, "add_note", ""));
	CHECK(contain(&s, 5, GUARD_ACT_REVOKE, 0));
	later(&s, 36000);
	CHECK(consent_is(&s, "expired", "") && lift(&s, 5, GUARD_ACT_REVOKE) && is(&s, "add_note", "consent-expired"));
	scene_close(&s);
}

/* A person's word is final, before the guardian's and after it. */
static void a_person_makes_a_revoke_final(void)
{
	char id[64], hex[33];
	struct scene s;

	scene_open(&s);
	sodium_bin2hex(hex, sizeof(hex), s.consent, ID_LEN);
	snprintf(id, sizeof(id), "{\"id\":\"%s\"}", hex);
	CHECK(contain(&s, 1, GUARD_ACT_REVOKE, 60));
	rig_ask(s.admin, "consent.revoke", id);
	CHECK(rig_record(&s.r, s.recorder, "consent.revoke", GRANT_OK) && told(&s, 1, "consent.revoke"));
	settle(&s);
	json_decref(rig_answer(&s.r, s.admin, (char[1025]){0}));
	CHECK(s.seen.state == SESSION_REVOKED && is(&s, "add_note", "session-revoked"));
	CHECK(consent_is(&s, "revoked", "operator") && !done_by_operator(&s, "consent.revoke", id));
	CHECK(lift(&s, 1, GUARD_ACT_REVOKE) && is(&s, "add_note", "session-revoked"));
	later(&s, 61);
	CHECK(is(&s, "add_note", "session-revoked"));
	/* There is nothing left to order or to lift. */
	CHECK(contain(&s, 2, GUARD_ACT_REVOKE, 0) && s.puts == 0 && lift(&s, 2, GUARD_ACT_REVOKE));
	again(&s);
	CHECK(strcmp(attach_with(&s, "add_note", NULL), "") != 0 && consent_is(&s, "revoked", "operator"));
	CHECK(rig_record_all(&s.r, s.recorder, "guardian.lifted") == 0);
	scene_close(&s);
}

/* What operators do to a session in the meantime counts when the consent is given back. */
static void a_session_of_a_revoked_consent(void)
{
	char id[64];
	struct scene s;

	scene_open(&s);
	snprintf(id, sizeof(id), "{\"id\":\"%s\"}", s.hex);
	CHECK(contain(&s, 1, GUARD_ACT_REVOKE, 0));
	CHECK(!done_by_operator(&s, "session.resume", id) && done_by_operator(&s, "session.pause", id));
	CHECK(is(&s, "add_note", TAKEN_BACK));
	CHECK(lift(&s, 1, GUARD_ACT_REVOKE) && is(&s, "add_note", "session-paused"));
	CHECK(contain(&s, 2, GUARD_ACT_REVOKE, 0) && done_by_operator(&s, "session.resume", id));
	CHECK(is(&s, "add_note", TAKEN_BACK));
	CHECK(done_by_operator(&s, "session.revoke", id) && lift(&s, 2, GUARD_ACT_REVOKE));
	CHECK(is(&s, "add_note", "session-revoked"));
	scene_close(&s);
}

#define ADD_NOTE "{\"server\":\"notes\",\"tool\":\"add_note\"}"

static void a_held_tool(void)
{
	struct scene s;

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_HOLD_TOOL, 60));
	CHECK(s.pin_state == PIN_HELD && s.held_by == HELD_BY_GUARDIAN && strstr(s.pin_reason, "inc-1") != NULL);
	CHECK(is(&s, "add_note", "tool-held") && strstr(reason, "inc-1") != NULL && is(&s, "list_notes", ""));
	CHECK(shows(&s, false, "state", "held") && shows(&s, false, "held_by", "guardian"));
	later(&s, 61);
	take(&s);
	CHECK(s.pin_state == PIN_ACCEPTED && s.pin_reason[0] == '\0' && told(&s, 1, "time"));
	CHECK(is(&s, "add_note", ""));
	/* An operator's own hold outlasts it. */
	CHECK(contain(&s, 2, GUARD_ACT_HOLD_TOOL, 0) && done_by_operator(&s, "tools.hold", ADD_NOTE));
	CHECK(lift(&s, 2, GUARD_ACT_HOLD_TOOL) && s.pin_state == PIN_HELD && s.held_by == HELD_BY_OPERATOR);
	CHECK(is(&s, "add_note", "tool-held") && shows(&s, false, "held_by", "operator"));
	CHECK(done_by_operator(&s, "tools.release", ADD_NOTE) && is(&s, "add_note", ""));
	/* And a release ends the guardian's. */
	CHECK(contain(&s, 3, GUARD_ACT_HOLD_TOOL, 0));
	rig_ask(s.admin, "tools.release", ADD_NOTE);
	CHECK(rig_record(&s.r, s.recorder, "tools.release", GRANT_OK) && told(&s, 3, "tools.release"));
	take(&s);
	CHECK(is(&s, "add_note", "") && s.pin_state == PIN_ACCEPTED);
	scene_close(&s);
}

static void a_held_server(void)
{
	struct ipc_self_attach self = {.call = 3, .method = SELF_SPAWN, .txn = {1}};
	struct rig_message m;
	struct scene s;

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_HOLD_SERVER, 0) && s.held_by == HELD_WITH_SERVER);
	CHECK(is(&s, "add_note", "server-held") && is(&s, "list_notes", "server-held"));
	CHECK(shows(&s, false, "held_by", "guardian (server)"));
	/* So are tools that appear now; nobody accepts them while it lasts. */
	list_tools(&s, "list_new");
	settle(&s);
	CHECK(is(&s, "list_new", "server-held"));
	CHECK(!done_by_operator(&s, "tools.release", ADD_NOTE));
	/* Its role may still connect and list, so that people can look at it. */
	rig_say(s.notes, IPC_SELF_ATTACH, &self);
	CHECK(rig_expect(&s.r, s.notes, IPC_SELF_ATTACHED, &m));
	CHECK(((const struct ipc_self_attached *)&m.any)->status == GRANT_OK);
	rig_forget(&m);
	again(&s);
	CHECK(is(&s, "add_note", "server-held") && s.pin_state == PIN_HELD);
	CHECK(lift(&s, 1, GUARD_ACT_HOLD_SERVER));
	list_tools(&s, "list_new");
	settle(&s);
	CHECK(is(&s, "add_note", "") && is(&s, "list_new", ""));
	/* One that is held at its first sight is accepted at that when it is not any more. */
	CHECK(contain(&s, 2, GUARD_ACT_HOLD_SERVER, 0));
	list_tools(&s, "list_newer");
	settle(&s);
	rig_say(s.recorder, IPC_GUARD_ACT,
		&(struct ipc_guard_act){.id = 2, .act = GUARD_ACT_HOLD_SERVER, .lift = 1, .server = ipc_text("notes")});
	take(&s);
	CHECK(rig_record(&s.r, s.recorder, "tools.accepted", GRANT_OK));
	take(&s);
	CHECK(done(&s, 2) == GRANT_OK && is(&s, "list_newer", ""));
	scene_close(&s);
}

/* The approval of a call of add_note with ARGS: asked for by the broker; its id. */
static bool ask(struct scene *s, uint8_t id[ID_LEN], char code[65])
{
	struct ipc_approval_ask m = {.call = 5,
				     .upstream = ipc_text("notes"),
				     .name = ipc_text("add_note"),
				     .policies = ipc_text("p"),
				     .reason = ipc_text("r"),
				     .args = ipc_text(ARGS)};
	static const struct ipc_put_taken taken = {0};
	struct rig_message got;
	char def[512];
	bool mine = false, ok = false;

	rig_definition("add_note", def);
	memcpy(m.session, s->session, ID_LEN);
	sha256(ARGS, strlen(ARGS), m.args_sha256);
	sha256(def, strlen(def), m.def_sha256);
	rig_say(s->broker, IPC_APPROVAL_ASK, &m);
	rig_record_all(&s->r, s->recorder, NULL);
	while (!mine && rig_read(&s->r, s->broker, &got)) {
		const struct ipc_approval_asked *a = (const struct ipc_approval_asked *)&got.any;

		mine = got.type == IPC_APPROVAL_ASKED;
		if (mine) {
			memcpy(id, a->approval, ID_LEN);
			CHECK(ipc_copy(a->reason_code, code, 65) == KG_OK);
			ok = a->status == GRANT_OK;
		} else {
			rig_say(s->broker, IPC_PUT_TAKEN, &taken);
		}
		rig_forget(&got);
	}
	return ok;
}

static bool approve(struct scene *s, const uint8_t id[ID_LEN])
{
	char json[64] = "{\"id\":\"", *hex = json + 7;

	sodium_bin2hex(hex, 33, id, ID_LEN);
	memcpy(json + 39, "\"}", 3);
	return done_by_operator(s, "approvals.approve", json);
}

static void approvals_from_a_tier_on(void)
{
	uint8_t id[ID_LEN];
	struct ipc_guard_act m;
	struct scene s;
	char code[65];

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_APPROVAL, 600) && s.puts == 1 && s.seen.approval_tier == TIER_WRITE);
	CHECK(is(&s, "list_notes", "") && is(&s, "add_note", "approval-required"));
	CHECK(is(&s, "wipe_notes", "approval-required"));
	CHECK(ask(&s, id, code));
	CHECK(strcmp(attach_with(&s, "add_note", id), "approval-required") == 0);
	CHECK(approve(&s, id));
	CHECK(strcmp(attach_with(&s, "list_notes", id), "approval-mismatch") == 0);
	CHECK(strcmp(attach_with(&s, "add_note", id), "") == 0);
	CHECK(strcmp(attach_with(&s, "add_note", id), "approval-used") == 0);
	CHECK(is(&s, "add_note", "approval-required"));
	/* The lowest tier of several counts. */
	settle(&s);
	m = order(&s, 2, GUARD_ACT_APPROVAL, 0);
	m.tier = TIER_READ;
	CHECK(ordered(&s, &m) == GRANT_OK && s.seen.approval_tier == TIER_READ);
	CHECK(is(&s, "list_notes", "approval-required") && shows(&s, true, "approval_tier", "read"));
	again(&s);
	CHECK(s.seen.approval_tier == TIER_READ && is(&s, "list_notes", "approval-required"));
	CHECK(lift(&s, 2, GUARD_ACT_APPROVAL) && s.seen.approval_tier == TIER_WRITE);
	later(&s, 601);
	take(&s);
	CHECK(s.seen.approval_tier == 0 && is(&s, "add_note", ""));
	scene_close(&s);
}

static void a_rate(void)
{
	struct ipc_guard_act m;
	struct scene s;

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_RATE, 600) && s.seen.rate == 3);
	for (int i = 0; i < 3; i++)
		CHECK(is(&s, "add_note", ""));
	CHECK(is(&s, "add_note", "rate-limited") && strstr(reason, "try again in 20 s") != NULL);
	CHECK(is(&s, "list_notes", "rate-limited"));
	m = order(&s, 2, GUARD_ACT_RATE, 0);
	m.rate = 1;
	CHECK(ordered(&s, &m) == GRANT_OK && s.seen.rate == 1 && lift(&s, 1, GUARD_ACT_RATE));
	CHECK(is(&s, "add_note", "rate-limited"));
	/* Another session has its own. */
	grant(&s);
	CHECK(is(&s, "add_note", "") && is(&s, "add_note", ""));
	scene_close(&s);
}

/* As contain(); the recorder may hear of what has expired before it has its answer. */
static bool revoke_among_events(struct scene *s, uint64_t id)
{
	const struct ipc_guard_act act = order(s, id, GUARD_ACT_REVOKE, 0);
	struct ipc_vault_event_recorded yes = {.status = GRANT_OK, .seq = 9};
	struct rig_message m;
	bool granted = false, answered = false;

	rig_say(s->recorder, IPC_GUARD_ACT, &act);
	take(s);
	while (!answered && rig_read(&s->r, s->recorder, &m)) {
		answered = m.type == IPC_GUARD_DONE;
		granted = answered && ((const struct ipc_guard_done *)&m.any)->status == GRANT_OK;
		yes.id = m.type == IPC_VAULT_EVENT ? ((const struct ipc_vault_event *)&m.any)->id : 0;
		rig_forget(&m);
		if (yes.id != 0)
			rig_say(s->recorder, IPC_VAULT_EVENT_RECORDED, &yes);
	}
	settle(s);
	return granted;
}

/* What was approved, or waits for it, is not to be used when the consent is given back. */
static void approvals_under_a_revoke(void)
{
	uint8_t approved[ID_LEN], none[ID_LEN];
	struct scene s;
	char code[65];

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_APPROVAL, 0) && ask(&s, approved, code) && approve(&s, approved));
	settle(&s);
	CHECK(revoke_among_events(&s, 2));
	CHECK(strcmp(attach_with(&s, "add_note", approved), TAKEN_BACK) == 0);
	CHECK(!ask(&s, none, code) && strcmp(code, TAKEN_BACK) == 0);
	settle(&s);
	CHECK(lift(&s, 2, GUARD_ACT_REVOKE) && strcmp(attach_with(&s, "add_note", approved), "") != 0);
	settle(&s);
	CHECK(ask(&s, approved, code) && approve(&s, approved));
	CHECK(strcmp(attach_with(&s, "add_note", approved), "") == 0);
	scene_close(&s);
}

static bool sealed_in_status(struct scene *s, const char *by)
{
	json_t *out = operate(s, "status", "{}");
	bool sealed = json_is_true(json_object_get(out, "sealed"));
	bool right = by == NULL ? !sealed && json_is_null(json_object_get(out, "seal"))
				: sealed && strcmp(rig_text(json_object_get(out, "seal"), "by"), by) == 0;

	json_decref(out);
	return right;
}

static void a_sealed_vault(void)
{
	struct ipc_self_attach self = {.call = 3, .method = SELF_SPAWN, .txn = {1}};
	uint8_t id[ID_LEN], none[ID_LEN];
	struct rig_message m;
	struct scene s;
	char code[65];

	scene_open(&s);
	CHECK(contain(&s, 9, GUARD_ACT_APPROVAL, 0) && ask(&s, id, code));
	CHECK(sealed_in_status(&s, NULL) && !done_by_operator(&s, "vault.unseal", "{}"));
	CHECK(contain(&s, 1, GUARD_ACT_SEAL, 0) && sealed_in_status(&s, "guardian"));
	CHECK(is(&s, "list_notes", "vault-sealed") && strstr(reason, "inc-1") != NULL);
	CHECK(!ask(&s, none, code) && strcmp(code, "vault-sealed") == 0);
	CHECK(!approve(&s, id));
	rig_say(s.notes, IPC_SELF_ATTACH, &self);
	CHECK(rig_expect(&s.r, s.notes, IPC_SELF_ATTACHED, &m));
	CHECK(((const struct ipc_self_attached *)&m.any)->status == GRANT_DENIED &&
	      ipc_is(((const struct ipc_self_attached *)&m.any)->reason_code, "vault-sealed"));
	rig_forget(&m);
	again(&s);
	CHECK(is(&s, "list_notes", "vault-sealed"));
	rig_ask(s.admin, "vault.unseal", "{}");
	CHECK(rig_record(&s.r, s.recorder, "vault.unseal", GRANT_OK) && told(&s, 1, "vault.unseal"));
	settle(&s);
	json_decref(rig_answer(&s.r, s.admin, (char[1025]){0}));
	CHECK(is(&s, "list_notes", "") && sealed_in_status(&s, NULL));
	again(&s);
	CHECK(is(&s, "list_notes", ""));
	/* A person's seal is not the guardian's to lift. */
	CHECK(!done_by_operator(&s, "vault.seal", "{}"));
	CHECK(done_by_operator(&s, "vault.seal", "{\"why\":\"something is wrong\"}"));
	CHECK(contain(&s, 2, GUARD_ACT_SEAL, 60) && lift(&s, 2, GUARD_ACT_SEAL));
	CHECK(is(&s, "list_notes", "vault-sealed") && !sealed_in_status(&s, "guardian"));
	again(&s);
	CHECK(is(&s, "list_notes", "vault-sealed"));
	CHECK(done_by_operator(&s, "vault.unseal", "{}") && is(&s, "list_notes", ""));
	scene_close(&s);
}

#define PAGED                                                                                                          \
	"{\"origin\":\"test.example.com/log\",\"mcpServers\":{\"plain\":{\"command\":\"/bin/true\"}},\"guardian\":{"   \
	"\"channels\":{\"duty\":{\"kind\":\"pagerduty\",\"secret\":\"${secret:pd-key}\"}}}}"

/* A seal is when people are needed: who pages them still gets its key. */
static void a_sealed_vault_still_pages(void)
{
	struct ipc_upstream_name name = {.upstream = ipc_text("pager-duty")};
	struct ipc_self_attach self = {.call = 3, .method = SELF_CONNECT, .txn = {1}};
	struct ipc_upstream_key mine = {0};
	char config_error[CONFIG_ERROR_MAX], error[1025];
	uint8_t sk[KX_LEN];
	struct rig_message m;
	struct scene s = {0};
	int pager;

	rig_open(&s.r);
	rig_stop(&s.r);
	CHECK(config_parse("test.json", PAGED, strlen(PAGED), &s.r.config, config_error) == KG_OK);
	s.r.loop = loop_new();
	s.r.store = store_open(s.r.dir);
	s.r.v = vault_new(s.r.config, s.r.loop, s.r.master, s.r.store, rig_wall);
	s.admin = rig_peer(&s.r, IPC_ROLE_ADMIN);
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	rig_put(&s.r, s.admin, s.recorder, "pd-key", "pager-duty", "env", "", false, "key", error);
	CHECK(error[0] == '\0');
	pager = rig_peer(&s.r, IPC_ROLE_PAGER);
	upstream_key_pair(mine.public_key, sk);
	rig_say(pager, IPC_UPSTREAM_NAME, &name);
	rig_say(pager, IPC_UPSTREAM_KEY, &mine);
	CHECK(rig_expect(&s.r, pager, IPC_UPSTREAM_KEYED, &m));
	rig_forget(&m);
	rig_say(s.recorder, IPC_GUARD_ACT, &(struct ipc_guard_act){.id = 1, .act = GUARD_ACT_SEAL});
	CHECK(done(&s, 1) == GRANT_OK);
	rig_say(pager, IPC_SELF_ATTACH, &self);
	CHECK(rig_expect(&s.r, pager, IPC_SELF_ATTACHED, &m));
	CHECK(((const struct ipc_self_attached *)&m.any)->status == GRANT_OK);
	rig_forget(&m);
	rig_close(&s.r);
	close(s.admin);
	close(s.recorder);
	close(pager);
}

/* Orders outlive a restart; what was over meanwhile is, and the recorder hears of it when it is back. */
static void over_a_restart(void)
{
	struct scene s;
	uint8_t key[KX_LEN];

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_PAUSE, 60) && contain(&s, 2, GUARD_ACT_HOLD_TOOL, 600));
	hang_up(&s);
	rig_restart(&s.r);
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	take(&s);
	CHECK(s.seen.state == SESSION_PAUSED && s.pin_state == PIN_HELD);
	close(s.broker);
	rig_stop(&s.r);
	rig_clock += 100;
	rig_start(&s.r);
	s.admin = rig_peer(&s.r, IPC_ROLE_ADMIN);
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	later(&s, 0);
	take(&s);
	CHECK(s.seen.state == SESSION_ACTIVE);
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	later(&s, 0);
	CHECK(told(&s, 1, "time"));
	s.notes = rig_upstream(&s.r, "notes", key);
	list_tools(&s, NULL);
	settle(&s);
	CHECK(is(&s, "list_notes", "") && is(&s, "add_note", "tool-held"));
	/* Told once. */
	again(&s);
	CHECK(rig_record_all(&s.r, s.recorder, "guardian.lifted") == 0);
	scene_close(&s);
}

/* A vault.db of the version before: what it holds goes on holding, and a consent can be revoked. */
static void an_older_database(void)
{
	char path[128];
	sqlite3 *db;
	struct scene s;

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_PAUSE, 0));
	hang_up(&s);
	rig_stop(&s.r);
	snprintf(path, sizeof(path), "%s/vault.db", s.r.dir);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, "ALTER TABLE guard_order DROP COLUMN consent; PRAGMA user_version=5;", NULL, NULL,
			   NULL) == SQLITE_OK);
	sqlite3_close(db);
	rig_start(&s.r);
	connect_all(&s);
	CHECK(is(&s, "add_note", "session-paused") && lift(&s, 1, GUARD_ACT_PAUSE) && is(&s, "add_note", ""));
	CHECK(contain(&s, 2, GUARD_ACT_REVOKE, 0));
	again(&s);
	CHECK(is(&s, "add_note", TAKEN_BACK));
	scene_close(&s);
}

static void what_cannot_be_ordered(void)
{
	struct ipc_guard_act m;
	struct scene s;

	scene_open(&s);
	m = order(&s, 1, GUARD_ACT_PAUSE, 60);
	memset(m.session, 9, ID_LEN);
	CHECK(ordered(&s, &m) == GRANT_DENIED);
	m = order(&s, 1, 0, 60);
	CHECK(ordered(&s, &m) == GRANT_DENIED);
	m = order(&s, 1, GUARD_ACT_RATE + 1, 60);
	CHECK(ordered(&s, &m) == GRANT_DENIED);
	m = order(&s, 1, GUARD_ACT_RATE, 60);
	m.rate = 0;
	CHECK(ordered(&s, &m) == GRANT_DENIED);
	m = order(&s, 1, GUARD_ACT_APPROVAL, 60);
	m.tier = 4;
	CHECK(ordered(&s, &m) == GRANT_DENIED);
	m = order(&s, 1, GUARD_ACT_HOLD_SERVER, 60);
	m.server = ipc_text("nobody");
	CHECK(ordered(&s, &m) == GRANT_DENIED);
	m = order(&s, 1, GUARD_ACT_HOLD_TOOL, 60);
	m.tool = ipc_text("a/b");
	CHECK(ordered(&s, &m) == GRANT_DENIED);
	CHECK(is(&s, "add_note", "") && is(&s, "list_notes", ""));
	/* A tool that nobody has listed yet is held when it is. */
	m.tool = ipc_text("list_new");
	CHECK(ordered(&s, &m) == GRANT_OK);
	list_tools(&s, "list_new");
	settle(&s);
	CHECK(is(&s, "list_new", "tool-held"));
	/* No text, no number: who says that is not the recorder. */
	m = order(&s, 1, GUARD_ACT_PAUSE, 60);
	m.rule = ipc_text("\xff");
	rig_say(s.recorder, IPC_GUARD_ACT, &m);
	CHECK(rig_dropped(&s.r, s.recorder));
	scene_close(&s);
}

/* A disk that is full makes no order ineffective; it is asked again, and stored then. */
static void a_full_disk(void)
{
	char path[128];
	sqlite3 *db;
	struct scene s;
	struct ipc_guard_act m;

	scene_open(&s);
	/* Another table in its place: a statement that cannot run. */
	hang_up(&s);
	rig_stop(&s.r);
	snprintf(path, sizeof(path), "%s/vault.db", s.r.dir);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(
		      db,
		      "CREATE TABLE off(x); CREATE TRIGGER no BEFORE INSERT ON guard_order WHEN (SELECT count(*) FROM "
		      "off)=0 BEGIN SELECT RAISE(ABORT, 'full'); END;",
		      NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	rig_start(&s.r);
	connect_all(&s);
	m = order(&s, 1, GUARD_ACT_PAUSE, 60);
	CHECK(ordered(&s, &m) == GRANT_UNAVAILABLE && is(&s, "add_note", "session-paused"));
	CHECK(ordered(&s, &m) == GRANT_UNAVAILABLE);
	m = order(&s, 3, GUARD_ACT_REVOKE, 0);
	CHECK(ordered(&s, &m) == GRANT_UNAVAILABLE && is(&s, "add_note", TAKEN_BACK));
	m = order(&s, 2, GUARD_ACT_SEAL, 0);
	CHECK(ordered(&s, &m) == GRANT_UNAVAILABLE && is(&s, "add_note", "vault-sealed"));
	scene_close(&s);
}

/* The recorder counts humans by the names that the broker gives it. */
static void no_other_human_than_the_broker_says(void)
{
	static const uint8_t acts[] = {GUARD_ACT_PAUSE, GUARD_ACT_APPROVAL, GUARD_ACT_RATE, GUARD_ACT_REVOKE};
	struct ipc_guard_act m;
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < sizeof(acts); i++) {
		m = order(&s, i + 1, acts[i], 0);
		m.human = ipc_text("mallory@example.com");
		CHECK(ordered(&s, &m) == GRANT_DENIED);
	}
	CHECK(is(&s, "list_notes", ""));
	m.human = ipc_text("alice@example.com");
	CHECK(ordered(&s, &m) == GRANT_OK && is(&s, "list_notes", TAKEN_BACK));
	scene_close(&s);
}

/* One in an attacker's hands: nothing that it says lifts or loosens anything. */
static void a_hostile_broker(void)
{
	struct ipc_guard_act free_me;
	struct scene s;

	scene_open(&s);
	CHECK(contain(&s, 1, GUARD_ACT_PAUSE, 0));
	free_me = order(&s, 1, GUARD_ACT_PAUSE, 0);
	free_me.lift = 1;
	rig_say(s.broker, IPC_GUARD_ACT, &free_me);
	CHECK(rig_dropped(&s.r, s.broker));
	close(s.broker);
	/* One that never says that it has a change: the recorder hears of it, only later. */
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	take(&s);
	rig_record_all(&s.r, s.recorder, "vault.peer-dropped");
	free_me = order(&s, 2, GUARD_ACT_RATE, 0);
	rig_say(s.recorder, IPC_GUARD_ACT, &free_me);
	CHECK(done(&s, 2) == 255);
	usleep(1100000);
	CHECK(done(&s, 2) == GRANT_OK);
	CHECK(is(&s, "add_note", "session-paused"));
	/* A second connection of it is no second chance. */
	close(s.broker);
	s.broker = rig_peer(&s.r, IPC_ROLE_BROKER);
	take(&s);
	CHECK(is(&s, "add_note", "session-paused"));
	close(s.broker);
	rig_pump(&s.r);
	free_me = order(&s, 3, GUARD_ACT_SEAL, 0);
	rig_say(s.recorder, IPC_GUARD_ACT, &free_me);
	CHECK(done(&s, 3) == GRANT_OK);
	scene_close(&s);
}

/* A recorder that goes before its answer gets none, and nothing is left of it. */
static void a_recorder_that_goes(void)
{
	struct ipc_guard_act m;
	struct scene s;

	scene_open(&s);
	m = order(&s, 1, GUARD_ACT_PAUSE, 0);
	rig_say(s.recorder, IPC_GUARD_ACT, &m);
	rig_pump(&s.r);
	close(s.recorder);
	rig_pump(&s.r);
	take(&s);
	CHECK(s.r.v->answers == NULL);
	s.recorder = rig_peer(&s.r, IPC_ROLE_RECORDER);
	CHECK(ordered(&s, &m) == GRANT_OK && is(&s, "add_note", "session-paused"));
	scene_close(&s);
}

static void many_orders(void)
{
	struct scene s;
	unsigned n = 0;

	scene_open(&s);
	CHECK(store_begin(s.r.store) == KG_OK);
	for (uint64_t id = 1; id < GUARD_ORDERS_MAX; id++) {
		struct guard_order o = {.id = id, .act = GUARD_ACT_HOLD_TOOL, .server = "notes"};

		snprintf(o.tool, sizeof(o.tool), "t%u", (unsigned)id);
		n += guard_begin(s.r.v, &o) == KG_OK;
	}
	CHECK(store_end(s.r.store, KG_OK) == KG_OK);
	for (uint64_t id = GUARD_ORDERS_MAX; id <= GUARD_ORDERS_MAX + 1; id++) {
		struct ipc_guard_act m = order(&s, id, GUARD_ACT_HOLD_TOOL, 0);

		m.tool = ipc_text("another");
		CHECK(ordered(&s, &m) == (id == GUARD_ORDERS_MAX ? GRANT_OK : GRANT_DENIED));
	}
	CHECK(n == GUARD_ORDERS_MAX - 1 && is(&s, "add_note", ""));
	again(&s);
	CHECK(is(&s, "add_note", ""));
	scene_close(&s);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	return *(const uint64_t *)a < *(const uint64_t *)b ? -1 : *(const uint64_t *)a > *(const uint64_t *)b;
}

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Works for the vault, without waiting, until something lies before fd. */
static void work_for(struct scene *s, int fd)
{
	static const struct timeval now = {0, 0};

	while (!readable(fd)) {
		event_base_once(loop_base(s->r.loop), -1, EV_TIMEOUT, rig_stop_loop, s->r.loop, &now);
		loop_run(s->r.loop);
	}
}

static enum ipc_type read_one(int fd)
{
	struct rig_message m;
	int passed;

	buf_init(&m.store, IPC_FRAME_MAX);
	if (ipc_read_blocking(fd, RIG_WAIT_MS, &m.store, &m.type, &m.any, &passed) != KG_OK)
		m.type = (enum ipc_type)0;
	buf_free(&m.store);
	return m.type;
}

/* From the order on its way to the answer that the broker has it, the disk included. */
#define ROUNDS 300
static uint64_t slowest_of_a_hundred(void)
{
	static const struct ipc_put_taken taken = {0};
	static uint64_t took[ROUNDS];
	struct scene s;

	scene_open(&s);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct ipc_guard_act m = order(&s, i / 2 + 1, GUARD_ACT_PAUSE, 0);
		uint64_t start = now_ns();

		m.lift = i % 2;
		rig_say(s.recorder, IPC_GUARD_ACT, &m);
		work_for(&s, s.broker);
		CHECK(read_one(s.broker) == IPC_SESSION_PUT);
		rig_say(s.broker, IPC_PUT_TAKEN, &taken);
		work_for(&s, s.recorder);
		CHECK(read_one(s.recorder) == IPC_GUARD_DONE);
		took[i] = now_ns() - start;
	}
	qsort(took, ROUNDS, sizeof(took[0]), by_size);
	printf("  an order is in force after %.2f ms (p50), %.2f ms (p99), %.2f ms (most)\n",
	       (double)took[ROUNDS / 2] / 1e6, (double)took[ROUNDS * 99 / 100] / 1e6, (double)took[ROUNDS - 1] / 1e6);
	scene_close(&s);
	return took[ROUNDS * 99 / 100];
}

/* In the best of some tries: a machine that is starved tells nothing. */
static void soon_enough(void)
{
	bool soon = false;

	for (int i = 0; i < 5 && !soon; i++)
		soon = slowest_of_a_hundred() < 50000000u;
	CHECK(soon);
}

int main(void)
{
	RUN(a_pause_holds_and_ends);
	RUN(a_clock_that_is_set);
	RUN(overlapping_pauses_are_kept_apart);
	RUN(an_operators_pause_is_another);
	RUN(a_revoke_holds_and_is_lifted);
	RUN(a_revoke_for_a_time);
	RUN(a_person_makes_a_revoke_final);
	RUN(a_session_of_a_revoked_consent);
	RUN(a_held_tool);
	RUN(a_held_server);
	RUN(approvals_from_a_tier_on);
	RUN(a_rate);
	RUN(approvals_under_a_revoke);
	RUN(a_sealed_vault);
	RUN(a_sealed_vault_still_pages);
	RUN(over_a_restart);
	RUN(an_older_database);
	RUN(what_cannot_be_ordered);
	RUN(a_full_disk);
	RUN(no_other_human_than_the_broker_says);
	RUN(a_hostile_broker);
	RUN(a_recorder_that_goes);
	RUN(many_orders);
	RUN(soon_enough);
	return unit_end();
}
