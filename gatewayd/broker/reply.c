#include "gatewayd/broker/reply.h"

#include <string.h>

#include "common/call.h"
#include "common/json.h"
#include "gatewayd/broker/broker.h"

static void send_reply(struct peer *front, const struct ipc_reply *m)
{
	if (front != NULL && front->conn != NULL)
		(void)ipc_send(front->conn, IPC_REPLY, m);
}

void reply_error(struct peer *front, uint64_t request, uint32_t http, int32_t code, const char *text)
{
	struct ipc_reply m = {
		.call = request, .kind = REPLY_ERROR, .http_status = http, .code = code, .message = ipc_text(text)};

	send_reply(front, &m);
}

/* Whether the front still takes large messages: it must not lose its connection to a few results. */
static bool front_has_room(const struct peer *front, size_t bytes)
{
	return front == NULL || front->conn == NULL || ipc_queued(front->conn) + bytes <= REPLY_QUEUE_HIGH;
}

static void reply_too_slow(struct peer *front, uint64_t request)
{
	reply_error(front, request, 200, RPC_INTERNAL,
		    "the call was made, but its result was dropped: the gateway's front has too many unread results");
}

void reply_rpc_error(struct peer *front, uint64_t request, int32_t code, struct ipc_bytes message,
		     struct ipc_bytes data)
{
	struct ipc_reply m = {.call = request,
			      .kind = REPLY_ERROR,
			      .http_status = 200,
			      .code = code,
			      .message = message,
			      .body = data};

	if (front_has_room(front, data.n))
		send_reply(front, &m);
	else
		reply_too_slow(front, request);
}

void reply_result(struct peer *front, uint64_t request, struct ipc_bytes body, const char *mcp_session)
{
	struct ipc_reply m = {.call = request,
			      .kind = REPLY_RESULT,
			      .http_status = 200,
			      .mcp_session = ipc_text(mcp_session),
			      .body = body};

	if (front_has_room(front, body.n))
		send_reply(front, &m);
	else
		reply_too_slow(front, request);
}

void reply_tool_error(struct peer *front, uint64_t request, const char *text)
{
	struct buf body;
	int r;

	buf_init(&body, IPC_BODY_MAX);
	r = buf_puts(&body, "{\"content\":[{\"type\":\"text\",\"text\":");
	if (r == KG_OK)
		r = json_put_string(&body, text, strlen(text));
	if (r == KG_OK)
		r = buf_puts(&body, "}],\"isError\":true}");
	if (r == KG_OK)
		reply_result(front, request, ipc_mem(buf_ptr(&body), buf_len(&body)), NULL);
	else
		reply_error(front, request, 200, RPC_INTERNAL, text);
	buf_free(&body);
}

void reply_accepted(struct peer *front, uint64_t request, uint32_t http)
{
	struct ipc_reply m = {.call = request, .kind = REPLY_ACCEPTED, .http_status = http};

	send_reply(front, &m);
}

void reply_progress(struct peer *front, uint64_t request, struct ipc_bytes members)
{
	struct ipc_progress m = {.call = request, .members = members};

	if (front != NULL && front->conn != NULL && ipc_queued(front->conn) <= PROGRESS_QUEUE_HIGH)
		(void)ipc_send(front->conn, IPC_PROGRESS, &m);
}
