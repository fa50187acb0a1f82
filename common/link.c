#include "common/link.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sock.h"

struct link {
	struct link_spec spec;
	struct child *child;
	struct event *retry;
};

_Static_assert(sizeof(struct ipc_upstream_name) == sizeof(struct ipc_receipt_name), "both name one server");

/* Says whose connection this is, before the role has it: a role cannot call itself another. */
static int link_name(const struct link *k, int fd)
{
	struct ipc_upstream_name name = {.upstream = ipc_text(k->spec.name)};

	return k->spec.naming == 0 ? KG_OK : ipc_write_blocking(fd, k->spec.naming, &name, -1);
}

static void link_try(struct link *k)
{
	static const struct timeval wait = {0, LINK_RETRY_MS * 1000};
	int fd;

	if (!child_running(k->child))
		return;
	fd = sock_connect(k->spec.run_dir, k->spec.socket);
	if (fd < 0 || link_name(k, fd) != KG_OK)
		event_add(k->retry, &wait);
	else
		child_give(k->child, k->spec.peer, 0, k->spec.name, fd);
	if (fd >= 0)
		close(fd);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	link_try(arg);
}

struct link *link_new(struct loop *l, const struct link_spec *spec)
{
	struct link *k = calloc(1, sizeof(*k));

	if (k == NULL || (k->retry = evtimer_new(loop_base(l), on_retry, k)) == NULL)
		log_fatal(KG_EXIT_FAILURE, "connection to %s: out of memory", spec->socket);
	k->spec = *spec;
	return k;
}

void link_make(struct link *k, struct child *c)
{
	k->child = c;
	link_try(k);
}
