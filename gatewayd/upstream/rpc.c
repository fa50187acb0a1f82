#include "gatewayd/upstream/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/upstream/upstream.h"
#include "gatewayd/upstream/wire.h"

#define SWEEP_MS 100l /* how late a timeout may be noticed: one timer for all requests instead of one each */

static void sweep(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;
	uint64_t now = loop_now_ns();
	bool more = false;

	(void)fd, (void)what;
	for (unsigned i = 0; i < RPC_SLOTS; i++) {
		struct rpc *r = u->rpc.slot[i];

		if (r && r->deadline_ns != 0 && !r->ended && now >= r->deadline_ns)
			rpc_fail(r, r->sent ? RPC_TIMEOUT : RPC_UNSENT, 0, "it did not answer in time");
	}
	for (unsigned i = 0; i < RPC_SLOTS && !more; i++)
		more = u->rpc.slot[i] && u->rpc.slot[i]->deadline_ns != 0;
	u->rpc.sweeping = more;
	if (!more)
		event_del(u->rpc.sweep);
}

void rpc_init(struct upstream *u)
{
	struct rpc_table *t = &u->rpc;

	for (unsigned i = 0; i < RPC_SLOTS; i++)
		t->free_slot[i] = RPC_SLOTS - 1 - i;
	t->nfree = RPC_SLOTS;
	buf_init(&t->body, WIRE_BODY_MAX);
	t->sweep = event_new(loop_base(u->role->loop), -1, EV_PERSIST, sweep, u);
	if (!t->sweep)
		log_fatal(KG_EXIT_FAILURE, "event loop: out of memory");
}

static void sweep_start(struct rpc_table *t)
{
	static const struct timeval every = {0, SWEEP_MS * 1000};

	if (!t->sweeping)
		event_add(t->sweep, &every);
	t->sweeping = true;
}

struct rpc *rpc_new(struct upstream *u, const struct rpc_ops *ops, void *arg, uint32_t timeout_ms)
{
	struct rpc_table *t = &u->rpc;
	struct rpc *r = t->nfree > 0 ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return NULL;
	*r = (struct rpc){.u = u, .ops = ops, .arg = arg};
	if (u->server->is_http && post_open(r) != 0) {
		free(r);
		return NULL;
	}
	unsigned slot = t->free_slot[--t->nfree];
	t->slot[slot] = r;
	/* From 1: some servers take an id of 0 for none. */
	r->id = ++t->serial * RPC_SLOTS + slot;
	buf_reset(&t->body);
	if (timeout_ms != 0) {
		r->deadline_ns = loop_now_ns() + (uint64_t)timeout_ms * 1000000u;
		sweep_start(t);
	}
	return r;
}

struct buf *rpc_body(struct rpc *r)
{
	return r->x ? exchange_body(r->x) : &r->u->rpc.body;
}

int rpc_send(struct rpc *r, const struct rpc_request *q)
{
	int err = r->u->server->is_http ? post_send(r, q) : stdio_send(r->u, rpc_body(r));

	r->sent = err == 0;
	return err;
}

void rpc_free(struct rpc *r)
{
	if (!r)
		return;
	struct rpc_table *t = &r->u->rpc;
	unsigned slot = (unsigned)(r->id % RPC_SLOTS);

	t->slot[slot] = NULL;
	t->free_slot[t->nfree++] = slot;
	if (r->u->server->is_http)
		post_close(r);
	free(r);
}

static void end(struct rpc *r, const struct rpc_end *e)
{
	if (r->ended)
		return;
	r->ended = true;
	r->u->rpc.ended++;
	r->ops->end(r, e, r->arg);
}

void rpc_fail(struct rpc *r, enum rpc_how how, long status, const char *why)
{
	struct rpc_end e = {.how = how, .status = status, .why = why};

	end(r, &e);
}

void rpc_accept(struct rpc *r)
{
	struct rpc_end e = {.how = RPC_RESULT, .status = exchange_status(r->x)};

	end(r, &e);
}

void rpc_fail_all(struct upstream *u, const char *why)
{
	for (unsigned i = 0; i < RPC_SLOTS; i++)
		if (u->rpc.slot[i])
			rpc_fail(u->rpc.slot[i], RPC_LOST, 0, why);
}

static struct rpc *find(struct upstream *u, uint64_t id)
{
	struct rpc *r = u->rpc.slot[id % RPC_SLOTS];

	return r && r->id == id ? r : NULL;
}

/* Whose answer this is. A server that could not read an HTTP request answers it with the id null. */
static struct rpc *answered(struct upstream *u, struct rpc *on, const struct message *m)
{
	int64_t id;

	if (json_int(&u->doc, m->id, &id) == 0)
		return id > 0 && (!on || on->id == (uint64_t)id) ? find(u, (uint64_t)id) : NULL;
	bool no_id = m->id == JSON_NONE || json_kind(&u->doc, m->id) == JK_NULL;
	return on && no_id && m->kind == MESSAGE_ERROR ? on : NULL;
}

/* Whether this message holds a credential of this server; that is reported. */
static bool is_echo(struct upstream *u, struct rpc *r)
{
	if (!echo_in_json(u->guard->echo, &u->doc))
		return false;
	if (r->ops->echo)
		r->ops->echo(r, r->arg);
	else
		act_report(u, VIOLATION_ECHO);
	return true;
}

static void take_answer(struct upstream *u, struct rpc *on, const struct message *m)
{
	struct rpc *r = answered(u, on, m);
	struct rpc_end e = {.how = m->kind == MESSAGE_RESULT ? RPC_RESULT : RPC_ERROR, .doc = &u->doc, .message = m};

	if (!r || !r->sent)
		return; /* an answer that comes too late is no mistake */
	if (is_echo(u, r))
		e = (struct rpc_end){.how = RPC_LOST, .echo = true, .why = "its answer held its own credential"};
	else
		e.status = r->x ? exchange_status(r->x) : 0;
	end(r, &e);
}

static void take_progress(struct upstream *u, struct rpc *on, const struct message *m)
{
	int64_t token;

	if (json_int(&u->doc, json_get(&u->doc, m->value, "progressToken"), &token) != 0 || token <= 0)
		return;
	struct rpc *r = find(u, (uint64_t)token);
	if (r && !r->ended && (!on || on == r) && r->ops->progress && !is_echo(u, r))
		r->ops->progress(r, &u->doc, m->value, r->arg);
}

static void take_request(struct upstream *u, struct rpc *on, const struct message *m)
{
	struct wire_bytes id;
	struct buf answer;

	id.p = json_raw(&u->doc, m->id, &id.n);
	if (json_kind(&u->doc, m->id) != JK_STRING && json_kind(&u->doc, m->id) != JK_NUMBER)
		return;
	buf_init(&answer, WIRE_BODY_MAX);
	int err = wire_put_answer(&answer, m->method, id);
	if (err == 0)
		err = rpc_note(u, on, &answer);
	if (err != 0 && noise_allowed(&u->noise, loop_now_ns()))
		log_warn("server %s: a request of it was not answered: %s", u->server->name, kg_strerror(err));
	buf_free(&answer);
}

static void take_nonsense(struct upstream *u, struct rpc *on, bool must_parse, const char *why)
{
	if (on && must_parse)
		rpc_fail(on, RPC_LOST, exchange_status(on->x), why);
	else if (!on && noise_allowed(&u->noise, loop_now_ns()))
		log_warn("server %s: a message of it was ignored: %s", u->server->name, why);
}

void rpc_take(struct upstream *u, struct rpc *on, const char *text, size_t len, bool must_parse)
{
	struct message m;
	const char *why;

	if (message_read(&u->doc, text, len, &m, &why) != 0) {
		take_nonsense(u, on, must_parse, why);
		return;
	}
	if (m.kind == MESSAGE_RESULT || m.kind == MESSAGE_ERROR)
		take_answer(u, on, &m);
	else if (m.kind == MESSAGE_REQUEST)
		take_request(u, on, &m);
	else if (strcmp(m.method, "notifications/progress") == 0)
		take_progress(u, on, &m);
	else if (strcmp(m.method, "notifications/tools/list_changed") == 0)
		session_list_changed(u);
}

int rpc_authorize(struct rpc *r, const struct credential_set *set)
{
	return r->u->server->is_http ? post_authorize(r, set) : 0;
}

int rpc_authorize_like(struct rpc *r, const struct rpc *from)
{
	return r->u->server->is_http ? post_authorize_like(r, from) : 0;
}

int rpc_note(struct upstream *u, const struct rpc *like, const struct buf *body)
{
	return u->server->is_http ? post_note(u, like, body) : stdio_send(u, body);
}
