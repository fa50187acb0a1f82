#include "common/cedar/cedar_ext.h"

#define MS_PER_DAY INT64_C(86400000)
#define DATE_LENGTH 10u /* YYYY-MM-DD */
#define TIME_LENGTH 9u  /* Thh:mm:ss */

/* Digits at s[at..at+count) as a number at most `max`; sets *bad otherwise. */
static int take_digits(struct cedar_str s, size_t at, size_t count, int max, bool *bad)
{
	int value = 0;
	size_t i;

	for (i = at; i < at + count; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
			*bad = true;
			return 0;
		}
		value = value * 10 + (s.p[i] - '0');
	}
	if (value > max)
		*bad = true;
	return value;
}

static bool has_char(struct cedar_str s, size_t at, char c)
{
	return at < s.n && s.p[at] == c;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, year >= 0. */
static int64_t days_from_civil(int year, int month, int day)
{
	/* Years that begin in March keep the leap day at the end. */
	int64_t y = (int64_t)year + 400 - (month <= 2), era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return (era - 1) * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int parse_date(struct cedar_str s, int64_t *ms)
{
	bool bad = false;
	int year = take_digits(s, 0, 4, 9999, &bad);
	int month = take_digits(s, 5, 2, 12, &bad);
	int day = take_digits(s, 8, 2, 31, &bad);

	if (bad || !has_char(s, 4, '-') || !has_char(s, 7, '-') || month < 1 || day < 1 ||
	    day > month_days(year, month))
		return -1;
	*ms = days_from_civil(year, month, day) * MS_PER_DAY;
	return 0;
}

/* "Z" or "+hhmm"; the offset is what local time is ahead of UTC. */
static int parse_zone(struct cedar_str s, size_t at, int64_t *offset_ms)
{
	bool bad = false;
	int hours, minutes;

	*offset_ms = 0;
	if (has_char(s, at, 'Z'))
		return s.n == at + 1 ? 0 : -1;
	if (s.n != at + 5 || (s.p[at] != '+' && s.p[at] != '-'))
		return -1;
	hours = take_digits(s, at + 1, 2, 23, &bad);
	minutes = take_digits(s, at + 3, 2, 59, &bad);
	*offset_ms = INT64_C(60000) * (hours * 60 + minutes);
	if (s.p[at] == '-')
		*offset_ms = -*offset_ms;
	return bad ? -1 : 0;
}

int cedar_datetime_parse(struct cedar_str s, int64_t *out)
{
	size_t at = DATE_LENGTH;
	int64_t ms, offset_ms;
	int hours, minutes, seconds;
	bool bad = false;

	if (parse_date(s, &ms) != 0)
		return -1;
	if (s.n == DATE_LENGTH) {
		*out = ms;
		return 0;
	}
	hours = take_digits(s, at + 1, 2, 23, &bad);
	minutes = take_digits(s, at + 4, 2, 59, &bad);
	seconds = take_digits(s, at + 7, 2, 59, &bad);
	if (bad || !has_char(s, at, 'T') || !has_char(s, at + 3, ':') || !has_char(s, at + 6, ':'))
		return -1;
	ms += INT64_C(1000) * (hours * 3600 + minutes * 60 + seconds);
	at += TIME_LENGTH;
	if (has_char(s, at, '.')) {
		ms += take_digits(s, at + 1, 3, 999, &bad);
		at += 4;
	}
	if (bad || parse_zone(s, at, &offset_ms) != 0)
		return -1;
	*out = ms - offset_ms;
	return 0;
}

int64_t cedar_datetime_time(int64_t datetime)
{
	int64_t time = datetime % MS_PER_DAY;

	return time < 0 ? time + MS_PER_DAY : time;
}

int cedar_datetime_day(int64_t datetime, int64_t *out)
{
	return __builtin_sub_overflow(datetime, cedar_datetime_time(datetime), out) ? -1 : 0;
}
