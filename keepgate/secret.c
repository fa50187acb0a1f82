/* keepgate secret put | list | show | rm */
#include <string.h>

#include "common/call.h"
#include "common/secret.h"
#include "keepgate/ask.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "keepgate/secret_value.h"

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option put_options[] = {
	{"server", "SERVER", CLI_REQUIRED, "the server that it is for"},
	{"kind", "KIND", CLI_REQUIRED, "bearer, basic, header, query or env"},
	{"slot", "SLOT", 0, "name of the header, parameter or variable"},
	{"replace", NULL, 0, "take the place of the value stored under this name"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_column columns[] = {
	{"NAME", "name", CLI_TEXT},       {"SERVER", "server", CLI_TEXT},   {"DESTINATION", "destination", CLI_TEXT},
	{"KIND", "kind", CLI_TEXT},       {"SLOT", "slot", CLI_TEXT},       {"STATE", "state", CLI_TEXT},
	{"VERSION", "version", CLI_TEXT}, {"CHANGED", "changed", CLI_TIME},
};

static const struct cli_column fields[] = {
	{"name", "name", CLI_TEXT},       {"server", "server", CLI_TEXT},   {"destination", "destination", CLI_TEXT},
	{"kind", "kind", CLI_TEXT},       {"slot", "slot", CLI_TEXT},       {"state", "state", CLI_TEXT},
	{"version", "version", CLI_TEXT}, {"created", "created", CLI_TIME}, {"changed", "changed", CLI_TIME},
	{"by", "by_name", CLI_TEXT},
};

static int put_send(const struct cli *c, const struct secret *value, json_t **out)
{
	const struct ipc_secret_put m = {
		.name = ipc_text(c->operand[0]),
		.server = ipc_text(cli_value(c, "server")),
		.kind = ipc_text(cli_value(c, "kind")),
		.slot = ipc_text(cli_value(c, "slot")),
		.replace = cli_given(c, "replace"),
		.value = ipc_mem(secret_bytes(value), secret_len(value)),
	};
	char run[CLI_PATH_MAX];

	if (cli_run_dir(c, run) != KG_OK)
		return KG_EXIT_USAGE;
	return cli_admin_send(run, VAULT_SOCKET, IPC_SECRET_PUT, &m, out);
}

static void put_print(const struct cli *c, const json_t *out)
{
	const char *name = json_string_value(json_object_get(out, "name"));

	if (cli_given(c, "json")) {
		cli_json(stdout, out);
		return;
	}
	printf("Stored %s, version %lld: for server %s at %s, %s %s, and nowhere else.\n", name,
	       (long long)json_integer_value(json_object_get(out, "version")),
	       json_string_value(json_object_get(out, "server")),
	       json_string_value(json_object_get(out, "destination")), json_string_value(json_object_get(out, "kind")),
	       json_string_value(json_object_get(out, "slot")));
	if (strcmp(json_string_value(json_object_get(out, "state")), "unused") == 0)
		printf("The configuration does not use it yet: write ${secret:%s} there, then restart Keepgate.\n",
		       name);
}

static int put_run(const struct cli *c)
{
	struct secret *value = NULL;
	uint8_t kind;
	json_t *out;
	int r;

	if (credential_kind_parse(cli_value(c, "kind"), &kind) != KG_OK)
		return cli_usage(c, "--kind must be bearer, basic, header, query or env, not \"%s\"",
				 cli_value(c, "kind"));
	r = secret_value_name(c, c->operand[0]);
	if (r == KG_EXIT_OK)
		r = secret_value_read(c, &value);
	if (r != KG_EXIT_OK)
		return r;
	r = put_send(c, value, &out);
	secret_free(&value);
	if (r != KG_EXIT_OK)
		return r;
	put_print(c, out);
	json_decref(out);
	return KG_EXIT_OK;
}

static const struct ask_list list = {.op = "secret.list", .member = "secrets", columns, CLI_COUNT(columns)};
static const struct ask_show show = {"secret.show", "name", fields, CLI_COUNT(fields), NULL};
static const struct ask_change rm = {"secret.rm", "name", "Credential"};

static const struct cli_command commands[] = {
	{.name = "put",
	 .summary = "store a credential of a server",
	 .details = "The value is read from standard input, or asked for without echo on a terminal; never from the\n"
		    "command line, which every user of the machine can read. It is bound to the server, to the\n"
		    "address that the configuration names now, and to its place there.\n",
	 CLI_OPERAND("NAME"),
	 CLI_OPTIONS(put_options),
	 .run = put_run},
	{.name = "list",
	 .summary = "list the stored credentials, without their values",
	 CLI_OPTIONS(options),
	 .run = ask_list_run,
	 .arg = &list},
	{.name = "show",
	 .summary = "show where a credential may go, and who stored it when; never its value",
	 CLI_OPERAND("NAME"),
	 CLI_OPTIONS(options),
	 .run = ask_show_run,
	 .arg = &show},
	{.name = "rm",
	 .summary = "remove a credential",
	 CLI_OPERAND("NAME"),
	 CLI_OPTIONS(options),
	 .run = ask_change_run,
	 .arg = &rm},
};

int secret_main(int argc, char **argv)
{
	return cli_group("store, list and remove the credentials of servers", commands, CLI_COUNT(commands), argc,
			 argv);
}
