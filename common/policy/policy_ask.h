/* A question of others while it is asked; for common/policy only. */
#ifndef POLICY_POLICY_ASK_H
#define POLICY_POLICY_ASK_H

#include "common/policy/policy_set.h"

struct asking {
	struct policy_decider *d;
	const struct cedar_schema_action *action;
	struct cedar_error error;
};

/* Finds the action of that name for resources of a type; KG_E_INVALID with d->why. */
int ask_action(struct asking *a, const char *resource_type, const char *name) MUST_CHECK;

#endif
