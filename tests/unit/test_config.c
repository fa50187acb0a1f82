#include "common/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config_secret.h"
#include "common/config_url.h"
#include "tests/unit/unit.h"

static char error[CONFIG_ERROR_MAX];

static struct config *parse(const char *text)
{
	struct config *c = NULL;

	(void)!config_parse("/etc/keepgate/keepgate.json", text, strlen(text), &c, error);
	return c;
}

/* A file with one server of these members. */
static struct config *parse_server(const char *members)
{
	char text[8192];

	snprintf(text, sizeof(text), "{\"mcpServers\":{\"s\":{%s}}}", members);
	return parse(text);
}

static bool refused(struct config *c, const char *want)
{
	bool right = c == NULL && strstr(error, want) != NULL;

	if (!right)
		fprintf(stderr, "  error is: %s\n  not: %s\n", c == NULL ? error : "(accepted)", want);
	config_free(c);
	return right;
}

static bool accepted(struct config *c)
{
	if (c == NULL)
		fprintf(stderr, "  refused: %s\n", error);
	config_free(c);
	return c != NULL;
}

static void test_defaults(void)
{
	struct config *c = parse("{\"mcpServers\":{}}");

	CHECK(c != NULL);
	if (c == NULL)
		return;
	CHECK(strcmp(c->listen_address, "127.0.0.1") == 0 && c->listen_port == 8931 && c->fronts == 2);
	CHECK(c->max_connections == 1024 && c->max_body == 4194304 && c->min_landlock_abi == 1);
	CHECK(c->user_gatewayd == NULL && c->user_vaultd == NULL && c->user_guardiand == NULL);
	CHECK(strcmp(c->origin, "keepgate/audit") == 0 && c->nservers == 0 && c->nallowed_origins == 0);
	CHECK(strcmp(c->file, "/etc/keepgate/keepgate.json") == 0);
	config_free(c);
}

static const char full[] =
	"{\"$schema\":\"x\",\"listen\":{\"address\":\"::1\",\"port\":65535,\"fronts\":64,"
	"\"allowed_origins\":[\"http://localhost:3000\",\"https://a.example\"]},"
	"\"limits\":{\"max_connections\":7,\"max_body\":2048},\"min_landlock_abi\":4,"
	"\"users\":{\"gatewayd\":\"kg-gate\",\"vaultd\":\"kg-vault\",\"guardiand\":\"kg-guard\"},"
	"\"origin\":\"gw1.example.com/audit\",\"mcpServers\":{"
	"\"notes\":{\"type\":\"stdio\",\"command\":\"./bin/notes\",\"args\":[\"-v\",\"\"],\"cwd\":\"work\","
	"\"env\":{\"A\":\"1\",\"API_TOKEN\":\"${secret:notes-token}\",\"EMPTY_TOKEN\":\"\","
	"\"TLS_KEY\":\"/etc/key.pem\"},"
	"\"sandbox\":{\"read\":[\"data\",\"/srv\"],\"write\":[\"./out\"],\"network\":true},"
	"\"tiers\":{\"list_*\":\"read\",\"wipe\":\"destructive\"},\"timeout_seconds\":5,\"max_calls\":3},"
	"\"web\":{\"type\":\"streamable-http\",\"url\":\"HTTPS://API.Example.com/mcp?v=2\","
	"\"headers\":{\"Authorization\":\"Bearer ${secret:web.tok}\",\"X-Api-Key\":\"${secret:web_key}\","
	"\"X-Region\":\"eu\"},\"credentials\":[{\"secret\":\"q\",\"kind\":\"query\",\"slot\":\"api_key\"}],"
	"\"allow_addresses\":[\"10.1.0.0/16\",\"fd00::/8\",\"192.0.2.1\"],\"tls\":{\"ca\":\"ca.pem\"}}}}";

static void test_full(void)
{
	struct config *c = parse(full);

	CHECK(c != NULL);
	if (c == NULL) {
		fprintf(stderr, "%s\n", error);
		return;
	}
	CHECK(strcmp(c->listen_address, "::1") == 0 && c->listen_port == 65535 && c->fronts == 64);
	CHECK(c->nallowed_origins == 2 && strcmp(c->allowed_origins[1], "https://a.example") == 0);
	CHECK(c->max_connections == 7 && c->max_body == 2048 && c->min_landlock_abi == 4);
	CHECK(strcmp(c->user_vaultd, "kg-vault") == 0 && strcmp(c->origin, "gw1.example.com/audit") == 0);
	CHECK(c->nservers == 2 && config_server_find(c, "web") == &c->servers[1]);
	CHECK(config_server_find(c, "other") == NULL);
	config_free(c);
}

static void test_stdio_server(void)
{
	struct config *c = parse(full);
	const struct config_server *s = config_server_find(c, "notes");

	CHECK(!s->is_http && strcmp(s->destination, "stdio") == 0 && s->url == NULL);
	CHECK(strcmp(s->command, "/etc/keepgate/bin/notes") == 0 && strcmp(s->cwd, "/etc/keepgate/work") == 0);
	CHECK(s->nargs == 2 && strcmp(s->args[0], "-v") == 0 && strcmp(s->args[1], "") == 0);
	CHECK(s->nenv == 3 && strcmp(s->env[0].name, "A") == 0 && strcmp(s->env[0].value, "1") == 0);
	CHECK(strcmp(s->sandbox_read[0], "/etc/keepgate/data") == 0 && strcmp(s->sandbox_read[1], "/srv") == 0);
	CHECK(s->nsandbox_write == 1 && strcmp(s->sandbox_write[0], "/etc/keepgate/out") == 0 && s->sandbox_network);
	CHECK(s->timeout_ms == 5000 && s->max_calls == 3 && s->ntiers == 2);
	CHECK(s->ncredentials == 1 && s->credentials[0].kind == CRED_ENV && !s->credentials[0].bearer_prefix);
	CHECK(strcmp(s->credentials[0].secret, "notes-token") == 0);
	CHECK(strcmp(s->credentials[0].slot, "API_TOKEN") == 0);
	config_free(c);
}

static void test_http_server(void)
{
	struct config *c = parse(full);
	const struct config_server *s = config_server_find(c, "web");

	CHECK(s->is_http && strcmp(s->destination, "https://api.example.com:443") == 0 && s->command == NULL);
	CHECK(strcmp(s->url, "HTTPS://API.Example.com/mcp?v=2") == 0);
	CHECK(s->nallow_addresses == 3 && strcmp(s->tls_ca, "/etc/keepgate/ca.pem") == 0);
	CHECK(s->nheaders == 1 && strcmp(s->headers[0].name, "X-Region") == 0);
	CHECK(s->ncredentials == 3 && s->timeout_ms == 60000 && s->max_calls == 512);
	CHECK(s->credentials[0].kind == 0 && s->credentials[0].bearer_prefix);
	CHECK(strcmp(s->credentials[0].slot, "Authorization") == 0);
	CHECK(strcmp(s->credentials[0].secret, "web.tok") == 0);
	CHECK(s->credentials[1].kind == 0 && !s->credentials[1].bearer_prefix);
	CHECK(s->credentials[2].kind == CRED_QUERY && strcmp(s->credentials[2].slot, "api_key") == 0);
	config_free(c);
}

static void test_syntax_errors(void)
{
	CHECK(refused(parse("{\n  \"mcpServers\": {,}\n}"), "keepgate.json: line 2, column 18: this is not JSON"));
	CHECK(refused(parse("{\"mcpServers\":{},\"mcpServers\":{}}"), "duplicate object key"));
	CHECK(refused(parse(""), "this is not JSON"));
	CHECK(refused(parse("[]"), "must be an object"));
	CHECK(refused(parse("{}"), "\"mcpServers\" is missing"));
	CHECK(refused(parse("{\"mcpServers\":{}} x"), "this is not JSON"));
	CHECK(refused(parse("{\"mcpServers\":{\"s\":{\"command\":\"a\xff\"}}}"), "this is not JSON"));
}

/* What stands near a syntax error may be a secret. */
static void test_syntax_error_shows_no_text(void)
{
	CHECK(refused(parse("{\"headers\": hunter2hunter2}"), "this is not JSON"));
	CHECK(strstr(error, "hunter2") == NULL);
	CHECK(refused(parse("{\"headers\": \"hunter2hunter2\" \"x\"}"), "this is not JSON"));
	CHECK(strstr(error, "hunter2") == NULL);
}

static void test_bad_settings(void)
{
	static const char *const vectors[][2] = {
		{"\"listne\":{}", "listne: there is no such setting; did you mean \"listen\"?"},
		{"\"listen\":{\"address\":\"0.0.0.0\"}", "listen.address: \"0.0.0.0\" is not one of 127.0.0.1, ::1"},
		{"\"listen\":{\"port\":0}", "listen.port: 0 is not between 1 and 65535"},
		{"\"listen\":{\"port\":65536}", "listen.port: 65536 is not between 1 and 65535"},
		{"\"listen\":{\"port\":\"8931\"}", "listen.port: must be a whole number"},
		{"\"listen\":{\"fronts\":65}", "listen.fronts: 65 is not between 1 and 64"},
		{"\"listen\":{\"allowed_origins\":[\"https://a.example/x\"]}", "listen.allowed_origins[0]: "},
		{"\"limits\":{\"max_body\":1023}", "limits.max_body: 1023 is not between 1024 and 4194304"},
		{"\"limits\":{\"max_body\":4194305}", "limits.max_body: "},
		{"\"min_landlock_abi\":-1", "min_landlock_abi: "},
		{"\"users\":{\"gatewayd\":\"a b\"}", "users.gatewayd: \"a b\" is not right: must be a user name"},
		{"\"origin\":\"a b\"", "origin: \"a b\" is not right: must be a name for the audit log"},
		{"\"origin\":\"a+b\"", "origin: "},
		{"\"slice\":true", "slice: there is no such setting"},
	};
	char text[512], file[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(file);

	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct config *c = NULL;
		int n = snprintf(text, sizeof(text), "{%s,\"mcpServers\":{}}", vectors[i][0]);

		CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n);
		CHECK(config_load(file, &c, error) == KG_E_CONFIG);
		CHECK(refused(c, vectors[i][1]));
		CHECK(strncmp(error, file, strlen(file)) == 0);
	}
	close(fd);
	unlink(file);
}

static void test_bad_servers(void)
{
	static const char *const vectors[][2] = {
		{"",
		 "mcpServers.s: must have exactly one of: \"command\" for a server that Keepgate starts, or \"url\""},
		{"\"command\":\"a\",\"url\":\"https://a.example/\"", "mcpServers.s: must have exactly one of"},
		{"\"command\":\"a\",\"headers\":{}", "mcpServers.s: \"headers\" goes only with \"url\""},
		{"\"url\":\"https://a.example/\",\"env\":{}", "mcpServers.s: \"env\" goes only with \"command\""},
		{"\"command\":\"a\",\"tiers\":{\"list_notes\":\"reed\"}",
		 "mcpServers.s.tiers.list_notes: \"reed\" is not one of read, write, destructive; did you mean "
		 "\"read\"?"},
		{"\"command\":\"a\",\"tiers\":{\"a/b\":\"read\"}", "mcpServers.s.tiers[\"a/b\"]: \"a/b\" is not right"},
		{"\"command\":\"a\",\"labels\":{\"a/b\":[\"x\"]}",
		 "mcpServers.s.labels[\"a/b\"]: \"a/b\" is not right"},
		{"\"command\":\"a\",\"labels\":{\"a\":\"x\"}", "mcpServers.s.labels.a: must be a list"},
		{"\"command\":\"a\",\"labels\":{\"a\":[]}", "mcpServers.s.labels.a: "},
		{"\"command\":\"a\",\"labels\":{\"a\":[\"x\",\"x\"]}", "mcpServers.s.labels.a"},
		{"\"command\":\"a\",\"labels\":{\"a\":[\"x\",7]}", "mcpServers.s.labels.a[1]: must be a text"},
		{"\"command\":\"a\",\"labels\":{\"a\":[\"Secret\"]}",
		 "mcpServers.s.labels.a[0]: \"Secret\" is not right: must be a label"},
		{"\"command\":\"a\",\"labels\":{\"a\":[\"x y\"]}", "mcpServers.s.labels.a[0]: "},
		{"\"command\":\"a\",\"labels\":{\"a\":[\"-x\"]}", "mcpServers.s.labels.a[0]: "},
		{"\"command\":\"a\",\"labels\":{\"a\":[\"a23456789012345678901234567890123\"]}",
		 "mcpServers.s.labels.a[0]: "},
		{"\"command\":\"a\",\"labels\":{\"a\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}",
		 "mcpServers.s.labels.a: "},
		{"\"command\":\"a\",\"labels\":{\"1\":[\"x\"],\"2\":[\"x\"],\"3\":[\"x\"],\"4\":[\"x\"],\"5\":[\"x\"],"
		 "\"6\":[\"x\"],\"7\":[\"x\"],\"8\":[\"x\"],\"9\":[\"x\"],\"10\":[\"x\"],\"11\":[\"x\"],\"12\":[\"x\"],"
		 "\"13\":[\"x\"],\"14\":[\"x\"],\"15\":[\"x\"],\"16\":[\"x\"],\"17\":[\"x\"]}",
		 "mcpServers.s.labels: "},
		{"\"command\":\"a\",\"timeout\":5", "mcpServers.s.timeout: there is no such setting"},
		{"\"command\":\"a\",\"timeout_seconds\":0",
		 "mcpServers.s.timeout_seconds: 0 is not between 1 and 3600"},
		{"\"command\":\"a\",\"max_calls\":4097", "mcpServers.s.max_calls: "},
		{"\"command\":\"\"", "mcpServers.s.command: must have at least 1 character"},
		{"\"command\":\"a\",\"args\":[1]", "mcpServers.s.args[0]: must be a text"},
		{"\"command\":\"a\",\"env\":{\"A=B\":\"x\"}", "mcpServers.s.env[\"A=B\"]: "},
		{"\"command\":\"a\",\"type\":\"sse\"", "mcpServers.s.type: \"sse\" is not one of stdio, http"},
		{"\"command\":\"a\",\"type\":\"http\"", "mcpServers.s: its \"type\" is http, but it has \"command\""},
		{"\"url\":\"https://a.example/\",\"type\":\"stdio\"", "its \"type\" is stdio, but it has \"url\""},
		{"\"url\":\"http://a.example/\"", "mcpServers.s.url: must begin with https://; http:// goes only to"},
		{"\"url\":\"http://127.1/\"", "mcpServers.s.url: must have a host name or a whole IPv4 address"},
		{"\"url\":\"ftp://a.example/\"", "mcpServers.s.url: must begin with https://"},
		{"\"url\":\"https://a.example/${x}\"", "mcpServers.s.url: nothing is expanded in a url"},
		{"\"url\":\"https://a.example/\",\"allow_addresses\":[\"10.0.0.0/33\"]",
		 "mcpServers.s.allow_addresses[0]: \"10.0.0.0/33\" is neither an address nor a range"},
		{"\"url\":\"https://a.example/\",\"allow_addresses\":[\"10.0.0\"]", "allow_addresses[0]: "},
		{"\"url\":\"https://a.example/\",\"headers\":{\"Host\":\"x\"}",
		 "headers.Host: Keepgate writes this header"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"mcp-name\":\"x\"}", "Keepgate writes this header"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"X-A\":\"a\\nB: c\"}",
		 "headers.X-A: this value is not right"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"X A\":\"a\"}", "headers[\"X A\"]: "},
		{"\"url\":\"https://a.example/\",\"headers\":{\"A\":\"${secret:x}\",\"a\":\"${secret:y}\"}",
		 "headers.a: there is a second credential for \"a\""},
		{"\"url\":\"https://a.example/"
		 "\",\"credentials\":[{\"secret\":\"x\",\"kind\":\"bearer\",\"slot\":\"y\"}]",
		 "credentials[0].kind: \"bearer\" is not one of query"},
		{"\"url\":\"https://a.example/\",\"credentials\":[{\"secret\":\"x\",\"slot\":\"y\"}]",
		 "credentials[0]: \"kind\" is missing"},
		{"\"command\":\"a\",\"sandbox\":{\"network\":\"yes\"}", "sandbox.network: must be true or false"},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		CHECK(refused(parse_server(vectors[i][0]), vectors[i][1]));
	CHECK(refused(parse("{\"mcpServers\":{\"My_Server\":{\"command\":\"a\"}}}"),
		      "mcpServers.My_Server: \"My_Server\" is not right: must be a server name of lower-case letters"));
	CHECK(refused(parse("{\"mcpServers\":{\"a\\nb\":{\"command\":\"a\"}}}"), "a?b"));
}

static void test_every_mistake_is_told(void)
{
	CHECK(refused(parse("{\"listen\":{\"port\":0},\"x\":1,\"mcpServers\":{\"s\":{\"command\":\"a\",\"env\":"
			    "{\"A_TOKEN\":\"hunter2hunter2\"}},\"t\":{}}}"),
		      "listen.port: "));
	CHECK(strstr(error, "\n/etc/keepgate/keepgate.json: x: ") != NULL);
	CHECK(strstr(error, "mcpServers.t: must have exactly one") != NULL);
	CHECK(strstr(error, "mcpServers.s.env.A_TOKEN: looks like a secret") != NULL);
	CHECK(strstr(error, "hunter2") == NULL);
}

static void test_too_many_mistakes(void)
{
	char *text = malloc(65536);
	size_t n = (size_t)snprintf(text, 64, "{\"mcpServers\":{");

	for (int i = 0; i < 250; i++)
		n += (size_t)snprintf(text + n, 64, "%s\"s%d\":{}", i == 0 ? "" : ",", i);
	snprintf(text + n, 64, "}}");
	CHECK(refused(parse(text), "\n…: and "));
	CHECK(strlen(error) < CONFIG_ERROR_MAX);
	free(text);
}

/* One secret in every place; it never stands in the error, and the command does. */
static void test_secrets(void)
{
	static const char *const vectors[][2] = {
		{"\"url\":\"https://a.example/\",\"headers\":{\"Authorization\":\"Bearer hunter2hunter2\"}",
		 "headers.Authorization: looks like a secret, which must not stand in this file: write here \"Bearer "
		 "${secret:s-authorization}\", and store it, when Keepgate is up, with: keepgate secret put "
		 "s-authorization --server s --kind bearer"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"authorization\":\"Basic hunter2hunter2\"}",
		 "write here \"${secret:s-authorization}\", and store it, when Keepgate is up, with: keepgate secret "
		 "put "
		 "s-authorization --server s --kind basic"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"X-Api-Key\":\"hunter2hunter2\"}",
		 "write here \"${secret:s-x-api-key}\", and store it, when Keepgate is up, with: keepgate secret put "
		 "s-x-api-key --server s --kind header --slot X-Api-Key"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"X-'$-Token\":\"hunter2hunter2\"}",
		 "put s-x----token --server s --kind header --slot 'X-'\\''$-Token'"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"Cookie\":\"a=hunter2hunter2\"}", "--slot Cookie"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"X-My-Token-1\":\"hunter2hunter2\"}", "--kind header"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"X-Plain\":\"ghp_hunter2hunter2hunter2\"}",
		 "--kind header"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"A\":\"x ${secret:hunter2hunter2}\"}",
		 "only \"${secret:NAME}\" or \"Bearer ${secret:NAME}\" can stand here"},
		{"\"url\":\"https://a.example/\",\"headers\":{\"A\":\"${hunter2hunter2}\"}",
		 "write here \"${secret:s-a}\" for the whole value"},
		{"\"command\":\"a\",\"env\":{\"GH_TOKEN\":\"hunter2hunter2\"}",
		 "env.GH_TOKEN: looks like a secret, which must not stand in this file: write here "
		 "\"${secret:s-gh-token}\", "
		 "and store it, when Keepgate is up, with: keepgate secret put s-gh-token --server s --kind env --slot "
		 "GH_TOKEN"},
		{"\"command\":\"a\",\"env\":{\"AWS_SECRET_ACCESS_KEY\":\"hunter2hunter2\"}", "looks like a secret"},
		{"\"command\":\"a\",\"env\":{\"DB_PASSWORD_RW\":\"hunter2hunter2\"}", "looks like a secret"},
		{"\"command\":\"a\",\"env\":{\"DSN\":\"postgres://u:hunter2hunter2@db/x\"}", "looks like a secret"},
		{"\"command\":\"a\",\"env\":{\"X\":\"kgs_hunter2hunter2hunter2\"}", "looks like a secret"},
		{"\"command\":\"a\",\"env\":{\"X\":\"Bearer ${secret:hunter2hunter2}\"}",
		 "only \"${secret:NAME}\" can stand"},
		{"\"command\":\"a\",\"env\":{\"X\":\"pre-${secret:hunter2hunter2}\"}", "can stand here"},
		{"\"command\":\"a\",\"args\":[\"--api-key=hunter2hunter2\"]",
		 "args[0]: looks like a secret, and arguments can be read by every process of this machine: take it "
		 "out, "
		 "write with the variable that the server reads instead \"env\": {\"API_KEY\": "
		 "\"${secret:s-api-key}\"}, "
		 "and store it, when Keepgate is up, with: keepgate secret put s-api-key --server s --kind env --slot "
		 "API_KEY"},
		{"\"command\":\"a\",\"args\":[\"--token\",\"hunter2hunter2\"]", "args[1]: looks like a secret"},
		{"\"command\":\"a\",\"args\":[\"-e\",\"GH_TOKEN=hunter2hunter2\"]", "args[1]: looks like a secret"},
		{"\"command\":\"a\",\"args\":[\"--header\",\"Bearer hunter2hunter2\"]",
		 "args[1]: looks like a secret, and arguments can be read by every process of this machine: take it "
		 "out, "
		 "write with the variable that the server reads instead \"env\": {\"API_TOKEN\":"},
		{"\"command\":\"a\",\"args\":[\"${secret:hunter2hunter2}\"]", "args[0]: looks like a secret"},
		{"\"url\":\"https://u:hunter2hunter2@a.example/\"",
		 "url: must not have a user name or password before the host: take USER:PASSWORD out, write beside the "
		 "url "
		 "\"headers\": {\"Authorization\": \"${secret:s-authorization}\"}, and store it, when Keepgate is up, "
		 "with: "
		 "keepgate secret put s-authorization --server s --kind basic"},
		{"\"url\":\"https://a.example/?x=1&api_key=hunter2hunter2\"",
		 "url: its parameter api_key looks like a secret: take it out, write beside the url \"credentials\": "
		 "[{\"secret\": \"s-api-key\", \"kind\": \"query\", \"slot\": \"api_key\"}], and store it, when "
		 "Keepgate is "
		 "up, with: keepgate secret put s-api-key --server s --kind query --slot api_key"},
		{"\"url\":\"https://a.example/?q=ghp_hunter2hunter2hunter2\"", "its parameter q looks like a secret"},
		{"\"url\":\"https://a.example/hunter2/aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW/mcp\"",
		 "its path seems to contain"},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		CHECK(refused(parse_server(vectors[i][0]), vectors[i][1]));
		CHECK(strstr(error, "hunter2") == NULL && strstr(error, "aB3dE5") == NULL);
	}
}

static void test_no_secrets(void)
{
	static const char *const vectors[] = {
		"\"command\":\"a\",\"env\":{\"MAX_TOKENS\":\"4096\",\"LANG\":\"sk-SK\",\"KEYBOARD\":\"us\"}",
		"\"command\":\"a\",\"env\":{\"ID\":\"f47ac10b-58cc-4372-a567-0e02b2c3d479\"}",
		"\"command\":\"a\",\"env\":{\"SSH_KEY\":\"/home/u/.ssh/id\",\"A_KEY\":\"./k.pem\",\"B_TOKEN\":\"\"}",
		"\"command\":\"a\",\"env\":{\"NAME\":\"my-very-long-service-account-Name-2024-production\"}",
		"\"command\":\"a\",\"env\":{\"URL\":\"https://host.example/a/b@c\",\"U\":\"git@host:x/y\"}",
		"\"command\":\"npx\",\"args\":[\"-y\",\"@modelcontextprotocol/server-filesystem\",\"/srv/data\"]",
		"\"command\":\"a\",\"args\":[\"--token-file\",\"x\",\"--key\",\"./k.pem\",\"--token\",\"--verbose\"]",
		"\"url\":\"https://a.example/mcp?version=2&lang=en\",\"headers\":{\"X-Tenant\":\"blue\"}",
		"\"url\":\"http://localhost:3001/mcp\"",
		"\"url\":\"http://[::1]:3001/mcp\"",
		"\"url\":\"http://127.9.9.9\"",
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		CHECK(accepted(parse_server(vectors[i])));
}

static void test_secret_forms(void)
{
	static const char *const secrets[] = {
		"github_pat_11ABCDEFG0123456789",
		"xoxb-123456789012-abc",
		"AKIAIOSFODNN7EXAMPLE",
		"glpat-abcdefghijklmnop12",
		"sk-proj-abcdefghijklmnop",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx",
		"0123456789abcdef0123456789abcdef",
		"q8Zr2Lw0Vn5Xk7Tb1Yc9Md3Hf6Jg4Psa",
		"prefix q8Zr2Lw0Vn5Xk7Tb1Yc9Md3Hf6Jg4Psa",
		"-----BEGIN OPENSSH PRIVATE KEY-----",
	};

	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		CHECK(secret_value_suspect(secrets[i], strlen(secrets[i])));
	CHECK(!secret_value_suspect("", 0));
	CHECK(!secret_value_suspect("00000000000000000000000000000000000000", 38));
}

static void test_references(void)
{
	static const struct {
		const char *value;
		enum secret_ref want;
	} vectors[] = {
		{"", SECRET_REF_NONE},
		{"plain", SECRET_REF_NONE},
		{"$x {y}", SECRET_REF_NONE},
		{"${secret:a}", SECRET_REF_WHOLE},
		{"${secret:A.b-c_9}", SECRET_REF_WHOLE},
		{"Bearer ${secret:a}", SECRET_REF_BEARER},
		{"bearer ${secret:a}", SECRET_REF_WRONG},
		{"Bearer  ${secret:a}", SECRET_REF_WRONG},
		{" ${secret:a}", SECRET_REF_WRONG},
		{"${secret:a} ", SECRET_REF_WRONG},
		{"${secret:}", SECRET_REF_WRONG},
		{"${secret:a", SECRET_REF_WRONG},
		{"${secret:-a}", SECRET_REF_WRONG},
		{"${secret:a b}", SECRET_REF_WRONG},
		{"${secret:a}${secret:b}", SECRET_REF_WRONG},
		{"${env:A}", SECRET_REF_WRONG},
		{"${secret:0123456789012345678901234567890123456789012345678901234567890123}", SECRET_REF_WHOLE},
		{"${secret:01234567890123456789012345678901234567890123456789012345678901234}", SECRET_REF_WRONG},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		const char *name;
		size_t len;

		CHECK(secret_ref_read(vectors[i].value, &name, &len) == vectors[i].want);
	}
}

static void test_urls(void)
{
	static const struct {
		const char *text, *destination;
		bool loopback;
	} vectors[] = {
		{"https://a.example", "https://a.example:443", false},
		{"https://A.Example:8443/x?y", "https://a.example:8443", false},
		{"http://localhost/", "http://localhost:80", true},
		{"http://127.0.0.1:3000", "http://127.0.0.1:3000", true},
		{"https://[2001:DB8::1]/", "https://[2001:db8::1]:443", false},
		{"http://[::1]?q", "http://[::1]:80", true},
		{"https://a.example:65535", "https://a.example:65535", false},
		{"https://a.example:65536", NULL, false},
		{"https://a.example:0", NULL, false},
		{"https://a.example:", NULL, false},
		{"https://a.example:+1", NULL, false},
		{"https://", NULL, false},
		{"https:///x", NULL, false},
		{"https://u@a.example", NULL, false},
		{"https://a.example/#f", NULL, false},
		{"https://a.example/ b", NULL, false},
		{"https://a.example\\@b", NULL, false},
		{"https://exa\xc3\xa4mple", NULL, false},
		{"https://0x7f.1/", NULL, false},
		{"https://2130706433/", NULL, false},
		{"https://1.2.3.4.5/", NULL, false},
		{"https://a.example./", NULL, false},
		{"https://[::1/", NULL, false},
		{"https://[::1]x/", NULL, false},
		{"https://[fe80::1%25eth0]/", NULL, false},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct url u;
		const char *why = NULL;
		int r = url_parse(vectors[i].text, &u, &why);

		CHECK((r == 0) == (vectors[i].destination != NULL) && (r == 0) == (why == NULL));
		if (r == 0)
			CHECK(strcmp(u.destination, vectors[i].destination) == 0 && u.loopback == vectors[i].loopback);
	}
}

static void test_globs(void)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} vectors[] = {
		{"", "", true},          {"", "a", false},         {"*", "", true},           {"*", "abc", true},
		{"a*", "abc", true},     {"a*", "bac", false},     {"*c", "abc", true},       {"*c", "cab", false},
		{"a*c", "abc", true},    {"a*c", "ac", true},      {"a*c", "a", false},       {"a*a", "a", false},
		{"a*b*c", "abc", true},  {"a*b*c", "acb", false},  {"*b*", "abc", true},      {"**", "x", true},
		{"ab*ba", "aba", false}, {"*ab", "aab", true},     {"*aab*b", "aaabb", true}, {"abc", "abc", true},
		{"abc", "abcd", false},  {"a*bc*c", "abcc", true}, {"a*bc*c", "abc", false},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		if (glob_match(vectors[i].pattern, vectors[i].text) != vectors[i].want) {
			fprintf(stderr, "  %s on %s\n", vectors[i].pattern, vectors[i].text);
			unit_bad = 1;
		}
	}
}

static void test_tiers(void)
{
	struct config *c = parse_server("\"command\":\"a\",\"tiers\":{\"*\":\"read\",\"add_*\":\"write\","
					"\"add_x\":\"read\",\"*_all\":\"destructive\"}");
	const struct config_server *s = &c->servers[0];

	CHECK(config_tool_tier(s, "list", 0, 0) == TIER_READ);
	CHECK(config_tool_tier(s, "add_note", 0, 0) == TIER_WRITE);
	CHECK(config_tool_tier(s, "add_x", 0, 0) == TIER_READ);
	CHECK(config_tool_tier(s, "add_all", 0, 0) == TIER_DESTRUCTIVE);
	CHECK(config_tool_tier(s, "list", TIER_DESTRUCTIVE, 0) == TIER_READ);
	CHECK(config_tool_tier(s, "list", TIER_WRITE, TIER_WRITE) == TIER_WRITE);
	CHECK(config_tool_tier(s, "add_x", 0, TIER_DESTRUCTIVE) == TIER_DESTRUCTIVE);
	config_free(c);
	c = parse_server("\"command\":\"a\"");
	s = &c->servers[0];
	CHECK(config_tool_tier(s, "list", 0, 0) == TIER_DESTRUCTIVE);
	CHECK(config_tool_tier(s, "list", TIER_READ, 0) == TIER_READ);
	CHECK(config_tool_tier(s, "list", TIER_WRITE, TIER_WRITE) == TIER_WRITE);
	config_free(c);
}

static void test_labels(void)
{
	struct config *c = parse_server("\"command\":\"a\",\"labels\":{\"read_*\":[\"confidential\",\"pii\"],"
					"\"x\":[\"a2345678901234567890123456789012\"]}");
	const struct config_server *s = &c->servers[0];
	char *text = config_slice(c, CONFIG_BROKER, NULL);

	CHECK(s->nlabels == 2 && strcmp(s->labels[0].pattern, "read_*") == 0 && s->labels[0].nlabels == 2);
	CHECK(strcmp(s->labels[0].labels[1], "pii") == 0 && s->labels[1].nlabels == 1);
	/* The broker has no say in them. */
	CHECK(text != NULL && strstr(text, "confidential") == NULL);
	free(text);
	config_free(c);
	c = parse_server("\"command\":\"a\",\"labels\":{}");
	CHECK(c->servers[0].nlabels == 0);
	config_free(c);
}

static struct config *reparse(const struct config *c, enum config_reader reader, const char *server)
{
	char *text = config_slice(c, reader, server);
	struct config *out = NULL;

	CHECK(text != NULL && config_parse("slice", text, strlen(text), &out, error) == 0);
	free(text);
	return out;
}

static void test_slice_of_one_server(void)
{
	struct config *c = parse(full), *part = reparse(c, CONFIG_UPSTREAM, "notes");

	CHECK(part != NULL && part->nservers == 1 && part->listen_port == 65535 && part->min_landlock_abi == 4);
	CHECK(strcmp(part->servers[0].command, "/etc/keepgate/bin/notes") == 0);
	CHECK(strcmp(part->servers[0].cwd, "/etc/keepgate/work") == 0 && part->servers[0].nargs == 2);
	CHECK(part->servers[0].ncredentials == 1 && part->servers[0].nenv == 3);
	config_free(part);
	part = reparse(c, CONFIG_UPSTREAM, "web");
	CHECK(part->nservers == 1 && strcmp(part->servers[0].destination, "https://api.example.com:443") == 0);
	CHECK(part->servers[0].ncredentials == 3 && part->servers[0].nheaders == 1);
	config_free(part);
	config_free(c);
}

static void test_slices_of_all(void)
{
	struct config *c = parse(full), *part = reparse(c, CONFIG_BROKER, NULL);
	char *text = config_slice(c, CONFIG_FRONT, NULL);

	CHECK(part->nservers == 2 && part->servers[0].ntiers == 2 && part->servers[0].timeout_ms == 5000);
	CHECK(part->servers[0].command == NULL && part->servers[1].url == NULL && part->servers[1].ncredentials == 0);
	CHECK(!part->servers[0].is_http && part->servers[1].is_http);
	config_free(part);
	CHECK(strstr(text, "\"notes\":{},\"web\":{}") != NULL && strstr(text, "secret") == NULL);
	free(text);
	part = reparse(c, CONFIG_FRONT, NULL);
	CHECK(part->nservers == 2 && part->servers[0].ntiers == 0 && strcmp(part->servers[1].name, "web") == 0);
	config_free(part);
	config_free(c);
}

static void test_relative_file(void)
{
	struct config *c = NULL;
	char cwd[4096], want[8192];
	static const char text[] = "{\"mcpServers\":{\"s\":{\"command\":\"bin/x\"},\"t\":{\"command\":\"x\"}}}";

	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	CHECK(config_parse("conf/k.json", text, sizeof(text) - 1, &c, error) == 0);
	snprintf(want, sizeof(want), "%s/conf/bin/x", cwd);
	CHECK(strcmp(c->servers[0].command, want) == 0);
	CHECK(strcmp(c->servers[1].command, "x") == 0);
	config_free(c);
	CHECK(config_parse("k.json", text, sizeof(text) - 1, &c, error) == 0);
	CHECK(strcmp(c->servers[1].cwd, cwd) == 0);
	config_free(c);
	CHECK(config_parse("/k.json", text, sizeof(text) - 1, &c, error) == 0);
	CHECK(strcmp(c->servers[0].command, "/bin/x") == 0 && strcmp(c->servers[1].cwd, "/") == 0);
	config_free(c);
}

static void test_files(void)
{
	struct config *c = NULL;
	char file[] = "/tmp/test_config.XXXXXX", *text = malloc(CONFIG_FILE_MAX + 1);
	int fd = mkstemp(file);

	CHECK(config_load("/nonexistent/keepgate.json", &c, error) == KG_E_CONFIG);
	CHECK(strstr(error, "/nonexistent/keepgate.json: cannot be read: No such file") != NULL);
	memset(text, ' ', CONFIG_FILE_MAX + 1);
	memcpy(text, "{\"mcpServers\":{}}", 17);
	CHECK(pwrite(fd, text, CONFIG_FILE_MAX, 0) == (ssize_t)CONFIG_FILE_MAX);
	CHECK(config_load(file, &c, error) == 0);
	config_free(c);
	c = NULL;
	CHECK(pwrite(fd, text, CONFIG_FILE_MAX + 1, 0) == (ssize_t)CONFIG_FILE_MAX + 1);
	CHECK(config_load(file, &c, error) == KG_E_CONFIG && c == NULL);
	CHECK(strstr(error, "is longer than the limit of 524288 bytes") != NULL);
	close(fd);
	unlink(file);
	free(text);
}

static void test_server_limit(void)
{
	char *text = malloc(65536);

	for (int servers = CONFIG_SERVERS_MAX; servers <= CONFIG_SERVERS_MAX + 1; servers++) {
		size_t n = (size_t)snprintf(text, 64, "{\"mcpServers\":{");

		for (int i = 0; i < servers; i++)
			n += (size_t)snprintf(text + n, 64, "%s\"s%d\":{\"command\":\"a\"}", i == 0 ? "" : ",", i);
		snprintf(text + n, 64, "}}");
		if (servers == CONFIG_SERVERS_MAX)
			CHECK(accepted(parse(text)));
		else
			CHECK(refused(parse(text), "mcpServers: must have at most 256 members"));
	}
	free(text);
}

static void test_credential_limit(void)
{
	char members[1024];

	for (int n = CRED_COUNT_MAX; n <= CRED_COUNT_MAX + 1; n++) {
		size_t at = (size_t)snprintf(members, sizeof(members), "\"command\":\"a\",\"env\":{");

		for (int i = 0; i < n; i++)
			at += (size_t)snprintf(members + at, sizeof(members) - at, "%s\"T%d\":\"${secret:a%d}\"",
					       i == 0 ? "" : ",", i, i);
		snprintf(members + at, sizeof(members) - at, "}");
		if (n == CRED_COUNT_MAX)
			CHECK(accepted(parse_server(members)));
		else
			CHECK(refused(parse_server(members),
				      "mcpServers.s: needs 9 stored secrets; at most 8 are possible"));
	}
}

int main(void)
{
	RUN(test_defaults);
	RUN(test_full);
	RUN(test_stdio_server);
	RUN(test_http_server);
	RUN(test_syntax_errors);
	RUN(test_syntax_error_shows_no_text);
	RUN(test_bad_settings);
	RUN(test_bad_servers);
	RUN(test_every_mistake_is_told);
	RUN(test_too_many_mistakes);
	RUN(test_secrets);
	RUN(test_no_secrets);
	RUN(test_secret_forms);
	RUN(test_references);
	RUN(test_urls);
	RUN(test_globs);
	RUN(test_tiers);
	RUN(test_labels);
	RUN(test_slice_of_one_server);
	RUN(test_slices_of_all);
	RUN(test_relative_file);
	RUN(test_files);
	RUN(test_server_limit);
	RUN(test_credential_limit);
	return unit_end();
}
