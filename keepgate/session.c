/* keepgate session list | pause | resume | revoke */
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "keepgate/vault_call.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_column columns[] = {
	{"SESSION", "short", CLI_TEXT}, {"STATE", "state", CLI_TEXT}, {"HUMAN", "human", CLI_TEXT},
	{"AGENT", "agent", CLI_TEXT},   {"TOOLS", "tools", CLI_TEXT}, {"TIER", "tier", CLI_TEXT},
	{"UNTIL", "expires", CLI_TIME}, {"WHY", "why", CLI_TEXT},
};

static int list_run(const struct cli *c)
{
	return vault_list(c, "session.list", "sessions", columns, COUNT(columns));
}

static int pause_run(const struct cli *c)
{
	return vault_change(c, "session.pause", "id", "Session");
}

static int resume_run(const struct cli *c)
{
	return vault_change(c, "session.resume", "id", "Session");
}

static int revoke_run(const struct cli *c)
{
	return vault_change(c, "session.revoke", "id", "Session");
}

static const struct cli_command commands[] = {
	{.name = "list",
	 .summary = "list the sessions, newest first",
	 .options = options,
	 .noptions = COUNT(options),
	 .run = list_run},
	{.name = "pause",
	 .summary = "refuse the session's calls until it is resumed",
	 .details = "This holds for the very next call; open streams are closed.\nID is the session's id, or its first "
		    "digits.\n",
	 .operands = "ID",
	 .operands_min = 1,
	 .operands_max = 1,
	 .options = options,
	 .noptions = COUNT(options),
	 .run = pause_run},
	{.name = "resume",
	 .summary = "let a paused session go on",
	 .details = "ID is the session's id, or its first digits.\n",
	 .operands = "ID",
	 .operands_min = 1,
	 .operands_max = 1,
	 .options = options,
	 .noptions = COUNT(options),
	 .run = resume_run},
	{.name = "revoke",
	 .summary = "end the session for good",
	 .details = "This holds for the very next call; open streams are closed. Its token is worth nothing any more.\n"
		    "ID is the session's id, or its first digits.\n",
	 .operands = "ID",
	 .operands_min = 1,
	 .operands_max = 1,
	 .options = options,
	 .noptions = COUNT(options),
	 .run = revoke_run},
};

int session_main(int argc, char **argv)
{
	return cli_group("list, pause, resume and revoke the sessions of agents", commands, COUNT(commands), argc,
			 argv);
}
