/* keepgate session list | pause | resume | revoke | clear */
#include "keepgate/ask.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "keepgate/revoked.h"

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_column columns[] = {
	{"SESSION", "short", CLI_TEXT}, {"STATE", "state", CLI_TEXT},   {"HUMAN", "human", CLI_TEXT},
	{"AGENT", "agent", CLI_TEXT},   {"TOOLS", "tools", CLI_TEXT},   {"TIER", "tier", CLI_TEXT},
	{"LABELS", "labels", CLI_TEXT}, {"UNTIL", "expires", CLI_TIME}, {"WHY", "why", CLI_TEXT},
};

static const struct ask_list list = {
	.op = "session.list", .member = "sessions", columns, CLI_COUNT(columns), .row = revoked_state};
static const struct ask_change pause_it = {"session.pause", "id", "Session"};
static const struct ask_change resume_it = {"session.resume", "id", "Session"};
static const struct ask_change revoke_it = {"session.revoke", "id", "Session"};
static const struct ask_change clear_it = {"session.clear_labels", "id", "Session"};

static const struct cli_command commands[] = {
	{.name = "list",
	 .summary = "list the sessions, newest first",
	 .details = "\"revoked (guardian)\" is not for good: keepgate consent show tells the command that lifts it.\n",
	 CLI_OPTIONS(options),
	 .run = ask_list_run,
	 .arg = &list},
	{.name = "pause",
	 .summary = "refuse the session's calls until it is resumed",
	 .details = "This holds for the very next call; open streams are closed.\nID is the session's id, or its first "
		    "digits.\n",
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = ask_change_run,
	 .arg = &pause_it},
	{.name = "resume",
	 .summary = "let a paused session go on",
	 .details = "ID is the session's id, or its first digits.\n",
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = ask_change_run,
	 .arg = &resume_it},
	{.name = "revoke",
	 .summary = "end the session for good",
	 .details = "This holds for the very next call; open streams are closed. Its token is worth nothing any more.\n"
		    "ID is the session's id, or its first digits.\n",
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = ask_change_run,
	 .arg = &revoke_it},
	{.name = "clear",
	 .summary = "forget what data the session has seen: its labels",
	 .details = "A call that is on its way may still bring such data: pause the session first.\n"
		    "ID is the session's id, or its first digits.\n",
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = ask_change_run,
	 .arg = &clear_it},
};

int session_main(int argc, char **argv)
{
	return cli_group("list, pause, resume, revoke and clear the sessions of agents", commands, CLI_COUNT(commands),
			 argc, argv);
}
