#include "common/cedar/cedar_fn.h"

#include "common/cedar/cedar_value.h"

#define B CEDAR_FN_BUILTIN
#define C CEDAR_FN_CONSTRUCTOR
#define M CEDAR_FN_METHOD
#define DEC CEDAR_DECIMAL
#define DATE CEDAR_DATETIME
#define DUR CEDAR_DURATION
#define STR CEDAR_STRING

static const struct cedar_fn_info functions[CEDAR_FN_COUNT] = {
	[CEDAR_FN_CONTAINS] = {"contains", B, 2, 0, 0, 0},
	[CEDAR_FN_CONTAINS_ALL] = {"containsAll", B, 2, 0, 0, 0},
	[CEDAR_FN_CONTAINS_ANY] = {"containsAny", B, 2, 0, 0, 0},
	[CEDAR_FN_IS_EMPTY] = {"isEmpty", B, 1, 0, 0, 0},
	[CEDAR_FN_GET_TAG] = {"getTag", B, 2, 0, 0, 0},
	[CEDAR_FN_HAS_TAG] = {"hasTag", B, 2, 0, 0, 0},
	[CEDAR_FN_DECIMAL] = {"decimal", C, 1, STR, 0, DEC},
	[CEDAR_FN_IP] = {"ip", C, 1, STR, 0, CEDAR_IP},
	[CEDAR_FN_DATETIME] = {"datetime", C, 1, STR, 0, DATE},
	[CEDAR_FN_DURATION] = {"duration", C, 1, STR, 0, DUR},
	[CEDAR_FN_LESS_THAN] = {"lessThan", M, 2, DEC, DEC, CEDAR_BOOL},
	[CEDAR_FN_LESS_THAN_OR_EQUAL] = {"lessThanOrEqual", M, 2, DEC, DEC, CEDAR_BOOL},
	[CEDAR_FN_GREATER_THAN] = {"greaterThan", M, 2, DEC, DEC, CEDAR_BOOL},
	[CEDAR_FN_GREATER_THAN_OR_EQUAL] = {"greaterThanOrEqual", M, 2, DEC, DEC, CEDAR_BOOL},
	[CEDAR_FN_IS_IPV4] = {"isIpv4", M, 1, CEDAR_IP, 0, CEDAR_BOOL},
	[CEDAR_FN_IS_IPV6] = {"isIpv6", M, 1, CEDAR_IP, 0, CEDAR_BOOL},
	[CEDAR_FN_IS_LOOPBACK] = {"isLoopback", M, 1, CEDAR_IP, 0, CEDAR_BOOL},
	[CEDAR_FN_IS_MULTICAST] = {"isMulticast", M, 1, CEDAR_IP, 0, CEDAR_BOOL},
	[CEDAR_FN_IS_IN_RANGE] = {"isInRange", M, 2, CEDAR_IP, CEDAR_IP, CEDAR_BOOL},
	[CEDAR_FN_OFFSET] = {"offset", M, 2, DATE, DUR, DATE},
	[CEDAR_FN_DURATION_SINCE] = {"durationSince", M, 2, DATE, DATE, DUR},
	[CEDAR_FN_TO_DATE] = {"toDate", M, 1, DATE, 0, DATE},
	[CEDAR_FN_TO_TIME] = {"toTime", M, 1, DATE, 0, DUR},
	[CEDAR_FN_TO_MILLISECONDS] = {"toMilliseconds", M, 1, DUR, 0, CEDAR_LONG},
	[CEDAR_FN_TO_SECONDS] = {"toSeconds", M, 1, DUR, 0, CEDAR_LONG},
	[CEDAR_FN_TO_MINUTES] = {"toMinutes", M, 1, DUR, 0, CEDAR_LONG},
	[CEDAR_FN_TO_HOURS] = {"toHours", M, 1, DUR, 0, CEDAR_LONG},
	[CEDAR_FN_TO_DAYS] = {"toDays", M, 1, DUR, 0, CEDAR_LONG},
};

const struct cedar_fn_info *cedar_fn_info(unsigned int fn)
{
	return &functions[fn];
}

enum cedar_fn cedar_fn_find(struct cedar_str name)
{
	unsigned int fn;

	for (fn = CEDAR_FN_NONE + 1; fn < CEDAR_FN_COUNT; fn++)
		if (cedar_str_is(name, functions[fn].name))
			return (enum cedar_fn)fn;
	return CEDAR_FN_NONE;
}
