/*
 * Policy over MCP: a set of Cedar policies with its schema and entities, and the questions that the
 * broker, the AuthZEN endpoint and `keepgate policy` ask it (design: policy.md, the seven points of
 * its overlay). It knows no daemon and no message: everything comes in as plain structs.
 *
 * A set is immutable once built: a new one is built beside it and takes its place by one pointer.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "common/json.h"

#define POLICY_FILES_MAX 1000
#define POLICY_BYTES_MAX (16ul * 1048576ul) /* of a set's files together */
#define POLICY_NAME_MAX 255
#define POLICY_REASON_MAX 512
#define POLICY_IDS_MAX 1024

/*
 * One file of a set: *.cedar, *.cedarschema (the operator's half), entities.json; cases.json may stand beside them and
 * means nothing here. Borrowed.
 */
struct policy_file {
	const char *name;
	const char *text;
	size_t len;
};

/* A pinned tool, as it was accepted. Borrowed. */
struct policy_tool {
	const char *server, *name;
	uint8_t tier;           /* the effective one */
	const uint8_t *sha256;  /* HASH_LEN: the pin */
	const char *definition; /* canonical JSON of the accepted definition */
	size_t len;
	bool quarantined;
};

struct policy_server {
	const char *name;
	const char *environment; /* "dev", "staging", "prod" */
	uint32_t min_trust;
	bool quarantined;
};

/* All that a set is built from. */
struct policy_source {
	const struct policy_file *files; /* none: the default set that is compiled in */
	size_t nfiles;
	const char *data; /* live entities: a JSON array of Cedar entities, in the place of those of the same uid; or
			     NULL */
	size_t data_len;
	const struct policy_server *servers;
	size_t nservers;
	const struct policy_tool *tools;
	size_t ntools;
};

struct policy_set;

/*
 * Parses everything, generates the schema's half from the tools, validates strictly, checks the
 * entities. On KG_E_CONFIG every fault stands in errors as a line "FILE:LINE:COLUMN: what", at most
 * 100 of them, and *out is NULL. KG_E_NOMEM. Nothing of the source is kept by reference.
 */
int policy_set_build(const struct policy_source *source, struct policy_set **out, struct buf *errors) MUST_CHECK;
void policy_set_free(struct policy_set *s);

/* SHA-256 over schema (both halves), policies and base entities: the set's name on every decision. HASH_LEN. */
const uint8_t *policy_set_hash(const struct policy_set *s);
size_t policy_set_count(const struct policy_set *s); /* policies */
/*
 * Whether it was built for this definition of the tool at this tier. What it says of any other means nothing: it would
 * read the arguments by the schema of one that holds no more.
 */
bool policy_set_knows(const struct policy_set *s, const struct policy_tool *t);
/* The whole schema as Cedar text: the fixed half, the generated one, the operator's. Borrowed. */
const char *policy_set_schema(const struct policy_set *s, size_t *len);

/* What a question about one MCP act rests on. All borrowed. */
struct policy_request {
	const char *human; /* "" when nobody delegates: the agent is the principal */
	const char *agent;
	const uint8_t *session, *consent; /* ID_LEN */
	const char *server, *tool;        /* of a pinned tool; the set must know it */
	const uint8_t *tool_sha256;       /* HASH_LEN: the definition as listed now */
	const uint8_t *args_sha256;       /* HASH_LEN; NULL when listing */
	const struct json_doc *args;      /* the arguments (token 0); NULL when listing: they are unknown */
	bool schema_ok;
	bool consented; /* the consent covers this tool, at its tier, as it is defined */
	uint8_t consent_tier;
	uint64_t consent_expires_unix;
	bool approved;        /* somebody has approved exactly this call */
	const char *approver; /* a Human's id; "" */
	uint64_t approval_expires_unix;
	bool mfa; /* the approver's account needs a second factor (base.mfa) */
	uint64_t now_unix_ms;
	int32_t utc_offset_s;  /* of the tenant's time zone, now */
	const char *source_ip; /* without a port */
	int64_t risk;          /* 0 to 100 */
	const char *const *labels;
	size_t nlabels;
};

/* What would turn a denial into a permit (@on_deny of a permit whose scope matched). Bits. */
enum policy_help { POLICY_HELP_CONSENT = 1, POLICY_HELP_APPROVAL = 2, POLICY_HELP_STEP_UP = 4 };

struct policy_decision {
	bool allow;
	/* static: "policy-permit", "policy-forbid", "policy-default" (no permit), "policy-error" (a forbid failed, or a
	 * limit), "policy-request" (the request does not fit the schema) */
	const char *reason_code;
	char reason[POLICY_REASON_MAX]; /* for people: @reason texts, or what is missing; "" when allowed */
	char policies[POLICY_IDS_MAX];  /* ids of the determining ones, separated by commas; cut at a whole id, then
					   ",..." */
	uint8_t help;    /* enum policy_help; POLICY_HELP_APPROVAL only when an approval would in fact allow it */
	bool four_eyes;  /* an approval by the human itself would not do, one by another person would */
	uint64_t serial; /* the decider's last question, when it was this one: its facts need not ask again; else 0 */
};

/*
 * A decider: a set with the memory that questions need, so that a warm question allocates nothing.
 * One per thread; several may share a set. The set must live longer. NULL when out of memory.
 */
struct policy_decider;
struct policy_decider *policy_decider_new(const struct policy_set *s);
void policy_decider_free(struct policy_decider *d);

/* Never fails: what cannot be decided is a denial with its reason. */
void policy_decide(struct policy_decider *d, const struct policy_request *q, struct policy_decision *out);

/*
 * Whether a list shows the tool: some permit would, or could with the right arguments or an approval, allow it,
 * and no forbid that needs no argument refuses it. q->args is NULL.
 */
bool policy_shows(struct policy_decider *d, const struct policy_request *q);

/*
 * What a decision rested on, as a JSON object for the record: principal, agent, action, resource, the base context,
 * and of the arguments those members that some policy of the set speaks of (none when !arguments), the determining
 * policies, those in error. *v is the decision on *q; right after an allowed one nothing is decided again. Canonical
 * (sorted names, integers only; decimals as strings). At most max bytes: arguments that do not fit are left out, with
 * "cut": true.
 */
int policy_facts(struct policy_decider *d, const struct policy_request *q, const struct policy_decision *v,
		 bool arguments, size_t max, struct buf *out) MUST_CHECK;

/*
 * Asks again what a record says was asked: facts as policy_facts() wrote them, over this set. KG_E_NOTFOUND with
 * *why when a policy of this set speaks of an argument that was not recorded, or the tool is unknown to it.
 */
int policy_replay(struct policy_decider *d, const char *facts, size_t len, struct policy_decision *out,
		  const char **why) MUST_CHECK;

/*
 * Why: {"decision", "policies":[{"id","effect","file","line"}], "errors":[…], "considered":[{"id","effect","file",
 * "line","false":{"condition","file","line","column"}}], "missing":[…]}: the determining policies, those that failed,
 * and for a default denial each permit whose scope matched with the first condition that was false. Owned by the
 * caller; NULL when out of memory.
 */
json_t *policy_explain(struct policy_decider *d, const struct policy_request *q);
json_t *policy_explain_facts(struct policy_decider *d, const char *facts, size_t len, const char **why);

/* ---- Questions of others: any type of the operator's schema (AuthZEN 1.0). ---- */

struct policy_ask {
	const char *subject_type, *subject_id, *action, *resource_type, *resource_id;
	const json_t *subject_properties, *action_properties, *resource_properties, *context; /* objects or NULL */
};

/*
 * Types and actions are names of the set's schema ("App::User", "Gate::Human"; the action "read" is Action::"read", in
 * the namespace of the resource's type when it is declared there; a name that namespace Gate has too can be declared in
 * a namespace only). Properties become attributes of that entity where the schema marks the attribute
 * @caller("supplied"), and never override a stored one; others are ignored, as are members of the context that the
 * action does not declare. Denied, with reason "policy-request", when the schema does not know them or a value has
 * another type. KG_E_NOMEM.
 */
int policy_ask(struct policy_decider *d, const struct policy_ask *q, struct policy_decision *out) MUST_CHECK;

enum policy_search { POLICY_SEARCH_SUBJECT = 1, POLICY_SEARCH_RESOURCE, POLICY_SEARCH_ACTION };
/*
 * All known entities (or actions) that make policy_ask() a permit, sorted by id: the searched field of q is NULL
 * (its type is given, but for actions). fn gets each; KG_E_LIMIT after more than 10,000 candidates.
 */
int policy_search(struct policy_decider *d, const struct policy_ask *q, enum policy_search what,
		  void (*fn)(const char *id, void *arg), void *arg) MUST_CHECK;

#endif
