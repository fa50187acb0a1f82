/* The guardian in the recorder: what alarms is contained with its own receipt, ordered from vaultd, and undone. */
#include <sys/wait.h>

#include "tests/unit/guard_rig.h"

/* Calls that are refused, until the session is paused; how many. */
static unsigned spike(unsigned human, uint8_t session)
{
	unsigned n = 0;

	while (n < 20) {
		struct ipc_intent call = intent(human, session, 5000 + n);

		n++;
		if (n % 10 != 4) {
			call.decision = DECISION_DENY;
			call.reason_code = ipc_text("policy-forbid");
		}
		ask(&call);
		if (leaves_with(EVENT("response.ordered"), NULL) != 0)
			break;
	}
	return n;
}

static void a_denial_spike_pauses_within_ten_calls(void)
{
	begin();
	connect_vault();
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	CHECK(spike(1, 0x51) <= 10);
	CHECK(hear_later(vault, IPC_GUARD_ACT));
	CHECK(act()->act == GUARD_ACT_PAUSE && act()->lift == 0 && act()->session[0] == 0x51 &&
	      act()->session[15] == 0x51);
	CHECK(act()->until_unix > guard_now() + 3500 && act()->until_unix <= guard_now() + 3600);
	CHECK(ipc_is(act()->rule, "denial-spike") && ipc_is(act()->incident, "inc-1") && act()->id == 1);
	CHECK(leaves_with(EVENT("finding"), "\"rule\":\"denial-spike\"") == 1);
	CHECK(leaves_with(EVENT("incident.opened"), NULL) == 1);
	/* Before vaultd has said a word, the session is over for the recorder; another one is not. */
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	CHECK(ipc_is(receipt()->reason_code, "guardian") && is_text(receipt()->reason, "denial-spike") &&
	      is_text(receipt()->reason, "inc-1"));
	CHECK(leaves_with("\"decision\":\"deny\"", "\"reason_code\":\"guardian\"") == 1);
	CHECK(ask_ordinary(1, 0x52) == GRANT_OK);
	done(1, GRANT_OK, "");
	CHECK(leaves_with(EVENT("response.done"), NULL) == 1);
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	end();
}

/* Allowed by the broker, the record says; never sent, says the next one; and no receipt leaves. */
static void the_call_that_alarms_does_not_get_out(void)
{
	struct ipc_intent m;
	struct ipc_outcome o = {.outcome = OUTCOME_UNSENT};
	uint64_t seq;

	begin();
	connect_vault();
	m = intent(1, 0x51, 1);
	m.name = ipc_text("canary_admin");
	CHECK(ask(&m) == GRANT_DENIED && is_text(receipt()->reason, "canary-tool"));
	CHECK(sodium_is_zero(receipt()->mac, HASH_LEN) && receipt()->expires_ns == 0);
	seq = receipt()->seq;
	CHECK(leaves_with("\"decision\":\"allow\"", "canary_admin") == 1);
	CHECK(leaves_with("\"outcome\":\"unsent\"", "\"reason_code\":\"guardian\"") == 1);
	/* What the broker says of it afterwards is the same outcome. */
	memcpy(o.txn, m.txn, ID_LEN);
	o.call = m.call;
	o.intent_seq = seq;
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED) && ((const struct ipc_recorded *)(const void *)&got)->seq > seq);
	CHECK(leaves_with("\"phase\":\"outcome\"", NULL) == 1);
	o.outcome = OUTCOME_OK;
	CHECK(ipc_write_blocking(broker, IPC_OUTCOME, &o, -1) == KG_OK);
	turn();
	CHECK(leaves_with("\"kind\":\"violation\"", "\"reason_code\":\"outcome\"") == 1);
	end();
}

static void a_revoked_token(void)
{
	struct ipc_intent m;

	begin();
	connect_vault();
	m = intent(1, 0x51, 1);
	m.decision = DECISION_DENY;
	m.reason_code = ipc_text("session-revoked-by-guardian");
	/* The ordinary retry of an agent whose consent the guardian has revoked, for as long as it likes. */
	for (int i = 0; i < 100; i++) {
		m.call++;
		memcpy(m.txn, &m.call, sizeof(m.call));
		memcpy(m.args_sha256, &i, sizeof(i));
		ask(&m);
	}
	next_call += 100;
	CHECK(leaves_with(EVENT("finding"), NULL) == 0 && leaves_with(EVENT("incident.opened"), NULL) == 0);
	m = intent(1, 0x51, 1);
	m.decision = DECISION_DENY;
	m.reason_code = ipc_text("session-revoked");
	ask(&m);
	CHECK(leaves_with(EVENT("incident.opened"), "revoked-token") == 1 && !hear_later(vault, IPC_GUARD_ACT));
	/* Who goes on knocking is nothing new. */
	for (int i = 0; i < 5; i++) {
		m = intent(1, 0x51, 1);
		m.decision = DECISION_DENY;
		m.reason_code = ipc_text("session-revoked");
		ask(&m);
	}
	CHECK(leaves_with(EVENT("finding"), NULL) == 1);
	end();
}

static void a_violation_holds_the_server(void)
{
	struct ipc_violation v = {.what = VIOLATION_RECEIPT_MAC, .name = ipc_text("list_notes")};

	begin();
	connect_vault();
	say(notes, IPC_VIOLATION, &v);
	turn();
	run_for(10000);
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->act == GUARD_ACT_HOLD_SERVER &&
	      ipc_is(act()->server, "notes"));
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED && is_text(receipt()->reason, "quarantined this server"));
	end();
}

static void marks_reach_the_rules(void)
{
	struct ipc_intent m;
	struct ipc_outcome o = {.outcome = OUTCOME_OK};

	begin();
	connect_vault();
	m = intent(1, 0x51, 1);
	CHECK(ask(&m) == GRANT_OK);
	memcpy(o.txn, m.txn, ID_LEN);
	o.intent_seq = receipt()->seq;
	o.marks = ipc_text("{\"instructions\": 1, \"destinations\": [\"evil.example\"]}");
	say(broker, IPC_OUTCOME, &o);
	CHECK(hear(broker, IPC_RECORDED));
	CHECK(leaves_with("\"marks\":{\"destinations\":[\"evil.example\"],\"instructions\":1}", NULL) == 1);
	/* The same destination in what is sent: the data-flow rule. */
	m = intent(1, 0x51, 2);
	m.tier = TIER_WRITE;
	m.marks = ipc_text("{\"destinations\":[\"evil.example\"]}");
	CHECK(ask(&m) == GRANT_DENIED && is_text(receipt()->reason, "data-flow"));
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->act == GUARD_ACT_APPROVAL && act()->tier == TIER_WRITE);
	/* From now on only with an approval; what only reads is let through. */
	m = intent(1, 0x51, 3);
	m.tier = TIER_WRITE;
	CHECK(ask(&m) == GRANT_DENIED);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	/* A canary credential in arguments. */
	m = intent(1, 0x52, 5);
	m.marks = ipc_text("{\"canary\":\"aws-key\"}");
	CHECK(ask(&m) == GRANT_DENIED && is_text(receipt()->reason, "canary-credential"));
	/* What is no JSON refuses the call, and not the broker. */
	m = intent(2, 0x53, 6);
	m.marks = ipc_text("{\"canary\":1.5}");
	CHECK(ask(&m) == GRANT_DENIED && ipc_is(receipt()->reason_code, "facts-unwritable"));
	CHECK(ask_ordinary(2, 0x53) == GRANT_OK);
	end();
}

static void blast_radius_is_held_and_released(void)
{
	json_t *out;

	begin();
	connect_vault();
	for (unsigned h = 1; h <= 3; h++)
		canary(h, (uint8_t)(0x50 + h));
	CHECK(leaves_with(EVENT("response.ordered"), NULL) == 3);
	/* The fourth human waits for a person; a second session of the first does not. */
	canary(4, 0x54);
	CHECK(receipt()->status == GRANT_OK);
	CHECK(leaves_with(EVENT("response.held"), NULL) == 1 && leaves_with(EVENT("response.ordered"), NULL) == 3);
	CHECK(ask_ordinary(4, 0x54) == GRANT_OK);
	canary(1, 0x61);
	CHECK(receipt()->status == GRANT_DENIED && leaves_with(EVENT("response.ordered"), NULL) == 4);
	out = command("incident.release", json_pack("{s:s}", "id", "inc-4"));
	CHECK(out != NULL && leaves_with(EVENT("response.ordered"), "\"by\":{\"name\":") == 1);
	json_decref(out);
	CHECK(ask_ordinary(4, 0x54) == GRANT_DENIED);
	CHECK(command("incident.release", json_pack("{s:s}", "id", "inc-4")) == NULL && strstr(said, "held") != NULL);
	/* What a person has released does not count. */
	canary(5, 0x55);
	CHECK(leaves_with(EVENT("response.held"), NULL) == 2);
	end();
}

/* A broker that names nobody does not contain everybody under one name. */
static void blast_radius_without_names(void)
{
	struct ipc_intent m;

	begin();
	connect_vault();
	for (uint8_t i = 1; i <= 6; i++) {
		m = intent(1, (uint8_t)(0x50 + i), 1);
		m.human = ipc_text("");
		m.name = ipc_text("canary_admin");
		CHECK(ask(&m) == (i <= 3 ? GRANT_DENIED : GRANT_OK));
	}
	CHECK(leaves_with(EVENT("response.ordered"), NULL) == 3 && leaves_with(EVENT("response.held"), NULL) == 3);
	/* vaultd compares the name with its own knowledge. */
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->human.n == 0);
	connect_vault();
	canary(1, 0x51);
	end();
}

/* The name of a tool is whose it is: it writes no line of a page. */
static void a_page_has_no_lines_of_strangers(void)
{
	struct config_channel channel = {.name = "hook", .kind = CHANNEL_WEBHOOK, .per_minute = 60};
	struct ipc_intent m;
	sqlite3_stmt *q;

	begin();
	drop_all();
	config.guardian.channels = &channel;
	config.guardian.nchannels = 1;
	open_all();
	m = intent(1, 0x51, 1);
	m.name = ipc_text("canary\nDone: a false alarm, nothing to do\r\n");
	CHECK(ask(&m) == GRANT_DENIED);
	q = table_query(store, "SELECT body, title FROM page");
	CHECK(table_row(store, q) && strstr(table_text(q, 0), "canary") != NULL);
	CHECK(strstr(table_text(q, 0), "\nDone: a false") == NULL && strchr(table_text(q, 1), '\n') == NULL);
	table_close(q);
	end();
}

/* What the broker tells of a tool's description is a finding, and never more. */
static void a_description_is_scored(void)
{
	struct ipc_broker_event m = {.id = 1,
				     .kind = ipc_text("tool.suspicious"),
				     .members = ipc_text("{\"score\":9,\"server\":\"notes\",\"tool\":\"list_notes\"}")};

	begin();
	say(broker, IPC_BROKER_EVENT, &m);
	CHECK(hear(broker, IPC_BROKER_EVENT_RECORDED));
	CHECK(leaves_with(EVENT("finding"), "instructions-in-descriptions") == 1);
	CHECK(leaves_with("\"event\":\"response.", NULL) == 0 && ask_ordinary(1, 0x51) == GRANT_OK);
	end();
}

static void lifted_by_one_command(void)
{
	json_t *out;

	begin();
	connect_vault();
	canary(1, 0x51);
	CHECK(hear_later(vault, IPC_GUARD_ACT));
	done(1, GRANT_OK, "");
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	out = command("guardian.lift", json_pack("{s:i}", "response", 1));
	CHECK(out != NULL && leaves_with(EVENT("response.lifted"), "\"by\":{") == 1);
	json_decref(out);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->lift == 1 && act()->id == 1);
	/* Not confirmed yet: said again on a new connection, and not twice by an operator. */
	CHECK(command("guardian.lift", json_pack("{s:i}", "response", 1)) == NULL);
	connect_vault();
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->lift == 1 && act()->id == 1);
	done(1, GRANT_OK, "");
	CHECK(command("guardian.lift", json_pack("{s:i}", "response", 1)) == NULL && strstr(said, "over") != NULL);
	/* What is certain is as certain the second time, however soon. */
	canary(1, 0x51);
	CHECK(receipt()->status == GRANT_DENIED && leaves_with(EVENT("response.ordered"), NULL) == 2);
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->lift == 0 && act()->id == 2);
	done(2, GRANT_OK, "");
	connect_vault();
	CHECK(!hear_later(vault, IPC_GUARD_ACT));
	CHECK(command("guardian.lift", json_pack("{s:i}", "response", 99)) == NULL);
	end();
}

static const char second_rule[] =
	"title: Canary\nid: short-pause\nclass: certain\nseverity: high\nsuppress: 1s\ndetection:\n"
	"  selection:\n    kind: call\n    phase: intent\n    tool: \"*/canary*\"\ndetector:\n"
	"  type: match\n  by: session\nresponse:\n  - act: pause\n    for: 1s\n";

static void lifted_by_time(void)
{
	own_rules = second_rule;
	begin();
	connect_vault();
	canary(1, 0x51);
	CHECK(receipt()->status == GRANT_DENIED && ask_ordinary(1, 0x51) == GRANT_DENIED);
	run_for(3200000);
	CHECK(leaves_with(EVENT("response.lifted"), "\"why\":\"time\"") == 1);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	end();
	own_rules = NULL;
}

static void sent_again_until_done(void)
{
	begin();
	canary(1, 0x51); /* vaultd is away */
	connect_vault();
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->id == 1);
	connect_vault();
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->id == 1);
	/* A restart in between changes nothing. */
	drop_all();
	open_all();
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	connect_vault();
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->id == 1 && act()->act == GUARD_ACT_PAUSE);
	done(1, GRANT_OK, "");
	connect_vault();
	CHECK(!hear_later(vault, IPC_GUARD_ACT));
	drop_all();
	open_all();
	connect_vault();
	CHECK(!hear_later(vault, IPC_GUARD_ACT));
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	end();
}

static void what_vaultd_refuses_the_recorder_keeps(void)
{
	begin();
	connect_vault();
	canary(1, 0x51);
	CHECK(hear_later(vault, IPC_GUARD_ACT));
	done(1, GRANT_DENIED, "no such session");
	CHECK(leaves_with(EVENT("response.refused"), "no such session") == 1);
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	json_decref(command("guardian.lift", json_pack("{s:i}", "response", 1)));
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	/* Answers to nothing change nothing. */
	done(1, GRANT_OK, "");
	done(77, GRANT_OK, "");
	CHECK(ask_ordinary(2, 0x52) == GRANT_OK);
	end();
}

static void said_again_it_is_the_same(void)
{
	struct ipc_intent m;

	begin();
	connect_vault();
	canary(1, 0x51);
	/* Another rule that pauses the same session. */
	m = intent(1, 0x51, 9);
	m.marks = ipc_text("{\"canary\":\"aws-key\"}");
	ask(&m);
	CHECK(leaves_with(EVENT("response.ordered"), NULL) == 1 && leaves_with(EVENT("finding"), NULL) == 2);
	CHECK(leaves_with(EVENT("incident.opened"), NULL) == 1);
	end();
}

static void break_glass(void)
{
	json_t *out;

	begin();
	connect_vault();
	canary(1, 0x51);
	CHECK(command("guardian.break_glass", json_pack("{s:i, s:s}", "seconds", 600, "why", "")) == NULL);
	CHECK(command("guardian.break_glass", json_pack("{s:i, s:s}", "seconds", 90000, "why", "x")) == NULL);
	out = command("guardian.break_glass",
		      json_pack("{s:i, s:s, s:b}", "seconds", 600, "why", "the release is stuck", "lift", 1));
	CHECK(out != NULL && json_integer_value(json_object_get(out, "until")) >= (json_int_t)guard_now() + 598);
	json_decref(out);
	CHECK(leaves_with(EVENT("break-glass"), "the release is stuck") == 1);
	CHECK(leaves_with(EVENT("incident.opened"), "\"severity\":\"critical\",\"title\":\"Break-glass by") == 1);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK && leaves_with(EVENT("response.lifted"), NULL) == 1);
	/* Findings go on, responses wait; a restart does not end it. */
	drop_all();
	open_all();
	canary(2, 0x52);
	CHECK(receipt()->status == GRANT_OK && leaves_with(EVENT("response.held"), "break-glass") == 1);
	/* Nor does a clock that was set back make it longer than a day. */
	rec.guard->break_glass_until = guard_now() + 30 * 86400;
	canary(3, 0x54);
	CHECK(receipt()->status == GRANT_DENIED);
	json_decref(command("guardian.break_glass", json_pack("{s:i, s:s}", "seconds", 0, "why", "over")));
	canary(3, 0x53);
	CHECK(receipt()->status == GRANT_DENIED);
	/* Whoever is on call is not told that it goes on. */
	CHECK(leaves_with(EVENT("incident.opened"), "Break-glass ended by") == 1);
	CHECK(command("guardian.break_glass", json_pack("{s:i, s:s}", "seconds", 0, "why", "over")) == NULL);
	CHECK(strstr(said, "no break-glass") != NULL);
	end();
}

/* No message of the broker that follows the one that alarms can take the finding back. */
static void a_hostile_broker_cannot_suppress_a_finding(void)
{
	struct ipc_intent m;

	begin();
	connect_vault();
	m = intent(1, 0x51, 1);
	m.name = ipc_text("canary_admin");
	CHECK(ipc_write_blocking(broker, IPC_INTENT, &m, -1) == KG_OK);
	close(broker); /* it never reads the answer */
	turn();
	CHECK(leaves_with(EVENT("finding"), "canary-tool") == 1 && hear_later(vault, IPC_GUARD_ACT));
	broker = serve(IPC_ROLE_BROKER);
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	/* The same number again, texts that are cut in the middle of a character, and texts that are none. */
	CHECK(ask(&m) == GRANT_DENIED);
	m = intent(2, 0x52, 2);
	m.human = ipc_text("\xff\xfe");
	m.agent = ipc_text("\xc3");
	m.name = ipc_text("canary_two");
	CHECK(ask(&m) == GRANT_DENIED && leaves_with(EVENT("finding"), "canary-tool") == 2);
	end();
}

static const char seal_rule[] =
	"title: Seal\nid: seal-it\nclass: certain\nseverity: critical\nsuppress: 1s\ndetection:\n  selection:\n"
	"    kind: admin\n    event: secret.reveal\ndetector:\n  type: match\n"
	"response:\n  - act: seal\n";

static void sealed_and_unsealed_at_vaultd(void)
{
	struct ipc_vault_event e = {.id = 1, .kind = ipc_text("secret.reveal"), .members = ipc_text("{}")};

	own_rules = seal_rule;
	begin();
	connect_vault();
	say(vault, IPC_VAULT_EVENT, &e);
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->act == GUARD_ACT_SEAL);
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED && is_text(receipt()->reason, "sealed"));
	e.kind = ipc_text("vault.unseal");
	say(vault, IPC_VAULT_EVENT, &e);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	/* Sealed again, and vaultd says that it is over. */
	run_for(1100000);
	e.kind = ipc_text("secret.reveal");
	say(vault, IPC_VAULT_EVENT, &e);
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	e.kind = ipc_text("guardian.lifted");
	e.members = ipc_text("{\"response\":2,\"why\":\"session.resume\"}");
	say(vault, IPC_VAULT_EVENT, &e);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK && leaves_with(EVENT("response.lifted"), "session.resume") == 1);
	end();
	own_rules = NULL;
}

/* What the engine is fed live is what a start reads back from the leaf. */
static int same_event(const struct store_leaf *leaf, void *arg)
{
	struct guard_event *live = arg, again;
	struct buf texts;

	buf_init(&texts, GUARD_STORE_MAX + 4096);
	CHECK(guard_event_from_leaf(leaf->leaf, leaf->len, &texts, &again) == KG_OK);
	for (size_t i = 0; i < GUARD_FIELDS; i++)
		CHECK(live->field[i].n == again.field[i].n &&
		      (again.field[i].n == 0 || memcmp(live->field[i].p, again.field[i].p, again.field[i].n) == 0));
	CHECK(live->seq == again.seq && live->bytes_in == again.bytes_in && live->bytes_out == again.bytes_out &&
	      live->nmarks == again.nmarks);
	for (size_t i = 0; i < live->nmarks && i < again.nmarks; i++)
		CHECK(live->mark[i].n == again.mark[i].n);
	CHECK(memcmp(live->score, again.score, sizeof(live->score)) == 0);
	CHECK((live->txn == NULL) == (again.txn == NULL) &&
	      (live->txn == NULL || memcmp(live->txn, again.txn, ID_LEN) == 0));
	buf_free(&texts);
	return KG_OK;
}

static void live_and_read_back_are_the_same(void)
{
	uint8_t id[ID_LEN] = {1, 2, 3}, hash[HASH_LEN] = {4, 5};
	struct leaf_event events[] = {
		{.phase = PHASE_INTENT,
		 .kind = "call",
		 .method = "tools/call",
		 .decision = "deny",
		 .tier = "write",
		 .txn = id,
		 .session = id,
		 .consent = id,
		 .agent = ipc_text("a \"quoted\" agent"),
		 .client = ipc_text("c/1"),
		 .human = ipc_text("zo\xc3\xab@example.com"),
		 .server = ipc_text("mail"),
		 .name = ipc_text("send"),
		 .src = ipc_text("[::1]:99"),
		 .reason_code = ipc_text("policy-forbid"),
		 .args_sha256 = hash,
		 .bytes_in = 77,
		 .marks = ipc_text("{\"canary\":\"k\",\"destinations\":[\"a.example\",\"b@c\"],"
				   "\"personal\":3,\"secrets\":2}")},
		{.phase = PHASE_OUTCOME, .kind = "call", .outcome = "ok", .txn = id, .bytes_out = 9, .intent_seq = 1},
		{.phase = PHASE_STATE,
		 .kind = "admin",
		 .event = ipc_text("tools.changed"),
		 .members = ipc_text("{\"human\":\"h\",\"server\":\"s\",\"session\":\"00\",\"tool\":\"t\"}")},
		{.phase = PHASE_STATE,
		 .kind = "violation",
		 .server = ipc_text("mail"),
		 .name = ipc_text("x"),
		 .txn = id,
		 .reason_code = ipc_text("receipt-mac"),
		 .digest = hash},
	};

	begin();
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct watch_hex hex;
		struct guard_event ev;
		struct buf texts;
		uint64_t seq;

		buf_init(&texts, GUARD_STORE_MAX + 4096);
		CHECK(commit_leaf(rec.commit, &events[i], COMMIT_URGENT, &seq) == KG_OK);
		watch_event(&events[i], seq, store_last_ts(store), &hex, &texts, &ev);
		commit_now(rec.commit);
		CHECK(store_leaf(store, seq, same_event, &ev) == KG_OK);
		buf_free(&texts);
	}
	end();
}

/* Many sessions of many humans at once: one incident more is enough, and what is not written down is counted. */
static void a_storm_is_bounded(void)
{
	struct ipc_intent m;
	unsigned findings;

	begin();
	connect_vault();
	for (unsigned i = 0; i < 200; i++) {
		m = intent(i, (uint8_t)i, 1);
		m.session[3] = (uint8_t)(i >> 4);
		m.name = ipc_text("canary_x");
		CHECK(ipc_write_blocking(broker, IPC_INTENT, &m, -1) == KG_OK);
		if (i % 20 == 19)
			turn();
	}
	turn();
	findings = leaves_with(EVENT("finding"), NULL);
	CHECK(findings >= 5 && findings < 100);
	CHECK(leaves_with(EVENT("finding.more"), "canary-tool") >= 1);
	CHECK(leaves_with(EVENT("incident.opened"), NULL) <= 16);
	end();
}

/* Each session touches the canary, twice: many more in a second than findings are written down. */
static void flood(unsigned from, unsigned to)
{
	struct ipc_intent m;

	for (unsigned i = 2 * from; i < 2 * to; i++) {
		m = intent(i / 2, (uint8_t)(i / 2), 1);
		m.session[3] = (uint8_t)(i >> 9);
		m.session[4] = 1;
		m.name = ipc_text("canary_x");
		CHECK(ipc_write_blocking(broker, IPC_INTENT, &m, -1) == KG_OK);
		if (i % 20 == 19)
			turn();
	}
	turn();
}

/* Nobody is out of a person's reach for having come in a flood. */
static void what_a_flood_holds_is_released(void)
{
	static const char
		held[] = "SELECT count(*) FROM response WHERE state = 5",
		subjects[] = "SELECT count(DISTINCT session) FROM response WHERE state IN (1, 5)",
		most[] = "SELECT max(n) FROM (SELECT count(*) AS n FROM response WHERE state = 5 GROUP BY incident)";
	json_t *out;
	char id[32];
	int64_t n;

	begin();
	connect_vault();
	flood(0, 200);
	CHECK(number(subjects) == 200 && number("SELECT count(*) FROM response") == 200);
	CHECK(leaves_with(EVENT("response.held"), NULL) == (unsigned)number(held) && number(held) > 100);
	/* What people say is not pushed out of sight. */
	CHECK(number("SELECT count(*) FROM timeline") < 200);
	n = (int64_t)leaves_with(EVENT("incident.opened"), NULL);
	for (; n > 0; n--) {
		snprintf(id, sizeof(id), "inc-%u", (unsigned)n);
		out = command("incident.release", json_pack("{s:s}", "id", id));
		json_decref(out);
	}
	CHECK(number(held) == 0 && number("SELECT count(*) FROM response WHERE state = 1") == 200);
	CHECK(leaves_with(EVENT("finding.more"), "\"unheld\":0") >= 1 && leaves_with("\"unheld\":1", NULL) == 0);
	/* And what is kept for a person is bounded, and what is not is counted. */
	flood(200, 2200);
	CHECK(number(most) == RESPONSES_HELD_MAX);
	CHECK(leaves_with(EVENT("finding.more"), "\"unheld\":0") < leaves_with(EVENT("finding.more"), NULL));
	end();
}

#define TOUCHED(id)                                                                                                    \
	"title: Touched\nid: " id "\nclass: certain\nseverity: high\nsuppress: 1h\n"                                   \
	"detection: {selection: {kind: call, phase: intent, tool: \"*/canary_x\"}}\n"                                  \
	"detector: {type: match, by: session}\nresponse: [{act: pause}]\n"

/* What two rules want of one session is held once. */
static void what_is_held_is_held_once(void)
{
	struct ipc_intent m;

	own_rules = TOUCHED("touched") "---\n" TOUCHED("touched-too");
	begin();
	connect_vault();
	for (uint8_t i = 1; i <= 4; i++) {
		m = intent(i, (uint8_t)(0x50 + i), 1);
		m.name = ipc_text("canary_x");
		CHECK(ask(&m) == (i < 4 ? GRANT_DENIED : GRANT_OK));
	}
	CHECK(leaves_with(EVENT("finding"), NULL) == 8 && leaves_with(EVENT("response.held"), NULL) == 1);
	end();
	own_rules = NULL;
}

/* Also when only the flood has reached the radius. */
static void what_only_a_flood_holds_is_paged(void)
{
	struct config_channel channel = {.name = "hook", .kind = CHANNEL_WEBHOOK, .per_minute = 60};

	begin();
	drop_all();
	config.guardian.blast_humans = 13;
	config.guardian.channels = &channel;
	config.guardian.nchannels = 1;
	open_all();
	connect_vault();
	flood(0, 14);
	CHECK(leaves_with(EVENT("response.held"), NULL) == 1);
	CHECK(number("SELECT count(*) FROM page WHERE body LIKE '%Held (keepgate incident release inc-%'") == 1);
	end();
}

/* A person has resolved the incident that a flood was counted with: what still comes opens another, which is paged. */
static void a_flood_goes_on_after_resolving(void)
{
	unsigned opened;
	char name[32];

	begin();
	for (unsigned i = 0; i < 12; i++)
		canary(i, (uint8_t)(i + 1));
	opened = leaves_with(EVENT("incident.opened"), NULL);
	CHECK(opened >= 1 && opened < 12);
	for (unsigned i = 1; i <= opened; i++) {
		snprintf(name, sizeof(name), "inc-%u", i);
		json_decref(command("incident.resolve", json_pack("{s:s}", "id", name)));
	}
	canary(13, 14);
	CHECK(leaves_with(EVENT("incident.opened"), NULL) == opened + 1);
	end();
}

static void put_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void remove_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

/* A folder of rules holds; one with faults ends the start, and every fault is told. */
static void rules_of_a_folder(void)
{
	struct config c = {.guardian = {.rules = dir}};
	struct guard_rules *rules;
	char said_text[4096] = "";
	int out[2], st = 0;
	pid_t pid;

	snprintf(dir, sizeof(dir), "/tmp/recorder-guard-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	put_file("a.yml", second_rule);
	put_file("b.yml", seal_rule);
	rules = guard_rules_read(&c);
	CHECK(guard_rules_count(rules) == 2 && strcmp(guard_rule(rules, 0)->id, "short-pause") == 0);
	guard_rules_free(rules);
	put_file("b.yml", "title: x\n");
	put_file("c.yml", "id: [\n");
	CHECK(pipe(out) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDERR_FILENO);
		guard_rules_free(guard_rules_read(&c));
		_exit(0);
	}
	close(out[1]);
	for (size_t at = 0; at < sizeof(said_text) - 1;) {
		ssize_t n = read(out[0], said_text + at, sizeof(said_text) - 1 - at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	close(out[0]);
	CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == KG_EXIT_CONFIG);
	CHECK(strstr(said_text, "b.yml:1:1: \"id\" is missing") != NULL && strstr(said_text, "c.yml:2:1: ") != NULL);
	remove_file("a.yml");
	remove_file("b.yml");
	remove_file("c.yml");
	rmdir(dir);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&in, IPC_FRAME_MAX);
	RUN(a_denial_spike_pauses_within_ten_calls);
	RUN(the_call_that_alarms_does_not_get_out);
	RUN(a_revoked_token);
	RUN(a_violation_holds_the_server);
	RUN(marks_reach_the_rules);
	RUN(blast_radius_is_held_and_released);
	RUN(blast_radius_without_names);
	RUN(a_page_has_no_lines_of_strangers);
	RUN(a_description_is_scored);
	RUN(lifted_by_one_command);
	RUN(lifted_by_time);
	RUN(sent_again_until_done);
	RUN(what_vaultd_refuses_the_recorder_keeps);
	RUN(said_again_it_is_the_same);
	RUN(break_glass);
	RUN(a_hostile_broker_cannot_suppress_a_finding);
	RUN(sealed_and_unsealed_at_vaultd);
	RUN(live_and_read_back_are_the_same);
	RUN(a_storm_is_bounded);
	RUN(what_a_flood_holds_is_released);
	RUN(what_is_held_is_held_once);
	RUN(what_only_a_flood_holds_is_paged);
	RUN(a_flood_goes_on_after_resolving);
	RUN(rules_of_a_folder);
	buf_free(&in);
	return unit_end();
}
