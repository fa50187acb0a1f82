/* Schedules and routes: local hours, spans that pass midnight, changes of clocks; who is paged by what. */
#include "tests/unit/outbox_rig.h"

static const char *pd[] = {"pd", NULL}, *slack[] = {"slack", NULL}, *mail[] = {"mail", NULL};

static uint64_t at(int year, int month, int day, int hour, int min)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = min};

	return (uint64_t)timegm(&tm) * SECOND_US;
}

#define MON 1u
#define FRI 16u
#define SAT 32u
#define ALL 0x7fu

static void test_spans(void)
{
	uint64_t monday = rig_monday(0, 0);

	schedule_zone("UTC");
	CHECK(schedule_holds(ALL, 0, 0, monday) && schedule_holds(MON, 0, 0, monday));
	CHECK(!schedule_holds(FRI | SAT, 0, 0, monday) && !schedule_holds(0, 0, 0, monday));
	CHECK(schedule_holds(MON, 540, 1020, monday + 9 * HOUR_US));
	CHECK(!schedule_holds(MON, 540, 1020, monday + 9 * HOUR_US - 1));
	CHECK(!schedule_holds(MON, 540, 1020, monday + 17 * HOUR_US));
	/* From Friday 22:00 to Saturday 06:00. */
	CHECK(schedule_holds(FRI, 1320, 360, monday + 4 * DAY_US + 22 * HOUR_US));
	CHECK(schedule_holds(FRI, 1320, 360, monday + 5 * DAY_US + 5 * HOUR_US));
	CHECK(!schedule_holds(FRI, 1320, 360, monday + 5 * DAY_US + 6 * HOUR_US));
	CHECK(!schedule_holds(FRI, 1320, 360, monday + 4 * DAY_US + 5 * HOUR_US));
	CHECK(!schedule_holds(FRI, 1320, 360, monday + 5 * DAY_US + 22 * HOUR_US));
	/* Sunday's night ends on Monday. */
	CHECK(schedule_holds(64, 1320, 360, monday + 5 * HOUR_US));
}

static void test_quiet_end(void)
{
	uint64_t monday = rig_monday(0, 0);

	schedule_zone("UTC");
	CHECK(schedule_quiet_end(0, 0, monday) == monday);
	CHECK(schedule_quiet_end(1320, 420, monday + 12 * HOUR_US) == monday + 12 * HOUR_US);
	CHECK(schedule_quiet_end(1320, 420, monday + 23 * HOUR_US) == monday + DAY_US + 7 * HOUR_US);
	CHECK(schedule_quiet_end(1320, 420, monday + 3 * HOUR_US) == monday + 7 * HOUR_US);
	CHECK(schedule_quiet_end(1320, 420, monday + 7 * HOUR_US) == monday + 7 * HOUR_US);
	CHECK(schedule_quiet_end(60, 300, monday + 2 * HOUR_US) == monday + 5 * HOUR_US);
}

static void test_last_of_week(void)
{
	uint64_t monday = rig_monday(0, 0);

	schedule_zone("UTC");
	CHECK(schedule_last(1, 540, monday + 9 * HOUR_US) == monday + 9 * HOUR_US);
	CHECK(schedule_last(1, 540, monday + 9 * HOUR_US - 1) == monday + 9 * HOUR_US - 7 * DAY_US);
	CHECK(schedule_last(7, 0, monday) == monday - DAY_US);
	CHECK(schedule_last(3, 600, monday + 6 * DAY_US) == monday + 2 * DAY_US + 10 * HOUR_US);
}

/* Local time of a zone with changes of clocks: the end of the quiet hours stays where the clock on the wall has it. */
static void test_zone(void)
{
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0) {
		SKIP(test_zone, "there is no tzdata");
		return;
	}
	schedule_zone("Europe/Berlin");
	CHECK(schedule_quiet_end(1320, 420, at(2026, 11, 23, 22, 0)) == at(2026, 11, 24, 6, 0));
	CHECK(schedule_quiet_end(1320, 420, at(2026, 7, 1, 20, 30)) == at(2026, 7, 2, 5, 0));
	/* 25 October 2026: an hour comes twice; 28 March 2027: one is missing. */
	CHECK(schedule_quiet_end(1320, 420, at(2026, 10, 24, 21, 0)) == at(2026, 10, 25, 6, 0));
	CHECK(schedule_quiet_end(1320, 420, at(2027, 3, 27, 22, 0)) == at(2027, 3, 28, 5, 0));
	CHECK(schedule_last(7, 150, at(2027, 3, 28, 12, 0)) <= at(2027, 3, 28, 1, 30));
	CHECK(schedule_holds(MON, 480, 1080, at(2026, 11, 23, 7, 0)) &&
	      !schedule_holds(MON, 480, 1080, at(2026, 11, 23, 17, 0)));
	schedule_zone("UTC");
}

/* The first that holds, by severity, rule, day and hour. */
static void test_routes(void)
{
	static const char *rules[] = {"canary-*", "revoked-token"};
	const struct config_guardian *g = &rig_config.guardian;

	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_route(GUARD_LOW, pd, 0, NULL);
	rig_add_route(GUARD_HIGH, slack, 0, NULL);
	rig_add_route(GUARD_MEDIUM, mail, 0, NULL);
	rig_route[0].rules = rules;
	rig_route[0].nrules = 2;
	rig_route[1].days = MON;
	rig_route[1].from_min = 540;
	rig_route[1].to_min = 1020;
	CHECK(routes_find(g, GUARD_LOW, "canary-tool", rig_monday(12, 0)) == &rig_route[0]);
	CHECK(routes_find(g, GUARD_LOW, "revoked-token", rig_monday(12, 0)) == &rig_route[0]);
	CHECK(routes_find(g, GUARD_LOW, "denial-spike", rig_monday(12, 0)) == NULL);
	CHECK(routes_find(g, GUARD_HIGH, "denial-spike", rig_monday(12, 0)) == &rig_route[1]);
	CHECK(routes_find(g, GUARD_CRITICAL, "denial-spike", rig_monday(18, 0)) == &rig_route[2]);
	CHECK(routes_find(g, GUARD_CRITICAL, "denial-spike", rig_monday(36, 0)) == &rig_route[2]);
}

/* Its route holds when a page is made; what its later steps are stays, whatever the hour. */
static void test_route_of_the_hour(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("slack", CHANNEL_SLACK, 60);
	rig_add_channel("mail", CHANNEL_EMAIL, 60);
	rig_add_route(GUARD_LOW, slack, 1800, mail);
	rig_add_route(GUARD_LOW, pd, 0, NULL);
	rig_route[0].from_min = 540;
	rig_route[0].to_min = 1020;
	rig_begin();
	rig_now = rig_monday(16, 50);
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(HOUR_US, MINUTE_US);
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	CHECK(rig_count("slack", 0, "inc-1") == 1 && rig_count("mail", 0, "inc-1") == 1 &&
	      rig_count("pd", 0, "inc-1") == 0);
	CHECK(rig_count("pd", 0, "inc-2") == 1 && rig_nseen == 3);
	rig_end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(test_spans);
	RUN(test_quiet_end);
	RUN(test_last_of_week);
	RUN(test_zone);
	RUN(test_routes);
	RUN(test_route_of_the_hour);
	return unit_end();
}
