/* Rules tried on an export, without a daemon; and what the commands about incidents ask and print. */
#include <fcntl.h>

#include <sodium.h>

#include "keepgate/audit_row.h"
#include "keepgate/commands.h"
#include "keepgate/incident_proof.h"
#include "tests/unit/keepgate_rig.h"

#define MONDAY_S 1793577600ull /* 2 November 2026, 0:00 UTC */
#define BAD "11111111111111111111111111111111"
#define GOOD "22222222222222222222222222222222"

static unsigned long long seq;

/* One record of a call, or its outcome. */
static void put_call(FILE *f, unsigned long long second, const char *session, const char *agent, bool allowed, int args)
{
	fprintf(f,
		"{\"actor\":{\"agent\":\"%s\",\"client\":\"c/1\",\"human\":\"%s@example.com\"},\"args_sha256\":"
		"\"%064d\",\"bytes_in\":10,\"consent\":\"%s\",\"decision\":\"%s\",\"kind\":\"call\",\"method\":"
		"\"tools/call\",\"phase\":\"intent\",\"reason_code\":\"%s\",\"seq\":%llu,\"session\":\"%s\",\"src\":"
		"\"10.0.0.1:4711\",\"tool\":{\"name\":\"add\",\"server\":\"notes\",\"tier\":\"write\"},\"ts\":%llu,"
		"\"txn\":\"%032llx\",\"v\":1}\n",
		agent, agent, args, session, allowed ? "allow" : "deny", allowed ? "policy-permit" : "policy-default",
		seq + 1, session, (MONDAY_S + second) * 1000000u, seq + 1);
	seq++;
}

/* A day: one agent that only works, one that is refused again and again, and what the guardian said of it. */
static void make_export(void)
{
	FILE *f = fopen(rig_path("all.jsonl"), "w");

	CHECK(f != NULL);
	seq = 0;
	for (unsigned i = 0; i < 400; i++)
		put_call(f, 9 * 3600 + i * 30, GOOD, "works", i % 50 != 0, (int)i);
	for (int i = 0; i < 9; i++)
		put_call(f, 13 * 3600 + (unsigned)i, BAD, "tries", false, 1000 + i);
	put_call(f, 20 * 3600 + 1800, GOOD, "works", true, 5000);
	/* Its own records are never fed back. */
	for (int i = 0; i < 9; i++, seq++)
		fprintf(f,
			"{\"event\":\"finding\",\"kind\":\"guardian\",\"members\":{\"session\":\"%s\"},\"phase\":"
			"\"state\","
			"\"seq\":%llu,\"ts\":%llu,\"v\":1}\n",
			BAD, seq + 1, (MONDAY_S + 80000) * 1000000u);
	fprintf(f, "{\"audit_export\":1,\"checkpoint\":\"\",\"edge\":[],\"from\":1,\"proof\":[],\"to\":%llu}\n", seq);
	fclose(f);
}

#define TEST(...) rig_run(guardian_main, "guardian", "test", __VA_ARGS__, "--file", rig_path("all.jsonl"), NULL)

static void a_rule_is_tried_on_an_export(void)
{
	CHECK(TEST("denial-spike") == 0);
	CHECK(rig_said("denial-spike: statistical, high, cusum by session\n"));
	CHECK(rig_said("would have fired 1 time (1.0 a day) for 1 key, first 2026-11-02 13:00:0"));
	CHECK(rig_said("would have acted 1 time: pause for 1h\n"));
	CHECK(rig_said(BAD "  tries@example.com  tries  1") && rig_said("410 events played, from 2026-11-02 09:00:00"));
	CHECK(TEST("denial-spike", "--json") == 0);
	CHECK(rig_said("\"findings\": 1") && rig_said("\"acts\": 1") && rig_said("\"session\": \"" BAD "\""));
	/* Too long ago for a span that is counted from now. */
	CHECK(TEST("denial-spike", "--since", "1s") == 0 && rig_said("would not have fired"));
	CHECK(rig_said("there is no event in this time"));
}

static void a_file_of_rules_is_tried_together(void)
{
	rig_write("two.yml", "title: Many calls\nid: many\nclass: statistical\nseverity: low\n"
			     "detection: {selection: {kind: call, phase: intent}}\n"
			     "detector: {type: count, by: [agent, human], window: 1h, threshold: 50}\n"
			     "response: [{act: rate, rate: 5, for: 90s}]\n"
			     "---\ntitle: Never\nid: never\nclass: certain\nseverity: low\n"
			     "detection: {selection: {kind: recorder, event: nothing}}\ndetector: {type: match}\n");
	CHECK(TEST(rig_path("two.yml")) == 0);
	CHECK(rig_said("many: statistical, low, count by agent, human\n") &&
	      rig_said("acted 0 times: rate of 5 a minute for 90s"));
	CHECK(rig_said("never: certain, low, match\n  would not have fired\n"));
	CHECK(TEST("many", "--rules", rig_path("two.yml")) == 0 && rig_said("many: ") &&
	      strstr(rig_text, "never") == NULL);
}

static void hours_are_those_of_the_zone(void)
{
	CHECK(TEST("after-hours") == 0 && rig_said("would not have fired"));
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0)
		CHECK(TEST("after-hours", "--time-zone", "Europe/Berlin") == 0 && rig_said("fired 1 time"));
	CHECK(TEST("after-hours", "--time-zone", "../etc/passwd") == KG_EXIT_USAGE && rig_said("--time-zone"));
	setenv("TZ", "UTC", 1);
}

static void wrong_words_are_told(void)
{
	CHECK(TEST("denial-spik") == KG_EXIT_FAILURE && rig_said("did you mean \"denial-spike\"?"));
	CHECK(TEST("none/none.yml") == KG_EXIT_FAILURE && rig_said("none/none.yml: No such file"));
	CHECK(TEST("denial-spike", "--since", "1w") == KG_EXIT_USAGE && rig_said("--since must be"));
	CHECK(TEST(rig_path("two.yml"), "--rules", "x") == KG_EXIT_USAGE && rig_said("is a file"));
	CHECK(rig_run(guardian_main, "guardian", "test", "denial-spike", "--file", rig_path("two.yml"), NULL) ==
	      KG_EXIT_FAILURE);
	CHECK(rig_said("is no export"));
	CHECK(rig_run(guardian_main, "guardian", "test", "denial-spike", "--file", rig_path("away"), NULL) ==
	      KG_EXIT_FAILURE);
	CHECK(rig_said("away: cannot be read"));
	CHECK(rig_run(guardian_main, "guardian", "lift", "x1", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(guardian_main, "guardian", "break-glass", "--why", "x", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(guardian_main, "guardian", "break-glass", "--why", "", "--end", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(incident_main, "incident", "list", "--status", "new", NULL) == KG_EXIT_USAGE);
}

static void rules_are_checked(void)
{
	CHECK(rig_run(guardian_main, "guardian", "rules", NULL) == 0 && rig_said("denial-spike") &&
	      rig_said("sha256 "));
	CHECK(rig_run(guardian_main, "guardian", "rules", "policies/guardian", "--json", NULL) == 0);
	CHECK(rig_said("\"id\": \"canary-tool\""));
	mkdir(rig_path("rules"), 0700);
	rig_write("rules/bad.yml", "title: x\nid: x\nclass: sure\nseverity: low\ndetector: {type: count}\n");
	CHECK(rig_run(guardian_main, "guardian", "rules", rig_path("rules"), NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("bad.yml:3:1: class: \"sure\" is not one of") && rig_said("no rule of these would be armed"));
	rig_write("rules/notes.txt", "x");
	CHECK(rig_run(guardian_main, "guardian", "rules", rig_path("rules"), NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("notes.txt: is no file of rules"));
}

/* The same over the recorder's socket: the span is found by halves, then read page by page. */
static void the_recorder_is_read(void)
{
	static const char head[] = "{\"size\":1,\"root\":\"\",\"signed\":null}";
	char page[1024], leaf[512];
	struct rig_answer a[] = {{"guardian.status", "{}", "{\"rules_sha256\":\"00\"}", NULL},
				 {"audit.head", "{}", head, NULL},
				 {"audit.head", "{}", head, NULL},
				 {"audit.read", "\"after\":0", page, NULL},
				 {"audit.read", "\"after\":0", page, NULL}};
	pid_t pid;

	snprintf(leaf, sizeof(leaf),
		 "{\\\"kind\\\":\\\"violation\\\",\\\"phase\\\":\\\"state\\\",\\\"seq\\\":1,\\\"tool\\\":{"
		 "\\\"server\\\":"
		 "\\\"notes\\\"},\\\"ts\\\":%llu,\\\"v\\\":1}",
		 9999999999u * 1000000ull);
	snprintf(page, sizeof(page), "{\"size\":1,\"events\":[{\"seq\":1,\"hash\":\"%064d\",\"leaf\":\"%s\"}]}", 0,
		 leaf);
	pid = rig_daemon("guardian-admin.sock", a, sizeof(a) / sizeof(a[0]));
	CHECK(rig_run(guardian_main, "guardian", "test", "receipt-violation", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("would have fired 1 time") && rig_said("hold-server for 1h") && rig_said("notes"));
	CHECK(rig_said("rules: those that come with Keepgate, changed since they were armed\n"));
	CHECK(rig_daemon_end(pid));
}

/* The SHA-256 that a folder's rules have, as keepgate guardian rules prints it. */
static void hash_of(const char *rules_dir, char out[65])
{
	const char *at;

	CHECK(rig_run(guardian_main, "guardian", "rules", rules_dir, NULL) == 0);
	at = strstr(rig_text, "sha256 ");
	CHECK(at != NULL);
	snprintf(out, 65, "%.64s", at == NULL ? "" : at + 7);
}

/* A rule is tried as it is armed: in the recorder's folder, at its hours. */
static void what_is_armed_is_tried(void)
{
	static const char head[] = "{\"size\":1,\"root\":\"\",\"signed\":null}";
	char page[1024], status[1024], hash[65], rules_line[512];
	struct rig_answer a[] = {{"guardian.status", "{}", status, NULL},
				 {"audit.head", "{}", head, NULL},
				 {"audit.head", "{}", head, NULL},
				 {"audit.read", "\"after\":0", page, NULL},
				 {"audit.read", "\"after\":0", page, NULL}};
	pid_t pid;

	mkdir(rig_path("armed"), 0700);
	rig_write("armed/own.yml",
		  "title: Night\nid: own-night\nclass: statistical\nseverity: low\n"
		  "detection: {selection: {kind: violation}}\n"
		  "detector: {type: hours, by: server, hours: \"06:00-21:00\", days: [mon, tue, wed, thu, fri, sat, "
		  "sun]}\n");
	hash_of(rig_path("armed"), hash);
	snprintf(status, sizeof(status), "{\"rules_dir\":\"%s\",\"rules_sha256\":\"%s\",\"time_zone\":\"Asia/Tokyo\"}",
		 rig_path("armed"), hash);
	snprintf(rules_line, sizeof(rules_line),
		 "rules: %s, which are armed\ntime zone: Asia/Tokyo, of the configuration\n", rig_path("armed"));
	/* 17:46 UTC, when it is 2:46 in Tokyo. */
	snprintf(page, sizeof(page),
		 "{\"size\":1,\"events\":[{\"seq\":1,\"hash\":\"%064d\",\"leaf\":\"{\\\"kind\\\":"
		 "\\\"violation\\\",\\\"phase\\\":\\\"state\\\",\\\"seq\\\":1,\\\"tool\\\":{\\\"server\\\":"
		 "\\\"notes\\\"},"
		 "\\\"ts\\\":9999999999000000,\\\"v\\\":1}\"}]}",
		 0);
	if (access("/usr/share/zoneinfo/Asia/Tokyo", R_OK) != 0)
		return;
	pid = rig_daemon("guardian-admin.sock", a, sizeof(a) / sizeof(a[0]));
	CHECK(rig_run(guardian_main, "guardian", "test", "own-night", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("would have fired 1 time") && rig_said(rules_line));
	CHECK(rig_daemon_end(pid));
	/* What is asked for goes before it. */
	pid = rig_daemon("guardian-admin.sock", a, sizeof(a) / sizeof(a[0]));
	CHECK(rig_run(guardian_main, "guardian", "test", "own-night", "--run", rig_dir, "--time-zone", "UTC", "--rules",
		      rig_path("armed/own.yml"), NULL) == 0);
	CHECK(rig_said("would not have fired") && rig_said("own.yml, which are ") && rig_said("UTC, of --time-zone\n"));
	CHECK(rig_daemon_end(pid));
	setenv("TZ", "UTC", 1);
	/* An export is played without a recorder. */
	CHECK(TEST("denial-spike") == 0);
	CHECK(rig_said("rules: those that come with Keepgate\ntime zone: UTC, by default\n"));
	CHECK(TEST("denial-spike", "--json") == 0 && rig_said("\"time_zone\": \"UTC\""));
}

/* What an incident's proof must be, over a tree of two leaves. */
static void proofs(void)
{
	static const char one[] = "{\"kind\":\"a\"}", two[] = "{\"kind\":\"b\"}";
	uint8_t a[MERKLE_LEN], b[MERKLE_LEN], root[MERKLE_LEN];
	char hex[65], b64[64];
	struct merkle tree = {0};
	struct proof_head head;
	json_t *event, *signed_head;

	merkle_leaf(one, strlen(one), a);
	merkle_leaf(two, strlen(two), b);
	merkle_append(&tree, a);
	merkle_append(&tree, b);
	merkle_root(&tree, root);
	sodium_bin2base64(b64, sizeof(b64), root, MERKLE_LEN, sodium_base64_VARIANT_ORIGINAL);
	signed_head = json_pack("{s:o}", "note", json_sprintf("log\n2\n%s\n\n\xe2\x80\x94 log AAAA\n", b64));
	event = json_pack("{s:i, s:s, s:{s:i, s:i, s:[s]}}", "seq", 1, "leaf", one, "proof", "index", 0, "size", 2,
			  "hashes", sodium_bin2hex(hex, sizeof(hex), b, MERKLE_LEN));
	CHECK(proof_head_read(NULL, NULL, &head) == KG_OK && proof_check(event, &head) == PROOF_WAITS);
	CHECK(proof_head_read(signed_head, NULL, &head) == KG_OK && head.is_signed && !head.checked && head.size == 2);
	CHECK(proof_check(event, &head) == PROOF_HOLDS);
	json_object_set_new(event, "leaf", json_string(two));
	CHECK(proof_check(event, &head) == PROOF_WRONG);
	json_object_set_new(event, "leaf", json_string(one));
	json_object_del(event, "proof");
	CHECK(proof_check(event, &head) == PROOF_WRONG);
	json_object_set_new(event, "seq", json_integer(3));
	CHECK(proof_check(event, &head) == PROOF_WAITS);
	json_object_set_new(signed_head, "note", json_string("log\n"));
	CHECK(proof_head_read(signed_head, NULL, &head) == KG_E_CRYPTO && !head.is_signed);
	json_decref(event);
	json_decref(signed_head);
}

#define INCIDENT                                                                                                       \
	"{\"id\":\"inc-3\",\"state\":\"open\",\"severity\":\"high\",\"title\":\"Denial spike: tries for "              \
	"ann\",\"rule\":\"denial-spike\",\"agent\":\"tries\",\"human\":\"ann\",\"session\":\"" BAD                     \
	"\",\"server\":\"notes\",\"tool\":\"add\",\"opened\":1793577600000000,\"last\":1793577601000000,\"findings\":" \
	"2,\"acked_by\":\"\",\"resolved_by\":\"\",\"suggest\":\"look \\u001b[31m here\""
#define RESPONSE                                                                                                       \
	"[{\"id\":7,\"incident\":\"inc-3\",\"act\":\"pause\",\"state\":\"active\",\"session\":\"" BAD                  \
	"\",\"server\":\"\",\"tool\":\"\",\"human\":\"ann\",\"until\":1793581200,\"rule\":\"denial-spike\"}]"

static void incidents_are_shown(void)
{
	static const struct rig_answer list[] = {
		{"incident.list", "\"state\":\"open\"", "{\"incidents\":[" INCIDENT "}]}", NULL}};
	static const struct rig_answer show[] = {
		{"incident.show", "\"inc-3\"",
		 INCIDENT
		 ",\"timeline\":[{\"ts\":1793577600000000,\"seq\":11,\"what\":\"opened\",\"by\":\"guardian\"}],"
		 "\"responses\":" RESPONSE ",\"pages\":[{\"channel\":\"duty\",\"action\":\"trigger\",\"state\":"
		 "\"delivered\",\"attempts\":1,\"ts\":1793577600000000,\"detail\":\"\"}],\"events\":[{\"seq\":10,"
		 "\"leaf\":\"{\\\"kind\\\":\\\"call\\\",\\\"seq\\\":10,\\\"ts\\\":1793577600000000,\\\"tool\\\":{"
		 "\\\"server\\\":\\\"notes\\\",\\\"name\\\":\\\"add\\\"}}\"}]}",
		 NULL}};
	pid_t pid = rig_daemon("guardian-admin.sock", list, 1);

	CHECK(rig_run(incident_main, "incident", "list", "--status", "open", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("inc-3     open   high      Denial spike: tries for ann  2         2026-11-02 00:00:00Z"));
	CHECK(rig_daemon_end(pid));
	unlink(rig_path("guardian-admin.sock"));
	pid = rig_daemon("guardian-admin.sock", show, 1);
	CHECK(rig_run(incident_main, "incident", "show", "3", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("suggested:\nlook \\x1b[31m here\n") && rig_said("guardian  opened\n"));
	CHECK(rig_said("7         pause  active  session 11111111  ann    2026-11-02 01:00:00"));
	CHECK(rig_said("duty     trigger  delivered") && rig_said("not signed yet      10 2026-11-02 00:00:00.000Z"));
	CHECK(rig_daemon_end(pid));
	unlink(rig_path("guardian-admin.sock"));
}

static void words_of_a_person(void)
{
	static const struct rig_answer a[] = {
		{"incident.ack", "\"id\":\"inc-3\",\"note\":\"mine\"", INCIDENT "}", NULL},
		{"incident.note", "\"note\":\"seen\"", INCIDENT "}", NULL},
		{"incident.resolve", "{\"id\":\"inc-3\"}", INCIDENT "}", NULL},
		{"incident.release", "inc-3", NULL, "nothing of this incident is held"},
		{"guardian.lift", "{\"response\":7}", "{\"response\":7}", NULL},
		{"guardian.break_glass", "{\"seconds\":1800,\"why\":\"drill\",\"lift\":true}", "{\"until\":1}", NULL},
		{"guardian.break_glass", "{\"seconds\":0,\"why\":\"over\",\"lift\":false}", "{\"until\":0}", NULL},
		{"pager.test", "{\"channel\":\"duty\"}", "{\"channel\":\"duty\",\"delivered\":true}", NULL},
		{"pager.test", "{\"channel\":\"duty\"}",
		 "{\"channel\":\"duty\",\"delivered\":false,\"state\":\"dead\",\"detail\":\"403 no such key\"}", NULL},
		{"guardian.status", "{}",
		 "{\"rules\":21,\"break_glass_until\":0,\"responses\":" RESPONSE
		 ",\"outbox\":{\"waiting\":2,\"dead\":1,\"pager\":true},\"channels\":[{\"name\":\"duty\",\"kind\":"
		 "\"ntfy\","
		 "\"last_ok\":1793577600000000,\"last_failed\":null,\"last_error\":null}]}",
		 NULL},
	};
	pid_t pid = rig_daemon("guardian-admin.sock", a, sizeof(a) / sizeof(a[0]));

	CHECK(rig_run(incident_main, "incident", "ack", "inc-3", "--note", "mine", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("Incident inc-3 is yours"));
	CHECK(rig_run(incident_main, "incident", "note", "3", "seen", "--run", rig_dir, NULL) == 0 &&
	      rig_said("your note"));
	CHECK(rig_run(incident_main, "incident", "resolve", "3", "--run", rig_dir, NULL) == 0 &&
	      rig_said("is resolved"));
	CHECK(rig_run(incident_main, "incident", "release", "3", "--run", rig_dir, NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("nothing of this incident is held"));
	CHECK(rig_run(guardian_main, "guardian", "lift", "7", "--run", rig_dir, NULL) == 0 && rig_said("7 is lifted"));
	CHECK(rig_run(guardian_main, "guardian", "break-glass", "--for", "30m", "--why", "drill", "--lift", "--run",
		      rig_dir, NULL) == 0);
	CHECK(rig_said("For 30m the guardian orders nothing by itself, and what it had ordered is lifted."));
	CHECK(rig_run(guardian_main, "guardian", "break-glass", "--end", "--why", "over", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("acts again"));
	CHECK(rig_run(pager_main, "pager", "test", "duty", "--run", rig_dir, NULL) == 0 &&
	      rig_said("taken by channel duty"));
	CHECK(rig_run(pager_main, "pager", "test", "duty", "--run", rig_dir, NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("channel duty refused the test page: 403 no such key"));
	CHECK(rig_run(guardian_main, "guardian", "status", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("pages waiting      2\n") && rig_said("break-glass until  -") && rig_said("duty     ntfy"));
	CHECK(rig_daemon_end(pid));
	unlink(rig_path("guardian-admin.sock"));
}

static void the_vault_is_sealed(void)
{
	static const struct rig_answer a[] = {
		{"vault.seal", "{\"why\":\"drill\"}", "{}", NULL},
		{"vault.unseal", "{}", "{}", NULL},
	};
	pid_t pid = rig_daemon("vault-admin.sock", a, sizeof(a) / sizeof(a[0]));

	CHECK(rig_run(vault_main, "vault", "seal", "--why", "drill", "--run", rig_dir, NULL) == 0 &&
	      rig_said("is sealed"));
	CHECK(rig_run(vault_main, "vault", "unseal", "--run", rig_dir, NULL) == 0 && rig_said("is unsealed"));
	CHECK(rig_run(vault_main, "vault", "seal", "--run", rig_dir, NULL) == KG_EXIT_USAGE && rig_said("--why"));
	CHECK(rig_daemon_end(pid));
}

/* A line of the record: what the guardian did, to whom, and why; what the broker found. */
static void lines_of_the_record(void)
{
	static const char finding[] = "{\"actor\":{\"agent\":\"tries\",\"human\":\"ann\"},\"event\":\"finding\","
				      "\"kind\":\"guardian\",\"members\":"
				      "{\"acts\":true,\"class\":\"certain\",\"evidence\":[1,2],\"incident\":\"inc-3\","
				      "\"rule\":\"canary-tool\","
				      "\"rules_sha256\":\"00\",\"severity\":\"critical\",\"what\":\"called\"},\"seq\":"
				      "5,\"tool\":{\"name\":\"x\","
				      "\"server\":\"notes\"},\"ts\":1793577600000000}";
	static const char call[] =
		"{\"decision\":\"allow\",\"kind\":\"call\",\"marks\":{\"canary\":\"k1\"},\"seq\":6,\"ts\":1}";
	static const char end[] = "{\"marks\":{\"secrets\":2},\"outcome\":\"ok\",\"phase\":\"outcome\"}";
	struct audit_record r = {.seq = 5, .state = "", .doc = json_loads(finding, 0, NULL)};
	json_t *row = audit_row(&r, NULL), *outcome = json_loads(end, 0, NULL);
	char text[1024] = "";
	FILE *f = tmpfile();

	audit_row_print(f, row);
	json_decref(row);
	json_decref(r.doc);
	r.doc = json_loads(call, 0, NULL);
	row = audit_row(&r, outcome);
	audit_row_print(f, row);
	rewind(f);
	CHECK(fread(text, 1, sizeof(text) - 1, f) > 0);
	CHECK(strstr(text, " guardian  ann ") != NULL && strstr(text, " finding ") != NULL);
	CHECK(strstr(text, " notes/x: called acts=true incident=inc-3 rule=canary-tool severity=critical\n") != NULL);
	CHECK(strstr(text, "found: canary=k1 -> ok found: secrets=2\n") != NULL);
	fclose(f);
	json_decref(row);
	json_decref(outcome);
	json_decref(r.doc);
}

/* What the settings of the guardian leave open is told, and is no mistake. */
static void settings_are_advised(void)
{
	rig_write("none.json", "{\"mcpServers\":{}}");
	CHECK(rig_run(config_main, "config", "check", rig_path("none.json"), NULL) == 0);
	CHECK(rig_said("advice: guardian.channels: there is none") && rig_said("is a good configuration: "));
	rig_write("one.json",
		  "{\"mcpServers\":{},\"guardian\":{\"channels\":{\"duty\":{\"kind\":\"pagerduty\",\"secret\":"
		  "\"${secret:pd}\"}},\"routes\":[{\"severity\":\"high\",\"hours\":\"08:00-18:00\",\"steps\":[{"
		  "\"channels\":[\"duty\"]}]}]}}");
	CHECK(rig_run(config_main, "config", "check", rig_path("one.json"), NULL) == 0);
	CHECK(rig_said("there is one alone") && rig_said("no route holds at all times for critical severity"));
	CHECK(rig_said("for medium severity, at which these rules page: tool-drift") && rig_said("\"heartbeat\""));
	CHECK(rig_said("channel duty         pagerduty, https://events.pagerduty.com:443; needs the secret pd"));
	rig_write("bad.json", "{\"mcpServers\":{},\"guardian\":{\"rules\":\"rules\"}}");
	CHECK(rig_run(config_main, "config", "check", rig_path("bad.json"), NULL) == 0);
	CHECK(rig_said("warning: guardian.rules: ") && rig_said("notes.txt: is no file of rules"));
}

int main(void)
{
	CHECK(sodium_init() >= 0);
	rig_begin();
	make_export();
	RUN(a_rule_is_tried_on_an_export);
	RUN(a_file_of_rules_is_tried_together);
	RUN(hours_are_those_of_the_zone);
	RUN(wrong_words_are_told);
	RUN(rules_are_checked);
	RUN(the_recorder_is_read);
	RUN(what_is_armed_is_tried);
	unlink(rig_path("guardian-admin.sock"));
	RUN(proofs);
	RUN(incidents_are_shown);
	RUN(words_of_a_person);
	RUN(the_vault_is_sealed);
	RUN(lines_of_the_record);
	RUN(settings_are_advised);
	rig_end();
	return unit_end();
}
