/* Incidents: what belongs together, their life, their evidence with proofs, and what operators may do. */
#include "common/merkle.h"
#include "tests/unit/guard_rig.h"

static const char *text_of(const json_t *v, const char *name)
{
	const char *text = json_string_value(json_object_get(v, name));

	return text == NULL ? "" : text;
}

static json_t *show(const char *id)
{
	json_t *v = command("incident.show", json_pack("{s:s}", "id", id));

	CHECK(v != NULL);
	return v;
}

static unsigned listed(const char *state)
{
	json_t *v = command("incident.list", state == NULL ? json_object() : json_pack("{s:s}", "state", state));
	unsigned n = (unsigned)json_array_size(json_object_get(v, "incidents"));

	json_decref(v);
	return n;
}

static void findings_of_one_agent_are_one_incident(void)
{
	struct ipc_intent m;
	json_t *v;

	begin();
	canary(1, 0x51);
	canary(1, 0x52); /* another session of the same agent and human */
	m = intent(1, 0x51, 3);
	m.marks = ipc_text("{\"canary\":\"aws-key\"}");
	ask(&m);
	canary(2, 0x53); /* another human */
	CHECK(listed(NULL) == 2 && leaves_with(EVENT("finding"), NULL) == 4);
	v = show("inc-1");
	CHECK(json_integer_value(json_object_get(v, "findings")) == 3);
	CHECK(strcmp(text_of(v, "human"), "human-1@example.com") == 0 && strcmp(text_of(v, "state"), "open") == 0);
	CHECK(strcmp(text_of(v, "severity"), "critical") == 0);
	CHECK(json_array_size(json_object_get(v, "responses")) == 2);
	json_decref(v);
	end();
}

static const char weak_rules[] =
	"title: Weak\nid: weak\nclass: scoring\nseverity: low\nsuppress: 1s\ndetection:\n  selection:\n    kind: call\n"
	"    phase: intent\n    tool: \"*/odd\"\ndetector:\n  type: match\n  by: session\n---\n"
	"title: Sure\nid: sure\nclass: certain\nseverity: medium\nsuppress: 1s\ndetection:\n  selection:\n    kind: "
	"call\n"
	"    phase: intent\n    tool: \"*/bad\"\ndetector:\n  type: match\n  by: session\n---\n"
	"title: Worse\nid: worse\nclass: certain\nseverity: high\nsuppress: 1s\ndetection:\n  selection:\n    kind: "
	"call\n"
	"    phase: intent\n    tool: \"*/worse\"\ndetector:\n  type: match\n  by: session\n---\n"
	"title: Other\nid: other\nclass: certain\nseverity: high\nsuppress: 1s\ndetection:\n  selection:\n    kind: "
	"call\n"
	"    phase: intent\n    tool: \"*/other\"\ndetector:\n  type: match\n  by: session\n---\n"
	"title: Unusual\nid: unusual\nclass: statistical\nseverity: high\nstrong: true\nsuppress: 1s\ndetection:\n"
	"  selection:\n    kind: call\n"
	"    phase: intent\n    tool: \"*/unusual\"\ndetector:\n  type: match\n  by: session\n";

/* Without an agent's name too, what two people do is not one incident. */
static void findings_of_two_humans_are_two_incidents(void)
{
	json_t *v;

	own_rules = weak_rules;
	begin();
	for (uint8_t i = 1; i <= 3; i++) {
		struct ipc_intent m = intent(i == 3 ? 2 : i, (uint8_t)(0x50 + i), i);

		m.agent = ipc_text("");
		m.name = ipc_text("bad");
		ask(&m);
	}
	CHECK(listed(NULL) == 2 && leaves_with(EVENT("finding"), NULL) == 3);
	v = show("inc-2");
	CHECK(json_integer_value(json_object_get(v, "findings")) == 2);
	CHECK(strstr(text_of(v, "title"), "human-2@example.com") != NULL);
	json_decref(v);
	end();
}

static void call_of(const char *tool)
{
	struct ipc_intent m = intent(1, 0x51, 1);

	m.name = ipc_text(tool);
	ask(&m);
}

/* Who had it had less: it is open again, and can be acknowledged again. */
static void what_grows_worse_is_acknowledged_anew(void)
{
	json_t *v;

	own_rules = weak_rules;
	begin();
	call_of("bad");
	json_decref(command("incident.ack", json_pack("{s:i}", "id", 1)));
	call_of("bad");
	CHECK(listed("acknowledged") == 1);
	call_of("worse");
	CHECK(listed("open") == 1 && leaves_with(EVENT("incident.reopened"), "inc-1") == 1);
	v = show("1");
	CHECK(text_of(v, "acked_by")[0] == '\0' && strcmp(text_of(v, "severity"), "high") == 0);
	json_decref(v);
	v = command("incident.ack", json_pack("{s:i}", "id", 1));
	CHECK(v != NULL && strcmp(text_of(v, "state"), "acknowledged") == 0);
	json_decref(v);
	call_of("worse");
	CHECK(listed("acknowledged") == 1);
	end();
}

/* Who had it had another thing: what is certain, and was not told of yet, is paged though it is no worse. */
static void what_else_is_certain_is_paged_anew(void)
{
	static const char pages[] = "SELECT count(*) FROM page",
			  keys[] = "SELECT count(DISTINCT dedup) FROM outbox WHERE action = 1";
	struct config_channel channel = {.name = "hook", .kind = CHANNEL_WEBHOOK, .per_minute = 60};

	own_rules = weak_rules;
	begin();
	drop_all();
	config.guardian.channels = &channel;
	config.guardian.nchannels = 1;
	open_all();
	call_of("worse");
	/* Nobody has it yet: its page says so often enough. */
	call_of("other");
	CHECK(number(pages) == 1);
	json_decref(command("incident.resolve", json_pack("{s:i}", "id", 1)));
	usleep(1100000); /* the rules' suppress */
	call_of("worse");
	json_decref(command("incident.ack", json_pack("{s:i}", "id", 2)));
	usleep(1100000);
	/* The same again, what is not certain, and what would not be paged by itself, wakes nobody. */
	call_of("worse");
	call_of("unusual");
	call_of("bad");
	CHECK(listed("acknowledged") == 1 && number("SELECT findings FROM incident WHERE id = 2") == 4);
	CHECK(number(keys) == 2 && leaves_with(EVENT("incident.reopened"), NULL) == 0);
	call_of("other");
	CHECK(listed("open") == 1 && leaves_with(EVENT("incident.reopened"), "inc-2") == 1 && number(keys) == 3);
	json_decref(command("incident.ack", json_pack("{s:i}", "id", 2)));
	usleep(1100000);
	call_of("other");
	CHECK(listed("acknowledged") == 1 && number(keys) == 3);
	end();
}

/* Who keeps one from being quiet does not keep it, once acknowledged, for ever. */
static void an_incident_lasts_for_a_day(void)
{
	static const char *const aged[] = {"UPDATE incident SET opened_us = opened_us - 86390000000",
					   "UPDATE incident SET opened_us = opened_us - 20000000"};

	own_rules = weak_rules;
	begin();
	call_of("bad");
	json_decref(command("incident.ack", json_pack("{s:i}", "id", 1)));
	for (unsigned i = 0; i < 2; i++) {
		sqlite3_stmt *q = table_query(store, aged[i]);

		table_run(store, q, "");
		table_close(q);
		usleep(1100000); /* the rule's suppress */
		call_of("bad");
		CHECK(listed("acknowledged") == 1 && listed("open") == i);
	}
	end();
}

static void a_weak_signal_joins_what_comes(void)
{
	struct incident i;
	json_t *v;

	own_rules = weak_rules;
	begin();
	call_of("odd");
	CHECK(listed("all") == 0 && leaves_with(EVENT("finding"), "\"acts\":false") == 1);
	call_of("bad");
	CHECK(listed(NULL) == 1);
	v = show("1");
	/* The events and findings of both. */
	CHECK(json_array_size(json_object_get(v, "events")) == 4);
	json_decref(v);
	CHECK(incident_get(rec.guard->incidents, 1, &i) == KG_OK && !i.paged && i.severity == GUARD_MEDIUM);
	call_of("worse");
	CHECK(listed(NULL) == 1 && incident_get(rec.guard->incidents, 1, &i) == KG_OK && i.paged &&
	      i.severity == GUARD_HIGH);
	end();
	own_rules = NULL;
}

static void open_acknowledged_resolved(void)
{
	json_t *v;

	begin();
	canary(1, 0x51);
	CHECK(command("incident.ack", json_pack("{s:s}", "id", "inc-9")) == NULL);
	CHECK(command("incident.note", json_pack("{s:s}", "id", "inc-1")) == NULL);
	CHECK(command("incident.note", json_pack("{s:s, s:s}", "id", "inc-1", "note", "a\nb")) == NULL);
	json_decref(command("incident.note", json_pack("{s:s, s:s}", "id", "inc-1", "note", "looking at it")));
	v = command("incident.ack", json_pack("{s:i, s:s}", "id", 1, "note", "mine"));
	CHECK(v != NULL && strcmp(text_of(v, "state"), "acknowledged") == 0 && text_of(v, "acked_by")[0] != '\0');
	json_decref(v);
	CHECK(command("incident.ack", json_pack("{s:i}", "id", 1)) == NULL && strstr(said, "already") != NULL);
	CHECK(listed(NULL) == 1 && listed("open") == 0 && listed("acknowledged") == 1);
	CHECK(command("incident.list", json_pack("{s:s}", "state", "x")) == NULL);
	/* It is still the same incident, until it is resolved. */
	canary(1, 0x52);
	CHECK(listed("all") == 1);
	json_decref(command("incident.resolve", json_pack("{s:s}", "id", "inc-1")));
	CHECK(listed(NULL) == 0 && listed("resolved") == 1);
	CHECK(command("incident.ack", json_pack("{s:i}", "id", 1)) == NULL);
	canary(1, 0x53);
	CHECK(listed(NULL) == 1 && listed("all") == 2);
	CHECK(leaves_with(EVENT("incident.noted"), "looking at it") == 1 &&
	      leaves_with(EVENT("incident.acked"), "\"note\":\"mine\"") == 1 &&
	      leaves_with(EVENT("incident.resolved"), "\"by\":{") == 1);
	v = show("inc-1");
	CHECK(json_array_size(json_object_get(v, "timeline")) >= 7);
	CHECK(json_array_size(json_object_get(v, "notes")) == 1 &&
	      strcmp(text_of(json_array_get(json_object_get(v, "notes"), 0), "text"), "looking at it") == 0);
	json_decref(v);
	/* It lives through a restart. */
	drop_all();
	open_all();
	CHECK(listed(NULL) == 1 && listed("all") == 2);
	end();
}

static void from_hex(const char *hex, uint8_t out[MERKLE_LEN])
{
	size_t n;

	CHECK(sodium_hex2bin(out, MERKLE_LEN, hex, strlen(hex), NULL, &n, NULL) == 0 && n == MERKLE_LEN);
}

/* Whether an event's proof leads from its leaf to a root. */
static int proof_holds(const json_t *event, const uint8_t root[MERKLE_LEN])
{
	const json_t *proof = json_object_get(event, "proof"), *hashes = json_object_get(proof, "hashes");
	const json_t *leaf = json_object_get(event, "leaf");
	uint8_t hash[MERKLE_LEN], path[MERKLE_PROOF_MAX][MERKLE_LEN];
	uint64_t index = (uint64_t)json_integer_value(json_object_get(proof, "index"));

	if (json_array_size(hashes) > MERKLE_PROOF_MAX ||
	    index + 1 != (uint64_t)json_integer_value(json_object_get(event, "seq")))
		return 0;
	for (size_t i = 0; i < json_array_size(hashes); i++)
		from_hex(json_string_value(json_array_get(hashes, i)), path[i]);
	merkle_leaf(json_string_value(leaf), json_string_length(leaf), hash);
	return merkle_inclusion_check(hash, index, (uint64_t)json_integer_value(json_object_get(proof, "size")), root,
				      (const uint8_t(*)[MERKLE_LEN])path, json_array_size(hashes)) == KG_OK;
}

/* As if vaultd had signed what there is. */
static void sign(uint8_t root[MERKLE_LEN])
{
	struct store_checkpoint c = {.size = store_size(store), .note = "a note"};

	merkle_root(store_tree(store), c.root);
	memcpy(root, c.root, MERKLE_LEN);
	CHECK(store_checkpoint_put(store, &c) == KG_OK);
	commit_now(rec.commit);
}

static void filler(unsigned n)
{
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "recorder", .event = ipc_text("filler")};
	uint64_t seq;

	for (unsigned i = 0; i < n; i++)
		CHECK(commit_leaf(rec.commit, &e, COMMIT_LAZY, &seq) == KG_OK);
	commit_now(rec.commit);
}

static void events_come_with_proofs(void)
{
	static const unsigned fill[] = {0, 5, 4096, 9000, 20000};
	uint8_t root[MERKLE_LEN];
	json_t *v, *event;
	size_t i;

	for (size_t round = 0; round < sizeof(fill) / sizeof(fill[0]); round++) {
		unsigned proofs = 0;

		begin();
		filler(fill[round]);
		canary(1, 0x51);
		filler(fill[round] / 2 + 1);
		canary(1, 0x52);
		filler(fill[round]);
		sign(root);
		v = show("inc-1");
		json_array_foreach(json_object_get(v, "events"), i, event)
		{
			proofs++;
			CHECK(proof_holds(event, root));
		}
		CHECK(proofs == 4);
		json_decref(v);
		/* What is not signed yet has no proof. */
		canary(1, 0x53);
		v = show("inc-1");
		event = json_array_get(json_object_get(v, "events"), 5);
		CHECK(event != NULL && json_object_get(event, "proof") == NULL);
		json_decref(v);
		end();
	}
}

static void status_tells(void)
{
	json_t *v;

	begin();
	canary(1, 0x51);
	v = command("guardian.status", json_object());
	CHECK(json_integer_value(json_object_get(v, "rules")) > 15 && strlen(text_of(v, "rules_sha256")) == 64);
	CHECK(json_integer_value(json_object_get(v, "findings")) == 1 &&
	      json_integer_value(json_object_get(v, "keys")) > 0);
	CHECK(json_array_size(json_object_get(v, "responses")) == 1);
	/* What is armed: by it rules are tried. */
	CHECK(json_object_get(v, "rules_dir") == NULL && strcmp(text_of(v, "time_zone"), "UTC") == 0);
	CHECK(json_object_get(v, "outbox") != NULL && json_is_array(json_object_get(v, "channels")));
	json_decref(v);
	CHECK(command("pager.test", json_pack("{s:s}", "channel", "none")) == NULL);
	CHECK(command("guardian.sing", json_object()) == NULL);
	end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&in, IPC_FRAME_MAX);
	RUN(findings_of_one_agent_are_one_incident);
	RUN(findings_of_two_humans_are_two_incidents);
	RUN(what_grows_worse_is_acknowledged_anew);
	RUN(what_else_is_certain_is_paged_anew);
	RUN(an_incident_lasts_for_a_day);
	RUN(a_weak_signal_joins_what_comes);
	RUN(open_acknowledged_resolved);
	RUN(events_come_with_proofs);
	RUN(status_tells);
	buf_free(&in);
	return unit_end();
}
