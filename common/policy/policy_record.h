/* Questions as a record keeps them; for common/policy only. */
#ifndef POLICY_POLICY_RECORD_H
#define POLICY_POLICY_RECORD_H

#include "common/policy/policy_set.h"

/* A question read back from a record, with all that it borrows. */
struct recorded {
	struct policy_request q;
	struct json_doc args;
	char *args_text;
	char human[POLICY_NAME_MAX + 1], agent[POLICY_NAME_MAX + 1], server[POLICY_NAME_MAX + 1],
		tool[POLICY_NAME_MAX + 1], approver[POLICY_NAME_MAX + 1], source_ip[64];
	uint8_t session[ID_LEN], consent[ID_LEN], tool_sha256[HASH_LEN], args_sha256[HASH_LEN];
	char **labels;
	bool unfit; /* the question did not fit the schema */
};

/*
 * Reads facts for a set. KG_E_PROTO: they are none; KG_E_NOTFOUND: the set speaks of what was not recorded, or does not
 * know the tool; both with *why. recorded_free() in any case.
 */
int recorded_read(struct recorded *r, const struct policy_set *s, const char *facts, size_t len,
		  const char **why) MUST_CHECK;
void recorded_free(struct recorded *r);

/*
 * The members of a tool's arguments that the set's policies may look at, each as a JSON pointer. Stops when fn returns
 * other than 0, and returns that.
 */
typedef int spoken_fn(void *arg, const char *pointer, size_t len);
int plan_spoken(const struct plan *args, spoken_fn *fn, void *arg) MUST_CHECK;

#endif
