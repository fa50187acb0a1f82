/* keepgate consent grant | list | show | confirm | revoke */
#include <string.h>

#include "common/call.h"
#include "keepgate/ask.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "keepgate/revoked.h"

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option grant_options[] = {
	{"human", "WHO", CLI_REQUIRED, "the person who consents, such as alice@example.com"},
	{"agent", "NAME", CLI_REQUIRED, "the agent that may act, such as claude-code"},
	{"tools", "PATTERNS", CLI_REQUIRED, "SERVER/TOOL with * for any characters, separated by commas"},
	{"tier", "TIER", CLI_REQUIRED,
	 "the highest tier: read or write (destructive tools need write, and an approval)"},
	{"for", "TIME", CLI_REQUIRED, "how long: 90s, 15m, 8h, 30d"},
	{"why", "TEXT", CLI_REQUIRED, "the reason, such as the number of a ticket"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_column columns[] = {
	{"CONSENT", "short", CLI_TEXT}, {"STATE", "state", CLI_TEXT}, {"HUMAN", "human", CLI_TEXT},
	{"AGENT", "agent", CLI_TEXT},   {"TOOLS", "tools", CLI_TEXT}, {"TIER", "tier", CLI_TEXT},
	{"UNTIL", "expires", CLI_TIME}, {"WHY", "why", CLI_TEXT},     {"SUSPENDED", "suspended", CLI_TEXT},
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

static const struct cli_column pin_columns[] = {
	{"TOOL", "tool", CLI_TEXT},
	{"SUSPENDED", "suspended", CLI_TEXT},
	{"NAMED AS", "sha256", CLI_TEXT},
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
		return cli_usage(c,
				 "--tier must be read or write (each call of a destructive tool needs an approval of "
				 "its own), not \"%s\"",
				 cli_value(c, "tier"));
	if (cli_duration(cli_value(c, "for"), &seconds) != KG_OK)
		return cli_usage(c, "--for must be a number with s, m, h or d, such as 8h, not \"%s\"",
				 cli_value(c, "for"));
	r = ask_vault(c, "consent.grant",
		      json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "human", cli_value(c, "human"), "agent",
				cli_value(c, "agent"), "tools", cli_value(c, "tools"), "tier", cli_value(c, "tier"),
				"why", cli_value(c, "why"), "for_s", (json_int_t)seconds),
		      &out);
	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, out);
	} else {
		cli_fields(stdout, out, granted, CLI_COUNT(granted));
		printf("\nThe session's token, which is shown this once (only its hash is stored):\n%s\n",
		       json_string_value(json_object_get(out, "token")));
	}
	json_decref(out);
	return KG_EXIT_OK;
}

static void list_row(json_t *row)
{
	if (json_integer_value(json_object_get(row, "suspended")) == 0)
		json_object_del(row, "suspended");
	revoked_state(row);
}

static void show_more(json_t *out)
{
	json_t *pins = json_object_get(out, "pins"), *sessions = json_object_get(out, "sessions");
	json_int_t suspended = json_integer_value(json_object_get(out, "suspended"));
	json_int_t left_out = json_integer_value(json_object_get(out, "pins_left_out"));
	json_t *row;
	size_t i;

	revoked_print(out);
	printf("\n");
	cli_table(stdout, pins, pin_columns, CLI_COUNT(pin_columns));
	if (left_out > 0)
		printf("... and %" JSON_INTEGER_FORMAT " more\n", left_out);
	if (suspended > 0)
		printf("%" JSON_INTEGER_FORMAT
		       " of them changed since, and are suspended until: keepgate consent confirm %.8s\n",
		       suspended, ask_text(out, "id"));
	printf("\n");
	ask_short_ids(sessions);
	json_array_foreach(sessions, i, row) revoked_state(row);
	cli_table(stdout, sessions, session_columns, CLI_COUNT(session_columns));
}

static int confirm_run(const struct cli *c)
{
	json_t *out;
	int r = ask_vault(c, "consent.confirm", json_pack("{s:s}", "id", c->operand[0]), &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		printf("Consent %s names its tools as they are now: %" JSON_INTEGER_FORMAT
		       " that had changed can be called again.\n",
		       ask_text(out, "id"), json_integer_value(json_object_get(out, "confirmed")));
	json_decref(out);
	return KG_EXIT_OK;
}

static const struct ask_list list = {"consent.list", "consents", columns, CLI_COUNT(columns), NULL, list_row};
static const struct ask_show show = {"consent.show", "id", fields, CLI_COUNT(fields), show_more};
static const struct ask_change revoke_it = {"consent.revoke", "id", "Consent"};

static const struct cli_command commands[] = {
	{.name = "grant",
	 .summary = "make a consent and an agent session under it, and print the session's token",
	 .details = "The token is shown this once; only its hash is stored. For example:\n"
		    "  keepgate consent grant --human alice@example.com --agent claude-code \\\n"
		    "    --tools 'notes/*' --tier write --for 8h --why OPS-4211\n",
	 CLI_OPTIONS(grant_options),
	 .run = grant_run},
	{.name = "list",
	 .summary = "list the consents, newest first",
	 CLI_OPTIONS(options),
	 .run = ask_list_run,
	 .arg = &list},
	{.name = "show",
	 .summary = "show one consent with the tools it names and its sessions",
	 .details = "ID is the consent's id, or its first digits.\n",
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = ask_show_run,
	 .arg = &show},
	{.name = "confirm",
	 .summary = "let a consent hold for its tools as they are defined now",
	 .details =
		 "A consent names each tool by the hash of its definition. A tool that was changed and accepted since\n"
		 "is suspended in it until it is confirmed. keepgate consent show ID tells which those are.\n"
		 "ID is the consent's id, or its first digits.\n",
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = confirm_run},
	{.name = "revoke",
	 .summary = "end a consent and its sessions for good",
	 .details =
		 "This holds for the very next call; open streams are closed. One that the guardian has revoked can\n"
		 "be lifted (keepgate consent show tells how) until it is revoked here.\n"
		 "ID is the consent's id, or its first digits.\n",
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = ask_change_run,
	 .arg = &revoke_it},
};

int consent_main(int argc, char **argv)
{
	return cli_group("grant, list, show, confirm and revoke what a human lets an agent do", commands,
			 CLI_COUNT(commands), argc, argv);
}
