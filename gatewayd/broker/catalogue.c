#include "gatewayd/broker/catalogue.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/broker/index.h"

struct listing {
	struct toolset set;
	struct index own, exposed;
	uint32_t received; /* TOOL messages, those left out included */
	size_t bytes, schema_bytes;
};

struct server {
	const struct config_server *config;
	struct listing *current, *staged; /* owned */
};

struct catalogue {
	struct server *server; /* owned */
	size_t nservers;
	struct index by_name; /* of servers */
	struct json_doc doc;  /* scratch */
	struct tool_schemas_room room;
};

static void tool_free(struct catalogue *c, struct tool *t)
{
	tool_schemas_free(&t->def, &c->room);
	tool_def_free(&t->def);
	free(t);
}

static void listing_free(struct catalogue *c, struct listing *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->set.count; i++)
		tool_free(c, l->set.tool[i]);
	free(l->set.tool);
	index_free(&l->own);
	index_free(&l->exposed);
	free(l);
}

static struct listing *listing_new(uint32_t generation)
{
	struct listing *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->set.generation = generation;
	return l;
}

struct catalogue *catalogue_new(const struct config *config)
{
	struct catalogue *c = calloc(1, sizeof(*c));

	if (c == NULL || index_init(&c->by_name, config->nservers) != KG_OK)
		log_fatal(KG_EXIT_FAILURE, "tool catalogue: out of memory");
	c->server = calloc(config->nservers + 1, sizeof(*c->server));
	if (c->server == NULL)
		log_fatal(KG_EXIT_FAILURE, "tool catalogue: out of memory");
	c->nservers = config->nservers;
	for (size_t i = 0; i < config->nservers; i++) {
		c->server[i].config = &config->servers[i];
		if (index_add(&c->by_name, config->servers[i].name, &c->server[i]) != KG_OK)
			log_fatal(KG_EXIT_CONFIG, "server %s: stands in the configuration twice",
				  config->servers[i].name);
	}
	json_init(&c->doc);
	return c;
}

void catalogue_free(struct catalogue *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->nservers; i++) {
		listing_free(c, c->server[i].current);
		listing_free(c, c->server[i].staged);
	}
	index_free(&c->by_name);
	json_free(&c->doc);
	free(c->server);
	free(c);
}

/* The listing that this message belongs to; a new generation begins one. */
static struct listing *stage(struct catalogue *c, struct server *s, uint32_t generation)
{
	if (s->staged != NULL && s->staged->set.generation == generation)
		return s->staged;
	listing_free(c, s->staged);
	s->staged = listing_new(generation);
	return s->staged;
}

/* Compiling takes its time, which a server must not take from all others: past the bound it is not begun. */
static void classify(struct catalogue *c, struct listing *l, struct tool *t)
{
	struct jsonschema_error e = {"", "the schemas of its server's tools pass 2 MiB together"};

	l->schema_bytes += t->def.input.len + t->def.output.len;
	t->schema_ok = l->schema_bytes <= CATALOGUE_SCHEMAS_MAX && tool_schemas_make(&t->def, &c->room, &e);
	if (t->schema_ok)
		return;
	t->tier = TIER_DESTRUCTIVE;
	log_warn("server %s: tool %s is unclassified, and refused by the default policies: its schemas cannot be used: "
		 "%s%s%s",
		 t->server->name, t->name, e.path, e.path[0] == '\0' ? "" : ": ", e.what);
}

/* Makes the tool of a message; NULL, with *why, for one that cannot be shown. */
static struct tool *tool_new(struct catalogue *c, const struct server *s, const struct ipc_tool *m, const char **why)
{
	struct tool *t;

	*why = "its name is not 1-128 of [A-Za-z0-9_.-]";
	if (!name_is_tool(m->name.p, m->name.n))
		return NULL;
	*why = "out of memory";
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->server = s->config;
	memcpy(t->name, m->name.p, m->name.n);
	if (tool_def_read(&t->def, m->definition.p, m->definition.n, t->name, &c->doc, why) != KG_OK) {
		free(t);
		return NULL;
	}
	name_expose(s->config->name, t->name, t->exposed);
	snprintf(t->qualified, sizeof(t->qualified), "%s/%s", s->config->name, t->name);
	t->tier = config_tool_tier(s->config, t->name, m->tier, m->floor);
	classify(c, s->staged, t);
	return t;
}

static int listing_append(struct listing *l, struct tool *t)
{
	struct tool **more;

	if (l->bytes + t->def.len > CATALOGUE_BYTES_MAX)
		return KG_E_LIMIT;
	more = reallocarray(l->set.tool, l->set.count + 1, sizeof(*more));
	if (more == NULL)
		return KG_E_NOMEM;
	l->set.tool = more;
	l->set.tool[l->set.count++] = t;
	l->bytes += t->def.len;
	return KG_OK;
}

int catalogue_put(struct catalogue *c, size_t server, const struct ipc_tool *m)
{
	struct server *s = &c->server[server];
	struct listing *l = stage(c, s, m->generation);
	const char *why;
	struct tool *t;
	int r;

	if (l == NULL)
		return KG_E_NOMEM;
	if (l->received == CATALOGUE_TOOLS_MAX || m->tier > TIER_DESTRUCTIVE || m->floor > TIER_DESTRUCTIVE)
		return KG_E_PROTO;
	l->received++;
	t = tool_new(c, s, m, &why);
	if (t == NULL) {
		log_warn("server %s: tool %u of its list is left out: %s", s->config->name, l->received, why);
		return KG_OK;
	}
	r = listing_append(l, t);
	if (r != KG_OK) {
		log_warn("server %s: tool %s is left out: %s", s->config->name, t->name,
			 r == KG_E_LIMIT ? "the definitions of its tools pass 16 MiB together" : kg_strerror(r));
		tool_free(c, t);
	}
	return KG_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct tool *const *)a)->name, (*(struct tool *const *)b)->name);
}

/* Both names of a tool must be free; what the server listed first stays. */
static int listing_index(struct catalogue *c, struct listing *l, const char *server)
{
	struct toolset *set = &l->set;
	size_t kept = 0;

	if (index_init(&l->own, set->count) != KG_OK || index_init(&l->exposed, set->count) != KG_OK)
		return KG_E_NOMEM;
	for (size_t i = 0; i < set->count; i++) {
		struct tool *t = set->tool[i];
		bool taken = index_find(&l->own, t->name, strlen(t->name)) != NULL;

		if (!taken && index_add(&l->exposed, t->exposed, t) == KG_OK &&
		    index_add(&l->own, t->name, t) == KG_OK) {
			set->tool[kept++] = t;
			continue;
		}
		log_warn("server %s: tool %s is left out: another tool already has its name", server, t->name);
		tool_free(c, t);
	}
	set->count = kept;
	if (kept != 0)
		qsort(set->tool, kept, sizeof(*set->tool), by_name);
	return KG_OK;
}

int catalogue_done(struct catalogue *c, size_t server, const struct ipc_tools_done *m)
{
	struct server *s = &c->server[server];
	struct listing *l = m->count == 0 ? stage(c, s, m->generation) : s->staged;
	int r;

	if (l == NULL || l->set.generation != m->generation || l->received != m->count)
		return KG_E_PROTO;
	s->staged = NULL;
	r = listing_index(c, l, s->config->name);
	if (r != KG_OK) {
		listing_free(c, l);
		return r;
	}
	listing_free(c, s->current);
	s->current = l;
	return KG_OK;
}

void catalogue_unstage(struct catalogue *c, size_t server)
{
	listing_free(c, c->server[server].staged);
	c->server[server].staged = NULL;
}

const struct toolset *catalogue_tools(const struct catalogue *c, size_t server)
{
	return c->server[server].current == NULL ? NULL : &c->server[server].current->set;
}

int catalogue_server(const struct catalogue *c, const void *name, size_t len)
{
	const struct server *s = index_find(&c->by_name, name, len);

	return s == NULL ? -1 : (int)(s - c->server);
}

const struct tool *catalogue_find(const struct catalogue *c, const void *exposed, size_t len)
{
	const struct server *s = index_find(&c->by_name, exposed, name_server_len(exposed, len));

	return s == NULL || s->current == NULL ? NULL : index_find(&s->current->exposed, exposed, len);
}

const struct tool *catalogue_find_own(const struct catalogue *c, size_t server, const void *name, size_t len)
{
	const struct listing *l = c->server[server].current;

	return l == NULL ? NULL : index_find(&l->own, name, len);
}
