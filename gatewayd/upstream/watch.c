#include "gatewayd/upstream/watch.h"

#include "common/log.h"
#include "gatewayd/upstream/post_head.h"
#include "gatewayd/upstream/upstream.h"
#include "gatewayd/upstream/wire.h"

#define AGAIN_FIRST_MS 2000u
#define AGAIN_MAX_MS 300000u
#define STEADY_NS 60000000000ull /* a stream that stood so long is opened again without growing delay */

/* What was missed meanwhile is found by listing again, and that act opens the stream again, too. */
static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	session_list_changed(arg);
}

static void ended(struct upstream *u, bool refused)
{
	struct watch *w = &u->watch;

	watch_stop(u);
	w->refused = refused;
	w->epoch = u->session.epoch;
	if (refused)
		return;
	bool steady = loop_now_ns() - w->begun_ns >= STEADY_NS;
	w->delay_ms = steady || w->delay_ms == 0 ? AGAIN_FIRST_MS : w->delay_ms * 2;
	w->delay_ms = w->delay_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS : w->delay_ms;
	struct timeval tv = {w->delay_ms / 1000, (suseconds_t)(w->delay_ms % 1000) * 1000};
	if (!w->again)
		w->again = evtimer_new(loop_base(u->role->loop), on_again, u);
	if (w->again)
		event_add(w->again, &tv);
}

static void on_listen_end(struct rpc *r, const struct rpc_end *e, void *arg)
{
	(void)r;
	ended(arg, e->how == RPC_ERROR || (e->how == RPC_HTTP && e->status < 500));
}

static const struct rpc_ops listen_ops = {on_listen_end, NULL, NULL};

static void on_stream_message(struct exchange *x, const char *text, size_t len, void *arg)
{
	(void)x;
	rpc_take(arg, NULL, text, len, false);
}

static void on_stream_done(struct exchange *x, const struct exchange_end *end, void *arg)
{
	long status = exchange_status(x);

	/* 405: there is none (2025-11-25, "Listening for Messages from the Server"). */
	ended(arg, end->answered && (exchange_type(x) != EXCHANGE_EVENTS || status != 200) && status < 500);
}

static const struct exchange_ops stream_ops = {on_stream_message, on_stream_done};

static int start_modern(struct upstream *u, const struct credential_set *creds)
{
	static const struct rpc_request q = {.method = "subscriptions/listen"};
	struct watch *w = &u->watch;

	w->rpc = rpc_new(u, &listen_ops, u, 0);
	int err = w->rpc ? rpc_authorize(w->rpc, creds) : KG_E_NOMEM;
	if (err == 0)
		err = wire_put_request(rpc_body(w->rpc), ERA_MODERN, w->rpc->id, q.method,
				       "\"notifications\":{\"toolsListChanged\":true}");
	if (err == 0)
		err = rpc_send(w->rpc, &q);
	if (err == 0 && w->rpc->x)
		exchange_forget_when_answered(w->rpc->x);
	return err;
}

static int start_legacy(struct upstream *u, const struct credential_set *creds)
{
	struct watch *w = &u->watch;

	w->x = exchange_new(u->post.pool, &stream_ops, u);
	int err = w->x ? post_head_fixed(u, exchange_headers(w->x), exchange_query(w->x), creds) : KG_E_NOMEM;
	if (err == 0)
		err = post_head_get(u, exchange_headers(w->x), "");
	if (err == 0)
		err = exchange_start(w->x, EXCHANGE_GET);
	if (err == 0)
		exchange_forget_when_answered(w->x);
	return err;
}

void watch_start(struct upstream *u, const struct credential_set *creds)
{
	struct watch *w = &u->watch;
	bool modern = u->session.era == ERA_MODERN;

	if (!u->session.list_changed || w->rpc || w->x || (!modern && !u->server->is_http))
		return;
	if (w->refused && w->epoch == u->session.epoch)
		return;
	w->begun_ns = loop_now_ns();
	int err = modern ? start_modern(u, creds) : start_legacy(u, creds);
	if (err != 0)
		ended(u, false);
}

void watch_stop(struct upstream *u)
{
	struct watch *w = &u->watch;

	rpc_free(w->rpc);
	exchange_free(w->x);
	w->rpc = NULL;
	w->x = NULL;
	if (w->again)
		event_del(w->again);
}
