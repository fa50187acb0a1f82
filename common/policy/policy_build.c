/* Building a set: parse, generate, validate strictly, check the entities; all of it or nothing. */
#include <stdlib.h>

#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_sort.h"
#include "common/policy/policy_build.h"
#include "common/policy/policy_hash.h"

#define SCHEMA_TEXT_MAX (32ul * 1048576ul)

extern const struct policy_file policy_default[];
extern const size_t policy_default_count;

enum file_kind build_kind(const char *name)
{
	static const struct {
		const char *ending;
		enum file_kind kind;
	} kinds[] = {{".cedar", FILE_POLICY}, {".cedarschema", FILE_SCHEMA}};
	size_t n = strlen(name), m;

	if (strcmp(name, "entities.json") == 0)
		return FILE_ENTITIES;
	if (strcmp(name, "cases.json") == 0)
		return FILE_CASES;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		m = strlen(kinds[i].ending);
		if (n > m && strcmp(name + n - m, kinds[i].ending) == 0)
			return kinds[i].kind;
	}
	return FILE_OTHER;
}

struct cedar_str build_text(const struct policy_file *file)
{
	return (struct cedar_str){file->text, file->len};
}

static int order_files(const void *a, const void *b)
{
	return strcmp((*(const struct policy_file *const *)a)->name, (*(const struct policy_file *const *)b)->name);
}

/* Names and sizes; the files in the order of their names, whoever listed them. */
static int take_files(struct builder *b)
{
	const struct policy_file *files = b->source->nfiles > 0 ? b->source->files : policy_default;
	size_t total = 0;

	b->nfiles = b->source->nfiles > 0 ? b->source->nfiles : policy_default_count;
	b->files = cedar_arena_array(&b->set->arena, b->nfiles, sizeof(*b->files));
	b->schema_starts = cedar_arena_array(&b->set->arena, b->nfiles, sizeof(*b->schema_starts));
	if (b->files == NULL || b->schema_starts == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < b->nfiles; i++) {
		b->files[i] = &files[i];
		b->schema_starts[i] = SIZE_MAX;
		total += files[i].len;
		if (build_kind(files[i].name) == FILE_OTHER)
			fault_add(&b->faults, cedar_str_from(files[i].name), CEDAR_STR(""), 0,
				  "not a policy (*.cedar), a schema (*.cedarschema), entities.json or cases.json");
	}
	if (b->nfiles > POLICY_FILES_MAX || total > POLICY_BYTES_MAX)
		fault_add(&b->faults, CEDAR_STR("set"), CEDAR_STR(""), 0, "too many files, or too large");
	cedar_sort(b->files, b->nfiles, sizeof(*b->files), order_files);
	for (size_t i = 1; i < b->nfiles; i++)
		if (strcmp(b->files[i - 1]->name, b->files[i]->name) == 0)
			fault_add(&b->faults, cedar_str_from(b->files[i]->name), CEDAR_STR(""), 0, "stands twice");
	return b->faults.count > 0 ? KG_E_CONFIG : 0;
}

static const struct policy_file *file_named(const struct builder *b, struct cedar_str name)
{
	for (size_t i = 0; i < b->nfiles; i++)
		if (cedar_str_is(name, b->files[i]->name))
			return b->files[i];
	return NULL;
}

static int build_entities(struct builder *b)
{
	struct entity_source sources[2];
	const struct policy_file *file = file_named(b, CEDAR_STR("entities.json"));
	size_t n = 0;

	if (file != NULL)
		sources[n++] = (struct entity_source){CEDAR_STR("entities.json"), build_text(file)};
	if (b->source->data != NULL && b->source->data_len > 0)
		sources[n++] = (struct entity_source){CEDAR_STR("data"), {b->source->data, b->source->data_len}};
	return entities_build(b->set, b->source, sources, n, &b->faults, &b->entities);
}

/* Length-prefixed, with what it is before it: no two sets have the same bytes. */
static void hash_set(struct builder *b)
{
	struct policy_hash h;

	policy_hash_begin(&h, "keepgate policy set 1\n");
	policy_hash_part(&h, "schema", buf_ptr(&b->set->schema_text), buf_len(&b->set->schema_text));
	for (size_t i = 0; i < b->nfiles; i++)
		if (build_kind(b->files[i]->name) == FILE_POLICY)
			policy_hash_part(&h, b->files[i]->name, b->files[i]->text, b->files[i]->len);
	policy_hash_part(&h, "entities", buf_ptr(&b->entities), buf_len(&b->entities));
	policy_hash_end(&h, b->set->hash);
}

static int build(struct builder *b)
{
	int rc = take_files(b);

	if (rc == 0)
		rc = build_tools(b);
	if (rc == 0)
		rc = build_schema(b);
	if (rc == 0)
		rc = build_policies(b);
	if (rc == 0)
		rc = build_entities(b);
	if (rc == 0)
		hash_set(b);
	return rc;
}

int policy_set_build(const struct policy_source *source, struct policy_set **out, struct buf *errors)
{
	struct builder b = {.source = source, .faults = {.out = errors}};
	int rc;

	*out = NULL;
	buf_init(&b.entities, 0);
	b.set = calloc(1, sizeof(*b.set));
	if (b.set == NULL)
		return KG_E_NOMEM;
	cedar_arena_init(&b.set->arena, CEDAR_MAX_LOAD_ARENA);
	buf_init(&b.set->schema_text, SCHEMA_TEXT_MAX);
	rc = build(&b);
	buf_free(&b.entities);
	if (rc == 0) {
		*out = b.set;
		return 0;
	}
	policy_set_free(b.set);
	if (rc == KG_E_LIMIT) {
		fault_add(&b.faults, CEDAR_STR("set"), CEDAR_STR(""), 0, "the schema or the entities are too large");
		rc = KG_E_CONFIG;
	}
	return rc;
}

void policy_set_free(struct policy_set *s)
{
	if (s == NULL)
		return;
	cedar_entities_free(s->base);
	cedar_policies_free(s->policies);
	cedar_schema_free(s->schema);
	buf_free(&s->schema_text);
	cedar_arena_free(&s->arena);
	free(s);
}

const uint8_t *policy_set_hash(const struct policy_set *s)
{
	return s->hash;
}

size_t policy_set_count(const struct policy_set *s)
{
	return cedar_policies_rule_count(s->policies);
}

bool policy_set_knows(const struct policy_set *s, const struct policy_tool *t)
{
	const struct gate_tool *known = cedar_map_get(&s->by_name, cedar_str_from(t->server), cedar_str_from(t->name));

	return known != NULL && known->tier == t->tier && memcmp(known->sha256, t->sha256, HASH_LEN) == 0;
}

const char *policy_set_schema(const struct policy_set *s, size_t *len)
{
	*len = buf_len(&s->schema_text);
	return (const char *)buf_ptr(&s->schema_text);
}
