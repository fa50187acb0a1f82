#include "gatewayd/broker/events.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/call.h"
#include "common/log.h"
#include "gatewayd/broker/broker.h"

#define EVENTS_MAX 256          /* not yet on record */
#define EVENT_MEMBERS_MAX 24576 /* BROKER_EVENT.members */

struct waiting {
	uint64_t id;
	bool lost; /* there was nobody to send it to, or he is gone */
	event_done_fn done;
	void *arg;
	TAILQ_ENTRY(waiting) next;
};

struct events {
	TAILQ_HEAD(, waiting) waiting; /* in the order in which they were sent */
	size_t count;
	uint64_t last_id;
	struct event *later; /* tells of the lost ones, outside of the call that lost them */
};

struct events *events_new(void)
{
	struct events *e = calloc(1, sizeof(*e));

	if (e == NULL)
		log_fatal(KG_EXIT_FAILURE, "events of the broker: out of memory");
	TAILQ_INIT(&e->waiting);
	return e;
}

void events_free(struct events *e)
{
	struct waiting *w;

	if (e == NULL)
		return;
	while ((w = TAILQ_FIRST(&e->waiting)) != NULL) {
		TAILQ_REMOVE(&e->waiting, w, next);
		free(w);
	}
	if (e->later != NULL)
		event_free(e->later);
	free(e);
}

static void finish(struct broker *b, struct waiting *w, bool durable)
{
	struct waiting mine = *w;

	TAILQ_REMOVE(&b->events->waiting, w, next);
	b->events->count--;
	free(w);
	if (mine.done != NULL)
		mine.done(b, durable, mine.arg);
}

static void tell_lost(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	struct waiting *w, *next;
	uint64_t last = b->events->last_id;

	(void)fd, (void)what;
	/* One that is told may send anew: that one has a higher number, and its own turn. */
	for (w = TAILQ_FIRST(&b->events->waiting); w != NULL && w->id <= last; w = next) {
		next = TAILQ_NEXT(w, next);
		if (w->lost)
			finish(b, w, false);
	}
}

static void tell_later(struct broker *b)
{
	static const struct timeval now = {0, 0};

	if (b->events->later == NULL)
		b->events->later = evtimer_new(loop_base(b->loop), tell_lost, b);
	if (b->events->later == NULL || event_add(b->events->later, &now) != 0)
		log_fatal(KG_EXIT_FAILURE, "events of the broker: out of memory");
}

static int send_it(struct broker *b, const char *kind, const char *members, uint64_t id)
{
	const struct ipc_broker_event m = {.id = id, .kind = ipc_text(kind), .members = ipc_text(members)};

	return b->recorder.conn == NULL ? KG_E_UNAVAILABLE : ipc_send(b->recorder.conn, IPC_BROKER_EVENT, &m);
}

static int send_text(struct broker *b, const char *kind, const char *text, event_done_fn done, void *arg)
{
	struct events *e = b->events;
	struct waiting *w;

	/* A message that does not fit would end the connection, and with it every call. */
	if (e->count == EVENTS_MAX || strlen(text) > EVENT_MEMBERS_MAX)
		return KG_E_LIMIT;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return KG_E_NOMEM;
	*w = (struct waiting){.id = ++e->last_id, .done = done, .arg = arg};
	TAILQ_INSERT_TAIL(&e->waiting, w, next);
	e->count++;
	if (send_it(b, kind, text, w->id) != KG_OK) {
		w->lost = true;
		tell_later(b);
	}
	return KG_OK;
}

int events_send(struct broker *b, const char *kind, json_t *members, event_done_fn done, void *arg)
{
	char *text = json_dumps(members, JSON_COMPACT | JSON_SORT_KEYS);
	int r = text == NULL ? KG_E_NOMEM : send_text(b, kind, text, done, arg);

	json_decref(members);
	free(text);
	return r;
}

int events_recorded(struct broker *b, const struct ipc_broker_event_recorded *m)
{
	struct waiting *w;

	TAILQ_FOREACH(w, &b->events->waiting, next)
	{
		if (w->id == m->id && !w->lost) {
			finish(b, w, m->status == GRANT_OK);
			return KG_OK;
		}
	}
	return KG_E_PROTO;
}

void events_recorder_lost(struct broker *b)
{
	struct waiting *w;

	if (TAILQ_EMPTY(&b->events->waiting))
		return;
	TAILQ_FOREACH(w, &b->events->waiting, next) w->lost = true;
	tell_later(b);
}
