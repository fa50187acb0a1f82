#include "gatewayd/upstream/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "common/ipc.h"
#include "gatewayd/upstream/exchange_parts.h"
#include "gatewayd/upstream/wire.h"

#define KEEP_BYTES 65536u /* larger buffers of an idle exchange are given back */

static int easy_setup(struct exchange *x)
{
	CURL *easy = x->easy;
	CURLcode err = CURLE_OK;

#define SET(option, value) (err = err != CURLE_OK ? err : curl_easy_setopt(easy, option, value))
	SET(CURLOPT_PRIVATE, x);
	SET(CURLOPT_ERRORBUFFER, x->error);
	SET(CURLOPT_HEADERFUNCTION, exchange_on_header);
	SET(CURLOPT_HEADERDATA, x);
	SET(CURLOPT_WRITEFUNCTION, exchange_on_bytes);
	SET(CURLOPT_WRITEDATA, x);
	SET(CURLOPT_PREREQFUNCTION, exchange_before_request);
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
	sse_init(&x->sse, IPC_BODY_MAX, exchange_on_event, x);
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

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	exchange_leave_curl(x);
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

static int url_set(struct exchange *x)
{
	const char *base = http_url(x->pool->http);
	struct buf url;

	if (buf_len(&x->query) == 0)
		return 0;
	buf_init(&url, (size_t)HEADER_BYTES_MAX * 2);
	int err = buf_printf(&url, "%s%c", base, strchr(base, '?') ? '&' : '?');
	if (err == 0)
		err = buf_put(&url, buf_ptr(&x->query), buf_len(&x->query));
	const char *text = err == 0 ? buf_text(&url) : NULL;
	/* The parsed URL would go before this one. */
	if (!text || curl_easy_setopt(x->easy, CURLOPT_CURLU, NULL) != CURLE_OK ||
	    curl_easy_setopt(x->easy, CURLOPT_URL, text) != CURLE_OK)
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
	http_worked_set(h, exchange_worked, p);
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
