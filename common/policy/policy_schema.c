/* The schema's halves that are not the operator's: the fixed one, and an action for each pinned tool. */
#include "common/policy/policy_set.h"

extern const struct policy_file policy_gate[];
extern const size_t policy_gate_count;

bool schema_is_fixed_action(struct cedar_str id)
{
	static const char *const fixed[] = {"mcp",
					    "tools/call",
					    "read",
					    "write",
					    "destructive",
					    "tools/list",
					    "resources/list",
					    "prompts/list",
					    "resources/read",
					    "prompts/get",
					    "call:read",
					    "call:write",
					    "call:unclassified"};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (cedar_str_is(id, fixed[i]))
			return true;
	return false;
}

/* Names of tools and members are a stranger's: all but plain characters are escaped. */
int schema_put_string(struct buf *out, struct cedar_str s)
{
	int rc = buf_puts(out, "\"");

	for (size_t i = 0; rc == 0 && i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			rc = buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			rc = buf_printf(out, "\\u{%x}", c);
		else
			rc = buf_put(out, &c, 1);
	}
	return rc != 0 ? rc : buf_puts(out, "\"");
}

static int put_type(struct buf *out, const struct plan *plan);

static int put_members(struct buf *out, const struct plan *record)
{
	int rc = buf_puts(out, "{");

	for (uint32_t i = 0; rc == 0 && i < record->count; i++) {
		const struct plan *member = &record->members[i];

		rc = buf_puts(out, i == 0 ? " " : ", ");
		if (rc == 0)
			rc = schema_put_string(out, member->name);
		if (rc == 0)
			rc = buf_puts(out, member->required ? ": " : "?: ");
		if (rc == 0)
			rc = put_type(out, member);
	}
	return rc != 0 ? rc : buf_puts(out, " }");
}

/* Recursion is bounded by PLAN_DEPTH_MAX. */
static int put_type(struct buf *out, const struct plan *plan)
{
	static const char *const simple[] = {[PLAN_STRING] = "String",
					     [PLAN_LONG] = "Long",
					     [PLAN_BOOL] = "Bool",
					     [PLAN_DECIMAL] = "__cedar::decimal"};
	int rc;

	if (plan->kind == PLAN_RECORD)
		return put_members(out, plan);
	if (plan->kind != PLAN_SET)
		return buf_puts(out, simple[plan->kind]);
	rc = buf_puts(out, "Set<");
	if (rc == 0)
		rc = put_type(out, plan->element);
	return rc != 0 ? rc : buf_puts(out, ">");
}

static int put_action(struct buf *out, const struct gate_tool *tool)
{
	int rc = buf_puts(out, "  action ");

	if (rc == 0)
		rc = schema_put_string(out, tool->id);
	if (rc == 0)
		rc = buf_printf(out,
				" in [Action::\"%s\"] appliesTo {\n    principal: [Human, Agent], resource: [Tool],\n"
				"    context: { \"base\": Base, \"args\": ",
				tier_name(tool->tier));
	if (rc == 0)
		rc = put_members(out, &tool->args);
	return rc != 0 ? rc : buf_puts(out, " } };\n");
}

int schema_put_gate(struct policy_set *s, struct buf *out)
{
	int rc = buf_put(out, policy_gate[0].text, policy_gate[0].len);

	if (rc == 0)
		rc = buf_puts(out, "  // ---- the pinned tools, from their input schemas ----\n");
	for (size_t i = 0; rc == 0 && i < s->ntools; i++)
		if (s->tools[i]->classified)
			rc = put_action(out, s->tools[i]);
	return rc != 0 ? rc : buf_puts(out, "}\n");
}
