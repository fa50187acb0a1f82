/* The guardian and people's approvals: which calls one serves, what asks for one, and what is named before it. */
#include "tests/unit/guard_rig.h"

#define RULE(id, severity, tool, response)                                                                             \
	"title: Rule " id "\nid: " id "\nclass: certain\nseverity: " severity "\nsuppress: 1h\n"                       \
	"detection: {selection: {kind: call, phase: intent, decision: allow, tool: \"*/" tool "\"}}\n"                 \
	"detector: {type: match, by: session}\nresponse: [" response "]\n"

static const char asks[] = RULE("late", "low", "*", "{act: approval, tier: write, for: 1h}");

static struct ipc_intent write_to(uint8_t session, const char *tool, uint64_t args)
{
	struct ipc_intent m = intent(session & 15u, session, args);

	m.tier = TIER_WRITE;
	m.name = ipc_text(tool);
	return m;
}

/* What vaultd puts on record of an approval; txn NULL: none is told. */
static void vault_says(const char *kind, const struct ipc_intent *m, const uint8_t id[ID_LEN],
		       const uint8_t txn[ID_LEN])
{
	char hex[4][2 * HASH_LEN + 1] = {"", "", "", ""}, text[1024];
	struct ipc_vault_event e = {.id = 1, .kind = ipc_text(kind)};

	sodium_bin2hex(hex[0], sizeof(hex[0]), id, ID_LEN);
	sodium_bin2hex(hex[1], sizeof(hex[1]), m->session, ID_LEN);
	sodium_bin2hex(hex[2], sizeof(hex[2]), m->args_sha256, HASH_LEN);
	if (txn != NULL)
		sodium_bin2hex(hex[3], sizeof(hex[3]), txn, ID_LEN);
	snprintf(text, sizeof(text),
		 "{\"approval\":\"%s\",\"session\":\"%s\",\"args_sha256\":\"%s\",\"txn\":\"%s\",\"server\":\"%.*s\","
		 "\"tool\":\"%.*s\"}",
		 hex[0], hex[1], hex[2], hex[3], (int)m->upstream.n, (const char *)m->upstream.p, (int)m->name.n,
		 (const char *)m->name.p);
	e.members = ipc_text(text);
	say(vault, IPC_VAULT_EVENT, &e);
	CHECK(hear_later(vault, IPC_VAULT_EVENT_RECORDED));
}

static void approve(struct ipc_intent *m, uint8_t number_of_it)
{
	memset(m->approval, number_of_it, ID_LEN);
	vault_says("approval.approved", m, m->approval, NULL);
}

/* What a person has approved, and what is below the tier, is not stopped by the alarm that asks for an approval. */
static void an_alarm_stops_what_its_response_would(void)
{
	struct ipc_intent m;

	own_rules = asks;
	begin();
	connect_vault();
	m = write_to(0x51, "a", 1);
	m.tier = TIER_READ;
	CHECK(ask(&m) == GRANT_OK);
	m = write_to(0x52, "a", 1);
	approve(&m, 7);
	CHECK(ask(&m) == GRANT_OK);
	m = write_to(0x53, "a", 1);
	CHECK(ask(&m) == GRANT_DENIED && is_text(receipt()->reason, "(rule late, inc-3); repeat the call to ask"));
	CHECK(leaves_with(EVENT("response.ordered"), NULL) == 3 && leaves_with("\"outcome\":\"unsent\"", NULL) == 1);
	end();
	own_rules = NULL;
}

/* A broker in an attacker's hands names what it likes: an approval is believed when vaultd has said of which call. */
static void an_approval_is_vaultds_word(void)
{
	struct ipc_intent given, m;

	own_rules = asks;
	begin();
	connect_vault();
	m = write_to(0x51, "a", 1);
	memset(m.approval, 0xee, ID_LEN);
	CHECK(ask(&m) == GRANT_DENIED);
	given = write_to(0x51, "a", 2);
	approve(&given, 7);
	for (int i = 0; i < 3; i++) {
		m = write_to(i == 0 ? 0x52 : 0x51, i == 1 ? "b" : "a", i == 2 ? 3 : 2);
		memcpy(m.approval, given.approval, ID_LEN);
		CHECK(ask(&m) == GRANT_DENIED);
	}
	/* Known after a restart, and used once, also when vaultd has said so first. */
	drop_all();
	open_all();
	connect_vault();
	vault_says("approval.used", &given, given.approval, given.txn);
	CHECK(ask(&given) == GRANT_OK);
	m = write_to(0x51, "a", 2);
	memcpy(m.approval, given.approval, ID_LEN);
	CHECK(ask(&m) == GRANT_DENIED);
	m = write_to(0x51, "a", 4);
	approve(&m, 8);
	vault_says("approval.expired", &m, m.approval, NULL);
	CHECK(ask(&m) == GRANT_DENIED);
	end();
	own_rules = NULL;
}

/* Events that are none change nothing. */
static void malformed_events_approve_nothing(void)
{
	static const char *const members[] = {
		"{}",
		"{\"approval\":7}",
		"{\"approval\":\"07\",\"session\":\"51\",\"args_sha256\":\"\",\"server\":\"notes\",\"tool\":\"a\"}",
		"{\"approval\":\"07070707070707070707070707070707\",\"server\":\"notes\",\"tool\":\"a\"}",
	};
	struct ipc_vault_event e = {.id = 1, .kind = ipc_text("approval.approved")};

	own_rules = asks;
	begin();
	connect_vault();
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		e.members = ipc_text(members[i]);
		say(vault, IPC_VAULT_EVENT, &e);
		CHECK(hear(vault, IPC_VAULT_EVENT_RECORDED));
	}
	CHECK(number("SELECT count(*) FROM approved") == 0);
	end();
	own_rules = NULL;
}

/* By the rules that ship: who asks as told, and is slowed down, is no agent that tries doors. */
static void asking_is_no_spike(void)
{
	static const char *const codes[] = {"guardian-approval", "approval-required", "rate-limited"};
	struct ipc_intent m;

	begin();
	connect_vault();
	for (uint64_t i = 0; i < 20; i++)
		CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	for (uint64_t i = 0; i < 40; i++) {
		m = intent(1, 0x51, 100 + i);
		m.decision = DECISION_DENY;
		m.reason_code = ipc_text(codes[i % 3]);
		ask(&m);
	}
	CHECK(leaves_with(EVENT("finding"), "denial-spike") == 0);
	CHECK(leaves_with(EVENT("response.ordered"), NULL) == 0);
	end();
}

/* The session is paused: an approval would not help. */
static void what_an_approval_would_end_is_named_last(void)
{
	struct ipc_intent m;

	own_rules = RULE("both", "high", "a", "{act: pause}, {act: approval, tier: write}") "---\n" RULE(
		"tool", "high", "b", "{act: approval, tier: write}, {act: hold-tool}");
	begin();
	connect_vault();
	m = write_to(0x51, "a", 1);
	CHECK(ask(&m) == GRANT_DENIED && is_text(receipt()->reason, "paused this session"));
	m = write_to(0x52, "b", 1);
	CHECK(ask(&m) == GRANT_DENIED && is_text(receipt()->reason, "quarantined this tool"));
	end();
	own_rules = NULL;
}

static void release_all(void)
{
	json_t *out;
	char id[16];

	for (unsigned i = 1; i <= leaves_with(EVENT("incident.opened"), NULL); i++) {
		snprintf(id, sizeof(id), "inc-%u", i);
		out = command("incident.release", json_pack("{s:s}", "id", id));
		json_decref(out);
	}
}

#define MILD RULE("mild", "high", "a", "{act: approval, tier: destructive, for: 5m}")
#define HARD RULE("hard", "high", "b", "{act: approval, tier: write}")

/* One of the same that is harder, or lasts longer, is not lost behind the one that is held, or in force. */
static void the_hardest_is_released(void)
{
	struct ipc_intent m;

	for (int i = 0; i < 2; i++) {
		own_rules = MILD "---\n" HARD;
		begin();
		connect_vault();
		config.guardian.blast_humans = i == 0 ? 1 : 2;
		m = write_to(0x51, "a", 1);
		CHECK(ask(&m) == GRANT_OK);
		/* Of the second human: held; or (i 1) in force. */
		m = write_to(0x52, "a", 1);
		CHECK(ask(&m) == GRANT_OK);
		config.guardian.blast_humans = 1;
		m = write_to(0x52, "b", 1);
		CHECK(ask(&m) == (i == 0 ? GRANT_OK : GRANT_DENIED));
		CHECK(number("SELECT count(*) FROM response WHERE state = 5") == (i == 0));
		CHECK(i == 1 || leaves_with(EVENT("response.held"), "\"until\":0") == 1);
		release_all();
		m = write_to(0x52, "c", 1);
		CHECK(ask(&m) == GRANT_DENIED);
		CHECK(number("SELECT count(*) FROM response WHERE state = 1 AND until = 0 AND tier = 2") == 1);
		end();
	}
	own_rules = NULL;
}

/* What is released over a milder one in force makes that harder. */
static void released_over_one_in_force(void)
{
	struct ipc_intent m;

	own_rules = MILD "---\n" HARD;
	begin();
	connect_vault();
	json_decref(command("guardian.break_glass", json_pack("{s:i, s:s}", "seconds", 60, "why", "a test")));
	m = write_to(0x52, "b", 1);
	CHECK(ask(&m) == GRANT_OK && number("SELECT count(*) FROM response WHERE state = 5") == 1);
	json_decref(command("guardian.break_glass", json_pack("{s:i, s:s}", "seconds", 0, "why", "a test")));
	m = write_to(0x52, "a", 1);
	CHECK(ask(&m) == GRANT_OK && number("SELECT count(*) FROM response WHERE state = 1") == 1);
	release_all();
	CHECK(number("SELECT count(*) FROM response WHERE state = 1 AND until = 0 AND tier = 2") == 1);
	m = write_to(0x52, "c", 1);
	CHECK(ask(&m) == GRANT_DENIED);
	end();
	own_rules = NULL;
}

static void with_channels(struct config_channel *channel, size_t n, struct config_route *route, size_t nroutes)
{
	begin();
	drop_all();
	config.guardian.blast_humans = 1;
	config.guardian.channels = channel;
	config.guardian.nchannels = n;
	config.guardian.routes = route;
	config.guardian.nroutes = nroutes;
	open_all();
	connect_vault();
}

/* Whoever is woken by what is worse is told as well that a pause waits. */
static void the_page_of_a_rise_says_what_is_held(void)
{
	struct config_channel hook = {.name = "hook", .kind = CHANNEL_WEBHOOK, .per_minute = 60};
	struct ipc_intent m;

	own_rules = RULE("one", "high", "a", "{act: pause}") "---\n" RULE("two", "critical", "b", "{act: pause}");
	with_channels(&hook, 1, NULL, 0);
	m = write_to(0x51, "a", 1);
	CHECK(ask(&m) == GRANT_DENIED);
	m = write_to(0x52, "a", 1);
	CHECK(ask(&m) == GRANT_OK);
	m = write_to(0x52, "b", 1);
	CHECK(ask(&m) == GRANT_OK);
	CHECK(number("SELECT count(*) FROM page WHERE incident = 'inc-2'") == 2);
	CHECK(number("SELECT count(*) FROM page WHERE incident = 'inc-2' AND body LIKE '%Held (keepgate%): pause%'") ==
	      2);
	end();
	own_rules = NULL;
}

#define NEWS "SELECT count(*) FROM outbox WHERE severity = 4 AND action = 1"

/* A route for a rule gets what that rule says in another one's incident; without one it goes where the incident is. */
static void news_goes_where_its_rule_does(void)
{
	static const char *rules[] = {"one", "two"}, *names[] = {"first", "second"};
	struct config_channel channel[2];
	struct config_escalation step[2];
	struct config_route route[2];
	struct ipc_intent m;

	for (size_t i = 0; i < 2; i++) {
		channel[i] = (struct config_channel){.name = names[i], .kind = CHANNEL_WEBHOOK, .per_minute = 60};
		step[i] = (struct config_escalation){.channels = &names[i], .nchannels = 1};
		route[i] = (struct config_route){.severity = GUARD_MEDIUM,
						 .rules = &rules[i],
						 .nrules = 1,
						 .steps = &step[i],
						 .nsteps = 1,
						 .days = 127};
	}
	for (unsigned i = 0; i < 2; i++) {
		own_rules = i == 0 ? RULE("one", "high", "a", "{act: rate, rate: 9}") "---\n" RULE(
					     "two", "critical", "b", "{act: rate, rate: 8}")
				   : RULE("one", "high", "a", "{act: rate, rate: 9}") "---\n" RULE(
					     "three", "critical", "b", "{act: rate, rate: 8}");
		with_channels(channel, 2, route, 2);
		m = write_to(0x51, "a", 1);
		CHECK(ask(&m) == GRANT_OK);
		m = write_to(0x51, "b", 1);
		CHECK(ask(&m) == GRANT_OK && number("SELECT count(*) FROM incident") == 1);
		CHECK(number(NEWS " AND channel = 'second' AND next_at <= made") == (i == 0));
		CHECK(number(NEWS " AND channel = 'first' AND next_at <= made") == (i == 1));
		end();
	}
	own_rules = NULL;
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&in, IPC_FRAME_MAX);
	RUN(an_alarm_stops_what_its_response_would);
	RUN(an_approval_is_vaultds_word);
	RUN(malformed_events_approve_nothing);
	RUN(asking_is_no_spike);
	RUN(what_an_approval_would_end_is_named_last);
	RUN(the_hardest_is_released);
	RUN(released_over_one_in_force);
	RUN(the_page_of_a_rise_says_what_is_held);
	RUN(news_goes_where_its_rule_does);
	buf_free(&in);
	return unit_end();
}
