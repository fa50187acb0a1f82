#include "gatewayd/upstream/tools.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/upstream/upstream.h"
#include "gatewayd/upstream/wire.h"

#define PAGE_TIMEOUT_MS 30000u

static void list_free(struct tool_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		tool_free(&l->item[i]);
	free(l->item);
	memset(l, 0, sizeof(*l));
}

void tools_list_stop(struct upstream *u)
{
	rpc_free(u->tools.rpc);
	u->tools.rpc = NULL;
	list_free(&u->tools.next);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct tool *const *)a)->name, (*(struct tool *const *)b)->name);
}

static int is_named(const void *name, const void *tool)
{
	return strcmp(name, (*(struct tool *const *)tool)->name);
}

const struct tool *tools_find(const struct upstream *u, const char *name)
{
	struct tool **found = NULL;

	if (u->tools.now.n > 0)
		found = bsearch(name, u->tools.by_name, u->tools.now.n, sizeof(struct tool *), is_named);
	return found ? *found : NULL;
}

/* The listing is whole: it takes the place of the one before. */
static void take_over(struct upstream *u)
{
	struct tools *t = &u->tools;
	struct tool **index = calloc(t->next.n + 1, sizeof(struct tool *));

	if (!index)
		log_fatal(KG_EXIT_FAILURE, "tools: out of memory");
	list_free(&t->now);
	free(t->by_name);
	t->now = t->next;
	memset(&t->next, 0, sizeof(t->next));
	for (size_t i = 0; i < t->now.n; i++)
		index[i] = &t->now.item[i];
	qsort(index, t->now.n, sizeof(struct tool *), by_name);
	t->by_name = index;
	t->generation++;
	tools_publish_broker(u);
	tools_publish_vault(u);
}

void tools_none(struct upstream *u)
{
	take_over(u);
}

static bool list_has(const struct tool_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->item[i].name, name) == 0)
			return true;
	return false;
}

static const char *tool_add(struct upstream *u, uint32_t t)
{
	struct tool_list *l = &u->tools.next;
	struct tool tool = {0};
	const char *why = NULL;

	if (l->n == TOOLS_MAX)
		return "there are more than 1000 tools";
	if (tool_read(&u->doc, t, u->server->is_http, &tool, &why) != 0) {
		if (noise_allowed(&u->noise, loop_now_ns()))
			log_warn("server %s: tool \"%s\" is left out: %s", u->server->name, tool.name, why);
		return NULL;
	}
	if (list_has(l, tool.name)) {
		if (noise_allowed(&u->noise, loop_now_ns()))
			log_warn("server %s: tool \"%s\" is listed twice: the second one is left out", u->server->name,
				 tool.name);
		tool_free(&tool);
		return NULL;
	}
	struct tool *more = realloc(l->item, (l->n + 1) * sizeof(*more));
	if (!more || l->bytes + tool.definition_len > TOOLS_BYTES_MAX ||
	    l->canonical_bytes + tool.canonical_len > TOOLS_BYTES_MAX) {
		l->item = more ? more : l->item;
		tool_free(&tool);
		return "its tools' definitions are larger than 16 MiB";
	}
	l->item = more;
	l->item[l->n++] = tool;
	l->bytes += tool.definition_len;
	l->canonical_bytes += tool.canonical_len;
	return NULL;
}

static const char *page_add(struct upstream *u, uint32_t result)
{
	uint32_t list = json_get(&u->doc, result, "tools");
	const char *why = NULL;

	if (json_kind(&u->doc, list) != JK_ARRAY)
		return "its answer to tools/list holds no list of tools";
	for (uint32_t t = json_first(&u->doc, list); t != JSON_NONE && !why; t = json_after(&u->doc, list, t))
		why = tool_add(u, t);
	return why;
}

static void finish(struct upstream *u, const struct rpc_end *failed)
{
	rpc_free(u->tools.rpc);
	u->tools.rpc = NULL;
	if (failed)
		list_free(&u->tools.next);
	else
		take_over(u);
	u->tools.done(u, failed);
}

static void fail(struct upstream *u, enum rpc_how how, long status, const char *why)
{
	struct rpc_end e = {.how = how, .status = status, .why = why};

	finish(u, &e);
}

static void ask_page(struct upstream *u, const char *members);

/* The next page's cursor stands in the document, which the next request does not touch before it is made. */
static const char *next_members(struct upstream *u, uint32_t result, struct buf *members)
{
	uint32_t cursor = json_get(&u->doc, result, "nextCursor");
	size_t len;
	const char *raw = json_raw(&u->doc, cursor, &len);

	if (json_kind(&u->doc, cursor) != JK_STRING)
		return NULL;
	if (buf_puts(members, "\"cursor\":") != 0 || buf_put(members, raw, len) != 0)
		return NULL;
	return buf_text(members);
}

static void on_page(struct rpc *r, const struct rpc_end *e, void *arg)
{
	struct upstream *u = arg;
	struct buf members;
	const char *why, *text;

	(void)r;
	if (e->how == RPC_ERROR) {
		fail(u, RPC_ERROR, e->status, "it answered tools/list with an error");
		return;
	}
	if (e->how != RPC_RESULT) {
		fail(u, e->how, e->status, e->why);
		return;
	}
	why = page_add(u, e->message->value);
	if (why) {
		fail(u, RPC_LOST, e->status, why);
		return;
	}
	buf_init(&members, TOOLS_CURSOR_MAX + 64);
	text = next_members(u, e->message->value, &members);
	if (!text)
		finish(u, NULL);
	else
		ask_page(u, text);
	buf_free(&members);
}

static const struct rpc_ops page_ops = {on_page, NULL, NULL};

static void ask_page(struct upstream *u, const char *members)
{
	static const struct rpc_request q = {.method = "tools/list"};
	struct tools *t = &u->tools;

	rpc_free(t->rpc);
	t->rpc = NULL;
	if (++t->pages > TOOLS_PAGES_MAX) {
		fail(u, RPC_LOST, 0, "its list of tools has more than 100 pages");
		return;
	}
	t->rpc = rpc_new(u, &page_ops, u, PAGE_TIMEOUT_MS);
	int err = t->rpc ? rpc_authorize(t->rpc, t->creds) : KG_E_NOMEM;
	if (err == 0)
		err = wire_put_request(rpc_body(t->rpc), u->session.era, t->rpc->id, q.method, members);
	if (err == 0)
		err = rpc_send(t->rpc, &q);
	if (err != 0)
		fail(u, RPC_UNSENT, 0, kg_strerror(err));
}

void tools_list(struct upstream *u, const struct credential_set *creds,
		void (*done)(struct upstream *u, const struct rpc_end *failed))
{
	tools_list_stop(u);
	u->tools.creds = creds;
	u->tools.done = done;
	u->tools.pages = 0;
	ask_page(u, "");
}

void tools_publish_broker(struct upstream *u)
{
	const struct tools *t = &u->tools;
	struct ipc_conn *broker = u->links.broker;
	struct ipc_tools_done done = {.generation = t->generation, .count = (uint32_t)t->now.n};

	if (!broker)
		return;
	if (u->session.phase == PHASE_DOWN)
		links_down(u, u->session.why);
	if (t->generation == 0 || u->session.phase == PHASE_DOWN)
		return;
	for (size_t i = 0; i < t->now.n; i++) {
		const struct tool *tool = &t->now.item[i];
		struct ipc_tool m = {.generation = t->generation,
				     .name = ipc_text(tool->name),
				     .tier = tool->tier,
				     .floor = tool->floor,
				     .definition = ipc_mem(tool->definition, tool->definition_len)};
		ipc_send(broker, IPC_TOOL, &m);
	}
	done.protocol = ipc_text(u->session.version);
	ipc_send(broker, IPC_TOOLS_DONE, &done);
}

void tools_publish_vault(struct upstream *u)
{
	const struct tools *t = &u->tools;
	struct ipc_conn *vault = u->links.vault;
	struct ipc_tool_tiers_done done = {.generation = t->generation, .count = (uint32_t)t->now.n};

	if (!vault || t->generation == 0 || !u->guard->seal.has_now)
		return;
	for (size_t i = 0; i < t->now.n; i++) {
		const struct tool *tool = &t->now.item[i];
		struct ipc_tool_tier m = {.generation = t->generation,
					  .name = ipc_text(tool->name),
					  .tier = tool->tier,
					  .floor = tool->floor,
					  .definition = ipc_mem(tool->canonical, tool->canonical_len)};
		ipc_send(vault, IPC_TOOL_TIER, &m);
	}
	ipc_send(vault, IPC_TOOL_TIERS_DONE, &done);
}
