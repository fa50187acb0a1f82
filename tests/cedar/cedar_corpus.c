/*
 * Runs a folder in the layout of Cedar's integration tests: every request's
 * decision, reasons and errors and every test's shouldValidate count.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_authorize.h"
#include "common/cedar/cedar_data.h"
#include "common/cedar/cedar_sort.h"
#include "common/cedar/cedar_validate.h"
#include "tests/cedar/test_file.h"

#define MAX_PATH 4096
#define MAX_NAMES 100000
#define REQUEST_ARENA ((size_t)64 << 20)

struct tally {
	size_t passed;
	size_t failed;
};

/* One test file and what it names, all loaded. */
struct test {
	const char *root;
	const char *path;
	struct cedar_json json;
	struct cedar_arena arena;
	struct cedar_schema *schema;
	struct cedar_policies *policies;
	struct cedar_entities *entities;
};

static void fail(struct tally *tally, const char *path, const char *what, const char *detail)
{
	tally->failed++;
	fprintf(stderr, "%s: %s: %s\n", path, what, detail);
}

static struct cedar_str named_file(struct test *test, const char *key)
{
	const struct cedar_json *name = cedar_json_get(&test->json, key);
	char path[MAX_PATH];

	if (name == NULL || name->kind != CEDAR_J_STRING)
		return (struct cedar_str){NULL, 0};
	(void)snprintf(path, sizeof(path), "%s/%.*s", test->root, (int)name->u.s.n, name->u.s.p);
	return test_read_file(path);
}

/* 0, or the key whose file does not load, with *error. */
static const char *load(struct test *test, struct cedar_error *error)
{
	struct cedar_str policies = named_file(test, "policies");
	struct cedar_str schema = named_file(test, "schema");
	struct cedar_str entities = named_file(test, "entities");
	const char *bad = NULL;

	test->policies = cedar_policies_new();
	if (policies.p == NULL || test->policies == NULL ||
	    cedar_policies_add_text(test->policies, CEDAR_STR("policies"), policies, 0, error) != 0 ||
	    cedar_policies_seal(test->policies, error) != 0)
		bad = "policies";
	test->schema = cedar_schema_from_text(schema, error);
	if (bad == NULL && test->schema == NULL)
		bad = "schema";
	if (bad == NULL)
		test->entities = cedar_entities_from_json(entities, test->schema, error);
	if (bad == NULL && test->entities == NULL)
		bad = "entities";
	test_free_file(policies);
	test_free_file(schema);
	test_free_file(entities);
	return bad;
}

static void check_validation(struct test *test, struct tally *tally)
{
	const struct cedar_json *expected = cedar_json_get(&test->json, "shouldValidate");
	bool valid = cedar_validate(test->policies, test->schema, NULL, NULL) == 0;

	if (expected != NULL && expected->kind == CEDAR_J_BOOL && expected->u.b == valid)
		tally->passed++;
	else
		fail(tally, test->path, "shouldValidate", valid ? "validated" : "did not validate");
}

static bool is_listed(const struct cedar_json *list, struct cedar_str id)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (cedar_str_equal(list->u.items[i].u.s, id))
			return true;
	return false;
}

static const char *compare(const struct cedar_json *json, const struct cedar_decision *decision)
{
	const struct cedar_json *expected = cedar_json_get(json, "decision");
	const struct cedar_json *reason = cedar_json_get(json, "reason");
	const struct cedar_json *errors = cedar_json_get(json, "errors");
	size_t i;

	if (expected == NULL || reason == NULL || errors == NULL)
		return "incomplete";
	if (cedar_str_is(expected->u.s, "allow") != decision->allow)
		return "decision";
	if (reason->count != decision->reason_count)
		return "reason";
	for (i = 0; i < decision->reason_count; i++)
		if (!is_listed(reason, decision->reasons[i]->id))
			return "reason";
	if (errors->count != decision->failure_count)
		return "errors";
	for (i = 0; i < decision->failure_count; i++)
		if (!is_listed(errors, decision->failures[i].rule->id))
			return "errors";
	return NULL;
}

/* The bytes of a JSON node, to be read again as a text of its own. */
static struct cedar_str node_text(struct cedar_str text, const struct cedar_json *node)
{
	return (struct cedar_str){text.p + node->start, (size_t)(node->end - node->start)};
}

static void run_request(struct test *test, struct cedar_str text, const struct cedar_json *json, struct tally *tally)
{
	static const char *const parts[] = {"principal", "action", "resource", "context"};
	struct cedar_error error = {0};
	struct cedar_reader reader = {&test->arena, test->schema, CEDAR_ESCAPES, &error};
	struct cedar_request request = {0};
	struct cedar_decision decision = {0};
	const struct cedar_json *validate = cedar_json_get(json, "validateRequest");
	const struct cedar_json *nodes[4];
	const char *wrong;
	size_t i;

	for (i = 0; i < 4; i++) {
		nodes[i] = cedar_json_get(json, parts[i]);
		if (nodes[i] == NULL) {
			fail(tally, test->path, parts[i], "missing");
			return;
		}
	}
	if (cedar_uid_from_json(&reader, nodes[0], &request.principal) != 0 ||
	    cedar_uid_from_json(&reader, nodes[1], &request.action) != 0 ||
	    cedar_uid_from_json(&reader, nodes[2], &request.resource) != 0 ||
	    cedar_context_from_json(&reader, node_text(text, nodes[3]), request.action, &request.context) != 0 ||
	    ((validate == NULL || validate->u.b) && cedar_schema_check_request(test->schema, &request, &error) != 0)) {
		fail(tally, test->path, "request", error.what);
		return;
	}
	if (cedar_authorize(test->policies, test->entities, &request, &test->arena, &decision) != 0) {
		fail(tally, test->path, "request", "no memory");
		return;
	}
	wrong = compare(json, &decision);
	if (wrong == NULL)
		tally->passed++;
	else
		fail(tally, test->path, "request differs", wrong);
}

static void run_loaded(struct test *test, struct cedar_str text, struct tally *tally)
{
	static const char *const keys[] = {"policies", "entities", "schema", "shouldValidate", "requests", NULL};
	const struct cedar_json *requests = cedar_json_get(&test->json, "requests");
	struct cedar_error error = {0};
	const char *bad;
	size_t i;

	if (cedar_json_only(&test->json, keys, "a test", &error) != 0) {
		fail(tally, test->path, "test", error.what);
		return;
	}
	bad = load(test, &error);
	if (bad != NULL) {
		fail(tally, test->path, bad, error.what);
		return;
	}
	check_validation(test, tally);
	for (i = 0; requests != NULL && i < requests->count; i++)
		run_request(test, text, &requests->u.items[i], tally);
}

static void run_test(const char *root, const char *path, struct tally *tally)
{
	struct cedar_str text = test_read_file(path);
	struct cedar_error error = {0};
	struct test test = {.root = root, .path = path};

	cedar_arena_init(&test.arena, REQUEST_ARENA);
	if (text.p == NULL)
		fail(tally, path, "cannot read", strerror(errno));
	else if (cedar_json_parse(text, &test.arena, &test.json, &error) != 0)
		fail(tally, path, "not JSON", error.what);
	else
		run_loaded(&test, text, tally);
	cedar_policies_free(test.policies);
	cedar_entities_free(test.entities);
	cedar_schema_free(test.schema);
	cedar_arena_free(&test.arena);
	test_free_file(text);
}

static bool is_test_name(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".json") == 0 && strstr(name, ".entities.json") == NULL;
}

static int order_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_folder(const char *folder, char **names)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	while (dir != NULL && count < MAX_NAMES && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			names[count++] = strdup(entry->d_name);
	if (dir != NULL)
		closedir(dir);
	cedar_sort(names, count, sizeof(*names), order_names);
	return count;
}

/* All tests of a folder; folders inside it are looked into once. */
static size_t run_folder(const char *root, const char *folder, bool nested, struct tally *tally)
{
	char **names = calloc(MAX_NAMES, sizeof(*names)), path[MAX_PATH];
	size_t count, i, tests = 0;

	if (names == NULL)
		return 0;
	count = list_folder(folder, names);
	for (i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (is_test_name(names[i])) {
			run_test(root, path, tally);
			tests++;
		} else if (nested && strchr(names[i], '.') == NULL) {
			tests += run_folder(root, path, false, tally);
		}
		free(names[i]);
	}
	free(names);
	return tests;
}

int main(int argc, char **argv)
{
	struct tally tally = {0};
	char folder[MAX_PATH];
	size_t tests;

	if (argc != 2) {
		fprintf(stderr, "usage: cedar-corpus DIR\n");
		return 2;
	}
	(void)snprintf(folder, sizeof(folder), "%s/tests", argv[1]);
	tests = run_folder(argv[1], folder, true, &tally);
	(void)snprintf(folder, sizeof(folder), "%s/corpus-tests", argv[1]);
	tests += run_folder(argv[1], folder, false, &tally);
	printf("%zu tests\n", tests);
	printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
	return tests > 0 && tally.failed == 0 ? 0 : 1;
}
