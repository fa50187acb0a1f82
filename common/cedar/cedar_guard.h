/*
 * A policy's first conjunct where it only compares an attribute of the request
 * with a constant: such tests lie together in the index, so that most policies
 * that are false cost no look at the policy (spec, "Authorization").
 */
#ifndef CEDAR_GUARD_H
#define CEDAR_GUARD_H

#include "common/cedar/cedar_eval.h"
#include "common/cedar/cedar_policyset.h"

#define CEDAR_GUARD_SLOTS 16u

/* 24 bytes: thousands are read for one decision. */
struct cedar_guard {
	uint8_t slot; /* of the attribute, from 1; 0: no guard */
	uint8_t op;   /* enum cedar_op; CEDAR_X_ATTR: the attribute is the test */
	bool unless;
	bool forbid;
	struct cedar_span span; /* of the test */
	int64_t value;
};

/* The attributes that the guards of one index read; more than fit have no guard. */
struct cedar_guard_table {
	struct {
		enum cedar_var var;
		struct cedar_str name;
	} slots[CEDAR_GUARD_SLOTS];
	size_t count;
};

/* The attributes' values in one request, looked up once each. */
struct cedar_guard_values {
	const struct cedar_value *values[CEDAR_GUARD_SLOTS]; /* NULL: none */
	uint32_t known;                                      /* bits */
};

/* The guard of a compiled rule, perhaps none; names are borrowed from the rule. */
struct cedar_guard cedar_guard_make(struct cedar_guard_table *table, const struct cedar_rule *rule);

/*
 * Whether the guard's test is certainly false, without an error, so that the rule
 * is not satisfied. False also when there is no guard or the full test must tell.
 */
bool cedar_guard_refuses(const struct cedar_guard_table *table, const struct cedar_guard *guard,
			 const struct cedar_eval *eval, struct cedar_guard_values *values);

#endif
