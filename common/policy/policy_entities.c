/*
 * The entities that a set starts from, as one JSON text that the engine reads and checks by the schema: servers and
 * tools from the configuration and the pins, then the operator's. Of servers and tools an operator can only add
 * parents.
 */
#include <stdlib.h>

#include "common/cedar/cedar_data.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_sort.h"
#include "common/policy/policy_entities.h"

#define TEXT_MAX (64ul * 1048576ul)
#define APPROVERS_MAX 64u

/* An entity as it stands in a file. */
struct item {
	struct cedar_str type, id;
	const struct cedar_json *json;
	const struct entity_source *file;
};

static struct cedar_str slice(const struct item *item, const struct cedar_json *json)
{
	return (struct cedar_str){item->file->text.p + json->start, json->end - json->start};
}

static int config_fault(struct composer *c, const struct entity_source *file, size_t offset, const char *what)
{
	fault_add(c->faults, file->name, file->text, offset, what);
	return KG_E_CONFIG;
}

/* {"type", "id"} or the same in an "__entity". */
static int read_uid(struct composer *c, const struct entity_source *file, const struct cedar_json *json,
		    struct item *item)
{
	const struct cedar_json *uid = cedar_json_get(json, "uid"), *inside = cedar_json_get(uid, "__entity"), *type,
				*id;

	if (inside != NULL)
		uid = inside;
	type = cedar_json_get(uid, "type");
	id = cedar_json_get(uid, "id");
	if (type == NULL || id == NULL || type->kind != CEDAR_J_STRING || id->kind != CEDAR_J_STRING)
		return config_fault(c, file, json->start, "an entity needs a \"uid\" with \"type\" and \"id\"");
	*item = (struct item){type->u.s, id->u.s, json, file};
	return 0;
}

/* A later file (the live data) takes the place of an earlier one; twice in one file is a mistake. */
static int take_item(struct composer *c, const struct item *given)
{
	struct item *known = cedar_map_get(&c->items, given->type, given->id), *item;

	if (known != NULL && known->file == given->file)
		return config_fault(c, given->file, given->json->start, "this entity stands twice");
	if (known != NULL) {
		*known = *given;
		return 0;
	}
	item = cedar_arena_alloc(&c->arena, sizeof(*item));
	if (item == NULL)
		return KG_E_NOMEM;
	*item = *given;
	if (cedar_map_put(&c->items, &c->arena, item->type, item->id, item) != 0 ||
	    cedar_list_add(&c->list, &c->arena, item) != 0)
		return KG_E_NOMEM;
	return 0;
}

static int read_file(struct composer *c, const struct entity_source *file)
{
	struct cedar_json *json = cedar_arena_alloc(&c->arena, sizeof(*json));
	struct cedar_error error = {0};
	struct item item;
	int rc = 0;

	if (json == NULL)
		return KG_E_NOMEM;
	if (cedar_json_parse(file->text, &c->arena, json, &error) != 0)
		return config_fault(c, file, error.offset, error.what);
	if (json->kind != CEDAR_J_ARRAY)
		return config_fault(c, file, 0, "entities must be an array");
	for (size_t i = 0; rc == 0 && i < json->count; i++) {
		rc = read_uid(c, file, &json->u.items[i], &item);
		if (rc == 0)
			rc = take_item(c, &item);
	}
	return rc;
}

/* The list of a server's or tool's parents; NULL when there is no such one (any more). */
static struct cedar_list *parents_of(struct composer *c, const struct item *item)
{
	if (cedar_str_is(item->type, GATE_SERVER)) {
		for (size_t i = 0; i < c->source->nservers; i++)
			if (cedar_str_is(item->id, c->source->servers[i].name))
				return &c->server_parents[i];
		return NULL;
	}
	for (size_t i = 0; i < c->set->ntools; i++)
		if (cedar_str_equal(item->id, c->set->tools[i]->id))
			return &c->set->tools[i]->parents;
	return NULL;
}

static bool is_generated(const struct item *item)
{
	return cedar_str_is(item->type, GATE_SERVER) || cedar_str_is(item->type, GATE_TOOL);
}

/* Of what we know better only more parents are taken. */
static int take_parents(struct composer *c, struct item *item)
{
	const struct cedar_json *attrs = cedar_json_get(item->json, "attrs");
	const struct cedar_json *parents = cedar_json_get(item->json, "parents");
	struct cedar_list *list = parents_of(c, item);

	if (attrs != NULL && attrs->count > 0)
		return config_fault(
			c, item->file, attrs->start,
			"the attributes of servers and tools come from the configuration and the pins; give "
			"parents only");
	if (parents == NULL || parents->kind != CEDAR_J_ARRAY)
		return config_fault(c, item->file, item->json->start, "\"parents\" must be an array");
	for (size_t i = 0; list != NULL && i < parents->count; i++) {
		struct segment *part = cedar_arena_alloc(&c->arena, sizeof(*part));
		const struct cedar_json *json = &parents->u.items[i];

		if (part == NULL)
			return KG_E_NOMEM;
		*part = (struct segment){0, json->end - json->start, json->start, item->file};
		if (cedar_list_add(list, &c->arena, part) != 0)
			return KG_E_NOMEM;
	}
	return 0;
}

/* Appends a part of a file and remembers where it went. */
int entities_put_part(struct composer *c, const struct segment *part)
{
	struct segment *segment = cedar_arena_alloc(&c->arena, sizeof(*segment));

	if (segment == NULL)
		return KG_E_NOMEM;
	*segment = *part;
	segment->start = buf_len(c->out);
	if (cedar_list_add(&c->segments, &c->arena, segment) != 0)
		return KG_E_NOMEM;
	return buf_put(c->out, part->file->text.p + part->offset, part->len);
}

int entities_put_separator(struct composer *c)
{
	int rc = buf_puts(c->out, c->first ? "[" : ",\n");

	c->first = false;
	return rc;
}

static int order_items(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
	int order = cedar_str_order(x->type, y->type);

	return order != 0 ? order : cedar_str_order(x->id, y->id);
}

static int put_items(struct composer *c)
{
	int rc = 0;

	cedar_sort(c->list.items, c->list.count, sizeof(*c->list.items), order_items);
	for (size_t i = 0; rc == 0 && i < c->list.count; i++) {
		struct item *item = c->list.items[i];
		struct cedar_str text = slice(item, item->json);
		struct segment part = {0, text.n, item->json->start, item->file};

		if (is_generated(item)) {
			rc = take_parents(c, item);
			continue;
		}
		rc = entities_put_separator(c);
		if (rc == 0)
			rc = entities_put_part(c, &part);
	}
	return rc;
}

/* A fault of the composed text, told by the file's own line. */
static int tell(struct composer *c, const struct cedar_error *error)
{
	static const struct entity_source none = {{"entities", 8}, {"", 0}};

	for (size_t i = 0; i < c->segments.count; i++) {
		const struct segment *s = c->segments.items[i];

		if (error->offset >= s->start && error->offset < s->start + s->len)
			return config_fault(c, s->file, s->offset + (error->offset - s->start), error->what);
	}
	return config_fault(c, &none, 0, error->what);
}

static int remember_humans(struct policy_set *s)
{
	const struct cedar_entity *entity;

	s->humans = cedar_arena_array(&s->arena, APPROVERS_MAX, sizeof(*s->humans));
	for (size_t i = 0; s->humans != NULL && (entity = cedar_entities_at(s->base, i)) != NULL; i++) {
		if (!cedar_str_is(entity->uid->type, GATE_HUMAN))
			continue;
		if (s->nhumans < APPROVERS_MAX)
			s->humans[s->nhumans++] = entity->uid;
		else
			s->more_humans = true;
	}
	return s->humans == NULL ? KG_E_NOMEM : 0;
}

static int compose(struct composer *c, const struct entity_source *files, size_t nfiles)
{
	struct cedar_error error = {0};
	int rc = 0;

	c->server_parents = cedar_arena_array(&c->arena, c->source->nservers, sizeof(*c->server_parents));
	if (c->server_parents == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; rc == 0 && i < nfiles; i++)
		rc = read_file(c, &files[i]);
	if (rc == 0)
		rc = put_items(c);
	if (rc == 0)
		rc = entities_put_generated(c);
	if (rc != 0)
		return rc;
	c->set->base = cedar_entities_from_json((struct cedar_str){(const char *)buf_ptr(c->out), buf_len(c->out)},
						c->set->schema, &error);
	if (c->set->base == NULL)
		return error.code == CEDAR_E_MEMORY ? KG_E_NOMEM : tell(c, &error);
	return remember_humans(c->set);
}

int entities_build(struct policy_set *s, const struct policy_source *source, const struct entity_source *files,
		   size_t nfiles, struct faults *faults, struct buf *out)
{
	struct composer c = {.set = s, .source = source, .faults = faults, .out = out, .first = true};
	int rc;

	buf_init(out, TEXT_MAX);
	cedar_arena_init(&c.arena, CEDAR_MAX_LOAD_ARENA);
	rc = compose(&c, files, nfiles);
	/* The lists of parents are of this arena. */
	for (size_t i = 0; i < s->ntools; i++)
		s->tools[i]->parents = (struct cedar_list){0};
	cedar_arena_free(&c.arena);
	return rc;
}
