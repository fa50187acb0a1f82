#include "vaultd/tools.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct tool {
	char name[TOOL_NAME_MAX + 1];
	uint8_t tier, floor; /* as told; in a present list tier is the one in force */
};

struct list {
	struct tool *tool; /* owned */
	size_t n, cap;
};

struct tools {
	struct list now, next;
	uint32_t generation; /* of next */
	bool known;
};

struct tools *tools_new(void)
{
	struct tools *t = calloc(1, sizeof(*t));

	if (t == NULL)
		log_fatal(KG_EXIT_FAILURE, "tools: out of memory");
	return t;
}

static void list_free(struct list *l)
{
	free(l->tool);
	*l = (struct list){0};
}

void tools_clear(struct tools *t)
{
	list_free(&t->now);
	list_free(&t->next);
	t->known = false;
}

void tools_free(struct tools *t)
{
	if (t == NULL)
		return;
	tools_clear(t);
	free(t);
}

static int list_grow(struct list *l)
{
	size_t cap = l->cap == 0 ? 32 : l->cap * 2;
	struct tool *tool;

	if (l->n < l->cap)
		return KG_OK;
	tool = realloc(l->tool, cap * sizeof(*tool));
	if (tool == NULL)
		return KG_E_NOMEM;
	l->tool = tool;
	l->cap = cap;
	return KG_OK;
}

int tools_tell(struct tools *t, uint32_t generation, const char *name, uint8_t tier, uint8_t floor)
{
	size_t len = strlen(name);
	int r;

	if (len == 0 || len > TOOL_NAME_MAX || tier > TIER_DESTRUCTIVE || floor > TIER_DESTRUCTIVE)
		return KG_E_INVALID;
	if (generation != t->generation)
		list_free(&t->next);
	t->generation = generation;
	if (t->next.n == TOOLS_MAX)
		return KG_E_LIMIT;
	r = list_grow(&t->next);
	if (r != KG_OK)
		return r;
	t->next.tool[t->next.n] = (struct tool){.tier = tier, .floor = floor};
	memcpy(t->next.tool[t->next.n].name, name, len);
	t->next.n++;
	return KG_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tool *)a)->name, ((const struct tool *)b)->name);
}

int tools_done(struct tools *t, uint32_t generation, uint32_t count, const struct config_server *server)
{
	struct list *l = &t->next;

	if (generation != t->generation)
		list_free(l);
	t->generation = generation;
	if (l->n != count)
		return KG_E_PROTO;
	if (l->n > 1)
		qsort(l->tool, l->n, sizeof(*l->tool), by_name);
	for (size_t i = 0; i + 1 < l->n; i++)
		if (by_name(&l->tool[i], &l->tool[i + 1]) == 0)
			return KG_E_PROTO;
	for (size_t i = 0; i < l->n; i++)
		l->tool[i].tier = config_tool_tier(server, l->tool[i].name, l->tool[i].tier, l->tool[i].floor);
	list_free(&t->now);
	t->now = t->next;
	t->next = (struct list){0};
	t->known = true;
	return KG_OK;
}

bool tools_known(const struct tools *t)
{
	return t->known;
}

size_t tools_count(const struct tools *t)
{
	return t->now.n;
}

static int name_against(const void *name, const void *tool)
{
	return strcmp(name, ((const struct tool *)tool)->name);
}

uint8_t tools_tier(const struct tools *t, const char *name)
{
	const struct tool *found = NULL;

	if (t->now.n != 0)
		found = bsearch(name, t->now.tool, t->now.n, sizeof(*t->now.tool), name_against);
	return found == NULL ? TIER_DESTRUCTIVE : found->tier;
}
