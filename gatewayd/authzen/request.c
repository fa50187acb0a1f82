/* A whole request: refused here, or sent to the broker as questions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatewayd/authzen/authzen.h"
#include "gatewayd/authzen/page.h"
#include "gatewayd/authzen/question.h"

#define BUSY "the gateway's broker is away, or has too much to do: try again in a moment"
#define TOO_LARGE "properties and context are over the limit of this endpoint"
#define SCOPE "this caller may not ask about these types or this action"

void authzen_refuse(struct conn *c, int status, const char *why)
{
	const char *fields = "";
	char text[768];
	int n = snprintf(text, sizeof(text), "%s\n", why);

	if (status == 405)
		fields = c->head.endpoint == EP_METADATA ? "Allow: GET, HEAD\r\n" : "Allow: POST\r\n";
	else if (status == 401)
		fields = "WWW-Authenticate: Bearer realm=\"keepgate authzen\"\r\n";
	authzen_drop(c);
	http_respond(&c->http, status, "text/plain; charset=utf-8", fields, text,
		     n < 0                      ? 0
		     : (size_t)n < sizeof(text) ? (size_t)n
						: sizeof(text) - 1);
}

void authzen_drop(struct conn *c)
{
	for (uint32_t i = 0; i < c->request.nitems; i++)
		free(c->request.items[i].context);
	free(c->request.items);
	c->request = (struct open_request){0};
}

static uint8_t kind_of(enum endpoint e)
{
	static const uint8_t kinds[] = {[EP_EVALUATION] = AUTHZ_EVALUATE,
					[EP_EVALUATIONS] = AUTHZ_EVALUATE,
					[EP_SUBJECTS] = AUTHZ_SUBJECTS,
					[EP_RESOURCES] = AUTHZ_RESOURCES,
					[EP_ACTIONS] = AUTHZ_ACTIONS};

	return kinds[e];
}

/* A call's id has room for the question's place: AUTHZEN_EVALUATIONS_MAX fits 8 bits, the slot the other 24. */
static uint64_t ask_id(const struct conn *c, uint32_t item)
{
	return http_call(&c->http) | (uint64_t)item << 24;
}

/* Sends one question; its properties stand in the scratch buffer. */
static void send_ask(struct conn *c, uint32_t item, const struct question *q)
{
	struct authzen *a = c->authzen;
	struct ipc_authz_ask m = {
		.ask = ask_id(c, item),
		.caller = ipc_text(c->head.caller->name),
		.kind = kind_of(c->head.endpoint),
		.subject_type = ipc_text(q->subject_type),
		.subject_id = ipc_text(q->subject_id),
		.action = ipc_text(q->action),
		.resource_type = ipc_text(q->resource_type),
		.resource_id = ipc_text(q->resource_id),
		.offset = c->request.offset,
		.limit = c->request.limit,
		.properties = ipc_mem(buf_ptr(&a->scratch), buf_len(&a->scratch)),
	};

	/* A link that has ended meanwhile answers for all of its requests when it is closed. */
	(void)ipc_send(a->broker, IPC_AUTHZ_ASK, &m);
	c->request.waiting++;
}

static bool broker_has_room(const struct authzen *a)
{
	return a->broker != NULL && ipc_queued(a->broker) <= AUTHZEN_QUEUE_HIGH;
}

static bool begin(struct conn *c, uint32_t nitems)
{
	c->request.items = calloc(nitems, sizeof(*c->request.items));
	if (c->request.items == NULL)
		return false;
	c->request.nitems = nitems;
	c->request.asked_ns = loop_now_ns();
	return true;
}

/* One question that is the whole request. */
static void run_one(struct conn *c, const struct json_doc *d)
{
	static struct question q; /* for one at a time */
	struct question_parts parts = question_parts(d, 0, NULL);
	uint8_t kind = kind_of(c->head.endpoint);
	const char *wrong = question_take(d, &parts, kind, &q);

	if (wrong == NULL && kind != AUTHZ_EVALUATE)
		wrong = page_take(c, d, &q);
	if (wrong != NULL) {
		authzen_refuse(c, 400, wrong);
		return;
	}
	if (!caller_may_ask(c->head.caller, q.subject_type, kind == AUTHZ_ACTIONS ? NULL : q.action, q.resource_type)) {
		authzen_refuse(c, 403, SCOPE);
		return;
	}
	buf_reset(&c->authzen->scratch);
	if (question_put_properties(d, &q, &c->authzen->scratch) != KG_OK) {
		authzen_refuse(c, 413, TOO_LARGE);
		return;
	}
	if (!broker_has_room(c->authzen) || !begin(c, 1)) {
		authzen_refuse(c, 503, BUSY);
		return;
	}
	c->request.single = true;
	memcpy(c->request.type, kind == AUTHZ_SUBJECTS ? q.subject_type : q.resource_type, sizeof(c->request.type));
	send_ask(c, 0, &q);
}

/* "Errors": what is wrong with one evaluation is that one's denial. */
static void deny_item(struct conn *c, uint32_t item, int status, const char *why)
{
	struct item *i = &c->request.items[item];
	char text[256];

	/* why is one of our own sentences: nothing in it needs an escape. */
	snprintf(text, sizeof(text), "{\"error\":{\"status\":%d,\"message\":\"%s\"}}", status, why);
	i->context = strdup(text);
	i->answered = true;
}

static void run_item(struct conn *c, const struct json_doc *d, uint32_t item, const struct question_parts *parts)
{
	static struct question q;
	struct buf *properties = &c->authzen->scratch;
	const char *wrong = question_take(d, parts, AUTHZ_EVALUATE, &q);

	buf_reset(properties);
	if (wrong != NULL)
		deny_item(c, item, 400, wrong);
	else if (!caller_may_ask(c->head.caller, q.subject_type, q.action, q.resource_type))
		deny_item(c, item, 403, SCOPE);
	else if (question_put_properties(d, &q, properties) != KG_OK)
		deny_item(c, item, 413, TOO_LARGE);
	else
		send_ask(c, item, &q);
}

static const char *take_semantic(struct conn *c, const struct json_doc *d)
{
	static const char *const names[] = {[EXECUTE_ALL] = "execute_all",
					    [DENY_ON_FIRST_DENY] = "deny_on_first_deny",
					    [PERMIT_ON_FIRST_PERMIT] = "permit_on_first_permit"};
	uint32_t options = json_get(d, 0, "options"), t = json_get(d, options, "evaluations_semantic");

	c->request.semantic = EXECUTE_ALL;
	if (options != JSON_NONE && json_kind(d, options) != JK_OBJECT)
		return "options must be an object";
	if (t == JSON_NONE)
		return NULL;
	for (enum semantic s = EXECUTE_ALL; s <= PERMIT_ON_FIRST_PERMIT; s++) {
		c->request.semantic = s;
		if (json_is(d, t, names[s]))
			return NULL;
	}
	return "options.evaluations_semantic must be execute_all, deny_on_first_deny or permit_on_first_permit";
}

/* What is wrong with the request as a whole, or NULL. *bytes: what its questions will weigh, at most. */
static const char *check_array(const struct json_doc *d, uint32_t array, const struct question_parts *defaults,
			       size_t *bytes)
{
	size_t n, shared = 0;
	const uint32_t parts[] = {defaults->subject, defaults->action, defaults->resource, defaults->context};

	if (d->tok[array].count > AUTHZEN_EVALUATIONS_MAX)
		return "evaluations has more than 100 elements";
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i] != JSON_NONE && json_raw(d, parts[i], &n) != NULL)
			shared += n;
	(void)json_raw(d, array, &n);
	*bytes = n + shared * d->tok[array].count;
	for (uint32_t t = json_first(d, array); t != JSON_NONE; t = json_after(d, array, t))
		if (json_kind(d, t) != JK_OBJECT)
			return "each element of evaluations must be an object";
	return question_check_defaults(d, defaults);
}

/* All are asked at once, whichever semantic: a decision changes nothing, and one round to the record serves all. */
static void run_array(struct conn *c, const struct json_doc *d, uint32_t array)
{
	struct question_parts defaults = question_parts(d, 0, NULL), parts;
	size_t bytes = 0;
	const char *wrong = check_array(d, array, &defaults, &bytes);
	uint32_t item = 0;

	if (wrong == NULL)
		wrong = take_semantic(c, d);
	if (wrong != NULL) {
		authzen_refuse(c, 400, wrong);
		return;
	}
	if (bytes > AUTHZEN_ASKS_MAX) {
		authzen_refuse(c, 413, TOO_LARGE);
		return;
	}
	if (!broker_has_room(c->authzen) || !begin(c, d->tok[array].count)) {
		authzen_refuse(c, 503, BUSY);
		return;
	}
	for (uint32_t t = json_first(d, array); t != JSON_NONE; t = json_after(d, array, t)) {
		parts = question_parts(d, t, &defaults);
		run_item(c, d, item++, &parts);
	}
	if (c->request.waiting == 0)
		authzen_decisions(c);
}

static void run_json(struct conn *c, const char *json, size_t len)
{
	struct json_doc *d = &c->authzen->doc;
	struct json_error e;
	uint32_t array;
	char text[160];

	if (json_scan(d, json, len, &e) != KG_OK) {
		snprintf(text, sizeof(text), "not acceptable JSON at byte %zu: %s", e.offset, e.why);
		authzen_refuse(c, 400, text);
		return;
	}
	if (json_kind(d, 0) != JK_OBJECT) {
		authzen_refuse(c, 400, "the body must be a JSON object");
		return;
	}
	array = c->head.endpoint == EP_EVALUATIONS ? json_get(d, 0, "evaluations") : JSON_NONE;
	if (array != JSON_NONE && json_kind(d, array) != JK_ARRAY)
		authzen_refuse(c, 400, "evaluations must be an array");
	else if (array != JSON_NONE && d->tok[array].count != 0)
		run_array(c, d, array);
	else
		run_one(c, d);
}

void authzen_run(struct conn *c, const char *json, size_t len)
{
	const struct buf *m = &c->authzen->metadata;

	if (c->head.refused == 401)
		authzen_tell_refused(c);
	if (c->head.refused != 0)
		authzen_refuse(c, c->head.refused, c->head.why);
	else if (c->head.endpoint == EP_METADATA)
		http_respond(&c->http, 200, "application/json", "", buf_ptr(m), buf_len(m));
	else
		run_json(c, json, len);
}
