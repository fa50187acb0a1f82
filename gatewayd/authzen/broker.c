/* The one peer of the endpoint: the broker. */
#include "gatewayd/authzen/authzen.h"

#define AWAY "the gateway's broker is away: try again in a moment"

/* The broker bounds what comes on record of this; under load its questions go before. */
void authzen_tell_refused(struct conn *c)
{
	struct ipc_authz_refused m = {
		.source = ipc_text(c->http.source), .path = ipc_text(c->head.path), .token = c->head.token};

	if (c->authzen->broker != NULL && ipc_queued(c->authzen->broker) <= AUTHZEN_QUEUE_HIGH)
		(void)ipc_send(c->authzen->broker, IPC_AUTHZ_REFUSED, &m);
}

static int on_answer(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return authzen_answer(arg, msg);
}

static void on_closed(struct ipc_conn *conn, const char *reason, void *arg)
{
	struct authzen *a = arg;

	(void)conn, (void)reason;
	a->broker = NULL;
	authzen_unavailable(a, 0, AWAY);
}

static const struct ipc_op ops[] = {{IPC_AUTHZ_ANSWER, on_answer}};

static const struct ipc_handlers handlers = {ops, sizeof(ops) / sizeof(ops[0]), on_closed};

void authzen_attach(struct authzen *a, int fd)
{
	if (a->broker != NULL) {
		ipc_close(a->broker);
		a->broker = NULL;
		authzen_unavailable(a, 0, AWAY);
	}
	a->broker = ipc_open(a->role.loop, fd, IPC_ROLE_AUTHZEN, IPC_ROLE_BROKER, IPC_ST_READY, &handlers, a);
}
