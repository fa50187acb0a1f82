/*
 * Times: queues in which all calls wait equally long, so that the oldest is always first; a tick
 * looks at their heads, and runs only while something waits.
 */
#include "gatewayd/broker/call.h"

static const struct timeval tick = {0, TICK_MS * 1000};

void deadline_watch(struct broker *b)
{
	if (!event_pending(b->tick, EV_TIMEOUT, NULL))
		(void)event_add(b->tick, &tick);
}

/* Ends what is overdue; says whether something still waits. */
static bool queue_check(struct broker *b, struct call_queue *q, uint64_t now_ns)
{
	struct call *c;

	while ((c = TAILQ_FIRST(q)) != NULL && c->due_ns <= now_ns) {
		call_dequeue(c);
		(void)call_event(b, c, CALL_EV_DEADLINE, NULL);
	}
	return c != NULL;
}

void deadline_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	uint64_t now_ns = loop_now_ns();
	bool waiting = queue_check(b, &b->calls->waiting, now_ns);

	(void)fd, (void)what;
	waiting = queue_check(b, &b->calls->deciding, now_ns) || waiting;
	for (size_t i = 0; i < b->config->nservers; i++)
		waiting = queue_check(b, &b->upstream[i].calls, now_ns) || waiting;
	waiting = lists_check(b, now_ns) || waiting;
	/* Last: what is run again may wait in a queue. */
	waiting = held_check(b, now_ns) || waiting;
	if (waiting)
		deadline_watch(b);
}
