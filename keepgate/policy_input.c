#include "keepgate/policy_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "keepgate/ask.h"

/* Whether a line begins with the name of a file in the folder, and a colon. */
static bool names_file(const char *path, const char *line)
{
	size_t n = strcspn(line, ":/");
	char file[CLI_PATH_MAX];

	return n > 0 && line[n] == ':' && path != NULL &&
	       snprintf(file, sizeof(file), "%s/%.*s", path, (int)n, line) < CLI_PATH_MAX && access(file, F_OK) == 0;
}

/* A fault of the folder itself begins with ".:". */
static void tell_line(FILE *out, const char *path, const char *line)
{
	bool folder = path != NULL && strncmp(line, ".:", 2) == 0;

	if (folder)
		fputs(path, out);
	else if (names_file(path, line))
		fprintf(out, "%s/", path);
	cli_lines(out, folder ? line + 1 : line);
}

void policy_input_tell(FILE *out, const char *path, const char *lines)
{
	while (*lines != '\0') {
		size_t n = strcspn(lines, "\n");
		char *line = strndup(lines, n);

		tell_line(out, path, line == NULL ? "out of memory" : line);
		free(line);
		lines += n + (lines[n] == '\n');
	}
}

void policy_input_print_file(FILE *out, const struct policy_input *x, const char *name)
{
	if (x->path != NULL && x->path[0] != '\0')
		fprintf(out, "%s/", x->path);
	cli_puts_safe(out, name);
}

void policy_input_hash(const struct policy_input *x, char hex[2 * HASH_LEN + 1])
{
	sodium_bin2hex(hex, 2 * HASH_LEN + 1, policy_set_hash(x->set), HASH_LEN);
}

int policy_input_json(const struct cli *c, const char *file, json_t **out)
{
	json_error_t error;

	*out = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
	if (*out != NULL)
		return 0;
	if (error.line <= 0)
		return cli_fail(c, "%s: cannot be read: %s", file, strerror(errno));
	return cli_fail(c, "%s:%d:%d: %s", file, error.line, error.column, error.text);
}

int policy_input_catalogue(const struct cli *c, json_t **out)
{
	*out = NULL;
	if (cli_given(c, "tools"))
		return policy_input_json(c, cli_value(c, "tools"), out);
	if (cli_given(c, "state") || cli_given(c, "run"))
		return ask_broker(c, "policy.catalogue", NULL, out);
	return 0;
}

/* The tools of the folder's own cases, when it has any. */
static int read_cases(const struct cli *c, const char *path, json_t **out)
{
	char file[CLI_PATH_MAX];

	if (path == NULL || snprintf(file, sizeof(file), "%s/" POLICY_CASES_FILE, path) >= CLI_PATH_MAX ||
	    access(file, F_OK) != 0)
		return 0;
	return policy_input_json(c, file, out);
}

static int load_catalogue(const struct cli *c, enum policy_default_tools tools, struct policy_input *x)
{
	char error[CATALOGUE_ERROR_MAX];
	const char *environment = "prod";
	json_t *root = NULL;
	int r = policy_input_catalogue(c, &root);

	if (r == 0 && root == NULL && tools == POLICY_TOOLS_BROKER)
		r = ask_broker(c, "policy.catalogue", NULL, &root);
	if (r == 0 && root == NULL) {
		environment = "dev";
		r = read_cases(c, x->path, &root);
	}
	if (r != 0 || root == NULL)
		return r;
	if (policy_catalogue_take(&x->tools, root, environment, error) == 0)
		return 0;
	return cli_fail(c, "%s: %s", cli_given(c, "tools") ? cli_value(c, "tools") : "the catalogue of tools", error);
}

static int read_folder(struct policy_input *x, struct buf *errors)
{
	if (x->path == NULL || policy_dir_open(x->path, &x->dir, errors) == 0)
		return 0;
	policy_input_tell(stderr, x->path, buf_len(errors) == 0 ? strerror(errno) : buf_text(errors));
	return KG_EXIT_FAILURE;
}

static int build(const struct cli *c, struct policy_input *x, struct buf *errors)
{
	const struct policy_source source = {
		.files = x->dir.files,
		.nfiles = x->dir.nfiles,
		.data = x->tools.data,
		.data_len = x->tools.data == NULL ? 0 : strlen(x->tools.data),
		.servers = x->tools.servers,
		.nservers = x->tools.nservers,
		.tools = x->tools.tools,
		.ntools = x->tools.ntools,
	};
	int r;

	buf_reset(errors);
	r = policy_set_build(&source, &x->set, errors);
	if (r == 0)
		return 0;
	if (buf_len(errors) == 0)
		return cli_fail(c, "the set of policies cannot be built: %s", kg_strerror(r));
	policy_input_tell(stderr, x->path, buf_text(errors));
	return KG_EXIT_FAILURE;
}

static int load(const struct cli *c, enum policy_default_tools tools, struct policy_input *x)
{
	struct buf errors;
	int r;

	if (sodium_init() < 0)
		return cli_fail(c, "libsodium cannot be used");
	buf_init(&errors, POLICY_ERRORS_MAX);
	r = load_catalogue(c, tools, x);
	if (r == 0)
		r = read_folder(x, &errors);
	if (r == 0)
		r = build(c, x, &errors);
	buf_free(&errors);
	return r;
}

int policy_input_load(const struct cli *c, const char *path, enum policy_default_tools tools, struct policy_input *out)
{
	*out = (struct policy_input){.path = path};
	return load(c, tools, out);
}

int policy_input_configured(const struct cli *c, struct policy_input *out)
{
	json_t *status;
	const char *source;
	int r;

	*out = (struct policy_input){0};
	r = ask_broker(c, "policy.status", NULL, &status);
	if (r != 0)
		return r;
	source = ask_text(status, "source");
	if (strcmp(source, "built-in") != 0 && source[0] != '\0')
		out->path = out->configured = strdup(source);
	json_decref(status);
	return load(c, POLICY_TOOLS_BROKER, out);
}

void policy_input_free(struct policy_input *x)
{
	policy_set_free(x->set);
	policy_dir_free(&x->dir);
	policy_catalogue_free(&x->tools);
	free(x->configured);
	*x = (struct policy_input){0};
}
