/*
 * The one decision: may this agent, for this human, under this consent, do this now? First what no
 * policy can permit, as a table of refusals (decide.c); then the arguments; then the Cedar policies
 * in force; and a destructive tool always needs somebody's approval, whatever they say. Calls and lists ask the same
 * question, so that a list shows what a call could be allowed.
 */
#ifndef BROKER_DECIDE_H
#define BROKER_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc.h"
#include "common/json.h"
#include "common/policy/policy.h"
#include "gatewayd/broker/approvals.h"
#include "gatewayd/broker/catalogue.h"
#include "gatewayd/broker/pins.h"
#include "gatewayd/broker/sessions.h"

#define DECISION_REASON_MAX 512
#define DECISION_FACTS_MAX 24576u /* INTENT.facts */
#define DECISION_WORD_MAX 256u    /* the word of a decision point of others beside them */
#define DECISION_SOURCE_MAX 64

struct broker;

#define GUARDIAN_APPROVAL "guardian-approval" /* reason code */

/* Everything that a decision may rest on. All pointers are borrowed. */
struct decision_request {
	const struct session *session;
	const struct tool *tool;
	const struct json_doc *args; /* NULL when listing: they are not known yet */
	const uint8_t *args_sha256;  /* HASH_LEN; NULL with args */
	struct ipc_bytes source;     /* the peer's address, with its port */
	uint64_t now_unix;
	/* The approval that somebody is about to give: would it do? Nothing is noted of such a question. NULL: those
	 * that were given count. */
	const struct approval *offered;
};

struct decision {
	bool allow;
	bool visible;                     /* inside the consent at all: else its existence is not told */
	bool invalid_arguments;           /* the caller's own fault, which it can mend */
	bool needs_approval;              /* somebody's approval of exactly this call would allow it */
	bool four_eyes;                   /* but not that of the human itself */
	const char *reason_code;          /* static */
	char reason[DECISION_REASON_MAX]; /* for the agent and its human; "" when allowed */
	char policies[POLICY_IDS_MAX];    /* the ids of those that determined it; "" when none was asked */
	const uint8_t *policy_sha256;     /* HASH_LEN, of the set that decided; dead when another takes its place */
	const struct approval *approval;  /* the approved one of exactly this call; NULL. Dead with the next message */
	const struct approval *spent;     /* the approved one that the policies do not take, while another would do */
	struct ipc_bytes facts; /* what it rested on, for the record; empty when no policy was asked. Dead with the next
				   decision */
};

/* Never fails: what cannot be decided is a denial with its reason. */
void decide(struct broker *b, const struct decision_request *q, struct decision *out);

/* Whether a list shows the tool, as far as it is decided here: the same question without arguments. A decision point of
 * others is asked after it (lists.h). */
bool decide_shows(struct broker *b, const struct decision_request *q);

/* Whether a consent covers "server/tool". */
bool patterns_cover(const struct patterns *p, const char *qualified);

/* The address of "address:port" or "[address]:port"; "" when it does not fit. */
void source_address(struct ipc_bytes source, char out[DECISION_SOURCE_MAX + 1]);

#endif
