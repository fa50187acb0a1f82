/*
 * The share of failures has grown: the Bernoulli CUSUM of Reynolds and Stoumbos (Journal of Quality Technology 31,
 * 1999). Each failure adds ln(p1/p0), each success takes ln((1-p0)/(1-p1)), never below zero; the sum alarms at its
 * level.
 */
#include <stdio.h>

#include "common/guardian/state.h"

void detect_cusum(struct feed *f)
{
	const struct rule *r = f->rule;
	struct key_state *k = f->key;

	/* A spike is a spike within its window; what is older has been slept over. */
	if (f->ev->ts_us > k->last_us + r->window_us || k->u.cusum.s <= 0) {
		k->u.cusum.s = 0;
		k->u.cusum.failures = k->u.cusum.trials = 0;
	}
	k->u.cusum.trials++;
	k->u.cusum.failures += f->failed;
	k->u.cusum.s += f->failed ? r->up : -r->down;
	f->v->value = k->u.cusum.s;
	f->v->threshold = r->threshold;
	f->v->alarm = k->u.cusum.s >= r->threshold;
	if (!f->v->alarm)
		return;
	snprintf(f->v->what, sizeof(f->v->what), "%u of %u failed", k->u.cusum.failures, k->u.cusum.trials);
	k->u.cusum.s = 0;
}
