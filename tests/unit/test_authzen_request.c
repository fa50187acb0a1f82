/* The AuthZEN endpoint: who may ask, what a question is, and what an array of them is answered with. */
#include "tests/unit/authzen_rig.h"
#include "tests/unit/unit.h"

#define ALICE "\"subject\":{\"type\":\"user\",\"id\":\"alice\"}"
#define READ "\"action\":{\"name\":\"read\"}"
#define RECORD "\"resource\":{\"type\":\"record\",\"id\":\"record-1\"}"
#define QUESTION "{" ALICE "," READ "," RECORD "}"

struct vector {
	const char *what, *line, *token, *fields, *body;
	int status;
	const char *holds; /* a piece of the answer, or NULL */
};

/* Each on a connection of its own; nothing of it may reach the broker. */
static void run_vectors(const struct vector *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rig *r = rig_new();

		rig_request(r, v[i].line, v[i].token, v[i].fields, v[i].body);
		rig_read(r);
		if (rig_status(r) != v[i].status || (v[i].holds != NULL && !rig_has(r, v[i].holds)))
			fprintf(stderr, "%s: not %d %s:\n%s\n", v[i].what, v[i].status, v[i].holds ? v[i].holds : "",
				r->got);
		CHECK(rig_status(r) == v[i].status);
		CHECK(v[i].holds == NULL || rig_has(r, v[i].holds));
		CHECK(rig_ask(r) == NULL);
		CHECK(rig_linked(r));
		rig_free(r);
	}
}

#define RUN_VECTORS(table) run_vectors(table, sizeof(table) / sizeof((table)[0]))
#define ONE "POST /access/v1/evaluation"

static void edge_is_checked(void)
{
	static const struct vector v[] = {
		{"another path", "POST /", "all", RIG_JSON, QUESTION, 404, NULL},
		{"a longer path", ONE "/", "all", RIG_JSON, QUESTION, 404, NULL},
		{"a query", ONE "?a=b", "all", RIG_JSON, QUESTION, 404, NULL},
		{"an encoded path", "POST /access/v1/%65valuation", "all", RIG_JSON, QUESTION, 404, NULL},
		{"GET", "GET /access/v1/evaluation", "all", RIG_JSON, "", 405, "Allow: POST\r\n"},
		{"DELETE", "DELETE /access/v1/search/action", "all", RIG_JSON, "", 405, "Allow: POST\r\n"},
		{"POST to the metadata", "POST /.well-known/authzen-configuration", NULL, "", "", 405,
		 "Allow: GET, HEAD\r\n"},
		{"no token", ONE, NULL, RIG_JSON, QUESTION, 401, "WWW-Authenticate: Bearer"},
		{"an empty token", ONE, "", RIG_JSON, QUESTION, 401, NULL},
		{"an unknown token", ONE, "nobody", RIG_JSON, QUESTION, 401, NULL},
		{"a token's beginning", ONE, "al", RIG_JSON, QUESTION, 401, NULL},
		{"a longer token", ONE, "all2", RIG_JSON, QUESTION, 401, NULL},
		{"a token's hash", ONE, "7b9d1a2c", RIG_JSON, QUESTION, 401, NULL},
		{"two tokens", ONE, "all", "Authorization: Bearer all\r\n" RIG_JSON, QUESTION, 401, NULL},
		{"another scheme", ONE, NULL, "Authorization: Basic all\r\n" RIG_JSON, QUESTION, 401, NULL},
		{"may not search", "POST /access/v1/search/subject", "reader", RIG_JSON, QUESTION, 403, NULL},
		{"no media type", ONE, "all", "", QUESTION, 400, "Content-Type"},
		{"another media type", ONE, "all", "Content-Type: text/plain\r\n", QUESTION, 400, NULL},
		{"a longer media type", ONE, "all", "Content-Type: application/json5\r\n", QUESTION, 400, NULL},
		{"two media types", ONE, "all", RIG_JSON RIG_JSON, QUESTION, 400, NULL},
		{"a coded body", ONE, "all", RIG_JSON "Content-Encoding: gzip\r\n", QUESTION, 400, NULL},
		{"two request ids", ONE, "all", RIG_JSON "X-Request-ID: a\r\nX-Request-ID: b\r\n", QUESTION, 400, NULL},
		{"a request id out of ASCII", ONE, "all", RIG_JSON "X-Request-ID: \xc3\xa9\r\n", QUESTION, 400, NULL},
		{"an answer with its request id", ONE, NULL, "X-Request-ID: 7 of 9\r\n" RIG_JSON, QUESTION, 401,
		 "X-Request-ID: 7 of 9\r\n"},
	};

	RUN_VECTORS(v);
}

/* Who has no token that is known is told to the broker, for the record; who has one and errs is not. */
static void refused_tokens_are_told(void)
{
	static const struct {
		const char *token, *fields;
		bool told, given;
	} v[] = {
		{NULL, RIG_JSON, true, false},
		{"nobody", RIG_JSON, true, true},
		{NULL, RIG_JSON "Authorization: Basic all\r\n", true, true},
		{"all", "", false, true},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();
		const struct ipc_authz_refused *m;

		rig_request(r, ONE, v[i].token, v[i].fields, QUESTION);
		rig_read(r);
		CHECK(rig_status(r) == (v[i].told ? 401 : 400));
		m = rig_take(r, IPC_AUTHZ_REFUSED);
		CHECK((m != NULL) == v[i].told);
		CHECK(m == NULL || (m->token == v[i].given && ipc_is(m->source, "127.0.0.1:50000") &&
				    ipc_is(m->path, "/access/v1/evaluation")));
		CHECK(rig_ask(r) == NULL && rig_linked(r));
		rig_free(r);
	}
}

static void questions_are_checked(void)
{
	static const struct {
		const char *body, *holds;
	} v[] = {
		{"", "not acceptable JSON"},
		{"{", "not acceptable JSON"},
		{QUESTION "x", "not acceptable JSON"},
		{"[]", "must be a JSON object"},
		{"null", "must be a JSON object"},
		{"{" READ "," RECORD "}", "subject must be"},
		{"{" ALICE "," RECORD "}", "action must be"},
		{"{" ALICE "," READ "}", "resource must be"},
		{"{\"subject\":\"alice\"," READ "," RECORD "}", "subject must be"},
		{"{\"subject\":[]," READ "," RECORD "}", "subject must be"},
		{"{\"subject\":null," READ "," RECORD "}", "subject must be"},
		{"{\"subject\":{\"id\":\"alice\"}," READ "," RECORD "}", "subject.type"},
		{"{\"subject\":{\"type\":\"user\"}," READ "," RECORD "}", "subject.id"},
		{"{\"subject\":{\"type\":\"user\",\"id\":7}," READ "," RECORD "}", "subject.id"},
		{"{\"subject\":{\"type\":\"us\\u0000er\",\"id\":\"a\"}," READ "," RECORD "}", "subject.type"},
		{"{" ALICE ",\"action\":{}," RECORD "}", "action.name"},
		{"{" ALICE ",\"action\":{\"name\":123}," RECORD "}", "action.name"},
		{"{" ALICE ",\"action\":\"read\"," RECORD "}", "action must be"},
		{"{" ALICE "," READ ",\"resource\":{\"id\":\"record-1\"}}", "resource.type"},
		{"{" ALICE "," READ ",\"resource\":{\"type\":\"record\"}}", "resource.id"},
		{"{" ALICE "," READ ",\"resource\":{\"type\":\"record\",\"id\":\"1\",\"properties\":[]}}",
		 "resource.properties"},
		{"{" ALICE "," READ "," RECORD ",\"context\":7}", "context must be"},
		{"{" ALICE "," ALICE "," READ "," RECORD "}", "not acceptable JSON"},
		{"{" ALICE "," READ "," RECORD ",\"\\u0073ubject\":{}}", "not acceptable JSON"},
		{"{" ALICE "," READ "," RECORD ",\"x\":\"\\ud800\"}", "not acceptable JSON"},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();

		for (int batch = 0; batch < 2; batch++) {
			rig_post(r, "all", batch ? "evaluations" : "evaluation", v[i].body);
			rig_read(r);
			if (rig_status(r) != 400 || !rig_has(r, v[i].holds))
				fprintf(stderr, "%s: not %s:\n%s\n", v[i].body, v[i].holds, r->got);
			CHECK(rig_status(r) == 400 && rig_has(r, v[i].holds));
		}
		CHECK(rig_ask(r) == NULL);
		rig_free(r);
	}
}

/* A body of a beginning, so many times a piece, and an end. */
static const char *repeated(struct buf *b, const char *begin, const char *piece, unsigned times, const char *end)
{
	buf_reset(b);
	CHECK(buf_puts(b, begin) == KG_OK);
	for (unsigned i = 0; i < times; i++)
		CHECK(buf_puts(b, piece) == KG_OK);
	CHECK(buf_puts(b, end) == KG_OK);
	return buf_text(b);
}

static void deep_and_long_is_refused(void)
{
	static const struct {
		const char *begin, *piece;
		unsigned times;
		const char *end;
		int status;
		const char *holds;
	} v[] = {
		{"{" ALICE "," READ "," RECORD ",\"context\":{\"a\":", "[", 5000, "}}", 400, "not acceptable JSON"},
		{"{\"subject\":{\"type\":\"user\",\"id\":\"", "a", 1025, "\"}," READ "," RECORD "}", 400,
		 "subject.id is longer"},
		{"{\"subject\":{\"type\":\"", "a", 257, "\",\"id\":\"a\"}," READ "," RECORD "}", 400,
		 "subject.type is longer"},
		{"{" ALICE "," READ "," RECORD ",\"context\":{\"a\":\"", "a", 70000, "\"}}", 413,
		 "properties and context"},
		{"{\"a\":\"", "a", 300000, "\"}", 413, "body"},
	};
	struct rig *r = rig_new();
	struct buf body;

	buf_init(&body, 400000);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rig_post(r, "all", "evaluation", repeated(&body, v[i].begin, v[i].piece, v[i].times, v[i].end));
		rig_read(r);
		CHECK(rig_status(r) == v[i].status && rig_has(r, v[i].holds));
	}
	CHECK(rig_ask(r) == NULL && rig_linked(r));
	buf_free(&body);
	rig_free(r);
}

static void a_question_is_asked_and_answered(void)
{
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;

	rig_request(r, ONE, "all", "X-Request-ID: bfe9eb29\r\nContent-Type: application/json; charset=utf-8\r\n",
		    "{\"subject\":{\"type\":\"user\",\"id\":\"alice\",\"properties\":{\"n\" : 1.10}},"
		    "\"action\":{\"name\":\"re\\u0061d\",\"properties\":{}}," RECORD
		    ",\"context\":{\"ip\":\"::1\"},\"foo\":\"bar\",\"page\":7}");
	q = rig_ask(r);
	CHECK(q != NULL);
	CHECK(q != NULL && ipc_is(q->caller, "all") && q->kind == AUTHZ_EVALUATE);
	CHECK(q != NULL && ipc_is(q->subject_type, "user") && ipc_is(q->subject_id, "alice"));
	CHECK(q != NULL && ipc_is(q->action, "read"));
	CHECK(q != NULL && ipc_is(q->resource_type, "record") && ipc_is(q->resource_id, "record-1"));
	CHECK(q != NULL &&
	      ipc_is(q->properties, "{\"subject\":{\"n\":1.10},\"action\":{},\"context\":{\"ip\":\"::1\"}}"));
	rig_decide(r, q == NULL ? 0 : q->ask, true, NULL);
	rig_read(r);
	CHECK(rig_status(r) == 200 && strcmp(rig_body(r), "{\"decision\":true}") == 0);
	CHECK(rig_has(r, "Content-Type: application/json\r\n") && rig_has(r, "X-Request-ID: bfe9eb29\r\n"));
	CHECK(rig_has(r, "Cache-Control: no-store\r\n"));
	/* The next one on the same connection: nothing of the one before is left. */
	rig_post(r, "reader", "evaluations", QUESTION);
	q = rig_ask(r);
	CHECK(q != NULL && ipc_is(q->caller, "reader") && ipc_is(q->properties, "{}"));
	rig_decide(r, q == NULL ? 0 : q->ask, false, "{\"reason_user\":{\"403\":\"no\"}}");
	rig_read(r);
	CHECK(strcmp(rig_body(r), "{\"decision\":false,\"context\":{\"reason_user\":{\"403\":\"no\"}}}") == 0);
	CHECK(!rig_has(r, "X-Request-ID"));
	rig_free(r);
}

static void scopes_hold(void)
{
	static const struct {
		const char *subject, *action, *resource;
		bool inside;
	} v[] = {
		{"user", "read", "record", true},
		{"user", "list", "record", true},
		{"user", "list_all", "Docs::Page", true},
		{"user", "write", "record", false},
		{"user", "Read", "record", false},
		{"user", "read ", "record", false},
		{"user", "read\\u0020", "record", false},
		{"us\\u0065r", "read", "record", true},
		{"User", "read", "record", false},
		{" user", "read", "record", false},
		{"user ", "read", "record", false},
		{"Gate::user", "read", "record", false},
		{"::user", "read", "record", false},
		{"user", "read", "records", false},
		{"user", "read", "Docs::", false},
		{"user", "read", "Docs::Page ", false},
		{"user", "read", "Docs:: Page", false},
		{"user", "read", "Docs::\\nPage", false},
		{"user", "read", "Docs:://x\\nSecret", false},
		{"user", "read", "Docs", false},
		{"", "read", "record", false},
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = rig_new();
		const struct ipc_authz_ask *q;
		char body[512];

		snprintf(body, sizeof(body),
			 "{\"subject\":{\"type\":\"%s\",\"id\":\"a\"},\"action\":{\"name\":\"%s\"},"
			 "\"resource\":{\"type\":\"%s\",\"id\":\"1\"}}",
			 v[i].subject, v[i].action, v[i].resource);
		rig_post(r, "app", "evaluation", body);
		q = rig_ask(r);
		if ((q != NULL) != v[i].inside)
			fprintf(stderr, "%s\n", body);
		CHECK((q != NULL) == v[i].inside);
		if (!v[i].inside) {
			rig_read(r);
			CHECK(rig_status(r) == 403);
		}
		rig_free(r);
	}
}

/* Asks an array of evaluations; answers the questions by the letters of decisions ('y', 'n'), last first. */
static const char *run_array(struct rig *r, const char *body, const char *decisions)
{
	uint64_t asks[100];
	size_t n = 0;
	const struct ipc_authz_ask *q;

	rig_post(r, "app", "evaluations", body);
	while (n < 100 && (q = rig_ask(r)) != NULL)
		asks[n++] = q->ask;
	CHECK(n == strlen(decisions));
	while (n-- > 0)
		rig_decide(r, asks[n], decisions[n] == 'y', NULL);
	rig_read(r);
	return rig_body(r);
}

#define RECORDS(more)                                                                                                  \
	"{" ALICE "," READ more ",\"evaluations\":[{" RECORD "},{\"resource\":{\"type\":\"record\",\"id\":\"2\"}},"    \
	"{\"resource\":{\"type\":\"record\",\"id\":\"3\"}}]}"
#define SEMANTIC(name) ",\"options\":{\"evaluations_semantic\":\"" name "\",\"other\":1}"

static void arrays_are_answered(void)
{
	static const struct {
		const char *body, *decisions, *want;
	} v[] = {
		{RECORDS(""), "yny",
		 "{\"evaluations\":[{\"decision\":true},{\"decision\":false},{\"decision\":true}]}"},
		{RECORDS(",\"options\":{}"), "yyy",
		 "{\"evaluations\":[{\"decision\":true},{\"decision\":true},{\"decision\":true}]}"},
		{RECORDS(SEMANTIC("execute_all")), "nny",
		 "{\"evaluations\":[{\"decision\":false},{\"decision\":false},{\"decision\":true}]}"},
		{RECORDS(SEMANTIC("deny_on_first_deny")), "yny",
		 "{\"evaluations\":[{\"decision\":true},{\"decision\":false}]}"},
		{RECORDS(SEMANTIC("deny_on_first_deny")), "yyy",
		 "{\"evaluations\":[{\"decision\":true},{\"decision\":true},{\"decision\":true}]}"},
		{RECORDS(SEMANTIC("permit_on_first_permit")), "yny", "{\"evaluations\":[{\"decision\":true}]}"},
		{RECORDS(SEMANTIC("permit_on_first_permit")), "nny",
		 "{\"evaluations\":[{\"decision\":false},{\"decision\":false},{\"decision\":true}]}"},
		{"{" ALICE "," READ "," RECORD ",\"evaluations\":[]}", "y", "{\"decision\":true}"},
		{"{" ALICE "," READ ",\"evaluations\":[{" RECORD "},{}]}", "y",
		 "{\"evaluations\":[{\"decision\":true},{\"decision\":false,\"context\":{\"error\":{\"status\":400,"
		 "\"message\":\"resource must be an object\"}}}]}"},
		{"{" ALICE "," RECORD ",\"evaluations\":[{" READ "},{\"action\":{\"name\":\"write\"}}]}", "y",
		 "{\"evaluations\":[{\"decision\":true},{\"decision\":false,\"context\":{\"error\":{\"status\":403,"
		 "\"message\":\"this caller may not ask about these types or this action\"}}}]}"},
		{"{\"evaluations\":[{},{" ALICE "}]}", "",
		 "{\"evaluations\":[{\"decision\":false,\"context\":{\"error\":{\"status\":400,\"message\":\"subject "
		 "must be an object\"}}},{\"decision\":false,\"context\":{\"error\":{\"status\":400,"
		 "\"message\":\"action must be an object\"}}}]}"},
	};
	struct rig *r = rig_new();

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const char *got = run_array(r, v[i].body, v[i].decisions);

		if (strcmp(got, v[i].want) != 0)
			fprintf(stderr, "%s\n%s\n%s\n", v[i].body, got, v[i].want);
		CHECK(rig_status(r) == 200 && strcmp(got, v[i].want) == 0);
	}
	rig_free(r);
}

static void defaults_are_whole_objects(void)
{
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;

	rig_post(r, "app", "evaluations",
		 "{\"subject\":{\"type\":\"user\",\"id\":\"alice\",\"properties\":{\"a\":1}}," READ
		 ",\"context\":{\"c\":1}," RECORD ",\"evaluations\":[{\"subject\":{\"type\":\"user\",\"id\":\"bob\"}},"
		 "{\"context\":{\"d\":2}}]}");
	q = rig_ask(r);
	CHECK(q != NULL && ipc_is(q->subject_id, "bob") && ipc_is(q->properties, "{\"context\":{\"c\":1}}"));
	q = rig_ask(r);
	CHECK(q != NULL && ipc_is(q->subject_id, "alice") &&
	      ipc_is(q->properties, "{\"subject\":{\"a\":1},\"context\":{\"d\":2}}"));
	rig_free(r);
}

static void arrays_are_checked(void)
{
	static const char *const v[] = {
		"{" ALICE "," READ ",\"evaluations\":{}}",
		"{" ALICE "," READ ",\"evaluations\":7}",
		"{" ALICE "," READ ",\"evaluations\":null}",
		"{" ALICE "," READ ",\"evaluations\":[" QUESTION ",7]}",
		"{\"subject\":\"alice\",\"evaluations\":[" QUESTION "]}",
		"{\"subject\":{\"type\":\"user\"},\"evaluations\":[" QUESTION "]}",
		"{\"context\":[],\"evaluations\":[" QUESTION "]}",
		RECORDS(",\"options\":[]"),
		RECORDS(SEMANTIC("first")),
		RECORDS(",\"options\":{\"evaluations_semantic\":1}"),
	};
	struct rig *r = rig_new();

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rig_post(r, "all", "evaluations", v[i]);
		rig_read(r);
		if (rig_status(r) != 400)
			fprintf(stderr, "%s\n%s\n", v[i], r->got);
		CHECK(rig_status(r) == 400);
	}
	CHECK(rig_ask(r) == NULL);
	rig_free(r);
}

static void arrays_are_bounded(void)
{
	static const char begin[] = "{" ALICE "," READ "," RECORD ",\"evaluations\":[{}";
	struct rig *r = rig_new();
	struct buf body, large;
	unsigned n = 0;

	buf_init(&body, 300000);
	buf_init(&large, 300000);
	rig_post(r, "all", "evaluations", repeated(&body, begin, ",{}", 100, "]}"));
	rig_read(r);
	CHECK(rig_status(r) == 400 && rig_has(r, "more than 100"));
	rig_post(r, "all", "evaluations", repeated(&body, begin, ",{}", 99, "]}"));
	while (rig_ask(r) != NULL)
		n++;
	CHECK(n == 100);
	close(r->client);
	rig_connect(r);
	/* Small on the wire, large when each question has its defaults. */
	repeated(&large, "{" ALICE "," READ "," RECORD ",\"context\":{\"a\":\"", "a", 60000, "\"},\"evaluations\":[{}");
	rig_post(r, "all", "evaluations", repeated(&body, buf_text(&large), ",{}", 99, "]}"));
	rig_read(r);
	CHECK(rig_status(r) == 413 && rig_ask(r) == NULL);
	buf_free(&body);
	buf_free(&large);
	rig_free(r);
}

static void the_broker_is_not_believed(void)
{
	static const char *const v[] = {"[]", "7", "{", "{\"a\":1,\"a\":2}", "{}x", "\xff"};
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		rig_post(r, "all", "evaluation", QUESTION);
		q = rig_ask(r);
		rig_decide(r, q == NULL ? 0 : q->ask, true, v[i]);
		rig_read(r);
		CHECK(rig_status(r) == 500);
	}
	/* Late, early and foreign answers find nobody; a second one for a question ends the link. */
	rig_decide(r, 12345, true, NULL);
	rig_decide(r, UINT64_MAX, true, NULL);
	CHECK(rig_linked(r));
	rig_post(r, "all", "evaluations", RECORDS(""));
	q = rig_ask(r);
	rig_decide(r, q == NULL ? 0 : q->ask, true, NULL);
	CHECK(rig_linked(r));
	rig_decide(r, q == NULL ? 0 : q->ask, true, NULL);
	rig_pump(r);
	CHECK(r->served.broker == NULL);
	rig_read(r);
	CHECK(rig_status(r) == 503);
	rig_free(r);
}

static void refusals_of_the_broker(void)
{
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;
	struct ipc_authz_answer m = {.status = GRANT_UNAVAILABLE, .error = ipc_text("no record")};

	rig_post(r, "all", "evaluations", RECORDS(""));
	q = rig_ask(r);
	m.ask = q == NULL ? 0 : q->ask;
	rig_answer(r, &m);
	rig_read(r);
	CHECK(rig_status(r) == 503 && rig_has(r, "no record"));
	CHECK(rig_ask(r) != NULL && rig_ask(r) != NULL);
	rig_post(r, "all", "evaluation", QUESTION);
	q = rig_ask(r);
	m = (struct ipc_authz_answer){
		.ask = q == NULL ? 0 : q->ask, .status = GRANT_DENIED, .error = ipc_text("too big")};
	rig_answer(r, &m);
	rig_read(r);
	CHECK(rig_status(r) == 400 && rig_has(r, "too big"));
	/* A denial that claims to permit is none. */
	rig_post(r, "all", "evaluations", "{\"evaluations\":[" QUESTION "]}");
	q = rig_ask(r);
	m = (struct ipc_authz_answer){
		.ask = q == NULL ? 0 : q->ask, .status = GRANT_DENIED, .decision = DECISION_ALLOW};
	rig_answer(r, &m);
	rig_read(r);
	CHECK(strcmp(rig_body(r), "{\"evaluations\":[{\"decision\":false}]}") == 0);
	rig_free(r);
}

static void a_broker_that_is_away(void)
{
	struct rig *r = rig_new();

	rig_post(r, "all", "evaluation", QUESTION);
	CHECK(rig_ask(r) != NULL);
	close(r->broker);
	r->broker = -1;
	rig_read(r);
	CHECK(rig_status(r) == 503);
	rig_post(r, "all", "evaluation", QUESTION);
	rig_read(r);
	CHECK(rig_status(r) == 503);
	rig_broker(r);
	rig_post(r, "all", "evaluation", QUESTION);
	CHECK(rig_ask(r) != NULL);
	/* One that does not answer is not waited for without end. */
	authzen_unavailable(&r->served, 10000000000ull, "late");
	CHECK(rig_read(r)[0] == '\0');
	conn_of(r->served.http.slots[0])->request.asked_ns -= 10000000000ull;
	authzen_unavailable(&r->served, 10000000000ull, "late");
	rig_read(r);
	CHECK(rig_status(r) == 503 && rig_has(r, "late"));
	rig_free(r);
}

static void a_client_that_leaves(void)
{
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;
	uint64_t ask;

	rig_post(r, "all", "evaluations", RECORDS(""));
	q = rig_ask(r);
	ask = q == NULL ? 0 : q->ask;
	close(r->client);
	rig_pump(r);
	CHECK(r->served.http.used == 0);
	rig_connect(r);
	rig_post(r, "all", "evaluation", QUESTION);
	rig_decide(r, ask, true, NULL);
	CHECK(rig_read(r)[0] == '\0');
	CHECK(rig_linked(r));
	rig_free(r);
}

static void questions_in_a_row(void)
{
	struct rig *r = rig_new();
	const struct ipc_authz_ask *q;
	char two[1024];
	int n = snprintf(two, sizeof(two),
			 ONE " HTTP/1.1\r\nHost: a\r\nAuthorization: bearer  all\r\n" RIG_JSON
			     "Content-Length: %zu\r\n\r\n" QUESTION ONE
			     " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer app\r\n" RIG_JSON
			     "Content-Length: %zu\r\n\r\n" QUESTION,
			 strlen(QUESTION), strlen(QUESTION));

	rig_write(r, two, (size_t)n);
	q = rig_ask(r);
	CHECK(q != NULL && ipc_is(q->caller, "all"));
	rig_decide(r, q == NULL ? 0 : q->ask, true, NULL);
	q = rig_ask(r);
	CHECK(q != NULL && ipc_is(q->caller, "app"));
	rig_decide(r, q == NULL ? 0 : q->ask, false, NULL);
	rig_read(r);
	CHECK(rig_has(r, "{\"decision\":true}HTTP/1.1 200 OK") && rig_has(r, "{\"decision\":false}"));
	rig_free(r);
}

static void metadata_is_told(void)
{
	struct rig *r = rig_new();

	rig_request(r, "GET /.well-known/authzen-configuration", NULL, "", "");
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_has(r, "Content-Type: application/json\r\n"));
	CHECK(strcmp(rig_body(r),
		     "{\"policy_decision_point\":\"http://127.0.0.1:8933\","
		     "\"access_evaluation_endpoint\":\"http://127.0.0.1:8933/access/v1/evaluation\","
		     "\"access_evaluations_endpoint\":\"http://127.0.0.1:8933/access/v1/evaluations\","
		     "\"search_subject_endpoint\":\"http://127.0.0.1:8933/access/v1/search/subject\","
		     "\"search_resource_endpoint\":\"http://127.0.0.1:8933/access/v1/search/resource\","
		     "\"search_action_endpoint\":\"http://127.0.0.1:8933/access/v1/search/action\"}") == 0);
	rig_request(r, "HEAD /.well-known/authzen-configuration", NULL, "", "");
	rig_read(r);
	CHECK(rig_status(r) == 200 && rig_body(r)[0] == '\0');
	rig_free(r);
	r = rig_new_with(",\"base_url\":\"https://pdp.example.com/tenant1/\"");
	rig_request(r, "GET /.well-known/authzen-configuration/tenant1", NULL, "", "");
	rig_read(r);
	CHECK(rig_has(r, "\"policy_decision_point\":\"https://pdp.example.com/tenant1\""));
	CHECK(rig_has(r, "\"https://pdp.example.com/tenant1/access/v1/evaluation\""));
	rig_request(r, "GET /.well-known/authzen-configuration", NULL, "", "");
	rig_read(r);
	CHECK(rig_status(r) == 404);
	rig_request(r, "POST /tenant1/access/v1/evaluation", "all", RIG_JSON, QUESTION);
	CHECK(rig_ask(r) != NULL);
	rig_free(r);
}

int main(void)
{
	RUN(edge_is_checked);
	RUN(refused_tokens_are_told);
	RUN(questions_are_checked);
	RUN(deep_and_long_is_refused);
	RUN(a_question_is_asked_and_answered);
	RUN(scopes_hold);
	RUN(arrays_are_answered);
	RUN(defaults_are_whole_objects);
	RUN(arrays_are_checked);
	RUN(arrays_are_bounded);
	RUN(the_broker_is_not_believed);
	RUN(refusals_of_the_broker);
	RUN(a_broker_that_is_away);
	RUN(a_client_that_leaves);
	RUN(questions_in_a_row);
	RUN(metadata_is_told);
	return unit_end();
}
