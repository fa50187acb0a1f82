/*
 * A front between a hostile client and a hostile broker. The first byte says where the rest arrives: as bytes of a
 * connection, as a body behind headers of the second byte's choice, as a result, or as progress. No input ends the
 * link to the broker, and what the broker is sent is within the table and holds JSON objects.
 */
#include "tests/unit/front_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rig *rig;

static void check_object(struct ipc_bytes b)
{
	struct json_doc d;

	json_init(&d);
	if (json_scan(&d, (const char *)b.p, b.n, NULL) != KG_OK || json_kind(&d, 0) != JK_OBJECT)
		abort();
	json_free(&d);
}

/* Everything that has reached the broker; the last request's call. */
static uint64_t drain(void)
{
	const struct ipc_request *q;
	uint64_t call = 0;

	for (int i = 0; i < 64; i++) {
		q = rig_take(rig, IPC_REQUEST);
		if (q == NULL)
			break;
		check_object(q->args);
		check_object(q->meta);
		if (q->method == 0 || (q->era != ERA_LEGACY && q->era != ERA_MODERN))
			abort();
		if (q->elicits > (ELICITS_FORM | ELICITS_URL) || q->consented > ELICIT_CANCEL)
			abort();
		call = q->call;
	}
	return call;
}

static void raw(const char *text, size_t len)
{
	rig_write(rig, text, len);
	drain();
}

/* The body in a block of its own size, so that a read too far is seen. */
static void body(uint8_t bits, const char *text, size_t len)
{
	struct conn *c = conn_of(rig->served.http.slots[0]);
	char *block = malloc(len > 0 ? len : 1);

	memcpy(block, text, len);
	memcpy(c->head.token, rig->token, TOKEN_LEN + 1);
	c->head.method = HTTP1_POST;
	snprintf(c->head.version, sizeof(c->head.version), "%s", (bits & 1) != 0 ? VERSION_MODERN : "");
	snprintf(c->head.mcp_method, sizeof(c->head.mcp_method), "tools/call");
	snprintf(c->head.mcp_name, sizeof(c->head.mcp_name), (bits & 2) != 0 ? "=?base64?YQ==?=" : "a");
	c->head.has_mcp_method = (bits & 4) != 0;
	c->head.has_mcp_name = (bits & 8) != 0;
	c->http.state = HTTP_WAITING;
	mcp_body(c, block, len);
	free(block);
	drain();
}

static uint64_t open_call(bool modern)
{
	rig_post(rig, modern ? RIG_VERSION "Mcp-Method: tools/call\r\nMcp-Name: a\r\n" : "",
		 modern ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
			  "call\",\"params\":{\"name\":\"a\",\"_meta\":{"
			  "\"progressToken\":1," RIG_ENVELOPE "}}}"
			: "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
			  "call\",\"params\":{\"name\":\"a\",\"_meta\":{"
			  "\"progressToken\":1}}}");
	return drain();
}

static void result(uint8_t bits, const char *text, size_t len)
{
	struct ipc_reply m = {.call = open_call((bits & 1) != 0),
			      .kind = (uint8_t)(bits >> 1 & 3),
			      .http_status = (uint32_t)(bits >> 3) * 20u,
			      .message = ipc_mem(text, len < 64 ? len : 64),
			      .body = ipc_mem(text, len)};

	if (m.message.n != 0 && memchr(m.message.p, 0, m.message.n) != NULL)
		m.message.n = 0;
	rig_send(rig, IPC_REPLY, &m);
}

static void progress(const char *text, size_t len)
{
	struct ipc_progress m = {.call = open_call(false), .members = ipc_mem(text, len < 8192 ? len : 8192)};

	rig_send(rig, IPC_PROGRESS, &m);
	rig_result(rig, m.call, "{}", NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (rig == NULL) {
		rig = rig_new();
		close(rig->client);
	}
	if (size < 2)
		return 0;
	rig_connect(rig);
	if (data[0] % 4 == 0)
		raw((const char *)data + 2, size - 2);
	else if (data[0] % 4 == 1)
		body(data[1], (const char *)data + 2, size - 2);
	else if (data[0] % 4 == 2)
		result(data[1], (const char *)data + 2, size - 2);
	else
		progress((const char *)data + 2, size - 2);
	close(rig->client);
	rig_pump(rig);
	while (rig_take(rig, IPC_REQUEST_GONE) != NULL)
		continue;
	if (!rig_linked(rig) || rig->served.http.used != 0)
		abort();
	return 0;
}
