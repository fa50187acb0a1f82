/* keepgate policy: the commands, as a table. */
#include "keepgate/policy.h"

#include "keepgate/policy_commands.h"
#include "keepgate/policy_question.h"

static const struct cli_option check_options[] = {POLICY_TOOLS, CLI_STATE, CLI_RUN};

static const struct cli_option test_options[] = {POLICY_TOOLS, CLI_STATE, CLI_RUN};

static const struct cli_option explain_options[] = {
	{"event", "SEQ", 0, "a call on record, by its number in keepgate audit tail"},
	POLICY_QUESTION_OPTIONS,
	{"dir", "DIR", 0, "over the set in this folder (default: the one that the broker is configured with)"},
	POLICY_TOOLS,
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option diff_options[] = {
	{"since", "TIME", 0, "the calls of how long: 90s, 15m, 8h, 30d (default: 24h)"},
	POLICY_TOOLS,
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option eval_options[] = {
	{"dir", "DIR", 0, "the folder (default: the working directory)"},
	{"principal", "UID", 0, "an entity, written Type::\"id\""},
	{"action", "UID", 0, "an action, such as Action::\"view\""},
	{"resource", "UID", 0, "an entity"},
	{"context", "JSON", 0, "the context, or @FILE (default: {})"},
	{"request", "FILE", 0, "all four in a file: {\"principal\", \"action\", \"resource\", \"context\"}"},
};

static const struct cli_option status_options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option schema_options[] = {
	{"dir", "DIR", 0, "with the operator's half from this folder, without the broker"},
	{"tools", "FILE", 0, "over the tools in this file, made by keepgate tools export, without the broker"},
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option sign_options[] = {
	{"key", "FILE", CLI_REQUIRED, "the private key, made by keepgate policy keygen"},
	{"revision", "N", CLI_REQUIRED, "not below any revision that was loaded before"},
	{"expires", "TIME", 0, "how long it may be loaded: 12h, 90d"},
};

static const struct cli_option verify_options[] = {
	{"key", "PUB", CLI_REQUIRED, "the public key, as keepgate policy keygen printed it"},
};

#define DIR_HELP                                                                                                       \
	"DIR holds *.cedar (policies), *.cedarschema (types and actions of your own, beside the gateway's) and\n"      \
	"entities.json. "

static const struct cli_command commands[] = {
	{.name = "check",
	 .summary = "validate a folder as the broker would",
	 .details = DIR_HELP
	 "Each fault is told as FILE:LINE:COLUMN: what. The tools come from --tools, from the\n"
	 "running broker with --state or --run, else from the folder's own cases. A folder that has a\n"
	 "schema and says nothing of Gate:: is validated by that schema alone.\n",
	 CLI_OPERAND("DIR"),
	 CLI_OPTIONS(check_options),
	 .run = policy_check_run},
	{.name = "test",
	 .summary = "run the cases of a folder",
	 .details =
		 "keepgate-policy(7) tells how cases are written. Each one that fails is told with what was expected,\n"
		 "then each policy that decided none. The last line is \"N passed, N failed\"; the exit status is 1\n"
		 "when one failed.\n",
	 CLI_OPERAND("DIR"),
	 CLI_OPTIONS(test_options),
	 .run = policy_test_run},
	{.name = "explain",
	 .summary = "tell why a call was, or would be, allowed or denied",
	 .details = "Prints the decision, the policies that made it, and for a denial each permit that could have\n"
		    "allowed it with its first condition that was false. For example:\n"
		    "  keepgate policy explain --event 4211\n"
		    "  keepgate policy explain --human alice@example.com --agent claude-code --tool notes/add_note \\\n"
		    "    --args '{\"text\":\"hello\"}' --consent write\n",
	 CLI_OPTIONS(explain_options),
	 .run = policy_explain_run},
	{.name = "diff",
	 .summary = "tell which calls on record another set would have decided otherwise",
	 .details = DIR_HELP "Nothing is changed.\n",
	 CLI_OPERAND("DIR"),
	 CLI_OPTIONS(diff_options),
	 .run = policy_diff_run},
	{.name = "load",
	 .summary = "let the broker read its configured folder again",
	 .details =
		 "A set with a fault is refused as a whole, and the present one stays in force. Calls in flight are\n"
		 "finished by the set that they began with.\n",
	 CLI_OPTIONS(status_options),
	 .run = policy_load_run},
	{.name = "status",
	 .summary = "show the set in force, and the one in the shadow",
	 CLI_OPTIONS(status_options),
	 .run = policy_status_run},
	{.name = "schema",
	 .summary = "print the whole schema: the gateway's types, an action for each tool, and the operator's half",
	 CLI_OPTIONS(schema_options),
	 .run = policy_schema_run},
	{.name = "data",
	 .summary = "print or replace the live entities: teams, trust of agents",
	 .details = "The new ones are validated with the set, kept, and in force as one. FILE holds a list of Cedar\n"
		    "entities in JSON.\n",
	 .operands = "get | put FILE",
	 .operands_min = 1,
	 .operands_max = 2,
	 CLI_OPTIONS(status_options),
	 .run = policy_data_run},
	{.name = "keygen",
	 .summary = "make a key that signs sets; print its public half",
	 .details = "FILE must not exist. The public key goes into policy.keys of the configuration: from then on the\n"
		    "broker loads only sets that are signed by one of these keys.\n",
	 CLI_OPERAND("FILE"),
	 .run = policy_keygen_run},
	{.name = "sign",
	 .summary = "write manifest.json and manifest.sig over a folder's files",
	 .details = "A set of a lower revision than the highest that was loaded is refused.\n",
	 CLI_OPERAND("DIR"),
	 CLI_OPTIONS(sign_options),
	 .run = policy_sign_run},
	{.name = "verify",
	 .summary = "check the signature of a folder",
	 CLI_OPERAND("DIR"),
	 CLI_OPTIONS(verify_options),
	 .run = policy_verify_run},
	{.name = "eval",
	 .summary = "ask one question of a folder of Cedar that is complete by itself",
	 .details = "Here DIR has a schema of its own, and nothing of the gateway's. The exit status is 0 when the\n"
		    "request is allowed, 1 when it is denied.\n",
	 CLI_OPTIONS(eval_options),
	 .run = policy_eval_run},
	{.name = "format",
	 .summary = "print the policies of a file in the usual layout, comments kept",
	 CLI_OPERAND("FILE"),
	 .run = policy_format_run},
};

int policy_main(int argc, char **argv)
{
	return cli_group("Cedar policies: they decide each call. See keepgate-policy(7).", commands,
			 CLI_COUNT(commands), argc, argv);
}
