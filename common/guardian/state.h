/* What a detector remembers of one key: of fixed size, so that a number of keys is a number of bytes. */
#ifndef GUARDIAN_STATE_H
#define GUARDIAN_STATE_H

#include "common/guardian/rule.h"

#define WINDOW_PARTS 8
#define BLOOM_WORDS 16 /* 1,024 bits: some 100 values at four bits each */
#define SKETCH_WORDS 8 /* 512 bits of linear counting: up to some 1,000 values */
#define FLOW_SEEN 48
#define PLACES 16

/* Counts of the last WINDOW_PARTS parts of a window. */
struct window {
	uint32_t part[WINDOW_PARTS];
	uint64_t newest; /* number of the newest part since 1970 */
};

union state {
	struct window count;
	struct {
		double s;
		uint32_t failures, trials, repeats;
		uint64_t last; /* hash of the last failure's tool and arguments */
	} cusum;
	struct {
		double mean, var;
		uint64_t bucket;
		uint32_t count, buckets;
		uint64_t told; /* the bucket that has alarmed */
		double peak;   /* of what is no events: the fullest bucket, fading */
	} rate;
	struct {
		uint64_t since_us;
		uint32_t events;
		uint64_t bloom[BLOOM_WORDS];
	} first;
	struct {
		uint64_t part;
		uint64_t now[SKETCH_WORDS], before[SKETCH_WORDS];
	} distinct;
	struct {
		uint64_t part;
		uint64_t read[2], written[2]; /* of this window and the one before */
	} volume;
	struct {
		uint64_t own[BLOOM_WORDS / 2]; /* destinations that the agent used before a result named them */
		uint32_t seen[FLOW_SEEN];      /* hashes of those that results named first, a ring */
		uint32_t nseen;
		uint32_t lost; /* results have named more than is remembered */
	} flow;
	struct {
		uint64_t source[PLACES]; /* hashes, the one in use last first; 0: none */
		uint64_t used_us[PLACES];
	} places;
};

#define KEY_TEXT_MAX 64

/* A live key of one rule. */
struct key_state {
	uint64_t hash; /* of rule and key; 0: free */
	uint64_t last_us, told_us;
	uint32_t rule;
	uint16_t nevidence;
	uint16_t acted;                        /* 1: what was told last has acted */
	uint64_t evidence[GUARD_EVIDENCE_MAX]; /* a ring */
	union state u;
};

/* What one event did to a state. */
struct verdict {
	bool alarm;
	double value, threshold;
	char what[GUARD_TEXT_MAX];
};

/* One event on its way into a detector. */
struct feed {
	const struct rule *rule;
	struct key_state *key;
	const struct guard_event *ev;
	bool selected, failed; /* whether the rule's selection holds, and its second one (failure, writes, sends) */
	int32_t zone;          /* seconds east of UTC */
	const uint8_t *hash_key;
	struct verdict *v;
};

/* A detector: one event that its rule selects (or, for two-sided ones, that either selection holds for). */
typedef void (*detect_fn)(struct feed *f);

/* One row for each kind, in the order of enum detector_kind. */
extern const struct detector {
	const char *name;
	detect_fn feed;
	bool two_sided;
} detectors[DETECTORS];

void detect_match(struct feed *f);
void detect_count(struct feed *f);
void detect_cusum(struct feed *f);
void detect_rate(struct feed *f);
void detect_first(struct feed *f);
void detect_distinct(struct feed *f);
void detect_volume(struct feed *f);
void detect_hours(struct feed *f);
void detect_flow(struct feed *f);
void detect_places(struct feed *f);
void detect_score(struct feed *f);

/* A keyed hash (SipHash): nobody outside can choose a name that meets another's state. */
uint64_t guard_hash(const uint8_t key[16], uint64_t seed, const void *p, size_t n);

/* Moves a window to time ts; its number of parts back, or WINDOW_PARTS when ts is older than all of them. */
size_t window_at(struct window *w, uint64_t window_us, uint64_t ts_us);
uint64_t window_sum(const struct window *w);

#endif
