#include "gatewayd/upstream/tool_param.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KEYWORD "x-mcp-header"

struct walk {
	const struct json_doc *d;
	struct tool_param *list;
	size_t n;
	char path[TOOL_PATH_MAX];
	size_t path_len;
	unsigned depth;
	const char *why;
};

/* Where a schema holds other schemas that no plain property path reaches. */
enum holder { HOLDS_SCHEMA, HOLDS_LIST, HOLDS_MAP };
static const struct {
	const char *keyword;
	enum holder holder;
} holders[] = {
	{"items", HOLDS_SCHEMA},
	{"items", HOLDS_LIST}, /* the array form of older dialects */
	{"additionalItems", HOLDS_SCHEMA},
	{"prefixItems", HOLDS_LIST},
	{"contains", HOLDS_SCHEMA},
	{"additionalProperties", HOLDS_SCHEMA},
	{"patternProperties", HOLDS_MAP},
	{"propertyNames", HOLDS_SCHEMA},
	{"unevaluatedItems", HOLDS_SCHEMA},
	{"unevaluatedProperties", HOLDS_SCHEMA},
	{"dependentSchemas", HOLDS_MAP},
	{"dependencies", HOLDS_MAP},
	{"contentSchema", HOLDS_SCHEMA},
	{"oneOf", HOLDS_LIST},
	{"anyOf", HOLDS_LIST},
	{"allOf", HOLDS_LIST},
	{"not", HOLDS_SCHEMA},
	{"if", HOLDS_SCHEMA},
	{"then", HOLDS_SCHEMA},
	{"else", HOLDS_SCHEMA},
	{"$defs", HOLDS_MAP},
	{"definitions", HOLDS_MAP},
};

static int bad(struct walk *w, const char *why)
{
	w->why = why;
	return KG_E_INVALID;
}

static int param_type(const struct json_doc *d, uint32_t schema, enum tool_param_type *out)
{
	static const char *const names[] = {"string", "integer", "boolean"};
	uint32_t type = json_get(d, schema, "type");

	for (unsigned i = 0; i < 3; i++) {
		if (json_is(d, type, names[i])) {
			*out = (enum tool_param_type)i;
			return 0;
		}
	}
	return KG_E_INVALID;
}

static int param_add(struct walk *w, uint32_t schema, uint32_t value)
{
	char name[TOOL_PARAM_NAME_MAX + 1];
	struct tool_param p = {.depth = w->depth};

	if (json_unescape(w->d, value, name, sizeof(name)) != 0 || !header_name_ok(name, strlen(name)))
		return bad(w, "an x-mcp-header is not a header name of at most 64 characters");
	if (param_type(w->d, schema, &p.type) != 0)
		return bad(w, "an x-mcp-header stands at a property that is no string, integer or boolean");
	if (w->n == TOOL_PARAMS_MAX)
		return bad(w, "more than 32 x-mcp-header");
	snprintf(p.header, sizeof(p.header), "Mcp-Param-%s", name);
	for (size_t i = 0; i < w->n; i++)
		if (strcasecmp(w->list[i].header, p.header) == 0)
			return bad(w, "an x-mcp-header stands twice");
	memcpy(p.path, w->path, w->path_len);
	struct tool_param *list = realloc(w->list, (w->n + 1) * sizeof(*list));
	if (!list)
		return bad(w, "out of memory");
	w->list = list;
	w->list[w->n++] = p;
	return 0;
}

static int walk_schema(struct walk *w, uint32_t schema, bool reachable);

static int walk_properties(struct walk *w, uint32_t map, bool reachable)
{
	for (uint32_t m = json_first(w->d, map); m != JSON_NONE; m = json_after(w->d, map, m + 1)) {
		size_t len = w->path_len;
		bool named = json_unescape(w->d, m, w->path + len, sizeof(w->path) - len) == 0;

		if (named) {
			w->path_len += strlen(w->path + len) + 1;
			w->depth++;
		}
		/* A name that cannot be kept is no place for an annotation; without one it does no harm. */
		int err = walk_schema(w, m + 1, reachable && named);
		if (named)
			w->depth--;
		w->path_len = len;
		if (err != 0)
			return err;
	}
	return 0;
}

static int walk_holder(struct walk *w, enum holder holder, uint32_t value)
{
	int err = 0;

	if (holder == HOLDS_SCHEMA)
		return walk_schema(w, value, false);
	if (holder == HOLDS_MAP)
		return walk_properties(w, json_kind(w->d, value) == JK_OBJECT ? value : JSON_NONE, false);
	if (json_kind(w->d, value) != JK_ARRAY)
		return 0;
	for (uint32_t e = json_first(w->d, value); e != JSON_NONE && err == 0; e = json_after(w->d, value, e))
		err = walk_schema(w, e, false);
	return err;
}

/* Recursion ends with the nesting that json_scan() allows. */
static int walk_schema(struct walk *w, uint32_t schema, bool reachable)
{
	uint32_t mark = json_get(w->d, schema, KEYWORD);
	int err = 0;

	if (json_kind(w->d, schema) != JK_OBJECT)
		return 0;
	if (mark != JSON_NONE && (!reachable || w->depth == 0))
		return bad(w, "an x-mcp-header stands where no plain property path leads");
	if (mark != JSON_NONE)
		err = param_add(w, schema, mark);
	if (err == 0)
		err = walk_properties(w, json_get(w->d, schema, "properties"), reachable);
	for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]) && err == 0; i++)
		err = walk_holder(w, holders[i].holder, json_get(w->d, schema, holders[i].keyword));
	return err;
}

int tool_params_read(const struct json_doc *d, uint32_t schema, struct tool_param **params, size_t *nparams,
		     const char **why)
{
	struct walk w = {.d = d};
	int err = walk_schema(&w, schema, true);

	if (err != 0) {
		free(w.list);
		*why = w.why;
		return err;
	}
	*params = w.list;
	*nparams = w.n;
	return 0;
}
