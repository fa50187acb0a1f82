/* Questions of the AuthZEN endpoint at the broker: on record before they are answered, inside of their caller's scope.
 */
#include <limits.h>

#include "gatewayd/broker/authz.h"
#include "tests/unit/broker_rig.h"

#define CONFIG                                                                                                         \
	"{\"policy\":{\"dir\":\"%s\"},\"authzen\":{\"listen\":{\"port\":8933},\"namespace\":\"Records\",\"callers\":[" \
	"{\"name\":\"all\",\"trusted\":true,\"search\":true},"                                                         \
	"{\"name\":\"app\",\"actions\":[\"read\",\"delete\"],\"resource_types\":[\"record\"],\"search\":true},"        \
	"{\"name\":\"reader\"}]},\"slice\":true,\"mcpServers\":{\"notes\":{\"command\":\"/bin/notes\"}}}"

static int endpoint; /* our end of its connection */

static void connect_endpoint(struct rig *r)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	endpoint = pair[0];
	broker_peer(r->b, IPC_ROLE_AUTHZEN, 0, "", pair[1]);
}

/* A broker with the records' policies; the vault's word that they can be built is the caller's to give. */
static struct rig *start(void)
{
	char config[PATH_MAX + 1024], dir[PATH_MAX];
	struct rig *r;

	if (realpath("tests/authzen/policies", dir) == NULL)
		abort();
	snprintf(config, sizeof(config), CONFIG, dir);
	r = rig_new_with(config);
	r->keep_events = true;
	rig_connect(r, RIG_VAULT);
	rig_connect(r, RIG_RECORDER);
	connect_endpoint(r);
	return r;
}

/* The next event of this kind at the recorder; those of others are passed over. */
static const struct ipc_broker_event *event(struct rig *r, const char *kind)
{
	const struct ipc_broker_event *m;

	while ((m = rig_take(r, RIG_RECORDER, IPC_BROKER_EVENT)) != NULL && !ipc_is(m->kind, kind))
		continue;
	return m;
}

static struct rig *ready(void)
{
	struct rig *r = start();

	rig_sync(r);
	CHECK(event(r, "policy.loaded") != NULL);
	return r;
}

static void stop(struct rig *r)
{
	close(endpoint);
	rig_free(r);
}

static struct ipc_authz_ask question(uint64_t id, const char *caller, const char *subject, const char *action,
				     const char *resource)
{
	return (struct ipc_authz_ask){.ask = id,
				      .caller = ipc_text(caller),
				      .kind = AUTHZ_EVALUATE,
				      .subject_type = ipc_text("user"),
				      .subject_id = ipc_text(subject),
				      .action = ipc_text(action),
				      .resource_type = ipc_text("record"),
				      .resource_id = ipc_text(resource),
				      .limit = 100,
				      .properties = ipc_text("{}")};
}

static void send_ask(struct rig *r, const struct ipc_authz_ask *q)
{
	CHECK(ipc_write_blocking(endpoint, IPC_AUTHZ_ASK, q, -1) == KG_OK);
	rig_pump(r);
}

static void ask(struct rig *r, uint64_t id, const char *caller, const char *subject, const char *action,
		const char *resource)
{
	struct ipc_authz_ask q = question(id, caller, subject, action, resource);

	send_ask(r, &q);
}

static void recorded(struct rig *r, uint64_t id, uint8_t status)
{
	struct ipc_broker_event_recorded m = {.id = id, .status = status, .seq = 7};

	rig_send(r, RIG_RECORDER, IPC_BROKER_EVENT_RECORDED, &m);
}

/* The next answer at the endpoint; NULL when there is none. Good until the next one. */
static const struct ipc_authz_answer *answer(struct rig *r)
{
	struct pollfd p = {endpoint, POLLIN, 0};
	enum ipc_type type;
	int fd;

	rig_pump(r);
	buf_free(&r->store);
	if (poll(&p, 1, 0) != 1 || ipc_read_blocking(endpoint, 100, &r->store, &type, &r->msg, &fd) != KG_OK)
		return NULL;
	return type == IPC_AUTHZ_ANSWER ? (const void *)&r->msg : NULL;
}

static bool holds(struct ipc_bytes b, const char *text)
{
	return b.n != 0 && memmem(b.p, b.n, text, strlen(text)) != NULL;
}

static void an_answer_waits_for_the_record(void)
{
	struct rig *r = ready();
	const struct ipc_broker_event *e;
	const struct ipc_authz_answer *a;
	uint64_t id;

	ask(r, 5, "all", "alice", "read", "record-1");
	CHECK(answer(r) == NULL);
	e = event(r, "authz.asked");
	CHECK(e != NULL &&
	      holds(e->members, "{\"asked\":[{\"action\":\"read\",\"caller\":\"all\",\"decision\":\"allow\","
				"\"kind\":\"evaluation\",\"policies\":\"staff-reads\","
				"\"reason_code\":\"policy-permit\",\"resource_id\":\"record-1\","
				"\"resource_type\":\"Records::record\",\"subject_id\":\"alice\","
				"\"subject_type\":\"Records::user\"}],\"policy_sha256\":\""));
	id = e == NULL ? 0 : e->id;
	CHECK(answer(r) == NULL);
	recorded(r, id, GRANT_OK);
	a = answer(r);
	CHECK(a != NULL && a->ask == 5 && a->status == GRANT_OK && a->decision == DECISION_ALLOW);
	CHECK(a != NULL && holds(a->json, "\"reason_admin\"") && holds(a->json, "staff-reads"));
	/* Who is not trusted learns the reason for people alone. */
	ask(r, 6, "reader", "mallory", "read", "record-1");
	e = event(r, "authz.asked");
	recorded(r, e == NULL ? 0 : e->id, GRANT_OK);
	a = answer(r);
	CHECK(a != NULL && a->decision == DECISION_DENY &&
	      ipc_is(a->json, "{\"reason_user\":{\"403\":\"this user is suspended\"}}"));
	ask(r, 7, "reader", "alice", "read", "record-1");
	e = event(r, "authz.asked");
	recorded(r, e == NULL ? 0 : e->id, GRANT_OK);
	a = answer(r);
	CHECK(a != NULL && a->decision == DECISION_ALLOW && a->json.n == 0);
	stop(r);
}

static void nothing_is_answered_without_a_record(void)
{
	struct rig *r = ready();
	const struct ipc_broker_event *e;
	const struct ipc_authz_answer *a;

	ask(r, 1, "all", "alice", "read", "record-1");
	e = event(r, "authz.asked");
	recorded(r, e == NULL ? 0 : e->id, GRANT_DENIED);
	a = answer(r);
	CHECK(a != NULL && a->ask == 1 && a->status == GRANT_UNAVAILABLE && a->decision == 0 && a->json.n == 0);
	ask(r, 2, "all", "alice", "read", "record-1");
	rig_lose(r, RIG_RECORDER);
	a = answer(r);
	CHECK(a != NULL && a->ask == 2 && a->status == GRANT_UNAVAILABLE);
	ask(r, 3, "all", "alice", "read", "record-1");
	a = answer(r);
	CHECK(a != NULL && a->ask == 3 && a->status == GRANT_UNAVAILABLE);
	rig_connect(r, RIG_RECORDER);
	ask(r, 4, "all", "alice", "read", "record-1");
	e = event(r, "authz.asked");
	recorded(r, e == NULL ? 0 : e->id, GRANT_OK);
	a = answer(r);
	CHECK(a != NULL && a->ask == 4 && a->status == GRANT_OK);
	stop(r);
}

static void questions_gather(void)
{
	struct rig *r = ready();
	const struct ipc_broker_event *e;
	unsigned events = 0, answers = 0;

	for (uint64_t i = 0; i < 400; i++)
		ask(r, i, "reader", "alice", "read", "record-1");
	CHECK(answer(r) == NULL);
	while ((e = event(r, "authz.asked")) != NULL) {
		events++;
		CHECK(e->members.n <= 24576);
		recorded(r, e->id, GRANT_OK);
	}
	while (answer(r) != NULL)
		answers++;
	CHECK(answers == 400 && events > 4 && events < 20);
	stop(r);
}

static void long_names_are_recorded_as_hashes(void)
{
	struct rig *r = ready();
	const struct ipc_broker_event *e;
	char id[1025];

	memset(id, 1, sizeof(id) - 1);
	id[1024] = '\0';
	for (uint64_t i = 0; i < 64; i++)
		ask(r, i, "reader", id, "read", id);
	for (unsigned n = 0; n < 64;) {
		e = event(r, "authz.asked");
		CHECK(e != NULL && holds(e->members, "\"subject_id\":\"sha256:"));
		if (e == NULL)
			break;
		recorded(r, e->id, GRANT_OK);
		while (answer(r) != NULL)
			n++;
	}
	stop(r);
}

static void what_cannot_be_asked(void)
{
	static const char *const properties[] = {
		"", "[]", "{", "{\"a\":1,\"a\":2}", "{\"context\":{\"n\":1e999}}", "{\"context\":{\"t\":\"\\u0000\"}}"};
	struct rig *r = ready();
	const struct ipc_authz_answer *a;
	struct ipc_authz_ask q;

	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		q = question(i, "all", "alice", "read", "record-1");
		q.properties = ipc_text(properties[i]);
		send_ask(r, &q);
		a = answer(r);
		CHECK(a != NULL && a->ask == i && a->status == GRANT_DENIED && a->error.n != 0);
	}
	CHECK(event(r, "authz.asked") == NULL);
	stop(r);
}

static void refused(struct rig *r, const char *source, uint8_t token)
{
	struct ipc_authz_refused m = {
		.source = ipc_text(source), .path = ipc_text("/access/v1/evaluation"), .token = token};

	CHECK(ipc_write_blocking(endpoint, IPC_AUTHZ_REFUSED, &m, -1) == KG_OK);
	rig_pump(r);
}

/* Guesses are on record, and a flood of them does not fill it. */
static void refused_tokens_are_on_record(void)
{
	struct rig *r = ready();
	const struct ipc_broker_event *m;
	unsigned n = 0;

	refused(r, "192.0.2.7:1234", 1);
	m = event(r, "authz.refused");
	CHECK(m != NULL && holds(m->members, "\"source\":\"192.0.2.7:1234\"") && holds(m->members, "token-unknown"));
	refused(r, "192.0.2.8:1234", 0);
	m = event(r, "authz.refused");
	CHECK(m != NULL && holds(m->members, "token-missing") && holds(m->members, "/access/v1/evaluation"));
	for (int i = 0; i < 300; i++)
		refused(r, "192.0.2.9:1", 1);
	while (event(r, "authz.refused") != NULL)
		n++;
	CHECK(n >= 10 && n <= 60);
	refused(r, "192.0.2.9\xff", 1);
	CHECK(event(r, "authz.refused") == NULL && r->b->authzen.conn == NULL);
	stop(r);
}

static void an_endpoint_is_not_believed(void)
{
	struct rig *r = ready();
	const struct ipc_authz_answer *a;
	struct ipc_authz_ask q = question(1, "app", "alice", "write", "record-1");

	/* Outside of the caller's scope. */
	send_ask(r, &q);
	a = answer(r);
	CHECK(a != NULL && a->status == GRANT_DENIED);
	q = question(2, "reader", "", "read", "record-1");
	q.kind = AUTHZ_SUBJECTS;
	send_ask(r, &q);
	a = answer(r);
	rig_pass(r, 5);
	a = a == NULL ? answer(r) : a;
	CHECK(a != NULL && a->ask == 2 && a->status == GRANT_DENIED);
	CHECK(event(r, "authz.asked") == NULL);
	/* A caller that is not there, a question of no kind: no endpoint of ours. */
	ask(r, 3, "nobody", "alice", "read", "record-1");
	CHECK(r->b->authzen.conn == NULL && (r->wanted & IPC_ROLE_AUTHZEN) != 0);
	close(endpoint);
	connect_endpoint(r);
	q = question(4, "all", "alice", "read", "record-1");
	q.kind = 9;
	send_ask(r, &q);
	CHECK(r->b->authzen.conn == NULL);
	stop(r);
}

static void answers_go_to_whoever_asked(void)
{
	struct rig *r = ready();
	const struct ipc_broker_event *e;
	uint64_t id;

	ask(r, 1, "all", "alice", "read", "record-1");
	e = event(r, "authz.asked");
	id = e == NULL ? 0 : e->id;
	close(endpoint);
	rig_pump(r);
	connect_endpoint(r);
	recorded(r, id, GRANT_OK);
	CHECK(answer(r) == NULL);
	ask(r, 1, "all", "bob", "write", "record-1");
	e = event(r, "authz.asked");
	recorded(r, e == NULL ? 0 : e->id, GRANT_OK);
	CHECK(answer(r)->decision == DECISION_DENY && answer(r) == NULL);
	stop(r);
}

/* Runs a search; its answer. */
static const struct ipc_authz_answer *search(struct rig *r, const struct ipc_authz_ask *q)
{
	const struct ipc_broker_event *e;

	send_ask(r, q);
	rig_pass(r, 5);
	e = event(r, "authz.asked");
	CHECK(e != NULL);
	recorded(r, e == NULL ? 0 : e->id, GRANT_OK);
	return answer(r);
}

static void searches_are_answered(void)
{
	struct rig *r = ready();
	struct ipc_authz_ask q = question(1, "all", "", "read", "record-1");
	const struct ipc_authz_answer *a;

	q.kind = AUTHZ_SUBJECTS;
	a = search(r, &q);
	CHECK(a != NULL && a->total == 2 && ipc_is(a->json, "[\"alice\",\"bob\"]"));
	q.limit = 1;
	a = search(r, &q);
	CHECK(a != NULL && a->total == 2 && ipc_is(a->json, "[\"alice\"]"));
	q.offset = 1;
	a = search(r, &q);
	CHECK(a != NULL && a->total == 2 && ipc_is(a->json, "[\"bob\"]"));
	q.offset = 4000000000u;
	a = search(r, &q);
	CHECK(a != NULL && a->total == 2 && ipc_is(a->json, "[]"));
	q = question(2, "all", "alice", "", "record-1");
	q.kind = AUTHZ_ACTIONS;
	q.properties = ipc_text("{\"context\":{\"soft\":true}}");
	a = search(r, &q);
	CHECK(a != NULL && ipc_is(a->json, "[\"delete\",\"read\",\"write\"]"));
	/* Actions outside of the scope are not told of, nor counted. */
	q.caller = ipc_text("app");
	a = search(r, &q);
	CHECK(a != NULL && a->total == 2 && ipc_is(a->json, "[\"delete\",\"read\"]"));
	q.resource_type = ipc_text("Records::record");
	send_ask(r, &q);
	rig_pass(r, 5);
	a = answer(r);
	CHECK(a != NULL && a->status == GRANT_DENIED);
	stop(r);
}

static void searches_wait_for_their_turn(void)
{
	struct rig *r = ready();
	struct ipc_authz_ask q = question(0, "all", "", "read", "record-1");
	const struct ipc_broker_event *e;
	const struct ipc_authz_answer *a;
	unsigned answers = 0, refused = 0;

	q.kind = AUTHZ_SUBJECTS;
	/* All in one turn of the loop. */
	for (uint64_t i = 0; i < 100; i++) {
		q.ask = i;
		CHECK(ipc_write_blocking(endpoint, IPC_AUTHZ_ASK, &q, -1) == KG_OK);
	}
	for (int tries = 0; tries < 1000 && answers + refused < 100; tries++) {
		rig_pass(r, 2);
		while ((e = event(r, "authz.asked")) != NULL)
			recorded(r, e->id, GRANT_OK);
		while ((a = answer(r)) != NULL) {
			answers += a->status == GRANT_OK;
			refused += a->status == GRANT_UNAVAILABLE;
		}
	}
	CHECK(answers >= 64 && refused > 0 && answers + refused == 100);
	stop(r);
}

static void without_a_set_everything_is_denied(void)
{
	struct rig *r = start();
	const struct ipc_broker_event *e;
	const struct ipc_authz_answer *a;
	struct ipc_authz_ask q = question(2, "reader", "", "read", "record-1");

	ask(r, 1, "reader", "alice", "read", "record-1");
	e = event(r, "authz.asked");
	CHECK(e != NULL && holds(e->members, "\"reason_code\":\"policy-none\""));
	recorded(r, e == NULL ? 0 : e->id, GRANT_OK);
	a = answer(r);
	CHECK(a != NULL && a->status == GRANT_OK && a->decision == DECISION_DENY &&
	      ipc_is(a->json, "{\"reason_user\":{\"403\":\"no valid set of policies is in force\"}}"));
	q.caller = ipc_text("all");
	q.kind = AUTHZ_SUBJECTS;
	a = search(r, &q);
	CHECK(a != NULL && a->status == GRANT_OK && a->total == 0 && ipc_is(a->json, "[]"));
	stop(r);
}

static void properties_are_what_they_are(void)
{
	static const struct {
		const char *action, *resource, *properties;
		uint8_t decision;
	} v[] = {
		{"delete", "record-1", "{\"action\":{\"soft\":true}}", DECISION_ALLOW},
		{"delete", "record-1", "{\"action\":{\"soft\":false},\"context\":{\"soft\":true}}", DECISION_DENY},
		{"delete", "record-1", "{\"action\":{\"soft\":true},\"context\":{\"soft\":false}}", DECISION_ALLOW},
		{"delete", "record-1", "{\"context\":{\"soft\":true,\"other\":1}}", DECISION_ALLOW},
		{"delete", "record-1", "{\"action\":{\"soft\":\"true\"}}", DECISION_DENY},
		{"delete", "record-1", "{\"action\":{}}", DECISION_DENY},
		{"write", "record-9", "{\"resource\":{\"status\":\"active\"}}", DECISION_ALLOW},
		{"write", "record-9", "{\"resource\":{\"status\":\"archived\"}}", DECISION_DENY},
		{"write", "record-2", "{\"resource\":{\"status\":\"active\"}}", DECISION_DENY},
	};
	struct rig *r = ready();

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct ipc_authz_ask q = question(i, "all", "alice", v[i].action, v[i].resource);
		const struct ipc_authz_answer *a = NULL;

		q.properties = ipc_text(v[i].properties);
		a = search(r, &q);
		if (a == NULL || a->decision != v[i].decision)
			fprintf(stderr, "%s %s %s\n", v[i].action, v[i].resource, v[i].properties);
		CHECK(a != NULL && a->decision == v[i].decision);
	}
	stop(r);
}

int main(void)
{
	RUN(an_answer_waits_for_the_record);
	RUN(nothing_is_answered_without_a_record);
	RUN(questions_gather);
	RUN(long_names_are_recorded_as_hashes);
	RUN(what_cannot_be_asked);
	RUN(an_endpoint_is_not_believed);
	RUN(refused_tokens_are_on_record);
	RUN(answers_go_to_whoever_asked);
	RUN(searches_are_answered);
	RUN(searches_wait_for_their_turn);
	RUN(without_a_set_everything_is_denied);
	RUN(properties_are_what_they_are);
	return unit_end();
}
