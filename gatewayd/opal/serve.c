/* The HTTP server's questions, answered by the endpoint; and what it begins with. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/opal/opal.h"

#define SECOND_NS 1000000000ull
#define LATE "the gateway has not answered in time: what was sent is staged, and will be tried again"

static void on_ready(struct http_conn *c)
{
	struct conn *own = conn_of(c);

	explicit_bzero((char *)own + sizeof(own->http), sizeof(*own) - sizeof(own->http));
	own->opal = c->server->arg;
}

static bool on_head(struct http_conn *c, const struct http1_head *h)
{
	opal_head(conn_of(c), h);
	return conn_of(c)->refused == 0;
}

static void on_body(struct http_conn *c, const char *body, size_t len)
{
	opal_run(conn_of(c), body, len);
}

/* What it has sent stays staged: whoever sends a change means it. */
static void on_gone(struct http_conn *c)
{
	conn_of(c)->waiting = false;
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
	opal_refuse(conn_of(c), status, why);
}

static int put_fields(struct http_conn *c, struct buf *out)
{
	(void)c;
	return buf_puts(out, "Cache-Control: no-store\r\n");
}

static const struct http_service service = {on_ready, on_head, on_body, on_gone, on_refuse, put_fields};

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	opal_step(arg);
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct opal *o = arg;
	unsigned long long now = loop_now_ns();

	(void)fd, (void)what;
	for (uint32_t i = 0; i < o->http.nslots; i++) {
		struct conn *c = o->http.slots[i] == NULL ? NULL : conn_of(o->http.slots[i]);

		if (c != NULL && c->http.state == HTTP_WAITING && c->waiting &&
		    now - c->asked_ns >= OPAL_WAIT_S * SECOND_NS)
			opal_refuse(c, 503, LATE);
	}
}

/* What was pushed before this start. One that cannot be read is not passed over: it may have forbidden much. */
static void take_kept(struct opal *o)
{
	int r = kept_read(&o->kept, &o->staged, &o->by);

	if (r == KG_E_NOTFOUND)
		return;
	if (r != KG_OK) {
		log_warn("policies that are pushed: what was kept cannot be read (%s): nothing is permitted until a "
			 "set is pushed again",
			 kg_strerror(r));
		return;
	}
	o->ever = true;
	o->generation = o->written = 1;
}

void opal_serve(struct opal *o, uint32_t nslots)
{
	static const struct timeval second = {1, 0};

	o->config = &o->role.config->policy.opal;
	json_init(&o->doc);
	buf_init(&o->scratch, OPAL_OUT_MAX);
	buf_init(&o->errors, OPAL_ERRORS_MAX + 1);
	take_kept(o);
	o->http = (struct http_server){.service = &service,
				       .arg = o,
				       .loop = o->role.loop,
				       .conn_size = sizeof(struct conn),
				       .max_body = OPAL_BODY_MAX,
				       .out_max = OPAL_OUT_MAX + 65536u,
				       .slots = calloc(nslots, sizeof(*o->http.slots)),
				       .nslots = nslots};
	o->again = evtimer_new(loop_base(o->role.loop), on_again, o);
	o->overdue = event_new(loop_base(o->role.loop), -1, EV_PERSIST, on_overdue, o);
	if (o->http.slots == NULL || o->again == NULL || o->overdue == NULL)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
	if (event_add(o->overdue, &second) != 0)
		log_fatal(KG_EXIT_FAILURE, "connections: the loop refused an event");
}
