/*
 * The one decision: may this agent, for this human, under this consent, do this now? Calls and
 * lists ask the same question, so that a list shows exactly what a call would be allowed.
 * First form: read is allowed inside a consent, write needs a consent of that tier,
 * destructive is refused. The Cedar engine takes the place of what stands behind this.
 */
#ifndef BROKER_DECIDE_H
#define BROKER_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/call.h"
#include "common/config.h"
#include "common/json.h"
#include "gatewayd/broker/catalogue.h"
#include "gatewayd/broker/sessions.h"

#define DECISION_REASON_MAX 512

/* Everything that a decision may rest on. All pointers are borrowed. */
struct decision_request {
	const uint8_t *session, *consent; /* ID_LEN */
	const char *human, *agent;
	uint8_t consent_tier;
	uint64_t consent_until_unix;
	const struct patterns *consent_tools;
	uint8_t method; /* enum mcp_method of the act in question: MCP_TOOLS_CALL, also when listing */
	const char *upstream;
	const char *tool;                   /* the server's own name */
	const char *qualified;              /* "upstream/tool" */
	const uint8_t *def_sha256;          /* HASH_LEN */
	uint8_t tier;                       /* the effective one */
	const struct json_doc *args, *meta; /* NULL when listing: the arguments are not known yet */
	struct ipc_bytes client, source;    /* unverified text; the peer's address */
	uint64_t now_unix;
};

struct decision {
	bool allow;
	bool visible;                     /* inside the consent at all: else its existence is not told */
	const char *reason_code;          /* static */
	char reason[DECISION_REASON_MAX]; /* for the agent and its human; "" when allowed */
	const uint8_t *policy_sha256;     /* HASH_LEN, of the policy set that decided; lives as long as the policy */
};

/* Fills in what comes from the session, and what comes from the tool. */
void decision_request_session(struct decision_request *q, const struct session *s);
void decision_request_tool(struct decision_request *q, const struct tool *t);

struct policy;

/* The policy of a configuration. Fatal when out of memory. */
struct policy *policy_new(const struct config *config);
void policy_free(struct policy *p);
const uint8_t *policy_hash(const struct policy *p);

/* Never fails: what cannot be decided is a denial with its reason. */
void decide(const struct policy *p, const struct decision_request *q, struct decision *out);

/* Whether a consent covers "server/tool". */
bool patterns_cover(const struct patterns *p, const char *qualified);

#endif
