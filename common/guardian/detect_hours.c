/* Outside the hours and days of work, in the tenant's time zone. */
#include <stdio.h>

#include "common/guardian/state.h"

void detect_hours(struct feed *f)
{
	static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
					   "Friday", "Saturday", "Sunday"};
	int64_t local = (int64_t)(f->ev->ts_us / 1000000) + f->zone;
	uint32_t minute = (uint32_t)(local / 60 % 1440),
		 day = (uint32_t)((local / 86400 + 3) % 7); /* 1970 began on a Thursday */
	const struct rule *r = f->rule;

	if (local < 0 || ((r->days >> day & 1) != 0 && minute >= r->from_min && minute < r->to_min))
		return;
	f->v->alarm = true;
	f->v->value = f->v->threshold = 1;
	snprintf(f->v->what, sizeof(f->v->what), "on %s at %02u:%02u", days[day], minute / 60, minute % 60);
}
