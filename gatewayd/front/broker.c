/* The one peer of a front: the broker. */
#include "common/log.h"
#include "gatewayd/front/mcp.h"

static int on_reply(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	mcp_reply(arg, msg);
	return KG_OK;
}

static int on_progress(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	mcp_progress(arg, msg);
	return KG_OK;
}

static void on_closed(struct ipc_conn *conn, const char *reason, void *arg)
{
	struct front *f = arg;

	(void)conn, (void)reason;
	f->broker = NULL;
	mcp_broker_lost(f);
}

static const struct ipc_op ops[] = {
	{IPC_REPLY, on_reply},
	{IPC_PROGRESS, on_progress},
};

static const struct ipc_handlers handlers = {ops, sizeof(ops) / sizeof(ops[0]), on_closed};

void broker_attach(struct front *f, int fd)
{
	if (f->broker != NULL) {
		ipc_close(f->broker);
		f->broker = NULL;
		mcp_broker_lost(f);
	}
	f->broker = ipc_open(f->role.loop, fd, IPC_ROLE_FRONT, IPC_ROLE_BROKER, IPC_ST_READY, &handlers, f);
}
