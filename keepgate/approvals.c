/* keepgate approvals list | show | approve | deny */
#include <string.h>

#include "keepgate/ask.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"

static const struct cli_option list_options[] = {
	{"all", NULL, 0, "also those that were used, denied or have expired"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option approve_options[] = {
	{"note", "TEXT", 0, "why, for the record"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option deny_options[] = {
	{"note", "TEXT", CLI_REQUIRED, "why, for the record and for the agent"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_column columns[] = {
	{"APPROVAL", "short", CLI_TEXT},    {"STATE", "state", CLI_TEXT},   {"HUMAN", "human", CLI_TEXT},
	{"AGENT", "agent", CLI_TEXT},       {"TOOL", "what", CLI_TEXT},     {"TIER", "tier", CLI_TEXT},
	{"ASKED", "asked", CLI_TIME},       {"UNTIL", "expires", CLI_TIME}, {"OTHER PERSON", "four_eyes", CLI_TEXT},
	{"APPROVER", "approver", CLI_TEXT}, {"NOTE", "note", CLI_TEXT},
};

static const struct cli_column fields[] = {
	{"approval", "id", CLI_TEXT},        {"state", "state", CLI_TEXT},
	{"human", "human", CLI_TEXT},        {"agent", "agent", CLI_TEXT},
	{"session", "session", CLI_TEXT},    {"tool", "what", CLI_TEXT},
	{"tier", "tier", CLI_TEXT},          {"asked", "asked", CLI_TIME},
	{"until", "expires", CLI_TIME},      {"other person", "four_eyes", CLI_TEXT},
	{"policies", "policies", CLI_TEXT},  {"reason", "reason", CLI_TEXT},
	{"called from", "source", CLI_TEXT}, {"approver", "approver", CLI_TEXT},
	{"note", "note", CLI_TEXT},          {"arguments' hash", "args_sha256", CLI_TEXT},
};

static void add_what(json_t *row)
{
	json_object_set_new(row, "what", json_sprintf("%s/%s", ask_text(row, "server"), ask_text(row, "tool")));
}

static void print_arguments(json_t *out)
{
	printf("\narguments:\n");
	cli_pretty(stdout, ask_text(out, "arguments"));
}

static void print_approval(json_t *out)
{
	add_what(out);
	cli_fields(stdout, out, fields, CLI_COUNT(fields));
	print_arguments(out);
}

static int show_run(const struct cli *c)
{
	json_t *out;
	int r = ask_vault(c, "approvals.show", json_pack("{s:s}", "id", c->operand[0]), &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		print_approval(out);
	json_decref(out);
	return KG_EXIT_OK;
}

/* Shows the call first, so that what is decided is on the screen; by its whole id, so that it is this one. */
static int decide_run(const struct cli *c)
{
	const char *op = c->command->arg;
	json_t *shown, *out = NULL;
	int r = ask_vault(c, "approvals.show", json_pack("{s:s}", "id", c->operand[0]), &shown);

	if (r != KG_EXIT_OK)
		return r;
	if (!cli_given(c, "json"))
		print_approval(shown);
	fflush(stdout);
	r = ask_vault(c, op, json_pack("{s:s, s:s*}", "id", ask_text(shown, "id"), "note", cli_value(c, "note")), &out);
	if (r == KG_EXIT_OK && cli_given(c, "json"))
		cli_json(stdout, out);
	else if (r == KG_EXIT_OK && strcmp(op, "approvals.approve") == 0)
		printf("\nApproved: this call, with exactly these arguments, once.\n");
	else if (r == KG_EXIT_OK)
		printf("\nDenied: this call is refused when the agent asks again.\n");
	json_decref(out);
	json_decref(shown);
	return r;
}

static const struct ask_list list = {"approvals.list", "approvals", columns, CLI_COUNT(columns), "all", add_what};

#define ID_HELP "ID is the approval's id, or its first digits.\n"

static const struct cli_command commands[] = {
	{.name = "list",
	 .summary = "list the calls that wait for a person",
	 .details =
		 "OTHER PERSON is yes when the policy asks for somebody else than the human that the agent acts for.\n",
	 CLI_OPTIONS(list_options),
	 .run = ask_list_run,
	 .arg = &list},
	{.name = "show",
	 .summary = "show one with its arguments",
	 .details = ID_HELP,
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = show_run},
	{.name = "approve",
	 .summary = "let this call be made, once, with exactly these arguments",
	 .details = "The agent then repeats its call. An approval that is not used in time expires.\n" ID_HELP,
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(approve_options),
	 .run = decide_run,
	 .arg = "approvals.approve"},
	{.name = "deny",
	 .summary = "refuse this call",
	 .details = ID_HELP,
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(deny_options),
	 .run = decide_run,
	 .arg = "approvals.deny"},
};

int approvals_main(int argc, char **argv)
{
	return cli_group("Calls that wait for a person: a policy or their tier asks for an approval.", commands,
			 CLI_COUNT(commands), argc, argv);
}
