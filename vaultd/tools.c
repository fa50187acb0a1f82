#include "vaultd/tools.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct list {
	struct tool *tool; /* owned */
	size_t n, cap, bytes;
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
	for (size_t i = 0; i < l->n; i++)
		free(l->tool[i].definition);
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

bool tool_name_ok(const char *name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(name);

	return len > 0 && len <= TOOL_NAME_MAX && strspn(name, chars) == len;
}

static int list_add(struct list *l, const struct tool_told *x)
{
	struct tool *tool;
	int r = list_grow(l);

	if (r != KG_OK)
		return r;
	tool = &l->tool[l->n];
	*tool = (struct tool){.tier = x->tier, .floor = x->floor, .len = x->len, .definition = malloc(x->len)};
	if (tool->definition == NULL)
		return KG_E_NOMEM;
	memcpy(tool->name, x->name, strlen(x->name));
	memcpy(tool->definition, x->definition, x->len);
	sha256(x->definition, x->len, tool->sha256);
	l->bytes += x->len;
	l->n++;
	return KG_OK;
}

int tools_tell(struct tools *t, uint32_t generation, const struct tool_told *x)
{
	if (!tool_name_ok(x->name) || x->tier > TIER_DESTRUCTIVE || x->floor > TIER_DESTRUCTIVE || x->len == 0)
		return KG_E_INVALID;
	if (generation != t->generation)
		list_free(&t->next);
	t->generation = generation;
	if (t->next.n == TOOLS_MAX || x->len > TOOLS_BYTES_MAX - t->next.bytes)
		return KG_E_LIMIT;
	return list_add(&t->next, x);
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

const struct tool *tools_at(const struct tools *t, size_t i)
{
	return &t->now.tool[i];
}

static int name_against(const void *name, const void *tool)
{
	return strcmp(name, ((const struct tool *)tool)->name);
}

const struct tool *tools_find(const struct tools *t, const char *name)
{
	if (t->now.n == 0)
		return NULL;
	return bsearch(name, t->now.tool, t->now.n, sizeof(*t->now.tool), name_against);
}

void tools_drop_definitions(struct tools *t)
{
	for (size_t i = 0; i < t->now.n; i++) {
		free(t->now.tool[i].definition);
		t->now.tool[i].definition = NULL;
	}
	t->now.bytes = 0;
}
