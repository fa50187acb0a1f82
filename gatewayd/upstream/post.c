#include "gatewayd/upstream/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/upstream/post_head.h"
#include "gatewayd/upstream/upstream.h"
#include "gatewayd/upstream/wire.h"

#define POOL_IDLE_MAX 64
#define KEPT_SPARE 8      /* connections beside those of calls: the standing stream, notes */
#define LOOSE_S 2         /* an answered stream gets so long to close, a note to be taken */
#define RESUMES_MAX 1000u /* polls of one answer */
#define RESUME_DEFAULT_MS 1000u
#define RESUME_FAILED_MAX 5u /* in a row without a stream */

/* An exchange that nobody waits for any more. */
static void loose_end(struct exchange *x, struct upstream *u)
{
	for (unsigned i = 0; i < u->post.nloose; i++) {
		if (u->post.loose[i].x == x) {
			u->post.loose[i] = u->post.loose[--u->post.nloose];
			break;
		}
	}
	exchange_free(x);
}

static void loose_message(struct exchange *x, const char *text, size_t len, void *arg)
{
	(void)x, (void)text, (void)len, (void)arg;
}

static void loose_done(struct exchange *x, const struct exchange_end *end, void *arg)
{
	(void)end;
	loose_end(x, arg);
}

static const struct exchange_ops loose_ops = {loose_message, loose_done};

static void tidy(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;
	static const struct timeval again = {1, 0};
	uint64_t now = loop_now_ns();

	(void)fd, (void)what;
	for (unsigned i = u->post.nloose; i > 0; i--)
		if (now >= u->post.loose[i - 1].until_ns)
			loose_end(u->post.loose[i - 1].x, u);
	if (u->post.nloose > 0)
		event_add(u->post.tidy, &again);
}

static void let_loose(struct upstream *u, struct exchange *x)
{
	static const struct timeval first = {1, 0};
	struct post *p = &u->post;

	if (p->nloose == POST_LOOSE_MAX) {
		exchange_free(x);
		return;
	}
	exchange_set_ops(x, &loose_ops, u);
	if (p->nloose == 0)
		event_add(p->tidy, &first);
	p->loose[p->nloose].x = x;
	p->loose[p->nloose++].until_ns = loop_now_ns() + LOOSE_S * 1000000000ull;
}

static void on_message(struct exchange *x, const char *text, size_t len, void *arg)
{
	struct rpc *r = arg;

	/* What stands beside another status is of interest only when it is a JSON-RPC error. */
	rpc_take(r->u, r, text, len, exchange_status(x) == 200);
}

static void resume_now(evutil_socket_t fd, short what, void *arg)
{
	struct rpc *r = arg;
	struct exchange *x = r->x;
	const char *last = exchange_sse(x)->id;

	(void)fd, (void)what;
	headers_cut(exchange_headers(x), r->fixed);
	int err = post_head_get(r->u, exchange_headers(x), last);
	if (err == 0)
		err = exchange_start(x, EXCHANGE_GET);
	if (err != 0)
		rpc_fail(r, RPC_LOST, 0, "its answer's stream could not be resumed");
}

/* A stream that ended before the answer, but gave an event id: the answer waits there (2025-11-25, polling). */
static bool resume_later(struct rpc *r)
{
	const struct sse *s = exchange_sse(r->x);
	uint32_t ms = s->retry_ms != 0 ? s->retry_ms : RESUME_DEFAULT_MS;
	struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};
	bool streamed = exchange_status(r->x) == 200 && exchange_type(r->x) == EXCHANGE_EVENTS;

	if (r->u->session.era != ERA_LEGACY || s->id[0] == '\0' || r->ended)
		return false;
	r->resumes = streamed ? r->resumes & ~0xffu : r->resumes + 1;
	if ((r->resumes & 0xff) > RESUME_FAILED_MAX || r->resumes >> 8 > RESUMES_MAX)
		return false;
	r->resumes += 1u << 8;
	if (!r->resume)
		r->resume = evtimer_new(loop_base(r->u->role->loop), resume_now, r);
	return r->resume && event_add(r->resume, &tv) == 0;
}

static void on_done(struct exchange *x, const struct exchange_end *end, void *arg)
{
	struct rpc *r = arg;
	char why[RPC_WHY_MAX];

	if (r->ended || resume_later(r))
		return;
	if (!end->answered) {
		snprintf(why, sizeof(why), "%s", end->why);
		rpc_fail(r, end->begun ? RPC_LOST : RPC_UNSENT, 0, why);
	} else if (r->note && exchange_status(x) >= 200 && exchange_status(x) < 300) {
		rpc_accept(r);
	} else if (exchange_status(x) != 200) {
		snprintf(why, sizeof(why), "it answered with HTTP status %ld", exchange_status(x));
		rpc_fail(r, RPC_HTTP, exchange_status(x), why);
	} else {
		rpc_fail(r, RPC_LOST, 200, "its answer held no result");
	}
}

static const struct exchange_ops rpc_exchange_ops = {on_message, on_done};

void post_init(struct upstream *u)
{
	const struct config_server *s = u->server;
	struct http_config c = {.url = s->url,
				.tls_ca = s->tls_ca,
				.allow_addresses = (const char *const *)s->allow_addresses,
				.nallow_addresses = s->nallow_addresses,
				.max_kept = s->max_calls + KEPT_SPARE};

	http_global_init();
	u->post.http = http_new(u->role->loop, &c);
	u->post.pool = exchange_pool_new(u->post.http, POOL_IDLE_MAX);
	u->post.tidy = evtimer_new(loop_base(u->role->loop), tidy, u);
	if (!u->post.pool || !u->post.tidy)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
	post_head_check(s);
}

int post_open(struct rpc *r)
{
	r->x = exchange_new(r->u->post.pool, &rpc_exchange_ops, r);
	return r->x ? 0 : KG_E_NOMEM;
}

int post_authorize(struct rpc *r, const struct credential_set *set)
{
	int err = post_head_fixed(r->u, exchange_headers(r->x), exchange_query(r->x), set);

	r->fixed = exchange_headers(r->x)->n;
	return err;
}

static int authorize_like(struct exchange *x, const struct rpc *from)
{
	struct buf *query = exchange_query(from->x);
	int err = headers_copy(exchange_headers(x), exchange_headers(from->x), from->fixed);

	return err != 0 ? err : buf_put(exchange_query(x), buf_ptr(query), buf_len(query));
}

int post_authorize_like(struct rpc *r, const struct rpc *from)
{
	int err = authorize_like(r->x, from);

	r->fixed = exchange_headers(r->x)->n;
	return err;
}

int post_send(struct rpc *r, const struct rpc_request *q)
{
	int err = post_head_request(r->u, exchange_headers(r->x), q);

	return err != 0 ? err : exchange_start(r->x, EXCHANGE_POST);
}

void post_close(struct rpc *r)
{
	if (r->resume)
		event_free(r->resume);
	/* A stream that has given its answer is about to close: waiting for that keeps the connection. */
	if (r->ended && exchange_type(r->x) == EXCHANGE_EVENTS && exchange_is_running(r->x)) {
		exchange_forget_request(r->x);
		let_loose(r->u, r->x);
	} else {
		exchange_free(r->x);
	}
	r->x = NULL;
}

int post_note(struct upstream *u, const struct rpc *like, const struct buf *body)
{
	static const struct rpc_request note = {0};

	if (!like)
		return KG_E_STATE;
	struct exchange *x = exchange_new(u->post.pool, &loose_ops, u);

	if (!x)
		return KG_E_NOMEM;
	int err = authorize_like(x, like);
	if (err == 0)
		err = post_head_request(u, exchange_headers(x), &note);
	if (err == 0)
		err = buf_put(exchange_body(x), buf_ptr(body), buf_len(body));
	if (err == 0)
		err = exchange_start(x, EXCHANGE_POST);
	if (err != 0) {
		exchange_free(x);
		return err;
	}
	let_loose(u, x);
	return 0;
}
