/* keepgate policy diff: the calls on record, decided again by another set. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keepgate/ask.h"
#include "keepgate/audit_row.h"
#include "keepgate/audit_source.h"
#include "keepgate/policy_commands.h"
#include "keepgate/policy_input.h"

#define DAY_S 86400u
#define CHANGES_MAX 100000u

struct replay {
	struct policy_decider *decider;
	json_t *changes; /* rows of those that would change */
	json_t *reasons; /* why a call cannot be decided again: how many */
	uint64_t same, changed, unasked;
};

static const struct cli_column columns[] = {
	{"SEQ", "seq", CLI_TEXT},           {"TIME", "time", CLI_TEXT},         {"HUMAN", "human", CLI_TEXT},
	{"AGENT", "agent", CLI_TEXT},       {"TOOL", "tool", CLI_TEXT},         {"WAS", "was", CLI_TEXT},
	{"WOULD BE", "would_be", CLI_TEXT}, {"POLICIES", "policies", CLI_TEXT},
};

/*
 * What the policies said then. An external decision point is asked only about what they allow; a call that was
 * refused for want of an approval was no plain denial.
 */
static const char *decided_then(const json_t *doc)
{
	if (strcmp(audit_text(doc, NULL, "decision"), "allow") == 0)
		return "allow";
	if (strncmp(audit_text(doc, NULL, "reason_code"), "approval-", 9) == 0)
		return "approval";
	return json_object_get(json_object_get(doc, "facts"), "external") != NULL ? "allow" : "deny";
}

/* A destructive call needs an approval even where policies allow it without. */
static const char *decided_now(const json_t *doc, const struct policy_decision *v)
{
	/* The record of a refusal names the approval that was asked for. */
	bool approved =
		audit_text(doc, NULL, "approval")[0] != '\0' && strcmp(audit_text(doc, NULL, "decision"), "allow") == 0;

	if (!v->allow)
		return (v->help & POLICY_HELP_APPROVAL) != 0 ? "approval" : "deny";
	return !approved && strcmp(audit_text(doc, "tool", "tier"), "destructive") == 0 ? "approval" : "allow";
}

static void count_reason(struct replay *x, const char *why)
{
	json_int_t n = json_integer_value(json_object_get(x->reasons, why));

	json_object_set_new(x->reasons, why, json_integer(n + 1));
}

static void add_change(struct replay *x, const struct audit_record *r, const char *then, const char *now,
		       const struct policy_decision *v)
{
	char when[AUDIT_TIME_LEN];

	x->changed++;
	if (json_array_size(x->changes) >= CHANGES_MAX)
		return;
	audit_time(audit_number(r->doc, "ts"), when);
	json_array_append_new(x->changes,
			      json_pack("{s:I, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s}", "seq", (json_int_t)r->seq,
					"time", when, "human", audit_text(r->doc, "actor", "human"), "agent",
					audit_text(r->doc, "actor", "agent"), "tool",
					json_sprintf("%s/%s", audit_text(r->doc, "tool", "server"),
						     audit_text(r->doc, "tool", "name")),
					"was", then, "would_be", now, "policies", v->policies, "reason", v->reason));
}

static int replay_one(const struct audit_record *r, void *arg)
{
	struct replay *x = arg;
	const json_t *facts = json_object_get(r->doc, "facts");
	const char *why = "the record cannot be read", *then, *now;
	struct policy_decision v;
	char *text;
	int err;

	if (strcmp(audit_text(r->doc, NULL, "kind"), "call") != 0 ||
	    strcmp(audit_text(r->doc, NULL, "phase"), "intent") != 0 ||
	    strcmp(audit_text(r->doc, NULL, "method"), "tools/call") != 0)
		return 0;
	if (!json_is_object(facts)) {
		x->unasked++;
		return 0;
	}
	text = json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS);
	err = text == NULL ? KG_E_NOMEM : policy_replay(x->decider, text, strlen(text), &v, &why);
	free(text);
	if (err != 0) {
		count_reason(x, err == KG_E_NOTFOUND ? why : kg_strerror(err));
		return 0;
	}
	then = decided_then(r->doc);
	now = decided_now(r->doc, &v);
	if (strcmp(then, now) == 0)
		x->same++;
	else
		add_change(x, r, then, now, &v);
	return 0;
}

static void print_summary(const struct replay *x, const char *since)
{
	const char *why;
	json_t *n;

	printf("%s%" PRIu64 " calls of the last %s decided again: %" PRIu64 " would change\n",
	       json_array_size(x->changes) == 0 ? "" : "\n", x->same + x->changed, since, x->changed);
	json_object_foreach(x->reasons, why, n)
	{
		printf("%" JSON_INTEGER_FORMAT " could not be decided again: ", json_integer_value(n));
		cli_puts_safe(stdout, why);
		printf("\n");
	}
	if (x->unasked > 0)
		printf("%" PRIu64 " were refused before any policy was asked\n", x->unasked);
}

static void print_replay(const struct cli *c, const struct replay *x, const char *since)
{
	json_t *all;

	if (!cli_given(c, "json")) {
		if (json_array_size(x->changes) > 0)
			cli_table(stdout, x->changes, columns, CLI_COUNT(columns));
		print_summary(x, since);
		return;
	}
	all = json_pack("{s:I, s:I, s:I, s:O, s:O}", "same", (json_int_t)x->same, "changed", (json_int_t)x->changed,
			"unasked", (json_int_t)x->unasked, "not_replayed", x->reasons, "changes", x->changes);
	cli_json(stdout, all);
	json_decref(all);
}

static int replay_span(const struct cli *c, struct replay *x, uint64_t seconds)
{
	uint64_t now = (uint64_t)time(NULL), from = 0, size = 0;
	struct audit_source s;
	int r = audit_open(c, &s);

	if (r == 0)
		r = audit_size(&s, &size);
	if (r == 0)
		r = audit_find_time(&s, (now > seconds ? now - seconds : 0) * 1000000u, &from);
	if (r == 0 && from <= size)
		r = audit_walk(&s, from, size, replay_one, x);
	return r;
}

int policy_diff_run(const struct cli *c)
{
	const char *since = cli_given(c, "since") ? cli_value(c, "since") : "24h";
	struct replay x = {.changes = json_array(), .reasons = json_object()};
	struct policy_input in;
	uint64_t seconds = DAY_S;
	int r;

	if (cli_duration(since, &seconds) != 0) {
		r = cli_usage(c, "--since must be a number with s, m, h or d, such as 24h, not \"%s\"", since);
	} else {
		r = policy_input_load(c, c->operand[0], POLICY_TOOLS_BROKER, &in);
		x.decider = r == 0 ? policy_decider_new(in.set) : NULL;
		if (r == 0)
			r = x.decider == NULL ? cli_fail(c, "out of memory") : replay_span(c, &x, seconds);
		if (r == 0)
			print_replay(c, &x, since);
		policy_decider_free(x.decider);
		policy_input_free(&in);
	}
	json_decref(x.changes);
	json_decref(x.reasons);
	return r;
}
