/* Test pages: each week to every channel, and to one when an operator asks; what came of them is on record. */
#include <signal.h>

#include "tests/unit/outbox_rig.h"

static int operator_fd = -1;
static struct ipc_conn *operator_conn;

static void on_operator_gone(struct ipc_conn *c, const char *reason, void *arg)
{
	(void)reason, (void)arg;
	outbox_test_forget(rig_outbox, c);
	operator_conn = NULL;
}

static const struct ipc_handlers operator_handlers = {NULL, 0, on_operator_gone};

static void begin(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("slack", CHANNEL_SLACK, 60);
	rig_add_channel("beat", CHANNEL_HEARTBEAT, 2);
	rig_config.guardian.test_day = 1;
	rig_config.guardian.test_min = 9 * 60;
	rig_begin();
}

/* With an operator at the admin socket. */
static void begin_operator(void)
{
	int fd[2];

	begin();
	CHECK(sock_pair(fd) == KG_OK);
	operator_fd = fd[1];
	operator_conn =
		ipc_open(rig_loop, fd[0], IPC_ROLE_RECORDER, IPC_ROLE_ADMIN, IPC_ST_READY, &operator_handlers, NULL);
}

static void end_operator(void)
{
	ipc_close(operator_conn);
	if (operator_fd >= 0)
		close(operator_fd);
	rig_end();
}

/* The answer that the operator got; NULL: none yet. */
static json_t *answer(void)
{
	struct pollfd p = {.fd = operator_fd, .events = POLLIN};
	enum ipc_type type;
	union ipc_any m;
	const struct ipc_admin_reply *r = (const void *)&m;
	int fd;

	rig_turn();
	if (poll(&p, 1, 0) <= 0 || ipc_read_blocking(operator_fd, 1000, &rig_in, &type, &m, &fd) != KG_OK)
		return NULL;
	CHECK(type == IPC_ADMIN_REPLY && r->status == GRANT_OK);
	return json_loadb((const char *)r->json.p, r->json.n, 0, NULL);
}

static bool answered(const char *channel, bool delivered, const char *state, const char *detail)
{
	json_t *a = answer();
	bool same = a != NULL && strcmp(json_string_value(json_object_get(a, "channel")), channel) == 0 &&
		    json_is_true(json_object_get(a, "delivered")) == delivered &&
		    strcmp(json_string_value(json_object_get(a, "state")), state) == 0 &&
		    strstr(json_string_value(json_object_get(a, "detail")), detail) != NULL;

	json_decref(a);
	return same;
}

static struct verdict slack_is_gone(const struct seen *p)
{
	return strcmp(p->channel, "slack") == 0 ? (struct verdict){PAGED_PERMANENT, 404, 0, "no_service"} : rig_ok(p);
}

static void test_weekly(void)
{
	const char *last;

	begin();
	rig_pass(6 * DAY_US + 20 * HOUR_US, 10 * MINUTE_US); /* Monday, 08:00 */
	CHECK(rig_count(NULL, PAGE_TEST, NULL) == 0);
	rig_pass(HOUR_US, 10 * MINUTE_US);
	CHECK(rig_count("pd", PAGE_TEST, "") == 1 && rig_count("slack", PAGE_TEST, "") == 1);
	CHECK(strcmp(rig_last()->dedup, "keepgate:keepgate.test:test-1") == 0);
	CHECK(rig_recorded("page.test", &last) == 1 && strstr(last, "\"weekly\":true") != NULL);
	CHECK(strstr(last, "\"channel\":\"pd\"") != NULL && strstr(last, "\"channel\":\"slack\"") != NULL);
	CHECK(strstr(last, "\"state\":\"delivered\"") != NULL && strstr(last, "\"status\":202") != NULL);
	CHECK(rig_recorded("page.delivered", NULL) == 2);
	rig_restart();
	rig_pass(3 * HOUR_US, MINUTE_US);
	CHECK(rig_recorded("page.test", NULL) == 1);
	rig_pass(7 * DAY_US, HOUR_US);
	CHECK(rig_recorded("page.test", NULL) == 2);
	rig_end();
}

/* One that was missed for a day is left out; one that was missed for an hour is not. */
static void test_missed(void)
{
	begin();
	rig_pass(6 * DAY_US + 20 * HOUR_US, HOUR_US);
	rig_now += 30 * HOUR_US;
	rig_restart();
	rig_pass(HOUR_US, 10 * MINUTE_US);
	CHECK(rig_count(NULL, PAGE_TEST, NULL) == 0);
	rig_pass(7 * DAY_US, HOUR_US);
	CHECK(rig_recorded("page.test", NULL) == 1);
	rig_end();
}

/* A channel that does not work is evidence too, and another channel tells of it. */
static void test_weekly_fails(void)
{
	const char *last;

	begin();
	rig_answer = slack_is_gone;
	rig_pass(7 * DAY_US, HOUR_US);
	CHECK(rig_recorded("page.test", &last) == 1 && strstr(last, "\"state\":\"dead\"") != NULL);
	CHECK(rig_recorded("page.dead", NULL) == 1 && rig_count("pd", PAGE_TEST, NULL) == 2);
	rig_pass(HOUR_US, MINUTE_US);
	CHECK(rig_recorded("page.test", NULL) == 1 && rig_count("pd", PAGE_TEST, NULL) == 2);
	rig_end();
}

/* Nothing gets through: after a quarter of an hour that is the result. */
static void test_weekly_never_arrives(void)
{
	const char *last;

	begin();
	rig_answer = rig_network_dead;
	rig_pass(6 * DAY_US + 21 * HOUR_US, 10 * MINUTE_US);
	CHECK(rig_recorded("page.test", NULL) == 0);
	rig_restart();
	rig_pass(16 * MINUTE_US, MINUTE_US);
	CHECK(rig_recorded("page.test", &last) == 1 && strstr(last, "\"state\":\"delivered\"") == NULL);
	CHECK(strstr(last, "did not arrive within 15 minutes") != NULL && rig_waiting() == 0);
	rig_end();
}

static void test_of_one_channel(void)
{
	const char *last;

	begin_operator();
	CHECK(outbox_test(rig_outbox, operator_conn, "nobody", "alice") != NULL);
	CHECK(outbox_test(rig_outbox, operator_conn, NULL, "alice") != NULL);
	CHECK(outbox_test(rig_outbox, operator_conn, "pd", "alice") == NULL);
	rig_pump();
	CHECK(rig_count("pd", PAGE_TEST, "") == 1 && rig_nseen == 1 && answered("pd", true, "delivered", ""));
	CHECK(rig_recorded("page.test", &last) == 1 && strstr(last, "\"by\":\"alice\"") != NULL);
	CHECK(strstr(last, "\"weekly\":false") != NULL);
	rig_answer = slack_is_gone;
	CHECK(outbox_test(rig_outbox, operator_conn, "slack", "alice") == NULL);
	rig_pump();
	CHECK(answered("slack", false, "dead", "no_service") && rig_count("pd", 0, NULL) == 1);
	rig_answer = rig_network_dead;
	CHECK(outbox_test(rig_outbox, operator_conn, "pd", "alice") == NULL);
	rig_pump();
	CHECK(answered("pd", false, "waiting", "connection refused"));
	end_operator();
}

/* An operator is answered in time whatever happens, and one that has gone is forgotten. */
static void test_of_one_channel_is_bounded(void)
{
	begin_operator();
	rig_answer = rig_silent;
	CHECK(outbox_test(rig_outbox, operator_conn, "pd", "alice") == NULL);
	rig_pass(14 * SECOND_US, SECOND_US);
	CHECK(answer() == NULL);
	rig_pass(SECOND_US, SECOND_US);
	CHECK(answered("pd", false, "waiting", "has not answered yet"));
	close(rig_pager);
	rig_pager = -1;
	rig_turn();
	CHECK(outbox_test(rig_outbox, operator_conn, "pd", "alice") == NULL);
	CHECK(outbox_test(rig_outbox, operator_conn, "beat", "alice") != NULL);
	for (int i = 0; i < 16; i++) {
		rig_now += SECOND_US;
		outbox_tick(rig_outbox);
	}
	CHECK(answered("pd", false, "waiting", "not connected"));
	CHECK(outbox_test(rig_outbox, operator_conn, "pd", "alice") == NULL);
	close(operator_fd);
	operator_fd = -1;
	rig_turn();
	rig_turn();
	CHECK(operator_conn == NULL);
	rig_connect();
	rig_answer = rig_ok;
	rig_pass(MINUTE_US, SECOND_US);
	end_operator();
}

static void test_of_a_heartbeat(void)
{
	begin_operator();
	CHECK(outbox_test(rig_outbox, operator_conn, "beat", "alice") == NULL);
	rig_pump();
	CHECK(rig_count("beat", PAGE_HEARTBEAT, "") == 1 && answered("beat", true, "delivered", ""));
	end_operator();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	RUN(test_weekly);
	RUN(test_missed);
	RUN(test_weekly_fails);
	RUN(test_weekly_never_arrives);
	RUN(test_of_one_channel);
	RUN(test_of_one_channel_is_bounded);
	RUN(test_of_a_heartbeat);
	return unit_end();
}
