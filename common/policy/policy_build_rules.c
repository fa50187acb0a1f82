/* A set's schema and its policies: parsed, generated, validated strictly. */
#include <stdio.h>

#include "common/cedar/cedar_validate.h"
#include "common/policy/policy_build.h"

#define ID_MAX 128u

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
		fault_add(&b->faults, cedar_str_from(b->files[best]->name), build_text(b->files[best]),
			  error->offset - b->schema_starts[best], error->what);
	return KG_E_CONFIG;
}

int build_schema(struct builder *b)
{
	struct buf *text = &b->set->schema_text;
	struct cedar_error error = {0};
	int rc = schema_put_gate(b->set, text);

	for (size_t i = 0; rc == 0 && i < b->nfiles; i++) {
		if (build_kind(b->files[i]->name) != FILE_SCHEMA)
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
		return error.code == CEDAR_E_MEMORY ? KG_E_NOMEM : schema_fault(b, &error);
	return 0;
}

/* Ids stand in records and lists: nothing in them may be taken for more than one. */
static bool good_id(struct cedar_str id)
{
	for (size_t i = 0; i < id.n; i++)
		if ((unsigned char)id.p[i] < 0x20 || id.p[i] == ',' || id.p[i] == 0x7f)
			return false;
	return id.n > 0 && id.n <= ID_MAX;
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
		return KG_E_NOMEM;
	for (size_t i = 0; i < b->nfiles; i++) {
		const struct policy_file *file = b->files[i];

		error = (struct cedar_error){0};
		if (build_kind(file->name) == FILE_POLICY &&
		    cedar_policies_add_text(b->set->policies, cedar_str_from(file->name), build_text(file),
					    CEDAR_ID_FROM_ANNOTATION, &error) != 0) {
			if (error.code == CEDAR_E_MEMORY)
				return KG_E_NOMEM;
			fault_add(&b->faults, cedar_str_from(file->name), build_text(file), error.offset, error.what);
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
		return KG_E_NOMEM;
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
		return KG_E_NOMEM;
	rc = cedar_validate(b->set->policies, b->set->schema, report, b);
	if (rc < 0)
		return KG_E_NOMEM;
	return rc > 0 ? KG_E_CONFIG : 0;
}

int build_policies(struct builder *b)
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
