/* A credential in a server's answer: found in all its forms, withheld wherever it stands, reported once for each call.
 */
#include "gatewayd/upstream/echo.h"

#include "tests/unit/upstream_rig.h"
#include "tests/unit/upstream_server.h"

#include "tests/unit/unit.h"

#define WAIT_MS 60000

static struct rig rig;
static struct rig_message got;
static struct server server;

static void learn(struct echo *e, uint8_t kind, const char *value)
{
	struct credential_set *set = credentials_new();
	char *room;

	if (credentials_add(set, kind, "S", strlen(value), &room) != 0)
		rig_die("credential");
	memcpy(room, value, strlen(value));
	echo_learn(e, set);
	credentials_free(set);
}

static bool in(const struct echo *e, const char *text)
{
	return echo_in(e, text, strlen(text));
}

static bool in_json(const struct echo *e, const char *json)
{
	struct json_doc d;
	bool found;

	json_init(&d);
	if (json_scan(&d, json, strlen(json), NULL) != 0)
		rig_die("json");
	found = echo_in_json(e, &d);
	json_free(&d);
	return found;
}

/* value: s3cr3t/v&lue-1 */
static void forms_are_found(void)
{
	struct echo *e = echo_new();

	CHECK(!in(e, "anything at all"));
	learn(e, CRED_BEARER, "Bearer s3cr3t/v&lue-1");
	CHECK(in(e, "s3cr3t/v&lue-1") && in(e, "xs3cr3t/v&lue-1x") && in(e, "Bearer s3cr3t/v&lue-1"));
	CHECK(!in(e, "s3cr3t/v&lue-") && !in(e, "3cr3t/v&lue-1") && !in(e, "S3cr3t/v&lue-1"));
	CHECK(in(e, "?k=s3cr3t%2Fv%26lue-1&b") && in(e, "s3cr3t%2fv%26lue-1"));
	/* Base64 of it, of "a" + it + "b", of "ab" + it, of "token=" + it. */
	CHECK(in(e, "czNjcjN0L3YmbHVlLTE="));
	CHECK(in(e, "YXMzY3IzdC92Jmx1ZS0xYg=="));
	CHECK(in(e, "YWJzM2NyM3QvdiZsdWUtMQ=="));
	CHECK(in(e, "dG9rZW49czNjcjN0L3YmbHVlLTE="));
	CHECK(in(e, "7333637233742f76266c75652d31"));
	CHECK(in_json(e, "{\"a\":\"\\u0073\\u0033cr3t\\/v\\u0026lue-1\"}"));
	CHECK(in_json(e, "{\"s3cr3t/v&lue-1\":[]}") && !in_json(e, "{\"a\":\"s3cr3t/v\",\"b\":\"&lue-1\"}"));
	echo_free(e);
}

static void parts_of_basic_are_found(void)
{
	struct echo *e = echo_new();

	learn(e, CRED_BASIC, "Basic YWxpY2U6cGFzc3dvcmQtOTk="); /* alice:password-99 */
	CHECK(in(e, "YWxpY2U6cGFzc3dvcmQtOTk=") && in(e, "alice:password-99") && in(e, "(password-99)"));
	CHECK(!in(e, "alice") && !in(e, "password-9"));
	learn(e, CRED_ENV, "short");
	learn(e, CRED_ENV, "with a space");
	CHECK(!in(e, "short") && in(e, "with a space") && !in(e, " a space"));
	echo_free(e);
}

/* The newest are kept; what was learnt twice takes no room. */
static void memory_is_bounded(void)
{
	struct echo *e = echo_new();
	char value[32];

	learn(e, CRED_HEADER, "first-of-all");
	for (int i = 0; i < 2000; i++) {
		learn(e, CRED_HEADER, "always-the-same");
		snprintf(value, sizeof(value), "secret-number-%d", i);
		learn(e, CRED_HEADER, value);
	}
	CHECK(in(e, "secret-number-1999") && in(e, "always-the-same") && !in(e, "first-of-all"));
	echo_free(e);
}

static void start_http(void)
{
	char config[256];

	server_start(&server);
	snprintf(config, sizeof(config), "{\"mcpServers\":{\"s\":{\"url\":\"http://127.0.0.1:%u/mcp\"}}}", server.port);
	rig_start(&rig, config, "s");
	rig.kind = CRED_BEARER;
	rig.slot = "Authorization";
	rig.value = "Bearer planted-secret";
	rig_daemons(&rig);
	CHECK(rig_ready(&rig, WAIT_MS));
}

static bool has(struct ipc_bytes b, const char *text)
{
	return memmem(b.p, b.n, text, strlen(text)) != NULL;
}

static void answers_are_withheld(void)
{
	static const char *const args[] = {"{\"as\":\"result\"}", "{\"as\":\"error\"}", "{\"as\":\"data\"}",
					   "{\"as\":\"hidden\"}"};

	start_http();
	for (unsigned i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		struct rig_call c = {.name = "echo", .args = args[i]};
		const struct ipc_result *a = rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);

		CHECK(a && a->status == RESULT_RPC_ERROR && a->body.n == 0);
		CHECK(a && has(a->message, "its own credential") && !has(a->message, "planted"));
		while (rig.violations <= i && rig_next(&rig, WAIT_MS, &got))
			;
		CHECK(rig.violations == i + 1 && rig.last_violation == VIOLATION_ECHO);
	}
	struct rig_call c = {.name = "json", .args = "{}"};
	const struct ipc_result *a = rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);
	CHECK(a && a->status == RESULT_OK);
	CHECK(rig_stop(&rig) == 0);
	server_stop(&server);
}

static void progress_is_withheld(void)
{
	struct rig_call c = {.name = "echo", .args = "{\"as\":\"progress\"}", .wants_progress = true};

	start_http();
	uint64_t id = rig_call(&rig, &c);
	const struct ipc_call_progress *p = rig_wait(&rig, IPC_CALL_PROGRESS, WAIT_MS, &got);
	CHECK(p && has(p->members, "fine") && !has(p->members, "planted"));
	const struct ipc_result *a = rig_result(&rig, id, WAIT_MS, &got);
	CHECK(a && a->status == RESULT_OK && has(a->body, "done"));
	while (rig.violations == 0 && rig_next(&rig, WAIT_MS, &got))
		;
	CHECK(rig.violations == 1 && rig.last_violation == VIOLATION_ECHO);
	CHECK(rig_stop(&rig) == 0);
	server_stop(&server);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&got.store, IPC_FRAME_MAX);
	RUN(forms_are_found);
	RUN(parts_of_basic_are_found);
	RUN(memory_is_bounded);
	RUN(answers_are_withheld);
	RUN(progress_is_withheld);
	return unit_end();
}
