/*
 * The question to the decision point of others, and its word on the record. The question is an AuthZEN 1.0 evaluation
 * request in the vocabulary of COAZ's mapping for MCP (tools/call on a resource of type tool); the pdp role brings it
 * into the form that its decision point knows.
 */
#ifndef BROKER_PDP_H
#define BROKER_PDP_H

#include "common/buf.h"
#include "common/err.h"
#include "gatewayd/broker/request.h"

#define PDP_QUESTION_MAX 262144u /* PDP_ASK.request of one question */
#define PDP_SLACK_MS 200u        /* for the way there and back, beyond its own time */

/* Appends the question. KG_E_LIMIT when it passes the buffer: the arguments are never left out, a rule may rest on
 * them. */
int pdp_question_put(struct buf *out, const struct act *a, const struct tool *t, const struct decision *v) MUST_CHECK;

/* Who asks, from where and when, before any arguments are known: what all the questions of a list have in common. */
struct pdp_listing {
	const struct session *session;
	struct ipc_bytes source;
	uint64_t now_unix;
	const uint8_t *policy_sha256; /* HASH_LEN */
};

/* The question about a call of the tool, without its arguments and their hash. */
int pdp_shown_put(struct buf *out, const struct pdp_listing *l, const struct tool *t) MUST_CHECK;

/*
 * The same about many tools as one AuthZEN evaluations request (Authorization API 1.0, section 7): the beginning, each
 * tool, the end.
 */
int pdp_batch_begin(struct buf *out, const struct pdp_listing *l) MUST_CHECK;
int pdp_batch_add(struct buf *out, const struct tool *t, bool first) MUST_CHECK;
int pdp_batch_end(struct buf *out) MUST_CHECK;

/* Appends facts (a canonical object, or nothing) with the member "external" in its place. KG_E_LIMIT, KG_E_PROTO. */
int pdp_facts_put(struct buf *out, struct ipc_bytes facts, bool permit, const char *reason_code) MUST_CHECK;

#endif
