/*
 * At most so many in a minute, as a token bucket that is full at first: a burst of so many at once, then one whenever
 * its part of the minute has passed. Kept as the one time at which the bucket would be full again (ITU-T I.371, GCRA),
 * so that another rate holds at once.
 */
#ifndef COMMON_RATE_H
#define COMMON_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate_bucket {
	uint64_t full_ns; /* of a clock that only goes forward; 0: full */
};

/* Whether one more may be now; else *wait_s is in how many seconds (rounded up). per_minute 0: no bound. */
bool rate_take(struct rate_bucket *b, uint32_t per_minute, uint64_t now_ns, uint64_t *wait_s);

#endif
