/* The time by which responses end: it follows the clock since boot within one run, the time of day across restarts. */
#ifndef RECORDER_GUARD_CLOCK_H
#define RECORDER_GUARD_CLOCK_H

#include "common/steady.h"

struct guard;
struct responses;

/* Behind guard_now(); for tests, that give it clocks of their own. */
struct steady *guard_clock(void);

/* When the time of day was set: what is in force ends as much later or earlier, vaultd is told, and it is on record.
 * Before guard_now() is asked what is over. */
void guard_follow_clock(struct guard *g);

/* Moves the ends of all live responses; how many. */
unsigned respond_follow_clock(struct responses *x, int64_t step);

#endif
