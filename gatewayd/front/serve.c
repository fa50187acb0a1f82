/* The HTTP server's questions, answered by MCP. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gatewayd/front/mcp.h"
#include "gatewayd/front/respond.h"

static void on_ready(struct http_conn *c)
{
	struct conn *own = conn_of(c);

	own->front = c->server->arg;
	explicit_bzero(&own->head, sizeof(own->head));
	own->request = (struct open_request){0};
}

static bool on_head(struct http_conn *c, const struct http1_head *h)
{
	mcp_head(conn_of(c), h);
	return conn_of(c)->head.refused == 0;
}

static void on_body(struct http_conn *c, const char *body, size_t len)
{
	mcp_body(conn_of(c), body, len);
}

static void on_gone(struct http_conn *c)
{
	mcp_gone(conn_of(c));
}

static void on_refuse(struct http_conn *c, int status)
{
	respond_plain(conn_of(c), status);
}

static int put_fields(struct http_conn *c, struct buf *out)
{
	return respond_put_cors(conn_of(c), out);
}

const struct http_service front_service = {on_ready, on_head, on_body, on_gone, on_refuse, put_fields};

void front_serve(struct front *f, uint32_t nslots)
{
	f->http = (struct http_server){.service = &front_service,
				       .arg = f,
				       .loop = f->role.loop,
				       .conn_size = sizeof(struct conn),
				       .max_body = f->role.config->max_body,
				       .out_max = CONN_OUT_MAX,
				       .slots = calloc(nslots, sizeof(*f->http.slots)),
				       .nslots = nslots};
	if (f->http.slots == NULL)
		log_fatal(KG_EXIT_FAILURE, "connections: out of memory");
}
