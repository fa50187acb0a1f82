#include "gatewayd/broker/tool_schemas.h"

#include "gatewayd/broker/tool_def.h"

static int compile(const struct tool_def *d, const struct tool_schema *s, struct jsonschema **out,
		   struct jsonschema_error *error)
{
	/* MCP, JSON Schema usage: 2020-12 where no $schema says another; nothing is fetched. */
	return jsonschema_compile(d->text + s->at, s->len, JSONSCHEMA_2020_12, NULL, 0, out, error);
}

static bool schema_make(const struct tool_def *d, struct tool_schema *s, struct tool_schemas_room *room,
			struct jsonschema_error *error)
{
	if (s->len == 0)
		return true;
	if (compile(d, s, &s->kept, error) != KG_OK) {
		s->kept = NULL;
		return false;
	}
	if (room->bytes + s->len > TOOL_SCHEMAS_BYTES_MAX) {
		jsonschema_free(s->kept);
		s->kept = NULL;
		return true;
	}
	room->bytes += s->len;
	return true;
}

static void schema_free(struct tool_schema *s, struct tool_schemas_room *room)
{
	if (s->kept == NULL)
		return;
	jsonschema_free(s->kept);
	s->kept = NULL;
	room->bytes -= s->len;
}

bool tool_schemas_make(struct tool_def *d, struct tool_schemas_room *room, struct jsonschema_error *error)
{
	error->path[0] = error->what[0] = '\0';
	return schema_make(d, &d->input, room, error) && schema_make(d, &d->output, room, error);
}

void tool_schemas_free(struct tool_def *d, struct tool_schemas_room *room)
{
	schema_free(&d->input, room);
	schema_free(&d->output, room);
}

int tool_schema_check(const struct tool_def *d, const struct tool_schema *s, const struct json_doc *doc, uint32_t t,
		      struct jsonschema_error *error)
{
	struct jsonschema *now = NULL;
	int r;

	error->path[0] = error->what[0] = '\0';
	if (s->len == 0)
		return KG_OK;
	if (s->kept != NULL)
		return jsonschema_check(s->kept, doc, t, error);
	r = compile(d, s, &now, error);
	if (r != KG_OK)
		return r;
	r = jsonschema_check(now, doc, t, error);
	jsonschema_free(now);
	return r;
}
