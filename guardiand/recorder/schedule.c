#include "guardiand/recorder/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"

#define WEEK 7

void schedule_zone(const char *name)
{
	char zone[128];

	snprintf(zone, sizeof(zone), ":%s", name);
	unsetenv("TZDIR");
	if (setenv("TZ", zone, 1) != 0)
		log_fatal(KG_EXIT_FAILURE, "time zone: out of memory");
	tzset();
}

static struct tm local(uint64_t at_us)
{
	time_t t = (time_t)(at_us / SECOND_US);
	struct tm tm = {0};

	if (localtime_r(&t, &tm) == NULL)
		log_panic("clock: a time without a day");
	return tm;
}

static uint32_t minute_of(const struct tm *tm)
{
	return (uint32_t)(tm->tm_hour * 60 + tm->tm_min);
}

/* 0 Monday .. 6 */
static unsigned weekday(const struct tm *tm)
{
	return (unsigned)(tm->tm_wday + WEEK - 1) % WEEK;
}

bool schedule_holds(uint8_t days, uint32_t from_min, uint32_t to_min, uint64_t at_us)
{
	struct tm tm = local(at_us);
	uint32_t now = minute_of(&tm);
	unsigned day = weekday(&tm);

	if (from_min < to_min && (now < from_min || now >= to_min))
		return false;
	if (from_min > to_min && now < to_min)
		day = (day + WEEK - 1) % WEEK;
	else if (from_min > to_min && now < from_min)
		return false;
	return ((unsigned)days >> day & 1u) != 0;
}

/* So many days on, at a minute of the local day. A minute that a change of clocks leaves out is the next that is. */
static uint64_t moment(struct tm tm, int days, uint32_t min)
{
	tm.tm_mday += days;
	tm.tm_hour = (int)(min / 60);
	tm.tm_min = (int)(min % 60);
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (uint64_t)mktime(&tm) * SECOND_US;
}

uint64_t schedule_quiet_end(uint32_t from_min, uint32_t to_min, uint64_t at_us)
{
	struct tm tm = local(at_us);
	uint64_t end;

	if (from_min == to_min || !schedule_holds(0xff, from_min, to_min, at_us))
		return at_us;
	end = moment(tm, minute_of(&tm) < to_min ? 0 : 1, to_min);
	return end > at_us ? end : at_us;
}

uint64_t schedule_last(uint8_t day, uint32_t min, uint64_t at_us)
{
	struct tm tm = local(at_us);
	int back = (int)((weekday(&tm) + WEEK - (unsigned)(day - 1)) % WEEK);
	uint64_t last = moment(tm, -back, min);

	return last <= at_us ? last : moment(tm, -back - WEEK, min);
}
