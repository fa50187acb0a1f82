#include "gatewayd/upstream/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char **why, const char *text)
{
	*why = text;
	return KG_E_PROTO;
}

/* An answer has no method, and exactly one of result and error; its id may be null only beside an error. */
static int read_answer(struct json_doc *d, struct message *m, const char **why)
{
	uint32_t result = json_get(d, 0, "result"), error = json_get(d, 0, "error");

	if ((result == JSON_NONE) == (error == JSON_NONE))
		return refuse(why, "neither a request nor exactly one of result and error");
	m->kind = result != JSON_NONE ? MESSAGE_RESULT : MESSAGE_ERROR;
	m->value = result != JSON_NONE ? result : error;
	if (json_kind(d, m->value) != JK_OBJECT)
		return refuse(why, "its result or error is not an object");
	return 0;
}

int message_read(struct json_doc *d, const char *text, size_t len, struct message *out, const char **why)
{
	struct json_error bad;
	struct message m = {.kind = MESSAGE_NOTE};

	if (json_scan(d, text, len, &bad) != 0)
		return refuse(why, bad.why);
	if (!json_is(d, json_get(d, 0, "jsonrpc"), "2.0"))
		return refuse(why, "not a JSON-RPC 2.0 message");
	m.id = json_get(d, 0, "id");
	uint32_t method = json_get(d, 0, "method");
	if (method == JSON_NONE) {
		int err = read_answer(d, &m, why);
		if (err == 0)
			*out = m;
		return err;
	}
	if (json_kind(d, method) != JK_STRING)
		return refuse(why, "its method is not a string");
	if (json_unescape(d, method, m.method, sizeof(m.method)) != 0)
		m.method[0] = '\0';
	if (m.id != JSON_NONE)
		m.kind = MESSAGE_REQUEST;
	m.value = json_get(d, 0, "params");
	*out = m;
	return 0;
}

bool message_is_for(const struct json_doc *d, const struct message *m, uint64_t id)
{
	int64_t value;

	return json_int(d, m->id, &value) == 0 && value >= 0 && (uint64_t)value == id;
}

/* Not more than size bytes with the NUL, and no half character at the end. */
static void copy_cut(const struct json_doc *d, uint32_t t, char *out, size_t size)
{
	size_t raw_len, n;

	if (json_unescape(d, t, out, size) == 0)
		return;
	snprintf(out, size, "%s", "(no message)");
	if (json_kind(d, t) != JK_STRING)
		return;
	(void)json_raw(d, t, &raw_len);
	char *whole = malloc(raw_len + 1);
	if (!whole)
		return;
	if (json_unescape(d, t, whole, raw_len + 1) == 0) {
		n = size - 1;
		while (n > 0 && ((unsigned char)whole[n] & 0xc0) == 0x80)
			n--;
		memcpy(out, whole, n);
		out[n] = '\0';
	}
	free(whole);
}

void message_error_read(const struct json_doc *d, uint32_t error, struct message_error *out)
{
	uint32_t data = json_get(d, error, "data");
	int64_t code;

	memset(out, 0, sizeof(*out));
	out->code = -32603;
	if (json_int(d, json_get(d, error, "code"), &code) == 0 && code >= INT32_MIN && code <= INT32_MAX)
		out->code = (int32_t)code;
	copy_cut(d, json_get(d, error, "message"), out->text, sizeof(out->text));
	if (data != JSON_NONE)
		out->data = json_raw(d, data, &out->data_len);
}

enum result_type message_result_type(const struct json_doc *d, uint32_t result)
{
	uint32_t type = json_get(d, result, "resultType");

	if (type == JSON_NONE || json_is(d, type, "complete"))
		return RESULT_TYPE_COMPLETE;
	if (json_is(d, type, "input_required"))
		return RESULT_TYPE_INPUT_REQUIRED;
	return json_is(d, type, "task") ? RESULT_TYPE_TASK : RESULT_TYPE_UNKNOWN;
}
