/* Evaluation of expressions (spec, "Evaluation"). */
#ifndef CEDAR_EVAL_H
#define CEDAR_EVAL_H

#include "common/cedar/cedar_ast.h"
#include "common/cedar/cedar_entities.h"

struct cedar_request {
	const struct cedar_uid *principal;
	const struct cedar_uid *action;
	const struct cedar_uid *resource;
	struct cedar_value context; /* a record */
};

/* Why an expression has no value. */
struct cedar_fault {
	enum cedar_code code;
	const struct cedar_expr *expr;
};

/* An entity looked up before; NULL in `uid` is none. */
struct cedar_known {
	const struct cedar_uid *uid;
	const struct cedar_entity *entity; /* NULL: not stored */
};

/* One request's evaluation; the results live as long as `arena`. */
struct cedar_eval {
	const struct cedar_request *request; /* NULL: no variables */
	const struct cedar_entities *entities;
	struct cedar_arena *arena;
	uint32_t steps; /* still allowed */
	struct cedar_fault fault;
	struct cedar_known known[2]; /* principal and resource */
};

/* The stored entity, or NULL: at once for those that are known. */
const struct cedar_entity *cedar_eval_entity(const struct cedar_eval *eval, const struct cedar_uid *uid);

/* The expression's value: 0, or a negated code with eval->fault set. */
int cedar_eval_expr(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out);

/* The same, and CEDAR_E_TYPE unless the value is a Bool. */
int cedar_eval_bool(struct cedar_eval *eval, const struct cedar_expr *expr, bool *out);

/* Whether `uid` is `ancestor` or below it. */
bool cedar_eval_is_in(const struct cedar_entities *entities, const struct cedar_uid *uid,
		      const struct cedar_uid *ancestor);

/*
 * Computes constant sets, records and constructor calls once and keeps the result
 * in the tree. A constant that fails stays as it is and fails when evaluated.
 */
void cedar_fold_expr(struct cedar_expr *expr, struct cedar_arena *arena);

/*
 * A copy of the tree in one run of memory, each node before its operands. NULL
 * when memory ends. Names, texts and folded parts stay where they are.
 */
struct cedar_expr *cedar_compact_expr(const struct cedar_expr *expr, struct cedar_arena *arena);

/* For the parts of the evaluator. */
int cedar_eval_fail(struct cedar_eval *eval, const struct cedar_expr *expr, enum cedar_code code);
int cedar_eval_charge(struct cedar_eval *eval, const struct cedar_expr *expr, size_t steps);
int cedar_eval_call(struct cedar_eval *eval, const struct cedar_expr *expr, struct cedar_value *out);
int cedar_eval_extension(struct cedar_eval *eval, const struct cedar_expr *expr, const struct cedar_value *args,
			 struct cedar_value *out);

/* Whether `s` matches; at most about |s| * pieces steps. */
bool cedar_pattern_match(const struct cedar_pattern *pattern, struct cedar_str s);

#endif
