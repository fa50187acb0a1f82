#include "common/rate.h"

#define SECOND_NS 1000000000ull
#define MINUTE_NS (60 * SECOND_NS)

bool rate_take(struct rate_bucket *b, uint32_t per_minute, uint64_t now_ns, uint64_t *wait_s)
{
	uint64_t each, room, behind;

	*wait_s = 0;
	if (per_minute == 0)
		return true;
	each = MINUTE_NS / per_minute;
	room = each * (per_minute - 1);
	behind = b->full_ns > now_ns ? b->full_ns - now_ns : 0;
	/* What was taken at a higher rate before does not count for more than an empty bucket. */
	if (behind > room + each)
		behind = room + each;
	if (behind > room) {
		b->full_ns = now_ns + behind;
		*wait_s = (behind - room + SECOND_NS - 1) / SECOND_NS;
		return false;
	}
	b->full_ns = now_ns + behind + each;
	return true;
}
