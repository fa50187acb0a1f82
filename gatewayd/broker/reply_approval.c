#include "gatewayd/broker/reply_approval.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/json.h"
#include "gatewayd/broker/approvals.h"
#include "gatewayd/broker/reply.h"

#define REPLY_MAX 16384u
#define RPC_URL_ELICITATION (-32042) /* MCP 2025-11-25: URLElicitationRequiredError */

/* The place as a URL: nothing of the call stands in it, and it proves nothing by itself. */
static int put_url(struct buf *out, const struct config *config, const char *id)
{
	bool v6 = strchr(config->listen_address, ':') != NULL;

	if (config->approvals.url != NULL)
		return buf_printf(out, "%s/%s", config->approvals.url, id);
	return buf_printf(out, "http://%s%s%s:%u/approvals/%s", v6 ? "[" : "", config->listen_address, v6 ? "]" : "",
			  config->listen_port, id);
}

static int put_member(struct buf *out, const char *before, const char *text)
{
	int r = buf_puts(out, before);

	return r == KG_OK ? json_put_string(out, text, strlen(text)) : r;
}

static int put_input_required(struct buf *out, const char *message, const char *url, const char *id)
{
	int r = put_member(out,
			   "{\"resultType\":\"input_required\",\"inputRequests\":{\"approval\":{\"method\":"
			   "\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":",
			   message);

	if (r == KG_OK)
		r = put_member(out, ",\"url\":", url);
	if (r == KG_OK)
		r = put_member(out, "}}},\"requestState\":", id);
	return r == KG_OK ? buf_puts(out, "}") : r;
}

static int put_elicitations(struct buf *out, const char *message, const char *url, const char *id)
{
	int r = put_member(out, "{\"elicitations\":[{\"mode\":\"url\",\"elicitationId\":", id);

	if (r == KG_OK)
		r = put_member(out, ",\"url\":", url);
	if (r == KG_OK)
		r = put_member(out, ",\"message\":", message);
	return r == KG_OK ? buf_puts(out, "}]}") : r;
}

static void reply_as(const struct call *c, const char *message, const char *url, const char *id)
{
	bool by_url = (c->elicits & ELICITS_URL) != 0;
	struct buf body;
	int r;

	buf_init(&body, REPLY_MAX);
	if (by_url && c->era == ERA_MODERN)
		r = put_input_required(&body, message, url, id);
	else if (by_url)
		r = put_elicitations(&body, message, url, id);
	else
		r = buf_printf(&body, "%s The place: %s. Then repeat the same call: it is allowed once.", message, url);
	if (r != KG_OK)
		reply_tool_error(c->front, c->request, message);
	else if (by_url && c->era == ERA_MODERN)
		reply_result(c->front, c->request, ipc_mem(buf_ptr(&body), (uint32_t)buf_len(&body)), NULL);
	else if (by_url)
		reply_rpc_error(c->front, c->request, RPC_URL_ELICITATION, ipc_text(message),
				ipc_mem(buf_ptr(&body), (uint32_t)buf_len(&body)));
	else
		reply_tool_error(c->front, c->request, buf_text(&body) == NULL ? message : buf_text(&body));
	buf_free(&body);
}

void reply_approval(const struct config *config, const struct call *c)
{
	char id[APPROVAL_HEX + 1], message[CALL_TEXT_MAX + APPROVAL_HEX + 64];
	struct buf url;

	sodium_bin2hex(id, sizeof(id), c->approval, ID_LEN);
	snprintf(message, sizeof(message), "%s An operator gives it with: keepgate approvals approve %s",
		 c->answer.text, id);
	buf_init(&url, REPLY_MAX / 4);
	if (put_url(&url, config, id) == KG_OK && buf_text(&url) != NULL)
		reply_as(c, message, buf_text(&url), id);
	else
		reply_tool_error(c->front, c->request, message);
	buf_free(&url);
}
