/* A front between a broker and its clients. */
#ifndef TESTS_FRONT_RIG_H
#define TESTS_FRONT_RIG_H

#include "gatewayd/front/mcp.h"

#define RIG_ROLE struct front
#define RIG_ATTACH broker_attach
#define RIG_READ_MAX (9u << 20)
#include "tests/unit/http_rig.h"

#define RIG_HOST "127.0.0.1:8931"
#define RIG_CONFIG                                                                                                     \
	"{\"listen\":{\"port\":8931,\"allowed_origins\":[\"https://tools.example.com\"]},"                             \
	"\"limits\":{\"max_body\":4194304},\"mcpServers\":{\"notes\":{\"command\":\"/bin/notes\"}}}"

static inline struct rig *rig_new(void)
{
	struct rig *r = rig_begin(IPC_ROLE_FRONT, RIG_CONFIG);

	r->served.port = 8931;
	front_serve(&r->served, RIG_SLOTS);
	json_init(&r->served.doc);
	buf_init(&r->served.scratch, CONN_OUT_MAX);
	token_make(r->token);
	rig_broker(r);
	rig_connect(r);
	return r;
}

static inline void rig_free(struct rig *r)
{
	rig_hang_up(r);
	rig_end(r);
}

/* One request of this head and body; fields are further header lines, each with its CRLF. */
static inline void rig_request(struct rig *r, const char *line, const char *fields, const char *body)
{
	size_t size = strlen(line) + strlen(fields) + strlen(body) + 256;
	char *text = malloc(size);
	int n = snprintf(text, size,
			 "%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%sContent-Length: %zu\r\n\r\n%s", line,
			 RIG_HOST, r->token, fields, strlen(body), body);

	rig_write(r, text, (size_t)n);
	free(text);
}

#define RIG_MEDIA "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
#define RIG_VERSION "MCP-Protocol-Version: 2026-07-28\r\n"
#define RIG_ENVELOPE                                                                                                   \
	"\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                                  \
	"\"io.modelcontextprotocol/clientCapabilities\":{}"

static inline void rig_post(struct rig *r, const char *fields, const char *body)
{
	char all[2048];

	snprintf(all, sizeof(all), RIG_MEDIA "%s", fields);
	rig_request(r, "POST /mcp", all, body);
}

static inline void rig_result(struct rig *r, uint64_t call, const char *body, const char *session)
{
	struct ipc_reply m = {.call = call,
			      .kind = REPLY_RESULT,
			      .http_status = 200,
			      .mcp_session = ipc_text(session),
			      .body = ipc_text(body)};

	rig_send(r, IPC_REPLY, &m);
}

static inline void rig_error(struct rig *r, uint64_t call, uint32_t http, int32_t code, const char *text)
{
	struct ipc_reply m = {
		.call = call, .kind = REPLY_ERROR, .http_status = http, .code = code, .message = ipc_text(text)};

	rig_send(r, IPC_REPLY, &m);
}

static inline void rig_accepted(struct rig *r, uint64_t call, uint32_t http)
{
	struct ipc_reply m = {.call = call, .kind = REPLY_ACCEPTED, .http_status = http};

	rig_send(r, IPC_REPLY, &m);
}

static inline void rig_progress(struct rig *r, uint64_t call, const char *members)
{
	struct ipc_progress m = {.call = call, .members = ipc_text(members)};

	rig_send(r, IPC_PROGRESS, &m);
}

#endif
