/* keepgate tools list | diff | accept | hold | release | export */
#include <string.h>

#include "common/tool_diff.h"
#include "keepgate/ask.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"

#define DIFF_MAX 131072
#define HASH_DIGITS 64
#define HASH_SHOWN 12

static const struct cli_option list_options[] = {
	{"server", "SERVER", 0, "those of this server only"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option accept_options[] = {
	{"sha256", "HEX", 0, "accept the definition of this hash, and no other"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option export_options[] = {CLI_STATE, CLI_RUN};

static const struct cli_column columns[] = {
	{"SERVER", "server", CLI_TEXT},
	{"TOOL", "name", CLI_TEXT},
	{"STATE", "state", CLI_TEXT},
	{"TIER", "tier", CLI_TEXT},
	{"ACCEPTED", "accepted_short", CLI_TEXT},
	{"LISTED", "listed_short", CLI_TEXT},
	{"SINCE", "accepted_at", CLI_TIME},
	{"BY", "by_name", CLI_TEXT},
};

/* The first digits of a hash, as Git shows them. */
static void shorten(json_t *row, const char *from, const char *to)
{
	const char *hash = ask_text(row, from);

	if (strlen(hash) >= HASH_SHOWN)
		json_object_set_new(row, to, json_stringn(hash, HASH_SHOWN));
}

static void list_row(json_t *row)
{
	shorten(row, "accepted", "accepted_short");
	shorten(row, "listed", "listed_short");
	if (json_is_object(json_object_get(row, "by")))
		ask_by_name(row);
	else
		json_object_set(row, "by_name", json_object_get(row, "by"));
}

static int ask_tool(const struct cli *c, const char *op, const char *sha256, json_t **out)
{
	return ask_vault(
		c, op, json_pack("{s:s, s:s, s:s*}", "server", c->operand[0], "tool", c->operand[1], "sha256", sha256),
		out);
}

static void print_hash(const char *title, const json_t *side)
{
	const char *hash = ask_text(side, "sha256");

	printf("%s  ", title);
	cli_puts_safe(stdout, hash[0] == '\0' ? "none" : hash);
	printf("\n");
}

/* What an operator reads before the new definition holds: the difference, or the whole of what was never accepted. */
static void print_difference(const json_t *shown)
{
	const json_t *accepted = json_object_get(shown, "accepted"), *listed = json_object_get(shown, "listed");
	const char *before = ask_text(accepted, "definition"), *after = ask_text(listed, "definition");
	struct buf lines;

	print_hash("accepted", accepted);
	print_hash("listed  ", listed);
	if (before[0] == '\0' || after[0] == '\0') {
		printf("\n%s\n", after[0] == '\0' ? "The server does not list it any more. It was accepted as:"
						  : "It was never accepted before. The server lists it as:");
		cli_pretty(stdout, after[0] == '\0' ? before : after);
		return;
	}
	buf_init(&lines, DIFF_MAX);
	printf("\n");
	if (tool_diff(&lines, before, strlen(before), after, strlen(after)) != 0)
		printf("The difference cannot be shown: one of the definitions is no JSON, or they are too long.\n");
	else if (buf_len(&lines) == 0)
		printf("The two definitions are the same.\n");
	else if (buf_text(&lines) != NULL)
		cli_lines(stdout, buf_text(&lines));
	buf_free(&lines);
}

static int diff_run(const struct cli *c)
{
	json_t *shown;
	int r = ask_tool(c, "tools.show", NULL, &shown);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, shown);
	} else {
		printf("%s/%s is %s\n", c->operand[0], c->operand[1], ask_text(shown, "state"));
		print_difference(shown);
		if (strcmp(ask_text(shown, "state"), "changed") == 0 ||
		    strcmp(ask_text(shown, "state"), "pending") == 0)
			printf("\nTo let agents use it as it is now: keepgate tools accept %s %s --sha256 %s\n",
			       c->operand[0], c->operand[1], ask_text(json_object_get(shown, "listed"), "sha256"));
	}
	json_decref(shown);
	return KG_EXIT_OK;
}

/* Why what is listed cannot be accepted now; 0 when it can. */
static int check_acceptable(const struct cli *c, const json_t *shown)
{
	const char *listed = ask_text(json_object_get(shown, "listed"), "sha256");
	const char *accepted = ask_text(json_object_get(shown, "accepted"), "sha256");
	const char *wanted = cli_value(c, "sha256");

	if (listed[0] == '\0')
		return cli_fail(c, "%s/%s is not listed by its server now: there is nothing to accept", c->operand[0],
				c->operand[1]);
	if (wanted != NULL && strcmp(wanted, listed) != 0)
		return cli_fail(c, "%s/%s is listed as %s by now, not as %s: look at it again with keepgate tools diff",
				c->operand[0], c->operand[1], listed, wanted);
	if (strcmp(accepted, listed) == 0 && strcmp(ask_text(shown, "state"), "accepted") == 0)
		return cli_fail(c, "%s/%s is accepted as %s already", c->operand[0], c->operand[1], listed);
	return 0;
}

/* Exactly the definition that was shown is accepted: vaultd refuses when the server lists another by then. */
static int accept_run(const struct cli *c)
{
	const char *wanted = cli_value(c, "sha256");
	json_t *shown, *out;
	int r;

	if (wanted != NULL && (strlen(wanted) != HASH_DIGITS || strspn(wanted, "0123456789abcdef") != HASH_DIGITS))
		return cli_usage(c, "--sha256 is 64 digits in lower case, as keepgate tools diff prints them");
	r = ask_tool(c, "tools.show", NULL, &shown);
	if (r != KG_EXIT_OK)
		return r;
	if (!cli_given(c, "json"))
		print_difference(shown);
	fflush(stdout);
	r = check_acceptable(c, shown);
	if (r == 0)
		r = ask_tool(c, "tools.accept", ask_text(json_object_get(shown, "listed"), "sha256"), &out);
	if (r == 0) {
		if (cli_given(c, "json"))
			cli_json(stdout, out);
		else
			printf("\n%s/%s is accepted as it is listed now.\n", c->operand[0], c->operand[1]);
		json_decref(out);
	}
	json_decref(shown);
	return r;
}

static int state_run(const struct cli *c)
{
	json_t *out;
	int r = ask_tool(c, c->command->arg, NULL, &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		printf("%s/%s is %s.\n", c->operand[0], c->operand[1], ask_text(out, "state"));
	json_decref(out);
	return KG_EXIT_OK;
}

static int export_run(const struct cli *c)
{
	json_t *out;
	int r = ask_broker(c, "policy.catalogue", NULL, &out);

	if (r != KG_EXIT_OK)
		return r;
	cli_json(stdout, out);
	json_decref(out);
	return KG_EXIT_OK;
}

static const struct ask_list list = {"tools.list", "tools", columns, CLI_COUNT(columns), "server", list_row};

#define TOOL_OPERANDS .operands = "SERVER TOOL", .operands_min = 2, .operands_max = 2

static const struct cli_command commands[] = {
	{.name = "list",
	 .summary = "list the tools of the servers, and what is accepted of each",
	 .details = "STATE is accepted; pending (never accepted, and its server is under review); changed (its server\n"
		    "lists another definition than the accepted one: it is hidden and refused); held (an operator has\n"
		    "stopped it); or gone (accepted, not listed any more).\n",
	 CLI_OPTIONS(list_options),
	 .run = ask_list_run,
	 .arg = &list},
	{.name = "diff",
	 .summary = "show what changed in a tool's definition since it was accepted",
	 TOOL_OPERANDS,
	 CLI_OPTIONS(options),
	 .run = diff_run},
	{.name = "accept",
	 .summary = "show what changed in a tool's definition, and let agents use it as it is now",
	 .details = "Exactly the definition that is shown is accepted. Consents that were given for the former one\n"
		    "leave the tool out until they are confirmed: keepgate consent confirm.\n",
	 TOOL_OPERANDS,
	 CLI_OPTIONS(accept_options),
	 .run = accept_run},
	{.name = "hold",
	 .summary = "hide and refuse a tool until it is released",
	 TOOL_OPERANDS,
	 CLI_OPTIONS(options),
	 .run = state_run,
	 .arg = "tools.hold"},
	{.name = "release",
	 .summary = "let a tool that was held be used again",
	 TOOL_OPERANDS,
	 CLI_OPTIONS(options),
	 .run = state_run,
	 .arg = "tools.release"},
	{.name = "export",
	 .summary = "print all accepted tools, servers and live data as JSON, for keepgate policy check --tools",
	 CLI_OPTIONS(export_options),
	 .run = export_run},
};

int tools_main(int argc, char **argv)
{
	return cli_group("The servers' tools: each is known by the hash of its whole definition.", commands,
			 CLI_COUNT(commands), argc, argv);
}
