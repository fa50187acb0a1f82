#include "keepgate/incident_show.h"

#include <inttypes.h>
#include <string.h>

#include "keepgate/ask.h"
#include "keepgate/audit_row.h"
#include "keepgate/cli.h"
#include "keepgate/incident_proof.h"
#include "keepgate/risk_print.h"

static const struct cli_column fields[] = {
	{"incident", "id", CLI_TEXT},
	{"title", "title", CLI_TEXT},
	{"state", "state", CLI_TEXT},
	{"severity", "severity", CLI_TEXT},
	{"rule", "rule", CLI_TEXT},
	{"human", "human", CLI_TEXT},
	{"agent", "agent", CLI_TEXT},
	{"session", "session", CLI_TEXT},
	{"server", "server", CLI_TEXT},
	{"tool", "tool", CLI_TEXT},
	{"findings", "findings", CLI_TEXT},
	{"opened", "opened", CLI_TIME_US},
	{"last", "last", CLI_TIME_US},
	{"acknowledged", "acked_by", CLI_TEXT},
	{"resolved", "resolved_by", CLI_TEXT},
};

static const struct cli_column timeline[] = {
	{"TIME", "ts", CLI_TIME_US},
	{"SEQ", "seq", CLI_TEXT},
	{"BY", "by", CLI_TEXT},
	{"WHAT", "what", CLI_TEXT},
};

static const struct cli_column responses[] = {
	{"RESPONSE", "id", CLI_TEXT}, {"ACT", "act", CLI_TEXT},           {"STATE", "state", CLI_TEXT},
	{"WHAT", "about", CLI_TEXT},  {"HUMAN", "human", CLI_TEXT},       {"UNTIL", "until_text", CLI_TEXT},
	{"RULE", "rule", CLI_TEXT},   {"INCIDENT", "incident", CLI_TEXT},
};

static const struct cli_column pages[] = {
	{"CHANNEL", "channel", CLI_TEXT},   {"ACTION", "action", CLI_TEXT}, {"STATE", "state", CLI_TEXT},
	{"ATTEMPTS", "attempts", CLI_TEXT}, {"TIME", "ts", CLI_TIME_US},    {"DETAIL", "detail", CLI_TEXT},
};

static void print_rows(FILE *out, const char *title, const json_t *rows, const struct cli_column *columns, size_t n)
{
	if (json_array_size(rows) == 0)
		return;
	fprintf(out, "\n%s:\n", title);
	cli_table(out, rows, columns, n);
}

/* What a response is about. */
static void set_about(json_t *row)
{
	const char *act = ask_text(row, "act"), *server = ask_text(row, "server");
	json_t *about;

	if (strcmp(act, "hold-tool") == 0)
		about = json_sprintf("%s/%s", server, ask_text(row, "tool"));
	else if (strcmp(act, "hold-server") == 0)
		about = json_sprintf("server %s", server);
	else if (strcmp(act, "revoke") == 0)
		about = json_sprintf("consent %.8s", ask_text(row, "consent"));
	else if (strcmp(act, "seal") == 0)
		about = json_string("the vault");
	else
		about = json_sprintf("session %.8s", ask_text(row, "session"));
	json_object_set_new(row, "about", about == NULL ? json_null() : about);
}

static void set_until(json_t *row)
{
	json_int_t until = json_integer_value(json_object_get(row, "until"));
	char when[AUDIT_TIME_LEN];

	audit_time((uint64_t)until * 1000000u, when);
	json_object_set_new(row, "until_text", until <= 0 ? json_string("lifted") : json_stringn(when, 19));
}

void responses_print(FILE *out, json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		set_about(row);
		set_until(row);
	}
	cli_table(out, rows, responses, CLI_COUNT(responses));
}

/* The leaf comes as its exact text. */
static void print_event(FILE *out, const json_t *event, const struct proof_head *head)
{
	const char *leaf = ask_text(event, "leaf");
	struct audit_record r = {.seq = audit_number(event, "seq"), .state = ""};
	json_t *row;

	r.doc = json_loads(leaf, JSON_REJECT_DUPLICATES, NULL);
	row = audit_row(&r, NULL);
	fprintf(out, "%-14s ", proof_state_name(proof_check(event, head)));
	audit_row_print(out, row);
	json_decref(row);
	json_decref(r.doc);
}

static void print_head(FILE *out, const struct proof_head *head)
{
	if (!head->is_signed)
		fprintf(out, "(vaultd has signed no head of the tree yet)\n");
	else
		fprintf(out, "(proven: it is in the tree of %" PRIu64 " records whose head vaultd has signed%s)\n",
			head->size, head->checked ? "" : "; the signature was not checked, as vaultd cannot be asked");
}

static void print_events(FILE *out, const json_t *x, const struct note_key *key)
{
	const json_t *events = json_object_get(x, "events");
	struct proof_head head;
	size_t i;
	json_t *event;

	if (json_array_size(events) == 0)
		return;
	fprintf(out, "\nevents:\n");
	if (proof_head_read(json_object_get(x, "signed"), key, &head) != KG_OK)
		fprintf(out, "WRONG: the signature of the tree's head does not hold: run keepgate audit verify\n");
	json_array_foreach(events, i, event) print_event(out, event, &head);
	print_head(out, &head);
}

static void print_notes(FILE *out, const json_t *notes)
{
	size_t i;
	json_t *note;

	if (json_array_size(notes) == 0)
		return;
	fprintf(out, "\nnotes:\n");
	json_array_foreach(notes, i, note)
	{
		cli_lines(out, json_is_string(note) ? json_string_value(note) : ask_text(note, "text"));
	}
}

/* The commands that a person may want now. */
static void print_next(FILE *out, const json_t *x)
{
	const char *id = ask_text(x, "id"), *state = ask_text(x, "state");
	bool held = false;
	size_t i;
	json_t *row;

	if (strcmp(state, "resolved") != 0)
		fprintf(out, "\nnext:\n  keepgate incident %s %s\n", strcmp(state, "open") == 0 ? "ack" : "resolve",
			id);
	json_array_foreach(json_object_get(x, "responses"), i, row)
	{
		const char *at = ask_text(row, "state");

		held |= strcmp(at, "held") == 0;
		if (strcmp(at, "active") == 0 || strcmp(at, "ordered") == 0 || strcmp(at, "refused") == 0)
			fprintf(out, "  keepgate guardian lift %" PRIu64 "\n", audit_number(row, "id"));
	}
	if (held)
		fprintf(out, "  keepgate incident release %s\n", id);
}

void incident_print(FILE *out, json_t *x, const struct note_key *key)
{
	json_t *list = json_object_get(x, "responses");
	const char *suggest = ask_text(x, "suggest");

	cli_fields(out, x, fields, CLI_COUNT(fields));
	if (suggest[0] != '\0') {
		fprintf(out, "\nsuggested:\n");
		cli_lines(out, suggest);
	}
	risk_print(out, json_object_get(x, "risk"));
	print_rows(out, "timeline", json_object_get(x, "timeline"), timeline, CLI_COUNT(timeline));
	print_notes(out, json_object_get(x, "notes"));
	if (json_array_size(list) != 0) {
		fprintf(out, "\nresponses:\n");
		responses_print(out, list);
	}
	print_rows(out, "pages", json_object_get(x, "pages"), pages, CLI_COUNT(pages));
	print_events(out, x, key);
	print_next(out, x);
}
