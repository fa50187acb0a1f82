/* Decisions (spec, "Authorization") and their explanations. */
#ifndef CEDAR_AUTHORIZE_H
#define CEDAR_AUTHORIZE_H

#include "common/cedar/cedar_eval.h"
#include "common/cedar/cedar_policyset.h"

/* A policy whose evaluation failed: it counts as not satisfied. */
struct cedar_failure {
	const struct cedar_rule *rule;
	enum cedar_code code;
	const struct cedar_expr *expr; /* that failed */
};

/* A permit whose scope matched, and its first condition that was false. */
struct cedar_refusal {
	const struct cedar_rule *rule;
	struct cedar_span span; /* in the rule's source text */
};

/* Everything lives in the request's arena and the policy set. */
struct cedar_decision {
	bool allow;
	bool forbid_failed; /* fail closed on it */
	const struct cedar_rule **reasons;
	size_t reason_count;
	struct cedar_failure *failures;
	size_t failure_count;
	struct cedar_refusal *refusals; /* of a default deny */
	size_t refusal_count;
};

/*
 * Decides. `set` and `entities` are sealed; `arena` is the request's scratch,
 * reset by the caller between requests, and nothing else is allocated. Lists are
 * in the set's order. 0; -CEDAR_E_MEMORY when the arena ends: then deny.
 *
 * Cedar skips a failing forbid. A gateway that fails closed denies when
 * decision->forbid_failed is set, whatever decision->allow says.
 */
int cedar_authorize(const struct cedar_policies *set, const struct cedar_entities *entities,
		    const struct cedar_request *request, struct cedar_arena *arena, struct cedar_decision *decision);

/*
 * Writes what failed in words, such as "attribute `a` is missing", NUL-ended and
 * cut to `size`.
 */
void cedar_failure_describe(const struct cedar_failure *failure, char *out, size_t size);

#endif
