/* Building a set: parse, generate, validate strictly, check the entities; all of it or nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_sort.h"
#include "common/cedar/cedar_validate.h"
#include "common/json_text.h"
#include "common/policy/policy_hash.h"
#include "common/policy/policy_set.h"

#define SCHEMA_TEXT_MAX (32ul * 1048576ul)
#define ID_MAX 128u

extern const struct policy_file policy_default[];
extern const size_t policy_default_count;

enum file_kind { FILE_POLICY, FILE_SCHEMA, FILE_ENTITIES, FILE_CASES, FILE_OTHER };

/* One build; what is only needed until the set stands. */
struct builder {
	struct policy_set *set;
	const struct policy_source *source;
	const struct policy_file **files; /* sorted by name */
	size_t nfiles;
	size_t *schema_starts; /* of each file's text in the schema's; SIZE_MAX: not in it */
	struct faults faults;
	struct buf entities;
};

static enum file_kind kind_of(const char *name)
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

static struct cedar_str text_of(const struct policy_file *file)
{
	return (struct cedar_str){file->text, file->len};
}

static int no_memory(void)
{
	return KG_E_NOMEM;
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
		return no_memory();
	for (size_t i = 0; i < b->nfiles; i++) {
		b->files[i] = &files[i];
		b->schema_starts[i] = SIZE_MAX;
		total += files[i].len;
		if (kind_of(files[i].name) == FILE_OTHER)
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

/* ---- the pinned tools ---- */

static int copy(struct policy_set *s, const char *text, struct cedar_str *out)
{
	return cedar_arena_copy(&s->arena, cedar_str_from(text), out) != 0 ? no_memory() : 0;
}

static int name_tool(struct policy_set *s, struct gate_tool *tool)
{
	size_t n = tool->server.n + 1 + tool->name.n;
	char *id = cedar_arena_alloc(&s->arena, n);

	if (id == NULL)
		return no_memory();
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
		return no_memory();
	*item = cedar_entity(tool->resource);
	(void)cedar_set_make(item, 1, &tool->itself);
	return 0;
}

static int add_tool(struct policy_set *s, const struct policy_tool *given, uint32_t owner)
{
	struct gate_tool *tool = cedar_arena_alloc(&s->arena, sizeof(*tool));
	int rc = tool == NULL ? no_memory() : copy(s, given->server, &tool->server);

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
		return rc == -CEDAR_E_DUPLICATE ? 0 : no_memory();
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
static int take_tools(struct builder *b)
{
	struct policy_set *s = b->set;
	int rc = 0;

	s->tools = cedar_arena_array(&s->arena, b->source->ntools, sizeof(*s->tools));
	s->spent_by = cedar_arena_array(&s->arena, b->source->nservers, sizeof(*s->spent_by));
	if (s->tools == NULL || s->spent_by == NULL)
		return no_memory();
	for (size_t i = 0; rc == 0 && i < b->source->ntools; i++)
		for (size_t k = 0; rc == 0 && k < b->source->nservers && good_name(b->source->tools[i].name); k++)
			if (strcmp(b->source->tools[i].server, b->source->servers[k].name) == 0)
				rc = add_tool(s, &b->source->tools[i], (uint32_t)k);
	cedar_sort(s->tools, s->ntools, sizeof(*s->tools), order_tools);
	return rc;
}

/* ---- the schema ---- */

/* The fixed half is sound: what is told of it is a name that the operator's half has too, outside of any namespace. */
static void hidden_fault(struct builder *b, const struct cedar_error *error)
{
	char line[CEDAR_ERROR_MAX + 128];

	(void)snprintf(line, sizeof(line), "%s (a name of namespace Gate: put your own into a namespace)", error->what);
	for (size_t i = 0; i < b->nfiles; i++) {
		if (b->schema_starts[i] != SIZE_MAX) {
			fault_add(&b->faults, cedar_str_from(b->files[i]->name), CEDAR_STR(""), 0, line);
			return;
		}
	}
	fault_add(&b->faults, CEDAR_STR("gate.cedarschema"), CEDAR_STR(""), 0, error->what);
}

static int schema_fault(struct builder *b, const struct cedar_error *error)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < b->nfiles; i++)
		if (b->schema_starts[i] != SIZE_MAX && b->schema_starts[i] <= error->offset)
			best = i;
	if (best == SIZE_MAX)
		hidden_fault(b, error);
	else
		fault_add(&b->faults, cedar_str_from(b->files[best]->name), text_of(b->files[best]),
			  error->offset - b->schema_starts[best], error->what);
	return KG_E_CONFIG;
}

static int build_schema(struct builder *b)
{
	struct buf *text = &b->set->schema_text;
	struct cedar_error error = {0};
	int rc = schema_put_gate(b->set, text);

	for (size_t i = 0; rc == 0 && i < b->nfiles; i++) {
		if (kind_of(b->files[i]->name) != FILE_SCHEMA)
			continue;
		b->schema_starts[i] = buf_len(text);
		rc = buf_put(text, b->files[i]->text, b->files[i]->len);
		if (rc == 0)
			rc = buf_puts(text, "\n");
	}
	if (rc != 0)
		return rc;
	b->set->schema = cedar_schema_from_text((struct cedar_str){(const char *)buf_ptr(text), buf_len(text)}, &error);
	if (b->set->schema == NULL)
		return error.code == CEDAR_E_MEMORY ? no_memory() : schema_fault(b, &error);
	return 0;
}

/* ---- the policies ---- */

/* Ids stand in records and lists: nothing in them may be taken for more than one. */
static bool good_id(struct cedar_str id)
{
	for (size_t i = 0; i < id.n; i++)
		if ((unsigned char)id.p[i] < 0x20 || id.p[i] == ',' || id.p[i] == 0x7f)
			return false;
	return id.n > 0 && id.n <= ID_MAX;
}

static const struct policy_file *file_named(const struct builder *b, struct cedar_str name)
{
	for (size_t i = 0; i < b->nfiles; i++)
		if (cedar_str_is(name, b->files[i]->name))
			return b->files[i];
	return NULL;
}

static void policy_fault(struct builder *b, const struct cedar_policy *policy, size_t offset, struct cedar_str id,
			 const char *what)
{
	const struct cedar_source *source = cedar_policies_source(b->set->policies, policy->source);
	char line[CEDAR_ERROR_MAX + 128];

	(void)snprintf(line, sizeof(line), "policy \"%.*s\": %s", CEDAR_SHOW(id), what);
	fault_add(&b->faults, source->name, source->text, offset, line);
}

static void report(void *context, const struct cedar_finding *finding)
{
	policy_fault(context, finding->policy, finding->error.offset, finding->id, finding->error.what);
}

static int parse_policies(struct builder *b)
{
	struct cedar_error error;

	b->set->policies = cedar_policies_new();
	if (b->set->policies == NULL)
		return no_memory();
	for (size_t i = 0; i < b->nfiles; i++) {
		const struct policy_file *file = b->files[i];

		error = (struct cedar_error){0};
		if (kind_of(file->name) == FILE_POLICY &&
		    cedar_policies_add_text(b->set->policies, cedar_str_from(file->name), text_of(file),
					    CEDAR_ID_FROM_ANNOTATION, &error) != 0) {
			if (error.code == CEDAR_E_MEMORY)
				return no_memory();
			fault_add(&b->faults, cedar_str_from(file->name), text_of(file), error.offset, error.what);
		}
	}
	return b->faults.count > 0 ? KG_E_CONFIG : 0;
}

static uint8_t help_of(const struct cedar_policy *policy)
{
	static const struct {
		const char *value;
		uint8_t help;
	} known[] = {
		{"consent", POLICY_HELP_CONSENT}, {"approval", POLICY_HELP_APPROVAL}, {"step-up", POLICY_HELP_STEP_UP}};
	const struct cedar_str *value = cedar_policy_annotation(policy, CEDAR_STR("on_deny"));

	for (size_t i = 0; value != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (cedar_str_is(*value, known[i].value))
			return known[i].help;
	return 0;
}

/* Nothing links templates here: one that stands in a file would hold for nobody, without a word. */
static void refuse_templates(struct builder *b)
{
	for (size_t i = 0; i < cedar_policies_template_count(b->set->policies); i++) {
		const struct cedar_policy *policy = cedar_policies_template(b->set->policies, i);

		policy_fault(b, policy, policy->span.start, policy->id, "is a template: nothing would link it");
	}
}

static int note_policies(struct builder *b)
{
	struct policy_set *s = b->set;
	size_t count = cedar_policies_rule_count(s->policies);

	s->notes = cedar_arena_array(&s->arena, count, sizeof(*s->notes));
	if (s->notes == NULL)
		return no_memory();
	for (size_t i = 0; i < count; i++) {
		const struct cedar_rule *rule = cedar_policies_rule(s->policies, i);
		const struct cedar_policy *policy = rule->policy;

		s->notes[i] = (struct gate_note){help_of(policy), cedar_policy_annotation(policy, CEDAR_STR("reason"))};
		if (!good_id(rule->id))
			policy_fault(b, policy, policy->span.start, rule->id,
				     "an id has 1 to 128 bytes, no comma and no control characters");
		if (s->notes[i].help == 0 && cedar_policy_annotation(policy, CEDAR_STR("on_deny")) != NULL)
			policy_fault(b, policy, policy->span.start, rule->id,
				     "@on_deny is \"consent\", \"approval\" or \"step-up\"");
	}
	refuse_templates(b);
	return b->faults.count > 0 ? KG_E_CONFIG : 0;
}

static int validate(struct builder *b)
{
	struct cedar_error error = {0};
	int rc;

	if (cedar_policies_seal(b->set->policies, &error) != 0)
		return no_memory();
	rc = cedar_validate(b->set->policies, b->set->schema, report, b);
	if (rc < 0)
		return no_memory();
	return rc > 0 ? KG_E_CONFIG : 0;
}

static int build_policies(struct builder *b)
{
	int rc = parse_policies(b);

	if (rc == 0)
		rc = note_policies(b);
	if (rc == 0)
		rc = names_collect(b->set);
	if (rc == 0)
		names_mark(b->set);
	return rc != 0 ? rc : validate(b);
}

static int build_entities(struct builder *b)
{
	struct entity_source sources[2];
	const struct policy_file *file = file_named(b, CEDAR_STR("entities.json"));
	size_t n = 0;

	if (file != NULL)
		sources[n++] = (struct entity_source){CEDAR_STR("entities.json"), text_of(file)};
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
		if (kind_of(b->files[i]->name) == FILE_POLICY)
			policy_hash_part(&h, b->files[i]->name, b->files[i]->text, b->files[i]->len);
	policy_hash_part(&h, "entities", buf_ptr(&b->entities), buf_len(&b->entities));
	policy_hash_end(&h, b->set->hash);
}

static int build(struct builder *b)
{
	int rc = take_files(b);

	if (rc == 0)
		rc = take_tools(b);
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
		return no_memory();
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
