/* A request's head: what is asked for, by whom. Order of refusal: where, how, who, what. */
#include <string.h>

#include "common/http/fields.h"
#include "gatewayd/authzen/authzen.h"

static const struct row {
	const char *before, *after; /* the path of base_url stands between them */
	enum endpoint endpoint;
	enum http1_method method;
} rows[] = {
	{"/.well-known/authzen-configuration", "", EP_METADATA, HTTP1_GET},
	{"", "/access/v1/evaluation", EP_EVALUATION, HTTP1_POST},
	{"", "/access/v1/evaluations", EP_EVALUATIONS, HTTP1_POST},
	{"", "/access/v1/search/subject", EP_SUBJECTS, HTTP1_POST},
	{"", "/access/v1/search/resource", EP_RESOURCES, HTTP1_POST},
	{"", "/access/v1/search/action", EP_ACTIONS, HTTP1_POST},
};

/* Takes text from the front of a span. */
static bool eat(struct http1_span *s, const char *text)
{
	size_t n = strlen(text);

	if (s->n < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

static const struct row *find_row(const struct conn *c, struct http1_span target)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http1_span rest = target;

		if (eat(&rest, rows[i].before) && eat(&rest, c->authzen->prefix) && eat(&rest, rows[i].after) &&
		    rest.n == 0)
			return &rows[i];
	}
	return NULL;
}

/* Echoed into a header: visible ASCII and spaces, bounded. False: it is there and cannot be. */
static bool take_request_id(struct conn *c, const struct http1_head *h)
{
	bool again;
	const struct http1_field *f = http1_find(h, "X-Request-ID", &again);

	if (f == NULL)
		return true;
	if (again || f->value.n > AUTHZEN_REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < f->value.n; i++)
		if (f->value.p[i] < 0x20 || f->value.p[i] > 0x7e)
			return false;
	memcpy(c->head.request_id, f->value.p, f->value.n);
	c->head.request_id[f->value.n] = '\0';
	return true;
}

static void take_caller(struct conn *c, const struct http1_head *h)
{
	struct http1_span token = http1_bearer(h);
	bool again;

	c->head.token = http1_find(h, "Authorization", &again) != NULL;
	if (token.n != 0)
		c->head.caller = caller_of_token(c->authzen->config, token.p, token.n);
}

static bool is_search(enum endpoint e)
{
	return e == EP_SUBJECTS || e == EP_RESOURCES || e == EP_ACTIONS;
}

static int stop(struct conn *c, int status, const char *why)
{
	c->head.why = why;
	return status;
}

static int head_status(struct conn *c, const struct http1_head *h)
{
	const struct row *row = find_row(c, h->target);

	if (!take_request_id(c, h))
		return stop(c, 400, "X-Request-ID must be at most 256 characters of visible ASCII");
	if (row == NULL)
		return stop(c, 404, "there is nothing here: see /.well-known/authzen-configuration");
	c->head.endpoint = row->endpoint;
	c->head.path = row->after;
	if (h->method != row->method && !(row->method == HTTP1_GET && h->method == HTTP1_HEAD))
		return stop(c, 405, row->method == HTTP1_GET ? "this takes GET" : "this takes POST");
	if (row->endpoint == EP_METADATA)
		return 0;
	take_caller(c, h);
	if (c->head.caller == NULL)
		return stop(c, 401, "a token that this endpoint knows is needed: Authorization: Bearer ...");
	if (is_search(row->endpoint) && !c->head.caller->search)
		return stop(c, 403, "this caller may not search");
	if (!http1_is_json(h))
		return stop(c, 400, "Content-Type must be application/json");
	return 0;
}

void authzen_head(struct conn *c, const struct http1_head *h)
{
	c->head.refused = head_status(c, h);
}
