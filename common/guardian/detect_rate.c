/*
 * Many more in one bucket than in the key's own past. The past is an exponentially weighted mean and variance over the
 * buckets in which the key was active (agents sleep at night: empty buckets say nothing of how busy it is when it
 * works). Events are counted, or what the broker found in them, such as records.
 */
#include <math.h>
#include <stdio.h>

#include "common/guardian/state.h"

#define WEIGHT 0.05 /* of a new bucket: some twenty buckets are remembered */
#define LEARN_BUCKETS 20
#define FADE 0.998 /* of the peak, with each bucket: half in some nine weeks of work, when a bucket is an hour */

static bool counts_events(const struct rule *r)
{
	return r->score == GUARD_SCORES;
}

static void learn_peak(struct key_state *k, double x)
{
	double faded = k->u.rate.peak * FADE;

	k->u.rate.peak = x > faded ? x : faded;
}

/* The bucket in hand is over: it becomes part of the past, at most threefold, so that a spike does not become usual at
 * once. */
static void learn(struct key_state *k, const struct rule *r)
{
	double x = k->u.rate.count, most = 3 * (counts_events(r) ? k->u.rate.mean : k->u.rate.peak) + 3, diff;

	if (k->u.rate.buckets >= LEARN_BUCKETS && x > most)
		x = most;
	learn_peak(k, x);
	diff = x - k->u.rate.mean;
	if (k->u.rate.buckets == 0) {
		k->u.rate.mean = x;
		k->u.rate.var = x;
	} else {
		k->u.rate.mean += WEIGHT * diff;
		k->u.rate.var = (1 - WEIGHT) * (k->u.rate.var + WEIGHT * diff * diff);
	}
	k->u.rate.buckets++;
	k->u.rate.count = 0;
}

/*
 * Counts scatter at least like Poisson's. One result may hold thousands of records: who reads a report of them each
 * week reads some ten an hour on average, and mean and variance have forgotten the last report when the next one comes.
 */
static double spread(const struct key_state *k, const struct rule *r)
{
	double s = sqrt(k->u.rate.var > k->u.rate.mean ? k->u.rate.var : k->u.rate.mean);

	if (!counts_events(r) && k->u.rate.peak > s)
		s = k->u.rate.peak;
	return s < 1 ? 1 : s;
}

void detect_rate(struct feed *f)
{
	const struct rule *r = f->rule;
	struct key_state *k = f->key;
	uint64_t bucket = f->ev->ts_us / r->window_us;
	uint32_t n = counts_events(r) ? 1 : f->ev->score[r->score];

	if (bucket < k->u.rate.bucket)
		return; /* late: its bucket is past */
	if (bucket > k->u.rate.bucket && k->u.rate.bucket != 0)
		learn(k, r);
	k->u.rate.bucket = bucket;
	k->u.rate.count = k->u.rate.count > UINT32_MAX - n ? UINT32_MAX : k->u.rate.count + n;
	if (n == 0 || k->u.rate.buckets < LEARN_BUCKETS || k->u.rate.count < r->minimum || k->u.rate.told == bucket)
		return;
	f->v->value = (k->u.rate.count - k->u.rate.mean) / spread(k, r);
	f->v->threshold = r->threshold;
	f->v->alarm = f->v->value >= r->threshold;
	if (!f->v->alarm)
		return;
	k->u.rate.told = bucket;
	snprintf(f->v->what, sizeof(f->v->what), "%s%s%u in %llu s, where %.1f are usual",
		 counts_events(r) ? "" : guard_score_name(r->score), counts_events(r) ? "" : ": ", k->u.rate.count,
		 (unsigned long long)(r->window_us / 1000000), k->u.rate.mean);
}
