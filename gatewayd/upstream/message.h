/* One JSON-RPC message of the server, read and classified. */
#ifndef UPSTREAM_MESSAGE_H
#define UPSTREAM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"

#define MESSAGE_METHOD_MAX 64

enum message_kind {
	MESSAGE_RESULT = 1,
	MESSAGE_ERROR,
	MESSAGE_REQUEST, /* the server asks us */
	MESSAGE_NOTE,
};

/* Tokens of the document that it was read into; JSON_NONE where absent. */
struct message {
	enum message_kind kind;
	uint32_t id;
	uint32_t value;                      /* result, error or params */
	char method[MESSAGE_METHOD_MAX + 1]; /* "" for answers; a longer name is none that we know */
};

/* KG_E_PROTO with *why (static) for anything but one JSON-RPC 2.0 message. */
int message_read(struct json_doc *d, const char *text, size_t len, struct message *out, const char **why) MUST_CHECK;

/* Whether the message's id is this number of ours. */
bool message_is_for(const struct json_doc *d, const struct message *m, uint64_t id);

/* An error object's parts. message is cut to size at a character's edge; data is its raw bytes (len 0: none). */
struct message_error {
	int32_t code;
	char text[1024];
	const char *data;
	size_t data_len;
};
void message_error_read(const struct json_doc *d, uint32_t error, struct message_error *out);

/* How a result ends the call (digest 2.8). */
enum result_type {
	RESULT_TYPE_COMPLETE,
	RESULT_TYPE_INPUT_REQUIRED,
	RESULT_TYPE_TASK,
	RESULT_TYPE_UNKNOWN,
};
enum result_type message_result_type(const struct json_doc *d, uint32_t result);

#endif
