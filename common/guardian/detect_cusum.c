/*
 * The share of failures has grown: the Bernoulli CUSUM of Reynolds and Stoumbos (Journal of Quality Technology 31,
 * 1999). Each failure adds ln(p1/p0), each success takes ln((1-p0)/(1-p1)), never below zero; the sum alarms at its
 * level.
 */
#include <stdio.h>

#include "common/guardian/state.h"

#define CLUMSY 2 /* an agent that tries again what was refused, once or twice, is clumsy before it is hostile */

static double step(struct feed *f)
{
	struct key_state *k = f->key;
	const struct guard_text *tool = &f->ev->field[GUARD_TOOL], *args = &f->ev->field[GUARD_ARGUMENTS];
	uint64_t h;

	if (!f->failed)
		return -f->rule->down;
	h = guard_hash(f->hash_key, guard_hash(f->hash_key, 6, tool->p, tool->n), args->p, args->n);
	if (h == k->u.cusum.last)
		return k->u.cusum.repeats++ < CLUMSY ? f->rule->up * f->rule->repeat : f->rule->up;
	k->u.cusum.last = h;
	k->u.cusum.repeats = 0;
	return f->rule->up;
}

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
	k->u.cusum.s += step(f);
	f->v->value = k->u.cusum.s;
	f->v->threshold = r->threshold;
	f->v->alarm = k->u.cusum.s >= r->threshold;
	if (!f->v->alarm)
		return;
	snprintf(f->v->what, sizeof(f->v->what), "%u of %u failed", k->u.cusum.failures, k->u.cusum.trials);
	k->u.cusum.s = 0;
}
