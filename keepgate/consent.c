/* keepgate consent grant | list | show | revoke */
#include <string.h>

#include "common/call.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "keepgate/vault_call.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option grant_options[] = {
	{"human", "WHO", CLI_REQUIRED, "the person who consents, such as alice@example.com"},
	{"agent", "NAME", CLI_REQUIRED, "the agent that may act, such as claude-code"},
	{"tools", "PATTERNS", CLI_REQUIRED, "SERVER/TOOL with * for any characters, separated by commas"},
	{"tier", "TIER", CLI_REQUIRED, "the highest tier: read or write"},
	{"for", "TIME", CLI_REQUIRED, "how long: 90s, 15m, 8h, 30d"},
	{"why", "TEXT", CLI_REQUIRED, "the reason, such as the number of a ticket"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_column columns[] = {
	{"CONSENT", "short", CLI_TEXT}, {"STATE", "state", CLI_TEXT}, {"HUMAN", "human", CLI_TEXT},
	{"AGENT", "agent", CLI_TEXT},   {"TOOLS", "tools", CLI_TEXT}, {"TIER", "tier", CLI_TEXT},
	{"UNTIL", "expires", CLI_TIME}, {"WHY", "why", CLI_TEXT},
};

static const struct cli_column fields[] = {
	{"consent", "id", CLI_TEXT},      {"state", "state", CLI_TEXT},   {"human", "human", CLI_TEXT},
	{"agent", "agent", CLI_TEXT},     {"tools", "tools", CLI_TEXT},   {"tier", "tier", CLI_TEXT},
	{"granted", "created", CLI_TIME}, {"until", "expires", CLI_TIME}, {"why", "why", CLI_TEXT},
	{"by", "by_name", CLI_TEXT},
};

static const struct cli_column session_columns[] = {
	{"SESSION", "short", CLI_TEXT},
	{"STATE", "state", CLI_TEXT},
	{"CREATED", "created", CLI_TIME},
	{"CHANGED", "changed", CLI_TIME},
};

static const struct cli_column granted[] = {
	{"consent", "consent", CLI_TEXT}, {"session", "session", CLI_TEXT}, {"human", "human", CLI_TEXT},
	{"agent", "agent", CLI_TEXT},     {"tools", "tools", CLI_TEXT},     {"tier", "tier", CLI_TEXT},
	{"until", "expires", CLI_TIME},   {"why", "why", CLI_TEXT},
};

static int grant_run(const struct cli *c)
{
	uint64_t seconds;
	uint8_t tier;
	json_t *out;
	int r;

	if (tier_parse(cli_value(c, "tier"), &tier) != KG_OK || tier == TIER_DESTRUCTIVE)
		return cli_usage(c, "--tier must be read or write (destructive tools are refused), not \"%s\"",
				 cli_value(c, "tier"));
	if (cli_duration(cli_value(c, "for"), &seconds) != KG_OK)
		return cli_usage(c, "--for must be a number with s, m, h or d, such as 8h, not \"%s\"",
				 cli_value(c, "for"));
	r = vault_call(c, "consent.grant",
		       json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "human", cli_value(c, "human"), "agent",
				 cli_value(c, "agent"), "tools", cli_value(c, "tools"), "tier", cli_value(c, "tier"),
				 "why", cli_value(c, "why"), "for_s", (json_int_t)seconds),
		       &out);
	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, out);
	} else {
		cli_fields(stdout, out, granted, COUNT(granted));
		printf("\nThe session's token, which is shown this once (only its hash is stored):\n%s\n",
		       json_string_value(json_object_get(out, "token")));
	}
	json_decref(out);
	return KG_EXIT_OK;
}

static int list_run(const struct cli *c)
{
	return vault_list(c, "consent.list", "consents", columns, COUNT(columns));
}

static int show_run(const struct cli *c)
{
	json_t *out, *by;
	int r = vault_call(c, "consent.show", json_pack("{s:s}", "id", c->operand[0]), &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, out);
	} else {
		by = json_object_get(out, "by");
		json_object_set(
			out, "by_name",
			json_object_get(by, json_string_length(json_object_get(by, "name")) == 0 ? "uid" : "name"));
		cli_fields(stdout, out, fields, COUNT(fields));
		printf("\n");
		vault_short_ids(json_object_get(out, "sessions"));
		cli_table(stdout, json_object_get(out, "sessions"), session_columns, COUNT(session_columns));
	}
	json_decref(out);
	return KG_EXIT_OK;
}

static int revoke_run(const struct cli *c)
{
	return vault_change(c, "consent.revoke", "id", "Consent");
}

static const struct cli_command commands[] = {
	{.name = "grant",
	 .summary = "make a consent and an agent session under it, and print the session's token",
	 .details = "The token is shown this once; only its hash is stored. For example:\n"
		    "  keepgate consent grant --human alice@example.com --agent claude-code \\\n"
		    "    --tools 'notes/*' --tier write --for 8h --why OPS-4211\n",
	 .options = grant_options,
	 .noptions = COUNT(grant_options),
	 .run = grant_run},
	{.name = "list",
	 .summary = "list the consents, newest first",
	 .options = options,
	 .noptions = COUNT(options),
	 .run = list_run},
	{.name = "show",
	 .summary = "show one consent with its sessions",
	 .details = "ID is the consent's id, or its first digits.\n",
	 .operands = "ID",
	 .operands_min = 1,
	 .operands_max = 1,
	 .options = options,
	 .noptions = COUNT(options),
	 .run = show_run},
	{.name = "revoke",
	 .summary = "end a consent and its sessions for good",
	 .details = "This holds for the very next call; open streams are closed.\nID is the consent's id, or its first "
		    "digits.\n",
	 .operands = "ID",
	 .operands_min = 1,
	 .operands_max = 1,
	 .options = options,
	 .noptions = COUNT(options),
	 .run = revoke_run},
};

int consent_main(int argc, char **argv)
{
	return cli_group("grant, list, show and revoke what a human lets an agent do", commands, COUNT(commands), argc,
			 argv);
}
