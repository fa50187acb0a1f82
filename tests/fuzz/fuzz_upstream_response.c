/*
 * An answer of a server, head and body: the head's lines up to an empty one, then a message, which
 * is read as a result, an error or a list of tools. Nothing of it may break what we send next.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gatewayd/upstream/exchange_head.h"
#include "common/outbound/header.h"
#include "gatewayd/upstream/message.h"
#include "gatewayd/upstream/tool.h"
#include "gatewayd/upstream/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken from an answer goes into our own requests as single lines. */
static void check_lines(struct headers *h)
{
	for (struct curl_slist *l = headers_list(h); l != NULL; l = l->next)
		if (strpbrk(l->data, "\r\n") != NULL)
			abort();
}

static size_t read_head(const char *text, size_t size)
{
	struct exchange_head head;
	struct headers h;
	size_t at = 0;

	exchange_head_reset(&head);
	headers_init(&h);
	while (at < size) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end != NULL ? (size_t)(end - text) + 1 - at : size - at;

		if (exchange_head_line(&head, text + at, len) != 0)
			break;
		at += len;
		if (len <= 2)
			break;
	}
	if (head.session[0] != '\0' && headers_puts(&h, "Mcp-Session-Id", head.session) != 0)
		abort();
	check_lines(&h);
	headers_free(&h);
	return at;
}

static void read_tool(const struct json_doc *d, uint32_t t, bool with_headers)
{
	struct tool tool = {0};
	struct headers h;
	const char *why = NULL;

	headers_init(&h);
	if (tool_read(d, t, with_headers, &tool, &why) != 0) {
		if (why == NULL)
			abort();
		headers_free(&h);
		return;
	}
	if (!tool_name_ok(tool.name) || tool.floor > 3 || tool.tier > 3 ||
	    memchr(tool.definition, '\n', tool.definition_len))
		abort();
	/* The whole message stands for arguments. */
	if (tool_param_headers(&tool, d, &h) == 0)
		check_lines(&h);
	tool_free(&tool);
	headers_free(&h);
}

static void read_tools(const struct json_doc *d, uint32_t result)
{
	uint32_t list = json_get(d, result, "tools");

	if (json_kind(d, list) != JK_ARRAY)
		return;
	for (uint32_t t = json_first(d, list); t != JSON_NONE; t = json_after(d, list, t)) {
		read_tool(d, t, true);
		read_tool(d, t, false);
	}
}

static void answer(const struct json_doc *d, const struct message *m)
{
	struct wire_bytes id;
	struct buf out;

	id.p = json_raw(d, m->id, &id.n);
	buf_init(&out, WIRE_BODY_MAX);
	if (json_kind(d, m->id) == JK_STRING || json_kind(d, m->id) == JK_NUMBER) {
		if (wire_put_answer(&out, m->method, id) != 0 || memchr(buf_ptr(&out), '\n', buf_len(&out)) != NULL)
			abort();
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_error error;
	struct message m;
	struct json_doc d;
	const char *why = NULL;
	size_t at = read_head((const char *)data, size);

	json_init(&d);
	if (message_read(&d, (const char *)data + at, size - at, &m, &why) != 0) {
		if (why == NULL)
			abort();
		json_free(&d);
		return 0;
	}
	(void)message_is_for(&d, &m, 7);
	if (m.kind == MESSAGE_ERROR) {
		message_error_read(&d, m.value, &error);
		if (memchr(error.text, '\0', sizeof(error.text)) == NULL)
			abort();
	} else if (m.kind == MESSAGE_RESULT) {
		(void)message_result_type(&d, m.value);
		read_tools(&d, m.value);
	} else if (m.kind == MESSAGE_REQUEST) {
		answer(&d, &m);
	}
	json_free(&d);
	return 0;
}
