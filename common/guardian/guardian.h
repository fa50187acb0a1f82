/*
 * Detection over the stream of recorded events: rules from files, detectors with bounded state, findings.
 * It knows no database and no process: the recorder feeds it what it has just recorded,
 * `keepgate guardian test` feeds it history, the tests feed it invented years. Time is the time of the events.
 */
#ifndef GUARDIAN_GUARDIAN_H
#define GUARDIAN_GUARDIAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

#define GUARD_RULES_MAX 128
#define GUARD_ID_MAX 64
#define GUARD_TEXT_MAX 512
#define GUARD_SUBJECT_MAX 256
#define GUARD_EVIDENCE_MAX 16
#define GUARD_RESPONSES_MAX 4
#define GUARD_MARKS_MAX 64 /* destinations of one event */
#define GUARD_KEY_MAX 3    /* fields that make a key */

/* What a selection can look at and a key can be made of. Names: guard_field_name(). */
enum guard_field {
	GUARD_KIND, /* "call", "self", "admin", "violation", "recorder", "policy" */
	GUARD_EVENT,
	GUARD_PHASE, /* "intent", "outcome", "state" */
	GUARD_METHOD,
	GUARD_DECISION,
	GUARD_OUTCOME,
	GUARD_TIER,
	GUARD_REASON, /* reason_code */
	GUARD_AGENT,
	GUARD_HUMAN,
	GUARD_SESSION,
	GUARD_CONSENT,
	GUARD_SERVER,
	GUARD_TOOL, /* "server/name" */
	GUARD_CLIENT,
	GUARD_SOURCE,    /* without its port */
	GUARD_ARGUMENTS, /* their SHA-256 in hexadecimal */
	GUARD_CANARY,    /* name of the canary credential that stood in arguments or in a result */
	GUARD_FIELDS
};
const char *guard_field_name(enum guard_field f);

/* Numbers that the broker found: how much a text reads like instructions, and how many of what else. */
enum guard_score {
	GUARD_SCORE_INSTRUCTIONS,
	GUARD_SCORE_SECRETS,
	GUARD_SCORE_PERSONAL,
	GUARD_SCORE_RECORDS,
	GUARD_SCORES
};
const char *guard_score_name(enum guard_score s);

/* Borrowed text; n 0: absent. */
struct guard_text {
	const char *p;
	uint32_t n;
};

/*
 * One event. An outcome needs no actor and no tool: the engine remembers them from the intent of the same txn.
 * Texts are borrowed for the call.
 */
struct guard_event {
	uint64_t seq;
	uint64_t ts_us; /* since 1970, UTC */
	struct guard_text field[GUARD_FIELDS];
	uint64_t bytes_in, bytes_out;
	const uint8_t *txn;           /* 16 bytes; NULL */
	uint32_t score[GUARD_SCORES]; /* what the broker found in arguments or in a result */
	/* destinations (host names, mail addresses) in arguments (an intent) or in a result (an outcome) */
	struct guard_text mark[GUARD_MARKS_MAX];
	size_t nmarks;
};
enum guard_class { GUARD_CERTAIN = 1, GUARD_STATISTICAL, GUARD_SCORING };
enum guard_severity { GUARD_LOW = 1, GUARD_MEDIUM, GUARD_HIGH, GUARD_CRITICAL };
const char *guard_severity_name(enum guard_severity s);
const char *guard_class_name(enum guard_class c);

enum guard_act {
	GUARD_ACT_PAUSE = 1, /* the session */
	GUARD_ACT_REVOKE,    /* the consent */
	GUARD_ACT_HOLD_TOOL, /* the tool is quarantined */
	GUARD_ACT_HOLD_SERVER,
	GUARD_ACT_APPROVAL, /* the session's calls of a tier and above need an approval */
	GUARD_ACT_SEAL,     /* the vault gives nothing away */
	GUARD_ACT_RATE,     /* at most so many calls of the session in a minute */
};
const char *guard_act_name(enum guard_act a);

struct guard_response {
	enum guard_act act;
	uint64_t seconds; /* 0: until a person lifts it */
	uint8_t tier;     /* GUARD_ACT_APPROVAL */
	uint32_t rate;    /* GUARD_ACT_RATE */
};

/* What a rule says beside its detector. Owned by the rules. */
struct guard_rule_info {
	const char *id, *title, *description, *suggest;
	enum guard_class class;
	enum guard_severity severity;
	bool strong; /* statistical: acts alone */
	bool page;
	uint64_t suppress_us; /* at most one finding for a key in this time */
	struct guard_response response[GUARD_RESPONSES_MAX];
	size_t nresponses;
};

struct guard_rules;

/* A file of rules (YAML, several documents). Borrowed for the call. */
struct guard_file {
	const char *name;
	const char *text;
	size_t len;
};

/*
 * Reads and validates rules; every fault is a line "FILE:LINE:COLUMN: PATH: what would be right" in errors.
 * KG_E_CONFIG, KG_E_NOMEM.
 */
int guard_rules_load(const struct guard_file *files, size_t n, struct guard_rules **out, struct buf *errors) MUST_CHECK;
void guard_rules_free(struct guard_rules *r);
size_t guard_rules_count(const struct guard_rules *r);
const struct guard_rule_info *guard_rule(const struct guard_rules *r, size_t i);
/* SHA-256 of the rules' texts: stands in every finding. 32 bytes. */
const uint8_t *guard_rules_hash(const struct guard_rules *r);
/* "cusum", and how many fields make its keys. */
const char *guard_rule_detector(const struct guard_rules *r, size_t i);
size_t guard_rule_key(const struct guard_rules *r, size_t i, enum guard_field key[GUARD_KEY_MAX]);
/* Disarms all rules but one. KG_E_NOTFOUND: there is none of this id, and nothing has changed. */
int guard_rules_keep(struct guard_rules *r, const char *id) MUST_CHECK;

/* Something that a rule noticed. Borrowed for the callback. */
struct guard_finding {
	const struct guard_rule_info *rule;
	size_t rule_number;
	uint64_t seq, ts_us; /* of the event that made it */
	bool acts;           /* certain, strong, or the second signal: its responses are due */
	double value;        /* the detector's statistic, and the threshold that it passed */
	double threshold;
	char what[GUARD_TEXT_MAX]; /* for people: "31 of 40 calls denied" */
	/* who and what: of the event, completed from its intent; "" when unknown */
	char subject[GUARD_FIELDS][GUARD_SUBJECT_MAX + 1];
	uint64_t evidence[GUARD_EVIDENCE_MAX]; /* seqs of events that led here, oldest first */
	size_t nevidence;
};
typedef void (*guard_finding_fn)(const struct guard_finding *f, void *arg);

struct guard_engine;

/*
 * An engine over rules (borrowed, outlive it) with room for so many live keys (all rules together); the least recently
 * used makes room. utc_offset_s: of the tenant's time zone, for after-hours. NULL when out of memory.
 */
struct guard_engine *guard_engine_new(const struct guard_rules *rules, size_t keys, int32_t utc_offset_s,
				      guard_finding_fn fn, void *arg);
void guard_engine_free(struct guard_engine *e);
void guard_engine_zone(struct guard_engine *e, int32_t utc_offset_s);

/*
 * Who also hears what certain and strong rules with responses see again within their suppress time: only the listener
 * knows whether what was ordered the first time still stands.
 */
void guard_engine_again(struct guard_engine *e, guard_finding_fn fn);

/* One event. Late ones count where they belong, as far as a window reaches back. */
void guard_engine_feed(struct guard_engine *e, const struct guard_event *ev);

/* Live keys, and bytes in use. */
size_t guard_engine_keys(const struct guard_engine *e);
size_t guard_engine_bytes(const struct guard_engine *e);

/*
 * The state as bytes, and back: rules that are not what they were (their own hash) start anew. load: KG_E_PROTO for
 * bytes that no save made (nothing is kept then).
 */
int guard_engine_save(const struct guard_engine *e, struct buf *out) MUST_CHECK;
int guard_engine_load(struct guard_engine *e, const void *bytes, size_t len) MUST_CHECK;

/*
 * The same piece by piece, for who is asked to write often and little: the state lies in so many parts, each with the
 * number of the last event that is in it. changed: since it was saved or loaded. load: bytes of such a part (len 0: it
 * was empty), and the number; afterwards events up to that number do not touch it. KG_E_PROTO as above: then begin
 * with a new engine.
 */
size_t guard_engine_parts(const struct guard_engine *e);
bool guard_engine_part_changed(const struct guard_engine *e, size_t part);
int guard_engine_part_save(struct guard_engine *e, size_t part, struct buf *out) MUST_CHECK;
int guard_engine_part_load(struct guard_engine *e, size_t part, const void *bytes, size_t len, uint64_t seq) MUST_CHECK;

/*
 * Completes an event with JSON that its leaf holds: the broker's marks of a call, the members of an act (session,
 * consent, human, agent, server, tool). The texts point into *store, which has room for GUARD_STORE_MAX bytes and is
 * not reset. KG_E_PROTO: then the event is as it was.
 */
#define GUARD_STORE_MAX 131072u
int guard_event_marks(const char *json, size_t len, struct buf *store, struct guard_event *out) MUST_CHECK;
int guard_event_members(const char *json, size_t len, struct buf *store, struct guard_event *out) MUST_CHECK;

/*
 * The rules of a folder (its *.yml files; others are a fault), or those that are compiled in (dir NULL). As
 * guard_rules_load(), and KG_E_IO with a line in errors.
 */
int guard_rules_open(const char *dir, struct guard_rules **out, struct buf *errors) MUST_CHECK;

/* An event from a leaf of the audit log (JSON). The texts point into *store, which is reset first. KG_E_PROTO. */
int guard_event_from_leaf(const char *leaf, size_t len, struct buf *store, struct guard_event *out) MUST_CHECK;

#endif
