/* The endpoint where policies are pushed: what is staged, when it is offered, what callers are told. */
#include <fcntl.h>

#include "tests/unit/opal_rig.h"
#include "tests/unit/unit.h"

#define PUT_A "PUT /v1/policies/a"
#define A "{\"content\":\"permit\"}"
#define B "{\"content\":\"forbid\"}"

static struct rig *start(unsigned settle_ms, int *file)
{
	*file = rig_file();
	return rig_new_with(settle_ms, *file);
}

static void stop(struct rig *r, int file)
{
	rig_free(r);
	close(file);
}

/* The broker says this to the next offer, which must be of this kind. */
static struct rig_offer says(struct rig *r, uint8_t act, uint8_t status, const char *errors)
{
	struct rig_offer o = rig_offered(r);

	CHECK(o.act == act);
	if (o.act != 0)
		rig_answer(r, o.offer, status, errors);
	return o;
}

static int told(struct rig *r)
{
	rig_read(r);
	return rig_status(r);
}

static void edge_is_checked(void)
{
	static const struct {
		const char *line, *token, *fields, *body;
		int status;
		const char *holds;
	} v[] = {
		{"GET /", "one", "", "", 404, NULL},
		{"GET /v2/policies", "one", "", "", 404, NULL},
		{"GET /v1/policies?a=b", "one", "", "", 404, NULL},
		{"GET /v1/policies/", "one", "", "", 404, NULL},
		{"POST /v1/data", "one", RIG_JSON, "[]", 405, "Allow: DELETE, GET, HEAD, PUT\r\n"},
		{"DELETE /v1/policies", "one", "", "", 405, "Allow: GET, HEAD, POST, PUT\r\n"},
		{"PUT /v1/", "one", RIG_JSON, "[]", 405, "Allow: GET, HEAD\r\n"},
		{"GET /v1/", NULL, "", "", 200, "ok"},
		{PUT_A, NULL, RIG_JSON, A, 401, "WWW-Authenticate: Bearer"},
		{PUT_A, "", RIG_JSON, A, 401, NULL},
		{PUT_A, "on", RIG_JSON, A, 401, NULL},
		{PUT_A, "one2", RIG_JSON, A, 401, NULL},
		{PUT_A, "one", "Authorization: Bearer one\r\n" RIG_JSON, A, 401, NULL},
		{PUT_A, NULL, "Authorization: one\r\n" RIG_JSON, A, 401, NULL},
		{"GET /v1/policies", NULL, "", "", 401, NULL},
		{"GET /v1/status", NULL, "", "", 401, NULL},
		{PUT_A, "one", "", A, 400, "Content-Type"},
		{PUT_A, "one", RIG_JSON "Content-Encoding: gzip\r\n", A, 400, "Content-Type"},
		{PUT_A, "one", RIG_JSON, "", 400, "not acceptable JSON"},
		{PUT_A, "one", RIG_JSON, "[]", 400, "must be an object"},
		{PUT_A, "one", RIG_JSON, "{}", 400, "content"},
		{PUT_A, "one", RIG_JSON, "{\"content\":1}", 400, "must be a text"},
		{PUT_A, "one", RIG_JSON, "{\"content\":\"\\u0000\"}", 400, "must be a text"},
		{PUT_A, "one", RIG_JSON, "{\"content\":\"\\u0007\"}", 400, "control characters"},
		{PUT_A, "one", RIG_JSON, "{\"content\":\"a\",\"content\":\"b\"}", 400, "not acceptable JSON"},
		{PUT_A, "one", RIG_JSON, "{\"id\":\"b\",\"content\":\"a\"}", 400, "another than that of the path"},
		{"PUT /v1/policies/%4", "one", RIG_JSON, A, 400, "id"},
		{"PUT /v1/policies/%00", "one", RIG_JSON, A, 400, "id"},
		{"PUT /v1/policies/%zz", "one", RIG_JSON, A, 400, "id"},
		{"PUT /v1/policies/%c3%a9", "one", RIG_JSON, A, 400, "id"},
		{"PUT /v1/policies/a%22", "one", RIG_JSON, A, 400, "id"},
		{"PUT /v1/policies/a?b", "one", RIG_JSON, A, 400, "id"},
		{"PUT /v1/policies", "one", RIG_JSON, A, 400, "must be an array"},
		{"PUT /v1/policies", "one", RIG_JSON, "[{\"id\":\"a\"}]", 400, "must be a text"},
		{"PUT /v1/policies", "one", RIG_JSON, "[{\"content\":\"\"}]", 400, "each policy"},
		{"PUT /v1/policies", "one", RIG_JSON,
		 "[{\"id\":\"a\",\"content\":\"\"},{\"id\":\"a\",\"content\":\"\"}]", 400, "each policy"},
		{"PUT /v1/policies", "one", RIG_JSON, "[7]", 400, "each policy"},
		{"POST /v1/policies", "one", RIG_JSON, A, 400, "id"},
		{"PUT /v1/data", "one", RIG_JSON, "{}", 400, "must be an array"},
		{"PUT /v1/schema", "one", RIG_JSON, "{\"Gate\":{}}", 400, "content"},
		{"DELETE /v1/data", "one", "", "", 404, "no such"},
		{"DELETE /v1/policies/a", "one", "", "", 404, "no such"},
		{"GET /v1/policies/a", "one", "", "", 404, "no such"},
		{"GET /v1/schema", "one", "", "", 404, "no such"},
		{"GET /v1/policies", "two", "", "", 200, "[]"},
		{"GET /v1/data", "one", "", "", 200, "[]"},
		{"GET /v1/status", "one", "", "", 200, "nothing was pushed yet"},
	};
	int file;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct rig *r = start(0, &file);
		struct rig_offer o;

		rig_request(r, v[i].line, v[i].token, v[i].fields, v[i].body);
		rig_read(r);
		if (rig_status(r) != v[i].status || (v[i].holds != NULL && !rig_has(r, v[i].holds)))
			fprintf(stderr, "%s %s: not %d %s:\n%s\n", v[i].line, v[i].body, v[i].status,
				v[i].holds ? v[i].holds : "", r->got);
		CHECK(rig_status(r) == v[i].status && (v[i].holds == NULL || rig_has(r, v[i].holds)));
		o = rig_offered(r);
		CHECK(o.act == 0 && o.refused == (v[i].status == 401) && r->served.staged.n == 0 && !r->served.ever);
		stop(r, file);
	}
}

static void a_part_is_checked_then_settles_then_is_in_force(void)
{
	int file;
	struct rig *r = start(50, &file);
	struct rig_offer o;

	rig_push(r, "PUT /v1/policies/dir%2Fa+b.cedar", A);
	o = says(r, POLICY_CHECK, GRANT_OK, "");
	CHECK(strcmp(o.names, "dir/a b.cedar\n") == 0 && strcmp(o.texts, "permit\n") == 0);
	CHECK(strcmp(o.caller, "first") == 0);
	CHECK(told(r) == 200 && strcmp(rig_body(r), "{\"id\":\"dir/a b.cedar\",\"content\":\"permit\"}") == 0);
	CHECK(rig_offered(r).act == 0);
	rig_request(r, "PUT /v1/policies/b", "two", RIG_JSON, B);
	o = says(r, POLICY_CHECK, GRANT_OK, "");
	CHECK(o.count == 2 && strcmp(o.caller, "second") == 0 && told(r) == 200);
	rig_pass(r, 80);
	o = says(r, POLICY_FORCE, GRANT_OK, "");
	CHECK(strcmp(o.names, "b.cedar\ndir/a b.cedar\n") == 0);
	CHECK(rig_offered(r).act == 0);
	rig_push(r, "GET /v1/status", "");
	CHECK(told(r) == 200 && rig_has(r, "\"staged\":\"in force\""));
	/* The same again needs nobody. */
	rig_push(r, "PUT /v1/policies/b", B);
	CHECK(told(r) == 200 && rig_offered(r).act == 0);
	stop(r, file);
}

static void what_comes_at_once_is_answered_when_it_is_in_force(void)
{
	int file;
	struct rig *r = start(60000, &file);

	rig_push(r, "PUT /v1/data", "[ ]");
	says(r, POLICY_CHECK, GRANT_OK, "");
	CHECK(told(r) == 0);
	CHECK(strcmp(says(r, POLICY_FORCE, GRANT_OK, "").texts, "[ ]\n") == 0);
	CHECK(told(r) == 204 && strcmp(rig_body(r), "") == 0);
	rig_push(r, "PUT /v1/policies", "[{\"id\":\"a\",\"content\":\"permit\"}]");
	says(r, POLICY_CHECK, GRANT_OK, "");
	says(r, POLICY_FORCE, GRANT_OK, "");
	CHECK(told(r) == 200);
	/* Behind a part it waits for more parts as that does. */
	rig_push(r, PUT_A, B);
	says(r, POLICY_CHECK, GRANT_OK, "");
	CHECK(told(r) == 200);
	rig_push(r, "DELETE /v1/data", "");
	says(r, POLICY_CHECK, GRANT_OK, "");
	CHECK(told(r) == 204 && rig_offered(r).act == 0);
	stop(r, file);
}

static void a_fault_stays_staged_until_it_is_mended(void)
{
	int file;
	struct rig *r = start(0, &file);

	rig_push(r, PUT_A, A);
	says(r, POLICY_CHECK, GRANT_DENIED, "a.cedar:1:7: \"what\"\nb: x\n");
	CHECK(told(r) == 400 && rig_has(r, "a.cedar:1:7: \\\"what\\\"\\nb: x\\n") && rig_has(r, "\"code\":400"));
	CHECK(rig_offered(r).act == 0);
	rig_push(r, "GET /v1/status", "");
	CHECK(told(r) == 200 && rig_has(r, "\"refused\"") && rig_has(r, "a.cedar:1:7"));
	/* The same again is the same fault; nobody is asked. */
	rig_push(r, PUT_A, A);
	CHECK(told(r) == 400 && rig_offered(r).act == 0);
	rig_push(r, "PUT /v1/policies/b", B);
	CHECK(says(r, POLICY_CHECK, GRANT_DENIED, "a.cedar:1:7").count == 2);
	CHECK(told(r) == 400);
	rig_push(r, "DELETE /v1/policies/a", "");
	CHECK(says(r, POLICY_CHECK, GRANT_OK, "").count == 1);
	CHECK(says(r, POLICY_FORCE, GRANT_OK, "").count == 1 && told(r) == 204);
	stop(r, file);
}

static void what_cannot_be_tried_now_is_tried_again(void)
{
	int file;
	struct rig *r = start(0, &file);

	rig_push(r, PUT_A, A);
	says(r, POLICY_CHECK, GRANT_UNAVAILABLE, "later");
	CHECK(told(r) == 0 && rig_offered(r).act == 0);
	rig_pass(r, 350);
	says(r, POLICY_CHECK, GRANT_OK, "");
	says(r, POLICY_FORCE, GRANT_UNAVAILABLE, "later");
	rig_pass(r, 350);
	/* From the check on: the tools may have changed. */
	says(r, POLICY_CHECK, GRANT_DENIED, "a.cedar:1:1");
	CHECK(told(r) == 400);
	stop(r, file);
}

static void requests_that_come_meanwhile_share_the_next_offer(void)
{
	int file;
	struct rig *r = start(0, &file);
	int first = r->client, second;

	rig_push(r, PUT_A, A);
	second = rig_connect(r);
	rig_push(r, "PUT /v1/policies/b", B);
	CHECK(says(r, POLICY_CHECK, GRANT_DENIED, "a").count == 1);
	r->client = first;
	CHECK(told(r) == 400);
	r->client = second;
	CHECK(told(r) == 0);
	CHECK(says(r, POLICY_CHECK, GRANT_OK, "").count == 2);
	says(r, POLICY_FORCE, GRANT_OK, "");
	CHECK(told(r) == 200);
	close(first);
	stop(r, file);
}

static void a_client_that_goes_leaves_its_change(void)
{
	int file;
	struct rig *r = start(0, &file);

	rig_push(r, PUT_A, A);
	close(r->client);
	rig_pump(r);
	says(r, POLICY_CHECK, GRANT_OK, "");
	says(r, POLICY_FORCE, GRANT_OK, "");
	CHECK(r->served.in_force == r->served.generation);
	rig_connect(r);
	stop(r, file);
}

static void a_new_broker_is_told_what_was_in_force(void)
{
	int file;
	struct rig *r = start(0, &file);

	rig_push(r, PUT_A, A);
	says(r, POLICY_CHECK, GRANT_OK, "");
	says(r, POLICY_FORCE, GRANT_OK, "");
	CHECK(told(r) == 200);
	rig_push(r, PUT_A, B);
	says(r, POLICY_CHECK, GRANT_DENIED, "a.cedar:1:1");
	CHECK(told(r) == 400);
	rig_broker(r);
	CHECK(strcmp(says(r, POLICY_RESUME, GRANT_OK, "").texts, "permit\n") == 0);
	CHECK(strcmp(says(r, POLICY_CHECK, GRANT_DENIED, "a.cedar:1:1").texts, "forbid\n") == 0);
	CHECK(rig_offered(r).act == 0);
	rig_free(r);
	/* A start of our own: what was kept is what is staged, and what was refused is forgotten. */
	r = rig_new_with(60000, file);
	CHECK(strcmp(says(r, POLICY_RESUME, GRANT_OK, "").texts, "permit\n") == 0);
	says(r, POLICY_CHECK, GRANT_OK, "");
	CHECK(strcmp(says(r, POLICY_FORCE, GRANT_OK, "").caller, "first") == 0);
	rig_push(r, "GET /v1/policies", "");
	CHECK(told(r) == 200 && strcmp(rig_body(r), "[{\"id\":\"a\",\"content\":\"permit\"}]") == 0);
	stop(r, file);
}

static void what_cannot_be_kept_is_not_put_in_force(void)
{
	int file;
	struct rig *r = start(0, &file);

	close(r->served.kept.fd);
	r->served.kept.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	rig_push(r, "PUT /v1/policies", "[]");
	says(r, POLICY_CHECK, GRANT_OK, "");
	CHECK(told(r) == 503 && rig_has(r, "disk") && rig_has(r, "Retry-After") && rig_offered(r).act == 0);
	stop(r, file);
}

/* What no broker says ends its connection, and is no answer to anybody. */
static void hostile_brokers_are_dropped(void)
{
	for (unsigned i = 0; i < 4; i++) {
		int file;
		struct rig *r = start(0, &file);
		struct rig_offer o;

		if (i == 0) {
			rig_answer(r, 0, GRANT_OK, "");
		} else {
			rig_push(r, PUT_A, A);
			o = rig_offered(r);
			rig_answer(r, i == 1 ? o.offer + 1 : o.offer, i == 2 ? 3 : GRANT_OK, "");
			if (i == 3)
				rig_answer(r, o.offer, GRANT_OK, "");
		}
		CHECK(!rig_linked(r) || i == 3);
		if (i == 1 || i == 2)
			CHECK(told(r) == 0);
		stop(r, file);
	}
}

static void sizes_are_bounded(void)
{
	int file;
	struct rig *r = start(0, &file);
	char *body = malloc(2100000);

	memset(body, 'x', 2100000);
	memcpy(body, "{\"content\":\"", 12);
	memcpy(body + 2050000, "\"}", 3);
	rig_push(r, PUT_A, body);
	CHECK(told(r) == 413 && rig_has(r, "2,000,000") && r->served.staged.n == 0 && rig_offered(r).act == 0);
	rig_request(r, PUT_A, "one", RIG_JSON "Content-Length: 99999999\r\n", A);
	CHECK(told(r) == 400);
	free(body);
	stop(r, file);
}

int main(void)
{
	RUN(edge_is_checked);
	RUN(a_part_is_checked_then_settles_then_is_in_force);
	RUN(what_comes_at_once_is_answered_when_it_is_in_force);
	RUN(a_fault_stays_staged_until_it_is_mended);
	RUN(what_cannot_be_tried_now_is_tried_again);
	RUN(requests_that_come_meanwhile_share_the_next_offer);
	RUN(a_client_that_goes_leaves_its_change);
	RUN(a_new_broker_is_told_what_was_in_force);
	RUN(what_cannot_be_kept_is_not_put_in_force);
	RUN(hostile_brokers_are_dropped);
	RUN(sizes_are_bounded);
	return unit_end();
}
