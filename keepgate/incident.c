/* keepgate incident list | show | ack | resolve | note | release */
#include <string.h>

#include "keepgate/ask.h"
#include "keepgate/cli.h"
#include "keepgate/commands.h"
#include "keepgate/incident_show.h"

static const struct cli_option list_options[] = {
	{"status", "STATUS", 0, "open, acknowledged, resolved or all (default: what is not resolved)"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_option options[] = {CLI_JSON, CLI_STATE, CLI_RUN};

static const struct cli_option note_options[] = {
	{"note", "TEXT", 0, "a word for the record"},
	CLI_JSON,
	CLI_STATE,
	CLI_RUN,
};

static const struct cli_column columns[] = {
	{"INCIDENT", "id", CLI_TEXT},  {"STATE", "state", CLI_TEXT},       {"SEVERITY", "severity", CLI_TEXT},
	{"TITLE", "title", CLI_TEXT},  {"FINDINGS", "findings", CLI_TEXT}, {"OPENED", "opened", CLI_TIME_US},
	{"LAST", "last", CLI_TIME_US}, {"BY", "acked_by", CLI_TEXT},
};

/* The id may be written as "inc-12" or as 12. */
static json_t *incident_id(const char *text)
{
	bool digits = text[0] != '\0' && strspn(text, "0123456789") == strlen(text);

	return json_sprintf("%s%s", digits ? "inc-" : "", text);
}

static int list_run(const struct cli *c)
{
	static const char *const states[] = {"open", "acknowledged", "resolved", "all"};
	const char *status = cli_value(c, "status");
	json_t *out;
	size_t i = 0;
	int r;

	while (status != NULL && i < CLI_COUNT(states) && strcmp(status, states[i]) != 0)
		i++;
	if (i == CLI_COUNT(states))
		return cli_usage(c, "--status is open, acknowledged, resolved or all, not \"%s\"", status);
	r = ask_guardian(c, "incident.list", json_pack("{s:s*}", "state", status), &out);
	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, json_object_get(out, "incidents"));
	else
		cli_table(stdout, json_object_get(out, "incidents"), columns, CLI_COUNT(columns));
	json_decref(out);
	return KG_EXIT_OK;
}

/* vaultd's word for its own key; whoever noted it elsewhere has keepgate audit verify --vkey. */
static bool signing_key(const struct cli *c, struct note_key *key)
{
	json_t *out = NULL;
	bool known = ask_vault(c, "checkpoint.key", NULL, &out) == KG_EXIT_OK &&
		     note_key_parse(ask_text(out, "vkey"), key) == KG_OK;

	json_decref(out);
	return known;
}

static int show_run(const struct cli *c)
{
	struct note_key key;
	json_t *out;
	int r = ask_guardian(c, "incident.show", json_pack("{s:o}", "id", incident_id(c->operand[0])), &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		incident_print(stdout, out, signing_key(c, &key) ? &key : NULL);
	json_decref(out);
	return KG_EXIT_OK;
}

struct say {
	const char *op, *done;
};

/* What a person says of it. A note is the second operand, or an option. */
static int say_run(const struct cli *c)
{
	const struct say *say = c->command->arg;
	const char *note = c->noperands > 1 ? c->operand[1] : cli_value(c, "note");
	json_t *out;
	int r;

	if (note != NULL && note[0] == '\0')
		return cli_usage(c, "the note is empty");
	r = ask_guardian(c, say->op, json_pack("{s:o, s:s*}", "id", incident_id(c->operand[0]), "note", note), &out);
	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json")) {
		cli_json(stdout, out);
	} else {
		printf("Incident ");
		cli_puts_safe(stdout, ask_text(out, "id")[0] == '\0' ? c->operand[0] : ask_text(out, "id"));
		printf(" %s.\n", say->done);
	}
	json_decref(out);
	return KG_EXIT_OK;
}

static int release_run(const struct cli *c)
{
	json_t *out;
	int r = ask_guardian(c, "incident.release", json_pack("{s:o}", "id", incident_id(c->operand[0])), &out);

	if (r != KG_EXIT_OK)
		return r;
	if (cli_given(c, "json"))
		cli_json(stdout, out);
	else
		responses_print(stdout, json_object_get(out, "responses"));
	json_decref(out);
	return KG_EXIT_OK;
}

static const struct say ack = {"incident.ack", "is yours: nobody else is paged for it"};
static const struct say resolve = {"incident.resolve", "is resolved, at the providers too"};
static const struct say note = {"incident.note", "has your note"};

#define ID_HELP "ID is the incident's, such as inc-12 or 12.\n"

static const struct cli_command commands[] = {
	{.name = "list",
	 .summary = "list the incidents that are not resolved",
	 .details = "The newest comes first. BY is who has acknowledged it.\n",
	 CLI_OPTIONS(list_options),
	 .run = list_run},
	{.name = "show",
	 .summary = "show one: what happened, the evidence with its proofs, what was done, what is suggested",
	 .details =
		 "PROOF tells whether a record is in the tree whose head vaultd has signed. keepgate audit show SEQ\n"
		 "prints a record whole; keepgate audit verify proves all of them.\n" ID_HELP,
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = show_run},
	{.name = "ack",
	 .summary = "say that you look after it: escalation ends",
	 .details = ID_HELP,
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(note_options),
	 .run = say_run,
	 .arg = &ack},
	{.name = "resolve",
	 .summary = "say that it is over",
	 .details =
		 "What the guardian has ordered stays as it is: keepgate guardian lift ends a response. The risk that\n"
		 "policies see in its session, agent and human is taken back.\n" ID_HELP,
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(note_options),
	 .run = say_run,
	 .arg = &resolve},
	{.name = "note",
	 .summary = "add a note to its timeline",
	 .details = ID_HELP,
	 .operands = "ID TEXT",
	 .operands_min = 2,
	 .operands_max = 2,
	 CLI_OPTIONS(options),
	 .run = say_run,
	 .arg = &note},
	{.name = "release",
	 .summary = "order the responses that were held, since they would contain too many people",
	 .details = "See blast_radius in keepgate.json(5).\n" ID_HELP,
	 CLI_OPERAND("ID"),
	 CLI_OPTIONS(options),
	 .run = release_run},
};

int incident_main(int argc, char **argv)
{
	return cli_group("Incidents: findings of the guardian that belong together.", commands, CLI_COUNT(commands),
			 argc, argv);
}
