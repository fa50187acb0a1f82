/* A row as one line. What stands in it may come from a hostile server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keepgate/audit_row.h"

#define MEMBER_SHOWN 120
#define APPROVAL_SHOWN 8
#define HASH_DIGITS 64
#define HASH_SHOWN 12

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

/* Whether a member stands in a column, or says of a finding what only audit show has room for. */
static bool is_passed_over(const char *name, bool guardian)
{
	static const char *const columns[] = {"human", "agent"};
	static const char *const details[] = {"what",      "class",        "evidence", "value",
					      "threshold", "rules_sha256", "reason"};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (strcmp(name, columns[i]) == 0)
			return true;
	for (size_t i = 0; guardian && i < sizeof(details) / sizeof(details[0]); i++)
		if (strcmp(name, details[i]) == 0)
			return true;
	return false;
}

/* What the guardian has noticed, as a sentence, before its numbers. */
static void print_finding(FILE *out, const json_t *row)
{
	const char *about = audit_text(row, NULL, "about"), *what = audit_text(row, "members", "what");

	if (about[0] != '\0') {
		fputc(' ', out);
		cli_puts_safe(out, about);
	}
	if (what[0] != '\0') {
		fputs(about[0] == '\0' ? " " : ": ", out);
		cli_puts_safe(out, what);
	}
}

/* What the broker has found in arguments, or in a result. */
static void print_marks(FILE *out, json_t *marks)
{
	const char *name;
	json_t *v;

	if (json_object_size(marks) == 0)
		return;
	fputs(" found:", out);
	json_object_foreach(marks, name, v) print_member(out, name, v);
}

/* The members of an administrative act, but those that stand elsewhere. */
static void print_members(FILE *out, json_t *members, bool guardian)
{
	const char *name, *inner;
	json_t *v, *part;

	json_object_foreach(members, name, v)
	{
		if (is_passed_over(name, guardian))
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
	bool guardian = strcmp(audit_text(row, NULL, "kind"), "guardian") == 0;

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
	if (guardian)
		print_finding(out, row);
	print_marks(out, json_object_get(row, "marks"));
	print_members(out, json_object_get(row, "members"), guardian);
	print_end(out, row);
	print_marks(out, json_object_get(row, "outcome_marks"));
	fputc('\n', out);
}
