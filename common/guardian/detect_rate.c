/*
 * Many more in one bucket than in the key's own past. The past is an exponentially weighted mean and variance over the
 * buckets in which the key was active (agents sleep at night: empty buckets say nothing of how busy it is when it
 * works).
 */
#include <math.h>
#include <stdio.h>

#include "common/guardian/state.h"

#define WEIGHT 0.05 /* of a new bucket: some twenty buckets are remembered */
#define LEARN_BUCKETS 20

/* The bucket in hand is over: it becomes part of the past, at most threefold, so that a spike does not become usual at
 * once. */
static void learn(struct key_state *k)
{
	double x = k->u.rate.count, most = 3 * k->u.rate.mean + 3, diff;

	if (k->u.rate.buckets >= LEARN_BUCKETS && x > most)
		x = most;
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

void detect_rate(struct feed *f)
{
	const struct rule *r = f->rule;
	struct key_state *k = f->key;
	uint64_t bucket = f->ev->ts_us / r->window_us;
	double spread;

	if (bucket < k->u.rate.bucket)
		return; /* late: its bucket is past */
	if (bucket > k->u.rate.bucket && k->u.rate.count != 0)
		learn(k);
	k->u.rate.bucket = bucket;
	k->u.rate.count++;
	if (k->u.rate.buckets < LEARN_BUCKETS || k->u.rate.count < r->minimum || k->u.rate.told == bucket)
		return;
	/* Counts scatter at least like Poisson's. */
	spread = sqrt(k->u.rate.var > k->u.rate.mean ? k->u.rate.var : k->u.rate.mean);
	f->v->value = (k->u.rate.count - k->u.rate.mean) / (spread < 1 ? 1 : spread);
	f->v->threshold = r->threshold;
	f->v->alarm = f->v->value >= r->threshold;
	if (!f->v->alarm)
		return;
	k->u.rate.told = bucket;
	snprintf(f->v->what, sizeof(f->v->what), "%u in %llu s, where %.1f are usual", k->u.rate.count,
		 (unsigned long long)(r->window_us / 1000000), k->u.rate.mean);
}
