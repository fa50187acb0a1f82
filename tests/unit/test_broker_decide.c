#include "gatewayd/broker/decide.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define SERVERS(tier)                                                                                                  \
	"{\"mcpServers\":{\"a\":{\"command\":\"/bin/a\",\"tiers\":{\"x\":\"" tier                                      \
	"\"}},\"b\":{\"command\":\"/bin/b\"}}}"

static struct config *config_of(const char *text)
{
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	if (config_parse("test", text, strlen(text), &c, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		abort();
	}
	return c;
}

static const struct {
	const char *glob;
	uint8_t consent, tool;
	uint64_t now;
	bool allow, visible;
	const char *code;
} table[] = {
	{"a/*", TIER_READ, TIER_READ, 1, true, true, "consent"},
	{"a/x", TIER_WRITE, TIER_READ, 1, true, true, "consent"},
	{"*", TIER_WRITE, TIER_WRITE, 1, true, true, "consent"},
	{"a/*", TIER_READ, TIER_WRITE, 1, false, true, "tier-above-consent"},
	{"a/*", TIER_READ, TIER_DESTRUCTIVE, 1, false, true, "destructive"},
	{"a/*", TIER_WRITE, TIER_DESTRUCTIVE, 1, false, true, "destructive"},
	{"a/*", TIER_DESTRUCTIVE, TIER_DESTRUCTIVE, 1, false, true, "destructive"},
	{"a/*", TIER_DESTRUCTIVE, TIER_WRITE, 1, true, true, "consent"},
	/* A tier that there is not. */
	{"a/*", TIER_DESTRUCTIVE, 0, 1, false, true, "destructive"},
	{"a/*", TIER_DESTRUCTIVE, 4, 1, false, true, "destructive"},
	/* Not covered: nothing more is told, whatever the tier. */
	{"b/*", TIER_WRITE, TIER_READ, 1, false, false, "not-in-consent"},
	{"a", TIER_WRITE, TIER_READ, 1, false, false, "not-in-consent"},
	{"a/", TIER_WRITE, TIER_READ, 1, false, false, "not-in-consent"},
	{"A/*", TIER_WRITE, TIER_READ, 1, false, false, "not-in-consent"},
	{"b/*", TIER_WRITE, TIER_DESTRUCTIVE, 1, false, false, "not-in-consent"},
	{"a/*", TIER_WRITE, TIER_READ, 9, true, true, "consent"},
	{"a/*", TIER_WRITE, TIER_READ, 10, false, true, "consent-expired"},
};

static void the_first_form(void)
{
	struct config *c = config_of(SERVERS("read"));
	struct policy *p = policy_new(c);
	uint8_t def[HASH_LEN] = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *glob[] = {"none/such", table[i].glob};
		struct patterns tools = {NULL, glob, 2};
		struct decision_request q = {.consent_tier = table[i].consent,
					     .consent_until_unix = 10,
					     .consent_tools = &tools,
					     .method = MCP_TOOLS_CALL,
					     .upstream = "a",
					     .tool = "x",
					     .qualified = "a/x",
					     .def_sha256 = def,
					     .tier = table[i].tool,
					     .now_unix = table[i].now};
		struct decision d;

		decide(p, &q, &d);
		CHECK(d.allow == table[i].allow && d.visible == table[i].visible);
		CHECK(strcmp(d.reason_code, table[i].code) == 0);
		CHECK((d.reason[0] == '\0') == d.allow);
		CHECK(d.allow || strstr(d.reason, "a/x") != NULL);
		CHECK(d.policy_sha256 == policy_hash(p));
	}
	policy_free(p);
	config_free(c);
}

static void no_pattern_covers_nothing(void)
{
	struct patterns none = {NULL, NULL, 0};

	CHECK(!patterns_cover(&none, "a/x"));
}

/* The hash stands for what decides: it follows the tiers, not the order in the file. */
static void the_policy_has_a_hash(void)
{
	static const char turned[] = "{\"mcpServers\":{\"b\":{\"command\":\"/bin/"
				     "b\"},\"a\":{\"tiers\":{\"x\":\"read\"},\"command\":\"/bin/other\"}}}";
	struct config *c[] = {config_of(SERVERS("read")), config_of(SERVERS("write")), config_of(turned)};
	struct policy *p[3];

	for (size_t i = 0; i < 3; i++)
		p[i] = policy_new(c[i]);
	CHECK(memcmp(policy_hash(p[0]), policy_hash(p[1]), HASH_LEN) != 0);
	CHECK(memcmp(policy_hash(p[0]), policy_hash(p[2]), HASH_LEN) == 0);
	for (size_t i = 0; i < 3; i++) {
		policy_free(p[i]);
		config_free(c[i]);
	}
}

int main(void)
{
	RUN(the_first_form);
	RUN(no_pattern_covers_nothing);
	RUN(the_policy_has_a_hash);
	return unit_end();
}
