#include "gatewayd/upstream/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatewayd/upstream/call.h"
#include "gatewayd/upstream/call_check.h"
#include "gatewayd/upstream/upstream.h"

static const struct rpc_request call_request = {.method = "tools/call"};

void calls_init(struct upstream *u)
{
	TAILQ_INIT(&u->calls.list);
	buf_init(&u->calls.result, IPC_BODY_MAX);
}

static void call_free(struct call *c)
{
	struct upstream *u = c->u;

	TAILQ_REMOVE(&u->calls.list, c, link);
	u->calls.n--;
	rpc_free(c->rpc);
	free(c);
}

void call_reply(struct call *c, enum result_status status, int32_t code, const char *message)
{
	answer_plain(c->u, c->id, status, code, message);
	call_free(c);
}

void call_done(struct call *c)
{
	call_free(c);
}

void call_park(struct call *c)
{
	c->parked = true;
	c->tries++;
}

/* The server is told that nobody waits: by a notification, or in the modern era by the closed stream. */
static void withdraw(struct call *c, const char *reason)
{
	struct upstream *u = c->u;
	struct buf note;

	if (!c->rpc->sent || (u->server->is_http && u->session.era == ERA_MODERN))
		return;
	buf_init(&note, WIRE_BODY_MAX);
	int err = wire_put_cancel(&note, c->rpc->id, reason);
	if (err == 0)
		err = rpc_note(u, c->rpc, &note);
	(void)err; /* the server learns it from the closed connection at the latest */
	buf_free(&note);
}

static void on_end(struct rpc *r, const struct rpc_end *e, void *arg)
{
	struct call *c = arg;

	(void)r;
	if (e->how == RPC_TIMEOUT)
		withdraw(c, "the time limit has passed");
	call_answer(c, e);
}

static void on_progress(struct rpc *r, const struct json_doc *d, uint32_t params, void *arg)
{
	(void)r;
	call_progress(arg, d, params);
}

/* Once for a call, however often its server says it. */
static void on_echo(struct rpc *r, void *arg)
{
	struct call *c = arg;
	struct call_id id = {.name = {c->name, strlen(c->name)}, .txn = c->txn};

	(void)r;
	if (!c->echoed)
		links_violation(c->u, VIOLATION_ECHO, &id, c->digest);
	c->echoed = true;
}

static const struct rpc_ops call_ops = {on_end, on_progress, on_echo};

static int call_send(struct call *c)
{
	struct rpc_request q = call_request;

	q.name = c->name;
	q.tool = tools_find(c->u, c->name);
	q.args = &c->u->args;
	c->epoch = c->u->session.epoch;
	c->parked = false;
	return q.tool ? rpc_send(c->rpc, &q) : KG_E_NOTFOUND;
}

/* Why a call that could not be sent was not; it is over. */
static void call_unsent(struct call *c, int err)
{
	char why[RPC_WHY_MAX];

	if (err == KG_E_NOTFOUND)
		snprintf(why, sizeof(why), "server %s lists no tool of this name now", c->u->server->name);
	else if (err == KG_E_INVALID)
		snprintf(why, sizeof(why),
			 "server %s: an argument or a stored credential cannot stand in an HTTP header",
			 c->u->server->name);
	else
		snprintf(why, sizeof(why), "server %s: the call could not be sent: %s", c->u->server->name,
			 kg_strerror(err));
	call_reply(c, RESULT_UNSENT, 0, why);
}

static struct call *call_new(struct upstream *u, const struct ipc_call *m, const char *name)
{
	struct call *c = calloc(1, sizeof(*c));
	uint32_t timeout = m->timeout_ms != 0 ? m->timeout_ms : u->server->timeout_ms;

	if (!c)
		return NULL;
	*c = (struct call){.u = u, .id = m->call, .wants_progress = m->wants_progress != 0};
	memcpy(c->txn, m->txn, ID_LEN);
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->deadline_ns = loop_now_ns() + timeout * 1000000ull;
	c->rpc = rpc_new(u, &call_ops, c, timeout);
	if (!c->rpc) {
		free(c);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&u->calls.list, c, link);
	u->calls.n++;
	return c;
}

/* The call has been checked: it becomes a request, sent now or when the session stands again. */
static int call_begin(struct upstream *u, const struct ipc_call *m, const char *name, struct wire_bytes meta,
		      const struct credential_set *creds, const uint8_t digest[HASH_LEN])
{
	struct call *c = call_new(u, m, name);
	struct wire_call w = {.name = name, .args = {(const char *)m->args.p, m->args.n}, .meta = meta};

	if (!c)
		return KG_E_NOMEM;
	memcpy(c->digest, digest, HASH_LEN);
	w.wants_progress = c->wants_progress;
	int err = rpc_authorize(c->rpc, creds);
	if (err == 0)
		err = wire_put_call(rpc_body(c->rpc), u->session.era, c->rpc->id, &w, &c->at);
	if (err == 0 && u->session.phase != PHASE_READY) {
		c->parked = true;
		return 0;
	}
	if (err == 0)
		err = call_send(c);
	if (err != 0)
		call_unsent(c, err);
	return 0;
}

static void refuse(struct upstream *u, uint64_t id, enum result_status status, const char *why)
{
	char message[RPC_WHY_MAX + 128];

	snprintf(message, sizeof(message), "server %s: %s", u->server->name, why);
	answer_plain(u, id, status, 0, message);
}

int calls_on_call(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_call *m = msg;
	struct upstream *u = arg;
	struct credential_set *creds = NULL;
	struct wire_bytes meta;
	uint8_t digest[HASH_LEN];
	char name[TOOL_NAME_MAX + 1];
	const char *why;

	(void)conn, (void)fd;
	if (ipc_copy(m->name, name, sizeof(name)) != 0)
		return KG_E_PROTO;
	/* The guard first: whoever sends without a right receipt and seal learns nothing else. */
	int err = call_check_guard(u, m, &creds, digest);
	if (err != 0) {
		refuse(u, m->call, err == KG_E_DENIED ? RESULT_REFUSED : RESULT_UNSENT,
		       err == KG_E_DENIED ? "its receipt or its sealed credential was refused"
					  : "it cannot be checked now");
		return 0;
	}
	why = call_not_now(u);
	if (why)
		refuse(u, m->call, RESULT_UNSENT, why);
	else if (call_check_form(u, m, &meta, &why) != 0)
		refuse(u, m->call, RESULT_REFUSED, why);
	else if (call_begin(u, m, name, meta, creds, digest) != 0)
		refuse(u, m->call, RESULT_UNSENT, "out of memory");
	credentials_free(creds);
	return 0;
}

int calls_on_cancel(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_call_cancel *m = msg;
	struct upstream *u = arg;
	char reason[257];
	struct call *c;

	(void)conn, (void)fd;
	if (ipc_copy(m->reason, reason, sizeof(reason)) != 0)
		return KG_E_PROTO;
	TAILQ_FOREACH(c, &u->calls.list, link)
	{
		if (c->id != m->call)
			continue;
		withdraw(c, reason);
		call_reply(c, RESULT_CANCELLED, 0, "cancelled");
		return 0;
	}
	return 0; /* it has just been answered */
}

void calls_drop_all(struct upstream *u)
{
	struct call *c, *next;

	for (c = TAILQ_FIRST(&u->calls.list); c; c = next) {
		next = TAILQ_NEXT(c, link);
		withdraw(c, "the gateway has restarted");
		call_free(c);
	}
}

/* Makes the same call for the session as it is now, from the bytes that were checked. */
static int call_again(struct call *c)
{
	struct upstream *u = c->u;
	uint64_t now = loop_now_ns();
	struct buf *old_body = rpc_body(c->rpc);
	const char *text = (const char *)buf_ptr(old_body);
	struct wire_call w = {.name = c->name,
			      .args = {text + c->at.args, c->at.args_len},
			      .meta = {text + c->at.meta, c->at.meta_len},
			      .wants_progress = c->wants_progress};
	struct rpc *r;
	const char *why;
	int err;

	if (now >= c->deadline_ns)
		return KG_E_EXPIRED;
	if (wire_object_check(&u->args, w.args, &why) != 0)
		return KG_E_PROTO;
	r = rpc_new(u, &call_ops, c, (uint32_t)((c->deadline_ns - now) / 1000000u) + 1);
	if (!r)
		return KG_E_NOMEM;
	err = rpc_authorize_like(r, c->rpc);
	if (err == 0)
		err = wire_put_call(rpc_body(r), u->session.era, r->id, &w, &c->at);
	/* text pointed into the old one until here. */
	rpc_free(c->rpc);
	c->rpc = r;
	return err != 0 ? err : call_send(c);
}

void calls_session_ready(struct upstream *u)
{
	struct call *c, *next;

	for (c = TAILQ_FIRST(&u->calls.list); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!c->parked)
			continue;
		int err = call_again(c);
		if (err != 0)
			call_unsent(c, err);
	}
}

void calls_session_down(struct upstream *u, const char *why)
{
	char message[RPC_WHY_MAX + 128];
	struct call *c, *next;

	snprintf(message, sizeof(message), "server %s: %s", u->server->name, why);
	for (c = TAILQ_FIRST(&u->calls.list); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->parked)
			call_reply(c, RESULT_UNSENT, 0, message);
	}
}
