/* A rule as the detectors see it. */
#ifndef GUARDIAN_RULE_H
#define GUARDIAN_RULE_H

#include "common/guardian/guardian.h"

#define RULE_CONDITIONS_MAX 8
#define RULE_VALUES_MAX 16
#define RULE_KEY_MAX GUARD_KEY_MAX

/* One line of a selection: the field is one (not: none) of the values, where '*' stands for any text. */
struct condition {
	enum guard_field field;
	bool not ;
	size_t nvalues;
	const char *value[RULE_VALUES_MAX];
};

struct selection {
	size_t nconditions; /* all must hold; none: everything is selected */
	struct condition condition[RULE_CONDITIONS_MAX];
};
/* '*' stands for any text; everything else for itself. */
bool pattern_matches(const char *pattern, const struct guard_text *text);
bool selection_holds(const struct selection *s, const struct guard_event *ev);

enum detector_kind {
	DETECT_MATCH,    /* each selected event */
	DETECT_COUNT,    /* so many in a window */
	DETECT_CUSUM,    /* the share of failures has grown: Bernoulli CUSUM (Reynolds and Stoumbos 1999) */
	DETECT_RATE,     /* many more in a bucket than the key's own past: exponentially weighted mean and variance */
	DETECT_FIRST,    /* a value that the key never had, after its time of learning */
	DETECT_DISTINCT, /* so many different values in a window */
	DETECT_VOLUME,   /* so many bytes read, then written, in a window */
	DETECT_HOURS,    /* outside the hours and days of work */
	DETECT_FLOW,     /* sent to a destination that an earlier result of the session named first */
	DETECT_PLACES,   /* one key from two sources at once */
	DETECT_SCORE,    /* a sum of what the broker found in a window */
	DETECTORS
};

struct rule {
	struct guard_rule_info info;
	struct selection select, failure; /* failure: of cusum; what writes: of volume; what sends: of flow */
	enum detector_kind kind;
	enum guard_field key[RULE_KEY_MAX];
	size_t nkey;
	enum guard_field value; /* of first and distinct */
	uint64_t window_us, learn_us;
	double threshold; /* count, sum, alarm level */
	double p0, p1;    /* cusum: the share that is usual, the one to notice */
	double repeat;    /* cusum: what the same failure again counts */
	double up, down;  /* cusum: what one failure adds, one success takes */
	uint64_t read_bytes, write_bytes;
	uint32_t minimum;          /* rate: fewer are never an alarm; first: events to learn from */
	uint32_t from_min, to_min; /* hours: minutes of the day */
	uint8_t days;              /* bits, Monday first */
	enum guard_score score;    /* of score; what rate counts instead of events, or GUARD_SCORES */
	uint64_t hash;             /* of the rule's own text: state of another rule is not taken for its own */
};

struct guard_rules {
	struct rule rule[GUARD_RULES_MAX];
	size_t n;
	json_t *docs; /* an array that owns the texts */
	uint8_t sha256[32];
};

#endif
