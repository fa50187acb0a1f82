/*
 * The upstream role as it runs, locked, against a scripted HTTP server and a stdio server: what it
 * sends, what it refuses, how it recovers.
 */
#include "tests/unit/upstream_rig.h"
#include "tests/unit/upstream_server.h"

#include "tests/unit/unit.h"

#define WAIT_MS 60000 /* a loaded machine takes its time */

static struct rig rig;
static struct rig_message got;
static struct server server;

static void start_http(const char *path, const char *more)
{
	char config[1024];

	server_start(&server);
	snprintf(config, sizeof(config), "{\"mcpServers\":{\"s\":{\"url\":\"http://127.0.0.1:%u%s\"%s}}}", server.port,
		 path, more);
	rig_start(&rig, config, "s");
	rig.kind = CRED_BEARER;
	rig.slot = "Authorization";
	rig.value = "Bearer planted-secret";
	rig_daemons(&rig);
}

static void stop_http(void)
{
	CHECK(rig_stop(&rig) == 0);
	server_stop(&server);
}

/* Makes a call; its result, or NULL. Borrowed until the next. */
static const struct ipc_result *call(const char *tool, const char *args)
{
	struct rig_call c = {.name = tool, .args = args};

	return rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);
}

static bool has(struct ipc_bytes b, const char *text)
{
	return memmem(b.p, b.n, text, strlen(text)) != NULL;
}

static void a_legacy_server_is_spoken_to(void)
{
	const struct ipc_result *a;

	start_http("/mcp", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	/* "bad name" is left out, and the second "json". */
	CHECK(rig.tools == 15 && !strstr(rig.tool_names, "bad name"));
	CHECK(server.seen->initializes == 1 && rig.intents == 1);
	a = call("json", "{\"x\":1.10}");
	CHECK(a && a->status == RESULT_OK);
	CHECK(a && ipc_is(a->body, "{\"content\":[{\"type\":\"text\",\"text\":\"done\"}],\"n\":1.10}"));
	CHECK(strstr(server.seen->head, "Authorization: Bearer planted-secret\r\n") != NULL);
	CHECK(strstr(server.seen->head, "MCP-Protocol-Version: 2025-11-25\r\n") != NULL);
	CHECK(strstr(server.seen->head, "Mcp-Session-Id: s-1\r\n") != NULL);
	CHECK(strstr(server.seen->head, "Mcp-Method") == NULL && strstr(server.seen->head, "Expect") == NULL);
	CHECK(server.seen->gets == 1); /* the standing stream was asked for, and there is none */
	while ((rig.outcomes == 0 || rig.tiers < rig.tools) && rig_next(&rig, WAIT_MS, &got))
		;
	CHECK(rig.outcomes == 1 && rig.last_outcome == OUTCOME_OK);
	CHECK(rig.tiers == rig.tools);
	stop_http();
}

static void a_modern_server_is_spoken_to(void)
{
	const struct ipc_result *a;

	start_http("/modern", ",\"headers\":{\"X-Literal\":\"l\"}");
	CHECK(rig_ready(&rig, WAIT_MS));
	CHECK(server.seen->initializes == 0);
	a = call("param", "{\"r\":\"a\\nb\"}");
	CHECK(a && a->status == RESULT_OK && has(a->body, "\"resultType\":\"complete\""));
	CHECK(strstr(server.seen->head, "MCP-Protocol-Version: 2026-07-28\r\n") != NULL);
	CHECK(strstr(server.seen->head, "Mcp-Method: tools/call\r\n") != NULL);
	CHECK(strstr(server.seen->head, "Mcp-Name: param\r\n") != NULL);
	CHECK(strstr(server.seen->head, "Mcp-Param-Region: =?base64?YQpi?=\r\n") != NULL);
	CHECK(strstr(server.seen->head, "X-Literal: l\r\n") != NULL);
	CHECK(strstr(server.seen->head, "Mcp-Session-Id") == NULL);
	a = call("param", "{\"r\":5}");
	CHECK(a && a->status == RESULT_UNSENT);
	a = call("input", "{}");
	CHECK(a && a->status == RESULT_RPC_ERROR && has(a->message, "more input"));
	/* A refused header: the tools are listed again, and the call is made once more. */
	a = call("mismatch", "{}");
	CHECK(a && a->status == RESULT_OK && server.seen->refusals == 2 && server.seen->lists == 2);
	stop_http();
}

static void a_query_credential_goes_to_the_url(void)
{
	start_http("/modern?a=1", "");
	rig.kind = CRED_QUERY;
	rig.slot = "api key";
	rig.value = "p&q=\xC3\xA4";
	CHECK(rig_ready(&rig, WAIT_MS));
	const struct ipc_result *a = call("json", "{}");
	CHECK(a && a->status == RESULT_OK);
	static const char line[] = "POST /modern?a=1&api%20key=p%26q%3D%C3%A4 HTTP/1.1\r\n";
	CHECK(strncmp(server.seen->head, line, strlen(line)) == 0);
	stop_http();
}

static void events_carry_progress_and_answers(void)
{
	struct rig_call c = {.name = "sse", .args = "{}", .wants_progress = true};
	const struct ipc_call_progress *p;
	const struct ipc_result *a;

	start_http("/mcp", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	uint64_t id = rig_call(&rig, &c);
	p = rig_wait(&rig, IPC_CALL_PROGRESS, WAIT_MS, &got);
	CHECK(p && p->call == id && ipc_is(p->members, "\"progress\":1,\"total\":2.50,\"message\":\"half\""));
	a = rig_result(&rig, id, WAIT_MS, &got);
	CHECK(a && a->status == RESULT_OK && ipc_is(a->body, "{\"content\":[]}"));
	/* Its ping was answered with the session and the credential of the call. */
	for (int i = 0; i < WAIT_MS / 20 && server.seen->pongs == 0; i++)
		usleep(20000);
	CHECK(server.seen->pongs == 1);
	/* A polled answer: two streams end before it comes. */
	a = call("poll", "{}");
	CHECK(a && a->status == RESULT_OK && ipc_is(a->body, "{\"polled\":true}"));
	CHECK(strcmp(server.seen->resumed_from, "ev-2") == 0);
	stop_http();
}

static void wrong_receipts_and_seals_are_refused(void)
{
	static const struct {
		enum rig_fault fault;
		uint8_t violation;
	} rows[] = {
		{RIG_BAD_MAC, VIOLATION_RECEIPT_MAC},
		{RIG_EXPIRED, VIOLATION_RECEIPT_EXPIRED},
		{RIG_FAR_AHEAD, VIOLATION_RECEIPT_EXPIRED},
		{RIG_OTHER_ARGS, VIOLATION_RECEIPT_MAC},
		{RIG_OTHER_META, VIOLATION_RECEIPT_MAC},
		{RIG_OTHER_NAME, VIOLATION_RECEIPT_MAC},
		{RIG_OTHER_SESSION, VIOLATION_RECEIPT_MAC},
		{RIG_OTHER_TXN, VIOLATION_RECEIPT_MAC},
		{RIG_OTHER_METHOD, VIOLATION_RECEIPT_MAC},
		{RIG_OTHER_UPSTREAM, VIOLATION_RECEIPT_MAC},
		{RIG_BAD_SEAL, VIOLATION_SEAL},
		{RIG_NO_SEAL, VIOLATION_SEAL},
		{RIG_OTHER_DESTINATION, VIOLATION_SEAL},
		{RIG_OLD_SEAL, VIOLATION_SEAL},
		{RIG_SEAL_OF_OTHER_CALL, VIOLATION_SEAL},
	};
	struct rig_call c = {.name = "json", .args = "{}"};

	start_http("/modern", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned before = rig.violations;
		c.fault = rows[i].fault;
		const struct ipc_result *a = rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);
		CHECK(a && a->status == RESULT_REFUSED);
		while (rig.violations == before && rig_next(&rig, WAIT_MS, &got))
			;
		CHECK(rig.violations == before + 1 && rig.last_violation == rows[i].violation);
	}
	CHECK(server.seen->calls == 0);
	c.fault = RIG_RIGHT;
	const struct ipc_result *a = rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);
	CHECK(a && a->status == RESULT_OK);
	c.again = true; /* the same transaction once more: the same digest */
	a = rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);
	CHECK(a && a->status == RESULT_REFUSED);
	CHECK(server.seen->calls == 1);
	stop_http();
}

static void what_is_not_canonical_is_refused(void)
{
	static const char *const args[] = {"[]", "{\"a\":1,\"a\":2}", "{\"a\":1,\n\"b\":2}", "{\"a\":1}{}", ""};

	start_http("/modern", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		const struct ipc_result *a = call("json", args[i]);
		CHECK(a && a->status == RESULT_REFUSED);
	}
	struct rig_call c = {.name = "json", .args = "{}", .meta = "{\"progressToken\":1}"};
	const struct ipc_result *a = rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);
	CHECK(a && a->status == RESULT_REFUSED);
	a = call("unlisted", "{}");
	CHECK(a && a->status == RESULT_UNSENT);
	CHECK(server.seen->calls == 0);
	stop_http();
}

static void bad_answers_are_contained(void)
{
	const struct ipc_result *a;

	start_http("/mcp", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	a = call("error", "{}");
	CHECK(a && a->status == RESULT_RPC_ERROR && a->code == -32602 && ipc_is(a->message, "no") &&
	      ipc_is(a->body, "{\"w\":1}"));
	a = call("twice", "{}");
	CHECK(a && a->status == RESULT_LOST && has(a->message, "duplicate"));
	a = call("big", "{}");
	CHECK(a && a->status == RESULT_LOST && has(a->message, "larger than"));
	a = call("broken", "{}");
	CHECK(a && a->status == RESULT_LOST && has(a->message, "500"));
	a = call("redirect", "{}");
	CHECK(a && a->status == RESULT_RPC_ERROR && has(a->message, "never followed"));
	CHECK(server.seen->redirected == 0);
	/* A kept connection that breaks: the call may have been carried out, so it is not made again. */
	a = call("json", "{}");
	a = call("drop", "{}");
	CHECK(a && a->status == RESULT_LOST && server.seen->drops == 1);
	a = call("json", "{}");
	CHECK(a && a->status == RESULT_OK);
	stop_http();
}

static void a_lost_session_is_made_anew(void)
{
	start_http("/mcp", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	for (int i = 1; i <= 2; i++) { /* said by 404, then by 400 */
		int calls = server.seen->calls;
		server.seen->forget_session = true;
		const struct ipc_result *a = call("json", "{}");
		CHECK(a && a->status == RESULT_OK);
		CHECK(server.seen->initializes == 1 + i && server.seen->calls == calls + 1);
	}
	CHECK(rig.intents == 3);
	stop_http();
}

static void time_limits_and_cancellations_reach_the_server(void)
{
	struct rig_call c = {.name = "slow", .args = "{}", .timeout_ms = 1000};
	struct ipc_call_cancel cancel = {.reason = ipc_text("no longer wanted")};
	const struct ipc_result *a;

	start_http("/mcp", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	a = rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);
	CHECK(a && a->status == RESULT_TIMEOUT);
	c.timeout_ms = 60000;
	int calls = server.seen->calls;
	cancel.call = rig_call(&rig, &c);
	for (int i = 0; i < WAIT_MS / 20 && server.seen->calls == calls; i++)
		usleep(20000);
	rig_send(&rig, RIG_BROKER, IPC_CALL_CANCEL, &cancel);
	a = rig_result(&rig, cancel.call, WAIT_MS, &got);
	CHECK(a && a->status == RESULT_CANCELLED);
	for (int i = 0; i < WAIT_MS / 20 && server.seen->cancels < 2; i++)
		usleep(20000);
	CHECK(server.seen->cancels == 2);
	stop_http();
}

static void changed_tools_are_listed_again(void)
{
	start_http("/mcp", "");
	server.seen->stream_offered = true;
	CHECK(rig_ready(&rig, WAIT_MS));
	CHECK(rig_ready(&rig, WAIT_MS));
	CHECK(server.seen->lists == 2 && rig.intents == 2);
	/* A broker that comes later is told what is known. */
	unsigned before = rig.tools;
	rig_give(&rig, RIG_BROKER, IPC_ROLE_BROKER);
	CHECK(rig_ready(&rig, WAIT_MS) && rig.tools == before + 15 && server.seen->lists == 2);
	stop_http();
}

static void changes_are_heard_in_the_modern_era(void)
{
	start_http("/modern", "");
	server.seen->stream_offered = true;
	CHECK(rig_ready(&rig, WAIT_MS));
	CHECK(rig_ready(&rig, WAIT_MS));
	CHECK(server.seen->lists == 2 && server.seen->gets == 1 && rig.intents == 2);
	stop_http();
}

/* A server that leaves its stream open behind the answer holds nobody up. */
static void a_stream_that_stays_is_let_go(void)
{
	start_http("/mcp", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	for (int i = 0; i < 3; i++) {
		const struct ipc_result *a = call("stays", "{}");
		CHECK(a && a->status == RESULT_OK && ipc_is(a->body, "{}"));
	}
	const struct ipc_result *a = call("json", "{}");
	CHECK(a && a->status == RESULT_OK);
	stop_http();
}

static void daemons_may_come_again(void)
{
	struct rig_message m;
	const struct ipc_want_peer *w;

	buf_init(&m.store, IPC_FRAME_MAX);
	start_http("/modern", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	for (int end = RIG_VAULT; end <= RIG_RECORDER; end++) {
		enum ipc_role role = end == RIG_VAULT ? IPC_ROLE_VAULT : IPC_ROLE_RECORDER;
		close(rig.fd[end]);
		rig.fd[end] = -1;
		w = rig_wait(&rig, IPC_WANT_PEER, WAIT_MS, &m);
		CHECK(w && w->role == role);
		upstream_key_pair(rig.pk, rig.sk);
		rig_give(&rig, (enum rig_end)end, role);
		if (end == RIG_VAULT)
			CHECK(rig_wait(&rig, IPC_UPSTREAM_KEY, WAIT_MS, &m) != NULL);
		usleep(100000);
		const struct ipc_result *a = call("json", "{}");
		CHECK(a && a->status == RESULT_OK);
	}
	buf_free(&m.store);
	stop_http();
}

static void refusals_of_the_vault_are_told(void)
{
	struct rig_message m;

	buf_init(&m.store, IPC_FRAME_MAX);
	start_http("/modern", "");
	rig.refuse_acts = true;
	CHECK(rig_wait(&rig, IPC_UPSTREAM_DOWN, WAIT_MS, &m) != NULL);
	CHECK(strstr(rig.down, "the secret is not stored") != NULL);
	while (rig.outcomes == 0 && rig_next(&rig, WAIT_MS, &m))
		;
	CHECK(rig.last_outcome == OUTCOME_UNSENT);
	CHECK(server.seen->calls == 0 && server.seen->lists == 0);
	rig.refuse_acts = false;
	CHECK(rig_ready(&rig, WAIT_MS)); /* it tries again by itself */
	buf_free(&m.store);
	stop_http();
}

static void names_may_not_lead_inside(void)
{
	struct rig_message m;
	char config[512];

	buf_init(&m.store, IPC_FRAME_MAX);
	server_start(&server);
	/* The loopback address in other words: only what the URL itself names is allowed. */
	snprintf(config, sizeof(config), "{\"mcpServers\":{\"s\":{\"url\":\"https://[::ffff:127.0.0.1]:%u/modern\"}}}",
		 server.port);
	rig_start(&rig, config, "s");
	rig_daemons(&rig);
	CHECK(rig_wait(&rig, IPC_UPSTREAM_DOWN, WAIT_MS, &m) != NULL);
	CHECK(strstr(rig.down, "an IPv4-mapped address") != NULL);
	CHECK(rig_stop(&rig) == 0);
	server_stop(&server);
	buf_free(&m.store);
}

static void start_stdio(const char *command, const char *more)
{
	char bin[4096], config[8192];

	if (spawn_bin_dir(bin, sizeof(bin)) != 0)
		rig_die("where is it");
	if (command[0] == '/')
		snprintf(config, sizeof(config), "{\"mcpServers\":{\"s\":{\"command\":\"%s\"%s}}}", command, more);
	else
		snprintf(config, sizeof(config), "{\"mcpServers\":{\"s\":{\"command\":\"%s/../%s\"%s}}}", bin, command,
			 more);
	rig_start(&rig, config, "s");
	rig.kind = CRED_ENV;
	rig.slot = "API_TOKEN";
	rig.value = "planted-secret";
	rig_daemons(&rig);
}

static void a_stdio_server_is_started_and_spoken_to(void)
{
	start_stdio("notes", "");
	CHECK(rig_ready(&rig, WAIT_MS));
	CHECK(rig.tools == 3 && strstr(rig.tool_names, "list_notes:1:0") && strstr(rig.tool_names, "wipe_notes:3:3"));
	/* The start and the handshake are acts of their own. */
	CHECK(rig.intents == 2);
	const struct ipc_result *a = call("list_notes", "{}");
	CHECK(a && a->status == RESULT_OK);
	struct rig_call c = {.name = "list_notes", .args = "{}", .fault = RIG_BAD_MAC};
	a = rig_result(&rig, rig_call(&rig, &c), WAIT_MS, &got);
	CHECK(a && a->status == RESULT_REFUSED);
	CHECK(rig_stop(&rig) == 0);
}

/* A server in shell: ends at a probe, so is asked in the old way; shows its environment; ends when told. */
static const char shell_server[] =
	"while read -r line; do\n"
	"id=${line#*'\"id\":'}; id=${id%%,*}\n"
	"result() { printf '{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}\\n' \"$id\" \"$1\"; }\n"
	"case $line in\n"
	"*server/discover*) exit 3 ;;\n"
	"*'\"initialize\"'*) result '{\"protocolVersion\":\"2024-11-05\",\"capabilities\":{\"tools\":{}}}' ;;\n"
	"*tools/list*) echo noise; echo complaint >&2\n"
	"result '{\"tools\":[{\"name\":\"env\",\"inputSchema\":{}},{\"name\":\"end\",\"inputSchema\":{}}]}' ;;\n"
	"*'\"name\":\"end\"'*) exit 4 ;;\n"
	"*'\"name\":\"env\"'*tell*) echo \"my token is $API_TOKEN\" >&2; result \"{\\\"t\\\":\\\"$API_TOKEN\\\"}\" ;;\n"
	"*tools/call*) result \"{\\\"t\\\":\\\"${API_TOKEN%-*} $LITERAL $SECRET_OF_PARENT\\\"}\" ;;\n"
	"esac; done\n";

static void start_shell(char dir[32])
{
	char path[64], more[256];

	snprintf(dir, 32, "/tmp/kg-test-XXXXXX");
	FILE *f = NULL;
	if (mkdtemp(dir)) {
		snprintf(path, sizeof(path), "%s/server.sh", dir);
		f = fopen(path, "w");
	}
	if (!f || fputs(shell_server, f) < 0 || fclose(f) != 0)
		rig_die("no script");
	snprintf(more, sizeof(more), ",\"args\":[\"%s\"],\"env\":{\"LITERAL\":\"lit\"},\"sandbox\":{\"read\":[\"%s\"]}",
		 path, dir);
	setenv("SECRET_OF_PARENT", "leaked", 1);
	start_stdio("/bin/sh", more);
}

static void an_old_stdio_server_survives_the_probe(void)
{
	char dir[32], path[64];

	start_shell(dir);
	CHECK(rig_ready(&rig, WAIT_MS));
	CHECK(rig.tools == 2);
	const struct ipc_result *a = call("env", "{}");
	CHECK(a && a->status == RESULT_OK && ipc_is(a->body, "{\"t\":\"planted lit \"}"));
	/* What it was given comes back neither in a result nor in the log. */
	a = call("env", "{\"x\":\"tell\"}");
	CHECK(a && a->status == RESULT_RPC_ERROR && has(a->message, "its own credential"));
	while (rig.violations == 0 && rig_next(&rig, WAIT_MS, &got))
		;
	CHECK(rig.last_violation == VIOLATION_ECHO);
	/* When it ends, the calls under way are told so and the role ends, to be started again. */
	a = call("end", "{}");
	CHECK(a && a->status == RESULT_LOST);
	CHECK(rig_stop(&rig) == KG_EXIT_CHILD);
	snprintf(path, sizeof(path), "%s/server.sh", dir);
	unlink(path);
	rmdir(dir);
}

static void a_stdio_server_is_not_started_without_its_secret(void)
{
	char bin[4096], config[8192];

	if (spawn_bin_dir(bin, sizeof(bin)) != 0)
		rig_die("where is it");
	snprintf(config, sizeof(config), "{\"mcpServers\":{\"s\":{\"command\":\"%s/../notes\"}}}", bin);
	rig_start(&rig, config, "s");
	rig.refuse_acts = true;
	rig_daemons(&rig);
	while ((rig.fd[RIG_CONTROL] >= 0 || rig.fd[RIG_RECORDER] >= 0) && rig_next(&rig, WAIT_MS, &got))
		;
	CHECK(rig_stop(&rig) == KG_EXIT_UNAVAILABLE);
	CHECK(rig.outcomes == 1 && rig.last_outcome == OUTCOME_UNSENT);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	buf_init(&got.store, IPC_FRAME_MAX);
	RUN(a_legacy_server_is_spoken_to);
	RUN(a_modern_server_is_spoken_to);
	RUN(a_query_credential_goes_to_the_url);
	RUN(events_carry_progress_and_answers);
	RUN(wrong_receipts_and_seals_are_refused);
	RUN(what_is_not_canonical_is_refused);
	RUN(bad_answers_are_contained);
	RUN(a_lost_session_is_made_anew);
	RUN(time_limits_and_cancellations_reach_the_server);
	RUN(changed_tools_are_listed_again);
	RUN(changes_are_heard_in_the_modern_era);
	RUN(a_stream_that_stays_is_let_go);
	RUN(daemons_may_come_again);
	RUN(refusals_of_the_vault_are_told);
	RUN(names_may_not_lead_inside);
	RUN(a_stdio_server_is_started_and_spoken_to);
	RUN(an_old_stdio_server_survives_the_probe);
	RUN(a_stdio_server_is_not_started_without_its_secret);
	return unit_end();
}
