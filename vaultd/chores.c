#include "vaultd/chores.h"

#include "common/log.h"
#include "vaultd/approvals.h"
#include "vaultd/catalogue.h"
#include "vaultd/guard.h"

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct vault *v = arg;
	bool more;

	(void)fd, (void)what;
	more = catalogue_settle(v);
	more = catalogue_catch_up(v) || more;
	more = approvals_tick(v) || more;
	more = guard_tick(v) || more;
	if (more)
		chores_want(v);
}

void chores_want(struct vault *v)
{
	static const struct timeval soon = {.tv_usec = (suseconds_t)CHORES_MS * 1000};

	if (v->chores == NULL)
		v->chores = evtimer_new(loop_base(v->loop), on_time, v);
	if (v->chores == NULL || (!evtimer_pending(v->chores, NULL) && event_add(v->chores, &soon) != 0))
		log_fatal(KG_EXIT_FAILURE, "chores: out of memory");
}

void chores_free(struct vault *v)
{
	if (v->chores != NULL)
		event_free(v->chores);
	v->chores = NULL;
}
