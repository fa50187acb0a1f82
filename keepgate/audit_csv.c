#include "keepgate/audit_csv.h"

#include <stdlib.h>
#include <string.h>

#include "keepgate/audit_row.h"
#include "keepgate/audit_source.h"

/* The columns: a member of the record, in an object of it or at its top. */
static const struct {
	const char *title, *object, *name;
} columns[] = {
	{"seq", NULL, "seq"},
	{"time", NULL, NULL},
	{"kind", NULL, "kind"},
	{"phase", NULL, "phase"},
	{"event", NULL, "event"},
	{"human", "actor", "human"},
	{"agent", "actor", "agent"},
	{"client", "actor", "client"},
	{"session", NULL, "session"},
	{"consent", NULL, "consent"},
	{"server", "tool", "server"},
	{"tool", "tool", "name"},
	{"tier", "tool", "tier"},
	{"method", NULL, "method"},
	{"decision", NULL, "decision"},
	{"reason_code", NULL, "reason_code"},
	{"reason", NULL, "reason"},
	{"outcome", NULL, "outcome"},
	{"intent_seq", NULL, "intent_seq"},
	{"latency_us", NULL, "latency_us"},
	{"bytes_in", NULL, "bytes_in"},
	{"bytes_out", NULL, "bytes_out"},
	{"source", NULL, "src"},
	{"txn", NULL, "txn"},
	{"args_sha256", NULL, "args_sha256"},
	{"meta_sha256", NULL, "meta_sha256"},
	{"result_sha256", NULL, "result_sha256"},
	{"def_sha256", "tool", "def_sha256"},
	{"policy_sha256", NULL, "policy_sha256"},
	{"policies", "facts", "policies"},
	{"approval", NULL, "approval"},
	{"marks", NULL, "marks"},
	{"members", NULL, "members"},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

void audit_csv_cell(FILE *out, const char *text)
{
	bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
	bool quoted = strpbrk(text, "\",\r\n") != NULL;

	if (quoted)
		fputc('"', out);
	if (formula)
		fputc('\'', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	if (quoted)
		fputc('"', out);
}

void audit_csv_head(FILE *out)
{
	for (size_t i = 0; i < COLUMNS; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ",", columns[i].title);
	fputs("\r\n", out);
}

static void put_value(FILE *out, const json_t *v)
{
	char *text;

	if (v == NULL)
		return;
	if (json_is_string(v)) {
		audit_csv_cell(out, json_string_value(v));
		return;
	}
	text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	audit_csv_cell(out, text == NULL ? "" : text);
	free(text);
}

void audit_csv_row(FILE *out, const json_t *doc)
{
	char when[AUDIT_TIME_LEN];

	audit_time(audit_number(doc, "ts"), when);
	for (size_t i = 0; i < COLUMNS; i++) {
		const json_t *from = columns[i].object == NULL ? doc : json_object_get(doc, columns[i].object);

		if (i > 0)
			fputc(',', out);
		if (columns[i].name == NULL)
			audit_csv_cell(out, when);
		else
			put_value(out, json_object_get(from, columns[i].name));
	}
	fputs("\r\n", out);
}
