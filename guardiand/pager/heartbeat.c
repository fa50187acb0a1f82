/* The dead man's switch: a request a minute to a service that pages when none has come. */
#include "guardiand/pager/kind.h"

int heartbeat_build(const struct letter *l, struct outgo *out)
{
	char now[PAGE_TIME_MAX];
	int err;

	if (l->page->action != PAGE_HEARTBEAT && l->page->action != PAGE_TEST)
		return outgo_refuse(out, "a heartbeat carries no pages");
	page_time(l->now_us, now);
	err = outgo_json(out, json_pack("{s:s, s:s}", "origin", l->origin, "time", now), "application/json");
	return err != 0 ? err : outgo_secret_url(out, l);
}
