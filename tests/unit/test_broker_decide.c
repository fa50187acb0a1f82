/* The order of refusals, and that a list shows what a call could be allowed. */
#include "gatewayd/broker/decide.h"

#include "common/json_text.h"
#include "gatewayd/broker/text.h"
#include "tests/unit/broker_rig.h"

#define STRICT(name)                                                                                                   \
	"{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}}," \
	"\"required\":[\"text\"],\"additionalProperties\":false}}"
#define ABROAD(name)                                                                                                   \
	"{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"$ref\":\"https://"    \
	"example.com/s.json\"}}}}"

/* Everything that can be wrong with a call of notes/t; each row mends the one above it. */
static const struct {
	const char *tools;
	uint64_t expires;
	uint8_t pin;       /* 0: none */
	bool other_listed; /* our own listing is another than the accepted one */
	const char *suspended;
	uint8_t tier;
	const char *args;
	const char *code; /* NULL: allowed */
} table[] = {
	{"wiki/*", 10, 0, true, "*", TIER_READ, "{}", "not-in-consent"},
	{"notes/*", 10, 0, true, "*", TIER_READ, "{}", "consent-expired"},
	{"notes/*", RIG_FAR, 0, true, "*", TIER_READ, "{}", "tool-pending"},
	{"notes/*", RIG_FAR, PIN_PENDING, true, "*", TIER_READ, "{}", "tool-pending"},
	{"notes/*", RIG_FAR, PIN_HELD, true, "*", TIER_READ, "{}", "tool-held"},
	{"notes/*", RIG_FAR, PIN_CHANGED, true, "*", TIER_READ, "{}", "tool-changed"},
	{"notes/*", RIG_FAR, PIN_CHANGED, false, "*", TIER_READ, "{}", "tool-changed"},
	{"notes/*", RIG_FAR, PIN_GONE, false, "*", TIER_READ, "{}", "tool-changed"},
	{"notes/*", RIG_FAR, PIN_ACCEPTED, true, "*", TIER_READ, "{}", "tool-changed"},
	{"notes/*", RIG_FAR, PIN_ACCEPTED, false, "*", TIER_READ, "{}", "tool-changed-since-consent"},
	{"notes/*", RIG_FAR, PIN_ACCEPTED, false, "wiki/t\nnotes/t", TIER_READ, "{}", "tool-changed-since-consent"},
	{"notes/*", RIG_FAR, PIN_ACCEPTED, false, "notes/tt\nnotes/*", TIER_READ, "{}", "tier-above-consent"},
	{"notes/*", RIG_FAR, PIN_ACCEPTED, false, "", TIER_WRITE, "{}", "invalid-arguments"},
	{"notes/*", RIG_FAR, PIN_ACCEPTED, false, "", TIER_WRITE, "{\"text\":1}", "invalid-arguments"},
	{"notes/*", RIG_FAR, PIN_ACCEPTED, false, "", TIER_WRITE, "{\"text\":\"x\",\"y\":1}", "invalid-arguments"},
	{"notes/*", RIG_FAR, PIN_ACCEPTED, false, "", TIER_WRITE, "{\"text\":\"x\"}", NULL},
};

/* A broker that lists notes/t with this definition and has this accepted of it. */
static struct rig *rig_of(const char *definition, uint8_t pin, const char *listed, const char *tier)
{
	char config[1024];
	struct rig *r;

	snprintf(config, sizeof(config),
		 "{\"listen\":{\"port\":8931},\"mcpServers\":{\"notes\":{\"command\":\"/bin/notes\",\"tiers\":{\"*\":"
		 "\"%s\"}},\"wiki\":{\"command\":\"/bin/wiki\"}}}",
		 tier);
	r = rig_new_with(config);
	for (int i = 0; i < RIG_PDP; i++)
		rig_connect(r, i);
	if (pin != 0)
		rig_pin_as(r, "notes", "t", pin, definition, definition);
	rig_sync(r);
	rig_tool(r, RIG_NOTES, 1, "t", listed);
	rig_tools_done(r, RIG_NOTES, 1, 1);
	return r;
}

static struct session *session_of(struct rig *r, uint8_t tier, const char *tools, const char *suspended)
{
	struct ipc_session_put s = rig_session(r, tier, tools);

	s.suspended = ipc_text(suspended);
	rig_put_session(r, &s);
	return sessions_find(r->b->sessions, s.token_hash);
}

static void asked(struct rig *r, const struct session *s, const char *args, struct decision *out)
{
	static struct json_doc doc;
	uint8_t hash[HASH_LEN];
	struct decision_request q = {.session = s,
				     .tool = catalogue_find_own(r->b->catalogue, 0, "t", 1),
				     .args = &doc,
				     .args_sha256 = hash,
				     .source = ipc_text("127.0.0.1:40000"),
				     .now_unix = 1000};

	json_init(&doc);
	CHECK(json_scan(&doc, args, strlen(args), NULL) == KG_OK);
	sha256(args, strlen(args), hash);
	decide(r->b, &q, out);
	q.args = NULL;
	q.args_sha256 = NULL;
	/* A list shows what could be allowed with other arguments, and nothing else. */
	CHECK(decide_shows(r->b, &q) == (out->allow || out->needs_approval || out->invalid_arguments));
	json_free(&doc);
}

static void each_refusal_in_its_order(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rig *r =
			rig_of(STRICT("t"), table[i].pin, table[i].other_listed ? RIG_DEF("t") : STRICT("t"), "write");
		struct session *s = session_of(r, table[i].tier, table[i].tools, table[i].suspended);
		struct decision d;
		int bad = unit_bad;

		unit_bad = 0;
		s->expires_unix = table[i].expires;
		asked(r, s, table[i].args, &d);
		CHECK(d.allow == (table[i].code == NULL) && d.visible == (i != 0));
		CHECK(strcmp(d.reason_code, table[i].code == NULL ? "policy-permit" : table[i].code) == 0);
		CHECK((d.reason[0] == '\0') == d.allow && (d.allow || strstr(d.reason, "notes/t") != NULL));
		CHECK(memcmp(d.policy_sha256, policies_hash(r->b->policies), HASH_LEN) == 0);
		CHECK((d.facts.n != 0) == d.allow);
		if (unit_bad)
			fprintf(stderr, "in row %zu: %s: %s\n", i, d.reason_code, d.reason);
		unit_bad |= bad;
		rig_free(r);
	}
}

static void tiers_against_consents(void)
{
	static const struct {
		const char *tool;
		uint8_t consent;
		const char *code; /* NULL: allowed */
		bool approval;
	} rows[] = {
		{"read", TIER_READ, NULL, false},
		{"read", TIER_WRITE, NULL, false},
		{"write", TIER_READ, "tier-above-consent", false},
		{"write", TIER_WRITE, NULL, false},
		{"destructive", TIER_READ, "tier-above-consent", false},
		{"destructive", TIER_WRITE, "", true},
		{"destructive", TIER_DESTRUCTIVE, "", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = rig_of(RIG_DEF("t"), PIN_ACCEPTED, RIG_DEF("t"), rows[i].tool);
		struct decision d;

		asked(r, session_of(r, rows[i].consent, "notes/*", ""), "{}", &d);
		CHECK(d.allow == (rows[i].code == NULL) && d.needs_approval == rows[i].approval);
		CHECK(rows[i].code == NULL || rows[i].code[0] == '\0' || strcmp(d.reason_code, rows[i].code) == 0);
		rig_free(r);
	}
}

/* Arguments that cannot be checked make a tool unclassified: destructive, and refused by the set that ships. */
static void a_schema_that_leads_to_the_network(void)
{
	struct rig *r = rig_of(ABROAD("t"), PIN_ACCEPTED, ABROAD("t"), "read");
	struct decision d;

	CHECK(!catalogue_find_own(r->b->catalogue, 0, "t", 1)->schema_ok);
	CHECK(catalogue_find_own(r->b->catalogue, 0, "t", 1)->tier == TIER_DESTRUCTIVE);
	asked(r, session_of(r, TIER_READ, "notes/*", ""), "{}", &d);
	CHECK(!d.allow && strcmp(d.reason_code, "tier-above-consent") == 0);
	asked(r, session_of(r, TIER_WRITE, "notes/*", ""), "{}", &d);
	CHECK(!d.allow && !d.needs_approval);
	rig_free(r);
}

/* The fault is named by its place in the arguments. */
static void what_is_wrong_with_arguments_is_told(void)
{
	struct rig *r = rig_of(STRICT("t"), PIN_ACCEPTED, STRICT("t"), "read");
	struct decision d;

	asked(r, session_of(r, TIER_READ, "notes/*", ""), "{\"text\":{\"a\":\"secret-4711\"}}", &d);
	CHECK(d.invalid_arguments && strstr(d.reason, "at /text: ") != NULL && strstr(d.reason, "4711") == NULL);
	rig_free(r);
}

/* The same tool, however its server writes it. */
static void another_spelling_is_no_change(void)
{
	struct rig *r =
		rig_of(RIG_DEF("t"), PIN_ACCEPTED,
		       "{ \"inputSchema\": {\"type\":\"ob\\u006aect\"},\"description\":\"d\", \"name\":\"t\"}", "read");
	struct decision d;

	asked(r, session_of(r, TIER_READ, "notes/*", ""), "{}", &d);
	CHECK(d.allow);
	rig_free(r);
}

static void no_pattern_covers_nothing(void)
{
	struct patterns none = {NULL, NULL, 0};

	CHECK(!patterns_cover(&none, "a/x"));
}

static void addresses_without_their_ports(void)
{
	static const char *const rows[][2] = {{"127.0.0.1:40000", "127.0.0.1"},
					      {"[::1]:5", "::1"},
					      {"10.0.0.1", "10.0.0.1"},
					      {"", ""},
					      {":1", ""},
					      {"[:", ""},
					      {"[]:1", ""},
					      {"[", ""}};
	char out[DECISION_SOURCE_MAX + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		source_address(ipc_text(rows[i][0]), out);
		CHECK(strcmp(out, rows[i][1]) == 0);
	}
}

/* Whatever is cut off, what stays is UTF-8. */
static void texts_are_cut_at_whole_characters(void)
{
	char out[16];

	for (size_t size = 1; size < sizeof(out); size++) {
		text_put(out, size, "%s", "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
		CHECK(strlen(out) < size && utf8_valid(out, strlen(out)));
	}
	text_put(out, sizeof(out), "%s", "a\xc3\xa4");
	CHECK(strcmp(out, "a\xc3\xa4") == 0);
}

int main(void)
{
	RUN(each_refusal_in_its_order);
	RUN(tiers_against_consents);
	RUN(a_schema_that_leads_to_the_network);
	RUN(what_is_wrong_with_arguments_is_told);
	RUN(another_spelling_is_no_change);
	RUN(no_pattern_covers_nothing);
	RUN(addresses_without_their_ports);
	RUN(texts_are_cut_at_whole_characters);
	return unit_end();
}
