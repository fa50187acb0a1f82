/* A front in an attacker's hands: all it may do is be a client with the tokens it sees. */
#include "tests/hostile/rig.h"

static char token[64];

static struct ipc_request request(uint8_t method, const char *name, const char *args)
{
	struct ipc_request q = {.call = 7, .era = ERA_MODERN, .method = method};

	q.version = ipc_text("2026-07-28");
	q.token = ipc_text(token);
	q.rpc_id = ipc_text("1");
	q.name = ipc_text(name);
	q.source = ipc_text("127.0.0.1:1");
	q.args = ipc_text(args);
	q.meta = ipc_text("{}");
	return q;
}

#define DROPPED 255 /* instead of a reply's kind: the broker has ended the connection */

/* Sends a request and gives the answer. A front that was dropped gets another connection from its parent. */
static struct ipc_reply ask(struct ipc_request q)
{
	int fd = peer_fd(IPC_ROLE_BROKER, NULL);
	struct ipc_reply r = {0};
	union ipc_any msg;
	int got;

	if (ipc_write_blocking(fd, IPC_REQUEST, &q, -1) != KG_OK)
		exit(1);
	got = expect(fd, IPC_REPLY, &msg);
	if (got == KG_OK)
		memcpy(&r, &msg, sizeof(r));
	if (got == KG_E_IO) {
		peer_closed(IPC_ROLE_BROKER);
		r.kind = DROPPED;
	}
	return r;
}

static int body_has(const struct ipc_reply *r, const char *text)
{
	return r->body.n != 0 && memmem(r->body.p, r->body.n, text, strlen(text)) != NULL;
}

static void wait_for_a_right_call(void)
{
	for (int i = 0; i < WAIT_S * 10; i++) {
		struct ipc_reply r = ask(request(MCP_TOOLS_CALL, "notes__list_notes", "{}"));

		if (r.kind == REPLY_RESULT && !body_has(&r, "\"isError\":true")) {
			check(1, "a live token is good for what it was granted");
			return;
		}
		usleep(100000);
	}
	check(0, "a live token is good for what it was granted");
}

static void beyond_the_consent(void)
{
	struct ipc_reply r = ask(request(MCP_TOOLS_CALL, "notes__wipe_notes", "{}"));

	check(r.kind == REPLY_RESULT && body_has(&r, "\"isError\":true"), "a destructive call is refused");
	r = ask(request(MCP_TOOLS_CALL, "other__list_notes", "{}"));
	check(r.kind == REPLY_ERROR && r.code == -32602, "a server outside the consent is unknown");
	token[10] = token[10] == 'a' ? 'b' : 'a';
	r = ask(request(MCP_TOOLS_CALL, "notes__list_notes", "{}"));
	check(r.kind == REPLY_ERROR && r.http_status == 401, "a guessed token is refused");
	token[0] = '\0';
	r = ask(request(MCP_TOOLS_CALL, "notes__list_notes", "{}"));
	check(r.kind == REPLY_ERROR && r.http_status == 401, "no token is refused");
	wait_line("token", token, sizeof(token));
}

/* Bytes that would become part of what goes to the server. */
static void injected_bytes(void)
{
	static const char *const args[] = {"{},\"method\":\"x\"", "{\"a\":1,\"a\":2}", "[]", "", "{}\n{}", "null"};

	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		struct ipc_reply r = ask(request(MCP_TOOLS_CALL, "notes__list_notes", args[i]));

		check(r.kind == REPLY_ERROR || r.kind == DROPPED,
		      "arguments that are not one strict JSON object are refused");
	}
}

static void unknown_numbers(void)
{
	static const uint8_t methods[] = {0, SELF_CONNECT, SELF_SPAWN, 255};

	for (size_t i = 0; i < sizeof(methods); i++) {
		struct ipc_reply r = ask(request(methods[i], "notes__list_notes", "{}"));

		check(r.kind == REPLY_ERROR || r.kind == DROPPED, "a method that is none of a client's is refused");
	}
}

/* A message that a front may not say costs it the connection. */
static void speaks_for_others(void)
{
	struct ipc_outcome o = {.call = 7};
	int fd = peer_fd(IPC_ROLE_BROKER, NULL);

	if (ipc_write_blocking(fd, IPC_OUTCOME, &o, -1) != KG_OK)
		exit(1);
	check(dropped(fd), "a front that speaks as the broker to the broker is dropped");
}

int main(void)
{
	rig_begin();
	wait_line("token", token, sizeof(token));
	wait_for_a_right_call();
	beyond_the_consent();
	injected_bytes();
	unknown_numbers();
	speaks_for_others();
	rig_end();
}
