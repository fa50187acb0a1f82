/* What is counted: each event, so many in a window, a sum of what the broker found. */
#include <stdio.h>

#include "common/guardian/state.h"

#define TEXT(t) (int)(t).n, (t).n == 0 ? "" : (t).p

void detect_match(struct feed *f)
{
	const struct guard_event *ev = f->ev;

	f->v->alarm = true;
	f->v->value = f->v->threshold = 1;
	snprintf(f->v->what, sizeof(f->v->what), "%.*s %.*s %.*s", TEXT(ev->field[GUARD_KIND]),
		 TEXT(ev->field[ev->field[GUARD_EVENT].n != 0 ? GUARD_EVENT : GUARD_TOOL]),
		 TEXT(ev->field[GUARD_REASON]));
}

static void add(struct feed *f, uint32_t n)
{
	struct window *w = &f->key->u.count;
	size_t part = window_at(w, f->rule->window_us, f->ev->ts_us);
	uint64_t sum;

	if (part == WINDOW_PARTS)
		return;
	w->part[part] = w->part[part] > UINT32_MAX - n ? UINT32_MAX : w->part[part] + n;
	sum = window_sum(w);
	f->v->value = (double)sum;
	f->v->threshold = f->rule->threshold;
	f->v->alarm = f->v->value >= f->rule->threshold;
}

void detect_count(struct feed *f)
{
	add(f, 1);
	if (f->v->alarm)
		snprintf(f->v->what, sizeof(f->v->what), "%.0f in %llu s", f->v->value,
			 (unsigned long long)(f->rule->window_us / 1000000));
}

void detect_score(struct feed *f)
{
	uint32_t score = f->ev->score[f->rule->score];

	if (score == 0)
		return;
	add(f, score);
	if (f->v->alarm)
		snprintf(f->v->what, sizeof(f->v->what), "%s: %.0f in %llu s", guard_score_name(f->rule->score),
			 f->v->value, (unsigned long long)(f->rule->window_us / 1000000));
}
