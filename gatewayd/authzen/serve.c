/* The HTTP server's questions, answered by the endpoint. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "gatewayd/authzen/authzen.h"

#define SECOND_NS 1000000000ull

static void on_ready(struct http_conn *c)
{
	struct conn *own = conn_of(c);

	own->authzen = c->server->arg;
	authzen_drop(own);
	explicit_bzero(&own->head, sizeof(own->head));
}

static bool on_head(struct http_conn *c, const struct http1_head *h)
{
	authzen_head(conn_of(c), h);
	return conn_of(c)->head.refused == 0;
}

static void on_body(struct http_conn *c, const char *body, size_t len)
{
	authzen_run(conn_of(c), body, len);
}

/* The broker's answers find nobody; what was asked is on record all the same. */
static void on_gone(struct http_conn *c)
{
	authzen_drop(conn_of(c));
}

static const struct {
	int status;
	const char *why;
} reasons[] = {
	{400, "the request is not well-formed HTTP/1.1"},
	{413, "the body is over the limit of this endpoint"},
	{414, "the request line is over the limit of this endpoint"},
	{417, "only Expect: 100-continue is understood"},
	{431, "the header is over the limit of this endpoint"},
	{501, "only the transfer coding chunked is understood"},
	{505, "only HTTP/1.1 is spoken here"},
};

static void on_refuse(struct http_conn *c, int status)
{
	const char *why = "";

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			why = reasons[i].why;
	authzen_refuse(conn_of(c), status, why);
}

/* "Request Identification": the caller's own word, in every answer to it. */
static int put_fields(struct http_conn *c, struct buf *out)
{
	const struct conn *own = conn_of(c);
	const char *cache = own->head.endpoint == EP_METADATA && own->head.refused == 0 ? "max-age=3600" : "no-store";

	if (buf_printf(out, "Cache-Control: %s\r\n", cache) != KG_OK)
		return KG_E_LIMIT;
	return own->head.request_id[0] == '\0' ? KG_OK : buf_printf(out, "X-Request-ID: %s\r\n", own->head.request_id);
}

static const struct http_service service = {on_ready, on_head, on_body, on_gone, on_refuse, put_fields};

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	authzen_unavailable(arg, AUTHZEN_WAIT_S * SECOND_NS, "the decision took too long: try again");
}

static void take_base_url(struct authzen *a)
{
	bool v6 = strchr(a->config->address, ':') != NULL;
	const char *path;
	int n;

	if (a->config->base_url != NULL)
		n = snprintf(a->base_url, sizeof(a->base_url), "%s", a->config->base_url);
	else
		n = snprintf(a->base_url, sizeof(a->base_url), v6 ? "http://[%s]:%u" : "http://%s:%u",
			     a->config->address, a->config->port);
	if (n < 0 || (size_t)n >= sizeof(a->base_url))
		log_fatal(KG_EXIT_CONFIG, "authzen.base_url: longer than %zu bytes: choose a shorter one",
			  sizeof(a->base_url) - 1);
	path = strstr(a->base_url, "://");
	path = path == NULL ? NULL : strchr(path + 3, '/');
	a->prefix = path == NULL ? "" : path;
}

void authzen_serve(struct authzen *a, uint32_t nslots)
{
	static const struct timeval second = {1, 0};

	a->config = &a->role.config->authzen;
	take_base_url(a);
	json_init(&a->doc);
	buf_init(&a->scratch, AUTHZEN_OUT_MAX);
	buf_init(&a->metadata, 16384);
	randombytes_buf(a->page_key, sizeof(a->page_key));
	a->http = (struct http_server){.service = &service,
				       .arg = a,
				       .loop = a->role.loop,
				       .conn_size = sizeof(struct conn),
				       .max_body = AUTHZEN_BODY_MAX,
				       .out_max = AUTHZEN_OUT_MAX + 65536u,
				       .slots = calloc(nslots, sizeof(*a->http.slots)),
				       .nslots = nslots};
	a->overdue = event_new(loop_base(a->role.loop), -1, EV_PERSIST, on_overdue, a);
	if (a->http.slots == NULL || a->overdue == NULL || authzen_put_metadata(&a->metadata, a->base_url) != KG_OK)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
	if (event_add(a->overdue, &second) != 0)
		log_fatal(KG_EXIT_FAILURE, "connections: the loop refused an event");
}
