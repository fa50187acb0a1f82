/* keepgate policy explain: why a call was, or would be, allowed or denied. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keepgate/ask.h"
#include "keepgate/audit_source.h"
#include "keepgate/policy_commands.h"
#include "keepgate/policy_question.h"

/* "FILE:LINE:COLUMN" of an object with these members; the column is not always there. */
static void print_place(const struct policy_input *x, const json_t *at)
{
	policy_input_print_file(stdout, x, ask_text(at, "file"));
	printf(":%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(at, "line")));
	if (json_object_get(at, "column") != NULL)
		printf(":%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(at, "column")));
}

static void print_policies(const struct policy_input *x, const json_t *list)
{
	json_t *p;
	size_t i;

	json_array_foreach(list, i, p)
	{
		printf("because of: %s \"", ask_text(p, "effect"));
		cli_puts_safe(stdout, ask_text(p, "id"));
		printf("\" at ");
		print_place(x, p);
		printf("\n");
	}
}

static void print_errors(const struct policy_input *x, const json_t *list)
{
	json_t *p;
	size_t i;

	json_array_foreach(list, i, p)
	{
		const json_t *at = json_object_get(p, "at");

		printf("failed: %s \"", ask_text(p, "effect"));
		cli_puts_safe(stdout, ask_text(p, "id"));
		printf("\" at ");
		print_place(x, at);
		printf(": ");
		cli_puts_safe(stdout, ask_text(at, "condition"));
		printf(": ");
		cli_puts_safe(stdout, ask_text(p, "error"));
		printf("\n");
	}
}

static void print_considered(const struct policy_input *x, const json_t *list)
{
	json_t *p;
	size_t i;

	json_array_foreach(list, i, p)
	{
		const json_t *condition = json_object_get(p, "false");

		printf("would permit: \"");
		cli_puts_safe(stdout, ask_text(p, "id"));
		printf("\" but for ");
		print_place(x, condition);
		printf(": ");
		cli_puts_safe(stdout, ask_text(condition, "condition"));
		printf("\n");
	}
}

static void print_missing(const json_t *list, bool four_eyes)
{
	json_t *what;
	size_t i;

	json_array_foreach(list, i, what)
	{
		printf("%s%s", i == 0 ? "what would help: " : ", ",
		       json_is_string(what) ? json_string_value(what) : "?");
	}
	if (json_array_size(list) > 0)
		printf("%s\n", four_eyes ? " by another person" : "");
}

static void print_explanation(const struct policy_input *x, const json_t *e)
{
	const json_t *policies = json_object_get(e, "policies"), *errors = json_object_get(e, "errors");
	const json_t *considered = json_object_get(e, "considered");

	printf("%s\n", ask_text(e, "decision"));
	if (ask_text(e, "reason")[0] != '\0') {
		printf("reason: ");
		cli_puts_safe(stdout, ask_text(e, "reason"));
		printf("\n");
	}
	print_policies(x, policies);
	print_errors(x, errors);
	print_considered(x, considered);
	print_missing(json_object_get(e, "missing"), json_is_true(json_object_get(e, "four_eyes")));
	if (strcmp(ask_text(e, "decision"), "deny") == 0 &&
	    json_array_size(policies) + json_array_size(errors) + json_array_size(considered) == 0)
		printf("no permit's scope matches this call\n");
}

/* Takes the explanation over. */
static int tell(const struct cli *c, const struct policy_input *x, json_t *e, const char *recorded)
{
	char hex[2 * HASH_LEN + 1];

	if (e == NULL)
		return cli_fail(c, "out of memory");
	policy_input_hash(x, hex);
	if (recorded[0] != '\0' && strcmp(hex, recorded) != 0)
		fprintf(stderr,
			"warning: this set is not the one that decided then: sha256 %s here, %.64s on record; give the "
			"folder of that time with --dir\n",
			hex, recorded);
	json_object_set_new(e, "policy_sha256", json_string(hex));
	if (cli_given(c, "json"))
		cli_json(stdout, e);
	else
		print_explanation(x, e);
	json_decref(e);
	return KG_EXIT_OK;
}

static int explain_question(const struct cli *c, const struct policy_input *x, struct policy_decider *d)
{
	struct policy_question q;
	int r = policy_question_read(c, x, &q);

	if (r == 0)
		r = tell(c, x, policy_explain(d, &q.request), "");
	policy_question_free(&q);
	return r;
}

struct found {
	json_t *doc;
};

static int keep_doc(const struct audit_record *r, void *arg)
{
	struct found *f = arg;

	f->doc = json_incref(r->doc);
	return 0;
}

/* The record of this number; of an outcome, its intent. */
static int find_event(const struct cli *c, uint64_t seq, json_t **out)
{
	struct audit_source s;
	struct found f = {0};
	uint64_t intent;
	int r = audit_open(c, &s);

	if (r == 0)
		r = audit_walk(&s, seq, seq, keep_doc, &f);
	intent = audit_number(f.doc, "intent_seq");
	if (r == 0 && intent != 0) {
		json_decref(f.doc);
		f.doc = NULL;
		r = audit_walk(&s, intent, intent, keep_doc, &f);
	}
	if (r == 0 && f.doc == NULL)
		r = cli_fail(c, "there is no record %" PRIu64, seq);
	if (r == 0 && !json_is_object(json_object_get(f.doc, "facts"))) {
		json_decref(f.doc);
		return cli_fail(c, "no policy was asked about record %" PRIu64 ": see keepgate audit show %" PRIu64,
				seq, seq);
	}
	*out = f.doc;
	return r;
}

static int explain_event(const struct cli *c, const struct policy_input *x, struct policy_decider *d)
{
	json_t *doc = NULL, *e;
	const char *why = "the record cannot be read";
	uint64_t seq;
	char *facts;
	int r;

	if (cli_number(c, "event", 1, INT64_MAX, 0, &seq) != 0)
		return KG_EXIT_USAGE;
	r = find_event(c, seq, &doc);
	if (r != 0)
		return r;
	facts = json_dumps(json_object_get(doc, "facts"), JSON_COMPACT | JSON_SORT_KEYS);
	e = facts == NULL ? NULL : policy_explain_facts(d, facts, strlen(facts), &why);
	if (e == NULL)
		r = cli_fail(c, "record %" PRIu64 " cannot be asked again over this set: %s", seq, why);
	else
		r = tell(c, x, e, audit_text(doc, NULL, "policy_sha256"));
	free(facts);
	json_decref(doc);
	return r;
}

int policy_explain_run(const struct cli *c)
{
	const char *dir = cli_value(c, "dir");
	struct policy_decider *d;
	struct policy_input x;
	int r;

	if (!cli_given(c, "event") && (!cli_given(c, "agent") || !cli_given(c, "tool")))
		return cli_usage(c, "give --event SEQ, or a question: at least --agent and --tool");
	if (cli_given(c, "event") && (cli_given(c, "agent") || cli_given(c, "tool")))
		return cli_usage(c, "give --event SEQ or a question, not both");
	r = dir == NULL ? policy_input_configured(c, &x) : policy_input_load(c, dir, POLICY_TOOLS_BROKER, &x);
	d = r == 0 ? policy_decider_new(x.set) : NULL;
	if (r == 0 && d == NULL)
		r = cli_fail(c, "out of memory");
	if (r == 0)
		r = cli_given(c, "event") ? explain_event(c, &x, d) : explain_question(c, &x, d);
	policy_decider_free(d);
	policy_input_free(&x);
	return r;
}
