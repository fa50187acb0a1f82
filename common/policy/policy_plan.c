/*
 * A tool's input schema as a type of Cedar. What has no exact counterpart (unions, untyped members, what contains
 * itself) is left out: policies cannot speak of it.
 */
#include "common/policy/policy_set.h"

#include "common/json_text.h"

#define ESCAPED 6u    /* as in "\u{7f}" */
#define TYPE_TEXT 32u /* a type with what stands around it */

struct planner {
	struct cedar_arena *arena;
	struct json_doc doc;
	uint32_t root; /* token of the input schema */
	uint32_t steps;
	size_t names;                  /* bytes of names, each as long as it gets when it is escaped */
	uint32_t open[PLAN_DEPTH_MAX]; /* tokens of references that are being followed */
	uint32_t nopen;
	bool large, starved;
};

static bool read_type(struct planner *p, uint32_t t, unsigned depth, struct plan *out);

/* A string of the document with its escapes undone. */
static bool take_string(struct planner *p, uint32_t t, struct cedar_str *out)
{
	size_t len, n;
	const char *raw = json_raw(&p->doc, t, &len);
	struct json_chars c = {(const uint8_t *)raw + 1, (const uint8_t *)raw + len - 1};
	char *bytes = cedar_arena_alloc(p->arena, len);
	uint8_t ch[4];

	*out = (struct cedar_str){bytes, 0};
	if (bytes == NULL) {
		p->starved = true;
		return false;
	}
	while ((n = json_chars_next(&c, ch)) > 0) {
		memcpy(bytes + out->n, ch, n);
		out->n += n;
	}
	p->names += out->n * ESCAPED;
	return out->n <= PLAN_NAME_MAX;
}

/* One step of a JSON pointer (RFC 6901), its ~0 and ~1 undone. */
static bool pointer_step(const char **at, const char *end, char *out, size_t size)
{
	size_t n = 0;

	for ((*at)++; *at < end && **at != '/'; (*at)++) {
		char c = **at;

		if (c == '~' && *at + 1 < end && ((*at)[1] == '0' || (*at)[1] == '1'))
			c = *++(*at) == '0' ? '~' : '/';
		/* Percent signs would have to be decoded: rare enough to leave out. */
		if (c == '%' || c == '\0' || n + 1 >= size)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

/* What "#" or "#/..." leads to; JSON_NONE for any other reference. */
static uint32_t resolve(const struct planner *p, uint32_t ref)
{
	char text[PLAN_NAME_MAX + 1], step[PLAN_NAME_MAX + 1];
	const char *at = text + 1, *end;
	uint32_t t = p->root;

	if (json_unescape(&p->doc, ref, text, sizeof(text)) != 0 || text[0] != '#' || (*at != '\0' && *at != '/'))
		return JSON_NONE;
	for (end = text + strlen(text); at < end && t != JSON_NONE;) {
		if (!pointer_step(&at, end, step, sizeof(step)))
			return JSON_NONE;
		t = json_get(&p->doc, t, step);
	}
	return t;
}

/* A reference alone: what stands beside it may say more, but nothing else (2020-12), or nothing at all (draft 7). */
static bool read_reference(struct planner *p, uint32_t ref, unsigned depth, struct plan *out)
{
	uint32_t target = resolve(p, ref), i;
	bool typed;

	if (target == JSON_NONE || p->nopen == PLAN_DEPTH_MAX)
		return false;
	for (i = 0; i < p->nopen; i++)
		if (p->open[i] == target)
			return false;
	p->open[p->nopen++] = target;
	typed = read_type(p, target, depth, out);
	p->nopen--;
	return typed;
}

static bool is_null_type(const struct planner *p, uint32_t t)
{
	return json_is(&p->doc, json_get(&p->doc, t, "type"), "null");
}

/* [T, {"type": "null"}] in either order: T, or nothing. Any other choice is no type. */
static bool read_choice(struct planner *p, uint32_t list, unsigned depth, struct plan *out)
{
	uint32_t a = json_first(&p->doc, list), b;

	if (json_kind(&p->doc, list) != JK_ARRAY || p->doc.tok[list].count != 2)
		return false;
	b = json_after(&p->doc, list, a);
	if (is_null_type(p, a) == is_null_type(p, b) || !read_type(p, is_null_type(p, a) ? b : a, depth, out))
		return false;
	out->nullable = true;
	return true;
}

static void mark_required(struct planner *p, uint32_t list, const struct plan *record)
{
	if (json_kind(&p->doc, list) != JK_ARRAY)
		return;
	for (uint32_t t = json_first(&p->doc, list); t != JSON_NONE; t = json_after(&p->doc, list, t)) {
		char name[PLAN_NAME_MAX + 1];
		struct plan *member;

		if (json_unescape(&p->doc, t, name, sizeof(name)) != 0)
			continue;
		member = plan_member(record, cedar_str_from(name));
		if (member != NULL)
			member->required = !member->nullable;
	}
}

static bool read_members(struct planner *p, uint32_t object, unsigned depth, struct plan *out)
{
	uint32_t list = json_get(&p->doc, object, "properties");
	uint32_t count = json_kind(&p->doc, list) == JK_OBJECT ? p->doc.tok[list].count : 0;

	out->kind = PLAN_RECORD;
	p->large = p->large || count > PLAN_MEMBERS_MAX;
	if (p->large)
		return false;
	out->members = cedar_arena_array(p->arena, count, sizeof(*out->members));
	if (out->members == NULL) {
		p->starved = true;
		return false;
	}
	for (uint32_t m = json_first(&p->doc, list); count > 0 && m != JSON_NONE;
	     m = json_after(&p->doc, list, m + 1)) {
		struct plan member = {0};

		if (take_string(p, m, &member.name) && read_type(p, m + 1, depth + 1, &member))
			out->members[out->count++] = member;
	}
	p->starved = p->starved || (!p->large && plan_sort(p->arena, out) != 0);
	if (p->large || p->starved)
		return false;
	mark_required(p, json_get(&p->doc, object, "required"), out);
	return true;
}

static bool read_elements(struct planner *p, uint32_t array, unsigned depth, struct plan *out)
{
	struct plan element = {0};

	/* Tuples have elements of several types. */
	if (json_get(&p->doc, array, "prefixItems") != JSON_NONE ||
	    !read_type(p, json_get(&p->doc, array, "items"), depth + 1, &element) || element.nullable)
		return false;
	out->kind = PLAN_SET;
	out->element = cedar_arena_alloc(p->arena, sizeof(*out->element));
	if (out->element == NULL) {
		p->starved = true;
		return false;
	}
	*out->element = element;
	return true;
}

static bool read_named(struct planner *p, uint32_t t, uint32_t name, unsigned depth, struct plan *out)
{
	static const struct {
		const char *name;
		enum plan_kind kind;
	} simple[] = {
		{"string", PLAN_STRING}, {"integer", PLAN_LONG}, {"boolean", PLAN_BOOL}, {"number", PLAN_DECIMAL}};

	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
		if (json_is(&p->doc, name, simple[i].name)) {
			out->kind = simple[i].kind;
			return true;
		}
	}
	if (json_is(&p->doc, name, "array"))
		return read_elements(p, t, depth, out);
	/* An object that names no properties has nothing to speak of. */
	return json_is(&p->doc, name, "object") && read_members(p, t, depth, out) && out->count > 0;
}

/* ["T"] or ["T", "null"]. */
static bool read_type_list(struct planner *p, uint32_t t, uint32_t list, unsigned depth, struct plan *out)
{
	uint32_t name = JSON_NONE, names = 0;

	for (uint32_t e = json_first(&p->doc, list); e != JSON_NONE; e = json_after(&p->doc, list, e)) {
		if (json_is(&p->doc, e, "null")) {
			out->nullable = true;
		} else {
			name = e;
			names++;
		}
	}
	return names == 1 && read_named(p, t, name, depth, out);
}

/* Without a type: strings, perhaps null, as the only values. */
static bool read_enum(struct planner *p, uint32_t t, struct plan *out)
{
	uint32_t list = json_get(&p->doc, t, "enum"), strings = 0;

	out->kind = PLAN_STRING;
	if (json_kind(&p->doc, json_get(&p->doc, t, "const")) == JK_STRING)
		return true;
	if (json_kind(&p->doc, list) != JK_ARRAY)
		return false;
	for (uint32_t e = json_first(&p->doc, list); e != JSON_NONE; e = json_after(&p->doc, list, e)) {
		if (json_kind(&p->doc, e) == JK_STRING)
			strings++;
		else if (json_kind(&p->doc, e) == JK_NULL)
			out->nullable = true;
		else
			return false;
	}
	return strings > 0;
}

/* Whether the schema at t has a type of Cedar; depth and steps bound the recursion. */
static bool read_type(struct planner *p, uint32_t t, unsigned depth, struct plan *out)
{
	uint32_t type, ref, choice;

	if (++p->steps > PLAN_NODES_MAX)
		p->large = true;
	if (p->large || p->starved || depth > PLAN_DEPTH_MAX || json_kind(&p->doc, t) != JK_OBJECT)
		return false;
	ref = json_get(&p->doc, t, "$ref");
	if (ref != JSON_NONE)
		return read_reference(p, ref, depth, out);
	if (json_kind(&p->doc, json_get(&p->doc, t, "nullable")) == JK_TRUE)
		out->nullable = true;
	type = json_get(&p->doc, t, "type");
	if (json_kind(&p->doc, type) == JK_STRING)
		return read_named(p, t, type, depth, out);
	if (json_kind(&p->doc, type) == JK_ARRAY)
		return read_type_list(p, t, type, depth, out);
	if (type != JSON_NONE)
		return false;
	choice = json_get(&p->doc, t, "anyOf");
	if (choice == JSON_NONE)
		choice = json_get(&p->doc, t, "oneOf");
	return choice != JSON_NONE ? read_choice(p, choice, depth, out) : read_enum(p, t, out);
}

/* 2020-12 (MCP's own when none is named) and draft 7. */
static bool known_dialect(const struct planner *p)
{
	static const char *const known[] = {
		"https://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#",
		"http://json-schema.org/draft-07/schema",       "http://json-schema.org/draft-07/schema#",
		"https://json-schema.org/draft-07/schema",      "https://json-schema.org/draft-07/schema#"};
	uint32_t t = json_get(&p->doc, p->root, "$schema");

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (json_is(&p->doc, t, known[i]))
			return true;
	return t == JSON_NONE;
}

/* The root: an object, perhaps behind a reference. */
static void read_root(struct planner *p, struct gate_tool *tool)
{
	uint32_t ref = json_get(&p->doc, p->root, "$ref"), object = p->root;

	if (ref != JSON_NONE && json_get(&p->doc, p->root, "properties") == JSON_NONE)
		object = resolve(p, ref);
	p->open[p->nopen++] = object;
	tool->args = (struct plan){.kind = PLAN_RECORD};
	if (object == JSON_NONE || !read_members(p, object, 0, &tool->args))
		tool->args = (struct plan){.kind = PLAN_RECORD};
}

/*
 * Takes the cost of what was read from both bounds. A server that passes its own has nothing left: what is read for
 * nothing costs time and memory too.
 */
static bool pay(struct policy_set *s, const struct gate_tool *tool, const struct planner *p)
{
	size_t cost = p->names + p->steps * (size_t)TYPE_TEXT, *mine = &s->spent_by[tool->owner];
	bool fits = s->spent + cost <= PLAN_SET_BYTES_MAX && *mine + cost <= PLAN_SERVER_BYTES_MAX;

	*mine = fits ? *mine + cost : PLAN_SERVER_BYTES_MAX;
	s->spent += fits ? cost : 0;
	return fits && !p->large;
}

int plan_tool(struct policy_set *s, struct gate_tool *tool, const char *definition, size_t len)
{
	struct planner p = {.arena = &s->arena};

	json_init(&p.doc);
	tool->args = (struct plan){.kind = PLAN_RECORD};
	if (s->spent_by[tool->owner] < PLAN_SERVER_BYTES_MAX && json_scan(&p.doc, definition, len, NULL) == 0) {
		p.root = json_get(&p.doc, 0, "inputSchema");
		tool->classified = json_is(&p.doc, json_get(&p.doc, p.root, "type"), "object") && known_dialect(&p) &&
				   !schema_is_fixed_action(tool->id);
	}
	if (tool->classified)
		read_root(&p, tool);
	json_free(&p.doc);
	/* Without its arguments a forbid that looks at them would pass it over: it is then what cannot be classified.
	 */
	if (tool->classified && !pay(s, tool, &p)) {
		tool->args = (struct plan){.kind = PLAN_RECORD};
		tool->classified = false;
	}
	return p.starved ? KG_E_NOMEM : 0;
}
