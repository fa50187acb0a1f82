#include "gatewayd/pdp/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "common/log.h"

#define IDLE_MAX 64

struct transfer {
	TAILQ_ENTRY(transfer) link;
	struct transfer_pool *pool;
	CURL *easy;
	struct headers lines;
	struct buf answer;
	size_t head_bytes;
	bool too_long, head_too_long;
	void *arg;
	char error[CURL_ERROR_SIZE];
};

TAILQ_HEAD(transfer_list, transfer);

struct transfer_pool {
	struct http *http;
	struct transfer_list idle, running;
	size_t nidle, answer_max;
	void (*done)(void *arg, const struct transfer_result *r);
};

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;

	(void)line;
	t->head_bytes += size * count;
	t->head_too_long = t->head_bytes > TRANSFER_HEAD_MAX;
	return t->head_too_long ? 0 : size * count;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;

	t->too_long = buf_put(&t->answer, bytes, size * count) != 0;
	return t->too_long ? 0 : size * count;
}

static int easy_setup(struct transfer *t)
{
	CURL *easy = t->easy;
	CURLcode err = CURLE_OK;

#define SET(option, value) (err = err != CURLE_OK ? err : curl_easy_setopt(easy, option, value))
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_bytes);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_POST, 1L);
#undef SET
	return err == CURLE_OK ? http_easy_setup(t->pool->http, easy) : KG_E_NOMEM;
}

static void transfer_destroy(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	headers_free(&t->lines);
	buf_free(&t->answer);
	free(t);
}

static struct transfer *transfer_new(struct transfer_pool *p)
{
	struct transfer *t = TAILQ_FIRST(&p->idle);

	if (t != NULL) {
		TAILQ_REMOVE(&p->idle, t, link);
		p->nidle--;
		return t;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->pool = p;
	headers_init(&t->lines);
	buf_init(&t->answer, p->answer_max);
	t->easy = curl_easy_init();
	if (t->easy != NULL && easy_setup(t) == 0)
		return t;
	transfer_destroy(t);
	return NULL;
}

/* Back to the idle ones, without what was secret in it. */
static void transfer_rest(struct transfer *t)
{
	struct transfer_pool *p = t->pool;

	headers_cut(&t->lines, 0);
	buf_reset(&t->answer);
	t->arg = NULL;
	if (p->nidle == IDLE_MAX) {
		transfer_destroy(t);
		return;
	}
	TAILQ_INSERT_HEAD(&p->idle, t, link);
	p->nidle++;
}

static void leave_curl(struct transfer *t)
{
	curl_multi_remove_handle(http_multi(t->pool->http), t->easy);
	TAILQ_REMOVE(&t->pool->running, t, link);
}

void transfer_drop(struct transfer *t)
{
	if (t == NULL)
		return;
	leave_curl(t);
	transfer_rest(t);
}

static int put_lines(struct headers *h, const struct headers *lines, const char *request_id)
{
	int err = headers_copy(h, lines, lines->n);

	if (err == 0)
		err = headers_put_line(h, "Content-Type: application/json");
	if (err == 0)
		err = headers_put_line(h, "Accept: application/json");
	/* libcurl would ask before a long body, and wait: the deadline leaves no time for that. */
	if (err == 0)
		err = headers_put_line(h, "Expect:");
	return err != 0 ? err : headers_puts(h, "X-Request-ID", request_id);
}

struct transfer *transfer_start(struct transfer_pool *p, const struct headers *lines, const char *request_id,
				const struct buf *body, void *arg)
{
	struct transfer *t = transfer_new(p);

	if (t == NULL)
		return NULL;
	t->arg = arg;
	t->head_bytes = 0;
	t->too_long = t->head_too_long = false;
	t->error[0] = '\0';
	if (put_lines(&t->lines, lines, request_id) != 0 ||
	    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)buf_len(body)) != CURLE_OK ||
	    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, (const char *)buf_ptr(body)) != CURLE_OK ||
	    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers_list(&t->lines)) != CURLE_OK ||
	    curl_multi_add_handle(http_multi(p->http), t->easy) != CURLM_OK) {
		transfer_rest(t);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&p->running, t, link);
	return t;
}

/* application/json, with parameters or without (RFC 9110, section 8.3.1). */
static bool type_is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t n = sizeof(json) - 1;

	return type != NULL && strncasecmp(type, json, n) == 0 &&
	       (type[n] == '\0' || type[n] == ';' || type[n] == ' ' || type[n] == '\t');
}

static void describe_failure(struct transfer *t, CURLcode code, struct transfer_result *r)
{
	const char *refusal = http_take_refusal(t->pool->http);

	r->end = TRANSFER_BROKEN;
	r->why = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
	if (t->too_long) {
		r->end = TRANSFER_TOO_LONG;
	} else if (t->head_too_long) {
		r->why = "its answer's head is larger than 16384 bytes";
	} else if (code == CURLE_COULDNT_CONNECT && refusal != NULL) {
		r->why = refusal;
	} else if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST) {
		r->end = TRANSFER_UNCONNECTED;
	}
}

static void finish(void *owner, CURLcode code)
{
	struct transfer *t = owner;
	struct transfer_pool *p = t->pool;
	struct transfer_result r = {.end = TRANSFER_ANSWERED};
	void *arg = t->arg;
	char *type = NULL;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &r.status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	r.json = type_is_json(type);
	r.body = (const char *)buf_ptr(&t->answer);
	r.len = buf_len(&t->answer);
	if (code != CURLE_OK)
		describe_failure(t, code, &r);
	leave_curl(t);
	/* Not among the idle ones yet: what it tells is still in it. */
	p->done(arg, &r);
	transfer_rest(t);
}

static void worked(void *arg)
{
	struct transfer_pool *p = arg;

	http_each_done(p->http, finish);
}

struct transfer_pool *transfer_pool_new(struct loop *l, const struct http_config *c, size_t answer_max,
					void (*done)(void *arg, const struct transfer_result *r))
{
	struct transfer_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
	*p = (struct transfer_pool){.answer_max = answer_max, .done = done};
	TAILQ_INIT(&p->idle);
	TAILQ_INIT(&p->running);
	p->http = http_new(l, c);
	http_worked_set(p->http, worked, p);
	curl_multi_setopt(http_multi(p->http), CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)TRANSFER_CONNECTIONS_MAX);
	return p;
}

void transfer_pool_free(struct transfer_pool *p)
{
	struct transfer *t, *next;

	for (t = TAILQ_FIRST(&p->running); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		leave_curl(t);
		transfer_destroy(t);
	}
	for (t = TAILQ_FIRST(&p->idle); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		transfer_destroy(t);
	}
	http_free(p->http);
	free(p);
}
