#include "guardiand/recorder/commit.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"

/* Any message that answers for a record. */
union answer_msg {
	struct ipc_receipt receipt;
	struct ipc_recorded recorded;
	struct ipc_self_receipt self_receipt;
	struct ipc_vault_event_recorded vault_event;
	struct ipc_broker_event_recorded broker_event;
};

struct answer {
	struct ipc_conn *conn; /* NULL: forgotten */
	enum ipc_type type;
	union answer_msg msg;
	void *held; /* owned: what msg points into */
};

struct commit {
	struct store *store;
	struct event *lazy;
	bool urgent, armed;
	uint64_t count;
	size_t nanswers;
	size_t nwatchers;
	struct commit_watcher watcher[COMMIT_WATCHERS_MAX];
	struct answer answers[COMMIT_ANSWERS_MAX];
};

_Noreturn void commit_fatal(struct store *s)
{
	log_fatal(KG_EXIT_STORE,
		  "audit.db: cannot be written: %s: make room or mend its file system; until then no call is sent",
		  store_error(s));
}

static bool has_work(const struct commit *c)
{
	return c->nanswers != 0 || store_pending(c->store);
}

static void at_batch_end(void *arg)
{
	static const struct timeval wait = {.tv_usec = COMMIT_LAZY_US};
	struct commit *c = arg;

	if (c->urgent) {
		commit_now(c);
		return;
	}
	if (c->armed || !has_work(c))
		return;
	if (event_add(c->lazy, &wait) != 0)
		commit_now(c);
	else
		c->armed = true;
}

static void on_lazy(evutil_socket_t fd, short what, void *arg)
{
	struct commit *c = arg;

	(void)fd, (void)what;
	c->armed = false;
	c->urgent = true; /* together with what else this batch brings */
}

struct commit *commit_new(struct loop *l, struct store *s)
{
	struct commit *c = calloc(1, sizeof(*c));

	if (c == NULL)
		log_fatal(KG_EXIT_FAILURE, "group commit: out of memory");
	c->store = s;
	c->lazy = event_new(loop_base(l), -1, 0, on_lazy, c);
	if (c->lazy == NULL)
		log_fatal(KG_EXIT_FAILURE, "group commit: out of memory");
	loop_at_batch_end(l, at_batch_end, c);
	return c;
}

void commit_free(struct commit *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->nanswers; i++)
		free(c->answers[i].held);
	event_free(c->lazy);
	free(c);
}

int commit_leaf(struct commit *c, const struct leaf_event *e, enum commit_urgency urgency, uint64_t *seq)
{
	int r = store_append(c->store, e, seq);

	if (r == KG_E_IO)
		commit_fatal(c->store);
	if (urgency == COMMIT_URGENT)
		c->urgent = true;
	for (size_t i = 0; r == KG_OK && i < c->nwatchers; i++)
		if (c->watcher[i].leaf != NULL)
			c->watcher[i].leaf(c->watcher[i].arg, e, *seq);
	return r;
}

void commit_watch(struct commit *c, const struct commit_watcher *w)
{
	if (c->nwatchers == COMMIT_WATCHERS_MAX)
		log_panic("group commit: more than %d look on", COMMIT_WATCHERS_MAX);
	c->watcher[c->nwatchers++] = *w;
}

void commit_unwatch(struct commit *c, const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->nwatchers; i++)
		if (c->watcher[i].arg != arg)
			c->watcher[kept++] = c->watcher[i];
	c->nwatchers = kept;
}

void commit_answer(struct commit *c, struct ipc_conn *conn, enum ipc_type type, const void *msg, size_t size)
{
	commit_answer_held(c, conn, type, msg, size, NULL);
}

void commit_answer_held(struct commit *c, struct ipc_conn *conn, enum ipc_type type, const void *msg, size_t size,
			void *held)
{
	struct answer *a = &c->answers[c->nanswers];

	if (size > sizeof(a->msg))
		log_panic("group commit: an answer of %zu bytes", size);
	a->conn = conn;
	a->type = type;
	memcpy(&a->msg, msg, size);
	a->held = held;
	c->nanswers++;
	if (c->nanswers == COMMIT_ANSWERS_MAX)
		commit_now(c);
}

void commit_forget(struct commit *c, const struct ipc_conn *conn)
{
	for (size_t i = 0; i < c->nanswers; i++)
		if (c->answers[i].conn == conn)
			c->answers[i].conn = NULL;
}

void commit_now(struct commit *c)
{
	for (size_t i = 0; i < c->nwatchers; i++)
		if (c->watcher[i].before != NULL)
			c->watcher[i].before(c->watcher[i].arg);
	if (store_commit(c->store) != KG_OK)
		commit_fatal(c->store);
	c->count++;
	c->urgent = false;
	if (c->armed) {
		event_del(c->lazy);
		c->armed = false;
	}
	for (size_t i = 0; i < c->nanswers; i++) {
		if (c->answers[i].conn != NULL)
			ipc_send(c->answers[i].conn, c->answers[i].type, &c->answers[i].msg);
		free(c->answers[i].held);
	}
	c->nanswers = 0;
	for (size_t i = 0; i < c->nwatchers; i++)
		if (c->watcher[i].after != NULL)
			c->watcher[i].after(c->watcher[i].arg);
}

uint64_t commit_count(const struct commit *c)
{
	return c->count;
}
