/* The pinned tools of a set. */
#include "common/cedar/cedar_sort.h"
#include "common/json_text.h"
#include "common/policy/policy_build.h"

static int copy(struct policy_set *s, const char *text, struct cedar_str *out)
{
	return cedar_arena_copy(&s->arena, cedar_str_from(text), out) != 0 ? KG_E_NOMEM : 0;
}

static int name_tool(struct policy_set *s, struct gate_tool *tool)
{
	size_t n = tool->server.n + 1 + tool->name.n;
	char *id = cedar_arena_alloc(&s->arena, n);

	if (id == NULL)
		return KG_E_NOMEM;
	memcpy(id, tool->server.p, tool->server.n);
	id[tool->server.n] = '/';
	memcpy(id + tool->server.n + 1, tool->name.p, tool->name.n);
	tool->id = (struct cedar_str){id, n};
	return 0;
}

static int make_uids(struct policy_set *s, struct gate_tool *tool)
{
	struct cedar_value *item = cedar_arena_alloc(&s->arena, sizeof(*item));

	tool->resource = cedar_uid_new(&s->arena, CEDAR_STR(GATE_TOOL), tool->id);
	tool->action = cedar_uid_new(&s->arena, CEDAR_STR(GATE_ACTION),
				     tool->classified ? tool->id : CEDAR_STR("call:unclassified"));
	if (item == NULL || tool->resource == NULL || tool->action == NULL)
		return KG_E_NOMEM;
	*item = cedar_entity(tool->resource);
	(void)cedar_set_make(item, 1, &tool->itself);
	return 0;
}

static int add_tool(struct policy_set *s, const struct policy_tool *given, uint32_t owner)
{
	struct gate_tool *tool = cedar_arena_alloc(&s->arena, sizeof(*tool));
	int rc = tool == NULL ? KG_E_NOMEM : copy(s, given->server, &tool->server);

	if (rc == 0)
		rc = copy(s, given->name, &tool->name);
	if (rc == 0)
		rc = name_tool(s, tool);
	if (rc != 0)
		return rc;
	tool->tier = given->tier >= TIER_READ && given->tier <= TIER_DESTRUCTIVE ? given->tier : TIER_DESTRUCTIVE;
	tool->quarantined = given->quarantined;
	tool->owner = owner;
	memcpy(tool->sha256, given->sha256, HASH_LEN);
	/* The same name twice cannot be; the first one counts. */
	rc = cedar_map_put(&s->by_name, &s->arena, tool->server, tool->name, tool);
	if (rc != 0)
		return rc == -CEDAR_E_DUPLICATE ? 0 : KG_E_NOMEM;
	rc = plan_tool(s, tool, given->definition, given->len);
	if (rc == 0)
		rc = make_uids(s, tool);
	if (rc == 0)
		s->tools[s->ntools++] = tool;
	return rc;
}

static int order_tools(const void *a, const void *b)
{
	return cedar_str_order((*(const struct gate_tool *const *)a)->id, (*(const struct gate_tool *const *)b)->id);
}

/* What could not stand in a schema or a record cannot be called either. */
static bool good_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= POLICY_NAME_MAX && utf8_valid(name, n);
}

/* A tool whose server is not configured is unknown: it cannot be called. */
int build_tools(struct builder *b)
{
	struct policy_set *s = b->set;
	int rc = 0;

	s->tools = cedar_arena_array(&s->arena, b->source->ntools, sizeof(*s->tools));
	s->spent_by = cedar_arena_array(&s->arena, b->source->nservers, sizeof(*s->spent_by));
	if (s->tools == NULL || s->spent_by == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; rc == 0 && i < b->source->ntools; i++)
		for (size_t k = 0; rc == 0 && k < b->source->nservers && good_name(b->source->tools[i].name); k++)
			if (strcmp(b->source->tools[i].server, b->source->servers[k].name) == 0)
				rc = add_tool(s, &b->source->tools[i], (uint32_t)k);
	cedar_sort(s->tools, s->ntools, sizeof(*s->tools), order_tools);
	return rc;
}
