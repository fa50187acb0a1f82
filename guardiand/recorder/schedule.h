/* Days and hours of on-call, in the local time of config->policy.time_zone. Moments are microseconds since 1970. */
#ifndef RECORDER_SCHEDULE_H
#define RECORDER_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND_US 1000000ull
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)

/* Which zone is local: before the lock, which hides the zone's file. Fatal without memory. */
void schedule_zone(const char *name);

/*
 * Whether a moment lies in a span of the day (minutes; equal: all day; may pass midnight) on one of the days (bits,
 * Monday first). The hours behind midnight belong to the day on which the span began.
 */
bool schedule_holds(uint8_t days, uint32_t from_min, uint32_t to_min, uint64_t at_us);

/* When the quiet hours that a moment lies in are over; the moment itself outside of them (equal: there are none). */
uint64_t schedule_quiet_end(uint32_t from_min, uint32_t to_min, uint64_t at_us);

/* The last time at or before a moment that it was this minute of this day of the week (1 Monday .. 7). */
uint64_t schedule_last(uint8_t day, uint32_t min, uint64_t at_us);

#endif
