#include "gatewayd/broker/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/call.h"
#include "common/log.h"
#include "gatewayd/broker/broker.h"

#define ADMINS_MAX 32
#define POLICY_DATA_MAX 1048576u /* POLICY_KEEP.data */

struct admin {
	struct broker *b;
	struct ipc_conn *conn;
	uid_t uid;
	bool waits; /* its command is under way */
	LIST_ENTRY(admin) next;
};

struct admins {
	LIST_HEAD(, admin) open;
	unsigned count;
};

struct admins *admins_new(void)
{
	struct admins *a = calloc(1, sizeof(*a));

	if (a == NULL)
		log_fatal(KG_EXIT_FAILURE, "operators' connections: out of memory");
	LIST_INIT(&a->open);
	return a;
}

void admins_free(struct admins *a)
{
	struct admin *one, *next;

	if (a == NULL)
		return;
	for (one = LIST_FIRST(&a->open); one != NULL; one = next) {
		next = LIST_NEXT(one, next);
		ipc_close(one->conn);
		free(one);
	}
	free(a);
}

static void refuse(struct admin *a, const char *error)
{
	struct ipc_admin_reply m = {.status = GRANT_DENIED, .error = ipc_text(error)};

	ipc_send(a->conn, IPC_ADMIN_REPLY, &m);
}

/* Takes result over. */
static void answer(struct admin *a, json_t *result)
{
	char *text = result == NULL ? NULL : json_dumps(result, JSON_COMPACT);
	struct ipc_admin_reply m = {.status = GRANT_OK, .json = ipc_text(text)};

	json_decref(result);
	if (text == NULL || strlen(text) > IPC_BODY_MAX)
		refuse(a, "the answer is too long, or the broker is out of memory");
	else
		ipc_send(a->conn, IPC_ADMIN_REPLY, &m);
	free(text);
}

static void run_status(struct admin *a, const json_t *in)
{
	(void)in;
	answer(a, policies_status(a->b->policies));
}

static void run_catalogue(struct admin *a, const json_t *in)
{
	(void)in;
	answer(a, policies_catalogue(a->b->policies));
}

static void run_schema(struct admin *a, const json_t *in)
{
	json_t *schema = policies_schema(a->b->policies);

	(void)in;
	if (schema == NULL)
		refuse(a, "no set of policies is in force: see keepgate policy status");
	else
		answer(a, schema);
}

static void run_data_get(struct admin *a, const json_t *in)
{
	(void)in;
	answer(a, policies_entities(a->b->policies));
}

static void on_changed(struct broker *b, const char *error, void *arg)
{
	struct admin *a = arg;

	a->waits = false;
	if (error != NULL)
		refuse(a, error);
	else
		answer(a, policies_status(b->policies));
}

static json_t *actor(const struct admin *a)
{
	return json_pack("{s:I}", "uid", (json_int_t)a->uid);
}

static void run_load(struct admin *a, const json_t *in)
{
	const char *moved = policies_moved(a->b->policies, in);

	if (moved != NULL) {
		refuse(a, moved);
		return;
	}
	a->waits = true;
	policies_load(a->b->policies, actor(a), on_changed, a);
}

static void run_data_put(struct admin *a, const json_t *in)
{
	const json_t *entities = json_object_get(in, "entities");
	char *text = json_is_array(entities) ? json_dumps(entities, JSON_COMPACT) : NULL;

	if (text == NULL) {
		refuse(a, "\"entities\" must be a list of entities");
		return;
	}
	if (strlen(text) > POLICY_DATA_MAX) {
		free(text);
		refuse(a,
		       "the entities have more than 1,048,576 bytes: keep those that change seldom in entities.json");
		return;
	}
	a->waits = true;
	policies_put_data(a->b->policies, text, actor(a), on_changed, a);
}

static const struct op {
	const char *name;
	void (*run)(struct admin *a, const json_t *in);
} ops[] = {
	{"policy.status", run_status}, {"policy.load", run_load},  {"policy.catalogue", run_catalogue},
	{"policy.schema", run_schema}, {"data.get", run_data_get}, {"data.put", run_data_put},
};

static void run(struct admin *a, struct ipc_bytes name, const json_t *in)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ipc_is(name, ops[i].name)) {
			ops[i].run(a, in);
			return;
		}
	}
	refuse(a, "the broker does not know this command: keepgate and gatewayd are of different versions");
}

static int on_request(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_admin_request *m = msg;
	struct admin *a = arg;
	json_t *in;

	(void)conn, (void)fd;
	/* One command at a time: answers carry no number. */
	if (a->waits)
		return KG_E_PROTO;
	in = json_loadb((const char *)m->json.p, m->json.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(in)) {
		json_decref(in);
		return KG_E_PROTO;
	}
	run(a, m->op, in);
	json_decref(in);
	return KG_OK;
}

static void on_closed(struct ipc_conn *conn, const char *reason, void *arg)
{
	struct admin *a = arg;

	(void)conn, (void)reason;
	policies_forget(a->b->policies, a);
	a->b->admins->count--;
	LIST_REMOVE(a, next);
	free(a);
}

static const struct ipc_op conn_ops[] = {{IPC_ADMIN_REQUEST, on_request}};
static const struct ipc_handlers handlers = {conn_ops, 1, on_closed};

void admin_open(struct broker *b, int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof(peer);
	struct admin *a = b->admins->count == ADMINS_MAX ? NULL : calloc(1, sizeof(*a));

	if (a == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
		log_warn("operator's connection: closed: there are %u already", b->admins->count);
		free(a);
		close(fd);
		return;
	}
	a->b = b;
	a->uid = peer.uid;
	LIST_INSERT_HEAD(&b->admins->open, a, next);
	b->admins->count++;
	a->conn = ipc_open(b->loop, fd, IPC_ROLE_BROKER, IPC_ROLE_ADMIN, IPC_ST_READY, &handlers, a);
}
