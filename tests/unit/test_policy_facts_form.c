/* Facts are written in canonical form at once: the bytes are those that they always were, and canonical. */
#include "common/json_canonical.h"
#include "tests/unit/policy_rig.h"
#include "tests/unit/unit.h"

static struct rig rig;

/* Names whose order is another by length, by bytes and by UTF-16 units. */
static const char odd[] =
	"{\"name\":\"odd\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"zz\":{\"type\":\"integer\"},"
	"\"a\":{\"type\":\"string\"},\"aa\":{\"type\":\"number\"},\"B\":{\"type\":\"boolean\"},\"\\ue000\":{\"type\":"
	"\"string\"},\"\\ud83d\\ude00\":{\"type\":\"string\"},\"\\ud83d\\ude00a\":{\"type\":\"integer\"},\"\\ufb01\":{"
	"\"type\":\"integer\"},\"\\u00e9\":{\"type\":\"string\"},\"q\\\"\\\\/~\":{\"type\":\"string\"},\"\\u0001\":{"
	"\"type\":\"string\"},\"list\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"y\":{"
	"\"type\":\"integer\"},\"long\":{\"type\":\"number\"}}}},\"o\":{\"type\":\"object\",\"properties\":{\"xyz\":{"
	"\"type\":\"boolean\"},\"xy\":{\"type\":\"string\"},\"z\":{\"type\":\"object\",\"properties\":{\"k\":{\"type\":"
	"\"integer\"}}}}}}}}";

#define ON_ODD "principal, action == Gate::Action::\"s/odd\", resource"

static const char policies[] =
	"@id(\"all\")\npermit(" ON_ODD ") when { context.args == context.args };\n"
	"@id(\"fails\")\npermit(" ON_ODD ") when { context.args has zz && context.args.zz + "
	"9223372036854775807 > 0 };\n"
	"@id(\"no\")\n@reason(\"no\")\nforbid(" ON_ODD ") when { context.args has B && context.args.B "
	"};\n"
	"@id(\"ask\")\n@on_deny(\"approval\")\npermit(" ON_ODD ") when { context.base has approval "
	"};\n";

static void start(void)
{
	rig_init(&rig);
	rig_server(&rig, "s", "dev");
	rig_tool(&rig, "s", "odd", TIER_WRITE, odd);
	rig_file(&rig, "a.cedar", policies);
	if (rig_build(&rig) != 0) {
		fprintf(stderr, "%s", buf_text(&rig.errors));
		exit(1);
	}
}

static bool facts_are(bool arguments, size_t max, const char *want)
{
	struct buf out;
	bool same;

	buf_init(&out, 65536);
	CHECK(policy_facts(rig.decider, &rig.q, &rig.v, arguments, max, &out) == 0);
	same = strcmp(buf_text(&out), want) == 0;
	if (!same)
		fprintf(stderr, "got  %s\nwant %s\n", buf_text(&out), want);
	buf_free(&out);
	return same;
}

/* What the one before wrote, which sorted a second time. */
static const struct {
	const char *args; /* NULL: listed, not called */
	bool much, arguments;
	size_t max;
	const char *facts;
} rows[] = {
	{"{\"zz\":1,\"a\":\"x\\n\\u00e9\\\"\",\"aa\":-0.5,\"B\":false,\"\\ue000\":\"e\",\"\\ud83d\\ude00\":\"f\","
	 "\"\\ud83d\\ude00a\":9007199254740992,\"\\ufb01\":-9007199254740991,\"\\u00e9\":\"\\u001f\",\"q\\\"\\\\/"
	 "~\":\"/"
	 "\",\"\\u0001\":\"\",\"list\":[{\"y\":2,\"long\":1.25},{}],\"o\":{\"xyz\":true,\"xy\":\"\",\"z\":{\"k\":3}},"
	 "\"other\":1}",
	 true, true, 24576,
	 "{\"action\":{\"id\":\"s/"
	 "odd\",\"type\":\"Gate::Action\"},\"args\":{\"\\u0001\":\"\",\"B\":false,\"a\":\"x\\n\xc3\xa9\\\"\",\"aa\":\"-"
	 "0.5000\",\"list\":[{},{\"long\":\"1.2500\",\"y\":2}],\"o\":{\"xy\":\"\",\"xyz\":true,\"z\":{\"k\":3}},"
	 "\"q\\\"\\\\/~\":\"/\",\"zz\":1,\"\xc3\xa9\":\"\\u001f\",\"\xf0\x9f\x98\x80\":\"f\",\"\xf0\x9f\x98\x80"
	 "a\":\"9007199254740992\",\"\xee\x80\x80\":\"e\",\"\xef\xac\x81\":-9007199254740991},\"base\":{\"agent\":"
	 "\"claude\",\"approval\":{\"approver\":\"bob\",\"expires\":1763719800},\"args_digest\":"
	 "\"3333333333333333333333333333333333333333333333333333333333333333\",\"consent\":{\"covers\":true,"
	 "\"expires\":1763722800,\"id\":\"22222222222222222222222222222222\",\"tier\":2},\"labels\":[\"internal\","
	 "\"a\\\"b\xc3\xa9\"],\"mfa\":true,\"now\":1763719200000,\"risk\":-7,\"schema_ok\":true,\"session_id\":"
	 "\"11111111111111111111111111111111\",\"source_ip\":\"2001:db8::1\",\"tool_digest\":"
	 "\"310fbb05c517f56121201af827860ae7e8a0c9e8f3f5fce48d67f4df7971cd0b\",\"utc_offset\":-3600},\"errors\":["
	 "\"fails\"],\"human\":\"o\\\"neil\",\"policies\":[\"all\",\"ask\"],\"principal\":{\"id\":\"o\\\"neil\","
	 "\"type\":\"Gate::Human\"},\"resource\":{\"id\":\"s/"
	 "odd\",\"type\":\"Gate::Tool\"},\"server\":\"s\",\"spoken\":[\"/\\u0001\",\"/B\",\"/a\",\"/o\",\"/o/z\",\"/o/"
	 "z/k\",\"/o/xy\",\"/o/xyz\",\"/aa\",\"/zz\",\"/\xc3\xa9\",\"/\xee\x80\x80\",\"/\xef\xac\x81\",\"/list\",\"/"
	 "\xf0\x9f\x98\x80\",\"/q\\\"\\\\~1~0\",\"/\xf0\x9f\x98\x80"
	 "a\"],\"tool\":\"odd\"}"},
	{"{\"zz\":9007199254740993,\"B\":true}", false, true, 24576,
	 "{\"action\":{\"id\":\"s/"
	 "odd\",\"type\":\"Gate::Action\"},\"args\":{\"B\":true,\"zz\":\"9007199254740993\"},\"base\":{\"agent\":"
	 "\"claude\",\"args_digest\":\"3333333333333333333333333333333333333333333333333333333333333333\",\"labels\":[]"
	 ",\"mfa\":false,\"now\":1763719200000,\"risk\":0,\"schema_ok\":true,\"source_ip\":\"10.0.0.1\",\"tool_"
	 "digest\":\"310fbb05c517f56121201af827860ae7e8a0c9e8f3f5fce48d67f4df7971cd0b\",\"utc_offset\":0},\"errors\":["
	 "\"fails\"],\"human\":\"\",\"policies\":[\"no\"],\"principal\":{\"id\":\"claude\",\"type\":\"Gate::Agent\"},"
	 "\"resource\":{\"id\":\"s/odd\",\"type\":\"Gate::Tool\"},\"server\":\"s\",\"spoken\":[\"/\\u0001\",\"/B\",\"/"
	 "a\",\"/o\",\"/o/z\",\"/o/z/k\",\"/o/xy\",\"/o/xyz\",\"/aa\",\"/zz\",\"/\xc3\xa9\",\"/\xee\x80\x80\",\"/"
	 "\xef\xac\x81\",\"/list\",\"/\xf0\x9f\x98\x80\",\"/q\\\"\\\\~1~0\",\"/\xf0\x9f\x98\x80"
	 "a\"],\"tool\":\"odd\"}"},
	{"{\"a\":\"hush\"}", true, false, 24576,
	 "{\"action\":{\"id\":\"s/"
	 "odd\",\"type\":\"Gate::Action\"},\"base\":{\"agent\":\"claude\",\"approval\":{\"approver\":\"bob\","
	 "\"expires\":1763719800},\"args_digest\":\"3333333333333333333333333333333333333333333333333333333333333333\","
	 "\"consent\":{\"covers\":true,\"expires\":1763722800,\"id\":\"22222222222222222222222222222222\",\"tier\":2},"
	 "\"labels\":[\"internal\",\"a\\\"b\xc3\xa9\"],\"mfa\":true,\"now\":1763719200000,\"risk\":-7,\"schema_ok\":"
	 "true,\"session_id\":\"11111111111111111111111111111111\",\"source_ip\":\"2001:db8::1\",\"tool_digest\":"
	 "\"310fbb05c517f56121201af827860ae7e8a0c9e8f3f5fce48d67f4df7971cd0b\",\"utc_offset\":-3600},\"errors\":[],"
	 "\"human\":\"o\\\"neil\",\"policies\":[\"all\",\"ask\"],\"principal\":{\"id\":\"o\\\"neil\",\"type\":\"Gate::"
	 "Human\"},\"resource\":{\"id\":\"s/odd\",\"type\":\"Gate::Tool\"},\"server\":\"s\",\"tool\":\"odd\"}"},
	{"{\"a\":\"not\\u0000told\"}", true, true, 24576,
	 "{\"action\":{\"id\":\"s/"
	 "odd\",\"type\":\"Gate::Action\"},\"base\":{\"agent\":\"claude\",\"approval\":{\"approver\":\"bob\","
	 "\"expires\":1763719800},\"args_digest\":\"3333333333333333333333333333333333333333333333333333333333333333\","
	 "\"consent\":{\"covers\":true,\"expires\":1763722800,\"id\":\"22222222222222222222222222222222\",\"tier\":2},"
	 "\"labels\":[\"internal\",\"a\\\"b\xc3\xa9\"],\"mfa\":true,\"now\":1763719200000,\"risk\":-7,\"schema_ok\":"
	 "true,\"session_id\":\"11111111111111111111111111111111\",\"source_ip\":\"2001:db8::1\",\"tool_digest\":"
	 "\"310fbb05c517f56121201af827860ae7e8a0c9e8f3f5fce48d67f4df7971cd0b\",\"utc_offset\":-3600},\"cut\":true,"
	 "\"errors\":[],\"human\":\"o\\\"neil\",\"policies\":[\"all\",\"ask\"],\"principal\":{\"id\":\"o\\\"neil\","
	 "\"type\":\"Gate::Human\"},\"resource\":{\"id\":\"s/"
	 "odd\",\"type\":\"Gate::Tool\"},\"server\":\"s\",\"tool\":\"odd\"}"},
	{NULL, false, true, 24576,
	 "{\"action\":{\"id\":\"s/"
	 "odd\",\"type\":\"Gate::Action\"},\"base\":{\"agent\":\"claude\",\"args_digest\":"
	 "\"3333333333333333333333333333333333333333333333333333333333333333\",\"labels\":[],\"mfa\":false,\"now\":"
	 "1763719200000,\"risk\":0,\"schema_ok\":true,\"source_ip\":\"10.0.0.1\",\"tool_digest\":"
	 "\"310fbb05c517f56121201af827860ae7e8a0c9e8f3f5fce48d67f4df7971cd0b\",\"utc_offset\":0},\"errors\":[\"fails\","
	 "\"no\"],\"human\":\"\",\"policies\":[],\"principal\":{\"id\":\"claude\",\"type\":\"Gate::Agent\"},"
	 "\"resource\":{\"id\":\"s/odd\",\"type\":\"Gate::Tool\"},\"server\":\"s\",\"tool\":\"odd\"}"},
};

static void set_row(size_t i)
{
	static const char *const labels[] = {"internal", "a\"b\xc3\xa9"};

	rig.q.human = rows[i].much ? "o\"neil" : "";
	rig.q.source_ip = rows[i].much ? "2001:db8::1" : "10.0.0.1";
	rig.q.risk = rows[i].much ? -7 : 0;
	rig.q.utc_offset_s = rows[i].much ? -3600 : 0;
	rig.q.consent = rows[i].much ? rig.consent : NULL;
	rig.q.session = rows[i].much ? rig.session : NULL;
	rig.q.approved = rows[i].much;
	rig.q.approver = "bob";
	rig.q.mfa = rows[i].much;
	rig.q.labels = labels;
	rig.q.nlabels = rows[i].much ? 2 : 0;
	(void)rig_ask(&rig, "s", "odd", rows[i].args);
}

static void the_bytes_are_what_they_were(void)
{
	start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_row(i);
		CHECK(facts_are(rows[i].arguments, rows[i].max, rows[i].facts));
	}
	rig_free(&rig);
}

static uint64_t state = 88172645463325252u;

static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16) % n;
}

/* Text with all that is escaped, or not. */
static void random_text(char *out, size_t size)
{
	static const char *const piece[] = {
		"a",        "Z9 _",           "\\\"",    "\\\\", "/",   "\\n", "\\u0001",          "\\u001f",
		"\xc3\xa9", "\\ud83d\\ude00", "\\u2028", "\x7f", "\\t", "~",   "\xf0\x9f\x98\x80", "\\u00e9"};
	size_t n = 0;

	out[0] = '\0';
	for (uint32_t i = below(8); i > 0 && n + 16 < size; i--)
		n += (size_t)snprintf(out + n, size - n, "%s", piece[below(16)]);
}

static void random_args(char *out, size_t size)
{
	static const char *const number[] = {
		"0",   "-1",   "9007199254740991",    "9007199254740992", "-9007199254740993",
		"1.5", "-0.5", "9223372036854775807", "-0.0001",          "922337203685477.5807",
		"1e3", "12"};
	static const char *const text_names[] = {"a", "\\ue000", "\\ud83d\\ude00", "\\u00e9", "q\\\"\\\\/~", "\\u0001"};
	static const char *const other_names[] = {"zz", "aa", "\\ud83d\\ude00a", "\\ufb01"};
	size_t n = (size_t)snprintf(out, size, "{\"other\":1");
	char text[160];

	for (size_t i = 0; i < 6; i++) {
		random_text(text, sizeof(text));
		if (below(2) == 0)
			n += (size_t)snprintf(out + n, size - n, ",\"%s\":\"%s\"", text_names[i], text);
	}
	for (size_t i = 0; i < 4; i++)
		if (below(2) == 0)
			n += (size_t)snprintf(out + n, size - n, ",\"%s\":%s", other_names[i],
					      number[below(i == 1 ? 12 : 5)]);
	if (below(3) == 0)
		n += (size_t)snprintf(out + n, size - n, ",\"B\":%s", below(2) == 0 ? "true" : "false");
	if (below(2) == 0)
		n += (size_t)snprintf(out + n, size - n, ",\"list\":[{\"y\":%u},{\"long\":%u.5,\"y\":2},{}]", below(9),
				      below(9));
	if (below(2) == 0)
		n += (size_t)snprintf(out + n, size - n, ",\"o\":{\"z\":{\"k\":%u},\"xyz\":true,\"xy\":\"%u\"}",
				      below(9), below(9));
	(void)snprintf(out + n, size - n, "}");
}

static void random_request(void)
{
	static const char *const labels[] = {"internal", "a\"b", "\xc3\xa9"};
	static const char *const humans[] = {"alice", "", "o\"neil", "\xff\xfe"};

	rig.q.human = humans[below(4)];
	rig.q.source_ip = below(8) == 0 ? "" : below(2) == 0 ? "10.0.0.1" : "2001:db8::1";
	rig.q.risk = (int64_t)below(200) - 50;
	rig.q.utc_offset_s = (int32_t)below(7200) - 3600;
	rig.q.mfa = below(2) == 0;
	rig.q.consent = below(4) == 0 ? NULL : rig.consent;
	rig.q.session = below(4) == 0 ? NULL : rig.session;
	rig.q.approved = below(3) == 0;
	rig.q.approver = below(2) == 0 ? "bob" : "";
	rig.q.now_unix_ms = below(9) == 0 ? UINT64_MAX : RIG_NOW * 1000 + below(1000);
	rig.q.labels = labels;
	rig.q.nlabels = below(4);
}

/* Canonical already: written again by the one that sorts, it is the same. */
static void check_canonical(const struct buf *out)
{
	struct json_doc doc;
	struct buf again;

	json_init(&doc);
	buf_init(&again, 65536);
	CHECK(json_scan(&doc, (const char *)buf_ptr(out), buf_len(out), NULL) == 0 &&
	      json_put_canonical(&again, &doc, 0) == 0);
	CHECK(buf_len(&again) == buf_len(out) && memcmp(buf_ptr(&again), buf_ptr(out), buf_len(out)) == 0);
	buf_free(&again);
	json_free(&doc);
}

static void random_requests_are_canonical(void)
{
	unsigned allowed = 0, told = 0;
	char args[4096];
	struct buf out;

	start();
	buf_init(&out, 65536);
	for (int i = 0; i < 20000; i++) {
		size_t max = below(3) == 0 ? 200 + below(1500) : 24576;
		int rc;

		random_request();
		random_args(args, sizeof(args));
		allowed += rig_ask(&rig, "s", "odd", below(50) == 0 ? NULL : args);
		buf_reset(&out);
		rc = policy_facts(rig.decider, &rig.q, &rig.v, below(8) != 0, max, &out);
		CHECK(rc == 0 ? buf_len(&out) <= max : rc == KG_E_LIMIT && buf_len(&out) == 0);
		if (rc == 0)
			check_canonical(&out);
#ifdef COMPARE
		compare(&rig, max, rc, &out);
#endif
		told += rc == 0;
	}
	CHECK(allowed > 5000 && allowed < 19000 && told > 10000);
	buf_free(&out);
	rig_free(&rig);
}

/* What an earlier question leaves behind stands in no other's facts. */
static void another_question_between(void)
{
	struct policy_decision first;
	struct buf a, b;

	start();
	buf_init(&a, 65536);
	buf_init(&b, 65536);
	CHECK(rig_ask(&rig, "s", "odd", "{\"a\":\"one\"}"));
	first = rig.v;
	CHECK(policy_facts(rig.decider, &rig.q, &first, true, 24576, &a) == 0);
	CHECK(rig_ask(&rig, "s", "odd", "{\"a\":\"two\"}"));
	CHECK(json_scan(&rig.args, "{\"a\":\"one\"}", 11, NULL) == 0);
	CHECK(policy_facts(rig.decider, &rig.q, &first, true, 24576, &b) == 0);
	CHECK(strcmp(buf_text(&a), buf_text(&b)) == 0 && strstr(buf_text(&a), "\"one\"") != NULL);
	buf_free(&a);
	buf_free(&b);
	rig_free(&rig);
}

int main(void)
{
	if (sodium_init() < 0)
		return 2;
	RUN(the_bytes_are_what_they_were);
	RUN(random_requests_are_canonical);
	RUN(another_question_between);
	return unit_end();
}
