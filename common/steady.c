#include "common/steady.h"

#define SECOND_NS 1000000000ull

static int64_t since_boot(const struct steady *s)
{
	return (int64_t)(s->boot_ns() / SECOND_NS);
}

void steady_init(struct steady *s, uint64_t (*wall)(void), unsigned long long (*boot_ns)(void))
{
	*s = (struct steady){.wall = wall, .boot_ns = boot_ns};
	s->offset = (int64_t)wall() - since_boot(s);
}

uint64_t steady_now(const struct steady *s)
{
	int64_t now = since_boot(s) + s->offset;

	return now < 0 ? 0 : (uint64_t)now;
}

int64_t steady_step(struct steady *s)
{
	int64_t step = (int64_t)s->wall() - since_boot(s) - s->offset;

	if (step > -STEADY_STEP_MIN_S && step < STEADY_STEP_MIN_S)
		return 0;
	s->offset += step;
	return step;
}

uint64_t steady_moved(uint64_t moment, int64_t step)
{
	if (moment == 0)
		return 0;
	if (step < 0 && moment <= (uint64_t)-step)
		return 1;
	return moment + (uint64_t)step;
}
