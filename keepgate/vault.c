/* keepgate vault seal | unseal */
#include "keepgate/ask.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"

static const struct cli_option seal_options[] = {
	{"why", "TEXT", CLI_REQUIRED, "for the record"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static int vault_run(const struct cli *c)
{
	const char *why = cli_value(c, "why"), *op = c->command->arg;
	json_t *out;
	int r;

	if (why != NULL && why[0] == '\0')
		return cli_usage(c, "--why must say why");
	r = ask_vault(c, op, json_pack("{s:s*}", "why", why), &out);
	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else if (why != NULL)
		printf("The vault is sealed: it gives no credential to any call until keepgate vault unseal.\n");
	else
		printf("The vault is unsealed.\n");
	json_decref(out);
	return KG_EXIT_OK;
}

static const struct cli_command commands[] = {
	{.name = "seal",
	 .summary = "let the vault give nothing away: no call is made any more",
	 .details = "It stays so over a restart, until keepgate vault unseal.\n",
	 CLI_OPTIONS(seal_options),
	 .run = vault_run,
	 .arg = "vault.seal"},
	{.name = "unseal",
	 .summary = "let calls be made again, also when the guardian has sealed it",
	 CLI_OPTIONS(options),
	 .run = vault_run,
	 .arg = "vault.unseal"},
};

int vault_main(int argc, char **argv)
{
	return cli_group("The vault as a whole.", commands, CLI_COUNT(commands), argc, argv);
}
