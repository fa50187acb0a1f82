/* keepgate policy status, load, schema, data: the set that the running broker decides by. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "keepgate/ask.h"
#include "keepgate/policy_commands.h"
#include "keepgate/policy_input.h"

#define DATA_MAX 1048000u

static const struct cli_column fields[] = {
	{"source", "source", CLI_TEXT},
	{"sha256", "sha256", CLI_TEXT},
	{"policies", "policies", CLI_TEXT},
	{"revision", "revision", CLI_TEXT},
	{"loaded", "loaded_at", CLI_TIME},
	{"ends", "expires", CLI_TIME},
	{"time left", "expires_in", CLI_DURATION},
	{"tools", "tools", CLI_TEXT},
	{"live data", "data_sha256", CLI_TEXT},
	{"shadow", "shadow_source", CLI_TEXT},
	{"its sha256", "shadow_sha256", CLI_TEXT},
	{"differences", "shadow_differences", CLI_TEXT},
};

static void print_status(json_t *status)
{
	const json_t *shadow = json_object_get(status, "shadow");

	json_object_set(status, "shadow_source", json_object_get(shadow, "source"));
	json_object_set(status, "shadow_sha256", json_object_get(shadow, "sha256"));
	json_object_set(status, "shadow_differences", json_object_get(shadow, "differences"));
	cli_fields(stdout, status, fields, CLI_COUNT(fields));
}

/* Prints the answer; an error that stands in it is told line by line, and is a failure. */
static int tell_status(const struct cli *c, json_t *status, const char *what)
{
	const char *error = ask_text(status, "error"), *shadow = ask_text(json_object_get(status, "shadow"), "error");
	int r;

	if (cli_given(c, "json"))
		cli_json(stdout, status);
	else
		print_status(status);
	fflush(stdout);
	if (error[0] != '\0') {
		fprintf(stderr, "%s: %s\n", c->program, what);
		cli_lines(stderr, error);
	}
	if (shadow[0] != '\0') {
		fprintf(stderr, "%s: the set in the shadow is not asked:\n", c->program);
		cli_lines(stderr, shadow);
	}
	r = error[0] == '\0' ? KG_EXIT_OK : KG_EXIT_FAILURE;
	json_decref(status);
	return r;
}

int policy_status_run(const struct cli *c)
{
	const json_t *left;
	json_t *status;
	bool decides;
	int r = ask_broker(c, "policy.status", NULL, &status);

	if (r != KG_EXIT_OK)
		return r;
	left = json_object_get(status, "expires_in");
	decides = json_is_string(json_object_get(status, "sha256")) &&
		  (!json_is_integer(left) || json_integer_value(left) > 0);
	(void)tell_status(c, status,
			  decides ? "the last change was refused, and the set above stays in force:"
				  : "no set is in force, and everything is denied:");
	return KG_EXIT_OK;
}

/* Which folder a path leads to now, for the broker to compare; nothing where it cannot be seen from here. */
static void put_folder(json_t *seen, const char *name, const char *path)
{
	struct stat st;

	if (path[0] == '/' && stat(path, &st) == 0)
		json_object_set_new(seen, name, json_sprintf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino));
}

static json_t *folders_seen(const json_t *status)
{
	json_t *seen = json_object();

	put_folder(seen, "folder", ask_text(status, "source"));
	put_folder(seen, "shadow", ask_text(json_object_get(status, "shadow"), "source"));
	return seen;
}

int policy_load_run(const struct cli *c)
{
	json_t *seen, *status;
	int r = ask_broker(c, "policy.status", NULL, &status);

	if (r != KG_EXIT_OK)
		return r;
	seen = folders_seen(status);
	json_decref(status);
	r = ask_broker(c, "policy.load", seen, &status);
	if (r == KG_EXIT_FAILURE)
		fprintf(stderr, "Nothing has changed. keepgate policy check DIR --state DIR tells every fault.\n");
	if (r != KG_EXIT_OK)
		return r;
	return tell_status(c, status, "refused; the set above stays in force:");
}

static int print_schema(const char *text, size_t len)
{
	return fwrite(text, 1, len, stdout) == len ? KG_EXIT_OK : KG_EXIT_FAILURE;
}

int policy_schema_run(const struct cli *c)
{
	struct policy_input x;
	const char *text;
	json_t *out;
	size_t len;
	int r;

	if (cli_given(c, "tools") || cli_given(c, "dir")) {
		r = policy_input_load(c, cli_value(c, "dir"), POLICY_TOOLS_CASES, &x);
		if (r == 0) {
			text = policy_set_schema(x.set, &len);
			r = print_schema(text, len);
		}
		policy_input_free(&x);
		return r;
	}
	r = ask_broker(c, "policy.schema", NULL, &out);
	if (r != KG_EXIT_OK)
		return r;
	text = ask_text(out, "schema");
	r = print_schema(text, strlen(text));
	json_decref(out);
	return r;
}

static int data_get(const struct cli *c)
{
	json_t *out;
	int r = ask_broker(c, "data.get", NULL, &out);

	if (r != KG_EXIT_OK)
		return r;
	cli_json(stdout, json_object_get(out, "entities"));
	json_decref(out);
	return KG_EXIT_OK;
}

/* A list of entities, or an object that holds one, as the broker's own. */
static int read_entities(const struct cli *c, const char *file, json_t **out)
{
	json_t *root = NULL, *list;
	int r = policy_input_json(c, file, &root);

	if (r != 0)
		return r;
	list = json_is_object(root) ? json_object_get(root, "entities") : root;
	if (!json_is_array(list))
		r = cli_fail(c, "%s: must hold a list of Cedar entities", file);
	else if (json_dumpb(list, NULL, 0, JSON_COMPACT) > DATA_MAX)
		r = cli_fail(c, "%s: is longer than %u bytes", file, DATA_MAX);
	else
		*out = json_pack("{s:O}", "entities", list);
	json_decref(root);
	return r;
}

static int data_put(const struct cli *c)
{
	json_t *in = NULL, *out = NULL;
	size_t n;
	int r = read_entities(c, c->operand[1], &in);

	if (r != 0)
		return r;
	n = json_array_size(json_object_get(in, "entities"));
	r = ask_broker(c, "data.put", in, &out);
	if (r != KG_EXIT_OK)
		return r;
	if (ask_text(out, "error")[0] != '\0')
		return tell_status(c, out, "refused; the entities before stay in force:");
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		printf("%zu entities are in force.\n", n);
	json_decref(out);
	return KG_EXIT_OK;
}

int policy_data_run(const struct cli *c)
{
	bool put = strcmp(c->operand[0], "put") == 0;

	if (!put && strcmp(c->operand[0], "get") != 0)
		return cli_usage(c, "it is get or put FILE, not \"%s\"", c->operand[0]);
	if (put != (c->noperands == 2))
		return cli_usage(c, put ? "put needs a FILE" : "get takes no FILE: it prints to standard output");
	return put ? data_put(c) : data_get(c);
}
