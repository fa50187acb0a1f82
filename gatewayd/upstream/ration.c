#include "gatewayd/upstream/ration.h"

#include "common/err.h"
#include "common/log.h"
#include "common/loop.h"

#define MS_NS 1000000ull

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct ration *r = arg;

	(void)fd, (void)what;
	r->resting = false;
	r->spent = 0;
	event_add(r->reading, NULL);
}

void ration_begin(struct ration *r, struct event_base *base, struct event *reading)
{
	ration_end(r);
	r->reading = reading;
	r->window_ns = loop_now_ns();
	r->spent = 0;
	if (!r->timer)
		r->timer = evtimer_new(base, on_rested, r);
	if (!r->timer)
		log_fatal(KG_EXIT_FAILURE, "event loop: out of memory");
}

void ration_spend(struct ration *r, size_t bytes)
{
	static const struct timeval window = {0, (suseconds_t)RATION_WINDOW_MS * 1000};
	uint64_t now = loop_now_ns();

	if (now - r->window_ns >= RATION_WINDOW_MS * MS_NS) {
		r->window_ns = now;
		r->spent = 0;
	}
	r->spent += bytes;
	if (r->spent <= RATION_BYTES || r->resting)
		return;
	r->resting = true;
	event_del(r->reading);
	event_add(r->timer, &window);
}

void ration_end(struct ration *r)
{
	if (r->timer)
		event_del(r->timer);
	r->resting = false;
}
