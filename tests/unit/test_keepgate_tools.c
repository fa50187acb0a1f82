/* What operators see of tools, approvals and consents, and what vaultd is asked for it. */
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "tests/unit/keepgate_rig.h"

#define VAULT "vault-admin.sock"
#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "2222222222222222222222222222222222222222222222222222222222222222"
#define CHANGED                                                                                                        \
	"{\"server\":\"mail\",\"name\":\"send\",\"state\":\"changed\",\"accepted\":{\"sha256\":\"" H1                  \
	"\",\"definition\":\"{\\\"description\\\":\\\"Sends\\\",\\\"name\\\":\\\"send\\\"}\"},\"listed\":{\"sha256\":" \
	"\"" H2 "\",\"definition\":\"{\\\"description\\\":\\\"Sends \\u009b2J all\\\",\\\"name\\\":\\\"send\\\"}\"}}"
#define ID "0123456789abcdef0123456789abcdef"
#define APPROVAL                                                                                                       \
	"{\"id\":\"" ID "\",\"state\":\"pending\",\"human\":\"alice\",\"agent\":\"a\",\"server\":\"mail\",\"tool\":"   \
	"\"burn\",\"tier\":\"destructive\",\"asked\":1,\"expires\":901,\"four_eyes\":true,\"policies\":\"p\","         \
	"\"approver\":\"\",\"note\":\"\",\"reason\":\"r\",\"args_sha256\":\"" H1                                       \
	"\",\"session\":\"s\",\"arguments\":\"{\\\"box\\\":1.10,\\\"x\\\":[\\\"\\u009b31m\\\\u202e\\\",{}]}\"}"

static void a_list_of_tools(void)
{
	static const struct rig_answer answers[] = {
		{"tools.list", "{}",
		 "{\"tools\":[{\"server\":\"mail\",\"name\":\"send\",\"state\":\"changed\",\"tier\":\"write\","
		 "\"accepted\":\"" H1 "\",\"listed\":\"" H2
		 "\",\"accepted_at\":0,\"by\":{\"uid\":7,\"name\":\"ann\"}}]}",
		 NULL},
		{"tools.list", "\"server\":\"mail\"", "{\"tools\":[]}", NULL},
	};
	pid_t pid = rig_daemon(VAULT, answers, 2);

	CHECK(rig_run(tools_main, "tools", "list", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("changed") && rig_said("111111111111 ") && rig_said("222222222222 ") && rig_said("ann"));
	CHECK(rig_run(tools_main, "tools", "list", "--server", "mail", "--json", "--run", rig_dir, NULL) == 0);
	CHECK(strcmp(rig_text, "[]\n") == 0);
	CHECK(rig_daemon_end(pid));
}

static void a_difference_is_shown(void)
{
	static const struct rig_answer answers[] = {
		{"tools.show", "\"tool\":\"send\"", CHANGED, NULL},
		{"tools.show", "",
		 "{\"state\":\"pending\",\"accepted\":null,\"listed\":{\"sha256\":\"" H1
		 "\",\"definition\":\"{\\\"name\\\":\\\"new\\\"}\"}}",
		 NULL},
		{"tools.show", "", NULL, "no such tool"},
	};
	pid_t pid = rig_daemon(VAULT, answers, 3);

	CHECK(rig_run(tools_main, "tools", "diff", "mail", "send", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("mail/send is changed") && rig_said("accepted  " H1) && rig_said("listed    " H2));
	CHECK(rig_said("~ /description: ") && rig_said("keepgate tools accept mail send --sha256 " H2));
	CHECK(strstr(rig_text, "\xc2\x9b") == NULL);
	CHECK(rig_run(tools_main, "tools", "diff", "mail", "new", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("never accepted") && rig_said("  \"name\": \"new\""));
	CHECK(rig_run(tools_main, "tools", "diff", "mail", "none", "--run", rig_dir, NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("no such tool") && rig_daemon_end(pid));
}

static void what_was_shown_is_accepted(void)
{
	static const struct rig_answer answers[] = {
		{"tools.show", "", CHANGED, NULL},
		{"tools.accept", "\"sha256\":\"" H2 "\"", "{\"state\":\"accepted\"}", NULL},
		{"tools.show", "", CHANGED, NULL},
	};
	pid_t pid = rig_daemon(VAULT, answers, 3);

	CHECK(rig_run(tools_main, "tools", "accept", "mail", "send", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("~ /description: ") && rig_said("mail/send is accepted as it is listed now."));
	CHECK(rig_run(tools_main, "tools", "accept", "mail", "send", "--sha256", H1, "--run", rig_dir, NULL) ==
	      KG_EXIT_FAILURE);
	CHECK(rig_said("is listed as " H2 " by now, not as " H1) && rig_daemon_end(pid));
	CHECK(rig_run(tools_main, "tools", "accept", "mail", "send", "--sha256", "12", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(tools_main, "tools", "accept", "mail", NULL) == KG_EXIT_USAGE);
}

static void an_approval_is_shown_before_it_is_given(void)
{
	static const struct rig_answer answers[] = {
		{"approvals.list", "{}", "{\"approvals\":[" APPROVAL "]}", NULL},
		{"approvals.list", "\"all\":true", "{\"approvals\":[]}", NULL},
		{"approvals.show", "\"id\":\"0123\"", APPROVAL, NULL},
		{"approvals.approve", "\"id\":\"" ID "\",\"note\":\"fine\"", "{\"state\":\"approved\"}", NULL},
		{"approvals.show", "\"id\":\"0123\"", APPROVAL, NULL},
		{"approvals.deny", "\"note\":\"no\"", NULL, "it is over"},
	};
	pid_t pid = rig_daemon(VAULT, answers, 6);

	CHECK(rig_run(approvals_main, "approvals", "list", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("01234567  pending  alice") && rig_said("mail/burn"));
	CHECK(rig_run(approvals_main, "approvals", "list", "--all", "--run", rig_dir, NULL) == 0);
	CHECK(rig_run(approvals_main, "approvals", "approve", "0123", "--note", "fine", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("  \"box\": 1.10,\n") && rig_said("\\x9b31m") && rig_said("\\u202e") && rig_said("Approved"));
	CHECK(strstr(rig_text, "\xc2\x9b") == NULL);
	CHECK(rig_run(approvals_main, "approvals", "deny", "0123", "--note", "no", "--run", rig_dir, NULL) ==
	      KG_EXIT_FAILURE);
	CHECK(rig_said("it is over") && rig_daemon_end(pid));
	CHECK(rig_run(approvals_main, "approvals", "deny", "0123", NULL) == KG_EXIT_USAGE && rig_said("--note"));
}

static void a_consent_tells_what_it_names(void)
{
	static const struct rig_answer answers[] = {
		{"consent.show", "\"id\":\"0123\"",
		 "{\"id\":\"" ID "\",\"pins\":[{\"tool\":\"mail/send\",\"sha256\":\"" H1
		 "\",\"suspended\":true}],\"suspended\":1,\"pins_left_out\":3,\"sessions\":[]}",
		 NULL},
		{"consent.confirm", "\"id\":\"0123\"", "{\"id\":\"" ID "\",\"confirmed\":1}", NULL},
	};
	pid_t pid = rig_daemon(VAULT, answers, 2);

	CHECK(rig_run(consent_main, "consent", "show", "0123", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("mail/send  yes") && rig_said("... and 3 more") &&
	      rig_said("keepgate consent confirm 01234567"));
	CHECK(rig_run(consent_main, "consent", "confirm", "0123", "--run", rig_dir, NULL) == 0);
	CHECK(rig_said("1 that had changed can be called again") && rig_daemon_end(pid));
}

static void a_token_is_random_and_its_hash_is_told(void)
{
	char first[128];

	CHECK(rig_run(authzen_main, "authzen", "token", "billing", NULL) == 0);
	CHECK(rig_said("\nkga_") && rig_said("{ \"name\": \"billing\", \"token_sha256\": \""));
	snprintf(first, sizeof(first), "%.47s", strstr(rig_text, "kga_"));
	CHECK(strcspn(first, "\n") == 47);
	CHECK(rig_run(authzen_main, "authzen", "token", "billing", NULL) == 0);
	CHECK(strstr(rig_text, first) == NULL);
	CHECK(rig_run(authzen_main, "authzen", "token", "-x y", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(authzen_main, "authzen", "token", "a b", NULL) == KG_EXIT_USAGE);
}

static void json_is_shown_as_it_was_written(void)
{
	static const char *const vectors[][2] = {
		{"{}", "{}\n"},
		{"[1.0,\"a\"]", "[\n  1.0,\n  \"a\"\n]\n"},
		{"{\"a\":{\"b\":[]},\"c\":null}", "{\n  \"a\": {\n    \"b\": []\n  },\n  \"c\": null\n}\n"},
		{"{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}\n"}, /* no JSON of ours: as it is */
		{"\x1b[2J", "\\x1b[2J\n"},
	};
	char out[256];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		FILE *f = fmemopen(out, sizeof(out), "w");

		cli_pretty(f, vectors[i][0]);
		fclose(f);
		CHECK(strcmp(out, vectors[i][1]) == 0);
	}
}

int main(void)
{
	rig_begin();
	RUN(a_list_of_tools);
	RUN(a_difference_is_shown);
	RUN(what_was_shown_is_accepted);
	RUN(an_approval_is_shown_before_it_is_given);
	RUN(a_consent_tells_what_it_names);
	RUN(a_token_is_random_and_its_hash_is_told);
	RUN(json_is_shown_as_it_was_written);
	rig_end();
	return unit_end();
}
