/*
 * The time of day for what has to last so long: it goes on with the clock since boot, whatever the time of day is set
 * to, until its owner has moved what it holds by the step. So neither a wrong time server nor an operator's "date -s"
 * ends early, or draws out, what was ordered for an hour.
 */
#ifndef COMMON_STEADY_H
#define COMMON_STEADY_H

#include <stdint.h>

#define STEADY_STEP_MIN_S 2 /* what is less is rounding, or a clock that is being slewed */

struct steady {
	uint64_t (*wall)(void);              /* seconds since 1970 */
	unsigned long long (*boot_ns)(void); /* loop_now_ns(), or a test's */
	int64_t offset;
};

void steady_init(struct steady *s, uint64_t (*wall)(void), unsigned long long (*boot_ns)(void));

/* Seconds since 1970 by the time of day as it was at the last step. */
uint64_t steady_now(const struct steady *s);

/* By how many seconds the time of day was set since the last call, 0: it was not. From here on steady_now() follows
 * it. */
int64_t steady_step(struct steady *s);

/* A moment after a step; 0 (none) stays 0. */
uint64_t steady_moved(uint64_t moment, int64_t step);

#endif
