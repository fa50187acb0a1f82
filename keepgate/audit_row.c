#include "keepgate/audit_row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOOL_MAX 256
#define POLICIES_MAX 512
#define MEMBER_SHOWN 120
#define APPROVAL_SHOWN 8
#define HASH_DIGITS 64
#define HASH_SHOWN 12

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

	if (name[0] != '\0')
		snprintf(text, sizeof(text), "%s%s%s", server, server[0] == '\0' ? "" : "/", name);
	else if (event[0] != '\0')
		snprintf(text, sizeof(text), "%s", event);
	else
		snprintf(text, sizeof(text), "%s%s%s", server, server[0] == '\0' || method[0] == '\0' ? "" : " ",
			 method);
	set(row, "tool", text[0] == '\0' ? kind : text);
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
	static const char *const same[] = {"kind",        "method", "session",     "consent",
					   "reason_code", "reason", "args_sha256", "policy_sha256",
					   "src",         "txn",    "approval"};
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
	set(row, "tier", audit_text(r->doc, "tool", "tier"));
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		set(row, same[i], audit_text(r->doc, NULL, same[i]));
	set_policies(row, r->doc);
	set_number(row, "bytes_in", r->doc, "bytes_in");
	set_number(row, "members", r->doc, "members");
	set_outcome(row, r, outcome);
	return row;
}

static void print_end(FILE *out, const json_t *row)
{
	const char *outcome = audit_text(row, NULL, "outcome"), *why = audit_text(row, NULL, "outcome_reason");

	if (outcome[0] == '\0')
		return;
	fprintf(out, " -> %s", outcome);
	if (json_object_get(row, "latency_us") != NULL)
		fprintf(out, " in %.1f ms", (double)audit_number(row, "latency_us") / 1000.0);
	if (why[0] != '\0') {
		fputs(" (", out);
		cli_puts_safe(out, why);
		fputc(')', out);
	}
}

/* Left-aligned, made harmless for a terminal. */
static void print_column(FILE *out, const char *text, size_t width)
{
	cli_puts_safe(out, text[0] == '\0' ? "-" : text);
	for (size_t n = text[0] == '\0' ? 1 : strlen(text); n < width; n++)
		fputc(' ', out);
	fputc(' ', out);
}

static const char *reason_of(const json_t *row)
{
	const char *reason = audit_text(row, NULL, "reason");

	return reason[0] != '\0' ? reason : audit_text(row, NULL, "reason_code");
}

static bool is_hash(const char *text)
{
	return strlen(text) == HASH_DIGITS && strspn(text, "0123456789abcdef") == HASH_DIGITS;
}

/* One line has no room for whole hashes, differences of definitions and faults of a set: audit show prints them. */
static void print_member(FILE *out, const char *name, const json_t *v)
{
	char *text = json_is_string(v) ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *shown = json_is_string(v) ? json_string_value(v) : text == NULL ? "?" : text;
	char brief[HASH_SHOWN + 1] = "";

	if (is_hash(shown)) {
		memcpy(brief, shown, HASH_SHOWN);
		shown = brief;
	} else if (strlen(shown) > MEMBER_SHOWN || strchr(shown, '\n') != NULL) {
		shown = "...";
	}
	if (shown[0] != '\0') {
		fputc(' ', out);
		cli_puts_safe(out, name);
		fputc('=', out);
		cli_puts_safe(out, shown);
	}
	free(text);
}

/* Which policies decided, and by whose approval. */
static void print_grounds(FILE *out, const json_t *row)
{
	const char *policies = audit_text(row, NULL, "policies"), *approval = audit_text(row, NULL, "approval");
	char brief[APPROVAL_SHOWN + 1];

	if (policies[0] != '\0') {
		fputs(" by ", out);
		cli_puts_safe(out, policies);
	}
	if (approval[0] != '\0') {
		snprintf(brief, sizeof(brief), "%s", approval);
		fputs(" approval ", out);
		cli_puts_safe(out, brief);
	}
}

/* The members of an administrative act, but those that stand in a column. */
static void print_members(FILE *out, json_t *members)
{
	const char *name, *inner;
	json_t *v, *part;

	json_object_foreach(members, name, v)
	{
		if (strcmp(name, "human") == 0 || strcmp(name, "agent") == 0)
			continue;
		if (!json_is_object(v))
			print_member(out, name, v);
		else
			json_object_foreach(v, inner, part)
			{
				char both[64];

				snprintf(both, sizeof(both), "%.30s.%.30s", name, inner);
				print_member(out, both, part);
			}
	}
}

void audit_row_print(FILE *out, const json_t *row)
{
	fprintf(out, "%7" PRIu64 " ", audit_number(row, "seq"));
	print_column(out, audit_text(row, NULL, "time"), 24);
	print_column(out, audit_text(row, NULL, "decision"), 9);
	print_column(out, audit_text(row, NULL, "human"), 18);
	print_column(out, audit_text(row, NULL, "agent"), 12);
	print_column(out, audit_text(row, NULL, "tool"), 20);
	if (reason_of(row)[0] != '\0')
		fputc(' ', out);
	cli_puts_safe(out, reason_of(row));
	print_grounds(out, row);
	print_members(out, json_object_get(row, "members"));
	print_end(out, row);
	fputc('\n', out);
}
