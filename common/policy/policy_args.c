/*
 * The arguments of a call as Cedar values, straight from the scanned document by the tool's plan. All of it is data:
 * nothing in it can become an entity.
 */
#include <stdio.h>

#include "common/cedar/cedar_ext.h"
#include "common/json_text.h"
#include "common/policy/policy_set.h"

struct converter {
	struct policy_decider *d;
	const struct json_doc *doc;
	enum args_mode mode;
	struct text where; /* path, for messages */
	char path[128];
};

/* Left out: there is no value that Cedar could hold, and nobody looks. */
#define LEFT_OUT 1

static int convert(struct converter *c, const struct plan *plan, uint32_t t, struct cedar_value *out);

static int refuse(struct converter *c, const char *what)
{
	(void)snprintf(c->d->why, sizeof(c->d->why), "arguments%s: %s", c->path, what);
	return KG_E_INVALID;
}

static int convert_string(struct converter *c, uint32_t t, struct cedar_value *out)
{
	size_t len, n, at = 0;
	const char *raw = json_raw(c->doc, t, &len);
	struct json_chars chars = {(const uint8_t *)raw + 1, (const uint8_t *)raw + len - 1};
	uint8_t ch[4];
	char *bytes;

	if (json_kind(c->doc, t) != JK_STRING)
		return refuse(c, "must be a string");
	if (!c->doc->tok[t].escaped) {
		*out = cedar_string((struct cedar_str){raw + 1, len - 2});
		return 0;
	}
	bytes = cedar_arena_alloc(&c->d->arena, len);
	if (bytes == NULL)
		return KG_E_NOMEM;
	for (; (n = json_chars_next(&chars, ch)) > 0; at += n)
		memcpy(bytes + at, ch, n);
	*out = cedar_string((struct cedar_str){bytes, at});
	return 0;
}

/* As policy_facts() writes decimals, and integers that not every reader of JSON would keep. */
static bool recorded_number(struct cedar_str s, bool decimal, int64_t *out)
{
	if (decimal)
		return cedar_decimal_parse(s, out) == 0;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') && (s.p[i] != '-' || i > 0))
			return false;
	return s.n > 0 && number_scaled(s.p, s.n, 0, out) == 0;
}

/* A number that Cedar has no value for is left out, and refused where somebody could look at it. */
static int convert_number(struct converter *c, const struct plan *plan, uint32_t t, struct cedar_value *out)
{
	bool decimal = plan->kind == PLAN_DECIMAL;
	size_t len;
	const char *raw = json_raw(c->doc, t, &len);
	int64_t value;

	if (c->mode == ARGS_RECORDED && json_kind(c->doc, t) == JK_STRING) {
		if (!recorded_number((struct cedar_str){raw + 1, len - 2}, decimal, &value))
			return refuse(c, "must be a number");
		*out = decimal ? cedar_scaled(CEDAR_DECIMAL, value) : cedar_long(value);
		return 0;
	}
	if (json_kind(c->doc, t) != JK_NUMBER)
		return refuse(c, "must be a number");
	if (number_scaled(raw, len, decimal ? 4 : 0, &value) == 0) {
		*out = decimal ? cedar_scaled(CEDAR_DECIMAL, value) : cedar_long(value);
		return 0;
	}
	if (plan->spoken)
		return refuse(c, decimal ? "has more than four decimal places or is too large"
					 : "is no integer of 64 bits");
	return LEFT_OUT;
}

static int convert_set(struct converter *c, const struct plan *plan, uint32_t t, struct cedar_value *out)
{
	uint32_t count = json_kind(c->doc, t) == JK_ARRAY ? c->doc->tok[t].count : 0, n = 0;
	struct cedar_value *items;
	int rc = 0;

	if (json_kind(c->doc, t) != JK_ARRAY)
		return refuse(c, "must be an array");
	items = cedar_arena_array(&c->d->arena, count, sizeof(*items));
	if (items == NULL)
		return KG_E_NOMEM;
	for (uint32_t e = json_first(c->doc, t); rc == 0 && e != JSON_NONE; e = json_after(c->doc, t, e))
		rc = convert(c, plan->element, e, &items[n++]);
	if (rc != 0)
		return rc;
	return cedar_set_make(items, n, out) == 0 ? 0 : refuse(c, "is too deep");
}

/* The member that the plan has under a name of the document; names are few and short. */
static const struct plan *member_of(const struct converter *c, const struct plan *record, uint32_t t)
{
	size_t len;
	const char *raw = json_raw(c->doc, t, &len);
	struct cedar_str name = {raw + 1, len - 2};
	char plain[PLAN_NAME_MAX * 4];

	if (c->doc->tok[t].escaped) {
		struct json_chars chars = {(const uint8_t *)raw + 1, (const uint8_t *)raw + len - 1};
		uint8_t ch[4];
		size_t n;

		for (name = (struct cedar_str){plain, 0}; (n = json_chars_next(&chars, ch)) > 0; name.n += n) {
			if (name.n + n > PLAN_NAME_MAX)
				return NULL;
			memcpy(plain + name.n, ch, n);
		}
	}
	return plan_member(record, name);
}

static int convert_member(struct converter *c, const struct plan *member, uint32_t t, struct cedar_value *out)
{
	size_t before = c->where.n;
	int rc;

	if (member->nullable && json_kind(c->doc, t) == JK_NULL)
		return LEFT_OUT;
	text_puts(&c->where, ".");
	text_add(&c->where, member->name);
	rc = convert(c, member, t, out);
	/* A refusal keeps its path; it stands in the message already. */
	c->where.n = before;
	c->path[before] = '\0';
	return rc;
}

/* Those of `slots` that are there, in the plan's order, which is Cedar's. */
static int close_record(struct converter *c, const struct plan *plan, struct cedar_field *fields, const bool *left,
			struct cedar_value *out)
{
	uint32_t n = 0;
	uint16_t depth = 0;

	for (uint32_t i = 0; i < plan->count; i++) {
		const struct plan *member = &plan->members[i];

		if (fields[i].key.p == NULL) {
			if (member->required && !left[i] && c->mode != ARGS_RECORDED) {
				text_puts(&c->where, ".");
				text_add(&c->where, member->name);
				return refuse(c, "is missing");
			}
			continue;
		}
		if (fields[i].value.depth > depth)
			depth = fields[i].value.depth;
		fields[n++] = fields[i];
	}
	*out = (struct cedar_value){
		.kind = CEDAR_RECORD, .depth = (uint16_t)(depth + 1), .count = n, .u.fields = fields};
	return 0;
}

static int convert_record(struct converter *c, const struct plan *plan, uint32_t t, struct cedar_value *out)
{
	struct cedar_field *fields = cedar_arena_array(&c->d->arena, plan->count, sizeof(*fields));
	bool left[PLAN_MEMBERS_MAX] = {false};
	int rc;

	if (json_kind(c->doc, t) != JK_OBJECT)
		return refuse(c, "must be an object");
	if (fields == NULL)
		return KG_E_NOMEM;
	for (uint32_t m = json_first(c->doc, t); m != JSON_NONE; m = json_after(c->doc, t, m + 1)) {
		const struct plan *member = member_of(c, plan, m);
		size_t i;

		if (member == NULL)
			continue;
		i = (size_t)(member - plan->members);
		rc = convert_member(c, member, m + 1, &fields[i].value);
		if (rc != 0 && rc != LEFT_OUT)
			return rc;
		left[i] = rc == LEFT_OUT;
		if (rc == 0)
			fields[i].key = member->name;
	}
	return close_record(c, plan, fields, left, out);
}

/* Recursion is bounded by PLAN_DEPTH_MAX. */
static int convert(struct converter *c, const struct plan *plan, uint32_t t, struct cedar_value *out)
{
	switch (plan->kind) {
	case PLAN_STRING:
		return convert_string(c, t, out);
	case PLAN_LONG:
	case PLAN_DECIMAL:
		return convert_number(c, plan, t, out);
	case PLAN_BOOL:
		if (json_kind(c->doc, t) != JK_TRUE && json_kind(c->doc, t) != JK_FALSE)
			return refuse(c, "must be a boolean");
		*out = cedar_bool(json_kind(c->doc, t) == JK_TRUE);
		return 0;
	case PLAN_SET:
		return convert_set(c, plan, t, out);
	default:
		return convert_record(c, plan, t, out);
	}
}

int args_convert(struct policy_decider *d, const struct json_doc *doc, enum args_mode mode, struct cedar_value *out)
{
	struct converter c = {.d = d, .doc = doc, .mode = mode};

	c.where = (struct text){c.path, 0, sizeof(c.path)};
	c.path[0] = '\0';
	return convert_record(&c, &d->tool->args, 0, out);
}
