/* The design's sample policies behave as they are commented, over the generated schema. */
#include "tests/unit/policy_rig.h"
#include "tests/unit/unit.h"

static char *read_samples(void)
{
	static char text[65536];
	FILE *f = fopen("tests/unit/policy_samples.cedar", "rb");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);

	text[n] = '\0';
	if (f != NULL)
		(void)fclose(f);
	return text;
}

static const char people[] =
	"[{\"uid\":{\"type\":\"Gate::Human\",\"id\":\"alice\"},\"attrs\":{\"issuer\":\"i\",\"contractor\":false,"
	"\"max_trust\":3},\"parents\":[]},"
	"{\"uid\":{\"type\":\"Gate::Human\",\"id\":\"carl\"},\"attrs\":{\"issuer\":\"i\",\"contractor\":true,"
	"\"max_trust\":3},\"parents\":[]},"
	"{\"uid\":{\"type\":\"Gate::Human\",\"id\":\"sam\"},\"attrs\":{\"issuer\":\"i\",\"contractor\":false,"
	"\"max_trust\":0},\"parents\":[],\"tags\":{\"roles\":[\"sre\"]}},"
	"{\"uid\":{\"type\":\"Gate::Agent\",\"id\":\"claude\"},\"attrs\":{\"trust\":2,\"attested\":true},"
	"\"parents\":[]}]";

static struct rig rig;

static void start(void)
{
	rig_init(&rig);
	rig_samples(&rig);
	rig_file(&rig, "samples.cedar", read_samples());
	rig_file(&rig, "entities.json", people);
	if (rig_build(&rig) != 0) {
		fprintf(stderr, "%s", buf_text(&rig.errors));
		exit(1);
	}
}

static void test_read(void)
{
	start();
	CHECK(policy_set_count(rig.set) == 12);
	CHECK(rig_ask(&rig, "github", "list_issues", "{\"repo\":\"a/b\"}"));
	CHECK(rig_says(&rig, "policy-permit", "read-auto-allow"));
	CHECK(rig.v.reason[0] == '\0' && rig.v.help == 0);
	rig.q.agent = "unknown";
	CHECK(!rig_ask(&rig, "github", "list_issues", "{\"repo\":\"a/b\"}"));
	CHECK(rig_says(&rig, "policy-default", ""));
	/* The claim of policy 12 needs no trust. */
	rig.q.human = "sam";
	CHECK(rig_ask(&rig, "github", "list_issues", "{\"repo\":\"a/b\",\"limit\":5}"));
	CHECK(rig_says(&rig, "policy-permit", "role-by-claim"));
	rig_free(&rig);
}

static void test_write_and_consent(void)
{
	start();
	CHECK(rig_ask(&rig, "github", "create_issue", "{\"repo\":\"a/b\",\"title\":\"t\"}"));
	CHECK(rig_says(&rig, "policy-permit", "write-needs-consent"));
	rig.q.consented = false;
	CHECK(!rig_ask(&rig, "github", "create_issue", "{\"repo\":\"a/b\",\"title\":\"t\"}"));
	CHECK(rig_says(&rig, "policy-default", "") && rig.v.help == POLICY_HELP_CONSENT);
	CHECK(strstr(rig.v.reason, "does not cover") != NULL);
	rig.q.consented = true;
	rig.q.consent_expires_unix = RIG_NOW;
	CHECK(!rig_ask(&rig, "github", "create_issue", "{\"repo\":\"a/b\",\"title\":\"t\"}"));
	CHECK(strstr(rig.v.reason, "expired") != NULL);
	rig_free(&rig);
}

static void test_business_hours(void)
{
	start();
	rig.q.utc_offset_s = 8 * 3600; /* 18:00 where the tenant is */
	CHECK(!rig_ask(&rig, "github", "create_issue", "{\"repo\":\"a/b\",\"title\":\"t\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "business-hours"));
	rig.q.utc_offset_s = -2 * 3600; /* 8:00 */
	CHECK(rig_ask(&rig, "github", "create_issue", "{\"repo\":\"a/b\",\"title\":\"t\"}"));
	rig.q.now_unix_ms += 86400000; /* Saturday */
	rig.q.consent_expires_unix += 86400;
	CHECK(!rig_ask(&rig, "github", "create_issue", "{\"repo\":\"a/b\",\"title\":\"t\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "business-hours"));
	rig_free(&rig);
}

static void test_arguments(void)
{
	start();
	CHECK(rig_ask(&rig, "fs", "write_file", "{\"path\":\"/srv/workspace/a\",\"content\":\"x\"}"));
	CHECK(!rig_ask(&rig, "fs", "write_file", "{\"path\":\"/etc/passwd\",\"content\":\"x\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "fs-write-inside-workspace"));
	CHECK(!rig_ask(&rig, "fs", "write_file", "{\"path\":\"/srv/workspace/\\u002e./a\",\"content\":\"x\"}"));
	rig.q.labels = (const char *const[]){"confidential", "a", "confidential"};
	rig.q.nlabels = 3;
	CHECK(!rig_ask(&rig, "github", "create_issue", "{\"repo\":\"public/b\",\"title\":\"t\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "no-exfiltration"));
	CHECK(rig_ask(&rig, "github", "create_issue", "{\"repo\":\"own/b\",\"title\":\"t\"}"));
	rig_free(&rig);
}

static void test_destructive(void)
{
	start();
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}"));
	CHECK(rig_says(&rig, "policy-default", ""));
	CHECK(rig.v.help == POLICY_HELP_APPROVAL && rig.v.four_eyes);
	CHECK(strstr(rig.v.reason, "another person") != NULL);
	rig.q.approved = true;
	rig.q.approver = "alice";
	rig.q.mfa = true;
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}"));
	CHECK(rig.v.help == 0);
	rig.q.approver = "bob";
	CHECK(rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\",\"cascade\":true}"));
	CHECK(rig_says(&rig, "policy-permit", "destructive-needs-approval"));
	rig.q.mfa = false;
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}"));
	rig.q.mfa = true;
	rig.q.source_ip = "::ffff:192.0.2.1";
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "destructive-from-inside"));
	rig.q.source_ip = "fd00:20::9";
	CHECK(rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}"));
	rig.q.human = "carl";
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "contractor-never-prod"));
	CHECK(strcmp(rig.v.reason, "contractors have no access to production") == 0);
	rig_free(&rig);
}

/* 200 people, of whom the last may approve; others come first. */
static char *crowd(void)
{
	static char text[65536];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "[{\"uid\":{\"type\":\"Gate::Team\",\"id\":\"approvers\"},"
				    "\"attrs\":{},\"parents\":[]}");

	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n,
			",{\"uid\":{\"type\":\"Gate::Human\",\"id\":\"h%03d\"},\"attrs\":{\"issuer\":\"i\","
			"\"contractor\":false,\"max_trust\":3},\"parents\":[%s]}",
			i, i < 199 ? "" : "{\"type\":\"Gate::Team\",\"id\":\"approvers\"}");
	snprintf(text + n, sizeof(text) - n, "]");
	return text;
}

static void start_crowd(const char *policies)
{
	rig_init(&rig);
	rig_samples(&rig);
	rig_file(&rig, "crowd.cedar", policies);
	rig_file(&rig, "entities.json", crowd());
	if (rig_build(&rig) != 0) {
		fprintf(stderr, "%s", buf_text(&rig.errors));
		exit(1);
	}
	rig.q.human = "h000";
}

/* Whoever may approve is found, or asked for; what no approver can change asks for none. */
static void test_many_possible_approvers(void)
{
	static const char team[] =
		"@id(\"team\") @on_deny(\"approval\") permit (principal, action, resource) when {\n"
		"  context.base has approval && context.base has consent && context.base.consent.tier >= 2 &&\n"
		"  context.base.approval.approver in Gate::Team::\"approvers\"\n};\n";

	start_crowd(team);
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}"));
	CHECK(rig.v.help == POLICY_HELP_APPROVAL && rig.v.four_eyes);
	rig_aim(&rig, "db", "drop_table");
	rig.q.args = NULL;
	CHECK(policy_shows(rig.decider, &rig.q));
	/* The other conditions must be met. */
	rig.q.consent_tier = TIER_READ;
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}") && rig.v.help == 0);
	rig.q.consent_tier = TIER_WRITE;
	rig.q.approved = true;
	rig.q.approver = "h199";
	CHECK(rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}"));
	rig.q.approver = "h198";
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}") && rig.v.help == 0);
	rig_free(&rig);
	/* Somebody could lift the one refusal, and nobody the other. */
	start_crowd("@id(\"all\") permit (principal, action, resource);\n"
		    "@id(\"one\") forbid (principal, action, resource) unless {\n"
		    "  context.base has approval && context.base.approval.approver == Gate::Human::\"h150\"\n};\n"
		    "@id(\"two\") forbid (principal, action == Gate::Action::\"db/drop_table\", resource) when {\n"
		    "  context.args.table == \"x\"\n};\n");
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"t\"}") && rig.v.help == POLICY_HELP_APPROVAL);
	CHECK(!rig_ask(&rig, "db", "drop_table", "{\"table\":\"x\"}") && rig.v.help == 0);
	rig_free(&rig);
}

static void test_quarantine(void)
{
	start();
	rig.q.schema_ok = false;
	CHECK(!rig_ask(&rig, "github", "list_issues", "{\"repo\":\"a/b\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "quarantine"));
	rig.q.schema_ok = true;
	rig_aim(&rig, "github", "list_issues");
	rig.q.tool_sha256 = rig.digest;
	policy_decide(rig.decider, &rig.q, &rig.v);
	CHECK(rig_says(&rig, "policy-forbid", "quarantine"));
	rig_free(&rig);
}

static void test_trust_ceiling(void)
{
	start();
	rig_free(&rig);
	rig_init(&rig);
	rig_samples(&rig);
	rig.servers[0].min_trust = 3;
	rig_file(&rig, "samples.cedar", read_samples());
	rig_file(&rig, "entities.json", people);
	CHECK(rig_build(&rig) == 0);
	CHECK(!rig_ask(&rig, "github", "list_issues", "{\"repo\":\"a/b\"}"));
	CHECK(rig_says(&rig, "policy-forbid", "trust-ceiling"));
	rig_free(&rig);
}

static void test_agent_alone(void)
{
	start();
	rig.q.human = "";
	CHECK(!rig_ask(&rig, "github", "list_issues", "{\"repo\":\"a/b\"}"));
	CHECK(rig_says(&rig, "policy-default", ""));
	rig_free(&rig);
}

static void test_shows(void)
{
	start();
	rig.q.args_sha256 = NULL;
	rig_aim(&rig, "github", "list_issues");
	CHECK(policy_shows(rig.decider, &rig.q));
	rig_aim(&rig, "fs", "write_file");
	CHECK(policy_shows(rig.decider, &rig.q));
	rig_aim(&rig, "db", "drop_table");
	CHECK(policy_shows(rig.decider, &rig.q));
	rig.q.source_ip = "192.0.2.1";
	CHECK(!policy_shows(rig.decider, &rig.q));
	rig.q.source_ip = "10.20.0.7";
	rig_aim(&rig, "github", "create_issue");
	rig.q.consented = false;
	CHECK(!policy_shows(rig.decider, &rig.q));
	rig_aim(&rig, "github", "nothing");
	CHECK(!policy_shows(rig.decider, &rig.q));
	rig_free(&rig);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(test_read);
	RUN(test_write_and_consent);
	RUN(test_business_hours);
	RUN(test_arguments);
	RUN(test_destructive);
	RUN(test_many_possible_approvers);
	RUN(test_quarantine);
	RUN(test_trust_ceiling);
	RUN(test_agent_alone);
	RUN(test_shows);
	return unit_end();
}
