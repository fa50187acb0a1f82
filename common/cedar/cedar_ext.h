/* Extension types: decimal, ipaddr, datetime, duration (spec, "Extensions"). */
#ifndef CEDAR_EXT_H
#define CEDAR_EXT_H

#include "common/cedar/cedar_value.h"

/* Parsers of constructor arguments: 0, or -1 and `*out` untouched. */
int cedar_decimal_parse(struct cedar_str s, int64_t *out);
int cedar_ip_parse(struct cedar_str s, struct cedar_ip *out);
int cedar_datetime_parse(struct cedar_str s, int64_t *out);
int cedar_duration_parse(struct cedar_str s, int64_t *out);

bool cedar_ip_is_loopback(const struct cedar_ip *ip);
bool cedar_ip_is_multicast(const struct cedar_ip *ip);
/* Whether every address of `ip` lies in `range`. */
bool cedar_ip_in_range(const struct cedar_ip *ip, const struct cedar_ip *range);

/* The UTC day's first millisecond; -1 if that is below int64. */
int cedar_datetime_day(int64_t datetime, int64_t *out);
/* Milliseconds since the start of the UTC day, never negative. */
int64_t cedar_datetime_time(int64_t datetime);

#endif
