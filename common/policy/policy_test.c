/* Running a set's cases. */
#include "common/policy/policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/policy/policy_case.h"

#define TOOLS_MAX 1000u

int case_fault(struct run *r, const char *what, const char *name)
{
	(void)!buf_printf(r->errors, "cases.json:1:1: %s: %s\n", name, what);
	return KG_E_CONFIG;
}

const char *case_text(const json_t *object, const char *name, const char *otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value) ? json_string_value(value) : otherwise;
}

bool case_flag(const json_t *object, const char *name, bool otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

/* ---- what the set is built from ---- */

static int add_server(struct run *r, const json_t *given, const char *name)
{
	struct policy_server *s = &r->servers[r->source.nservers];

	for (size_t i = 0; i < r->source.nservers; i++)
		if (strcmp(r->servers[i].name, name) == 0)
			return 0;
	*s = (struct policy_server){name, case_text(given, "environment", "dev"),
				    (uint32_t)json_integer_value(json_object_get(given, "min_trust")),
				    case_flag(given, "quarantined", false)};
	r->source.nservers++;
	return 0;
}

/* The same bytes that a gateway would pin: jansson's sorted form will do for that here. */
static int add_tool(struct run *r, const json_t *given)
{
	const char *server = case_text(given, "server", NULL), *name = case_text(given, "name", NULL);
	size_t i = r->source.ntools;
	uint8_t tier;

	if (server == NULL || name == NULL || tier_parse(case_text(given, "tier", ""), &tier) != 0)
		return case_fault(r, "needs \"server\", \"name\" and \"tier\"", name != NULL ? name : "a tool");
	r->definitions[i] = json_dumps(json_object_get(given, "definition"), JSON_COMPACT | JSON_SORT_KEYS);
	if (r->definitions[i] == NULL)
		return case_fault(r, "needs a \"definition\"", name);
	sha256(r->definitions[i], strlen(r->definitions[i]), r->hashes[i]);
	r->tools[i] = (struct policy_tool){server,
					   name,
					   tier,
					   r->hashes[i],
					   r->definitions[i],
					   strlen(r->definitions[i]),
					   case_flag(given, "quarantined", false)};
	r->source.ntools++;
	return add_server(r, NULL, server);
}

static int read_source(struct run *r, const struct policy_file *files, size_t nfiles)
{
	const json_t *servers = json_object_get(r->root, "servers"), *tools = json_object_get(r->root, "tools");
	const json_t *entities = json_object_get(r->root, "entities");
	size_t n = json_array_size(servers), m = json_array_size(tools);
	int rc = 0;

	if (n > TOOLS_MAX || m > TOOLS_MAX)
		return case_fault(r, "too many servers or tools", "cases");
	r->servers = calloc(n + m + 1, sizeof(*r->servers));
	r->tools = calloc(m + 1, sizeof(*r->tools));
	r->hashes = calloc(m + 1, sizeof(*r->hashes));
	r->definitions = calloc(m + 1, sizeof(*r->definitions));
	if (r->servers == NULL || r->tools == NULL || r->hashes == NULL || r->definitions == NULL)
		return KG_E_NOMEM;
	r->source.files = files;
	r->source.nfiles = nfiles;
	r->source.servers = r->servers;
	r->source.tools = r->tools;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const json_t *server = json_array_get(servers, i);
		const char *name = case_text(server, "name", NULL);

		rc = name == NULL ? case_fault(r, "needs a \"name\"", "a server") : add_server(r, server, name);
	}
	for (size_t i = 0; rc == 0 && i < m; i++)
		rc = add_tool(r, json_array_get(tools, i));
	if (rc != 0 || entities == NULL)
		return rc;
	r->entities = json_dumps(entities, JSON_COMPACT);
	r->source.data = r->entities;
	r->source.data_len = r->entities != NULL ? strlen(r->entities) : 0;
	return r->entities != NULL ? 0 : KG_E_NOMEM;
}

/* ---- coverage ---- */

static int order_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_ids(struct run *r, bool wanted, char ***out, size_t *count)
{
	size_t n = policy_set_count(r->set);

	*out = calloc(n + 1, sizeof(**out));
	if (*out == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; i < n; i++) {
		struct cedar_str id = cedar_policies_rule(r->set->policies, i)->id;

		if (r->determined[i] != wanted)
			continue;
		(*out)[*count] = strndup(id.p, id.n);
		if ((*out)[*count] == NULL)
			return KG_E_NOMEM;
		(*count)++;
	}
	qsort(*out, *count, sizeof(**out), order_texts);
	return 0;
}

static int run_all(struct run *r)
{
	const json_t *cases = json_object_get(r->root, "cases");
	size_t n = json_array_size(cases);
	int rc = 0;

	if (n == 0 || n > POLICY_CASES_MAX)
		return case_fault(r, "needs 1 to 10,000 \"cases\"", "cases");
	r->decider = policy_decider_new(r->set);
	r->determined = calloc(policy_set_count(r->set) + 1, sizeof(*r->determined));
	r->out->items = calloc(n, sizeof(*r->out->items));
	if (r->decider == NULL || r->determined == NULL || r->out->items == NULL)
		return KG_E_NOMEM;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = case_run(r, json_array_get(cases, i), &r->out->items[r->out->count++]);
	if (rc == 0)
		rc = list_ids(r, true, &r->out->determined, &r->out->ndetermined);
	return rc != 0 ? rc : list_ids(r, false, &r->out->undetermined, &r->out->nundetermined);
}

static void run_free(struct run *r)
{
	for (size_t i = 0; r->definitions != NULL && i < r->source.ntools; i++)
		free(r->definitions[i]);
	policy_decider_free(r->decider);
	policy_set_free(r->set);
	free(r->determined);
	free(r->definitions);
	free(r->hashes);
	free(r->tools);
	free(r->servers);
	free(r->entities);
	json_decref(r->root);
}

int policy_cases_run(const struct policy_file *files, size_t nfiles, const char *cases, size_t len,
		     struct policy_cases *out, struct buf *errors)
{
	struct run r = {.errors = errors, .out = out};
	json_error_t error;
	int rc;

	*out = (struct policy_cases){0};
	r.root = json_loadb(cases, len, JSON_REJECT_DUPLICATES, &error);
	if (r.root == NULL) {
		(void)!buf_printf(errors, "cases.json:%d:%d: %s\n", error.line, error.column, error.text);
		return KG_E_CONFIG;
	}
	rc = json_is_object(r.root) ? read_source(&r, files, nfiles) : case_fault(&r, "must be an object", "cases");
	if (rc == 0)
		rc = policy_set_build(&r.source, &r.set, errors);
	if (rc == 0)
		rc = run_all(&r);
	run_free(&r);
	if (rc != 0)
		policy_cases_free(out);
	return rc;
}

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; list != NULL && i < n; i++)
		free(list[i]);
	free(list);
}

void policy_cases_free(struct policy_cases *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->items[i].name);
		free(c->items[i].why);
		json_decref(c->items[i].explain);
	}
	free(c->items);
	free_list(c->determined, c->ndetermined);
	free_list(c->undetermined, c->nundetermined);
	*c = (struct policy_cases){0};
}
