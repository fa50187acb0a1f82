/* keepgate guardian status | rules | test | lift | break-glass */
#include <stdlib.h>
#include <string.h>

#include "keepgate/ask.h"
#include "keepgate/commands.h"
#include "keepgate/guardian_commands.h"
#include "keepgate/incident_show.h"
#include "keepgate/risk_print.h"

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option rules_options[] = {CLI_JSON};
static const struct cli_option inspect_options[] = {CLI_JSON};

static const struct cli_option test_options[] = {
	{"since", "TIME", 0, "how far back, such as 30d (the default; with --file: all that it has)"},
	{"file", "FILE", 0, "an export of keepgate audit export, instead of the running recorder"},
	{"rules", "DIR", 0, "the folder that has the rule of this id (default: what is armed)"},
	{"time-zone", "NAME", 0, "of hours of work, such as Europe/Berlin (default: the configuration's)"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option glass_options[] = {
	{"for", "TIME", 0, "how long, such as 30m"},
	{"end", NULL, 0, "end it, before its time is over"},
	{"why", "TEXT", CLI_REQUIRED, "for the record, and for on-call, who is paged"},
	{"lift", NULL, 0, "also end what the guardian has ordered: pauses, rates, approvals and revoked consents"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_column fields[] = {
	{"rules", "rules", CLI_TEXT},
	{"sha256", "rules_sha256", CLI_TEXT},
	{"keys", "keys", CLI_TEXT},
	{"bytes", "bytes", CLI_TEXT},
	{"events", "events", CLI_TEXT},
	{"findings", "findings", CLI_TEXT},
	{"break-glass until", "break_glass_until", CLI_TIME},
	{"pages waiting", "waiting", CLI_TEXT},
	{"pages stuck", "stuck", CLI_TEXT},
	{"pages given up", "dead", CLI_TEXT},
	{"pager connected", "pager", CLI_TEXT},
};

static const struct cli_column channels[] = {
	{"CHANNEL", "name", CLI_TEXT},
	{"KIND", "kind", CLI_TEXT},
	{"LAST DELIVERED", "last_ok", CLI_TIME_US},
	{"LAST FAILED", "last_failed", CLI_TIME_US},
	{"ERROR", "last_error", CLI_TEXT},
};

static void print_status(json_t *out)
{
	json_t *responses = json_object_get(out, "responses");

	if (json_integer_value(json_object_get(out, "break_glass_until")) == 0)
		json_object_del(out, "break_glass_until");
	json_object_update(out, json_object_get(out, "outbox"));
	cli_fields(stdout, out, fields, CLI_COUNT(fields));
	if (json_is_true(json_object_get(out, "silent")))
		printf("\nwarning: a page has reached nobody for 15 minutes: heartbeats are held back\n");
	printf("\n");
	if (json_array_size(responses) == 0)
		printf("no response is in force\n");
	else
		responses_print(stdout, responses);
	risk_print(stdout, json_object_get(out, "risk"));
	printf("\n");
	if (json_array_size(json_object_get(out, "channels")) == 0)
		printf("nobody is paged: guardian.channels of the configuration names no channel\n");
	else
		cli_table(stdout, json_object_get(out, "channels"), channels, CLI_COUNT(channels));
}

int guardian_status_run(const struct cli *c)
{
	json_t *out;
	int r = ask_guardian(c, "guardian.status", NULL, &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		print_status(out);
	json_decref(out);
	return KG_EXIT_OK;
}

int guardian_lift_run(const struct cli *c)
{
	const char *text = c->operand[0];
	json_t *out;
	int r;

	if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 18)
		return cli_usage(c, "RESPONSE is a number, as keepgate guardian status shows it, not \"%s\"", text);
	r = ask_guardian(c, "guardian.lift", json_pack("{s:I}", "response", (json_int_t)strtoll(text, NULL, 10)), &out);
	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		printf("Response %s is lifted.\n", text);
	json_decref(out);
	return KG_EXIT_OK;
}

static void print_glass(const struct cli *c)
{
	if (cli_given(c, "end"))
		printf("The guardian acts again.\n");
	else
		printf("For %s the guardian orders nothing by itself%s. This is on record, and on-call is paged.\n",
		       cli_value(c, "for"), cli_given(c, "lift") ? ", and what it had ordered is lifted" : "");
}

int guardian_break_glass_run(const struct cli *c)
{
	const char *span = cli_value(c, "for"), *why = cli_value(c, "why");
	uint64_t seconds = 0;
	json_t *out;
	int r;

	if ((span == NULL) != cli_given(c, "end"))
		return cli_usage(c, "give either --for TIME or --end");
	if (span != NULL && cli_duration(span, &seconds) != 0)
		return cli_usage(c, "--for must be a number with s, m, h or d, such as 30m, not \"%s\"", span);
	if (why[0] == '\0')
		return cli_usage(c, "--why must say why");
	r = ask_guardian(
		c, "guardian.break_glass",
		json_pack("{s:I, s:s, s:b}", "seconds", (json_int_t)seconds, "why", why, "lift", cli_given(c, "lift")),
		&out);
	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		print_glass(c);
	json_decref(out);
	return KG_EXIT_OK;
}

static const struct cli_command commands[] = {
	{.name = "status",
	 .summary = "show its rules, what it has ordered, and how the channels do",
	 CLI_OPTIONS(options),
	 .run = guardian_status_run},
	{.name = "rules",
	 .summary = "validate and list rules, without any daemon",
	 .details =
		 "DIR is a folder of rules, or one file; without it, the rules that come with Keepgate. Each fault is\n"
		 "told as FILE: document N: path: what would be right; see keepgate-guardian(7).\n",
	 .operands = "[DIR]",
	 .operands_max = 1,
	 CLI_OPTIONS(rules_options),
	 .run = guardian_rules_run},
	{.name = "test",
	 .summary = "try rules on what is on record: how often would they have fired, and for whom?",
	 .details = "A file's rules are armed together and alone; an id names one of the rules that the recorder is "
		    "armed\n"
		    "with, or of --rules. With --file no recorder is asked: without options, the rules are those that "
		    "come\n"
		    "with Keepgate and hours are UTC. Nothing is stored and nothing is done. State begins empty: a "
		    "rule that learns for a\n"
		    "week is silent for a week. What a response would have prevented is still in the record.\n",
	 CLI_OPERAND("RULE-FILE|RULE-ID"),
	 CLI_OPTIONS(test_options),
	 .run = guardian_test_run},
	{.name = "inspect",
	 .summary =
		 "show what would be noted of a text: destinations, instructions, credentials, personal data, records",
	 .details = "FILE holds arguments or a result as JSON, or any text; without it, standard input is read. Scores "
		    "and\n"
		    "counts alone are printed, never what was found; \"instructions\" from 50 on is suspicious.\n",
	 .operands = "[FILE]",
	 .operands_max = 1,
	 CLI_OPTIONS(inspect_options),
	 .run = guardian_inspect_run},
	{.name = "lift",
	 .summary = "end a response: a pause, a revoked consent, a quarantine, a seal, a rate",
	 .details = "RESPONSE is its number, as keepgate guardian status and keepgate incident show print it.\n",
	 CLI_OPERAND("RESPONSE"),
	 CLI_OPTIONS(options),
	 .run = guardian_lift_run},
	{.name = "break-glass",
	 .summary = "keep the guardian from acting for a while; recorded, and paged as critical",
	 .details = "It goes on noticing and paging. At most a day. For the case that it stops what must not stop.\n",
	 CLI_OPTIONS(glass_options),
	 .run = guardian_break_glass_run},
};

int guardian_main(int argc, char **argv)
{
	return cli_group("The guardian watches every event as it is recorded; keepgate-guardian(7).", commands,
			 CLI_COUNT(commands), argc, argv);
}
