/* keepgate policy test: the cases that a folder keeps beside its policies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/policy/policy_test.h"
#include "keepgate/ask.h"
#include "keepgate/policy_commands.h"
#include "keepgate/policy_folder.h"
#include "keepgate/policy_input.h"

static bool same_tool(const json_t *a, const json_t *b)
{
	return strcmp(ask_text(a, "server"), ask_text(b, "server")) == 0 &&
	       strcmp(ask_text(a, "name"), ask_text(b, "name")) == 0;
}

static bool same_server(const json_t *a, const json_t *b)
{
	return strcmp(ask_text(a, "name"), ask_text(b, "name")) == 0;
}

/* Puts each of `fresh` into the list `name` of the cases, in the place of the same one. */
static void put_over(json_t *cases, const char *name, const json_t *fresh, bool (*same)(const json_t *, const json_t *))
{
	json_t *list = json_object_get(cases, name), *x;
	size_t i;

	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(cases, name, list);
	}
	json_array_foreach(fresh, i, x)
	{
		for (size_t k = json_array_size(list); k-- > 0;)
			if (same(json_array_get(list, k), x))
				json_array_remove(list, k);
		json_array_append(list, x);
	}
}

/* In cases a definition is an object; in a catalogue it is text. */
static void open_definitions(json_t *tools)
{
	json_t *tool, *definition;
	size_t i;

	json_array_foreach(tools, i, tool)
	{
		definition = json_loads(ask_text(tool, "definition"), JSON_REJECT_DUPLICATES, NULL);
		if (definition != NULL)
			json_object_set_new(tool, "definition", definition);
		json_object_del(tool, "sha256");
	}
}

/* The cases over the tools that --tools or --state name: what those are called there, they are here. */
static int lay_over(const struct cli *c, const char *file, json_t *catalogue, char **text, size_t *len)
{
	json_error_t error;
	json_t *cases = json_loadb(*text, *len, JSON_REJECT_DUPLICATES, &error);
	char *laid;

	if (cases == NULL)
		return cli_fail(c, "%s:%d:%d: %s", file, error.line, error.column, error.text);
	open_definitions(json_object_get(catalogue, "tools"));
	put_over(cases, "servers", json_object_get(catalogue, "servers"), same_server);
	put_over(cases, "tools", json_object_get(catalogue, "tools"), same_tool);
	laid = json_dumps(cases, JSON_INDENT(1));
	json_decref(cases);
	if (laid == NULL)
		return cli_fail(c, "out of memory");
	free(*text);
	*text = laid;
	*len = strlen(laid);
	return 0;
}

static int read_cases(const struct cli *c, char **text, size_t *len)
{
	char file[CLI_PATH_MAX];
	json_t *catalogue = NULL;
	int r;

	if (snprintf(file, sizeof(file), "%s/" POLICY_CASES_FILE, c->operand[0]) >= CLI_PATH_MAX)
		return cli_fail(c, "%s: the path is too long", c->operand[0]);
	*text = policy_read_file(file, len);
	if (*text == NULL)
		return cli_fail(c, "%s: cannot be read: %s; keepgate-policy(7) tells how cases are written", file,
				strerror(errno));
	r = policy_input_catalogue(c, &catalogue);
	if (r == 0 && catalogue != NULL)
		r = lay_over(c, file, catalogue, text, len);
	json_decref(catalogue);
	return r;
}

static void print_failure(const struct policy_case *x)
{
	printf("FAILED: ");
	cli_puts_safe(stdout, x->name == NULL ? "?" : x->name);
	printf(": ");
	cli_lines(stdout, x->why == NULL ? "?" : x->why);
}

static int tell(const struct policy_cases *cases)
{
	size_t policies = cases->ndetermined + cases->nundetermined;

	for (size_t i = 0; i < cases->count; i++)
		if (!cases->items[i].passed)
			print_failure(&cases->items[i]);
	for (size_t i = 0; i < cases->nundetermined; i++) {
		printf("policy ");
		cli_puts_safe(stdout, cases->undetermined[i]);
		printf(": never decided\n");
	}
	printf("%zu of %zu policies decided a case\n", cases->ndetermined, policies);
	printf("%zu passed, %zu failed\n", cases->count - cases->failed, cases->failed);
	return cases->failed == 0 ? KG_EXIT_OK : KG_EXIT_FAILURE;
}

int policy_test_run(const struct cli *c)
{
	const char *path = c->operand[0];
	struct policy_cases cases = {0};
	struct policy_dir dir = {0};
	struct buf errors;
	char *text = NULL;
	size_t len = 0;
	int r = read_cases(c, &text, &len);

	buf_init(&errors, POLICY_ERRORS_MAX);
	if (r == 0 && (policy_dir_open(path, &dir, &errors) != 0 ||
		       policy_cases_run(dir.files, dir.nfiles, text, len, &cases, &errors) != 0)) {
		policy_input_tell(stderr, path, buf_len(&errors) == 0 ? strerror(errno) : buf_text(&errors));
		r = KG_EXIT_FAILURE;
	}
	if (r == 0)
		r = tell(&cases);
	policy_cases_free(&cases);
	policy_dir_free(&dir);
	buf_free(&errors);
	free(text);
	return r;
}
