/* The answer of an upstream: checked again, handed on, and its outcome recorded. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/broker/call.h"
#include "gatewayd/broker/inspections.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/text.h"

#define PROGRESS_MEMBERS_MAX 8190u /* with braces around them they fit into PROGRESS */

/* How the endings without a result are told and recorded. */
static const struct ending {
	uint8_t outcome;
	uint32_t http;
	const char *reason_code;
	const char *text; /* when the role says nothing itself */
} endings[] = {
	[RESULT_REFUSED] = {OUTCOME_UNSENT, 200, "grant-refused",
			    "its process refused the receipt or the sealed credentials, nothing was sent"},
	[RESULT_UNSENT] = {OUTCOME_UNSENT, 200, "not-sent", "it could not be reached, nothing was sent"},
	[RESULT_LOST] = {OUTCOME_LOST, 200, "answer-lost",
			 "the answer was lost. The call was sent and may have taken effect: look before repeating it"},
	[RESULT_TIMEOUT] = {OUTCOME_TIMEOUT, 200, "server-timeout",
			    "no answer in time. The call was sent and may have taken effect: look before repeating it"},
	[RESULT_CANCELLED] = {OUTCOME_CANCELLED, 200, "server-cancelled", "the call was cancelled"},
};

static int take_ending(struct broker *b, struct call *c, const struct ipc_result *m)
{
	const struct ending *e = &endings[m->status];
	char text[CALL_TEXT_MAX];
	size_t named;

	snprintf(text, sizeof(text), "server %s: ", c->upstream->config->name);
	named = strlen(text);
	if (m->message.n > named && memcmp(m->message.p, text, named) == 0)
		text[0] = '\0'; /* the role has said it already */
	if (m->message.n != 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s", (int)m->message.n,
			 (const char *)m->message.p);
	else
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", e->text);
	call_answer_error(c, e->http, RPC_INTERNAL, text);
	call_end(b, c, e->outcome, e->reason_code);
	return KG_OK;
}

/* The role must have scanned what it hands on; bytes that are no JSON came from the role itself. */
static int take_malformed(struct broker *b, struct call *c)
{
	char text[CALL_TEXT_MAX];

	snprintf(text, sizeof(text),
		 "server %s: its process handed on a malformed answer. The call was sent and may have taken effect",
		 c->upstream->config->name);
	call_answer_error(c, 200, RPC_INTERNAL, text);
	call_end(b, c, OUTCOME_LOST, "answer-malformed");
	return KG_E_PROTO;
}

static void note_body(struct call *c, struct ipc_bytes body)
{
	sha256(body.p, body.n, c->outcome.result_sha256);
	c->outcome.bytes_out = body.n;
}

static int take_rpc_error(struct broker *b, struct call *c, const struct ipc_result *m)
{
	if (m->body.n != 0 && json_scan(&b->args, (const char *)m->body.p, m->body.n, NULL) != KG_OK)
		return take_malformed(b, c);
	note_body(c, m->body);
	reply_rpc_error(c->front, c->request, m->code, m->message, m->body);
	inspections_result(b, c, m->message, m->body.n != 0);
	call_end(b, c, OUTCOME_RPC_ERROR, "rpc-error");
	return KG_OK;
}

/* A result that its tool's own schema refuses, or one whose tool is not defined any more as it was called. */
static bool result_fits(struct broker *b, const struct call *c, char *text, size_t size)
{
	size_t server = (size_t)(c->upstream - b->upstream);
	const struct tool *t = catalogue_find_own(b->catalogue, server, c->name, strlen(c->name));
	uint32_t content = json_get(&b->args, 0, "structuredContent");
	struct jsonschema_error e = {"/structuredContent", ""};

	if (!c->has_output)
		return true;
	if (t == NULL || memcmp(t->def.sha256, c->def_sha256, HASH_LEN) != 0)
		text_put(e.what, sizeof(e.what), "the tool's definition has changed meanwhile");
	else if (content == JSON_NONE)
		text_put(e.what, sizeof(e.what), "there is none");
	else if (tool_schema_check(&t->def, &t->def.output, &b->args, content, &e) == KG_OK)
		return true;
	text_put(text, size,
		 "server %s: the result of %s was dropped, it does not fit the tool's outputSchema at "
		 "%s: %s. The call was made and may have taken effect: look before repeating it",
		 c->upstream->config->name, c->name, e.path, e.what);
	return false;
}

static int take_ok(struct broker *b, struct call *c, const struct ipc_result *m)
{
	char text[CALL_TEXT_MAX];
	bool tool_error;

	if (json_scan(&b->args, (const char *)m->body.p, m->body.n, NULL) != KG_OK ||
	    json_kind(&b->args, 0) != JK_OBJECT)
		return take_malformed(b, c);
	tool_error = json_kind(&b->args, json_get(&b->args, 0, "isError")) == JK_TRUE;
	note_body(c, m->body);
	/* MCP, tools: structured content must conform; an error need not. */
	if (!tool_error && !result_fits(b, c, text, sizeof(text))) {
		reply_tool_error(c->front, c->request, text);
		inspections_result(b, c, ipc_mem("", 0), true);
		call_end(b, c, OUTCOME_TOOL_ERROR, "invalid-result");
		return KG_OK;
	}
	reply_result(c->front, c->request, m->body, NULL);
	inspections_result(b, c, ipc_mem("", 0), true);
	call_end(b, c, tool_error ? OUTCOME_TOOL_ERROR : OUTCOME_OK, tool_error ? "tool-error" : "");
	return KG_OK;
}

int call_take_result(struct broker *b, struct call *c, const struct ipc_result *m)
{
	if (m->status == RESULT_OK)
		return take_ok(b, c, m);
	if (m->status == RESULT_RPC_ERROR)
		return take_rpc_error(b, c, m);
	if (m->status >= sizeof(endings) / sizeof(endings[0]) || endings[m->status].outcome == 0)
		return take_malformed(b, c);
	return take_ending(b, c, m);
}

/* The role sends members, the front takes an object. */
int call_take_progress(struct broker *b, const struct call *c, struct ipc_bytes members)
{
	struct buf object;
	int r;

	if (c->state != CALL_RUNNING || !c->wants_progress || c->front == NULL || members.n > PROGRESS_MEMBERS_MAX)
		return KG_OK;
	buf_init(&object, PROGRESS_MEMBERS_MAX + 2);
	r = buf_puts(&object, "{");
	if (r == KG_OK)
		r = buf_put(&object, members.p, members.n);
	if (r == KG_OK)
		r = buf_puts(&object, "}");
	if (r == KG_OK)
		r = json_scan(&b->args, (const char *)buf_ptr(&object), buf_len(&object), NULL);
	if (r == KG_OK)
		reply_progress(c->front, c->request, ipc_mem(buf_ptr(&object), buf_len(&object)));
	buf_free(&object);
	return r;
}
