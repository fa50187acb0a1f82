/* One case of a set; for common/policy only. */
#ifndef POLICY_POLICY_CASE_H
#define POLICY_POLICY_CASE_H

#include "common/policy/policy_set.h"
#include "common/policy/policy_test.h"

/* Everything that a run borrows from the cases' JSON. */
struct run {
	json_t *root;
	struct policy_source source;
	struct policy_server *servers;
	struct policy_tool *tools;
	uint8_t (*hashes)[HASH_LEN];
	char **definitions; /* owned, by tool */
	char *entities;     /* owned */
	struct policy_set *set;
	struct policy_decider *decider;
	struct buf *errors;
	bool *determined; /* by cedar_rule.order */
	struct policy_cases *out;
};

/* A line about the cases; always KG_E_CONFIG. */
int case_fault(struct run *r, const char *what, const char *name);

/* Members of an object, or what holds without them. */
const char *case_text(const json_t *object, const char *name, const char *otherwise);
bool case_flag(const json_t *object, const char *name, bool otherwise);

/* Asks a case and compares. KG_E_CONFIG when it cannot be asked, KG_E_NOMEM. */
int case_run(struct run *r, const json_t *c, struct policy_case *out) MUST_CHECK;

#endif
