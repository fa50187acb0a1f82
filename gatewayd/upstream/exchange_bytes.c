/* The bytes of an exchange: gathered while curl works, given out as messages when it has. */
#include "gatewayd/upstream/exchange_parts.h"

size_t exchange_on_header(char *line, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t len = size * count;

	if (exchange_head_line(&x->head, line, len) != 0)
		return 0;
	if (x->forget && x->head.status >= 200)
		exchange_forget_request(x);
	return len;
}

/* Inside curl nothing may be started or freed: bytes are kept until it returns. */
size_t exchange_on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t len = size * count;

	if (buf_put(&x->answer, bytes, len) != 0) {
		x->overflow = true;
		return 0;
	}
	if (x->head.type == EXCHANGE_EVENTS && x->head.status == 200 && !x->is_fresh) {
		TAILQ_INSERT_TAIL(&x->pool->fresh, x, fresh);
		x->is_fresh = true;
	}
	return len;
}

/* Of this transfer, over all of curl's attempts. */
static long bytes_sent(const struct exchange *x)
{
	long sent = 0;

	curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent;
}

/*
 * curl repeats a request by itself when a kept connection breaks before the first byte of the
 * answer. The server may have carried out the first one, so only an unsent one may go again.
 */
int exchange_before_request(void *arg, char *remote, char *local, int remote_port, int local_port)
{
	struct exchange *x = arg;

	(void)remote, (void)local, (void)remote_port, (void)local_port;
	x->sending_again = bytes_sent(x) > 0;
	return x->sending_again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

int exchange_on_event(void *arg, const char *data, size_t len)
{
	struct exchange *x = arg;

	x->ops->message(x, data, len, x->arg);
	return x->dead ? KG_E_STATE : 0;
}

void exchange_leave_curl(struct exchange *x)
{
	if (x->running)
		curl_multi_remove_handle(http_multi(x->pool->http), x->easy);
	x->running = false;
	if (x->is_fresh)
		TAILQ_REMOVE(&x->pool->fresh, x, fresh);
	x->is_fresh = false;
}

/* Runs a callback that may free the exchange; whether it is still there. */
static bool enter(struct exchange *x, int (*fn)(struct exchange *x, const void *arg), const void *arg, int *result)
{
	x->busy = true;
	*result = fn(x, arg);
	x->busy = false;
	if (!x->dead)
		return true;
	x->dead = false;
	exchange_free(x);
	return false;
}

static int feed_events(struct exchange *x, const void *unused)
{
	(void)unused;
	int err = sse_feed(&x->sse, (const char *)buf_ptr(&x->answer), buf_len(&x->answer));
	buf_reset(&x->answer);
	return err;
}

static int tell_message(struct exchange *x, const void *unused)
{
	(void)unused;
	x->ops->message(x, (const char *)buf_ptr(&x->answer), buf_len(&x->answer), x->arg);
	return 0;
}

static int tell_done(struct exchange *x, const void *end)
{
	x->ops->done(x, end, x->arg);
	return 0;
}

static const char *failure(struct exchange *x, CURLcode code)
{
	const char *refusal = http_take_refusal(x->pool->http);

	if (x->sending_again)
		return "the kept connection broke while the request was under way";
	if (x->overflow)
		return "the answer is larger than 4194304 bytes";
	if (x->head.why)
		return x->head.why;
	if (refusal && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK))
		return refusal;
	return x->error[0] ? x->error : curl_easy_strerror(code);
}

static void finish(void *owner, CURLcode code)
{
	struct exchange *x = owner;
	struct exchange_end end = {.answered = code == CURLE_OK, .begun = bytes_sent(x) > 0};
	int err;

	exchange_leave_curl(x);
	end.why = end.answered ? NULL : failure(x, code);
	if (x->head.type == EXCHANGE_EVENTS && x->head.status == 200) {
		if (!enter(x, feed_events, NULL, &err))
			return;
	} else if (end.answered && x->head.type == EXCHANGE_JSON && buf_len(&x->answer) > 0) {
		if (!enter(x, tell_message, NULL, &err))
			return;
	}
	enter(x, tell_done, &end, &err);
}

static void stream_broken(struct exchange *x)
{
	struct exchange_end end = {.begun = true, .why = "its event stream is larger than Keepgate takes"};
	int err;

	exchange_leave_curl(x);
	enter(x, tell_done, &end, &err);
}

/* After curl has worked: give out what came, then what ended. */
void exchange_worked(void *arg)
{
	struct exchange_pool *p = arg;
	struct exchange *x;
	int err;

	while ((x = TAILQ_FIRST(&p->fresh)) != NULL) {
		TAILQ_REMOVE(&p->fresh, x, fresh);
		x->is_fresh = false;
		if (enter(x, feed_events, NULL, &err) && err != 0)
			stream_broken(x);
	}
	http_each_done(p->http, finish);
}
