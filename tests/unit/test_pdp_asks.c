/* Questions to a decision point over real connections: what is asked, what is no answer, how long it takes. */
#include "gatewayd/pdp/verdict.h"
#include "tests/unit/pdp_rig.h"

#define AUTHZEN "\"kind\":\"authzen\",\"url\":\"http://127.0.0.1:%u/access/v1/evaluation\",\"timeout_ms\":10000"
#define OPA "\"kind\":\"opa\",\"url\":\"http://127.0.0.1:%u/v1/data/mcp/allow\",\"timeout_ms\":10000"
#define QUICK "\"kind\":\"authzen\",\"url\":\"http://127.0.0.1:%u/access/v1/evaluation\""

static void authzen_is_asked(void)
{
	struct rig *r = rig_new(AUTHZEN ",\"headers\":{\"X-Tenant\":\"t1\"}");
	const struct ipc_pdp_answer *a;
	char id[33] = "", context[64];
	const char *field;

	CHECK(rig_permits(r));
	CHECK(strncmp(r->stand.seen, "POST /access/v1/evaluation HTTP/1.1\r\n", 37) == 0);
	CHECK(seen(r, "\r\nContent-Type: application/json\r\n") && seen(r, "\r\nAccept: application/json\r\n"));
	CHECK(seen(r, "\r\nX-Tenant: t1\r\n") && seen(r, "\r\nUser-Agent: keepgate/") && !seen(r, "Expect"));
	CHECK(seen(r, "\r\n\r\n" QUESTION) && r->stand.requests == 1);

	r->stand.body = "{\"decision\":true,\"context\":{\"decision_id\":\"d-\\\"1\"}}";
	a = rig_ask(r);
	field = strstr(r->stand.seen, "\r\nX-Request-ID: ");
	CHECK(a != NULL && field != NULL && strspn(field + 16, "0123456789abcdef") == 32);
	if (field != NULL)
		memcpy(id, field + 16, 32);
	snprintf(context, sizeof(context), ",\"request_id\":\"%s\"}", id);
	CHECK(a != NULL && memmem(a->context.p, a->context.n, "{\"decision_id\":\"d-\\\"1\"", 21) != NULL);
	CHECK(a != NULL && memmem(a->context.p, a->context.n, context, strlen(context)) != NULL);
	rig_free(r);
}

static void opa_is_asked(void)
{
	struct rig *r = rig_new(OPA);

	r->stand.body = "{\"result\":true,\"decision_id\":\"1\"}";
	CHECK(rig_permits(r));
	CHECK(strncmp(r->stand.seen, "POST /v1/data/mcp/allow HTTP/1.1\r\n", 34) == 0);
	CHECK(seen(r, "\r\n\r\n{\"input\":" QUESTION "}"));
	r->stand.body = "{\"result\":{\"allow\":false,\"reasons\":[\"not on sunday\"]}}";
	CHECK(rig_denies(r, "external-denied", "not on sunday"));
	r->stand.body = "{}";
	CHECK(rig_denies(r, "external-denied", "undefined"));
	r->stand.body = PERMIT;
	CHECK(rig_denies(r, "external-denied", "undefined"));
	rig_free(r);
}

#define BATCH AUTHZEN ",\"batch_url\":\"http://127.0.0.1:%u/access/v1/evaluations\""
#define QUESTIONS "{\"subject\":{},\"evaluations\":[{\"resource\":{}},{\"resource\":{}},{\"resource\":{}}]}"

static const struct ipc_pdp_answer *ask_batch(struct rig *r)
{
	struct ipc_pdp_ask m = {.ask = ++r->last, .kind = PDP_ASK_BATCH, .request = ipc_text(QUESTIONS)};
	const struct ipc_pdp_answer *a;

	rig_send(r->asker, IPC_PDP_ASK, &m);
	a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
	CHECK(a != NULL && a->ask == m.ask);
	return a;
}

/* AuthZEN Authorization API 1.0, section 7. */
static void many_are_asked_at_once(void)
{
	static const struct {
		const char *body, *decisions;
		uint32_t n;
		const char *code;
	} v[] = {
		{"{\"evaluations\":[{\"decision\":true},{\"decision\":false},{\"decision\":true,\"context\":{}}]}",
		 "\1\0\1", 3, ""},
		{"{\"evaluations\":[{\"decision\":\"true\"},{},true,{\"decision\":true,\"context\":{\"obligations\":[1]"
		 "}},"
		 "{\"decision\":true,\"context\":1},{\"decision\":true}]}",
		 "\0\0\0\0\0\1", 6, ""},
		{"{\"evaluations\":[]}", "", 0, ""},
		{PERMIT, "", 0, "external-malformed"},
		{"{\"decision\":true,\"evaluations\":{\"0\":{\"decision\":true}}}", "", 0, "external-malformed"},
		{"[{\"decision\":true}]", "", 0, "external-malformed"},
		{"{\"evaluations\":[{\"decision\":true,\"decision\":true}]}", "", 0, "external-malformed"},
	};
	struct rig *r = rig_new(BATCH);

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const struct ipc_pdp_answer *a;

		r->stand.body = v[i].body;
		a = ask_batch(r);
		CHECK(a != NULL && a->decision == (v[i].code[0] == '\0' ? DECISION_ALLOW : DECISION_DENY) &&
		      ipc_is(a->reason_code, v[i].code));
		CHECK(a != NULL && a->decisions.n == v[i].n && memcmp(a->decisions.p, v[i].decisions, v[i].n) == 0);
	}
	CHECK(strncmp(r->stand.seen, "POST /access/v1/evaluations HTTP/1.1\r\n", 38) == 0);
	CHECK(seen(r, "\r\n\r\n" QUESTIONS));
	r->stand.body = PERMIT;
	CHECK(rig_permits(r) && seen(r, "POST /access/v1/evaluation HTTP/1.1\r\n"));
	rig_free(r);
}

static void more_decisions_than_can_be_are_none(void)
{
	static const char one[] = "{\"decision\":true},";
	enum { EACH = sizeof(one) - 1 };
	struct rig *r = rig_new(BATCH);
	char *body = calloc(1, 64 + (PDP_BATCH_TOOLS + 1) * EACH);
	size_t n = 16;
	const struct ipc_pdp_answer *a;

	memcpy(body, "{\"evaluations\":[", 16);
	for (int i = 0; i < PDP_BATCH_TOOLS; i++, n += EACH)
		memcpy(body + n, one, EACH);
	memcpy(body + n - 1, "]}", 3);
	r->stand.body = body;
	a = ask_batch(r);
	CHECK(a != NULL && a->decision == DECISION_ALLOW && a->decisions.n == PDP_BATCH_TOOLS);
	memcpy(body + n - 1, ",{\"decision\":true}]}", 21);
	a = ask_batch(r);
	CHECK(a != NULL && a->decision == DECISION_DENY && a->decisions.n == 0 &&
	      ipc_is(a->reason_code, "external-malformed"));
	free(body);
	rig_free(r);
}

static void without_its_endpoint_there_is_no_batch(void)
{
	struct rig *r = rig_new(AUTHZEN);
	const struct ipc_pdp_answer *a = ask_batch(r);

	CHECK(a != NULL && a->decision == DECISION_DENY && ipc_is(a->reason_code, "external-unavailable"));
	CHECK(r->stand.requests == 0);
	rig_free(r);
}

/* A question of a list has the time that is left for it. */
static void a_question_may_have_another_time(void)
{
	struct ipc_pdp_ask m = {.ask = 7, .timeout_ms = 120, .request = ipc_text(QUESTION)};
	struct rig *r = rig_new(QUICK);
	const struct ipc_pdp_answer *a;

	r->stand.act = STAND_HANGS;
	rig_send(r->asker, IPC_PDP_ASK, &m);
	a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
	CHECK(a != NULL && ipc_is(a->reason_code, "external-timeout") &&
	      ipc_is(a->reason, "it has not answered within 120 ms"));
	rig_free(r);
}

static void connections_are_kept(void)
{
	struct rig *r = rig_new(AUTHZEN);

	for (int i = 0; i < 20; i++)
		CHECK(rig_permits(r));
	CHECK(r->stand.connections == 1 && r->stand.requests == 20);
	/* One that was closed while it rested is opened again. */
	while (r->stand.open > 0)
		stand_close(&r->stand, r->stand.conn[0]);
	CHECK(rig_permits(r));
	CHECK(r->stand.connections == 2);
	r->stand.extra = "Connection: close\r\n";
	CHECK(rig_permits(r) && rig_permits(r) && rig_permits(r));
	rig_free(r);
}

/* A permit is never remembered. */
static void every_question_is_asked(void)
{
	struct rig *r = rig_new(AUTHZEN);

	CHECK(rig_permits(r));
	r->stand.body = "{\"decision\":false,\"context\":{\"reason_user\":{\"en\":\"not any more\"}}}";
	CHECK(rig_denies(r, "external-denied", "not any more"));
	r->stand.body = PERMIT;
	CHECK(rig_permits(r));
	CHECK(r->stand.requests == 3);
	rig_free(r);
}

static void other_answers_deny(void)
{
	static const struct {
		int status;
		const char *type, *body, *code, *reason;
	} v[] = {
		{201, "application/json", PERMIT, "external-unavailable", "HTTP status 201"},
		{204, "application/json", "", "external-unavailable", "HTTP status 204"},
		{302, "application/json", PERMIT, "external-unavailable", "HTTP status 302"},
		{307, "application/json\r\nLocation: /elsewhere", PERMIT, "external-unavailable", "HTTP status 307"},
		{400, "application/json", PERMIT, "external-unavailable", "HTTP status 400"},
		{401, "application/json", PERMIT, "external-unavailable", "HTTP status 401"},
		{403, "application/json", PERMIT, "external-unavailable", "HTTP status 403"},
		{500, "application/json", PERMIT, "external-unavailable", "HTTP status 500"},
		/* OPA's own. */
		{400, "application/json",
		 "{\"code\":\"invalid_parameter\",\"message\":\"error(s) occurred while decoding request\"}",
		 "external-unavailable", "HTTP status 400"},
		{404, "application/json",
		 "{\"code\":\"resource_not_found\",\"message\":\"storage_not_found_error\",\"result\":true}",
		 "external-unavailable", "HTTP status 404"},
		{500, "application/json",
		 "{\"code\":\"internal_error\",\"message\":\"eval_conflict_error\",\"result\":true}",
		 "external-unavailable", "HTTP status 500"},
		{503, "application/json", PERMIT, "external-unavailable", "HTTP status 503"},
		{200, "text/plain", PERMIT, "external-malformed", "application/json"},
		{200, "application/jsonp", PERMIT, "external-malformed", "application/json"},
		{200, "application/json-seq", PERMIT, "external-malformed", "application/json"},
		{200, "text/html; a=application/json", PERMIT, "external-malformed", "application/json"},
		{200, "", PERMIT, "external-malformed", "application/json"},
		{200, "application/json", "", "external-malformed", ""},
		{200, "application/json", "{\"decision\":true", "external-malformed", ""},
		{200, "application/json", "{\"decision\":true,\"decision\":true}", "external-malformed", ""},
		{200, "application/json", "{\"context\":{}}", "external-malformed", "no decision"},
		{200, "application/json\r\nContent-Encoding: gzip", "\x1f\x8b\x08", "external-malformed", ""},
		{200, "application/json", "{\"decision\":true,\"context\":{\"obligations\":[{\"id\":\"a\"}]}}",
		 "external-obligation", "obligation"},
	};
	struct rig *r = rig_new(AUTHZEN);

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		r->stand.status = v[i].status;
		r->stand.type = v[i].type;
		r->stand.body = v[i].body;
		CHECK(rig_denies(r, v[i].code, v[i].reason));
	}
	CHECK(r->stand.requests == sizeof(v) / sizeof(v[0])); /* no redirect was followed, none was asked again */
	r->stand.status = 200;
	r->stand.type = "Application/JSON; charset=utf-8";
	r->stand.body = PERMIT;
	CHECK(rig_permits(r));
	rig_free(r);
}

static void broken_answers_deny(void)
{
	static const struct {
		const char *raw, *code;
	} v[] = {
		{"nonsense\r\n\r\n", "external-unavailable"},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n" PERMIT,
		 "external-unavailable"},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" PERMIT,
		 "external-unavailable"},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n" PERMIT,
		 "external-malformed"},
		{"{\"decision\":true}", "external-unavailable"},
	};
	struct rig *r = rig_new(AUTHZEN);

	r->stand.act = STAND_RAW;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		r->stand.body = v[i].raw;
		CHECK(rig_denies(r, v[i].code, ""));
	}
	r->stand.act = STAND_CLOSES;
	CHECK(rig_denies(r, "external-unavailable", ""));
	rig_free(r);
}

static void long_answers_deny(void)
{
	struct rig *r = rig_new(AUTHZEN);
	char *body = malloc(VERDICT_ANSWER_MAX + 2);
	char *head = malloc(65536);
	int n;

	memset(body, ' ', VERDICT_ANSWER_MAX + 1);
	memcpy(body, PERMIT, strlen(PERMIT));
	r->stand.body = body;
	r->stand.len = VERDICT_ANSWER_MAX;
	CHECK(rig_permits(r));
	r->stand.len = VERDICT_ANSWER_MAX + 1;
	CHECK(rig_denies(r, "external-malformed", "longer"));
	r->stand.act = STAND_RAW;
	n = snprintf(head, 65536,
		     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Long: %030000d\r\n\r\n" PERMIT, 1);
	r->stand.body = head;
	r->stand.len = (size_t)n;
	CHECK(rig_denies(r, "external-unavailable", "cannot be asked now"));
	free(body);
	free(head);
	rig_free(r);
}

static void no_server_denies(void)
{
	struct rig *r = rig_new(AUTHZEN);

	stand_stop(&r->stand);
	CHECK(rig_denies(r, "external-unavailable", "cannot be asked"));
	CHECK(r->p.asks.n == 0);
	rig_free(r);
}

/* The decision point restarts: its port is there again a moment after the first try. */
static void restart(evutil_socket_t fd, short what, void *arg)
{
	struct rig *r = arg;

	(void)fd, (void)what;
	stand_start(&r->stand, r->role.loop, r->stand.port);
}

static void a_connection_is_tried_twice(void)
{
	const struct timeval soon = {0, 2000};
	struct rig *r = rig_new(AUTHZEN);
	bool permitted = false;

	/* On a machine that is slow enough the second try comes first, too: then again. */
	for (int i = 0; i < 20 && !permitted; i++) {
		const struct ipc_pdp_answer *a;

		stand_stop(&r->stand);
		(void)event_base_once(loop_base(r->role.loop), -1, EV_TIMEOUT, restart, r, &soon);
		a = rig_ask(r);
		permitted = a != NULL && a->decision == DECISION_ALLOW;
		rig_pump(r, 10);
	}
	CHECK(permitted && r->stand.requests == 1);
	rig_free(r);
}

/* It speaks, but no TLS. */
static void tls_that_fails_denies(void)
{
	struct rig *r = rig_new("\"kind\":\"authzen\",\"url\":\"https://127.0.0.1:%u/e\",\"timeout_ms\":10000");

	r->stand.act = STAND_RAW;
	r->stand.body = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n" PERMIT;
	r->stand.deaf = true;
	CHECK(rig_denies(r, "external-unavailable", ""));
	CHECK(r->stand.connections == 1);
	rig_free(r);
}

static void deadline_is_kept(void)
{
	struct rig *r = rig_new(QUICK);
	unsigned long long begun, took;

	CHECK(r->p.config->timeout_ms == 50);
	r->stand.act = STAND_HANGS;
	for (int i = 0; i < 3; i++) {
		begun = loop_now_ns();
		CHECK(rig_denies(r, "external-timeout", "within 50 ms"));
		took = (loop_now_ns() - begun) / 1000000;
		CHECK(took >= 49 && took < 20000); /* not earlier, and on a starved machine not by what waits longer */
	}
	rig_free(r);
}

/* What came too late is not believed; its connection is there for the next question. */
static void late_answers_are_nothing(void)
{
	struct rig *r = rig_new(QUICK);
	uint64_t id;
	const struct ipc_pdp_answer *a;

	r->stand.act = STAND_HANGS;
	for (int i = 0; i < ASKS_LATE_MAX + 4; i++)
		CHECK(rig_denies(r, "external-timeout", ""));
	CHECK(r->p.asks.n == ASKS_LATE_MAX && r->p.asks.late == ASKS_LATE_MAX);
	CHECK(r->stand.open >= ASKS_LATE_MAX);
	r->stand.act = STAND_ANSWERS;
	while (r->stand.open > 1)
		stand_close(&r->stand, r->stand.conn[0]);
	stand_answer(&r->stand, r->stand.conn[0]);
	rig_pump(r, 100);
	CHECK(r->p.asks.n == 0 && r->p.asks.late == 0);
	CHECK(rig_take(r, r->asker, IPC_PDP_ANSWER, 10) == NULL);
	/* Late ones end by themselves too. */
	r->stand.act = STAND_HANGS;
	id = rig_ask_text(r, QUESTION);
	a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
	CHECK(a != NULL && a->ask == id && r->p.asks.n == 1);
	for (int i = 0; i < 200 && r->p.asks.n > 0; i++)
		rig_pump(r, 50);
	CHECK(r->p.asks.n == 0);
	rig_free(r);
}

static void questions_are_bounded(void)
{
	struct rig *r = rig_new(AUTHZEN);
	const struct ipc_pdp_answer *a;
	unsigned permitted = 0;

	r->stand.act = STAND_HANGS;
	for (int i = 0; i < ASKS_MAX; i++) {
		rig_ask_text(r, QUESTION);
		if (i % 50 == 0)
			rig_pump(r, 1);
	}
	for (int i = 0; i < 5000 && (r->p.asks.n < ASKS_MAX || r->stand.requests < TRANSFER_CONNECTIONS_MAX); i++)
		rig_pump(r, 1);
	CHECK(r->p.asks.n == ASKS_MAX && r->stand.open == TRANSFER_CONNECTIONS_MAX);
	CHECK(rig_denies(r, "external-unavailable", "too many questions"));
	/* Now it answers all of them, over the connections that there are. */
	r->stand.act = STAND_ANSWERS;
	for (unsigned i = 0; i < r->stand.open; i++)
		stand_answer(&r->stand, r->stand.conn[i]);
	for (int i = 0; i < ASKS_MAX; i++) {
		a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
		permitted += a != NULL && a->decision == DECISION_ALLOW;
	}
	CHECK(permitted == ASKS_MAX && r->p.asks.n == 0 && r->stand.requests == ASKS_MAX);
	CHECK(r->stand.connections <= 2 * TRANSFER_CONNECTIONS_MAX);
	CHECK(rig_permits(r));
	rig_free(r);
}

static void only_objects_go_out(void)
{
	static const char *const bad[] = {"", "[]", "{", "{}{}", "{\"a\":1,\"a\":1}", "{}},\"x\":{"};
	struct rig *r = rig_new(OPA);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct ipc_pdp_answer *a;

		rig_ask_text(r, bad[i]);
		a = rig_take(r, r->asker, IPC_PDP_ANSWER, RIG_WAIT_MS);
		CHECK(a != NULL && a->decision == DECISION_DENY && ipc_is(a->reason_code, "external-unavailable"));
	}
	CHECK(r->stand.requests == 0 && r->p.asks.n == 0);
	rig_free(r);
}

static void a_lost_broker_is_forgotten(void)
{
	struct rig *r = rig_new(AUTHZEN);

	r->stand.act = STAND_HANGS;
	for (int i = 0; i < 10; i++)
		rig_ask_text(r, QUESTION);
	for (int i = 0; i < 1000 && r->stand.requests < 10; i++)
		rig_pump(r, 1);
	CHECK(r->p.asks.n == 10);
	close(r->asker);
	for (int i = 0; i < 1000 && r->p.broker != NULL; i++)
		rig_pump(r, 1);
	CHECK(r->p.asks.n == 0 && r->p.broker == NULL);
	rig_asker(r);
	r->stand.act = STAND_ANSWERS;
	CHECK(rig_permits(r));
	rig_free(r);
}

int main(void)
{
	RUN(authzen_is_asked);
	RUN(opa_is_asked);
	RUN(many_are_asked_at_once);
	RUN(more_decisions_than_can_be_are_none);
	RUN(without_its_endpoint_there_is_no_batch);
	RUN(a_question_may_have_another_time);
	RUN(connections_are_kept);
	RUN(every_question_is_asked);
	RUN(other_answers_deny);
	RUN(broken_answers_deny);
	RUN(long_answers_deny);
	RUN(no_server_denies);
	RUN(a_connection_is_tried_twice);
	RUN(tls_that_fails_denies);
	RUN(deadline_is_kept);
	RUN(late_answers_are_nothing);
	RUN(questions_are_bounded);
	RUN(only_objects_go_out);
	RUN(a_lost_broker_is_forgotten);
	return unit_end();
}
