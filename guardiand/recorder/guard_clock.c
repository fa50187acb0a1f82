#include "guardiand/recorder/guard_clock.h"

#include <time.h>

#include "common/log.h"
#include "guardiand/recorder/respond_rows.h"

static uint64_t wall(void)
{
	return (uint64_t)time(NULL);
}

struct steady *guard_clock(void)
{
	static struct steady clock;

	if (clock.wall == NULL)
		steady_init(&clock, wall, loop_now_ns);
	return &clock;
}

uint64_t guard_now(void)
{
	return steady_now(guard_clock());
}

static bool is_timed(const struct response *r)
{
	return r->until != 0 && r->state != RESPONSE_LIFTING;
}

unsigned respond_follow_clock(struct responses *x, int64_t step)
{
	struct response *r;
	unsigned n = 0;

	LIST_FOREACH(r, &x->live, link)
	{
		if (!is_timed(r))
			continue;
		r->until = steady_moved(r->until, step);
		/* An order that vaultd got meanwhile may have come to it as one that is over. */
		r->state = r->state == RESPONSE_ACTIVE ? RESPONSE_ORDERED : r->state;
		r->send = r->state == RESPONSE_ORDERED;
		x->any_send = x->any_send || r->send;
		rows_renew(x, r);
		n++;
	}
	return n;
}

void guard_follow_clock(struct guard *g)
{
	static const struct guard_about nobody = {"", "", "", "", "", ""};
	uint64_t before = guard_now();
	int64_t step = steady_step(guard_clock());
	unsigned n;

	if (step == 0)
		return;
	n = respond_follow_clock(g->responses, step);
	if (g->break_glass_until > before)
		rows_break_glass(g->responses, steady_moved(g->break_glass_until, step));
	log_warn("the clock was set by %+lld s: %u responses end at their time all the same", (long long)step, n);
	guard_record(g, "clock.set", &nobody,
		     json_pack("{s:I, s:I}", "seconds", (json_int_t)step, "responses", (json_int_t)n));
}
