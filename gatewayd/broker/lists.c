#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/broker/call.h"
#include "gatewayd/broker/lists_in.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/request.h"
#include "gatewayd/broker/text.h"

#define TOO_MANY "too many lists wait for the external decision point: try again"

struct lists *lists_new(void)
{
	struct lists *l = calloc(1, sizeof(*l));

	if (l == NULL)
		log_fatal(KG_EXIT_FAILURE, "table of lists: out of memory");
	TAILQ_INIT(&l->list);
	return l;
}

void lists_remove(struct lists *l, struct waiting_list *w)
{
	TAILQ_REMOVE(&l->list, w, entry);
	l->count--;
	l->tools -= w->n;
	for (size_t i = 0; i < LISTS_ASKS; i++)
		if (l->ask[i].list == w)
			l->ask[i].list = NULL;
	free(w->tool);
	free(w);
}

void lists_free(struct lists *l)
{
	struct waiting_list *w;

	if (l == NULL)
		return;
	while ((w = TAILQ_FIRST(&l->list)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is removed leaves the list */
		lists_remove(l, w);
	}
	free(l);
}

void lists_fail(struct lists *l, struct waiting_list *w, const char *why)
{
	char text[CALL_TEXT_MAX];

	text_put(text, sizeof(text),
		 "no list of tools: the external decision point must be asked about each of them, and %s", why);
	reply_error(w->front, w->request, 503, RPC_INTERNAL, text);
	lists_remove(l, w);
}

/* ---- how one begins ---- */

static unsigned count_of(const struct lists *l, const struct session *s)
{
	const struct waiting_list *w;
	unsigned n = 0;

	TAILQ_FOREACH(w, &l->list, entry)
	n += w->session == s;
	return n;
}

struct gathering {
	struct waiting_list *w;
	size_t room, max;
};

static int gather(void *arg, const struct tool *t, size_t server, size_t place)
{
	struct gathering *g = arg;
	struct waiting_list *w = g->w;

	if (w->n == g->max)
		return KG_E_LIMIT;
	if (w->n == g->room) {
		size_t room = g->room == 0 ? 64 : 2 * g->room;
		struct candidate *more = realloc(w->tool, room * sizeof(*more));

		if (more == NULL)
			return KG_E_NOMEM;
		w->tool = more;
		g->room = room;
	}
	w->tool[w->n] = (struct candidate){.server = (uint32_t)server, .place = (uint32_t)place};
	memcpy(w->tool[w->n++].sha256, t->def.sha256, HASH_LEN);
	return KG_OK;
}

/* The list with all that is to be asked for it; NULL when there is no room. */
static struct waiting_list *make(const struct act *a, const struct list_query *q)
{
	struct lists *l = a->b->lists;
	struct waiting_list *w =
		l->count == LISTS_MAX || count_of(l, a->session) == LISTS_PER_SESSION ? NULL : calloc(1, sizeof(*w));
	struct gathering g = {w, 0, LISTS_TOOLS_MAX - l->tools};

	if (w == NULL)
		return NULL;
	*w = (struct waiting_list){.front = a->front,
				   .request = a->q->call,
				   .session = a->session,
				   .era = q->era,
				   .server = q->server,
				   .due_ns = a->now_ns + lists_ns(a->b)};
	if (ipc_copy(q->source, w->source, sizeof(w->source)) == KG_OK && list_each(a->b, q, gather, &g) == KG_OK)
		return w;
	free(w->tool);
	free(w);
	return NULL;
}

void lists_begin(const struct act *a, const struct list_query *q)
{
	struct lists *l = a->b->lists;
	struct waiting_list *w = make(a, q);

	if (w == NULL) {
		act_refuse(a, 503, RPC_INTERNAL, TOO_MANY);
		return;
	}
	TAILQ_INSERT_TAIL(&l->list, w, entry);
	l->count++;
	l->tools += w->n;
	if (w->n == 0) {
		list_answer(a->b, q, w->front, w->request);
		lists_remove(l, w);
		return;
	}
	deadline_watch(a->b);
	lists_ask_on(a->b);
}

/* ---- how one ends otherwise ---- */

bool lists_has(const struct lists *l, const struct peer *front, uint64_t request)
{
	const struct waiting_list *w;

	TAILQ_FOREACH(w, &l->list, entry)
	{
		if (w->front == front && w->request == request)
			return true;
	}
	return false;
}

void lists_fail_all(struct broker *b, const char *text)
{
	struct waiting_list *w;

	while ((w = TAILQ_FIRST(&b->lists->list)) != NULL) {
		reply_error(w->front, w->request, 503, RPC_INTERNAL, text);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is removed leaves the list */
		lists_remove(b->lists, w);
	}
}

void lists_pdp_lost(struct broker *b)
{
	struct waiting_list *w;

	while ((w = TAILQ_FIRST(&b->lists->list)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is removed leaves the list */
		lists_fail(b->lists, w, "its role ended before it answered");
	}
	memset(b->lists->ask, 0, sizeof(b->lists->ask));
}

bool lists_check(struct broker *b, uint64_t now_ns)
{
	struct lists *l = b->lists;
	struct waiting_list *w = TAILQ_FIRST(&l->list), *next;
	bool open = false;

	for (; w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (w->due_ns <= now_ns)
			lists_fail(l, w, "it did not answer in time");
	}
	for (size_t i = 0; i < LISTS_ASKS; i++) {
		if (l->ask[i].id != 0 && l->ask[i].due_ns <= now_ns && l->ask[i].list == NULL)
			l->ask[i].id = 0;
		open = open || l->ask[i].id != 0;
	}
	lists_ask_on(b);
	return open || l->count > 0;
}

void lists_request_gone(struct lists *l, const struct peer *front, uint64_t request)
{
	struct waiting_list *w;

	TAILQ_FOREACH(w, &l->list, entry)
	{
		if (w->front != front || w->request != request)
			continue;
		lists_remove(l, w);
		return;
	}
}

void lists_front_lost(struct lists *l, const struct peer *front)
{
	struct waiting_list *w = TAILQ_FIRST(&l->list), *next;

	for (; w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (w->front == front)
			lists_remove(l, w);
	}
}

void lists_session_ended(struct lists *l, const struct session *s, const struct call_stop *stop)
{
	struct waiting_list *w = TAILQ_FIRST(&l->list), *next;

	for (; w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		if (w->session != s)
			continue;
		reply_error(w->front, w->request, stop->http, stop->code, stop->text);
		lists_remove(l, w);
	}
}

size_t lists_count(const struct lists *l)
{
	return l->count;
}
