/* keepgate policy eval: one request against a folder that is complete by itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cedar/cedar_data.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_parse.h"
#include "keepgate/policy_commands.h"
#include "keepgate/policy_folder.h"

enum option { DIRECTORY, PRINCIPAL, ACTION, RESOURCE, CONTEXT, REQUEST, OPTIONS };

static const char *const option_names[OPTIONS] = {"--dir",      "--principal", "--action",
						  "--resource", "--context",   "--request"};

/* One question, its texts kept for messages. */
struct question {
	const char *options[OPTIONS];
	struct policy_folder folder;
	struct cedar_arena arena;
	struct cedar_request request;
	char *file; /* --request or --context @FILE */
	size_t file_size;
};

static int read_options(struct question *question, const struct cli *c)
{
	for (int option = 0; option < OPTIONS; option++)
		if (cli_given(c, option_names[option] + 2))
			question->options[option] = cli_value(c, option_names[option] + 2);
	if (question->options[REQUEST] == NULL &&
	    (question->options[PRINCIPAL] == NULL || question->options[ACTION] == NULL ||
	     question->options[RESOURCE] == NULL))
		return cli_usage(c, "give --request, or --principal, --action and --resource");
	return 0;
}

static int read_uid(struct question *question, enum option option, const struct cedar_uid **out)
{
	struct cedar_str text = cedar_str_from(question->options[option]);
	struct cedar_error error = {0};
	struct cedar_uid *uid = NULL;
	int rc = cedar_parse_uid_text(text, &question->arena, &uid, &error);

	if (rc != 0)
		policy_report(option_names[option], text, &error);
	*out = uid;
	return rc;
}

static int read_file(struct question *question, const char *path)
{
	question->file = policy_read_file(path, &question->file_size);
	if (question->file == NULL)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return question->file == NULL ? -1 : 0;
}

static int read_context(struct question *question, const char *name, struct cedar_str text)
{
	struct cedar_error error = {0};
	struct cedar_reader reader = {&question->arena, question->folder.schema, CEDAR_ESCAPES, &error};
	int rc = cedar_context_from_json(&reader, text, question->request.action, &question->request.context);

	if (rc != 0)
		policy_report(name, text, &error);
	return rc;
}

static int read_parts(struct question *question)
{
	const char *context = question->options[CONTEXT];
	int rc = read_uid(question, PRINCIPAL, &question->request.principal);

	if (rc == 0)
		rc = read_uid(question, ACTION, &question->request.action);
	if (rc == 0)
		rc = read_uid(question, RESOURCE, &question->request.resource);
	if (rc != 0)
		return rc;
	if (context == NULL)
		context = "{}";
	if (context[0] != '@')
		return read_context(question, "--context", cedar_str_from(context));
	rc = read_file(question, context + 1);
	return rc != 0 ? rc
		       : read_context(question, context + 1, (struct cedar_str){question->file, question->file_size});
}

/* {"principal", "action", "resource", "context"?} in a file. */
static int read_request(struct question *question)
{
	static const char *const keys[] = {"principal", "action", "resource", "context", NULL};
	const struct cedar_uid **uids[] = {&question->request.principal, &question->request.action,
					   &question->request.resource};
	const char *path = question->options[REQUEST];
	struct cedar_error error = {0};
	struct cedar_reader reader = {&question->arena, NULL, CEDAR_ESCAPES, &error};
	const struct cedar_json *context, *part;
	struct cedar_str text = CEDAR_STR("{}");
	struct cedar_json json;
	int rc = read_file(question, path), i;

	if (rc != 0)
		return rc;
	rc = cedar_json_parse((struct cedar_str){question->file, question->file_size}, &question->arena, &json, &error);
	if (rc == 0)
		rc = cedar_json_need(&json, CEDAR_J_OBJECT, &json, "a request", &error);
	if (rc == 0)
		rc = cedar_json_only(&json, keys, "a request", &error);
	for (i = 0; rc == 0 && i < 3; i++) {
		part = cedar_json_get(&json, keys[i]);
		rc = cedar_json_need(part, CEDAR_J_OBJECT, &json, keys[i], &error);
		if (rc == 0)
			rc = cedar_uid_from_json(&reader, part, uids[i]);
	}
	if (rc != 0) {
		policy_report(path, (struct cedar_str){question->file, question->file_size}, &error);
		return rc;
	}
	context = cedar_json_get(&json, "context");
	if (context != NULL)
		text = (struct cedar_str){question->file + context->start, (size_t)(context->end - context->start)};
	return read_context(question, path, text);
}

static void print_place(const struct question *question, const struct cedar_rule *rule, size_t offset)
{
	const struct cedar_source *source = cedar_policies_source(question->folder.policies, rule->policy->source);
	struct cedar_place place = cedar_locate(source->text, offset);

	printf("%.*s:%zu:%zu", (int)source->name.n, source->name.p, place.line, place.column);
}

static void print_refusal(const struct question *question, const struct cedar_refusal *refusal)
{
	const struct cedar_source *source =
		cedar_policies_source(question->folder.policies, refusal->rule->policy->source);
	struct cedar_str text = {source->text.p + refusal->span.start, refusal->span.end - refusal->span.start};

	printf("would permit: \"%.*s\" but for ", CEDAR_SHOW(refusal->rule->id));
	print_place(question, refusal->rule, refusal->span.start);
	printf(": %.*s\n", CEDAR_SHOW(text));
}

static void print_decision(const struct question *question, const struct cedar_decision *decision)
{
	const struct cedar_failure *failure;
	char what[CEDAR_ERROR_MAX];
	size_t i;

	printf("%s\n", decision->allow ? "allow" : "deny");
	for (i = 0; i < decision->reason_count; i++) {
		printf("because of: \"%.*s\" at ", CEDAR_SHOW(decision->reasons[i]->id));
		print_place(question, decision->reasons[i], decision->reasons[i]->policy->span.start);
		printf("\n");
	}
	for (i = 0; i < decision->failure_count; i++) {
		failure = &decision->failures[i];
		cedar_failure_describe(failure, what, sizeof(what));
		printf("failed: \"%.*s\" at ", CEDAR_SHOW(failure->rule->id));
		print_place(question, failure->rule, failure->expr->span.start);
		printf(": %s\n", what);
	}
	for (i = 0; i < decision->refusal_count; i++)
		print_refusal(question, &decision->refusals[i]);
	if (!decision->allow && decision->reason_count + decision->failure_count + decision->refusal_count == 0)
		printf("no permit's scope matches this request\n");
	if (decision->forbid_failed)
		printf("a forbid failed: the gateway denies this request\n");
}

static int answer(struct question *question)
{
	struct cedar_error error = {0};
	struct cedar_decision decision;

	if (question->folder.schema != NULL &&
	    cedar_schema_check_request(question->folder.schema, &question->request, &error) != 0) {
		fprintf(stderr, "the request is not valid: %s\n", error.what);
		return KG_EXIT_USAGE;
	}
	if (cedar_authorize(question->folder.policies, question->folder.entities, &question->request, &question->arena,
			    &decision) != 0) {
		fprintf(stderr, "out of memory\n");
		return KG_EXIT_PANIC;
	}
	print_decision(question, &decision);
	return decision.allow && !decision.forbid_failed ? 0 : 1;
}

int policy_eval_run(const struct cli *c)
{
	struct question question = {.options = {[DIRECTORY] = "."}};
	int r = read_options(&question, c);

	if (r != 0)
		return r;
	cedar_arena_init(&question.arena, CEDAR_MAX_REQUEST_ARENA);
	r = KG_EXIT_CONFIG;
	if (policy_folder_load(&question.folder, question.options[DIRECTORY]) == 0) {
		r = KG_EXIT_USAGE;
		if ((question.options[REQUEST] != NULL ? read_request(&question) : read_parts(&question)) == 0)
			r = answer(&question);
	}
	policy_folder_free(&question.folder);
	cedar_arena_free(&question.arena);
	free(question.file);
	return r;
}
