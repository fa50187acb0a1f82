/* What the broker answers, as the API has it. Its bytes are not believed either: read strictly, or answered with 500.
 */
#include <stdlib.h>
#include <string.h>

#include "gatewayd/authzen/authzen.h"
#include "gatewayd/authzen/page.h"

#define BROKEN "the gateway's answer cannot be passed on"

static struct conn *conn_of_ask(struct authzen *a, uint64_t ask, uint32_t *item)
{
	*item = (uint32_t)(ask >> 24 & 0xff);
	return conn_of(http_of_call(&a->http, ask & ~((uint64_t)0xff << 24)));
}

static void respond_json(struct conn *c, const struct buf *b)
{
	http_respond(&c->http, 200, "application/json", "", buf_ptr(b), buf_len(b));
}

static int put_decision(struct buf *out, const struct item *i)
{
	if (buf_printf(out, "{\"decision\":%s", i->decision ? "true" : "false") != KG_OK)
		return KG_E_LIMIT;
	if (i->context != NULL && (buf_puts(out, ",\"context\":") != KG_OK || buf_puts(out, i->context) != KG_OK))
		return KG_E_LIMIT;
	return buf_puts(out, "}");
}

/* How many answers are given: up to the one that decides. */
static uint32_t count_given(const struct open_request *r)
{
	for (uint32_t i = 0; i < r->nitems; i++)
		if ((r->semantic == DENY_ON_FIRST_DENY && !r->items[i].decision) ||
		    (r->semantic == PERMIT_ON_FIRST_PERMIT && r->items[i].decision))
			return i + 1;
	return r->nitems;
}

static int put_decisions(struct buf *out, const struct open_request *r)
{
	uint32_t given = count_given(r);

	if (r->single)
		return put_decision(out, &r->items[0]);
	for (uint32_t i = 0; i < given; i++)
		if (buf_puts(out, i == 0 ? "{\"evaluations\":[" : ",") != KG_OK ||
		    put_decision(out, &r->items[i]) != KG_OK)
			return KG_E_LIMIT;
	return buf_puts(out, "]}");
}

void authzen_decisions(struct conn *c)
{
	struct buf *b = &c->authzen->scratch;

	buf_reset(b);
	if (put_decisions(b, &c->request) != KG_OK)
		authzen_refuse(c, 500, BROKEN);
	else
		respond_json(c, b);
}

/* {"results":[{"type":…,"id":…}…]} out of an array of ids, or {"name":…} of actions. */
static int put_results(struct buf *out, const struct conn *c, const struct json_doc *d)
{
	bool actions = c->head.endpoint == EP_ACTIONS;
	const char *before = "";

	if (buf_puts(out, ",\"results\":[") != KG_OK)
		return KG_E_LIMIT;
	for (uint32_t t = json_first(d, 0); t != JSON_NONE; t = json_after(d, 0, t)) {
		if (buf_puts(out, before) != KG_OK || buf_puts(out, actions ? "{\"name\":" : "{\"type\":") != KG_OK)
			return KG_E_LIMIT;
		if (!actions && (json_put_string(out, c->request.type, strlen(c->request.type)) != KG_OK ||
				 buf_puts(out, ",\"id\":") != KG_OK))
			return KG_E_LIMIT;
		if (json_put_compact(out, d, t) != KG_OK || buf_puts(out, "}") != KG_OK)
			return KG_E_LIMIT;
		before = ",";
	}
	return buf_puts(out, "]}");
}

static bool are_strings(const struct json_doc *d)
{
	if (json_kind(d, 0) != JK_ARRAY)
		return false;
	for (uint32_t t = json_first(d, 0); t != JSON_NONE; t = json_after(d, 0, t))
		if (json_kind(d, t) != JK_STRING)
			return false;
	return true;
}

/* The page object first ("Search API Response"): there is no more to come when its token is empty. */
static void answer_results(struct conn *c, const struct ipc_authz_answer *m)
{
	struct json_doc *d = &c->authzen->doc;
	struct buf *b = &c->authzen->scratch;
	char token[PAGE_TOKEN_LEN + 1] = "";
	uint32_t count;

	if (json_scan(d, (const char *)m->json.p, m->json.n, NULL) != KG_OK || !are_strings(d)) {
		authzen_refuse(c, 500, BROKEN);
		return;
	}
	count = d->tok[0].count;
	if (c->request.offset + count < m->total)
		page_next(c, count, token);
	buf_reset(b);
	if (buf_printf(b, "{\"page\":{\"next_token\":\"%s\",\"count\":%u,\"total\":%u}", token, count, m->total) !=
		    KG_OK ||
	    put_results(b, c, d) != KG_OK)
		authzen_refuse(c, 500, BROKEN);
	else
		respond_json(c, b);
}

/* A decision with its context, or the error of one question. */
static int take_item(struct conn *c, struct item *i, const struct ipc_authz_answer *m)
{
	struct json_doc *d = &c->authzen->doc;

	i->answered = true;
	i->decision = m->status == GRANT_OK && m->decision == DECISION_ALLOW;
	if (m->json.n == 0)
		return KG_OK;
	if (json_scan(d, (const char *)m->json.p, m->json.n, NULL) != KG_OK || json_kind(d, 0) != JK_OBJECT)
		return KG_E_PROTO;
	i->context = strndup((const char *)m->json.p, m->json.n);
	return i->context == NULL ? KG_E_NOMEM : KG_OK;
}

/* The broker's sentence for the caller; longer than any is cut. */
static void refuse_as_told(struct conn *c, int status, struct ipc_bytes error)
{
	char text[513];

	if (ipc_copy(error, text, sizeof(text)) != KG_OK || text[0] == '\0')
		authzen_refuse(c, status, "the question cannot be answered");
	else
		authzen_refuse(c, status, text);
}

int authzen_answer(struct authzen *a, const struct ipc_authz_answer *m)
{
	uint32_t item;
	struct conn *c = conn_of_ask(a, m->ask, &item);

	/* The client has gone, or was answered already. */
	if (c == NULL || c->request.nitems == 0)
		return KG_OK;
	if (item >= c->request.nitems || c->request.items[item].answered || m->status > GRANT_UNAVAILABLE)
		return KG_E_PROTO;
	/* What was not put on record is not answered, and half an array is no answer. */
	if (m->status == GRANT_UNAVAILABLE) {
		refuse_as_told(c, 503, m->error);
		return KG_OK;
	}
	if (m->status == GRANT_DENIED && c->request.single) {
		refuse_as_told(c, 400, m->error);
		return KG_OK;
	}
	if (c->head.endpoint >= EP_SUBJECTS) {
		answer_results(c, m);
		return KG_OK;
	}
	if (take_item(c, &c->request.items[item], m) != KG_OK)
		authzen_refuse(c, 500, BROKEN);
	else if (--c->request.waiting == 0)
		authzen_decisions(c);
	return KG_OK;
}

void authzen_unavailable(struct authzen *a, unsigned long long wait_ns, const char *why)
{
	unsigned long long now = loop_now_ns();

	for (uint32_t i = 0; i < a->http.nslots; i++) {
		struct conn *c = conn_of(a->http.slots[i]);

		if (c != NULL && c->http.state == HTTP_WAITING && c->request.waiting != 0 &&
		    now - c->request.asked_ns >= wait_ns)
			authzen_refuse(c, 503, why);
	}
}
