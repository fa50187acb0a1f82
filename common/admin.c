/* An admin socket whose operations are answered at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/call.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/sock.h"

#define ADMIN_ERROR_MAX 1024

struct admin {
	struct loop *loop;
	const struct admin_op *ops;
	void *arg;
};

static void reply(struct ipc_conn *c, json_t *result, const char *error)
{
	char *text = result == NULL ? NULL : json_dumps(result, JSON_COMPACT);
	struct ipc_admin_reply r = {
		.status = text == NULL ? GRANT_DENIED : GRANT_OK, .error = ipc_text(error), .json = ipc_text(text)};

	ipc_send(c, IPC_ADMIN_REPLY, &r);
	free(text);
	json_decref(result);
}

static int on_request(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_admin_request *q = msg;
	const struct admin *a = arg;
	char error[ADMIN_ERROR_MAX] = "";
	json_t *in;

	(void)fd;
	in = json_loadb((const char *)q->json.p, q->json.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(in)) {
		json_decref(in);
		return KG_E_PROTO;
	}
	for (const struct admin_op *op = a->ops; op->name != NULL; op++) {
		if (ipc_is(q->op, op->name)) {
			json_t *out = op->run(in, a->arg, error, sizeof(error));

			reply(c, out, error);
			json_decref(in);
			return KG_OK;
		}
	}
	json_decref(in);
	reply(c, NULL, "this daemon does not know that command");
	return KG_OK;
}

static void on_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	(void)c, (void)reason, (void)arg;
}

static const struct ipc_op ops[] = {{IPC_ADMIN_REQUEST, on_request}};
static const struct ipc_handlers handlers = {ops, 1, on_closed};

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct admin *a = arg;
	int conn = sock_accept(fd, 0); /* operators: root, beside our own user */

	(void)what;
	if (conn >= 0)
		ipc_open(a->loop, conn, IPC_ROLE_PARENT, IPC_ROLE_ADMIN, IPC_ST_READY, &handlers, a);
}

void admin_serve(struct loop *l, const char *run_dir, const char *name, const struct admin_op *table, void *arg)
{
	struct admin *a = calloc(1, sizeof(*a));
	int fd = sock_listen(run_dir, name);
	struct event *ev;

	if (fd < 0)
		log_fatal(KG_EXIT_FAILURE, "%s/%s: cannot listen: %s", run_dir, name,
			  fd == KG_E_EXISTS ? "another daemon serves it: stop that first" : strerror(errno));
	ev = event_new(loop_base(l), fd, EV_READ | EV_PERSIST, on_accept, a);
	if (a == NULL || ev == NULL || event_add(ev, NULL) != 0)
		log_fatal(KG_EXIT_FAILURE, "%s/%s: out of memory", run_dir, name);
	*a = (struct admin){l, table, arg};
}
