/* A question typed by hand, as the broker would ask it: `keepgate policy explain --human H --agent A --tool
 * SERVER/TOOL`. */
#ifndef KEEPGATE_POLICY_QUESTION_H
#define KEEPGATE_POLICY_QUESTION_H

#include "keepgate/cli.h"
#include "keepgate/policy_input.h"

/* Its options, for a command's table. */
#define POLICY_QUESTION_OPTIONS                                                                                        \
	{"human", "WHO", 0, "for whom; without it the agent acts for itself"},                                         \
		{"agent", "NAME", 0, "the agent that calls"}, {"tool", "SERVER/TOOL", 0, "what it calls"},             \
		{"args", "JSON", 0, "with which arguments, or @FILE (default: {})"},                                   \
		{"consent", "TIER", 0, "the consent covers the tool up to this tier: read or write"},                  \
		{"approver", "WHO", 0, "who has approved exactly this call"},                                          \
		{"mfa", NULL, 0, "the approver's account needs a second factor"},                                      \
		{"source", "IP", 0, "where the call comes from (default: 127.0.0.1)"},                                 \
		{"now", "TIME", 0, "when, such as 2026-11-21T09:30:00+01:00, in the local time that policies see"},    \
		{"risk", "N", 0, "0 to 100 (default: 0)"},                                                             \
	{                                                                                                              \
		"labels", "LIST", 0, "separated by commas"                                                             \
	}

#define POLICY_LABELS_MAX 32 /* as many as a session can have */

struct policy_question {
	struct policy_request request; /* points into what follows */
	char *server, *tool, *labels;  /* owned */
	const char *label[POLICY_LABELS_MAX];
	char *text; /* owned: the arguments */
	struct json_doc args;
	uint8_t args_sha256[HASH_LEN], zero[ID_LEN];
};

/*
 * Reads the question from the options, over the tools of x. 0, or an exit status after the mistake was told. Arguments
 * that do not fit the tool's schema are told too, and asked about all the same. Freed in any case.
 */
int policy_question_read(const struct cli *c, const struct policy_input *x, struct policy_question *out) MUST_CHECK;
void policy_question_free(struct policy_question *q);

/* A time of RFC 3339 in milliseconds since 1970, and its offset from UTC in seconds; KG_E_INVALID. */
int policy_question_time(const char *text, uint64_t *unix_ms, int32_t *offset_s) MUST_CHECK;

#endif
