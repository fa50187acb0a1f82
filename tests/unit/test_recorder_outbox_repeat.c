/* What Alertmanager has taken is told again until it is resolved: it has its alerts in memory alone. */
#include <signal.h>

#include "tests/unit/outbox_rig.h"

#define EVERY OUTBOX_REPEAT_US

static const char *am[] = {"am", NULL};

static const char *incident(unsigned i)
{
	static char name[32];

	snprintf(name, sizeof(name), "inc-%u", i);
	return name;
}

static void begin(uint32_t per_minute)
{
	rig_configure();
	rig_add_channel("am", CHANNEL_ALERTMANAGER, per_minute);
	rig_add_route(GUARD_LOW, am, 0, NULL);
	rig_begin();
}

/* One incident, delivered. */
static void begin_open(void)
{
	begin(60);
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	CHECK(rig_nseen == 1 && rig_shows("inc-1", 0, "am", "trigger", "delivered"));
	rig_forget();
}

static size_t triggers(void)
{
	return rig_count("am", PAGE_TRIGGER, NULL);
}

/* The same alert, an acknowledged one too, and no new page by any record. */
static void test_again_until_resolved(void)
{
	char dedup[DEDUP_MAX + 1];
	json_t *pages;

	begin_open();
	outbox_key(rig_outbox, "inc-1", dedup);
	rig_pass(EVERY - SECOND_US, SECOND_US);
	CHECK(rig_nseen == 0);
	rig_step(SECOND_US);
	CHECK(rig_nseen == 1 && rig_last()->action == PAGE_TRIGGER && rig_last()->severity == GUARD_HIGH);
	CHECK(strcmp(rig_last()->dedup, dedup) == 0 && strcmp(rig_last()->incident, "inc-1") == 0);
	CHECK(strstr(rig_last()->text, "31 of 40 calls denied") != NULL);
	rig_tell(OUTBOX_ACK, "inc-1", GUARD_HIGH);
	rig_pass(4 * EVERY, SECOND_US);
	CHECK(rig_nseen == 5 && rig_waiting() == 0);
	CHECK(rig_recorded("page.delivered", NULL) == 1 && rig_recorded("page.dead", NULL) == 0);
	pages = outbox_pages(rig_outbox, "inc-1");
	CHECK(json_array_size(pages) == 1);
	CHECK(json_integer_value(json_object_get(json_array_get(pages, 0), "attempts")) == 1);
	json_decref(pages);
	rig_tell(OUTBOX_RESOLVE, "inc-1", GUARD_HIGH);
	rig_pass(3 * EVERY, SECOND_US);
	CHECK(rig_nseen == 6 && rig_last()->action == PAGE_RESOLVE);
	rig_end();
}

/* Others keep what they were told; and a test is no alert that is open. */
static void test_only_where_needed(void)
{
	static const char *both[] = {"pd", "am", NULL};
	struct outbox_page test = {.kind = OUTBOX_TEST, .incident = "", .channel = "am", .severity = GUARD_LOW};

	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("am", CHANNEL_ALERTMANAGER, 60);
	rig_add_route(GUARD_LOW, both, 0, NULL);
	rig_begin();
	outbox_add(rig_outbox, &test);
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(3 * EVERY, SECOND_US);
	CHECK(rig_count("pd", 0, NULL) == 1 && rig_count("am", PAGE_TEST, NULL) == 1);
	CHECK(rig_count("am", PAGE_TRIGGER, NULL) == 4);
	rig_end();
}

/* With the whole machine, Alertmanager may have restarted as well: at once. */
static void test_restarts(void)
{
	begin_open();
	rig_step(SECOND_US);
	rig_restart();
	rig_step(SECOND_US);
	CHECK(rig_nseen == 1 && triggers() == 1);
	rig_connect();
	rig_pass(58 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 1);
	rig_pass(2 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 2);
	/* One that was with the pager that ended may have ended it. */
	rig_answer = rig_silent;
	rig_pass(EVERY, SECOND_US);
	CHECK(rig_nseen == 3);
	rig_connect();
	rig_step(SECOND_US);
	CHECK(rig_nseen == 3);
	rig_answer = rig_ok;
	rig_pass(EVERY, SECOND_US);
	CHECK(rig_nseen == 4 && triggers() == 4);
	CHECK(rig_recorded("page.delivered", NULL) == 1);
	rig_end();
}

/* While the recorder was away its incident was resolved: nothing but that is told. */
static void test_resolved_without_pager(void)
{
	begin_open();
	rig_restart();
	close(rig_pager);
	rig_pager = -1;
	rig_turn();
	rig_add(OUTBOX_RESOLVE, "inc-1", GUARD_HIGH);
	rig_connect();
	rig_pass(2 * EVERY, SECOND_US);
	CHECK(rig_nseen == 1 && rig_last()->action == PAGE_RESOLVE);
	rig_end();
}

/* Its end must not be overtaken: that would bring it back for good. */
static void test_end_waits(void)
{
	uint64_t id;

	begin_open();
	rig_answer = rig_silent;
	rig_pass(EVERY, SECOND_US);
	CHECK(rig_nseen == 1);
	id = rig_last()->id;
	rig_answer = rig_ok;
	rig_tell(OUTBOX_RESOLVE, "inc-1", GUARD_HIGH);
	rig_restart();
	rig_pass(30 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 1);
	rig_say(id, (struct verdict){PAGED_OK, 200, 0, ""});
	rig_pump();
	CHECK(rig_nseen == 2 && rig_last()->action == PAGE_RESOLVE);
	rig_pass(2 * EVERY, SECOND_US);
	CHECK(rig_nseen == 2);
	rig_end();
}

/* The same, and no answer ever comes. */
static void test_end_waits_not_for_ever(void)
{
	begin_open();
	rig_answer = rig_silent;
	rig_pass(EVERY, SECOND_US);
	rig_answer = rig_ok;
	rig_tell(OUTBOX_RESOLVE, "inc-1", GUARD_HIGH);
	CHECK(rig_nseen == 1);
	rig_connect();
	rig_pass(OUTBOX_ANSWER_US + 2 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 2 && rig_last()->action == PAGE_RESOLVE && rig_waiting() == 0);
	rig_end();
}

static struct verdict refused(const struct seen *p)
{
	(void)p;
	return (struct verdict){PAGED_PERMANENT, 400, 0, "bad request"};
}

static bool has_error(const char *error)
{
	json_t *s = outbox_status(rig_outbox);
	const char *is =
		json_string_value(json_object_get(json_array_get(json_object_get(s, "channels"), 0), "last_error"));
	bool same = error == NULL ? is == NULL : is != NULL && strcmp(is, error) == 0;

	json_decref(s);
	return same;
}

/* Nobody else is paged for it: whom it concerns was paged. */
static void test_failures_show_at_the_channel(void)
{
	begin_open();
	rig_answer = rig_network_dead;
	rig_pass(10 * EVERY, SECOND_US);
	CHECK(rig_nseen == 10 && has_error("connection refused"));
	rig_answer = refused;
	rig_pass(10 * EVERY, SECOND_US);
	CHECK(rig_nseen == 20 && has_error("bad request"));
	CHECK(rig_recorded("page.dead", NULL) == 0 && rig_recorded("page.stuck", NULL) == 0);
	CHECK(rig_shows("inc-1", 0, "am", "trigger", "delivered") && !outbox_is_silent(rig_outbox));
	rig_answer = rig_ok;
	rig_pass(EVERY, SECOND_US);
	CHECK(rig_nseen == 21 && has_error(NULL));
	rig_end();
}

/* It grew worse: the last page says the most. After a person had it, it is another alert. */
static void test_raised(void)
{
	struct outbox_page p;

	begin_open();
	rig_tell(OUTBOX_RAISED, "inc-1", GUARD_CRITICAL);
	rig_forget();
	rig_pass(EVERY, SECOND_US);
	CHECK(rig_nseen == 1 && rig_last()->severity == GUARD_CRITICAL);
	rig_tell(OUTBOX_ACK, "inc-1", GUARD_CRITICAL);
	p = rig_page(OUTBOX_RAISED, "inc-1", GUARD_CRITICAL);
	p.anew = true;
	outbox_add(rig_outbox, &p);
	rig_pump();
	rig_forget();
	rig_pass(EVERY, SECOND_US);
	CHECK(rig_nseen == 2 && strcmp(rig_seen[0].dedup, rig_seen[1].dedup) != 0);
	rig_tell(OUTBOX_RESOLVE, "inc-1", GUARD_CRITICAL);
	rig_forget();
	rig_pass(2 * EVERY, SECOND_US);
	CHECK(rig_nseen == 0);
	rig_end();
}

/* Many are open: no minute sees more than the rate, all have their turn, and a new page goes before them. */
static void test_rate(void)
{
	unsigned n[200] = {0};

	begin(60);
	for (unsigned i = 0; i < 200; i++) {
		rig_tell(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
		rig_step(10 * SECOND_US);
	}
	rig_pass(MINUTE_US, SECOND_US);
	rig_forget();
	rig_pass(10 * MINUTE_US, SECOND_US);
	for (size_t i = 0; i < rig_nseen; i++) {
		CHECK(i + 60 >= rig_nseen || rig_seen[i + 60].at >= rig_seen[i].at + MINUTE_US);
		CHECK(rig_seen[i].incident[0] != '\0');
		n[strtoul(rig_seen[i].incident + 4, NULL, 10) % 200]++;
	}
	for (unsigned i = 0; i < 200; i++)
		CHECK(n[i] >= 1 && n[i] <= 5);
	rig_forget();
	for (unsigned i = 200; i < 209; i++)
		rig_add(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
	rig_pump();
	CHECK(rig_nseen == 9);
	for (unsigned i = 200; i < 209; i++)
		CHECK(rig_count("am", PAGE_TRIGGER, incident(i)) == 1);
	rig_end();
}

/* Nor does a recorder that starts again and again give more than the rate. */
static void test_rate_with_restarts(void)
{
	begin(60);
	for (unsigned i = 0; i < 100; i++) {
		rig_tell(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
		rig_step(10 * SECOND_US);
	}
	rig_pass(MINUTE_US, SECOND_US);
	rig_forget();
	for (unsigned i = 0; i < 300; i++) {
		rig_restart();
		rig_step(SECOND_US);
	}
	for (size_t i = 0; i + 60 < rig_nseen; i++)
		CHECK(rig_seen[i + 60].at >= rig_seen[i].at + MINUTE_US);
	CHECK(rig_nseen >= 40);
	rig_end();
}

/* Several in one page: again until the last of them is over. */
static void test_collapsed(void)
{
	begin(3);
	for (unsigned i = 0; i < 3; i++)
		rig_add(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
	rig_pass(MINUTE_US, SECOND_US);
	CHECK(rig_last()->incident[0] == '\0');
	rig_tell(OUTBOX_RESOLVE, incident(0), GUARD_HIGH);
	rig_tell(OUTBOX_RESOLVE, incident(1), GUARD_HIGH);
	rig_pass(2 * MINUTE_US, SECOND_US);
	rig_forget();
	rig_pass(3 * EVERY, SECOND_US);
	CHECK(rig_nseen == 3 && rig_count("am", PAGE_TRIGGER, "") == 3);
	rig_tell(OUTBOX_RESOLVE, incident(2), GUARD_HIGH);
	rig_pass(3 * MINUTE_US, SECOND_US);
	rig_forget();
	rig_pass(3 * EVERY, SECOND_US);
	CHECK(rig_nseen == 0);
	rig_end();
}

/* Set back, the clock must not keep one from being told, nor its end. */
static void test_clock_set_back(void)
{
	begin_open();
	rig_now -= 5 * HOUR_US;
	rig_step(0);
	rig_pass(EVERY, SECOND_US);
	CHECK(rig_nseen == 1);
	rig_now -= 5 * HOUR_US;
	rig_restart();
	rig_pass(EVERY, SECOND_US);
	CHECK(rig_nseen == 2);
	rig_answer = rig_silent;
	rig_pass(EVERY, SECOND_US);
	rig_answer = rig_ok;
	rig_tell(OUTBOX_RESOLVE, "inc-1", GUARD_HIGH);
	rig_now -= 5 * HOUR_US;
	rig_step(0);
	rig_pass(OUTBOX_ANSWER_US + 2 * SECOND_US, SECOND_US);
	CHECK(rig_last()->action == PAGE_RESOLVE);
	rig_end();
}

/* What is forgotten is told no more. */
static void test_age(void)
{
	begin_open();
	rig_now += OUTBOX_KEEP_US - HOUR_US;
	rig_step(SECOND_US);
	CHECK(rig_nseen == 1);
	rig_now += HOUR_US;
	rig_step(SECOND_US);
	rig_forget();
	rig_pass(2 * EVERY, SECOND_US);
	CHECK(rig_nseen == 0);
	rig_end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	RUN(test_again_until_resolved);
	RUN(test_only_where_needed);
	RUN(test_restarts);
	RUN(test_resolved_without_pager);
	RUN(test_end_waits);
	RUN(test_end_waits_not_for_ever);
	RUN(test_failures_show_at_the_channel);
	RUN(test_raised);
	RUN(test_rate);
	RUN(test_rate_with_restarts);
	RUN(test_collapsed);
	RUN(test_clock_set_back);
	RUN(test_age);
	return unit_end();
}
