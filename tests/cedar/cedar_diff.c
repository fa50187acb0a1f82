/*
 * Compares this engine with the reference's recorded answers: cedar-diff FILE...
 * reads one case a line, as tests/cedar/differential/generate.js writes them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_authorize.h"
#include "common/cedar/cedar_data.h"
#include "common/cedar/cedar_policy_json.h"
#include "common/cedar/cedar_validate.h"
#include "tests/cedar/test_file.h"

#define CASE_ARENA ((size_t)256 << 20)

struct test_case {
	struct cedar_str line;
	struct cedar_json json;
	const struct cedar_json *expect;
	struct cedar_arena arena;
	struct cedar_error error;
	struct cedar_policies *policies;
	struct cedar_schema *schema;
	struct cedar_entities *entities;
	char wrong[512]; /* empty: all is as expected */
};

static struct cedar_str node_text(const struct test_case *test, const struct cedar_json *node)
{
	return (struct cedar_str){test->line.p + node->start, (size_t)(node->end - node->start)};
}

/* Records a difference; the first one of a case counts. */
static void differ(struct test_case *test, const char *part, const char *expected, const char *found)
{
	if (test->wrong[0] == '\0')
		(void)snprintf(test->wrong, sizeof(test->wrong), "%s: expected %s, found %s (%s)", part, expected,
			       found, test->error.what);
}

/* Compares one verdict; whether both sides say yes. */
static bool agree(struct test_case *test, const char *part, bool found)
{
	const struct cedar_json *expected = cedar_json_get(test->expect, part);
	bool yes = expected != NULL && expected->kind == CEDAR_J_BOOL && expected->u.b;

	if (yes != found)
		differ(test, part, yes ? "yes" : "no", found ? "yes" : "no");
	return yes && found;
}

static bool load_policies(struct test_case *test)
{
	const struct cedar_json *text = cedar_json_get(&test->json, "text");
	const struct cedar_json *set = cedar_json_get(&test->json, "set");
	int rc;

	test->policies = cedar_policies_new();
	if (text != NULL)
		rc = cedar_policies_add_text(test->policies, CEDAR_STR("text"), text->u.s, 0, &test->error);
	else
		rc = cedar_policies_add_json(test->policies, CEDAR_STR("set"), node_text(test, set), &test->error);
	return rc == 0 && cedar_policies_seal(test->policies, &test->error) == 0;
}

/* Also true when the case has no schema. */
static bool load_schema(struct test_case *test)
{
	const struct cedar_json *schema = cedar_json_get(&test->json, "schema");

	if (schema->kind == CEDAR_J_NULL)
		return true;
	test->schema = schema->kind == CEDAR_J_STRING ? cedar_schema_from_text(schema->u.s, &test->error)
						      : cedar_schema_from_json(node_text(test, schema), &test->error);
	return test->schema != NULL;
}

static void find_first(void *context, const struct cedar_finding *finding)
{
	struct cedar_error *error = context;

	if (error->code == CEDAR_OK)
		*error = finding->error;
}

static bool same_ids(const struct cedar_json *expected, const struct cedar_str *ids, size_t count)
{
	size_t i, j;

	if (expected == NULL || expected->count != count)
		return false;
	for (i = 0; i < count; i++) {
		for (j = 0; j < count; j++)
			if (cedar_str_equal(expected->u.items[j].u.s, ids[i]))
				break;
		if (j == count)
			return false;
	}
	return true;
}

static void compare_decision(struct test_case *test, const struct cedar_json *expected,
			     const struct cedar_decision *decision)
{
	const struct cedar_json *verdict = cedar_json_get(expected, "decision");
	struct cedar_str *ids =
		cedar_arena_array(&test->arena, decision->reason_count + decision->failure_count, sizeof(*ids));
	size_t i;

	if (cedar_str_is(verdict->u.s, "allow") != decision->allow)
		differ(test, "decision", decision->allow ? "deny" : "allow", "the other");
	for (i = 0; i < decision->reason_count; i++)
		ids[i] = decision->reasons[i]->id;
	if (!same_ids(cedar_json_get(expected, "reason"), ids, i))
		differ(test, "reason", "other ids", "these");
	for (i = 0; i < decision->failure_count; i++)
		ids[i] = decision->failures[i].rule->id;
	if (!same_ids(cedar_json_get(expected, "errors"), ids, i))
		differ(test, "errors", "other ids", "these");
}

static void check_request(struct test_case *test)
{
	const struct cedar_json *expected = cedar_json_get(test->expect, "answer");
	const struct cedar_json *json = cedar_json_get(&test->json, "request");
	struct cedar_reader reader = {&test->arena, test->schema, CEDAR_ESCAPES, &test->error};
	struct cedar_request request = {0};
	struct cedar_decision decision = {0};
	bool good;

	good = cedar_uid_from_json(&reader, cedar_json_get(json, "principal"), &request.principal) == 0 &&
	       cedar_uid_from_json(&reader, cedar_json_get(json, "action"), &request.action) == 0 &&
	       cedar_uid_from_json(&reader, cedar_json_get(json, "resource"), &request.resource) == 0 &&
	       cedar_context_from_json(&reader, node_text(test, cedar_json_get(json, "context")), request.action,
				       &request.context) == 0 &&
	       (test->schema == NULL || cedar_schema_check_request(test->schema, &request, &test->error) == 0);
	if (good != (expected->kind == CEDAR_J_OBJECT)) {
		differ(test, "request", good ? "refusal" : "an answer", good ? "an answer" : "refusal");
		return;
	}
	if (!good)
		return;
	if (cedar_authorize(test->policies, test->entities, &request, &test->arena, &decision) != 0)
		differ(test, "request", "an answer", "no memory");
	else
		compare_decision(test, expected, &decision);
}

static void run_case(struct test_case *test)
{
	struct cedar_error finding = {0};
	bool policies = agree(test, "policies", load_policies(test));
	bool schema = agree(test, "schema", load_schema(test));
	bool valid;

	if (policies && schema && test->schema != NULL) {
		valid = cedar_validate(test->policies, test->schema, find_first, &finding) == 0;
		test->error = finding;
		(void)agree(test, "valid", valid);
	}
	if (!schema)
		return;
	test->entities = cedar_entities_from_json(node_text(test, cedar_json_get(&test->json, "entities")),
						  test->schema, &test->error);
	if (agree(test, "entities", test->entities != NULL) && policies)
		check_request(test);
}

static bool run_line(struct cedar_str line)
{
	struct test_case test = {.line = line};

	cedar_arena_init(&test.arena, CASE_ARENA);
	if (cedar_json_parse(line, &test.arena, &test.json, &test.error) != 0) {
		differ(&test, "case", "JSON", "an error");
	} else {
		test.expect = cedar_json_get(&test.json, "expect");
		run_case(&test);
	}
	if (test.wrong[0] != '\0')
		fprintf(stderr, "%s\n%.*s\n", test.wrong, (int)line.n, line.p);
	cedar_policies_free(test.policies);
	cedar_schema_free(test.schema);
	cedar_entities_free(test.entities);
	cedar_arena_free(&test.arena);
	return test.wrong[0] == '\0';
}

int main(int argc, char **argv)
{
	size_t passed = 0, failed = 0, start, end;
	struct cedar_str text;
	int i;

	for (i = 1; i < argc; i++) {
		text = test_read_file(argv[i]);
		if (text.p == NULL) {
			fprintf(stderr, "%s: cannot be read\n", argv[i]);
			failed++;
		}
		for (start = 0; start < text.n; start = end + 1) {
			end = start;
			while (end < text.n && text.p[end] != '\n')
				end++;
			if (run_line((struct cedar_str){text.p + start, end - start}))
				passed++;
			else
				failed++;
		}
		test_free_file(text);
	}
	printf("%zu passed, %zu failed\n", passed, failed);
	return failed == 0 && passed > 0 ? 0 : 1;
}
