/*
 * Cases that a policy set must decide as they say, kept beside it in cases.json:
 *
 * {"servers": [{"name", "environment"?, "min_trust"?, "quarantined"?}],
 *  "tools": [{"server", "name", "tier", "definition": {…}, "quarantined"?}],
 *  "entities": […]?,                     in the place of those of the same uid in entities.json
 *  "cases": [{"name", "human"?, "agent"?, "server", "tool", "args"?: {…},
 *             "consent"?: {"tier", "covers": true, "expires"?}, "approval"?: {"approver", "expires"?},
 *             "now"?: RFC 3339 with its offset (the tenant's), "source_ip"?, "mfa"?, "risk"?, "labels"?: […],
 *             "schema_ok"?, "changed"?: the tool is listed with another definition than the accepted one,
 *             "list"?: true asks whether a list shows the tool; "allow" then means that it does,
 *             "expect": "allow"|"deny", "policies"?: [ids, any order], "reason"?: reason code,
 *             "help"?: ["consent"|"approval"|"step-up"], "four_eyes"?}]}
 *
 * Left out: human "alice@example.com", agent "claude-code", args {}, no consent, no approval, now
 * 2026-01-07T12:00:00Z (a Wednesday), source_ip 127.0.0.1, environment "dev". A server that a tool names needs no
 * entry.
 */
#ifndef POLICY_POLICY_TEST_H
#define POLICY_POLICY_TEST_H

#include "common/policy/policy.h"

#define POLICY_CASES_MAX 10000

struct policy_case {
	char *name; /* owned */
	bool passed;
	bool list;                /* asked of a list: v.allow tells whether it is shown, the rest of v is empty */
	char *why;                /* owned: what was expected and what came; NULL when it passed */
	struct policy_decision v; /* what came */
	json_t *explain;          /* owned: policy_explain() of it; NULL when it passed */
};

struct policy_cases {
	struct policy_case *items;
	size_t count, failed;
	char **determined; /* owned: ids that decided some case, sorted; their number tells the coverage */
	size_t ndetermined;
	char **undetermined; /* owned: ids that decided none, sorted */
	size_t nundetermined;
};

/*
 * Runs the cases of a text over the set of these files (as policy_dir_read() gives them). KG_E_CONFIG when the cases or
 * the set are faulty, with lines in errors; a case that fails is no error. *out is owned: policy_cases_free().
 */
int policy_cases_run(const struct policy_file *files, size_t nfiles, const char *cases, size_t len,
		     struct policy_cases *out, struct buf *errors) MUST_CHECK;
void policy_cases_free(struct policy_cases *c);

#endif
