/* A consent that the guardian has revoked: it gets no receipt until that is lifted, and does then. */
#include <sqlite3.h>

#include "tests/unit/guard_rig.h"

/* A rule of a site's own: who calls the export tool loses the consent, for a time or until a person lifts it. */
#define RULE(time)                                                                                                     \
	"title: Export\nid: export\nclass: certain\nseverity: medium\nsuppress: 1s\ndetection:\n  selection:\n"        \
	"    kind: call\n    phase: intent\n    tool: \"*/canary*\"\n"                                                 \
	"detector:\n  type: match\n  by: session\nresponse:\n  - act: revoke\n" time

static const char for_good[] = RULE("");
static const char for_a_second[] = RULE("    for: 1s\n");

/* The state of the response in the incident, as operators see it. */
static bool response_is(int id, const char *state)
{
	json_t *out = command("incident.show", json_pack("{s:s}", "id", "inc-1")), *row;
	bool right = false;
	size_t i;

	json_array_foreach(json_object_get(out, "responses"), i, row)
	{
		if (json_integer_value(json_object_get(row, "id")) == id)
			right = strcmp(json_string_value(json_object_get(row, "state")), state) == 0 &&
				strcmp(json_string_value(json_object_get(row, "act")), "revoke") == 0;
	}
	json_decref(out);
	return right;
}

static bool lift(int id)
{
	json_t *out = command("guardian.lift", json_pack("{s:i}", "response", id));

	json_decref(out);
	return out != NULL;
}

static void start(const char *rules)
{
	own_rules = rules;
	begin();
	connect_vault();
	canary(1, 0x51);
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->act == GUARD_ACT_REVOKE && act()->lift == 0);
	CHECK(act()->id == 1 && act()->consent[0] == (0x51 ^ 0x80));
}

static void finish(void)
{
	end();
	own_rules = NULL;
}

static void it_stands_until_it_is_lifted(void)
{
	start(for_good);
	CHECK(act()->until_unix == 0 && response_is(1, "ordered"));
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED &&
	      memmem(receipt()->reason.p, receipt()->reason.n, "has revoked this consent", 24) != NULL);
	done(1, GRANT_OK, "");
	CHECK(response_is(1, "active") && leaves_with(EVENT("response.done"), NULL) == 1);
	/* Another consent is another matter; a restart changes nothing. */
	CHECK(ask_ordinary(2, 0x52) == GRANT_OK);
	drop_all();
	open_all();
	connect_vault();
	CHECK(!hear_later(vault, IPC_GUARD_ACT) && ask_ordinary(1, 0x51) == GRANT_DENIED);
	/* Lifted: it is let through at once, and vaultd is told until it confirms. */
	CHECK(lift(1) && response_is(1, "lifting") && leaves_with(EVENT("response.lifted"), NULL) == 1);
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->id == 1 && act()->lift == 1);
	CHECK(act()->act == GUARD_ACT_REVOKE && act()->consent[0] == (0x51 ^ 0x80));
	CHECK(!lift(1) && strstr(said, "being lifted") != NULL);
	connect_vault();
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->id == 1 && act()->lift == 1);
	done(1, GRANT_OK, "");
	CHECK(response_is(1, "lifted") && ask_ordinary(1, 0x51) == GRANT_OK && !lift(1));
	finish();
}

static void it_ends_by_its_time(void)
{
	start(for_a_second);
	CHECK(act()->until_unix != 0);
	done(1, GRANT_OK, "");
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	run_for(2500000);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK && response_is(1, "lifted"));
	CHECK(leaves_with(EVENT("response.lifted"), "\"time\"") == 1);
	finish();
}

/* A person revokes the consent at vaultd: from then on that counts, and there is nothing left to lift. */
static void a_person_makes_it_final(void)
{
	struct ipc_vault_event e = {.id = 1,
				    .kind = ipc_text("guardian.lifted"),
				    .members = ipc_text("{\"response\":1,\"why\":\"consent.revoke\"}")};

	start(for_good);
	done(1, GRANT_OK, "");
	say(vault, IPC_VAULT_EVENT, &e);
	CHECK(response_is(1, "lifted") && leaves_with(EVENT("response.lifted"), "consent.revoke") == 1);
	CHECK(!lift(1) && strstr(said, "over already") != NULL);
	finish();
}

static void break_glass_lifts_it(void)
{
	start(for_good);
	done(1, GRANT_OK, "");
	json_decref(command("guardian.break_glass",
			    json_pack("{s:i, s:s, s:b}", "seconds", 600, "why", "the release is stuck", "lift", 1)));
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->act == GUARD_ACT_REVOKE && act()->lift == 1);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	finish();
}

#define LINES "SELECT count(*) FROM timeline WHERE what LIKE '%held by the recorder alone%'"
#define PAGED "SELECT paged FROM incident WHERE id = 1"

static void what_vaultd_refuses_is_held_by_the_recorder_alone(void)
{
	start(for_good);
	/* Of medium severity, it had not been paged. */
	CHECK(number(LINES) == 0 && number(PAGED) == 0);
	done(1, GRANT_DENIED, "this is another human's than the broker says: look into the broker");
	CHECK(response_is(1, "refused") && ask_ordinary(1, 0x51) == GRANT_DENIED);
	CHECK(number(LINES) == 1 && number(PAGED) == 1);
	CHECK(leaves_with(EVENT("response.refused"), "held by the recorder alone") == 1);
	drop_all();
	open_all();
	connect_vault();
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	CHECK(lift(1) && ask_ordinary(1, 0x51) == GRANT_OK && !hear_later(vault, IPC_GUARD_ACT));
	finish();
}

/* A row of the version before, which revoked for good. */
static void an_older_row_is_final(void)
{
	sqlite3_stmt *q;

	start(for_good);
	done(1, GRANT_OK, "");
	q = table_query(store, "UPDATE response SET state = 3 WHERE id = 1");
	while (table_row(store, q))
		;
	table_close(q);
	drop_all();
	open_all();
	connect_vault();
	CHECK(response_is(1, "done") && !hear_later(vault, IPC_GUARD_ACT));
	CHECK(!lift(1) && strstr(said, "for good") != NULL);
	finish();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&in, IPC_FRAME_MAX);
	RUN(it_stands_until_it_is_lifted);
	RUN(it_ends_by_its_time);
	RUN(a_person_makes_it_final);
	RUN(break_glass_lifts_it);
	RUN(what_vaultd_refuses_is_held_by_the_recorder_alone);
	RUN(an_older_row_is_final);
	buf_free(&in);
	return unit_end();
}
