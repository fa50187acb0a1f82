#include "common/cedar/cedar_authorize.h"

#include <stdio.h>

#include "common/cedar/cedar_index.h"
#include "common/cedar/cedar_limits.h"
#include "common/cedar/cedar_sort.h"

/* What one policy came to; lists of these grow in the arena. */
struct outcome {
	struct cedar_list permits;
	struct cedar_list forbids;
	struct cedar_list failures;
	struct cedar_list refusals;
};

struct hearing {
	struct cedar_eval eval;
	struct outcome outcome;
	bool forbid_failed;
};

/*
 * The index found the rule by all of its scope but the type that stands beside an
 * `in`: it files `is T in x` under x.
 */
static bool type_holds(const struct cedar_scope *scope, const struct cedar_uid *uid)
{
	return scope->op != CEDAR_SCOPE_IS_IN || cedar_str_equal(uid->type, scope->type);
}

static bool rule_applies(const struct cedar_eval *eval, const struct cedar_rule *rule)
{
	return !rule->typed || (type_holds(&rule->policy->principal, eval->request->principal) &&
				type_holds(&rule->policy->resource, eval->request->resource));
}

/* A when-condition's conjuncts one by one, to know which one was false. */
static int test_condition(struct cedar_eval *eval, const struct cedar_condition *condition, bool *holds,
			  struct cedar_span *where)
{
	const struct cedar_expr *body = condition->body;
	bool value = false;
	uint32_t i;
	int rc;

	*holds = true;
	*where = body->span;
	if (condition->unless || body->op != CEDAR_X_AND) {
		rc = cedar_eval_bool(eval, body, &value);
		*holds = value != condition->unless;
		return rc;
	}
	for (i = 0; *holds && i < body->count; i++) {
		rc = cedar_eval_bool(eval, body->kids[i], holds);
		*where = body->kids[i]->span;
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int note_failure(struct hearing *hearing, const struct cedar_rule *rule)
{
	struct cedar_failure *failure = cedar_arena_alloc(hearing->eval.arena, sizeof(*failure));

	if (failure == NULL)
		return -CEDAR_E_MEMORY;
	*failure = (struct cedar_failure){rule, hearing->eval.fault.code, hearing->eval.fault.expr};
	if (rule->forbid)
		hearing->forbid_failed = true;
	return cedar_list_add(&hearing->outcome.failures, hearing->eval.arena, failure);
}

static int note_refusal(struct hearing *hearing, const struct cedar_rule *rule, struct cedar_span span)
{
	const struct outcome *outcome = &hearing->outcome;
	struct cedar_refusal *refusal;

	/* Only a default deny is explained, and this will be none. */
	if (rule->forbid || outcome->permits.count > 0 || outcome->forbids.count > 0)
		return 0;
	refusal = cedar_arena_alloc(hearing->eval.arena, sizeof(*refusal));
	if (refusal == NULL)
		return -CEDAR_E_MEMORY;
	*refusal = (struct cedar_refusal){rule, span};
	return cedar_list_add(&hearing->outcome.refusals, hearing->eval.arena, refusal);
}

static int hear_rule(void *context, const struct cedar_rule *rule, const struct cedar_span *refused)
{
	struct hearing *hearing = context;
	struct cedar_eval *eval = &hearing->eval;
	struct cedar_span span = {0};
	bool holds = true;
	size_t i;

	if (refused != NULL)
		return note_refusal(hearing, rule, *refused);
	if (!rule_applies(eval, rule))
		return 0;
	for (i = 0; holds && i < rule->condition_count; i++)
		if (test_condition(eval, &rule->conditions[i], &holds, &span) != 0)
			return note_failure(hearing, rule);
	if (!holds)
		return note_refusal(hearing, rule, span);
	return cedar_list_add(rule->forbid ? &hearing->outcome.forbids : &hearing->outcome.permits, eval->arena,
			      (void *)(uintptr_t)rule);
}

static int order_rules(const void *a, const void *b)
{
	uint32_t x = (*(const struct cedar_rule *const *)a)->order;
	uint32_t y = (*(const struct cedar_rule *const *)b)->order;

	return (x > y) - (x < y);
}

/* Failures and refusals both begin with their rule. */
static int order_notes(const void *a, const void *b)
{
	uint32_t x = (*(const struct cedar_refusal *const *)a)->rule->order;
	uint32_t y = (*(const struct cedar_refusal *const *)b)->rule->order;

	return (x > y) - (x < y);
}

static int give_failures(struct hearing *hearing, struct cedar_decision *decision)
{
	struct cedar_list *list = &hearing->outcome.failures;
	size_t i;

	cedar_sort(list->items, list->count, sizeof(*list->items), order_notes);
	decision->failures = cedar_arena_array(hearing->eval.arena, list->count, sizeof(*decision->failures));
	if (decision->failures == NULL)
		return -CEDAR_E_MEMORY;
	for (i = 0; i < list->count; i++)
		decision->failures[i] = *(struct cedar_failure *)list->items[i];
	decision->failure_count = list->count;
	return 0;
}

static int give_refusals(struct hearing *hearing, struct cedar_decision *decision)
{
	struct cedar_list *list = &hearing->outcome.refusals;
	size_t i;

	cedar_sort(list->items, list->count, sizeof(*list->items), order_notes);
	decision->refusals = cedar_arena_array(hearing->eval.arena, list->count, sizeof(*decision->refusals));
	if (decision->refusals == NULL)
		return -CEDAR_E_MEMORY;
	for (i = 0; i < list->count; i++)
		decision->refusals[i] = *(struct cedar_refusal *)list->items[i];
	decision->refusal_count = list->count;
	return 0;
}

int cedar_authorize(const struct cedar_policies *set, const struct cedar_entities *entities,
		    const struct cedar_request *request, struct cedar_arena *arena, struct cedar_decision *out)
{
	struct hearing hearing = {
		.eval = {.request = request, .entities = entities, .arena = arena, .steps = CEDAR_MAX_STEPS}};
	struct cedar_decision decision = {0};
	struct cedar_list *reasons;
	int rc;

	hearing.eval.known[0] =
		(struct cedar_known){request->principal, cedar_entities_find(entities, request->principal)};
	hearing.eval.known[1] =
		(struct cedar_known){request->resource, cedar_entities_find(entities, request->resource)};
	rc = cedar_index_visit(cedar_policies_index(set), &hearing.eval, hear_rule, &hearing);
	if (rc != 0)
		return rc;
	decision.allow = hearing.outcome.forbids.count == 0 && hearing.outcome.permits.count > 0;
	decision.forbid_failed = hearing.forbid_failed;
	reasons = decision.allow ? &hearing.outcome.permits : &hearing.outcome.forbids;
	cedar_sort(reasons->items, reasons->count, sizeof(*reasons->items), order_rules);
	decision.reasons = (const struct cedar_rule **)reasons->items;
	decision.reason_count = reasons->count;
	rc = give_failures(&hearing, &decision);
	if (rc == 0 && !decision.allow && decision.reason_count == 0)
		rc = give_refusals(&hearing, &decision);
	if (rc == 0)
		*out = decision;
	return rc;
}

void cedar_failure_describe(const struct cedar_failure *failure, char *out, size_t size)
{
	static const char *const texts[] = {
		[CEDAR_E_MEMORY] = "the request's memory limit is reached",
		[CEDAR_E_LIMIT] = "an evaluation limit is reached",
		[CEDAR_E_TYPE] = "an operand has the wrong type",
		[CEDAR_E_OVERFLOW] = "the result does not fit 64 bits",
		[CEDAR_E_NO_TAG] = "the entity has no such tag",
		[CEDAR_E_NO_ENTITY] = "the entity is not stored",
		[CEDAR_E_EXTENSION] = "the argument is malformed",
		[CEDAR_E_ARITY] = "wrong number of arguments",
	};
	const struct cedar_expr *expr = failure->expr;
	const char *text = NULL;

	if (failure->code == CEDAR_E_NO_ATTRIBUTE && expr->name_count > 0) {
		(void)snprintf(out, size, "attribute `%.*s` is missing", CEDAR_SHOW(expr->names[0]));
		return;
	}
	if ((size_t)failure->code < sizeof(texts) / sizeof(texts[0]))
		text = texts[failure->code];
	(void)snprintf(out, size, "%s", text != NULL ? text : cedar_code_name(failure->code));
}
