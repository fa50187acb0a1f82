/* A provider that says "later" for ever keeps no page of high severity from the others. */
#include "tests/unit/outbox_rig.h"

static const char *pd[] = {"pd", NULL}, *slack[] = {"slack", NULL};
static bool slack_fails, all_fail;

static struct verdict busy(const struct seen *p)
{
	if (p->action == PAGE_HEARTBEAT)
		return rig_ok(p);
	if (strcmp(p->channel, "pd") == 0 || all_fail || (slack_fails && strcmp(p->channel, "slack") == 0))
		return (struct verdict){PAGED_RETRY, 429, 3600, "too many requests"};
	return rig_ok(p);
}

static void start(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("slack", CHANNEL_SLACK, 60);
	rig_add_channel("mail", CHANNEL_EMAIL, 60);
	rig_add_channel("alive", CHANNEL_HEARTBEAT, 60);
	slack_fails = all_fail = false;
}

static void run(void)
{
	rig_begin();
	rig_answer = busy;
}

static bool status_is(const char *what, int64_t n)
{
	json_t *s = outbox_status(rig_outbox);
	const json_t *v = json_object_get(json_object_get(s, "outbox"), what);
	bool same = json_is_boolean(v) ? json_is_true(v) == (n != 0) : json_is_integer(v) && json_integer_value(v) == n;

	json_decref(s);
	return same;
}

/* The last page that came to a channel. */
static const struct seen *last_to(const char *channel)
{
	static char empty[] = "";
	static const struct seen none = {.text = empty};

	for (size_t i = rig_nseen; i-- > 0;)
		if (strcmp(rig_seen[i].channel, channel) == 0)
			return &rig_seen[i];
	return &none;
}

/* One channel in the route: any other that the configuration has. */
static void to_any_other(void)
{
	const char *last;

	start();
	rig_add_route(GUARD_LOW, pd, 0, NULL);
	run();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(4 * MINUTE_US + 50 * SECOND_US, 10 * SECOND_US);
	CHECK(rig_count("pd", PAGE_TRIGGER, "inc-1") == 1 && rig_count("slack", 0, NULL) == 0);
	CHECK(rig_recorded("page.stuck", NULL) == 0 && status_is("stuck", 0));
	rig_pass(20 * SECOND_US, 10 * SECOND_US);
	CHECK(rig_count("slack", PAGE_TRIGGER, "inc-1") == 1 &&
	      strcmp(last_to("slack")->dedup, last_to("pd")->dedup) == 0);
	CHECK(strstr(last_to("slack")->text, "Channel pd has not taken this in 5 min.") != NULL);
	CHECK(rig_recorded("page.stuck", &last) == 1 && strstr(last, "\"channel\":\"pd\"") != NULL &&
	      strstr(last, "\"incident\":\"inc-1\"") != NULL && strstr(last, "another channel") != NULL);
	CHECK(status_is("stuck", 1) && status_is("silent", 0));
	/* Once; and the first goes on being tried. */
	rig_pass(2 * HOUR_US, MINUTE_US);
	CHECK(rig_recorded("page.stuck", NULL) == 1 && rig_count("slack", PAGE_TRIGGER, NULL) == 1);
	CHECK(rig_count("mail", PAGE_TRIGGER, NULL) == 0 && rig_count("pd", PAGE_TRIGGER, "inc-1") >= 2);
	rig_answer = rig_ok;
	rig_pass(2 * HOUR_US, MINUTE_US);
	CHECK(status_is("stuck", 0) && rig_waiting() == 0);
	rig_end();
}

/* What was never tried, for the provider has asked for an hour of silence, is as late. */
static void what_waits_behind_it(void)
{
	start();
	rig_add_route(GUARD_LOW, pd, 0, NULL);
	run();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_LOW);
	rig_pass(MINUTE_US, 10 * SECOND_US);
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	CHECK(rig_count("pd", 0, "inc-2") == 0);
	rig_pass(5 * MINUTE_US + 10 * SECOND_US, 10 * SECOND_US);
	CHECK(rig_count("slack", PAGE_TRIGGER, "inc-2") == 1);
	/* Low severity wakes nobody. */
	rig_pass(HOUR_US / 2, MINUTE_US);
	CHECK(rig_count("slack", 0, "inc-1") == 0 && rig_recorded("page.stuck", NULL) == 1);
	rig_end();
}

/* The next step of the route does not wait for its time. */
static void the_next_step_comes_sooner(void)
{
	start();
	rig_add_route(GUARD_LOW, pd, 1800, slack);
	run();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(5 * MINUTE_US + 10 * SECOND_US, 10 * SECOND_US);
	CHECK(rig_count("slack", PAGE_TRIGGER, "inc-1") == 1 && last_to("slack")->at < rig_monday(12, 6));
	rig_pass(HOUR_US, MINUTE_US);
	CHECK(rig_count("slack", PAGE_TRIGGER, "inc-1") == 1 && rig_count("mail", 0, NULL) == 0);
	rig_end();
}

/* One of two has it: nobody needs to hear it again. */
static void who_was_reached(void)
{
	static const char *both[] = {"pd", "slack", NULL};

	start();
	rig_add_route(GUARD_LOW, both, 0, NULL);
	run();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_CRITICAL);
	rig_pass(HOUR_US, MINUTE_US);
	CHECK(rig_recorded("page.stuck", NULL) == 0 && rig_count("mail", 0, NULL) == 0 && status_is("silent", 0));
	rig_end();
}

/* From channel to channel until one takes it; then, with none left, the heartbeat falls silent. */
static void from_one_to_the_next(void)
{
	size_t beats;

	start();
	rig_add_route(GUARD_LOW, pd, 0, NULL);
	run();
	slack_fails = true;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(12 * MINUTE_US, 10 * SECOND_US);
	CHECK(rig_count("mail", PAGE_TRIGGER, "inc-1") == 1 && rig_recorded("page.stuck", NULL) == 2);
	CHECK(status_is("silent", 0));
	all_fail = true;
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	rig_pass(14 * MINUTE_US, 10 * SECOND_US);
	beats = rig_count("alive", 0, NULL);
	CHECK(beats >= 24 && status_is("silent", 0));
	rig_pass(2 * MINUTE_US, 10 * SECOND_US);
	CHECK(status_is("silent", 1));
	beats = rig_count("alive", 0, NULL);
	rig_pass(10 * MINUTE_US, 10 * SECOND_US);
	CHECK(rig_count("alive", 0, NULL) == beats);
	/* A restart remembers it; and it ends with the delivery. */
	rig_restart();
	rig_step(SECOND_US);
	CHECK(status_is("silent", 1) && rig_count("alive", 0, NULL) == beats);
	rig_answer = rig_ok;
	rig_pass(2 * HOUR_US, MINUTE_US);
	CHECK(status_is("silent", 0) && status_is("stuck", 0) && rig_count("alive", 0, NULL) > beats + 50);
	rig_end();
}

/* A pager that is away is no fault of a channel. */
static void without_a_pager(void)
{
	start();
	rig_add_route(GUARD_LOW, pd, 0, NULL);
	run();
	close(rig_pager);
	rig_pager = -1;
	rig_turn();
	rig_add(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	for (unsigned i = 0; i < 20; i++) {
		rig_now += MINUTE_US;
		outbox_tick(rig_outbox);
	}
	CHECK(rig_recorded("page.stuck", NULL) == 0);
	rig_connect();
	rig_end();
}

/* The mark of a row goes with the row. */
static void marks_are_forgotten(void)
{
	sqlite3_stmt *q;
	int64_t n = -1;

	start();
	rig_add_route(GUARD_LOW, pd, 0, NULL);
	run();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(6 * MINUTE_US, 10 * SECOND_US);
	rig_answer = rig_ok;
	rig_pass(2 * HOUR_US, MINUTE_US);
	rig_pass(OUTBOX_KEEP_US, DAY_US);
	rig_pass(2 * DAY_US, HOUR_US);
	q = table_query(rig_store, "SELECT (SELECT count(*) FROM outbox_stuck) + (SELECT count(*) FROM outbox)");
	while (table_row(rig_store, q))
		n = table_int(q, 0);
	table_close(q);
	CHECK(n == 0);
	rig_end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(to_any_other);
	RUN(what_waits_behind_it);
	RUN(the_next_step_comes_sooner);
	RUN(who_was_reached);
	RUN(from_one_to_the_next);
	RUN(without_a_pager);
	RUN(marks_are_forgotten);
	return unit_end();
}
