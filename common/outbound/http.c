#include "common/outbound/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/version.h"
#include "common/outbound/http_alloc.h"

#define CONNECT_TIMEOUT_MS 10000L
#define IDLE_CONNECTION_S 60L
#define KICKS_MAX 8

/* A socket of curl. It stays armed for reading while its connection idles: that saves two system calls a request. */
struct http_sock {
	struct http *http;
	struct event *ev; /* NULL: none yet */
	short want;       /* what curl waits for */
	short armed;
};

struct http {
	struct loop *loop;
	CURLM *multi;
	struct event *timer;
	bool kick; /* curl wants to run now: at the end of this batch */
	struct http_config config;
	CURLU *url; /* parsed once for all requests */
	struct address_policy policy;
	const char *refusal;
	struct http_sock **sock; /* by descriptor */
	size_t nsock;
};

void http_global_init(void)
{
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc, wiping_strdup,
				 wiping_calloc) != CURLE_OK)
		log_fatal(KG_EXIT_FAILURE, "libcurl cannot be used");
}

static void run(struct http *h, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(h->multi, fd, what, &running);
	h->config.worked(h->config.arg);
}

static void at_batch_end(void *arg)
{
	struct http *h = arg;

	for (int i = 0; h->kick && i < KICKS_MAX; i++) {
		h->kick = false;
		run(h, CURL_SOCKET_TIMEOUT, 0);
	}
	if (h->kick)
		event_active(h->timer, EV_TIMEOUT, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;

	(void)fd, (void)what;
	h->kick = true;
}

static int timer_wanted(CURLM *multi, long ms, void *arg)
{
	struct http *h = arg;
	struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

	(void)multi;
	h->kick = ms == 0;
	if (ms > 0)
		event_add(h->timer, &tv);
	else
		event_del(h->timer);
	return 0;
}

static void sock_arm(struct http_sock *s, evutil_socket_t fd, short events);

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct http_sock *s = arg;
	int flags = ((what & EV_READ) ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) ? CURL_CSELECT_OUT : 0);

	/* An idle connection became readable: the server closed it. curl finds out when it looks for one to reuse. */
	if (s->want == 0)
		sock_arm(s, fd, 0);
	else
		run(s->http, fd, flags);
}

static void sock_arm(struct http_sock *s, evutil_socket_t fd, short events)
{
	struct event_base *base = loop_base(s->http->loop);

	if (s->ev && s->armed != 0)
		event_del(s->ev);
	s->armed = events;
	if (events == 0)
		return;
	if (!s->ev) {
		s->ev = event_new(base, fd, (short)(events | EV_PERSIST), on_socket, s);
		if (!s->ev)
			log_fatal(KG_EXIT_FAILURE, "event loop: out of memory");
	} else {
		event_assign(s->ev, base, fd, (short)(events | EV_PERSIST), on_socket, s);
	}
	event_add(s->ev, NULL);
}

static struct http_sock *sock_get(struct http *h, curl_socket_t fd)
{
	size_t at = (size_t)fd;

	if (at >= h->nsock) {
		size_t n = at + 64;
		struct http_sock **more = realloc(h->sock, n * sizeof(struct http_sock *));
		if (!more)
			log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
		memset(more + h->nsock, 0, (n - h->nsock) * sizeof(struct http_sock *));
		h->sock = more;
		h->nsock = n;
	}
	if (!h->sock[at]) {
		h->sock[at] = calloc(1, sizeof(struct http_sock));
		if (!h->sock[at])
			log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
		h->sock[at]->http = h;
	}
	return h->sock[at];
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct http_sock *s = sock_get(arg, fd);
	short want = (short)(((what & CURL_POLL_IN) ? EV_READ : 0) | ((what & CURL_POLL_OUT) ? EV_WRITE : 0));

	(void)easy, (void)unused;
	if (what == CURL_POLL_REMOVE)
		want = 0;
	s->want = want;
	if (want != s->armed && !(want == 0 && s->armed == EV_READ))
		sock_arm(s, fd, want);
	return 0;
}

/* The only place where a socket is made: judged by the address that the name resolved to. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http *h = arg;
	const char *refusal = address_refusal(&h->policy, &a->addr, a->addrlen);

	if (purpose != CURLSOCKTYPE_IPCXN || refusal) {
		h->refusal = refusal ? refusal : "a connection of an unknown purpose";
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
}

static int close_socket(void *arg, curl_socket_t fd)
{
	struct http *h = arg;

	if ((size_t)fd < h->nsock && h->sock[fd]) {
		if (h->sock[fd]->ev)
			event_free(h->sock[fd]->ev);
		free(h->sock[fd]);
		h->sock[fd] = NULL;
	}
	return close(fd);
}

static void policy_init(struct http *h)
{
	char *host = NULL;

	h->url = curl_url();
	if (!h->url || curl_url_set(h->url, CURLUPART_URL, h->config.url, CURLU_DISALLOW_USER) != CURLUE_OK ||
	    curl_url_get(h->url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		log_fatal(KG_EXIT_CONFIG, "url: cannot be used: it must be http://HOST[:PORT]/PATH or https://…");
	if (address_policy_init(&h->policy, host, h->config.allow_addresses, h->config.nallow_addresses) != 0)
		log_fatal(KG_EXIT_CONFIG, "allow_addresses: at most %d addresses or networks like 10.0.0.0/8",
			  ADDRESS_NETS_MAX);
	curl_free(host);
}

struct http *http_new(struct loop *l, const struct http_config *c)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
	h->loop = l;
	h->config = *c;
	policy_init(h);
	h->multi = curl_multi_init();
	h->timer = evtimer_new(loop_base(l), on_timer, h);
	if (!h->multi || !h->timer)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	/* curl's own idea, four for each request of the moment, closes kept connections whenever the load falls. */
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)c->max_kept);
	loop_at_batch_end(l, at_batch_end, h);
	return h;
}

void http_free(struct http *h)
{
	/* libcurl takes leave of a mail server, and waits a minute for its answer. */
	for (size_t fd = 0; fd < h->nsock; fd++)
		if (h->sock[fd] != NULL)
			shutdown((int)fd, SHUT_RDWR);
	curl_multi_cleanup(h->multi);
	curl_url_cleanup(h->url);
	event_free(h->timer);
	free(h->sock);
	free(h);
}

void http_worked_set(struct http *h, void (*worked)(void *arg), void *arg)
{
	h->config.worked = worked;
	h->config.arg = arg;
}

void http_each_done(struct http *h, void (*done)(void *owner, CURLcode code))
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		CURLcode code = m->data.result;
		char *owner = NULL;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &owner);
		done(owner, code);
	}
}

CURLM *http_multi(struct http *h)
{
	return h->multi;
}

const char *http_url(const struct http *h)
{
	return h->config.url;
}

const char *http_take_refusal(struct http *h)
{
	const char *refusal = h->refusal;

	h->refusal = NULL;
	return refusal;
}

#define SET(option, value) (err = err != CURLE_OK ? err : curl_easy_setopt(easy, option, value))

int http_easy_setup(struct http *h, CURL *easy)
{
	const char *scheme = strncasecmp(h->config.url, "https:", 6) == 0 ? "https" : "http";
	CURLcode err = CURLE_OK;

	SET(CURLOPT_CURLU, h->url);
	SET(CURLOPT_PROTOCOLS_STR, scheme);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PROXY, ""); /* no proxy from the environment */
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_USERAGENT, "keepgate/" KEEPGATE_VERSION);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, h);
	SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	SET(CURLOPT_CLOSESOCKETDATA, h);
	if (h->config.tls_ca)
		SET(CURLOPT_CAINFO, h->config.tls_ca);
	return err == CURLE_OK ? 0 : KG_E_NOMEM;
}
