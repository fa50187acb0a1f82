/* An order of an hour lasts an hour, whatever the time of day is set to meanwhile. */
#include "common/log.h"
#include "vaultd/guard_in.h"

static unsigned move_list(struct vault *v, struct guard_order *o, int64_t step)
{
	unsigned n = 0;

	for (; o != NULL; o = o->next) {
		if (o->until == 0)
			continue;
		o->until = steady_moved(o->until, step);
		/* It holds by its new end in any case; what is not stored ends by its old one after a restart. */
		if (guard_store(v, o) != KG_OK)
			log_warn("order %llu of the guardian: its end could not be stored in vault.db",
				 (unsigned long long)o->id);
		n++;
	}
	return n;
}

void guard_follow_clock(struct vault *v)
{
	int64_t step = v->clock.wall == NULL ? 0 : steady_step(&v->clock);
	unsigned n = 0;

	if (step == 0)
		return;
	for (size_t act = 0; act < GUARD_ACTS; act++)
		n += move_list(v, v->guard->standing[act], step);
	log_warn("the clock was set by %+lld s: %u orders of the guardian end at their time all the same",
		 (long long)step, n);
}
