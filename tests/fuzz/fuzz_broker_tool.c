/*
 * A tool's definition as a hostile server may write it: whatever the bytes, what is shown of an
 * accepted one is one JSON object with our name, for clients of both eras.
 */
#include "gatewayd/broker/tool_def.h"

#include <stdint.h>
#include <stdlib.h>

#define FUZZ_NAME "server__tool"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct tool_def *d, struct json_doc *doc, enum mcp_era era)
{
	struct buf out;

	buf_init(&out, d->len + sizeof(FUZZ_NAME) + 2);
	if (tool_def_put(&out, d, FUZZ_NAME, era) != KG_OK)
		abort();
	if (json_scan(doc, (const char *)buf_ptr(&out), buf_len(&out), NULL) != KG_OK)
		abort();
	if (!json_is(doc, json_get(doc, 0, "name"), FUZZ_NAME) ||
	    json_kind(doc, json_get(doc, 0, "inputSchema")) != JK_OBJECT)
		abort();
	if (era == ERA_MODERN && json_get(doc, 0, "execution") != JSON_NONE)
		abort();
	buf_free(&out);
}

/* Whatever its schemas say, they are refused or they check, within their bounds. */
static void check(struct tool_def *d, struct json_doc *doc)
{
	static const char args[] = "{\"text\":\"1.10\",\"n\":[1,null,{\"a\":-0.5e3}]}";
	struct tool_schemas_room room = {0};
	struct jsonschema_error e;

	if (tool_schemas_make(d, &room, &e) && json_scan(doc, args, sizeof(args) - 1, NULL) == KG_OK) {
		(void)!tool_schema_check(d, &d->input, doc, 0, &e);
		(void)!tool_schema_check(d, &d->output, doc, 0, &e);
	}
	tool_schemas_free(d, &room);
	if (room.bytes != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tool_def d;
	struct json_doc doc;
	const char *why;

	json_init(&doc);
	if (size <= 262144 && tool_def_read(&d, data, size, "t", &doc, &why) == KG_OK) {
		show(&d, &doc, ERA_LEGACY);
		show(&d, &doc, ERA_MODERN);
		check(&d, &doc);
		tool_def_free(&d);
	}
	json_free(&doc);
	return 0;
}
