/* The commands about policies that need no daemon: check, test, explain, sign, verify. */
#include <fcntl.h>

#include "keepgate/commands.h"
#include "keepgate/policy.h"
#include "keepgate/policy_catalogue.h"
#include "keepgate/policy_question.h"
#include "tests/unit/keepgate_rig.h"

#define TOOLS                                                                                                          \
	"{\"servers\":[{\"name\":\"notes\",\"environment\":\"dev\"}],\"tools\":[{\"server\":\"notes\",\"name\":"       \
	"\"add\","                                                                                                     \
	"\"tier\":\"write\",\"definition\":{\"name\":\"add\",\"inputSchema\":{\"type\":\"object\",\"required\":"       \
	"[\"text\"],\"properties\":{\"text\":{\"type\":\"string\"}}}}}]}"

#define POLICIES                                                                                                       \
	"@id(\"consented\") @on_deny(\"consent\")\n"                                                                   \
	"permit (principal, action in Gate::Action::\"write\", resource is Gate::Tool)\n"                              \
	"when {\n"                                                                                                     \
	"  context.base has consent &&\n"                                                                              \
	"  context.base.consent.tools.contains(resource)\n"                                                            \
	"};\n"                                                                                                         \
	"@id(\"no-drafts\") @reason(\"no drafts\")\n"                                                                  \
	"forbid (principal, action == Gate::Action::\"notes/add\", resource)\n"                                        \
	"when { context.args.text like \"DRAFT*\" };\n"

static void catalogues(void)
{
	static const char *const wrong[][2] = {
		{"[]", "is no JSON object"},
		{"{\"tools\":{}}", "tools is no list"},
		{"{\"servers\":[{}]}", "servers[0] has no name"},
		{"{\"servers\":[{\"name\":\"a\",\"min_trust\":4}]}", "servers[0].min_trust is not between 0 and 3"},
		{"{\"tools\":[{\"server\":\"a\"}]}", "tools[0] has no server or no name"},
		{"{\"tools\":[{\"server\":\"a\",\"name\":\"b\",\"tier\":\"x\"}]}", "tools[0].tier is not read"},
		{"{\"tools\":[{\"server\":\"a\",\"name\":\"b\",\"tier\":\"read\",\"definition\":\"{\"}]}",
		 "tools[0].definition is no JSON"},
		{"{\"tools\":[{\"server\":\"a\",\"name\":\"b\",\"tier\":\"read\",\"definition\":{},\"sha256\":\"00\"}]"
		 "}",
		 "tools[0].sha256 is no SHA-256"},
	};
	struct policy_catalogue c;
	char error[CATALOGUE_ERROR_MAX];
	uint8_t hash[HASH_LEN];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK(policy_catalogue_take(&c, json_loads(wrong[i][0], 0, NULL), "dev", error) == KG_E_INVALID);
		CHECK(strstr(error, wrong[i][1]) != NULL);
		policy_catalogue_free(&c);
	}
	CHECK(policy_catalogue_take(&c,
				    json_loads("{\"tools\":[{\"server\":\"s\",\"name\":\"t\",\"tier\":\"read\","
					       "\"definition\":{\"name\":\"t\",\"a\":1}}],\"data\":[{\"x\":1}]}",
					       0, NULL),
				    "staging", error) == 0);
	CHECK(c.nservers == 1 && c.ntools == 1 && strcmp(c.servers[0].environment, "staging") == 0);
	CHECK(strcmp(c.tools[0].definition, "{\"a\":1,\"name\":\"t\"}") == 0);
	sha256(c.tools[0].definition, c.tools[0].len, hash);
	CHECK(memcmp(hash, c.tools[0].sha256, HASH_LEN) == 0 && strcmp(c.data, "[{\"x\":1}]") == 0);
	CHECK(policy_catalogue_find(&c, "s", "t") == &c.tools[0] && policy_catalogue_find(&c, "s", "u") == NULL);
	policy_catalogue_free(&c);
}

static void times(void)
{
	static const struct {
		const char *text;
		uint64_t ms;
		int32_t offset;
	} good[] = {
		{"2026-11-21T10:00:00Z", 1795255200000u, 0},
		{"2026-11-21T11:30:00+01:30", 1795255200000u, 5400},
		{"2026-11-21T05:00:00.1239-05:00", 1795255200123u, -18000},
	};
	static const char *const bad[] = {"",
					  "now",
					  "2026-11-21",
					  "2026-11-21T10:00:00",
					  "2026-11-21T10:00:00.Z",
					  "2026-11-21T10:00:00+1:00",
					  "2026-11-21T10:00:00+01:60",
					  "2026-11-21T10:00:00+01:00x",
					  "1960-01-01T00:00:00Z"};
	uint64_t ms;
	int32_t offset;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(policy_question_time(good[i].text, &ms, &offset) == 0 && ms == good[i].ms &&
		      offset == good[i].offset);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(policy_question_time(bad[i], &ms, &offset) == KG_E_INVALID);
}

static void a_folder_is_checked_over_tools(void)
{
	const char *set = rig_path("set"), *tools = rig_path("tools.json"), *b = rig_path("set/b.cedar");

	CHECK(rig_run(policy_main, "policy", "check", set, "--tools", tools, NULL) == 0);
	CHECK(rig_said("2 policies over 1 tools of 1 servers: valid for the gateway\nsha256 "));
	/* Without tools its action is not declared: and the place is told as a path that can be opened. */
	CHECK(rig_run(policy_main, "policy", "check", set, NULL) == KG_EXIT_FAILURE);
	CHECK(strncmp(rig_text, set, strlen(set)) == 0 && rig_said("/a.cedar:"));
	rig_write("set/b.cedar", "permit(principal, action, resource) when { 1 };\n");
	CHECK(rig_run(policy_main, "policy", "check", set, "--tools", tools, NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("/b.cedar:1:"));
	unlink(b);
	/* Nobody writes into it: nothing waits for that. */
	CHECK(mkfifo(b, 0600) == 0);
	CHECK(rig_run(policy_main, "policy", "check", set, "--tools", tools, NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("b.cedar: is no regular file"));
	unlink(b);
	CHECK(rig_run(policy_main, "policy", "check", rig_path("none"), NULL) == KG_EXIT_FAILURE && rig_said("none"));
	rig_write("bad.json", "{\n\"tools\": [}\n");
	CHECK(rig_run(policy_main, "policy", "check", set, "--tools", rig_path("bad.json"), NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("bad.json:2:"));
	CHECK(rig_run(policy_main, "policy", "check", NULL) == KG_EXIT_USAGE && rig_said("DIR is missing"));
}

static void a_whole_folder_is_checked_alone(void)
{
	CHECK(rig_run(policy_main, "policy", "check", "policies/example", NULL) == 0);
	CHECK(rig_said("3 policies, 0 templates: valid by the folder's own schema"));
}

static void cases_are_run(void)
{
	static const char cases[] =
		"{\"tools\":[{\"server\":\"notes\",\"name\":\"add\",\"tier\":\"write\",\"definition\":{\"name\":"
		"\"add\","
		"\"inputSchema\":{\"type\":\"object\",\"required\":[\"text\"],\"properties\":{\"text\":{\"type\":"
		"\"string\"}}}}}],\"cases\":["
		"{\"name\":\"one\",\"server\":\"notes\",\"tool\":\"add\",\"args\":{\"text\":\"x\"},\"consent\":{"
		"\"tier\":"
		"\"write\"},\"expect\":\"allow\"},"
		"{\"name\":\"two\",\"server\":\"notes\",\"tool\":\"add\",\"args\":{\"text\":\"x\"},\"expect\":\"%s\"}]"
		"}";
	const char *set = rig_path("set");
	char text[2048];

	snprintf(text, sizeof(text), cases, "deny");
	rig_write("set/cases.json", text);
	CHECK(rig_run(policy_main, "policy", "test", set, NULL) == 0);
	CHECK(rig_said("policy no-drafts: never decided\n1 of 2 policies decided a case\n2 passed, 0 failed\n"));
	/* The cases' own tools do for a check, too. */
	CHECK(rig_run(policy_main, "policy", "check", set, NULL) == 0 && rig_said("over 1 tools"));
	CHECK(rig_run(policy_main, "policy", "test", set, "--tools", rig_path("tools.json"), NULL) == 0);
	snprintf(text, sizeof(text), cases, "allow");
	rig_write("set/cases.json", text);
	CHECK(rig_run(policy_main, "policy", "test", set, NULL) == KG_EXIT_FAILURE);
	CHECK(rig_said("FAILED: two: ") && rig_said("\n1 passed, 1 failed\n"));
	rig_write("set/cases.json", "{\"cases\":[{\"name\":3}]}");
	CHECK(rig_run(policy_main, "policy", "test", set, NULL) == KG_EXIT_FAILURE && rig_said("cases.json"));
	unlink(rig_path("set/cases.json"));
	CHECK(rig_run(policy_main, "policy", "test", set, NULL) == KG_EXIT_FAILURE && rig_said("cannot be read"));
}

#define ASK(...)                                                                                                       \
	rig_run(policy_main, "policy", "explain", "--dir", rig_path("set"), "--tools", rig_path("tools.json"),         \
		"--human", "alice", "--agent", "a", "--tool", __VA_ARGS__, NULL)

static void questions_are_explained(void)
{
	CHECK(ASK("notes/add", "--args", "{\"text\":\"x\"}", "--consent", "write") == 0);
	CHECK(strncmp(rig_text, "allow\n", 6) == 0 && rig_said("because of: permit \"consented\" at ") &&
	      rig_said("/a.cedar:1\n"));
	CHECK(ASK("notes/add", "--args", "{\"text\":\"x\"}") == 0);
	CHECK(strncmp(rig_text, "deny\n", 5) == 0);
	CHECK(rig_said("would permit: \"consented\" but for ") && rig_said("/a.cedar:4:3: context.base has consent"));
	CHECK(rig_said("what would help: consent\n"));
	CHECK(ASK("notes/add", "--args", "{\"text\":\"DRAFT 1\"}", "--consent", "write") == 0);
	CHECK(rig_said("deny\nreason: no drafts\nbecause of: forbid \"no-drafts\" at ") && rig_said("/a.cedar:7\n"));
	CHECK(ASK("notes/add", "--args", "{\"text\":\"x\"}", "--consent", "read", "--json") == 0);
	CHECK(rig_said("\"decision\": \"deny\"") && rig_said("\"policy_sha256\": \""));
	CHECK(ASK("notes/add", "--args", "{\"text\":1}") == 0 && rig_said("refuses these arguments") &&
	      rig_said("/text"));
}

static void wrong_questions_are_told(void)
{
	static const char *const wrong[][4] = {
		{"notes/none", NULL, NULL, "notes/none is none of the 1 accepted tools"},
		{"notes", NULL, NULL, "--tool must be SERVER/TOOL"},
		{"notes/add", "--args", "{", "--args is no JSON"},
		{"notes/add", "--args", "[]", "--args must be a JSON object"},
		{"notes/add", "--args", "@/none", "/none: cannot be read"},
		{"notes/add", "--now", "noon", "--now must be a time"},
		{"notes/add", "--consent", "destructive", "--consent must be read or write"},
		{"notes/add", "--risk", "101", "--risk must be a number between 0 and 100"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK(ASK(wrong[i][0], wrong[i][1], wrong[i][2]) != 0 && rig_said(wrong[i][3]));
	CHECK(rig_run(policy_main, "policy", "explain", NULL) == KG_EXIT_USAGE && rig_said("--event"));
	CHECK(rig_run(policy_main, "policy", "explain", "--event", "1", "--tool", "a/b", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(policy_main, "policy", "diff", "x", "--since", "1w", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(policy_main, "policy", "data", "put", NULL) == KG_EXIT_USAGE && rig_said("needs a FILE"));
	CHECK(rig_run(policy_main, "policy", "data", "take", NULL) == KG_EXIT_USAGE);
}

/* The public key as keygen has printed it. */
static void public_key(char out[45])
{
	const char *line = strstr(rig_text, "configuration:\n");

	CHECK(line != NULL);
	snprintf(out, 45, "%.44s", line == NULL ? "" : line + strlen("configuration:\n"));
}

static void sets_are_signed(void)
{
	const char *set = rig_path("set"), *key = rig_path("key");
	char first[45], second[45], other[256];
	struct stat st;

	snprintf(other, sizeof(other), "%s", rig_path("key2"));
	CHECK(rig_run(policy_main, "policy", "keygen", key, NULL) == 0);
	public_key(first);
	CHECK(stat(key, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(rig_run(policy_main, "policy", "keygen", key, NULL) == KG_EXIT_FAILURE && rig_said("not taken"));
	CHECK(rig_run(policy_main, "policy", "keygen", other, NULL) == 0);
	public_key(second);

	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", first, NULL) == KG_EXIT_FAILURE);
	CHECK(rig_run(policy_main, "policy", "sign", set, "--key", key, "--revision", "7", NULL) == 0);
	CHECK(rig_said("as revision 7"));
	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", first, NULL) == 0 && rig_said("revision 7"));
	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", second, NULL) == KG_EXIT_FAILURE);
	/* A second key joins over the same manifest; another revision drops the first. */
	CHECK(rig_run(policy_main, "policy", "sign", set, "--key", other, "--revision", "7", NULL) == 0);
	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", first, NULL) == 0);
	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", second, NULL) == 0);
	CHECK(rig_run(policy_main, "policy", "sign", set, "--key", other, "--revision", "8", "--expires", "90d",
		      NULL) == 0);
	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", first, NULL) == KG_EXIT_FAILURE);
	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", second, NULL) == 0);
	rig_write("set/a.cedar", POLICIES "\n");
	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", second, NULL) == KG_EXIT_FAILURE &&
	      rig_said("a.cedar"));

	CHECK(rig_run(policy_main, "policy", "verify", set, "--key", "x", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(policy_main, "policy", "sign", set, "--key", rig_path("tools.json"), "--revision", "9", NULL) ==
	      KG_EXIT_FAILURE);
	CHECK(rig_run(policy_main, "policy", "sign", set, "--key", key, "--revision", "0", NULL) == KG_EXIT_USAGE);
	CHECK(rig_run(policy_main, "policy", "sign", set, "--key", key, "--revision", "9", "--expires", "soon", NULL) ==
	      KG_EXIT_USAGE);
}

static void the_schema_is_printed(void)
{
	CHECK(rig_run(policy_main, "policy", "schema", "--tools", rig_path("tools.json"), NULL) == 0);
	CHECK(rig_said("entity Human") && rig_said("\"notes/add\""));
}

static void settings_are_tried(void)
{
	static const char form[] =
		"{\"policy\":{\"dir\":\"%s\"},\"operators\":[{\"user\":\"no_such_user\",\"human\":\"x\"}],"
		"\"authzen\":{\"listen\":{\"port\":9}},\"mcpServers\":{\"notes\":{\"command\":\"/bin/true\"}}}";
	char text[1024];

	snprintf(text, sizeof(text), form, "none");
	rig_write("k.json", text);
	CHECK(rig_run(config_main, "config", "check", rig_path("k.json"), NULL) == 0);
	CHECK(rig_said("warning: policy.dir: ") && rig_said("/none: ") && rig_said("with warnings"));
	CHECK(rig_said("warning: operators: no_such_user: ") && rig_said("keepgate authzen token NAME"));
	snprintf(text, sizeof(text), form, "open");
	rig_write("k.json", text);
	CHECK(mkdir(rig_path("open"), 0755) == 0 && chmod(rig_path("open"), 0777) == 0);
	rig_write("open/a.cedar", POLICIES);
	CHECK(rig_run(config_main, "config", "check", rig_path("k.json"), NULL) == 0 &&
	      rig_said("others may write there"));
	chmod(rig_path("open"), 0755);
	CHECK(rig_run(config_main, "config", "check", rig_path("k.json"), NULL) == 0 &&
	      !strstr(rig_text, "policy.dir"));
}

int main(void)
{
	rig_begin();
	CHECK(mkdir(rig_path("set"), 0755) == 0);
	rig_write("tools.json", TOOLS);
	rig_write("set/a.cedar", POLICIES);
	RUN(catalogues);
	RUN(times);
	RUN(a_folder_is_checked_over_tools);
	RUN(a_whole_folder_is_checked_alone);
	RUN(cases_are_run);
	RUN(questions_are_explained);
	RUN(wrong_questions_are_told);
	RUN(the_schema_is_printed);
	RUN(sets_are_signed);
	RUN(settings_are_tried);
	rig_end();
	return unit_end();
}
