#include "guardiand/pager/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/log.h"

#define KEPT_MAX 2 /* connections of a channel that wait for the next page */
#define RETRY_AFTER_TEXT_MAX 64
#define ADDRESS_MAX 256

struct wire {
	TAILQ_ENTRY(wire) link;
	struct wire_pool *pool;
	CURL *easy;
	struct outgo *post;
	struct curl_slist *recipients;
	size_t sent; /* bytes of a mail */
	struct buf answer;
	size_t head_bytes;
	bool too_long, head_too_long;
	char retry_after[RETRY_AFTER_TEXT_MAX];
	void *arg;
	char error[CURL_ERROR_SIZE];
};

TAILQ_HEAD(wire_list, wire);

struct wire_pool {
	struct http *http;
	struct wire_list running;
	uint32_t timeout_ms;
	bool tls; /* of mail: from the first byte */
	void (*done)(void *arg, const struct wire_result *r);
};

static void take_retry_after(struct wire *w, const char *line, size_t len)
{
	static const char name[] = "Retry-After:";
	size_t n = sizeof(name) - 1;

	if (len > 5 && strncmp(line, "HTTP/", 5) == 0)
		w->retry_after[0] = '\0';
	if (len < n || strncasecmp(line, name, n) != 0)
		return;
	for (line += n, len -= n; len > 0 && (*line == ' ' || *line == '\t'); len--)
		line++;
	while (len > 0 && (unsigned char)line[len - 1] <= ' ')
		len--;
	if (len < sizeof(w->retry_after))
		snprintf(w->retry_after, sizeof(w->retry_after), "%.*s", (int)len, line);
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct wire *w = arg;

	w->head_bytes += size * count;
	w->head_too_long = w->head_bytes > WIRE_HEAD_MAX;
	take_retry_after(w, line, size * count);
	return w->head_too_long ? 0 : size * count;
}

/* What is longer than anybody needs is not read on: the status has been said. */
static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct wire *w = arg;

	w->too_long = buf_put(&w->answer, bytes, size * count) != 0;
	return w->too_long ? 0 : size * count;
}

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
	struct wire *w = arg;
	size_t left = buf_len(&w->post->body) - w->sent, n = size * count < left ? size * count : left;

	memcpy(to, buf_ptr(&w->post->body) + w->sent, n);
	w->sent += n;
	return n;
}

#define SET(option, value) (err = err != CURLE_OK ? err : curl_easy_setopt(easy, option, value))

static int setup(struct wire *w)
{
	CURL *easy = w->easy;
	CURLcode err = CURLE_OK;
	const char *url = buf_text(&w->post->url);

	if (url == NULL || http_easy_setup(w->pool->http, easy) != 0)
		return KG_E_NOMEM;
	SET(CURLOPT_PRIVATE, w);
	SET(CURLOPT_ERRORBUFFER, w->error);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, w);
	SET(CURLOPT_WRITEFUNCTION, on_bytes);
	SET(CURLOPT_WRITEDATA, w);
	SET(CURLOPT_TIMEOUT_MS, (long)w->pool->timeout_ms);
	/* The address is the configuration's, up to its path: where it may lead is judged when it is resolved. */
	SET(CURLOPT_CURLU, NULL);
	SET(CURLOPT_URL, url);
	return err == CURLE_OK ? 0 : KG_E_NOMEM;
}

static int setup_http(struct wire *w)
{
	CURL *easy = w->easy;
	CURLcode err = CURLE_OK;

	/* libcurl would ask before a long body, and wait. */
	if (headers_put_line(&w->post->lines, "Expect:") != 0)
		return KG_E_NOMEM;
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)buf_len(&w->post->body));
	SET(CURLOPT_POSTFIELDS, (const char *)buf_ptr(&w->post->body));
	SET(CURLOPT_HTTPHEADER, headers_list(&w->post->lines));
	return err == CURLE_OK ? 0 : KG_E_NOMEM;
}

static int put_recipients(struct wire *w, const struct config_channel *c)
{
	char address[ADDRESS_MAX + 3];

	for (size_t i = 0; i < c->nto; i++) {
		struct curl_slist *more;

		snprintf(address, sizeof(address), "<%s>", c->to[i]);
		more = curl_slist_append(w->recipients, address);
		if (more == NULL)
			return KG_E_NOMEM;
		w->recipients = more;
	}
	return 0;
}

/* TLS always: from the first byte, or by STARTTLS, without which nothing is said. One refused recipient does not keep
 * the page from the others. */
static int setup_mail(struct wire *w, const struct letter *l)
{
	char from[ADDRESS_MAX + 3];
	CURL *easy = w->easy;
	CURLcode err = CURLE_OK;

	if (put_recipients(w, l->channel) != 0)
		return KG_E_NOMEM;
	snprintf(from, sizeof(from), "<%s>", l->channel->from);
	SET(CURLOPT_PROTOCOLS_STR, w->pool->tls ? "smtps" : "smtp");
	SET(CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	SET(CURLOPT_MAIL_FROM, from);
	SET(CURLOPT_MAIL_RCPT, w->recipients);
	SET(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, w);
	SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)buf_len(&w->post->body));
	if (l->secret[0] != '\0') {
		SET(CURLOPT_USERNAME, l->channel->user);
		SET(CURLOPT_PASSWORD, l->secret);
	}
	return err == CURLE_OK ? 0 : KG_E_NOMEM;
}
#undef SET

static void wire_destroy(struct wire *w)
{
	curl_easy_cleanup(w->easy);
	curl_slist_free_all(w->recipients);
	buf_free(&w->answer);
	free(w);
}

static void leave_curl(struct wire *w)
{
	curl_multi_remove_handle(http_multi(w->pool->http), w->easy);
	TAILQ_REMOVE(&w->pool->running, w, link);
}

void wire_drop(struct wire *w)
{
	if (w == NULL)
		return;
	leave_curl(w);
	wire_destroy(w);
}

struct wire *wire_start(struct wire_pool *p, const struct letter *l, struct outgo *post, void *arg)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	*w = (struct wire){.pool = p, .post = post, .arg = arg, .easy = curl_easy_init()};
	buf_init(&w->answer, ANSWER_MAX);
	if (w->easy == NULL || setup(w) != 0 || (post->mail ? setup_mail(w, l) : setup_http(w)) != 0 ||
	    curl_multi_add_handle(http_multi(p->http), w->easy) != CURLM_OK) {
		wire_destroy(w);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&p->running, w, link);
	return w;
}

/* A mail server's refusal ends the transfer, but it is an answer; so is a status with too long a body. */
static bool is_answered(const struct wire *w, CURLcode code, long status)
{
	if (code == CURLE_OK)
		return status != 0;
	if (w->post->mail)
		return status >= 400 && code != CURLE_OPERATION_TIMEDOUT;
	return w->too_long && status != 0;
}

/*
 * libcurl keeps the connection of a mail that failed, also of one whose answer did not come in time: the next mail
 * would wait for, or be told, what belongs to this one. It finds this one closed instead.
 */
static void leave_connection(CURL *easy)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RDWR);
}

static void finish(void *owner, CURLcode code)
{
	struct wire *w = owner;
	struct wire_pool *p = w->pool;
	struct wire_result r = {.answer = {.body = (const char *)buf_ptr(&w->answer),
					   .len = buf_len(&w->answer),
					   .retry_after = w->retry_after}};
	const char *refusal = http_take_refusal(p->http);

	curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &r.answer.status);
	r.answered = is_answered(w, code, r.answer.status);
	r.why = w->error[0] != '\0' ? w->error : curl_easy_strerror(code);
	if (w->head_too_long)
		r.why = "its answer's head is larger than 16384 bytes";
	else if (code == CURLE_COULDNT_CONNECT && refusal != NULL)
		r.why = refusal;
	if (w->post->mail && code != CURLE_OK)
		leave_connection(w->easy);
	leave_curl(w);
	p->done(w->arg, &r);
	wire_destroy(w);
}

static void worked(void *arg)
{
	struct wire_pool *p = arg;

	http_each_done(p->http, finish);
}

struct wire_pool *wire_pool_new(struct loop *l, const struct config_server *link, uint32_t timeout_ms,
				void (*done)(void *arg, const struct wire_result *r))
{
	struct http_config c = {.url = link->url,
				.tls_ca = link->tls_ca,
				.allow_addresses = (const char *const *)link->allow_addresses,
				.nallow_addresses = link->nallow_addresses,
				.max_kept = KEPT_MAX};
	struct wire_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
	*p = (struct wire_pool){.timeout_ms = timeout_ms, .tls = strncmp(link->url, "smtps:", 6) == 0, .done = done};
	TAILQ_INIT(&p->running);
	p->http = http_new(l, &c);
	http_worked_set(p->http, worked, p);
	return p;
}

void wire_pool_free(struct wire_pool *p)
{
	struct wire *w, *next;

	if (p == NULL)
		return;
	for (w = TAILQ_FIRST(&p->running); w != NULL; w = next) {
		next = TAILQ_NEXT(w, link);
		leave_curl(w);
		wire_destroy(w);
	}
	http_free(p->http);
	free(p);
}
