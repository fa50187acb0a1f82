#include "gatewayd/upstream/tool.h"

#include <stdlib.h>
#include <string.h>

#include "common/call.h"
#include "common/json_canonical.h"
#include "gatewayd/upstream/noise.h"
#include "gatewayd/upstream/tool_param.h"

bool tool_name_ok(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
		      c == '.' || c == '-'))
			return false;
	}
	return len > 0 && len <= TOOL_NAME_MAX;
}

/*
 * Explicit hints only: the protocol's defaults are no statement of the server. floor raises what
 * the operator says, tier stands where the operator is silent.
 */
static void read_tiers(const struct json_doc *d, uint32_t t, struct tool *out)
{
	uint32_t hints = json_get(d, t, "annotations");
	enum json_kind read_only = json_kind(d, json_get(d, hints, "readOnlyHint"));
	enum json_kind destructive = json_kind(d, json_get(d, hints, "destructiveHint"));

	if (destructive == JK_TRUE)
		out->tier = out->floor = TIER_DESTRUCTIVE;
	else if (read_only == JK_TRUE)
		out->tier = TIER_READ;
	else if (destructive == JK_FALSE)
		out->tier = TIER_WRITE;
	else if (read_only == JK_FALSE)
		out->tier = TIER_DESTRUCTIVE;
	if (out->floor == 0 && read_only == JK_FALSE)
		out->floor = TIER_WRITE;
}

static int read_text(const struct json_doc *d, uint32_t t, int (*put)(struct buf *, const struct json_doc *, uint32_t),
		     char **out, size_t *len)
{
	struct buf text;

	buf_init(&text, TOOL_DEFINITION_MAX);
	int err = put(&text, d, t);
	if (err == 0) {
		*len = buf_len(&text);
		*out = malloc(*len);
		if (*out)
			memcpy(*out, buf_ptr(&text), *len);
		else
			err = KG_E_NOMEM;
	}
	buf_free(&text);
	return err;
}

static int read_definition(const struct json_doc *d, uint32_t t, struct tool *out)
{
	int err = read_text(d, t, json_put_compact, &out->definition, &out->definition_len);

	return err ? err : read_text(d, t, json_put_canonical, &out->canonical, &out->canonical_len);
}

int tool_read(const struct json_doc *d, uint32_t t, bool with_headers, struct tool *out, const char **why)
{
	struct tool tool = {0};
	uint32_t schema = json_get(d, t, "inputSchema");

	if (json_unescape(d, json_get(d, t, "name"), tool.name, sizeof(tool.name)) != 0)
		tool.name[0] = '\0';
	noise_clean(out->name, sizeof(out->name), tool.name, strlen(tool.name)); /* for the warning */
	if (!tool_name_ok(tool.name)) {
		*why = "its name is not 1 to 128 of A-Z a-z 0-9 _ . -";
		return KG_E_INVALID;
	}
	if (json_kind(d, schema) != JK_OBJECT) {
		*why = "its inputSchema is not an object";
		return KG_E_INVALID;
	}
	read_tiers(d, t, &tool);
	if (with_headers && tool_params_read(d, schema, &tool.params, &tool.nparams, why) != 0)
		return KG_E_INVALID;
	if (read_definition(d, t, &tool) != 0) {
		*why = "its definition is larger than 262144 bytes";
		tool_free(&tool);
		return KG_E_INVALID;
	}
	*out = tool;
	return 0;
}

void tool_free(struct tool *t)
{
	free(t->definition);
	free(t->canonical);
	free(t->params);
	memset(t, 0, sizeof(*t));
}
