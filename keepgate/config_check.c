/* keepgate config check | schema */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"

extern const char config_schema_json[];

static bool is_program(const char *dir, size_t len, const char *name)
{
	char path[CLI_PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%.*s%s%s", (int)len, dir, len == 0 ? "" : "/", name);

	return n > 0 && (size_t)n < sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, X_OK) == 0;
}

/* The PATH that the server would get, when we start it. */
static const char *path_of(const struct config_server *s)
{
	for (size_t i = 0; i < s->nenv; i++) {
		if (strcmp(s->env[i].name, "PATH") == 0)
			return s->env[i].value;
	}
	return getenv("PATH");
}

static bool command_is_found(const struct config_server *s)
{
	const char *path = path_of(s), *command = s->command;

	if (strchr(command, '/') != NULL)
		return is_program("", 0, command);
	while (path != NULL && *path != '\0') {
		size_t len = strcspn(path, ":");

		if (len > 0 && is_program(path, len, command))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* What the file alone cannot tell: it may be meant for another machine. */
static unsigned warn_about(const struct config_server *s)
{
	unsigned warnings = 0;

	if (s->command != NULL && !command_is_found(s)) {
		fprintf(stderr, "warning: mcpServers.%s.command: %s is not a program here\n", s->name, s->command);
		warnings++;
	}
	if (s->cwd != NULL && access(s->cwd, X_OK) != 0) {
		fprintf(stderr, "warning: mcpServers.%s.cwd: %s is not a directory that can be entered\n", s->name,
			s->cwd);
		warnings++;
	}
	if (s->tls_ca != NULL && access(s->tls_ca, R_OK) != 0) {
		fprintf(stderr, "warning: mcpServers.%s.tls.ca: %s cannot be read\n", s->name, s->tls_ca);
		warnings++;
	}
	return warnings;
}

static void print_server(const struct config_server *s)
{
	printf("  %-20s %s", s->name, s->is_http ? s->destination : s->command);
	for (size_t i = 0; i < s->ncredentials; i++)
		printf("%s%s", i == 0 ? "; needs the secret " : ", ", s->credentials[i].secret);
	printf("\n");
}

static int check_run(const struct cli *c)
{
	char error[CONFIG_ERROR_MAX];
	struct config *config = NULL;
	unsigned warnings = 0;
	int r = config_load(c->operand[0], &config, error);

	if (r != 0) {
		fprintf(stderr, "%s\n", error[0] == '\0' ? kg_strerror(r) : error);
		return KG_EXIT_CONFIG;
	}
	for (size_t i = 0; i < config->nservers; i++)
		warnings += warn_about(&config->servers[i]);
	printf("%s is a good configuration%s: %zu server(s) behind http://%s%s%s:%u/mcp\n", config->file,
	       warnings == 0 ? "" : ", with warnings", config->nservers, strchr(config->listen_address, ':') ? "[" : "",
	       config->listen_address, strchr(config->listen_address, ':') ? "]" : "", (unsigned)config->listen_port);
	for (size_t i = 0; i < config->nservers; i++)
		print_server(&config->servers[i]);
	config_free(config);
	return KG_EXIT_OK;
}

static int schema_run(const struct cli *c)
{
	(void)c;
	fputs(config_schema_json, stdout);
	return KG_EXIT_OK;
}

static const struct cli_command commands[] = {
	{.name = "check",
	 .summary = "tell every mistake in a configuration file",
	 .details = "Each mistake is told with the file, the path in it and what would be right. Literal secrets are\n"
		    "mistakes; the command that stores them is told. The exit status is 0 or 78.\n",
	 .operands = "FILE",
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = check_run},
	{.name = "schema", .summary = "print the JSON Schema of configuration files, for editors", .run = schema_run},
};

int config_main(int argc, char **argv)
{
	return cli_group("Configuration files, keepgate.json(5).", commands, sizeof(commands) / sizeof(*commands), argc,
			 argv);
}
