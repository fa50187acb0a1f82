/* The connection to the pager. */
#include "guardiand/recorder/outbox_parts.h"

static int on_paged(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	(void)c, (void)fd;
	outbox_paged(arg, msg);
	return KG_OK;
}

static void on_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct outbox *o = arg;

	(void)c;
	if (reason != NULL)
		violation_record(o->r, "", "protocol", reason, NULL);
	o->pager = NULL;
	outbox_unsend(o);
	if (o->want != NULL)
		o->want(o->want_arg);
}

static const struct ipc_op pager_ops[] = {{IPC_PAGED, on_paged}};

static const struct ipc_handlers pager_handlers = {pager_ops, sizeof(pager_ops) / sizeof(pager_ops[0]), on_closed};

void outbox_pager(struct outbox *o, int fd)
{
	if (o->pager != NULL) {
		ipc_close(o->pager);
		outbox_unsend(o);
	}
	o->pager = ipc_open(o->r->loop, fd, IPC_ROLE_RECORDER, IPC_ROLE_PAGER, IPC_ST_READY, &pager_handlers, o);
	o->dirty = true;
}

void outbox_want(struct outbox *o, void (*want)(void *arg), void *arg)
{
	o->want = want;
	o->want_arg = arg;
}
