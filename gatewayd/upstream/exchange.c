#include "gatewayd/upstream/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "common/ipc.h"
#include "gatewayd/upstream/exchange_head.h"
#include "gatewayd/upstream/wire.h"

#define KEEP_BYTES 65536u /* larger buffers of an idle exchange are given back */

struct exchange {
	TAILQ_ENTRY(exchange) idle, fresh;
	struct exchange_pool *pool;
	const struct exchange_ops *ops;
	void *arg;
	CURL *easy;
	struct headers headers;
	struct buf body, query, answer;
	struct sse sse;
	struct exchange_head head;
	bool running, is_fresh;
	bool busy, dead;    /* a callback runs; freed meanwhile */
	bool sending_again; /* curl wanted to repeat a request that may have been carried out */
	bool overflow;
	bool forget; /* wipe the request when its answer begins */
	char error[CURL_ERROR_SIZE];
};

TAILQ_HEAD(exchange_list, exchange);

struct exchange_pool {
	struct http *http;
	struct exchange_list idle;
	struct exchange_list fresh; /* with bytes that came during curl's work */
	size_t nidle, idle_max;
};

static size_t on_header(char *line, size_t size, size_t count, void *arg)
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
static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
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
static int before_request(void *arg, char *remote, char *local, int remote_port, int local_port)
{
	struct exchange *x = arg;

	(void)remote, (void)local, (void)remote_port, (void)local_port;
	x->sending_again = bytes_sent(x) > 0;
	return x->sending_again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int on_event(void *arg, const char *data, size_t len)
{
	struct exchange *x = arg;

	x->ops->message(x, data, len, x->arg);
	return x->dead ? KG_E_STATE : 0;
}

static int easy_setup(struct exchange *x)
{
	CURL *easy = x->easy;
	CURLcode err = CURLE_OK;

#define SET(option, value) (err = err != CURLE_OK ? err : curl_easy_setopt(easy, option, value))
	SET(CURLOPT_PRIVATE, x);
	SET(CURLOPT_ERRORBUFFER, x->error);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, x);
	SET(CURLOPT_WRITEFUNCTION, on_bytes);
	SET(CURLOPT_WRITEDATA, x);
	SET(CURLOPT_PREREQFUNCTION, before_request);
	SET(CURLOPT_PREREQDATA, x);
#undef SET
	return err == CURLE_OK ? http_easy_setup(x->pool->http, easy) : KG_E_NOMEM;
}

static struct exchange *exchange_make(struct exchange_pool *p)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->pool = p;
	headers_init(&x->headers);
	buf_init(&x->body, WIRE_BODY_MAX);
	buf_init(&x->query, HEADER_BYTES_MAX);
	buf_init(&x->answer, IPC_BODY_MAX + EXCHANGE_HEADER_BYTES_MAX);
	sse_init(&x->sse, IPC_BODY_MAX, on_event, x);
	x->easy = curl_easy_init();
	if (x->easy && easy_setup(x) == 0)
		return x;
	curl_easy_cleanup(x->easy);
	free(x);
	return NULL;
}

struct exchange *exchange_new(struct exchange_pool *p, const struct exchange_ops *ops, void *arg)
{
	struct exchange *x = TAILQ_FIRST(&p->idle);

	if (x) {
		TAILQ_REMOVE(&p->idle, x, idle);
		p->nidle--;
	} else {
		x = exchange_make(p);
	}
	if (x) {
		x->ops = ops;
		x->arg = arg;
	}
	return x;
}

static void exchange_destroy(struct exchange *x)
{
	curl_easy_cleanup(x->easy);
	headers_free(&x->headers);
	buf_free(&x->body);
	buf_free(&x->query);
	buf_free(&x->answer);
	sse_free(&x->sse);
	free(x);
}

static void buf_clear(struct buf *b)
{
	if (b->cap > KEEP_BYTES)
		buf_free(b);
	else
		buf_reset(b);
}

static void leave_curl(struct exchange *x)
{
	if (x->running)
		curl_multi_remove_handle(http_multi(x->pool->http), x->easy);
	x->running = false;
	if (x->is_fresh)
		TAILQ_REMOVE(&x->pool->fresh, x, fresh);
	x->is_fresh = false;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	leave_curl(x);
	if (x->busy) {
		x->dead = true;
		return;
	}
	struct exchange_pool *p = x->pool;
	/* curl copied a URL with a secret in it: only the end of the handle wipes that. */
	if (p->nidle >= p->idle_max || buf_len(&x->query) > 0) {
		exchange_destroy(x);
		return;
	}
	headers_cut(&x->headers, 0);
	buf_clear(&x->body);
	buf_clear(&x->answer);
	buf_clear(&x->sse.line);
	buf_clear(&x->sse.data);
	sse_reconnect(&x->sse);
	x->sse.id[0] = x->sse.id_next[0] = '\0';
	x->sse.retry_ms = 0;
	exchange_head_reset(&x->head);
	TAILQ_INSERT_HEAD(&p->idle, x, idle);
	p->nidle++;
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

static void finish(struct exchange *x, CURLcode code)
{
	struct exchange_end end = {.answered = code == CURLE_OK, .begun = bytes_sent(x) > 0};
	int err;

	leave_curl(x);
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

	leave_curl(x);
	enter(x, tell_done, &end, &err);
}

/* After curl has worked: give out what came, then what ended. */
static void worked(void *arg)
{
	struct exchange_pool *p = arg;
	struct exchange *x;
	CURLMsg *m;
	int left, err;

	while ((x = TAILQ_FIRST(&p->fresh)) != NULL) {
		TAILQ_REMOVE(&p->fresh, x, fresh);
		x->is_fresh = false;
		if (enter(x, feed_events, NULL, &err) && err != 0)
			stream_broken(x);
	}
	while ((m = curl_multi_info_read(http_multi(p->http), &left)) != NULL) {
		CURLcode code = m->data.result;
		char *owner = NULL;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &owner);
		finish((struct exchange *)(void *)owner, code);
	}
}

static int url_set(struct exchange *x)
{
	const char *base = http_url(x->pool->http);
	struct buf url;

	if (buf_len(&x->query) == 0)
		return 0;
	buf_init(&url, HEADER_BYTES_MAX * 2);
	int err = buf_printf(&url, "%s%c", base, strchr(base, '?') ? '&' : '?');
	if (err == 0)
		err = buf_put(&url, buf_ptr(&x->query), buf_len(&x->query));
	const char *text = err == 0 ? buf_text(&url) : NULL;
	if (!text || curl_easy_setopt(x->easy, CURLOPT_URL, text) != CURLE_OK)
		err = KG_E_NOMEM;
	buf_free(&url);
	return err;
}

int exchange_start(struct exchange *x, enum exchange_method method)
{
	CURLcode err = CURLE_OK;

	exchange_head_reset(&x->head);
	buf_reset(&x->answer);
	sse_reconnect(&x->sse);
	x->sending_again = x->overflow = x->forget = false;
	x->error[0] = '\0';
	if (url_set(x) != 0)
		return KG_E_NOMEM;
	if (method == EXCHANGE_GET) {
		err = curl_easy_setopt(x->easy, CURLOPT_HTTPGET, 1L);
	} else {
		curl_easy_setopt(x->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)buf_len(&x->body));
		err = curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, (const char *)buf_ptr(&x->body));
	}
	if (err != CURLE_OK || curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, headers_list(&x->headers)) != CURLE_OK ||
	    curl_multi_add_handle(http_multi(x->pool->http), x->easy) != CURLM_OK)
		return KG_E_NOMEM;
	x->running = true;
	return 0;
}

struct exchange_pool *exchange_pool_new(struct http *h, size_t idle_max)
{
	struct exchange_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->http = h;
	p->idle_max = idle_max;
	TAILQ_INIT(&p->idle);
	TAILQ_INIT(&p->fresh);
	http_worked_set(h, worked, p);
	return p;
}

void exchange_pool_free(struct exchange_pool *p)
{
	struct exchange *x;

	while ((x = TAILQ_FIRST(&p->idle)) != NULL) {
		TAILQ_REMOVE(&p->idle, x, idle);
		exchange_destroy(x);
	}
	free(p);
}

void exchange_set_ops(struct exchange *x, const struct exchange_ops *ops, void *arg)
{
	x->ops = ops;
	x->arg = arg;
}

bool exchange_is_running(const struct exchange *x)
{
	return x->running;
}

struct headers *exchange_headers(struct exchange *x)
{
	return &x->headers;
}

struct buf *exchange_body(struct exchange *x)
{
	return &x->body;
}

struct buf *exchange_query(struct exchange *x)
{
	return &x->query;
}

long exchange_status(const struct exchange *x)
{
	return x->head.status;
}

enum exchange_type exchange_type(const struct exchange *x)
{
	return x->head.type;
}

const char *exchange_session(const struct exchange *x)
{
	return x->head.session;
}

const struct sse *exchange_sse(const struct exchange *x)
{
	return &x->sse;
}

void exchange_forget_when_answered(struct exchange *x)
{
	x->forget = true;
}

void exchange_forget_request(struct exchange *x)
{
	/* The lines stay NUL-terminated and empty, so that curl may still walk over them. */
	if (x->headers.n > 0)
		explicit_bzero(x->headers.text.data, x->headers.text.len);
	buf_reset(&x->body);
}
