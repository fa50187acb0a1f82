#include "gatewayd/broker/inspections.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/inspect/inspect.h"
#include "common/inspect/records.h"
#include "common/log.h"
#include "gatewayd/broker/call.h"

#define SEEN_SLOTS 32768u /* definitions that were looked at; all servers' listings have room */

struct inspections {
	struct inspector *inspector;
	struct json_doc doc;
	struct marks marks;
	struct buf json;
	uint8_t seen[SEEN_SLOTS][ID_LEN]; /* of each definition seen, found by its own first bytes */
};

struct inspections *inspections_new(const struct config *config)
{
	const struct config_guardian *g = &config->guardian;
	struct inspect_canary list[INSPECT_CANARIES_MAX];
	struct inspections *i;
	size_t n = 0;

	if (!g->inspect)
		return NULL;
	for (; n < g->ncanaries && n < INSPECT_CANARIES_MAX; n++)
		list[n] = (struct inspect_canary){g->canaries[n].name, g->canaries[n].value};
	i = calloc(1, sizeof(*i));
	if (i != NULL)
		i->inspector = inspector_new(list, n);
	if (i == NULL || i->inspector == NULL)
		log_fatal(KG_EXIT_FAILURE, "inspection: out of memory");
	json_init(&i->doc);
	buf_init(&i->json, MARKS_JSON_MAX);
	return i;
}

void inspections_free(struct inspections *i)
{
	if (i == NULL)
		return;
	inspector_free(i->inspector);
	json_free(&i->doc);
	buf_free(&i->json);
	free(i);
}

/* The marks as JSON; empty when nothing was found. */
static struct ipc_bytes written(struct inspections *i)
{
	buf_reset(&i->json);
	if (marks_put(&i->json, &i->marks) != KG_OK)
		return ipc_mem("", 0);
	return ipc_mem(buf_ptr(&i->json), buf_len(&i->json));
}

struct ipc_bytes inspections_arguments(struct broker *b, struct ipc_bytes args)
{
	struct inspections *i = b->inspections;

	/* Also of calls that are refused before anybody has read their arguments. */
	if (i == NULL || json_scan(&i->doc, (const char *)args.p, args.n, NULL) != KG_OK)
		return ipc_mem("", 0);
	inspect_json(i->inspector, &i->doc, NULL, 0, &i->marks);
	return written(i);
}

void inspections_result(struct broker *b, struct call *c, struct ipc_bytes message, bool has_document)
{
	struct inspections *i = b->inspections;
	struct ipc_bytes json;

	if (i == NULL)
		return;
	inspect_json(i->inspector, has_document ? &b->args : NULL, (const char *)message.p, message.n, &i->marks);
	i->marks.records = has_document ? records_count(&b->args) : 0;
	json = written(i);
	buf_reset(&c->marks);
	if (json.n > 0 && buf_put(&c->marks, json.p, json.n) != KG_OK)
		log_warn("inspection: the marks of a result are lost: out of memory");
}

/* Whether this definition of this server was looked at before; remembers it. */
static bool is_seen(struct inspections *i, const struct tool *t)
{
	uint8_t key[ID_LEN];
	uint32_t at;

	crypto_generichash(key, sizeof(key), (const uint8_t *)t->qualified, strlen(t->qualified), t->def.sha256,
			   HASH_LEN);
	memcpy(&at, key, sizeof(at));
	if (memcmp(i->seen[at % SEEN_SLOTS], key, ID_LEN) == 0)
		return true;
	memcpy(i->seen[at % SEEN_SLOTS], key, ID_LEN);
	return false;
}

/* Told again when the recorder is back. */
static void on_recorded(struct broker *b, bool durable, void *arg)
{
	(void)arg;
	if (!durable)
		memset(b->inspections->seen, 0, sizeof(b->inspections->seen));
}

static void look(struct broker *b, const struct tool *t)
{
	struct inspections *i = b->inspections;
	json_t *members;

	if (is_seen(i, t) || json_scan(&i->doc, t->def.text, t->def.len, NULL) != KG_OK)
		return;
	inspect_json(i->inspector, &i->doc, NULL, 0, &i->marks);
	if (i->marks.instructions < INSPECT_SUSPICIOUS)
		return;
	log_warn("server %s: the definition of tool %s reads like instructions to a model (score %u): see keepgate "
		 "tools show",
		 t->server->name, t->name, i->marks.instructions);
	members = json_pack("{s:s, s:s, s:i}", "server", t->server->name, "tool", t->name, "score",
			    (int)i->marks.instructions);
	if (events_send(b, "tool.suspicious", members, on_recorded, NULL) != KG_OK)
		on_recorded(b, false, NULL);
}

void inspections_tools(struct broker *b, size_t server)
{
	const struct toolset *set = catalogue_tools(b->catalogue, server);

	if (b->inspections == NULL || b->recorder.conn == NULL)
		return;
	for (size_t i = 0; set != NULL && i < set->count; i++)
		look(b, set->tool[i]);
}

void inspections_tools_all(struct broker *b)
{
	for (size_t i = 0; i < b->config->nservers; i++)
		inspections_tools(b, i);
}
