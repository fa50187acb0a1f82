#include "keepgate/audit_row.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOOL_MAX 256
#define POLICIES_MAX 512

void audit_time(uint64_t ts_us, char out[AUDIT_TIME_LEN])
{
	time_t t = (time_t)(ts_us / 1000000u);
	struct tm tm;
	size_t n = gmtime_r(&t, &tm) == NULL ? 0 : strftime(out, AUDIT_TIME_LEN, "%Y-%m-%d %H:%M:%S", &tm);

	snprintf(out + n, AUDIT_TIME_LEN - n, ".%03uZ", (unsigned)(ts_us / 1000u % 1000u));
}

int audit_time_parse(const char *text, uint64_t *ts_us)
{
	static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%SZ"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, formats[i], &tm);
		time_t t;

		if (end == NULL || *end != '\0' || text[0] < '0' || text[0] > '9')
			continue;
		t = timegm(&tm);
		if (t < 0)
			return KG_E_INVALID;
		*ts_us = (uint64_t)t * 1000000u;
		return 0;
	}
	return KG_E_INVALID;
}

static void set(json_t *row, const char *key, const char *text)
{
	if (text[0] != '\0')
		json_object_set_new(row, key, json_string(text));
}

/* The actor of a call, or the one that an administrative act is about. */
static void set_actor(json_t *row, const json_t *doc, const char *name)
{
	const char *actor = audit_text(doc, "actor", name);

	set(row, name, actor[0] != '\0' ? actor : audit_text(doc, "members", name));
}

static void set_number(json_t *row, const char *key, const json_t *doc, const char *name)
{
	json_t *v = json_object_get(doc, name);

	if (v != NULL)
		json_object_set(row, key, v);
}

/* "notes/list_notes"; for what has no tool the method, the event or the kind of breach. */
static void set_what(json_t *row, const json_t *doc)
{
	const char *server = audit_text(doc, "tool", "server"), *name = audit_text(doc, "tool", "name");
	const char *kind = audit_text(doc, NULL, "kind"), *event = audit_text(doc, NULL, "event");
	const char *method = audit_text(doc, NULL, "method");
	char text[TOOL_MAX];

	if (strcmp(kind, "guardian") == 0) /* what it did comes before whom it was about */
		snprintf(text, sizeof(text), "%s", event);
	else if (name[0] != '\0')
		snprintf(text, sizeof(text), "%s%s%s", server, server[0] == '\0' ? "" : "/", name);
	else if (event[0] != '\0')
		snprintf(text, sizeof(text), "%s", event);
	else
		snprintf(text, sizeof(text), "%s%s%s", server, server[0] == '\0' || method[0] == '\0' ? "" : " ",
			 method);
	set(row, "tool", text[0] == '\0' ? kind : text);
}

/* The tool or the server that an event of the guardian is about. */
static void set_about(json_t *row, const json_t *doc)
{
	const char *server = audit_text(doc, "tool", "server"), *name = audit_text(doc, "tool", "name");
	char text[TOOL_MAX];

	if (strcmp(audit_text(doc, NULL, "kind"), "guardian") != 0)
		return;
	snprintf(text, sizeof(text), "%s%s%s", server, name[0] == '\0' ? "" : "/", name);
	set(row, "about", text);
}

static void set_decision(json_t *row, const json_t *doc)
{
	const char *decision = audit_text(doc, NULL, "decision"), *kind = audit_text(doc, NULL, "kind");

	set(row, "decision", decision[0] != '\0' ? decision : kind);
}

/* Of an allowed call: how it ended, or why nobody can tell. */
static void set_outcome(json_t *row, const struct audit_record *r, const json_t *outcome)
{
	set(row, "outcome", outcome != NULL ? audit_text(outcome, NULL, "outcome") : r->state);
	if (outcome == NULL)
		return;
	set(row, "outcome_reason", audit_text(outcome, NULL, "reason_code"));
	set_number(row, "outcome_seq", outcome, "seq");
	set_number(row, "latency_us", outcome, "latency_us");
	set_number(row, "bytes_out", outcome, "bytes_out");
	set(row, "result_sha256", audit_text(outcome, NULL, "result_sha256"));
	set_number(row, "outcome_marks", outcome, "marks");
}

/* The policies that decided: "a,b", as text or as a list of ids. */
static void set_policies(json_t *row, const json_t *doc)
{
	json_t *policies = json_object_get(json_object_get(doc, "facts"), "policies"), *id;
	char text[POLICIES_MAX] = "";
	size_t i, n = 0;

	json_array_foreach(policies, i, id)
	{
		if (json_is_string(id) && n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n == 0 ? "" : ",",
					      json_string_value(id));
	}
	set(row, "policies", json_is_string(policies) ? json_string_value(policies) : text);
}

json_t *audit_row(const struct audit_record *r, const json_t *outcome)
{
	static const char *const same[] = {"kind",          "event",       "method", "session",
					   "consent",       "reason_code", "reason", "args_sha256",
					   "policy_sha256", "src",         "txn",    "approval"};
	json_t *row = json_object();
	char when[AUDIT_TIME_LEN];

	audit_time(audit_number(r->doc, "ts"), when);
	json_object_set_new(row, "seq", json_integer((json_int_t)r->seq));
	set(row, "time", when);
	set_decision(row, r->doc);
	set_actor(row, r->doc, "human");
	set_actor(row, r->doc, "agent");
	set(row, "client", audit_text(r->doc, "actor", "client"));
	set_what(row, r->doc);
	set_about(row, r->doc);
	set(row, "tier", audit_text(r->doc, "tool", "tier"));
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		set(row, same[i], audit_text(r->doc, NULL, same[i]));
	set_policies(row, r->doc);
	set_number(row, "bytes_in", r->doc, "bytes_in");
	set_number(row, "marks", r->doc, "marks");
	set_number(row, "members", r->doc, "members");
	set_outcome(row, r, outcome);
	return row;
}
