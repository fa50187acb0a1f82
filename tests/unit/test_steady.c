/* The time of day that goes on as it was until its owner follows. */
#include "common/steady.h"

#include "tests/unit/unit.h"

static uint64_t wall_s;
static unsigned long long boot;

static uint64_t wall(void)
{
	return wall_s;
}

static unsigned long long boot_ns(void)
{
	return boot;
}

static void pass(uint64_t seconds)
{
	wall_s += seconds;
	boot += seconds * 1000000000ull;
}

static void a_clock_that_is_set(void)
{
	struct steady s;

	wall_s = 1000000;
	boot = 5500000000ull;
	steady_init(&s, wall, boot_ns);
	CHECK(steady_now(&s) == 1000000 && steady_step(&s) == 0);
	pass(3600);
	CHECK(steady_now(&s) == 1003600 && steady_step(&s) == 0);
	wall_s += 86400;
	CHECK(steady_now(&s) == 1003600);
	pass(10);
	CHECK(steady_now(&s) == 1003610);
	CHECK(steady_step(&s) == 86400 && steady_now(&s) == wall_s && steady_step(&s) == 0);
	wall_s -= 500000;
	CHECK(steady_now(&s) == wall_s + 500000);
	CHECK(steady_step(&s) == -500000 && steady_now(&s) == wall_s);
	/* A second is rounding; many of them in one direction are a step. */
	wall_s += 1;
	CHECK(steady_step(&s) == 0);
	wall_s += 1;
	CHECK(steady_step(&s) == 2);
	/* Before 1970 there is nothing. */
	wall_s = 0;
	CHECK(steady_step(&s) < 0 && steady_now(&s) == 0);
}

static void moments(void)
{
	CHECK(steady_moved(0, 5) == 0 && steady_moved(0, -5) == 0);
	CHECK(steady_moved(100, 5) == 105 && steady_moved(100, -5) == 95);
	CHECK(steady_moved(100, -99) == 1 && steady_moved(100, -100) == 1 && steady_moved(100, -5000) == 1);
}

int main(void)
{
	RUN(a_clock_that_is_set);
	RUN(moments);
	return unit_end();
}
