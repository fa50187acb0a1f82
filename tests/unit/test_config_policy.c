/* What the configuration says of policies, approvals, other deciders and the people who approve. */
#include "common/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define OPAL(more, callers) "\"policy\":{" more "\"opal\":{\"listen\":{\"port\":8182},\"callers\":[" callers "]}}"
#define KEY "lRmVJUvGpnTgBmYAoRdNWPbgrJVJXUFmSTVgfhoqrK0="
#define HASH_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HASH_B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static char error[CONFIG_ERROR_MAX];

/* A file with these settings beside one server. */
static struct config *parse(const char *settings)
{
	struct config *c = NULL;
	char text[8192];
	int n = snprintf(text, sizeof(text), "{\"mcpServers\":{\"s\":{\"command\":\"a\"}}%s%s}",
			 settings[0] == '\0' ? "" : ",", settings);

	(void)!config_parse("/etc/keepgate/keepgate.json", text, (size_t)n, &c, error);
	return c;
}

static bool refused(struct config *c, const char *want)
{
	bool right = c == NULL && strstr(error, want) != NULL;

	if (!right)
		fprintf(stderr, "  error is: %s\n  not: %s\n", c == NULL ? error : "(accepted)", want);
	config_free(c);
	return right;
}

static struct config *reparse(const struct config *c, enum config_reader reader, const char *never)
{
	char *text = config_slice(c, reader, NULL);
	struct config *out = NULL;

	CHECK(text != NULL && config_parse("slice", text, strlen(text), &out, error) == 0);
	if (text != NULL && never != NULL && strstr(text, never) != NULL) {
		fprintf(stderr, "  the slice has %s: %s\n", never, text);
		unit_bad = 1;
	}
	free(text);
	return out;
}

static const char full[] =
	"\"policy\":{\"dir\":\"policies\",\"shadow_dir\":\"/srv/next\",\"keys\":[\"" KEY "\"],\"time_zone\":\"UTC\","
	"\"record_arguments\":false,\"external\":{\"kind\":\"authzen\",\"url\":\"https://pdp.example/access/v1/"
	"evaluation\","
	"\"batch_url\":\"https://PDP.example:443/access/v1/evaluations\",\"timeout_ms\":80,"
	"\"headers\":{\"Authorization\":\"Bearer "
	"${secret:pdp-token}\",\"X-Tenant\":\"t1\"},\"tls\":{\"ca\":\"ca.pem\"},"
	"\"allow_addresses\":[\"10.0.0.0/8\"]}},"
	"\"approvals\":{\"url\":\"https://approve.example/a/\",\"ttl_s\":60,\"hold_s\":0},"
	"\"authzen\":{\"listen\":{\"address\":\"::1\",\"port\":9000},\"base_url\":\"https://az.example\",\"callers\":["
	"{\"name\":\"app\",\"token_sha256\":\"" HASH_A
	"\",\"subject_types\":[\"User\"],\"actions\":[\"read*\",\"list\"],"
	"\"resource_types\":[\"Doc\"],\"trusted\":true,\"search\":true},{\"name\":\"b\",\"token_sha256\":\"" HASH_B
	"\"}]},"
	"\"operators\":[{\"user\":\"alice\",\"human\":\"alice@example.com\",\"mfa\":true},"
	"{\"user\":\"bob\",\"human\":\"Bob B\"}]";

static void test_defaults(void)
{
	struct config *c = parse("");

	CHECK(c != NULL && c->policy.dir == NULL && c->policy.shadow_dir == NULL && c->policy.nkeys == 0);
	CHECK(strcmp(c->policy.time_zone, "UTC") == 0 && c->policy.record_arguments);
	CHECK(c->policy.external.kind == PDP_NONE && config_links(c) == 1 && config_link_at(c, 1) == NULL);
	CHECK(c->approvals.url == NULL && c->approvals.ttl_s == 900 && c->approvals.hold_s == 20);
	CHECK(c->authzen.port == 0 && c->authzen.ncallers == 0 && c->noperators == 0);
	CHECK(!c->servers[0].review_tools && strcmp(c->servers[0].environment, "prod") == 0);
	CHECK(c->servers[0].min_trust == 0 && config_link_find(c, "policy") == NULL);
	config_free(c);
}

static void test_full(void)
{
	struct config *c = parse(full);
	const struct config_pdp *pdp = &c->policy.external;
	const struct config_caller *caller = c->authzen.callers;

	CHECK(strcmp(c->policy.dir, "/etc/keepgate/policies") == 0 && strcmp(c->policy.shadow_dir, "/srv/next") == 0);
	CHECK(c->policy.nkeys == 1 && strcmp(c->policy.keys[0], KEY) == 0 && !c->policy.record_arguments);
	CHECK(pdp->kind == PDP_AUTHZEN && pdp->timeout_ms == 80 && pdp->link.timeout_ms == 80 && pdp->link.is_http);
	CHECK(strcmp(pdp->link.name, "policy") == 0);
	CHECK(strcmp(pdp->link.destination, "https://pdp.example:443") == 0 && pdp->link.nheaders == 1);
	CHECK(pdp->link.ncredentials == 1 && strcmp(pdp->link.credentials[0].secret, "pdp-token") == 0);
	CHECK(strcmp(pdp->link.tls_ca, "/etc/keepgate/ca.pem") == 0 && pdp->link.nallow_addresses == 1);
	CHECK(config_links(c) == 2 && config_link_at(c, 1) == &pdp->link && config_link_at(c, 0) == &c->servers[0]);
	CHECK(config_link_find(c, "policy") == &pdp->link && config_link_find(c, "s") == &c->servers[0]);
	CHECK(config_server_find(c, "policy") == NULL && config_link_find(c, "x") == NULL);
	CHECK(strcmp(c->approvals.url, "https://approve.example/a") == 0);
	CHECK(c->approvals.ttl_s == 60 && c->approvals.hold_s == 0);
	CHECK(c->authzen.port == 9000 && strcmp(c->authzen.address, "::1") == 0 && c->authzen.ncallers == 2);
	CHECK(caller->nactions == 2 && caller->nsubject_types == 1 && caller->nresource_types == 1);
	CHECK(caller->trusted && caller->search && !caller[1].trusted && caller[1].nactions == 0);
	CHECK(caller->token_sha256[0] == 0x01 && caller->token_sha256[31] == 0xef);
	CHECK(c->noperators == 2 && c->operators[0].mfa && !c->operators[1].mfa);
	CHECK(strcmp(c->operators[1].human, "Bob B") == 0);
	config_free(c);
}

/* Each mistake of a whole file, with what it must say. */
static void test_mistakes(void)
{
	static const char *const vectors[][2] = {
		{"\"policy\":{\"keys\":[\"" KEY "\"]}", "policy.keys: goes only with \"dir\""},
		{OPAL("\"dir\":\"p\",\"keys\":[\"" KEY "\"],", ""),
		 "policy.opal: a set that is pushed has no signature"},
		{OPAL("\"dir\":\"p\",", ""), "policy.opal: the set is either read from policy.dir or pushed"},
		{"\"policy\":{\"opal\":{\"listen\":{\"port\":8931}}}",
		 "policy.opal.listen.port: is the port where agents"},
		{"\"policy\":{\"opal\":{\"listen\":{\"address\":\"0.0.0.0\",\"port\":8182}}}",
		 "policy.opal.listen.address"},
		{"\"policy\":{\"opal\":{}}", "policy.opal"},
		{"\"authzen\":{\"listen\":{\"port\":8182}}," OPAL("", ""),
		 "policy.opal.listen.port: is that of authzen"},
		{OPAL("", "{\"name\":\"a\",\"token_sha256\":\"" EMPTY "\"}"),
		 "policy.opal.callers[0]: its token_sha256 is"},
		{OPAL("",
		      "{\"name\":\"a\",\"token_sha256\":\"" ONES "\"},{\"name\":\"b\",\"token_sha256\":\"" ONES "\"}"),
		 "policy.opal.callers[1]: has the token of"},
		{OPAL("", "{\"name\":\"a\",\"token_sha256\":\"12\"}"), "policy.opal.callers[0].token_sha256"},
		{"\"policy\":{\"dir\":\"p\",\"keys\":[\"abc\"]}",
		 "policy.keys[0]: \"abc\" is not right: must be an Ed25519"},
		{"\"policy\":{\"dir\":\"p\",\"keys\":[\"lRmVJUvGpnTgBmYAoRdNWPbgrJVJXUFmSTVgfhoqrK1=\"]}",
		 "policy.keys[0]: is not the base64"},
		{"\"policy\":{\"time_zone\":\"Nowhere/Land\"}", "policy.time_zone: \"Nowhere/Land\" is no time zone"},
		{"\"policy\":{\"time_zone\":\"../../etc/passwd\"}", "policy.time_zone: "},
		{"\"policy\":{\"external\":{\"url\":\"https://a.example/\"}}", "policy.external: \"kind\" is missing"},
		{"\"policy\":{\"external\":{\"kind\":\"opa\"}}", "policy.external: \"url\" is missing"},
		{"\"policy\":{\"external\":{\"kind\":\"opal\",\"url\":\"https://a.example/\"}}",
		 "did you mean \"opa\"?"},
		{"\"policy\":{\"external\":{\"kind\":\"opa\",\"url\":\"http://a.example/v1/data/x\"}}",
		 "policy.external.url: must begin with https://"},
		{"\"policy\":{\"external\":{\"kind\":\"opa\",\"url\":\"https://u:p@a.example/\"}}",
		 "policy.external.url: must not have a user name"},
		{"\"policy\":{\"external\":{\"kind\":\"opa\",\"url\":\"https://a.example/\",\"batch_url\":"
		 "\"https://a.example/b\"}}",
		 "policy.external.batch_url: goes only with kind \"authzen\""},
		{"\"policy\":{\"external\":{\"kind\":\"authzen\",\"url\":\"https://a.example/\",\"batch_url\":"
		 "\"https://b.example/b\"}}",
		 "policy.external.batch_url: must have the same scheme, host and port"},
		{"\"policy\":{\"external\":{\"kind\":\"authzen\",\"url\":\"https://a.example/\",\"headers\":{"
		 "\"Authorization\":\"Bearer hunter2hunter2\"}}}",
		 "keepgate secret put policy-authorization --server policy --kind bearer"},
		{"\"approvals\":{\"url\":\"http://a.example\"}", "approvals.url: must begin with https://"},
		{"\"approvals\":{\"url\":\"https://a.example/?x=1\"}", "approvals.url: must have no parameters"},
		{"\"approvals\":{\"ttl_s\":1}", "approvals.ttl_s: 1 is not between 30 and 86400"},
		{"\"authzen\":{}", "authzen: \"listen\" is missing"},
		{"\"authzen\":{\"listen\":{\"port\":8931}}", "authzen.listen.port: is the port where agents connect"},
		{"\"authzen\":{\"listen\":{\"port\":9,\"address\":\"10.0.0.1\"}}", "is not one of 127.0.0.1, ::1"},
		{"\"authzen\":{\"listen\":{\"port\":9},\"callers\":[{\"name\":\"a\",\"token_sha256\":\"abcd\"}]}",
		 "authzen.callers[0].token_sha256: this value is not right: must be the SHA-256"},
		{"\"authzen\":{\"listen\":{\"port\":9},\"callers\":[{\"name\":\"a\",\"token_sha256\":\""
		 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]}",
		 "authzen.callers[0]: its token_sha256 is the hash of an empty token"},
		{"\"authzen\":{\"listen\":{\"port\":9},\"callers\":[{\"name\":\"a\",\"token_sha256\":\"" HASH_A
		 "\"},{\"name\":\"a\",\"token_sha256\":\"" HASH_B "\"}]}",
		 "authzen.callers[1]: there is a second caller \"a\""},
		{"\"authzen\":{\"listen\":{\"port\":9},\"callers\":[{\"name\":\"a\",\"token_sha256\":\"" HASH_A
		 "\"},{\"name\":\"b\",\"token_sha256\":\"" HASH_A "\"}]}",
		 "authzen.callers[1]: has the token of \"a\""},
		{"\"operators\":[{\"user\":\"a\",\"human\":\"x\"},{\"user\":\"a\",\"human\":\"y\"}]",
		 "operators[1]: there is a second entry for \"a\""},
		{"\"operators\":[{\"user\":\"a\",\"human\":\"unix:b\"}]",
		 "operators[0]: a human cannot begin with unix:"},
		{"\"operators\":[{\"user\":\"a\",\"human\":\"x\\ty\"}]",
		 "operators[0]: its human holds a control character"},
		{"\"operators\":[{\"user\":\"a\"}]", "operators[0]: \"human\" is missing"},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		CHECK(refused(parse(vectors[i][0]), vectors[i][1]));
}

static void test_server_members(void)
{
	static const char text[] =
		"{\"mcpServers\":{\"s\":{\"command\":\"a\",\"first_sight\":\"review\",\"environment\":"
		"\"staging\",\"min_trust\":2}}}";
	static const char taken[] =
		"{\"policy\":{\"external\":{\"kind\":\"opa\",\"url\":\"https://a.example/v1/data/x\"}},"
		"\"mcpServers\":{\"policy\":{\"command\":\"a\"}}}";
	static const char bad[] = "{\"mcpServers\":{\"s\":{\"command\":\"a\",\"min_trust\":4}}}";
	struct config *c = NULL;

	CHECK(config_parse("/k.json", text, sizeof(text) - 1, &c, error) == 0);
	CHECK(c->servers[0].review_tools && c->servers[0].min_trust == 2);
	CHECK(strcmp(c->servers[0].environment, "staging") == 0);
	config_free(c);
	c = NULL;
	CHECK(config_parse("/k.json", taken, sizeof(taken) - 1, &c, error) == KG_E_CONFIG);
	CHECK(refused(c, "mcpServers.policy: no server can have this name beside policy.external"));
	CHECK(config_parse("/k.json", bad, sizeof(bad) - 1, &c, error) == KG_E_CONFIG);
	CHECK(refused(c, "mcpServers.s.min_trust: 4 is not between 0 and 3"));
}

static void test_time_zone(void)
{
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
		return;
	struct config *c = parse("\"policy\":{\"time_zone\":\"Europe/Berlin\"}");

	CHECK(c != NULL && strcmp(c->policy.time_zone, "Europe/Berlin") == 0);
	config_free(c);
	CHECK(refused(parse("\"policy\":{\"time_zone\":\"Europe\"}"), "is no time zone"));
	CHECK(refused(parse("\"policy\":{\"time_zone\":\"zone.tab\"}"), "policy.time_zone: "));
}

static void test_slices_of_broker_and_front(void)
{
	struct config *c = parse(full), *part = reparse(c, CONFIG_BROKER, "pdp.example");

	CHECK(strcmp(part->policy.dir, "/etc/keepgate/policies") == 0 && part->policy.nkeys == 1);
	CHECK(part->policy.external.kind == PDP_AUTHZEN && part->policy.external.timeout_ms == 80);
	CHECK(part->policy.external.url == NULL && part->policy.external.batch_url != NULL);
	CHECK(!part->policy.record_arguments && part->approvals.hold_s == 0 && part->noperators == 0);
	CHECK(part->authzen.ncallers == 2 && part->authzen.callers[0].trusted &&
	      part->authzen.callers[0].nactions == 2);
	CHECK(part->authzen.callers[0].token_sha256[0] == 0);
	config_free(part);
	config_free(reparse(c, CONFIG_BROKER, HASH_A));
	part = reparse(c, CONFIG_FRONT, "policies");
	CHECK(part->policy.dir == NULL && strcmp(part->approvals.url, "https://approve.example/a") == 0);
	CHECK(part->authzen.port == 0 && part->policy.external.kind == PDP_NONE && part->nservers == 1);
	config_free(part);
	config_free(c);
}

/* Who pushes is the endpoint's business alone. */
static void test_slices_of_what_is_pushed(void)
{
	struct config *c = parse(OPAL("", "{\"name\":\"o\",\"token_sha256\":\"" ONES "\"}")), *part;

	CHECK(c->policy.opal.port == 8182 && c->policy.opal.settle_ms == 1000 && c->policy.opal.ncallers == 1);
	part = reparse(c, CONFIG_BROKER, ONES);
	CHECK(part->policy.opal.port == 8182 && part->policy.opal.ncallers == 0);
	config_free(part);
	part = reparse(c, CONFIG_OPAL, "mcpServers.s");
	CHECK(part->policy.opal.ncallers == 1 && part->policy.opal.callers[0].token_sha256[31] == 0x11);
	CHECK(part->nservers == 0 && part->policy.dir == NULL);
	config_free(part);
	part = reparse(c, CONFIG_PDP, "opal");
	CHECK(part->policy.opal.port == 0);
	config_free(part);
	config_free(c);
}

static void test_slices_of_the_others(void)
{
	struct config *c = parse(full), *part = reparse(c, CONFIG_AUTHZEN, "approve.example");

	CHECK(part->authzen.ncallers == 2 && part->authzen.callers[0].token_sha256[0] == 0x01);
	CHECK(part->authzen.port == 9000 && strcmp(part->authzen.base_url, "https://az.example") == 0);
	CHECK(part->nservers == 0 && part->policy.external.kind == PDP_NONE);
	config_free(part);
	part = reparse(c, CONFIG_PDP, "approve.example");
	CHECK(part->policy.external.kind == PDP_AUTHZEN && part->policy.external.link.ncredentials == 1);
	CHECK(strcmp(part->policy.external.link.tls_ca, "/etc/keepgate/ca.pem") == 0);
	CHECK(part->policy.dir == NULL && part->authzen.ncallers == 0 && part->nservers == 0);
	config_free(part);
	config_free(reparse(c, CONFIG_RECORDER, "pdp"));
	config_free(reparse(c, CONFIG_RECORDER, "alice"));
	config_free(c);
}

int main(void)
{
	RUN(test_defaults);
	RUN(test_full);
	RUN(test_mistakes);
	RUN(test_server_members);
	RUN(test_time_zone);
	RUN(test_slices_of_broker_and_front);
	RUN(test_slices_of_what_is_pushed);
	RUN(test_slices_of_the_others);
	return unit_end();
}
