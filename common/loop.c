#include "common/loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "common/err.h"
#include "common/ipc_flush.h"
#include "common/log.h"

struct loop {
	struct event_base *base;
	bool stopped;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} ends[LOOP_ENDS_MAX];
	size_t nends;
	struct ipc_conn *dirty;
};

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));
	struct event_config *cfg = event_config_new();

	/* No environment variable may choose the loop's backend. */
	if (l == NULL || cfg == NULL || event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NOLOCK))
		log_fatal(KG_EXIT_FAILURE, "event loop: out of memory");
	l->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (l->base == NULL)
		log_fatal(KG_EXIT_FAILURE, "event loop: cannot be made");
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	event_base_free(l->base);
	free(l);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

struct ipc_conn **loop_dirty(struct loop *l)
{
	return &l->dirty;
}

void loop_at_batch_end(struct loop *l, void (*fn)(void *arg), void *arg)
{
	if (l->nends == LOOP_ENDS_MAX)
		log_panic("event loop: more than %d ends of batch", LOOP_ENDS_MAX);
	l->ends[l->nends].fn = fn;
	l->ends[l->nends].arg = arg;
	l->nends++;
}

void loop_run(struct loop *l)
{
	l->stopped = false;
	while (!l->stopped) {
		for (size_t i = 0; i < l->nends; i++)
			l->ends[i].fn(l->ends[i].arg);
		ipc_flush(&l->dirty);
		if (l->stopped)
			break;
		if (event_base_loop(l->base, EVLOOP_ONCE) != 0 || event_base_got_exit(l->base))
			break;
	}
	/* What the last batch queued still leaves: why a role ends is often said in it. */
	ipc_flush(&l->dirty);
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}

unsigned long long loop_now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) != 0)
		log_panic("clock: CLOCK_BOOTTIME cannot be read");
	return (unsigned long long)ts.tv_sec * 1000000000ull + (unsigned long long)ts.tv_nsec;
}
