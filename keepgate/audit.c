/* keepgate audit: the commands, as a table. */
#include <string.h>

#include "keepgate/audit_commands.h"
#include "keepgate/commands.h"

static const struct cli_option tail_options[] = {
	{"lines", "N", 0, "how many lines to show (default 20); also -n"},
	{"follow", NULL, 0, "go on with what is recorded from now on; also -f"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option show_options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option verify_options[] = {
	{"file", "FILE", 0, "check an export in JSON Lines instead of the running recorder"},
	{"vkey", "KEY", 0, "the verifier key of the log, as you noted it (default: vaultd's, or the one in FILE)"},
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option export_options[] = {
	{"format", "FORMAT", 0, "jsonl (default; keepgate audit verify --file checks it) or csv"},
	{"from", "WHEN", 0, "first record: its number, or a time such as 2026-11-21T10:00:00Z"},
	{"to", "WHEN", 0, "last record: its number, or a time that it is older than"},
	{"output", "FILE", 0, "write to a new file instead of standard output; also -o"},
	CLI_STATE,
	CLI_RUN,
};

#define OPTIONS(table) .options = (table), .noptions = sizeof(table) / sizeof((table)[0])

static const struct cli_command commands[] = {
	{.name = "tail",
	 .summary = "show the last calls and events, one line each",
	 .details = "A line: number, time, decision, human, agent, tool, reason, and how the call ended. A call whose "
		    "end\n"
		    "nobody knows is shown as indeterminate: it may have taken effect.\n",
	 OPTIONS(tail_options),
	 .run = audit_tail_run},
	{.name = "show",
	 .summary = "show one record with its outcome",
	 .operands = "SEQ",
	 .operands_min = 1,
	 .operands_max = 1,
	 OPTIONS(show_options),
	 .run = audit_show_run},
	{.name = "verify",
	 .summary = "prove that no record was changed, removed or inserted",
	 .details = "Hashes every record again, rebuilds the Merkle tree, compares it with every tree head that vaultd "
		    "has\n"
		    "signed, and checks the signatures. Names the record that is wrong.\n",
	 OPTIONS(verify_options),
	 .run = audit_verify_run},
	{.name = "export",
	 .summary = "write the records to a file",
	 .details =
		 "JSON Lines are the exact bytes that were hashed, with a last line that holds the signed tree head "
		 "and\n"
		 "the proof. CSV is for spreadsheets; cells that a spreadsheet would run begin with an apostrophe.\n",
	 OPTIONS(export_options),
	 .run = audit_export_run},
};

/* The short options that people expect of tail and of anything that writes. */
static void spell_out(int argc, char **argv)
{
	static char lines[] = "--lines", follow[] = "--follow", output[] = "--output";
	static const struct {
		const char *brief;
		char *full;
	} words[] = {{"-n", lines}, {"-f", follow}, {"-o", output}};

	for (int i = 1; i < argc; i++)
		for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
			if (strcmp(argv[i], words[w].brief) == 0)
				argv[i] = words[w].full;
}

int audit_main(int argc, char **argv)
{
	spell_out(argc, argv);
	return cli_group("The audit log: every call, refusal and administrative act.", commands,
			 sizeof(commands) / sizeof(commands[0]), argc, argv);
}
