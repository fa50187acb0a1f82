/* At most so many in a minute. */
#include "common/rate.h"

#include "tests/unit/unit.h"

#define S 1000000000ull

static unsigned taken(struct rate_bucket *b, uint32_t rate, uint64_t from_s, uint64_t to_s)
{
	uint64_t wait_s;
	unsigned n = 0;

	for (uint64_t t = from_s; t < to_s; t++)
		n += rate_take(b, rate, t * S, &wait_s);
	return n;
}

static void a_burst_then_its_pace(void)
{
	struct rate_bucket b = {0};
	uint64_t wait_s;

	for (int i = 0; i < 3; i++)
		CHECK(rate_take(&b, 3, 1000 * S, &wait_s) && wait_s == 0);
	CHECK(!rate_take(&b, 3, 1000 * S, &wait_s) && wait_s == 20);
	CHECK(!rate_take(&b, 3, 1019 * S, &wait_s) && wait_s == 1);
	CHECK(rate_take(&b, 3, 1020 * S, &wait_s));
	CHECK(!rate_take(&b, 3, 1020 * S, &wait_s) && wait_s == 20);
	/* Who asks all the time gets no more than who waits. */
	CHECK(taken(&b, 3, 1021, 1621) == 30);
}

static void no_bound(void)
{
	struct rate_bucket b = {0};

	CHECK(taken(&b, 0, 1, 1000) == 999);
}

/* A lower rate holds at once, and what was taken before it does not lock anybody out for longer than its own minute. */
static void another_rate(void)
{
	struct rate_bucket b = {0};
	uint64_t wait_s;

	for (int i = 0; i < 600; i++)
		CHECK(rate_take(&b, 600, 1000 * S, &wait_s));
	CHECK(!rate_take(&b, 1, 1000 * S, &wait_s) && wait_s <= 60);
	CHECK(taken(&b, 1, 1001, 1061) == 1);
	CHECK(taken(&b, 1, 1061, 1361) == 5);
	b = (struct rate_bucket){0};
	CHECK(taken(&b, UINT32_MAX, 1, 10) == 9);
}

int main(void)
{
	RUN(a_burst_then_its_pace);
	RUN(no_bound);
	RUN(another_rate);
	return unit_end();
}
