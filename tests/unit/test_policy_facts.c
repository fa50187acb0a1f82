/* What fails denies; what is recorded can be asked again; what is explained names its line. */
#include "tests/unit/policy_rig.h"
#include "tests/unit/unit.h"

static struct rig rig;

static const char schema[] = "{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"i\":{\"type\":"
			     "\"integer\"},\"d\":{\"type\":"
			     "\"number\"},\"path\":{\"type\":\"string\"},\"secret\":{\"type\":\"string\"},\"tags\":{"
			     "\"type\":\"array\",\"items\":{"
			     "\"type\":\"string\"}},\"o\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":"
			     "\"boolean\"},\"y/z~\":{\"type\":"
			     "\"string\"},\"hidden\":{\"type\":\"string\"}}}}}}";

#define ON_T "principal, action == Gate::Action::\"s/t\", resource"

static const char policies[] =
	"@id(\"all\")\n"
	"permit(" ON_T ") when {\n"
	"  context.base.agent.trust >= 1 &&\n"
	"  !(context.args has path && context.args.path like \"/etc/*\")\n"
	"};\n"
	"@id(\"sum\")\n"
	"forbid(" ON_T ") when { context.args has i && context.args.i + 9223372036854775800 < 0 };\n"
	"@id(\"much\")\n"
	"forbid(" ON_T ") when { context.args has d && context.args.d.greaterThan(decimal(\"10.0\")) };\n"
	"@id(\"tagged\")\n"
	"forbid(" ON_T ") when { context.args has tags && context.args.tags.contains(\"bad\") };\n"
	"@id(\"deep\")\n"
	"forbid(" ON_T ") when { context.args has o.x && context.args.o.x && context.args.o has \"y/z~\" };\n"
	"@id(\"late\")\n@on_deny(\"step-up\")\n"
	"permit(principal in Gate::Team::\"night\", action, resource)\n"
	"unless { context.base.local_time > duration(\"6h\") };\n";

static const char entities[] =
	"[{\"uid\":{\"type\":\"Gate::Agent\",\"id\":\"claude\"},\"attrs\":{\"trust\":2,\"attested\":true},\"parents\":["
	"]},"
	"{\"uid\":{\"type\":\"Gate::Human\",\"id\":\"night\"},\"attrs\":{\"issuer\":\"\",\"contractor\":false,"
	"\"max_trust\":0},\"parents\":[{\"type\":\"Gate::Team\",\"id\":\"night\"}]}]";

static void start(const char *more)
{
	rig_init(&rig);
	rig_server(&rig, "s", "dev");
	rig_tool(&rig, "s", "t", TIER_WRITE, schema);
	rig_file(&rig, "a.cedar", policies);
	if (more != NULL)
		rig_file(&rig, "b.cedar", more);
	rig_file(&rig, "entities.json", entities);
	if (rig_build(&rig) != 0) {
		fprintf(stderr, "%s", buf_text(&rig.errors));
		exit(1);
	}
}

static void test_error_denies(void)
{
	start(NULL);
	CHECK(rig_ask(&rig, "s", "t", "{\"i\":7}"));
	CHECK(!rig_ask(&rig, "s", "t", "{\"i\":8}"));
	CHECK(rig_says(&rig, "policy-error", "sum"));
	CHECK(strstr(rig.v.reason, "does not fit 64 bits") != NULL);
	rig_free(&rig);
}

/* Facts of the present question; owned by the caller. */
static char *facts(bool arguments, size_t max)
{
	struct buf out;
	char *text = NULL;

	buf_init(&out, 65536);
	if (policy_facts(rig.decider, &rig.q, &rig.v, arguments, max, &out) == 0)
		text = strdup(buf_text(&out));
	buf_free(&out);
	return text;
}

static void test_facts(void)
{
	char *text;

	start(NULL);
	CHECK(rig_ask(
		&rig, "s", "t",
		"{\"secret\":\"hush\",\"path\":\"/a\\u00e9\",\"d\":1.5,\"i\":-9007199254740993,\"tags\":[\"b\",\"a\"],"
		"\"o\":{\"x\":true,\"hidden\":\"hush\"}}"));
	text = facts(true, 16384);
	CHECK(text != NULL && strstr(text, "hush") == NULL);
	CHECK(strstr(text, "\"args\":{\"d\":\"1.5000\",\"i\":\"-9007199254740993\",\"o\":{\"x\":true},"
			   "\"path\":\"/a\xc3\xa9\",\"tags\":[\"a\",\"b\"]}") != NULL);
	CHECK(strstr(text, "\"policies\":[\"all\"]") != NULL && strstr(text, "\"errors\":[]") != NULL);
	CHECK(strstr(text, "\"/o/y~1z~0\"") != NULL);
	CHECK(text[0] == '{' && strncmp(text + 1, "\"action\":{\"id\":\"s/t\",\"type\":\"Gate::Action\"}", 41) == 0);
	free(text);
	text = facts(false, 16384);
	CHECK(text != NULL && strstr(text, "\"args\":") == NULL && strstr(text, "\"cut\"") == NULL);
	free(text);
	CHECK(rig_ask(&rig, "s", "t", "{\"path\":\"a\\u0000b\"}"));
	text = facts(true, 16384);
	CHECK(text != NULL && strstr(text, "\"args\":") == NULL && strstr(text, "\"cut\":true") != NULL);
	free(text);
	text = facts(true, 20);
	CHECK(text == NULL);
	rig_free(&rig);
}

static void test_cut(void)
{
	char args[9000], *text;

	start(NULL);
	memset(args, 'x', sizeof(args));
	memcpy(args, "{\"path\":\"", 9);
	memcpy(args + sizeof(args) - 3, "\"}", 3);
	CHECK(rig_ask(&rig, "s", "t", args));
	text = facts(true, 4096);
	CHECK(text != NULL && strlen(text) < 4096 && strstr(text, "\"cut\":true") != NULL);
	free(text);
	rig_free(&rig);
}

/* Another set over the same tools. */
static struct policy_decider *other_set(const char *text, struct policy_set **set)
{
	struct rig other = rig;

	other.source.files = other.files;
	other.files[0] = (struct policy_file){"a.cedar", text, strlen(text)};
	if (policy_set_build(&other.source, set, &rig.errors) != 0)
		fprintf(stderr, "%s", buf_text(&rig.errors));
	return policy_decider_new(*set);
}

static void test_replay_elsewhere(void)
{
	struct policy_set *set;
	struct policy_decision v;
	struct policy_decider *d;
	const char *why;
	char *text;

	start(NULL);
	CHECK(rig_ask(&rig, "s", "t", "{\"path\":\"/a\",\"secret\":\"hush\"}"));
	text = facts(true, 16384);
	d = other_set(
		"@id(\"x\") forbid(principal, action == Gate::Action::\"s/t\", resource) when { context.args has path "
		"&& context.args.path == \"/a\" };",
		&set);
	CHECK(policy_replay(d, text, strlen(text), &v, &why) == 0 && !v.allow && strcmp(v.policies, "x") == 0);
	policy_decider_free(d);
	policy_set_free(set);
	d = other_set("forbid(principal, action == Gate::Action::\"s/t\", resource) when { context.args has secret };",
		      &set);
	CHECK(policy_replay(d, text, strlen(text), &v, &why) == KG_E_NOTFOUND && why != NULL);
	policy_decider_free(d);
	policy_set_free(set);
	CHECK(policy_replay(rig.decider, "{}", 2, &v, &why) == KG_E_PROTO);
	CHECK(policy_replay(rig.decider, "[", 1, &v, &why) == KG_E_PROTO);
	free(text);
	text = facts(false, 16384);
	CHECK(policy_replay(rig.decider, text, strlen(text), &v, &why) == KG_E_NOTFOUND);
	free(text);
	rig_free(&rig);
}

static uint32_t seed = 1;

static unsigned int pick(unsigned int n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 16) % n;
}

/* Arguments that hit every policy now and then, and that do not fit now and then. */
static void random_args(char *out, size_t size)
{
	static const char *const parts[] = {"\"i\":7",
					    "\"i\":8",
					    "\"i\":-9223372036854775808",
					    "\"i\":9223372036854775808",
					    "\"d\":1.5",
					    "\"d\":10.0001",
					    "\"d\":1.00001",
					    "\"d\":1e999",
					    "\"path\":\"/\"",
					    "\"path\":\"/etc/x\"",
					    "\"path\":5",
					    "\"tags\":[\"bad\"]",
					    "\"tags\":[]",
					    "\"tags\":[\"a\",\"a\"]",
					    "\"tags\":[1]",
					    "\"o\":{\"x\":true}",
					    "\"o\":{\"x\":true,\"y/z~\":\"\"}",
					    "\"o\":{}",
					    "\"secret\":\"s\""};
	static const unsigned int from[] = {0, 4, 8, 11, 15, 18, 19};
	size_t n = (size_t)snprintf(out, size, "{");

	for (unsigned int i = 0; i + 1 < sizeof(from) / sizeof(from[0]); i++)
		if (pick(3) > 0)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n > 1 ? "," : "",
					      parts[from[i] + pick(from[i + 1] - from[i])]);
	(void)snprintf(out + n, size - n, "}");
}

static void random_request(void)
{
	static const char *const humans[] = {"alice", "night", ""}, *const agents[] = {"claude", "other"};
	static const char *const ips[] = {"10.20.0.7", "::1", "::ffff:10.0.0.1", "bad"};
	static const char *const labels[] = {"a", "b"};

	rig.q.human = humans[pick(3)];
	rig.q.agent = agents[pick(2)];
	rig.q.source_ip = ips[pick(pick(4) == 0 ? 4 : 3)];
	rig.q.nlabels = pick(3);
	rig.q.labels = labels;
	rig.q.consent = pick(4) > 0 ? rig.consent : NULL;
	rig.q.consented = pick(2) > 0;
	rig.q.approved = pick(3) == 0;
	rig.q.approver = humans[pick(2)];
	rig.q.mfa = pick(2) > 0;
	rig.q.risk = pick(101);
	rig.q.now_unix_ms = 1763719200000ull + pick(1000000) * 1000ull;
	rig.q.utc_offset_s = (int32_t)pick(86400) - 43200;
}

static void test_replay_random(void)
{
	char args[512];
	struct policy_decision again;
	const char *why = NULL;
	unsigned int allowed = 0, errors = 0, refused = 0;

	start(NULL);
	for (unsigned int i = 0; i < 3000; i++) {
		char *text;

		random_args(args, sizeof(args));
		random_request();
		allowed += rig_ask(&rig, "s", "t", args);
		errors += strcmp(rig.v.reason_code, "policy-error") == 0;
		refused += strcmp(rig.v.reason_code, "policy-request") == 0;
		text = facts(true, 16384);
		if (text == NULL || policy_replay(rig.decider, text, strlen(text), &again, &why) != 0) {
			fprintf(stderr, "%s: %s\n", args, why);
			CHECK(false);
			free(text);
			break;
		}
		if (again.allow != rig.v.allow || strcmp(again.reason_code, rig.v.reason_code) != 0 ||
		    strcmp(again.policies, rig.v.policies) != 0 || again.help != rig.v.help ||
		    again.four_eyes != rig.v.four_eyes) {
			fprintf(stderr, "%s\n%s / %s\n", text, rig.v.reason_code, again.reason_code);
			CHECK(false);
		}
		free(text);
	}
	CHECK(allowed > 100 && errors > 10 && refused > 100);
	rig_free(&rig);
}

static bool explains(const json_t *e, const char *list, const char *id, int line, const char *condition, int at_line,
		     int column)
{
	const json_t *items = json_object_get(e, list);

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *p = json_array_get(items, i), *f = json_object_get(p, "false");

		if (strcmp(json_string_value(json_object_get(p, "id")), id) != 0)
			continue;
		return json_integer_value(json_object_get(p, "line")) == line &&
		       strcmp(json_string_value(json_object_get(p, "file")), "a.cedar") == 0 &&
		       (condition == NULL ||
			(strcmp(json_string_value(json_object_get(f, "condition")), condition) == 0 &&
			 json_integer_value(json_object_get(f, "line")) == at_line &&
			 json_integer_value(json_object_get(f, "column")) == column));
	}
	return false;
}

static void test_explain(void)
{
	const char *why;
	json_t *e;
	char *text;

	start(NULL);
	rig.q.human = "night";
	CHECK(!rig_ask(&rig, "s", "t", "{\"path\":\"/etc/x\"}"));
	text = facts(true, 16384);
	e = policy_explain(rig.decider, &rig.q);
	CHECK(explains(e, "considered", "all", 1, "!(context.args has path && context.args.path like \"/etc/*\")", 4,
		       3));
	CHECK(explains(e, "considered", "late", 14, "context.base.local_time > duration(\"6h\")", 17, 10));
	CHECK(json_array_size(json_object_get(e, "policies")) == 0);
	json_decref(e);
	e = policy_explain_facts(rig.decider, text, strlen(text), &why);
	CHECK(explains(e, "considered", "all", 1, "!(context.args has path && context.args.path like \"/etc/*\")", 4,
		       3));
	json_decref(e);
	free(text);
	CHECK(!rig_ask(&rig, "s", "t", "{\"d\":11}"));
	e = policy_explain(rig.decider, &rig.q);
	CHECK(explains(e, "policies", "much", 8, NULL, 0, 0));
	CHECK(strcmp(json_string_value(json_object_get(e, "decision")), "deny") == 0);
	json_decref(e);
	CHECK(!rig_ask(&rig, "s", "t", "{\"i\":8}"));
	e = policy_explain(rig.decider, &rig.q);
	CHECK(explains(e, "errors", "sum", 6, NULL, 0, 0));
	json_decref(e);
	rig_free(&rig);
}

static void test_help(void)
{
	start("@id(\"team\")\nforbid(principal, action, resource is Gate::Tool) unless { context.base has approval && "
	      "context.base.approval.approver in Gate::Team::\"night\" };\n");
	/* Forbidden, but not by what an approval of the right person could not change. */
	CHECK(!rig_ask(&rig, "s", "t", "{}"));
	CHECK(rig_says(&rig, "policy-forbid", "team") && rig.v.help == POLICY_HELP_APPROVAL && rig.v.four_eyes);
	rig_aim(&rig, "s", "t");
	rig.q.args = NULL;
	CHECK(policy_shows(rig.decider, &rig.q));
	CHECK(!rig_ask(&rig, "s", "t", "{\"d\":11}"));
	CHECK(rig.v.help == 0);
	rig.q.human = "night";
	CHECK(!rig_ask(&rig, "s", "t", "{}"));
	CHECK(rig.v.help == POLICY_HELP_APPROVAL && !rig.v.four_eyes);
	rig.q.approved = true;
	rig.q.approver = "nobody";
	CHECK(!rig_ask(&rig, "s", "t", "{}"));
	CHECK(rig.v.help == 0);
	rig_free(&rig);
}

/* Whether a list shows s/t under these policies alone. */
static bool shows(const char *text)
{
	struct policy_decider *d;
	struct policy_set *set;
	bool shown;

	start(NULL);
	d = other_set(text, &set);
	rig_aim(&rig, "s", "t");
	rig.q.args_sha256 = NULL;
	shown = policy_shows(d, &rig.q);
	policy_decider_free(d);
	policy_set_free(set);
	rig_free(&rig);
	return shown;
}

#define PERMIT(when) "permit(" ON_T ") when { " when " };\n"
#define FORBID(when) "forbid(" ON_T ") when { " when " };\n"

static void test_shows(void)
{
	CHECK(shows(PERMIT("true")) && !shows("") && !shows(PERMIT("context.base.risk > 5")));
	/* Arguments could be right, */
	CHECK(shows(PERMIT("context.args has path && context.args.path == \"/a\"")));
	CHECK(shows(PERMIT("context.args has o.x && context.args.o.x")));
	CHECK(shows("permit(" ON_T ") unless { context.args has path };"));
	/* but not when something else is false, wherever it stands. */
	CHECK(!shows(PERMIT("context.args has path && context.base.risk > 5")));
	CHECK(!shows("permit(" ON_T ") when { context.args has path } when { context.base.mfa };"));
	/* A forbid that needs no argument refuses, one that does may not. */
	CHECK(!shows(PERMIT("true") FORBID("!context.base.mfa")));
	CHECK(shows(PERMIT("true") FORBID("context.args has path")));
	CHECK(shows(PERMIT("true") "forbid(" ON_T
				   ") unless { context.args has path && context.args.path like \"/a*\" };"));
	/* A forbid that fails would deny. */
	CHECK(!shows(PERMIT("true") FORBID("context.base.risk + 9223372036854775807 > 0 && context.base.risk - 1 - "
					   "9223372036854775807 - 5 > 0")));
	/* An approval could be given. */
	CHECK(shows(PERMIT("context.base has approval && context.args has path")));
	CHECK(shows(PERMIT("true") FORBID("!(context.base has approval)")));
	CHECK(!shows(PERMIT("context.base has approval && context.base.risk > 5")));
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(test_error_denies);
	RUN(test_facts);
	RUN(test_cut);
	RUN(test_replay_elsewhere);
	RUN(test_replay_random);
	RUN(test_explain);
	RUN(test_help);
	RUN(test_shows);
	return unit_end();
}
