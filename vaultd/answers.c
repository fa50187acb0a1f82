#include "vaultd/answers.h"

#include <stdlib.h>

#include "common/log.h"
#include "vaultd/admin.h"

struct answer {
	struct peer *asker, *broker;
	uint64_t upto; /* of the broker's count */
	answer_fn fn;
	void *what;
	struct event *timer;
	struct answer *next;
};

static void unlink_answer(struct answer *a)
{
	struct answer **at = &a->asker->vault->answers;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	event_free(a->timer);
}

static void give(struct answer *a)
{
	unlink_answer(a);
	a->fn(a->asker, a->what);
	free(a);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	log_warn("broker: it has not taken a change within %d ms: see: keepgate status", ANSWER_WAIT_MS);
	give(arg);
}

static struct answer *answer_new(struct peer *asker, struct peer *broker)
{
	static const struct timeval wait = {ANSWER_WAIT_MS / 1000, (suseconds_t)(ANSWER_WAIT_MS % 1000) * 1000};
	struct answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	*a = (struct answer){.asker = asker, .broker = broker, .upto = broker->pushed};
	a->timer = evtimer_new(loop_base(asker->vault->loop), on_timeout, a);
	if (a->timer == NULL || event_add(a->timer, &wait) != 0) {
		if (a->timer != NULL)
			event_free(a->timer);
		free(a);
		return NULL;
	}
	a->next = asker->vault->answers;
	asker->vault->answers = a;
	return a;
}

void answer_later(struct peer *asker, answer_fn fn, void *what)
{
	struct peer *broker = peer_find(asker->vault, IPC_ROLE_BROKER);
	struct answer *a = broker == NULL || broker->taken == broker->pushed ? NULL : answer_new(asker, broker);

	if (a == NULL) {
		fn(asker, what);
		return;
	}
	a->fn = fn;
	a->what = what;
}

static void give_result(struct peer *asker, void *what)
{
	if (asker != NULL)
		admin_result(asker, what);
	else
		json_decref(what);
}

void answer_when_taken(struct peer *asker, json_t *result)
{
	answer_later(asker, give_result, result);
}

int answers_taken(struct peer *broker)
{
	struct answer *next;

	if (broker->taken == broker->pushed)
		return KG_E_PROTO;
	broker->taken++;
	for (struct answer *a = broker->vault->answers; a != NULL; a = next) {
		next = a->next;
		if (a->broker == broker && a->upto <= broker->taken)
			give(a);
	}
	return KG_OK;
}

void answers_peer_gone(struct peer *gone)
{
	struct answer *next;

	for (struct answer *a = gone->vault->answers; a != NULL; a = next) {
		next = a->next;
		if (a->asker == gone) {
			unlink_answer(a);
			a->fn(NULL, a->what);
			free(a);
		} else if (a->broker == gone) {
			give(a);
		}
	}
}
