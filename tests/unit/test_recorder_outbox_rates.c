/* The outbox under load: providers' rates, storms, a dead network, a table that is full, and what is deleted. */
#include "tests/unit/outbox_rig.h"

#define STORM 1000

static const char *pd[] = {"pd", NULL}, *ntfy[] = {"phone", NULL}, *mail[] = {"mail", NULL};

static void begin_one(const char **route, const char *name, uint8_t kind, uint32_t per_minute)
{
	rig_configure();
	rig_add_channel(name, kind, per_minute);
	rig_add_route(GUARD_LOW, route, 0, NULL);
	rig_begin();
}

static const char *incident(unsigned i)
{
	static char name[32];

	snprintf(name, sizeof(name), "inc-%u", i);
	return name;
}

/* The most pages that any minute has seen, wherever it begins. */
static size_t busiest_minute(size_t from, const char *channel)
{
	size_t most = 0;

	for (size_t i = from; i < rig_nseen; i++) {
		size_t n = 0;

		for (size_t j = i; j < rig_nseen && rig_seen[j].at < rig_seen[i].at + MINUTE_US; j++)
			n += strcmp(rig_seen[j].channel, channel) == 0 ? 1 : 0;
		most = n > most ? n : most;
	}
	return most;
}

/* Of an incident every page is delivered, alone or in one of several. */
static bool is_told(unsigned i)
{
	json_t *pages = outbox_pages(rig_outbox, incident(i));
	bool told = json_array_size(pages) > 0;
	const json_t *p;
	size_t k;

	json_array_foreach(pages, k, p)
	{
		const char *state = json_string_value(json_object_get(p, "state"));

		told = told && (strcmp(state, "delivered") == 0 || strcmp(state, "dropped") == 0);
	}
	json_decref(pages);
	return told;
}

static void storm(unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		rig_add(OUTBOX_TRIGGER, incident(i), i % 10 == 0 ? GUARD_CRITICAL : GUARD_HIGH);
}

/* 1,000 incidents at once: the worst alone, all others in a page that says how many, within the rate. */
static void test_storm(void)
{
	const struct seen *all;

	begin_one(pd, "pd", CHANNEL_PAGERDUTY, 60);
	storm(0, STORM);
	rig_pump();
	CHECK(rig_nseen == 20);
	for (size_t i = 0; i + 1 < rig_nseen; i++)
		CHECK(rig_seen[i].severity == GUARD_CRITICAL && rig_seen[i].incident[0] != '\0');
	all = rig_last();
	CHECK(strncmp(all->title, "981 incidents: ", 15) == 0 && all->severity == GUARD_CRITICAL &&
	      all->incident[0] == '\0');
	CHECK(strstr(all->text, "\ninc-190 (critical) Denial spike") != NULL &&
	      strstr(all->text, "\n... and ") != NULL);
	CHECK(strstr(all->dedup, "keepgate:keepgate.test:pages-") == all->dedup);
	rig_pass(10 * MINUTE_US, SECOND_US);
	CHECK(rig_nseen == 20 && rig_waiting() == 0);
	for (unsigned i = 0; i < STORM; i++)
		CHECK(is_told(i));
	CHECK(rig_recorded("page.delivered", NULL) == 20);
	rig_end();
}

/* It goes on for an hour. */
static void test_long_storm(void)
{
	unsigned n = 0;

	begin_one(ntfy, "phone", CHANNEL_NTFY, 10);
	for (int i = 0; i < 3600; i++) {
		rig_add(OUTBOX_TRIGGER, incident(n++), GUARD_HIGH);
		rig_step(SECOND_US);
	}
	rig_pass(2 * MINUTE_US, SECOND_US);
	CHECK(busiest_minute(0, "phone") <= 10 && rig_waiting() == 0);
	for (unsigned i = 0; i < n; i++)
		CHECK(is_told(i));
	rig_end();
}

/* A page of several is over with the last of its incidents, and not before. */
static void test_collapsed_is_resolved(void)
{
	size_t before;

	begin_one(pd, "pd", CHANNEL_PAGERDUTY, 3);
	storm(10, 5);
	rig_pump();
	CHECK(rig_nseen == 1 && strncmp(rig_last()->title, "5 incidents", 11) == 0);
	before = rig_nseen;
	for (unsigned i = 10; i < 14; i++)
		rig_tell(OUTBOX_RESOLVE, incident(i), GUARD_HIGH);
	rig_pass(10 * MINUTE_US, SECOND_US);
	CHECK(rig_nseen == before);
	rig_tell(OUTBOX_ACK, incident(14), GUARD_HIGH);
	rig_pass(MINUTE_US, SECOND_US);
	CHECK(rig_nseen == before + 1 && rig_last()->action == PAGE_ACK);
	rig_tell(OUTBOX_RESOLVE, incident(14), GUARD_HIGH);
	rig_pass(MINUTE_US, SECOND_US);
	CHECK(rig_nseen == before + 2 && rig_last()->action == PAGE_RESOLVE && rig_last()->incident[0] == '\0');
	CHECK(strcmp(rig_last()->dedup, rig_seen[0].dedup) == 0 && rig_last()->severity == GUARD_CRITICAL);
	rig_end();
}

/* What waits collapsed is resolved before anybody was told: nobody is. */
static void test_collapsed_is_dropped(void)
{
	begin_one(pd, "pd", CHANNEL_PAGERDUTY, 3);
	rig_tell(OUTBOX_TRIGGER, incident(0), GUARD_HIGH);
	rig_answer = rig_network_dead;
	storm(1, 5);
	rig_pass(31 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 2);
	for (unsigned i = 1; i < 6; i++)
		rig_add(OUTBOX_RESOLVE, incident(i), GUARD_HIGH);
	rig_answer = rig_ok;
	rig_pass(30 * MINUTE_US, SECOND_US);
	CHECK(rig_count("pd", PAGE_TRIGGER, "") == 1 && rig_count("pd", PAGE_RESOLVE, "") == 1 && rig_waiting() == 0);
	rig_end();
}

/* Alerts at a provider are closed one by one; messages to people are not worth a hundred. */
static void test_storm_of_resolves(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("mail", CHANNEL_EMAIL, 10);
	rig_begin();
	for (unsigned i = 0; i < 50; i++) {
		rig_tell(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
		rig_pass(MINUTE_US, 10 * SECOND_US);
	}
	CHECK(rig_count("pd", 0, NULL) == 50 && rig_count("mail", 0, NULL) == 50);
	for (unsigned i = 0; i < 50; i++)
		rig_add(OUTBOX_RESOLVE, incident(i), GUARD_HIGH);
	rig_pass(10 * MINUTE_US, SECOND_US);
	CHECK(rig_count("pd", PAGE_RESOLVE, NULL) == 50);
	CHECK(rig_count("mail", PAGE_RESOLVE, "") == 1 && rig_count("mail", PAGE_RESOLVE, NULL) <= 3);
	CHECK(strstr(rig_last()->text, "incidents are resolved") != NULL || rig_waiting() == 0);
	rig_end();
}

/* A storm of pages does not keep what is over from being told. */
static void test_resolves_are_not_starved(void)
{
	begin_one(pd, "pd", CHANNEL_PAGERDUTY, 10);
	rig_tell(OUTBOX_TRIGGER, "inc-a", GUARD_HIGH);
	rig_tell(OUTBOX_RESOLVE, "inc-a", GUARD_HIGH);
	for (unsigned i = 0; i < 120; i++) {
		storm(3 * i, 3);
		rig_step(SECOND_US);
	}
	CHECK(rig_count("pd", PAGE_RESOLVE, "inc-a") == 1);
	rig_end();
}

/*
 * 24 hours without a network, an incident every two minutes, a third of them resolved in the meantime: then everything
 * is delivered, no provider sees a burst over its rate.
 */
static void test_dead_network_for_a_day(void)
{
	size_t before;
	unsigned n = 0;

	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("mail", CHANNEL_EMAIL, 10);
	rig_begin();
	rig_answer = rig_network_dead;
	for (int minute = 0; minute < 24 * 60; minute++) {
		if (minute % 2 == 0)
			rig_add(OUTBOX_TRIGGER, incident(n++), GUARD_HIGH);
		if (minute % 6 == 5)
			rig_add(OUTBOX_RESOLVE, incident(n - 1), GUARD_HIGH);
		if (minute % 240 == 239)
			rig_restart();
		rig_pass(MINUTE_US, 15 * SECOND_US);
		rig_forget();
	}
	rig_answer = rig_ok;
	before = rig_nseen;
	rig_pass(30 * MINUTE_US, SECOND_US);
	CHECK(rig_waiting() == 0);
	CHECK(busiest_minute(before, "pd") <= 60 && busiest_minute(before, "mail") <= 10);
	for (unsigned i = 0; i < n; i++)
		CHECK(is_told(i));
	CHECK(rig_count(NULL, PAGE_TRIGGER, NULL) > 0);
	rig_end();
}

/* No burst after restarts either. */
static void test_restarts_give_no_more(void)
{
	begin_one(pd, "pd", CHANNEL_PAGERDUTY, 12);
	for (unsigned i = 0; i < 30; i++) {
		rig_tell(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
		rig_restart();
		rig_step(SECOND_US);
	}
	CHECK(busiest_minute(0, "pd") <= 12);
	rig_end();
}

/* How many incidents are delivered by what is on record. */
static int count_delivered(const struct store_leaf *leaf, void *arg)
{
	const char *n = memmem(leaf->leaf, leaf->len, "\"count\":", 8);

	if (leaf_is(leaf->leaf, leaf->len, "event", "page.delivered"))
		*(unsigned long *)arg += n == NULL ? 1 : strtoul(n + 8, NULL, 10);
	return KG_OK;
}

static unsigned long recorded_count(void)
{
	unsigned long n = 0;

	CHECK(store_leaves(rig_store, 0, UINT32_MAX, count_delivered, &n) == KG_OK);
	return n;
}

/* How many incidents a page told. */
static unsigned told_by(const struct seen *page)
{
	unsigned several;

	if (page->incident[0] != '\0')
		return 1;
	return sscanf(page->title, "%u", &several) == 1 ? several : 0;
}

/* Whether a page has lost names of those that it told, for want of room. */
static bool has_lost(const char *dedup)
{
	sqlite3_stmt *q = table_query(rig_store, "SELECT 1 FROM outbox AS o JOIN page AS p ON p.id = o.page"
						 " WHERE o.dedup = ?1 AND p.lost > 0");
	bool lost;

	table_bind(rig_store, q, "t", dedup);
	lost = table_row(rig_store, q);
	table_close(q);
	return lost;
}

/* As many as there is room for and far more, while nothing can be sent: none is lost, the table keeps its bound. */
static void test_full(void)
{
	bool lost[64] = {false};
	unsigned told = 0, losers = 0;
	size_t pages;

	begin_one(pd, "pd", CHANNEL_PAGERDUTY, 60);
	rig_outbox->rows_max = 200;
	rig_answer = rig_network_dead;
	for (unsigned i = 0; i < 1500; i++) {
		rig_add(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
		CHECK(rig_outbox->rows <= 201);
		if (i % 50 == 0)
			rig_step(5 * SECOND_US);
	}
	rig_pass(HOUR_US, 10 * SECOND_US);
	rig_forget();
	rig_answer = rig_ok;
	rig_pass(HOUR_US, SECOND_US);
	CHECK(rig_waiting() == 0);
	pages = rig_nseen;
	CHECK(pages <= sizeof(lost) / sizeof(lost[0]));
	for (size_t i = 0; i < pages; i++) {
		told += told_by(&rig_seen[i]);
		lost[i] = has_lost(rig_seen[i].dedup);
		losers += lost[i];
	}
	CHECK(told == 1500 && losers > 0);
	commit_now(rig_rec.commit);
	CHECK(recorded_count() == 1500);
	/* Of a page that has lost names nobody knows whether all of its incidents are over: it stays open. */
	rig_outbox->rows_max = OUTBOX_ROWS_MAX;
	for (unsigned i = 0; i < 1500; i++)
		rig_add(OUTBOX_RESOLVE, incident(i), GUARD_HIGH);
	rig_pass(HOUR_US, 10 * SECOND_US);
	for (size_t i = 0; i < pages; i++)
		for (size_t j = pages; lost[i] && j < rig_nseen; j++)
			CHECK(strcmp(rig_seen[i].dedup, rig_seen[j].dedup) != 0);
	rig_end();
}

/* No turn comes in between that would tell some together: the one page that is left of them is on record. */
static void test_full_at_once(void)
{
	begin_one(pd, "pd", CHANNEL_PAGERDUTY, 60);
	rig_outbox->rows_max = 200;
	rig_answer = rig_network_dead;
	for (unsigned i = 0; i < 190; i++)
		rig_add(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
	CHECK(rig_recorded("outbox.full", NULL) == 0);
	for (unsigned i = 190; i < 300; i++)
		rig_add(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
	CHECK(rig_recorded("outbox.full", NULL) == 1 && rig_outbox->rows <= 201);
	rig_answer = rig_ok;
	rig_pass(HOUR_US, SECOND_US);
	commit_now(rig_rec.commit);
	CHECK(rig_waiting() == 0 && recorded_count() == 300);
	rig_end();
}

static void test_what_is_over_is_deleted(void)
{
	begin_one(mail, "mail", CHANNEL_EMAIL, 60);
	for (unsigned i = 0; i < 40; i++) {
		rig_tell(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
		rig_pass(MINUTE_US, 20 * SECOND_US);
	}
	CHECK(rig_outbox->rows == 40);
	rig_pass(89 * DAY_US, 7 * DAY_US);
	CHECK(rig_outbox->rows == 40);
	rig_tell(OUTBOX_TRIGGER, incident(40), GUARD_HIGH);
	rig_pass(2 * DAY_US, DAY_US);
	CHECK(rig_outbox->rows == 1);
	rig_restart();
	CHECK(rig_outbox->rows == 1 && is_told(40));
	rig_end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(test_storm);
	RUN(test_long_storm);
	RUN(test_collapsed_is_resolved);
	RUN(test_collapsed_is_dropped);
	RUN(test_storm_of_resolves);
	RUN(test_resolves_are_not_starved);
	RUN(test_dead_network_for_a_day);
	RUN(test_restarts_give_no_more);
	RUN(test_full);
	RUN(test_full_at_once);
	RUN(test_what_is_over_is_deleted);
	return unit_end();
}
