/* Whether a person's approval would do is for the policies to say, before it is given: they can be told why not. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "vaultd/approvals.h"

#define BROKER_SILENT "the broker did not say whether the policies take your approval: try again (see keepgate status)"
#define BEFORE "the policies would not let the call through with your approval: "

struct approval_check {
	struct peer *asker, *broker;
	uint64_t id;
	approval_checked_fn fn;
	void *what;
	struct event *timer;
	struct approval_check *next;
};

/* The last thing that happens to it. */
static void check_end(struct approval_check *c, struct peer *asker, const char *why)
{
	struct approval_check **at = &c->asker->vault->checks;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	event_free(c->timer);
	c->fn(asker, c->what, why);
	free(c);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct approval_check *c = arg;

	(void)fd, (void)what;
	check_end(c, c->asker, BROKER_SILENT);
}

static struct approval_check *check_new(struct peer *asker, struct peer *broker)
{
	static const struct timeval wait = {APPROVAL_CHECK_MS / 1000, (suseconds_t)(APPROVAL_CHECK_MS % 1000) * 1000};
	struct vault *v = asker->vault;
	struct approval_check *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = (struct approval_check){.asker = asker, .broker = broker, .id = ++v->last_check, .next = v->checks};
	c->timer = evtimer_new(loop_base(v->loop), on_timeout, c);
	if (c->timer == NULL || event_add(c->timer, &wait) != 0) {
		if (c->timer != NULL)
			event_free(c->timer);
		free(c);
		return NULL;
	}
	v->checks = c;
	return c;
}

static void send_check(const struct approval_check *c, const struct approval *x, const char *approver, bool mfa)
{
	struct ipc_approval_check m = {.id = c->id,
				       .upstream = ipc_text(x->upstream->server->name),
				       .name = ipc_text(x->tool),
				       .approver = ipc_text(approver),
				       .mfa = mfa,
				       .expires_unix = x->expires,
				       .source = ipc_text(x->source),
				       .args = ipc_mem(x->args, x->args_len)};

	memcpy(m.session, x->session, ID_LEN);
	/* A connection that ends of it answers in approval_checks_peer_gone(). */
	(void)ipc_send(c->broker->conn, IPC_APPROVAL_CHECK, &m);
}

void approval_check(struct peer *asker, const struct approval *x, const char *approver, bool mfa,
		    approval_checked_fn fn, void *what)
{
	struct peer *broker = peer_find(asker->vault, IPC_ROLE_BROKER);
	struct approval_check *c;

	if (broker == NULL) {
		fn(asker, what, NULL);
		return;
	}
	c = check_new(asker, broker);
	if (c == NULL) {
		fn(asker, what, "vaultd is out of memory");
		return;
	}
	c->fn = fn;
	c->what = what;
	send_check(c, x, approver, mfa);
}

static struct approval_check *check_find(const struct peer *broker, uint64_t id)
{
	struct approval_check *c = broker->vault->checks;

	while (c != NULL && (c->broker != broker || c->id != id))
		c = c->next;
	return c;
}

int approval_checked(struct peer *broker, const struct ipc_approval_checked *m)
{
	struct approval_check *c = check_find(broker, m->id);
	char why[sizeof(BEFORE) + 512] = BEFORE;

	if (m->id == 0 || m->id > broker->vault->last_check ||
	    ipc_copy(m->reason, why + sizeof(BEFORE) - 1, 513) != KG_OK)
		return KG_E_PROTO;
	if (c != NULL)
		check_end(c, c->asker, m->status == GRANT_OK ? NULL : why);
	return KG_OK;
}

void approval_checks_peer_gone(struct peer *gone)
{
	struct approval_check *next;

	for (struct approval_check *c = gone->vault->checks; c != NULL; c = next) {
		next = c->next;
		if (c->asker == gone)
			check_end(c, NULL, NULL);
		else if (c->broker == gone)
			check_end(c, c->asker, BROKER_SILENT);
	}
}
