/* The inside of a policy set and of a decider; for common/policy only. */
#ifndef POLICY_POLICY_SET_H
#define POLICY_POLICY_SET_H

#include "common/cedar/cedar_authorize.h"
#include "common/cedar/cedar_map.h"
#include "common/cedar/cedar_schema.h"
#include "common/policy/policy.h"

#define GATE_HUMAN "Gate::Human"
#define GATE_AGENT "Gate::Agent"
#define GATE_TOOL "Gate::Tool"
#define GATE_SERVER "Gate::Server"
#define GATE_BUNDLE "Gate::Bundle"
#define GATE_ACTION "Gate::Action"

/* What a tool's input schema may cost. Beyond: the policies could see none of its arguments, and it is unclassified. */
#define PLAN_DEPTH_MAX 16u
#define PLAN_MEMBERS_MAX 256u
#define PLAN_NODES_MAX 1024u
#define PLAN_SET_BYTES_MAX 16777216u   /* of all tools of a set, as text of the schema */
#define PLAN_SERVER_BYTES_MAX 1048576u /* of one server's: what it spends is not missing elsewhere */
#define PLAN_NAME_MAX 255u

enum plan_kind { PLAN_STRING, PLAN_LONG, PLAN_BOOL, PLAN_DECIMAL, PLAN_SET, PLAN_RECORD };

/* How one part of the arguments becomes a Cedar value. */
struct plan {
	enum plan_kind kind;
	bool required;
	bool nullable; /* null counts as absent */
	bool spoken;   /* some policy may look at it */
	bool whole;    /* some policy may look at all that it holds */
	struct cedar_str name;
	struct plan *element; /* of a set */
	struct plan *members; /* of a record, sorted by cedar_str_order */
	uint32_t *listed;     /* their places in the order of canonical JSON (RFC 8785, section 3.2.3) */
	uint32_t count;
};

/* A pinned tool as policies know it. */
struct gate_tool {
	struct cedar_str server, name, id; /* id: "server/name" */
	uint8_t tier;
	uint8_t sha256[HASH_LEN];
	bool quarantined;
	bool classified; /* has an action of its own, with arguments */
	uint32_t owner;  /* index of its server in the source */
	const struct cedar_uid *action, *resource;
	struct plan args;
	struct cedar_value itself; /* the set that holds the tool alone */
	struct cedar_list parents; /* that the operator has given; only while the set is built */
};

/* What one policy's annotations say, by cedar_rule.order. */
struct gate_note {
	uint8_t help; /* enum policy_help of @on_deny */
	const struct cedar_str *reason;
};

/* Names that policies use where arguments could be meant. */
struct gate_names {
	struct cedar_map spoken; /* ("", name) */
	struct cedar_map whole;  /* ends of paths that are used as a value */
	bool everything;         /* the context itself is */
	bool approval, approver; /* some policy speaks of them at all */
};

struct policy_set {
	struct cedar_arena arena;
	struct cedar_schema *schema;
	struct cedar_policies *policies;
	struct cedar_entities *base;
	struct gate_tool **tools; /* sorted by id */
	size_t ntools;
	size_t spent;             /* of PLAN_SET_BYTES_MAX */
	size_t *spent_by;         /* of PLAN_SERVER_BYTES_MAX, by index of the server; only while the set is built */
	struct cedar_map by_name; /* (server, name) to gate_tool */
	struct gate_names names;
	struct gate_note *notes;
	const struct cedar_uid **humans; /* stored ones, who might approve */
	size_t nhumans;
	bool more_humans; /* than these */
	struct buf schema_text;
	uint8_t hash[HASH_LEN];
};

struct policy_decider {
	const struct policy_set *set;
	struct cedar_arena arena;
	struct cedar_entities *overlay;
	struct cedar_request request;
	const struct gate_tool *tool;
	struct cedar_decision decision;
	uint64_t serial;                 /* of the request */
	char why[POLICY_REASON_MAX / 2]; /* what does not fit, when a request is refused */
};

/* ---- policy_plan.c ---- */
/* Reads a tool's definition into tool->args and tool->classified. KG_E_NOMEM. */
int plan_tool(struct policy_set *s, struct gate_tool *tool, const char *definition, size_t len) MUST_CHECK;

/* ---- policy_plan_members.c ---- */
/* Sorts the members by name, and lists them as canonical JSON does. KG_E_NOMEM. */
int plan_sort(struct cedar_arena *arena, struct plan *record) MUST_CHECK;
/* NULL when it has none of this name. */
struct plan *plan_member(const struct plan *record, struct cedar_str name);

/* ---- policy_schema.c ---- */
/* Appends the fixed and the generated half. */
int schema_put_gate(struct policy_set *s, struct buf *out) MUST_CHECK;
/* A string literal of Cedar. */
int schema_put_string(struct buf *out, struct cedar_str s) MUST_CHECK;
/* Whether the fixed half declares an action of this id. */
bool schema_is_fixed_action(struct cedar_str id);

/* ---- policy_names.c ---- */
/* Collects the names that the parsed policies use (before they are sealed), then marks all plans. KG_E_NOMEM. */
int names_collect(struct policy_set *s) MUST_CHECK;
void names_mark(const struct policy_set *s);

/* ---- policy_number.c ---- */
/* The JSON number times 10^places, when that is an integer of 64 bits; else KG_E_INVALID. */
int number_scaled(const char *text, size_t len, unsigned places, int64_t *out) MUST_CHECK;

/* ---- policy_args.c ---- */
enum args_mode {
	ARGS_GIVEN,
	ARGS_UNKNOWN, /* listing */
	ARGS_RECORDED /* from a record: what no policy spoke of is missing, decimals are strings */
};
/* The arguments by the tool's plan; KG_E_INVALID with d->why, KG_E_NOMEM. */
int args_convert(struct policy_decider *d, const struct json_doc *doc, enum args_mode mode,
		 struct cedar_value *out) MUST_CHECK;

/* ---- policy_faults.c ---- */
#define POLICY_FAULTS_MAX 100u
struct faults {
	struct buf *out;
	unsigned count;
};
/* One line "FILE:LINE:COLUMN: what"; those beyond the maximum are only counted. */
void fault_add(struct faults *f, struct cedar_str file, struct cedar_str text, size_t offset, const char *what);

/* ---- policy_entities.c ---- */
/* A file of a set, or the live data: entities as JSON. */
struct entity_source {
	struct cedar_str name, text;
};
/*
 * The base store: an entity for each server and tool, those of the files, and live ones in the place of theirs. out
 * gets the JSON that the store was made of, sorted. KG_E_CONFIG with faults, KG_E_NOMEM.
 */
int entities_build(struct policy_set *s, const struct policy_source *source, const struct entity_source *files,
		   size_t nfiles, struct faults *faults, struct buf *out) MUST_CHECK;

/* ---- policy_request.c ---- */
/* Builds d->request (and the overlay) from q; KG_E_INVALID with d->why, KG_E_NOMEM. */
int request_build(struct policy_decider *d, const struct policy_request *q, enum args_mode mode) MUST_CHECK;

/* ---- policy_decide.c ---- */
/* Decides d->request into d->decision: 0, or KG_E_NOMEM. */
int decide_request(struct policy_decider *d) MUST_CHECK;
/* Whether the decision lets the call through: allowed, nothing failed that could have refused it. */
bool decision_allows(const struct cedar_decision *v);
/* The first failure that makes a decision unsafe; NULL. */
const struct cedar_failure *decision_fault(const struct cedar_decision *v);
/* Fills out from d->decision, without help. */
void decision_fill(const struct policy_decider *d, struct policy_decision *out);
/* A denial's reason in the words that policies have for people (@reason): without their ids, and how they failed. */
void decision_for_strangers(const struct policy_decider *d, struct policy_decision *out);
void decision_refuse(struct policy_decision *out, const char *code, const char *reason);
void decide_mode(struct policy_decider *d, const struct policy_request *q, enum args_mode mode,
		 struct policy_decision *out);

/* ---- policy_help.c ---- */
/* Whether asked yields true for the request with an approval that somebody could give; *four_eyes as in policy.h. */
typedef bool help_ask_fn(struct policy_decider *d, const struct policy_request *q, enum args_mode mode);
bool help_approval(struct policy_decider *d, const struct policy_request *q, enum args_mode mode, help_ask_fn *ask,
		   bool *four_eyes);

/* ---- policy_approver.c ---- */
/*
 * Whether some approver could make the difference, without trying any: q holds an approval by nobody in particular.
 * False where a policy that does not look at the approver refuses, or no permit's other conditions are met.
 */
bool approver_might(struct policy_decider *d, const struct policy_request *q, enum args_mode mode);

/* ---- policy_text.c ---- */
/* Text into a fixed buffer, cut at a whole character. */
struct text {
	char *p;
	size_t n, size;
};
void text_add(struct text *t, struct cedar_str s);
void text_puts(struct text *t, const char *s);
/* An id and a comma before it when it is not the first; ",..." once when it does not fit. */
void text_add_id(struct text *t, struct cedar_str id);

#endif
