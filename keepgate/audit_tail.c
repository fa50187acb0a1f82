/* keepgate audit tail, show */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keepgate/audit_commands.h"
#include "keepgate/audit_row.h"

#define LINES_MAX 100000
#define FOLLOW_NS 300000000

static int keep_doc(const struct audit_record *r, void *arg)
{
	*(json_t **)arg = json_incref(r->doc);
	return 0;
}

/* One line; the outcome is fetched, for it may stand anywhere behind. */
static int print_call(const struct audit_source *s, const struct audit_record *r, bool json)
{
	json_t *outcome = NULL, *row;
	int err = r->outcome == 0 ? 0 : audit_walk(s, r->outcome, r->outcome, keep_doc, &outcome);

	if (err != 0)
		return err;
	row = audit_row(r, outcome);
	if (json)
		json_dumpf(row, stdout, JSON_COMPACT | JSON_ENSURE_ASCII), putchar('\n');
	else
		audit_row_print(stdout, row);
	json_decref(row);
	json_decref(outcome);
	return 0;
}

static bool is_outcome(const struct audit_record *r)
{
	return strcmp(audit_text(r->doc, NULL, "phase"), "outcome") == 0;
}

struct tail {
	struct audit_source source;
	bool json;
	uint64_t *seq; /* a ring of the last lines' records, while looking back */
	uint64_t lines, found;
	uint64_t shown; /* records up to here have been shown */
};

static int count_line(const struct audit_record *r, void *arg)
{
	struct tail *t = arg;

	if (!is_outcome(r))
		t->seq[t->found++ % t->lines] = r->seq;
	return 0;
}

static int print_record(const struct audit_record *r, void *arg)
{
	const struct tail *t = arg;

	return print_call(&t->source, r, t->json);
}

/* Twice as many records as lines are mostly enough: a call has at most two. */
static int look_back(struct tail *t, uint64_t size)
{
	uint64_t back = t->lines;
	int r = 0;

	do {
		back = back < size / 2 ? back * 2 : size;
		t->found = 0;
		r = audit_walk(&t->source, size - back + 1, size, count_line, t);
	} while (r == 0 && t->found < t->lines && back < size);
	return r;
}

static int show_last(struct tail *t, uint64_t size)
{
	uint64_t n;
	int r;

	t->shown = size;
	if (size == 0 || t->lines == 0)
		return 0;
	r = look_back(t, size);
	n = t->found < t->lines ? t->found : t->lines;
	for (uint64_t i = 0; r == 0 && i < n; i++) {
		uint64_t seq = t->seq[(t->found - n + i) % t->lines];

		r = audit_walk(&t->source, seq, seq, print_record, t);
	}
	return r;
}

/* What is new: a call's line comes with its outcome; one that is still open says so, and comes again. */
static int print_new(const struct audit_record *r, void *arg)
{
	struct tail *t = arg;
	uint64_t intent = audit_number(r->doc, "intent_seq");
	uint64_t before = t->shown;

	if (!is_outcome(r))
		return print_call(&t->source, r, t->json);
	return intent <= before ? audit_walk(&t->source, intent, intent, print_record, t) : 0;
}

static int follow(struct tail *t)
{
	static const struct timespec wait = {.tv_nsec = FOLLOW_NS};
	uint64_t size;
	int r;

	for (;;) {
		fflush(stdout);
		nanosleep(&wait, NULL);
		r = audit_size(&t->source, &size);
		if (r == 0 && size > t->shown)
			r = audit_walk(&t->source, t->shown + 1, size, print_new, t);
		if (r != 0)
			return r;
		t->shown = size;
	}
}

int audit_tail_run(const struct cli *c)
{
	struct tail t = {.json = cli_given(c, "json")};
	uint64_t size;
	int r = audit_open(c, &t.source);

	if (r != 0 || cli_number(c, "lines", 0, LINES_MAX, 20, &t.lines) != 0)
		return KG_EXIT_USAGE;
	t.seq = calloc(t.lines + 1, sizeof(*t.seq));
	if (t.seq == NULL)
		return cli_fail(c, "out of memory");
	r = audit_size(&t.source, &size);
	if (r == 0)
		r = show_last(&t, size);
	if (r == 0 && cli_given(c, "follow"))
		r = follow(&t);
	free(t.seq);
	return r;
}

struct shown {
	const struct audit_source *source;
	bool json, found;
};

static void print_doc(const char *title, const json_t *doc, bool json)
{
	if (!json)
		printf("%s\n", title);
	json_dumpf(doc, stdout, JSON_ENSURE_ASCII | (json ? JSON_COMPACT : JSON_INDENT(2)));
	putchar('\n');
}

static int show_record(const struct audit_record *r, void *arg)
{
	struct shown *x = arg;
	json_t *outcome = NULL;
	int err = r->outcome == 0 ? 0 : audit_walk(x->source, r->outcome, r->outcome, keep_doc, &outcome);

	if (err != 0)
		return err;
	x->found = true;
	if (r->doc == NULL)
		printf("record %" PRIu64 " is no JSON: run keepgate audit verify\n", r->seq);
	else
		print_doc("record:", r->doc, x->json);
	if (outcome != NULL)
		print_doc("outcome:", outcome, x->json);
	else if (r->state[0] != '\0' && !x->json)
		printf("outcome: %s\n", strcmp(r->state, "open") == 0 ? "open: the call is under way"
								      : "indeterminate: a process ended before it was "
									"recorded; the call may have taken effect");
	json_decref(outcome);
	return 0;
}

int audit_show_run(const struct cli *c)
{
	struct audit_source s;
	struct shown x = {.source = &s, .json = cli_given(c, "json")};
	char *end;
	uint64_t seq = strtoull(c->operand[0], &end, 10);
	int r = audit_open(c, &s);

	if (r != 0)
		return r;
	if (*end != '\0' || seq == 0 || seq > INT64_MAX || c->operand[0][0] < '0' || c->operand[0][0] > '9')
		return cli_usage(c, "SEQ is the number of a record, as keepgate audit tail shows it, not \"%s\"",
				 c->operand[0]);
	r = audit_walk(&s, seq, seq, show_record, &x);
	if (r == 0 && !x.found)
		return cli_fail(c, "there is no record %" PRIu64 " yet", seq);
	return r;
}
