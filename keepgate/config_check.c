/* keepgate config check | schema */
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "keepgate/config_guardian.h"
#include "keepgate/config_warn.h"

extern const char config_schema_json[];

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
	unsigned warnings;
	int r = config_load(c->operand[0], &config, error);

	if (r != 0) {
		fprintf(stderr, "%s\n", error[0] == '\0' ? kg_strerror(r) : error);
		return KG_EXIT_CONFIG;
	}
	warnings = config_warn(config);
	config_guardian_advise(&config->guardian);
	printf("%s is a good configuration%s: %zu server(s) behind http://%s%s%s:%u/mcp\n", config->file,
	       warnings == 0 ? "" : ", with warnings", config->nservers, strchr(config->listen_address, ':') ? "[" : "",
	       config->listen_address, strchr(config->listen_address, ':') ? "]" : "", (unsigned)config->listen_port);
	for (size_t i = 0; i < config->nservers; i++)
		print_server(&config->servers[i]);
	printf("  policies: %s%s\n", config->policy.dir == NULL ? "the set that is built in" : config->policy.dir,
	       config->policy.nkeys == 0 ? "" : ", signed");
	config_guardian_print(&config->guardian);
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
	 .details =
		 "Each mistake is told with the file, the path in it and what would be right. Literal secrets are\n"
		 "mistakes; the command that stores them is told. What is right but will not work here is a warning:\n"
		 "a program or a folder that is not there, a set of policies that is not signed. What leaves a\n"
		 "gap, such as pages that only one channel carries, is advice. The exit status is 0 or 78.\n",
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
