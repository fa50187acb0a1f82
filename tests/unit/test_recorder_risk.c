/* Risk of what was found: points, decay, bounds, restarts, and incidents that a person resolves; what brokers hear. */
#include "guardiand/recorder/risk.h"
#include "tests/unit/guard_rig.h"

#define MINUTE_US 60000000ull
#define S51 "51515151515151515151515151515151"
#define S52 "52525252525252525252525252525252"

/* One rule for each class and severity, and a tool whose name makes it speak: "certain-high". */
static const char *const classes[] = {"scoring", "statistical", "certain"};
static const char *const severities[] = {"low", "medium", "high", "critical"};
static char rules[8192];

static void write_rules(void)
{
	size_t used = 0;

	for (size_t c = 0; c < 3; c++)
		for (size_t s = 0; s < 4; s++)
			used += (size_t)snprintf(
				rules + used, sizeof(rules) - used,
				"%stitle: T\nid: %s-%s\nclass: %s\nseverity: %s\nsuppress: 1s\ndetection:\n"
				"  selection:\n    kind: call\n    phase: intent\n    tool: \"*/%s-%s\"\n"
				"detector:\n  type: match\n  by: session\n",
				used == 0 ? "" : "---\n", classes[c], severities[s], classes[c], severities[s],
				classes[c], severities[s]);
	own_rules = rules;
}

static struct risk *risk(void)
{
	return rec.guard->risk;
}

static uint8_t of_session(const char *id)
{
	return risk_score(risk(), RISK_SESSION, id);
}

static uint8_t of_human(unsigned n)
{
	char name[64];

	snprintf(name, sizeof(name), "human-%u@example.com", n);
	return risk_score(risk(), RISK_HUMAN, name);
}

static uint8_t of_agent(void)
{
	return risk_score(risk(), RISK_AGENT, "claude-code");
}

static void call(unsigned human, uint8_t session, const char *tool)
{
	struct ipc_intent m = intent(human, session, next_call);

	m.name = ipc_text(tool);
	CHECK(ask(&m) == GRANT_OK);
}

/* After the time in which the rule would say nothing again. */
static void again(unsigned human, uint8_t session, const char *tool)
{
	run_for(1100000);
	call(human, session, tool);
}

/* The table, as it stands in the documentation. */
static void points(void)
{
	static const uint8_t want[3][4] = {{6, 10, 20, 30}, {10, 20, 40, 60}, {20, 40, 70, 90}};
	static const enum guard_class class[] = {GUARD_SCORING, GUARD_STATISTICAL, GUARD_CERTAIN};

	for (size_t c = 0; c < 3; c++) {
		for (size_t s = 0; s < 4; s++) {
			struct guard_rule_info rule = {.class = class[c], .severity = (enum guard_severity)(s + 1)};
			char tool[64];

			CHECK(risk_points(&rule) == want[c][s]);
			begin();
			snprintf(tool, sizeof(tool), "%s-%s", classes[c], severities[s]);
			call(1, 0x51, tool);
			CHECK(of_session(S51) == want[c][s] && of_session(S52) == 0);
			CHECK(of_human(1) == want[c][s] / 2 && of_human(2) == 0);
			CHECK(of_agent() == (want[c][s] >= 50 ? RISK_SHARE_TOP : want[c][s] / 2));
			end();
		}
	}
}

/* It adds up to 100 and no further, and halves every half an hour. */
static void adds_up_and_decays(void)
{
	begin();
	call(1, 0x51, "statistical-high");
	call(1, 0x51, "statistical-critical");
	CHECK(of_session(S51) == 100 && of_human(1) == 50);
	call(1, 0x51, "certain-critical");
	CHECK(of_session(S51) == 100 && of_human(1) == 95);
	risk_pass(risk(), 30 * MINUTE_US);
	CHECK(of_session(S51) == 50 && of_human(1) == 47);
	call(1, 0x51, "scoring-medium");
	CHECK(of_session(S51) == 60);
	risk_pass(risk(), 60 * MINUTE_US);
	CHECK(of_session(S51) == 15);
	risk_pass(risk(), 170 * MINUTE_US);
	risk_tick(risk());
	CHECK(of_session(S51) == 0 && of_human(1) == 0 && of_agent() == 0);
	/* Nothing is kept of who is at 0. */
	CHECK(risk_table_count(risk_known(risk())) == 0);
	end();
}

/* What is scored is text of others: alone it stays below what the sets that ship look at; with the rest it adds up. */
static void scoring_alone_goes_not_far(void)
{
	begin();
	call(1, 0x51, "scoring-critical");
	call(1, 0x51, "scoring-high");
	CHECK(of_session(S51) == RISK_SCORED_TOP);
	call(1, 0x51, "statistical-high");
	CHECK(of_session(S51) == RISK_SCORED_TOP + 40);
	call(1, 0x52, "statistical-high");
	call(1, 0x52, "scoring-critical");
	CHECK(of_session(S52) == 70);
	call(1, 0x52, "scoring-high");
	CHECK(of_session(S52) == 80);
	end();
}

/* An agent's name is of many humans: one of them brings on to it 25 at most. */
static void one_human_does_not_close_an_agent(void)
{
	begin();
	for (unsigned i = 0; i < 3; i++)
		call(1, (uint8_t)(0x51 + i), "certain-critical");
	CHECK(of_human(1) == 100 && of_agent() == RISK_SHARE_TOP);
	call(2, 0x61, "certain-critical");
	CHECK(of_human(2) == 45 && of_agent() == 2 * RISK_SHARE_TOP);
	risk_pass(risk(), 30 * MINUTE_US);
	CHECK(of_agent() == RISK_SHARE_TOP);
	call(1, 0x55, "certain-critical");
	CHECK(of_agent() == 37 || of_agent() == 38);
	end();
}

/* A recorder that starts again comes to the same, from what is on record. */
static void a_restart_changes_nothing(void)
{
	uint8_t session, human, agent;

	begin();
	call(1, 0x51, "scoring-high");
	call(1, 0x52, "certain-critical");
	call(2, 0x61, "statistical-medium");
	session = of_session(S52);
	human = of_human(1);
	agent = of_agent();
	CHECK(session == 90 && human == 55 && agent == 35);
	drop_all();
	open_all();
	CHECK(of_session(S51) == 20 && of_session(S52) == session && of_human(1) == human && of_agent() == agent);
	/* A rule that is gone counts nothing. */
	drop_all();
	own_rules = "title: Other\nid: other\nclass: certain\nseverity: low\ndetection:\n  selection:\n    kind: call\n"
		    "detector:\n  type: match\n  by: session\n";
	open_all();
	CHECK(of_session(S52) == 0 && risk_table_count(risk_known(risk())) == 0);
	end();
	write_rules();
}

static void resolve(const char *id)
{
	json_t *v = command("incident.resolve", json_pack("{s:s}", "id", id));

	CHECK(v != NULL);
	json_decref(v);
}

/* What a person resolves is taken back, and stays so; what belongs to no incident, or to another, stays. */
static void resolved_is_taken_back(void)
{
	begin();
	call(1, 0x51, "certain-high");
	call(2, 0x61, "certain-medium");
	call(3, 0x71, "scoring-low");
	CHECK(of_session(S51) == 70 && of_human(2) == 20 && of_agent() == 25 + 20 + 3);
	resolve("inc-1");
	CHECK(of_session(S51) == 0 && of_human(1) == 0 && of_human(2) == 20 && of_human(3) == 3 && of_agent() == 23);
	drop_all();
	open_all();
	CHECK(of_session(S51) == 0 && of_human(2) == 20 && of_human(3) == 3 && of_agent() == 23);
	again(1, 0x51, "certain-high");
	CHECK(of_session(S51) == 70);
	/* To acknowledge is not to resolve. */
	json_decref(command("incident.ack", json_pack("{s:s}", "id", "inc-3")));
	CHECK(of_session(S51) == 70);
	end();
}

/* The next that is told of this subject; -1 when the next message is another. */
static int told(uint8_t kind, const char *subject)
{
	const struct ipc_risk_put *m = (const void *)&got;

	if (!hear(broker, IPC_RISK_PUT) || m->kind != kind || !ipc_is(m->subject, subject))
		return -1;
	return m->score;
}

/* Reads all that has come; the number of messages about risks. */
static unsigned drain(int fd)
{
	enum ipc_type t = 0;
	unsigned n = 0;
	int passed;

	while (ipc_read_blocking(fd, 20, &in, &t, &got, &passed) == KG_OK)
		n += t == IPC_RISK_PUT;
	return n;
}

/* All of it comes before the receipt of the very call that made it, and so before that of any later one. */
static void told_before_the_receipt(void)
{
	struct ipc_intent m;

	begin();
	drain(broker);
	m = intent(1, 0x51, 1);
	m.name = ipc_text("statistical-high");
	say(broker, IPC_INTENT, &m);
	CHECK(told(RISK_AGENT, "claude-code") == 20);
	CHECK(told(RISK_HUMAN, "human-1@example.com") == 20);
	CHECK(told(RISK_SESSION, S51) == 40);
	CHECK(hear(broker, IPC_RECEIPT) && receipt()->call == m.call && receipt()->status == GRANT_OK);
	/* A call that makes none says nothing. */
	ask_ordinary(1, 0x51);
	CHECK(drain(broker) == 0);
	end();
}

/* Decay is told too, by the point; 0 in the end. */
static void decay_is_told(void)
{
	begin();
	call(1, 0x51, "scoring-low");
	drain(broker);
	risk_pass(risk(), MINUTE_US);
	risk_tick(risk());
	run_for(0);
	CHECK(drain(broker) == 0);
	risk_pass(risk(), 29 * MINUTE_US);
	risk_tick(risk());
	run_for(0);
	CHECK(drain(broker) == 3);
	risk_pass(risk(), 200 * MINUTE_US);
	risk_tick(risk());
	run_for(0);
	CHECK(told(RISK_AGENT, "claude-code") == 0);
	CHECK(told(RISK_HUMAN, "human-1@example.com") == 0);
	CHECK(told(RISK_SESSION, S51) == 0);
	CHECK(drain(broker) == 0);
	end();
}

static void resolving_is_told(void)
{
	begin();
	call(1, 0x51, "certain-high");
	drain(broker);
	resolve("inc-1");
	CHECK(told(RISK_AGENT, "claude-code") == 0 && told(RISK_HUMAN, "human-1@example.com") == 0 &&
	      told(RISK_SESSION, S51) == 0);
	end();
}

/* Everything, then that it was everything; a restart tells it again. */
static void a_new_broker_is_told_all(void)
{
	begin();
	CHECK(hear(broker, IPC_RISKS_SYNCED));
	call(1, 0x51, "certain-high");
	call(2, 0x61, "certain-high");
	drop_all();
	open_all();
	for (int round = 0; round < 2; round++) {
		unsigned n = 0;

		while (hear(broker, IPC_RISK_PUT) && ++n < 5)
			;
		CHECK(n == 5 && hear(broker, IPC_RISKS_SYNCED));
		CHECK(drain(broker) == 0);
		close(broker);
		broker = serve(IPC_ROLE_BROKER);
		turn();
	}
	end();
}

/* Names that no broker would take are left out: they would end its connection. */
static void names_that_nobody_has(void)
{
	struct ipc_intent m;

	begin();
	drain(broker);
	m = intent(1, 0x51, 1);
	m.name = ipc_text("certain-high");
	m.human = ipc_text("\xe2\x82");
	m.agent = ipc_text("");
	ask(&m);
	CHECK(of_session(S51) == 70 && risk_table_count(risk_known(risk())) == 1);
	m = intent(1, 0x52, 1);
	m.name = ipc_text("certain-low");
	m.human = ipc_text("");
	ask(&m);
	/* An agent for itself. */
	CHECK(of_agent() == 10);
	end();
}

/* Each finding of another human: the ones that were found first make room, and brokers hear it. */
static void bounded(void)
{
	struct guard_rule_info rule = {.id = "r", .class = GUARD_SCORING, .severity = GUARD_HIGH};
	struct guard_finding f = {.rule = &rule};

	begin();
	call(1, 0x51, "certain-critical");
	drain(broker);
	for (unsigned i = 0; i < RISK_SUBJECTS_MAX + 10; i++) {
		snprintf(f.subject[GUARD_HUMAN], sizeof(f.subject[0]), "many-%u", i);
		risk_found(risk(), &f);
	}
	CHECK(risk_table_count(risk_known(risk())) == RISK_SUBJECTS_MAX);
	CHECK(of_session(S51) == 0 && risk_score(risk(), RISK_HUMAN, "many-100") == 10);
	run_for(0);
	CHECK(told(RISK_SESSION, S51) == 0 && told(RISK_HUMAN, "human-1@example.com") == 0 &&
	      told(RISK_AGENT, "claude-code") == 0);
	end();
}

/* What is in hand of a flood counts as it comes. */
static void a_flood_counts(void)
{
	begin();
	for (unsigned i = 0; i < 15; i++) {
		struct ipc_intent m = intent(i, (uint8_t)(0x60 + i), i);

		m.name = ipc_text("certain-medium");
		ask(&m);
	}
	CHECK(leaves_with(EVENT("finding"), NULL) < 15);
	CHECK(of_human(14) == 20 && risk_score(risk(), RISK_SESSION, "6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e") == 40);
	end();
}

static const char *top_rule(const json_t *risks, size_t i)
{
	const json_t *why = json_object_get(json_array_get(risks, i), "why");

	return json_string_value(json_object_get(json_array_get(why, 0), "rule"));
}

static json_int_t member(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

/* People see the scores, and which rules gave them. */
static void shown_with_reasons(void)
{
	const json_t *risks, *first, *why;
	json_t *v;

	begin();
	call(1, 0x51, "scoring-low");
	call(1, 0x51, "certain-high");
	call(1, 0x52, "statistical-low");
	v = command("incident.show", json_pack("{s:s}", "id", "inc-1"));
	risks = json_object_get(v, "risk");
	first = json_array_get(risks, 0);
	CHECK(json_array_size(risks) == 3 && member(first, "score") == 76);
	CHECK(strcmp(json_string_value(json_object_get(first, "kind")), "session") == 0);
	CHECK(strcmp(json_string_value(json_object_get(first, "subject")), S51) == 0);
	why = json_object_get(first, "why");
	CHECK(json_array_size(why) == 2 && strcmp(top_rule(risks, 0), "certain-high") == 0);
	CHECK(member(json_array_get(why, 0), "points") == 70 && member(json_array_get(why, 0), "findings") == 1);
	CHECK(member(json_array_get(risks, 1), "score") == 43); /* the human: half of 85 */
	json_decref(v);
	v = command("guardian.status", json_object());
	risks = json_object_get(v, "risk");
	CHECK(json_array_size(risks) == 4 && member(json_array_get(risks, 0), "score") == 76 &&
	      member(json_array_get(risks, 3), "score") == 10);
	json_decref(v);
	resolve("inc-1");
	v = command("guardian.status", json_object());
	CHECK(v != NULL && json_array_size(json_object_get(v, "risk")) == 0);
	json_decref(v);
	end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&in, IPC_FRAME_MAX);
	write_rules();
	RUN(points);
	RUN(adds_up_and_decays);
	RUN(scoring_alone_goes_not_far);
	RUN(one_human_does_not_close_an_agent);
	RUN(a_restart_changes_nothing);
	RUN(resolved_is_taken_back);
	RUN(told_before_the_receipt);
	RUN(decay_is_told);
	RUN(resolving_is_told);
	RUN(a_new_broker_is_told_all);
	RUN(names_that_nobody_has);
	RUN(bounded);
	RUN(a_flood_counts);
	RUN(shown_with_reasons);
	buf_free(&in);
	return unit_end();
}
