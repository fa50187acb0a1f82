/* The outbox: who is paged and when, what a delivery's result makes of it, what is told when it is over. */
#include "tests/unit/outbox_rig.h"

static const char *pd[] = {"pd", NULL}, *slack[] = {"slack", NULL}, *both[] = {"pd", "slack", NULL};

/* pd, and slack when nobody acknowledges in ten minutes; mail stands in no route. */
static void begin_escalating(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("slack", CHANNEL_SLACK, 30);
	rig_add_channel("mail", CHANNEL_EMAIL, 10);
	rig_add_route(GUARD_LOW, pd, 600, slack);
	rig_begin();
}

static void begin_both(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("slack", CHANNEL_SLACK, 30);
	rig_add_route(GUARD_LOW, both, 0, NULL);
	rig_begin();
}

static void test_delivered_and_on_record(void)
{
	const char *last;

	begin_escalating();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	CHECK(rig_nseen == 1 && rig_count("pd", PAGE_TRIGGER, "inc-1") == 1);
	CHECK(strcmp(rig_last()->dedup, "keepgate:keepgate.test:inc-1") == 0 && rig_last()->severity == GUARD_HIGH);
	CHECK(strcmp(rig_last()->text, "31 of 40 calls denied in 60 s; session paused") == 0);
	CHECK(rig_recorded("page.delivered", &last) == 1 && strstr(last, "\"status\":202") != NULL);
	CHECK(strstr(last, "\"dedup\":\"keepgate:keepgate.test:inc-1\"") != NULL);
	CHECK(rig_shows("inc-1", 0, "pd", "trigger", "delivered") &&
	      rig_shows("inc-1", 1, "slack", "trigger", "waiting"));
	rig_end();
}

/* Handed over only when what caused it is durable: the row's leaf is on disk before the pager hears of it. */
static void test_durable_first(void)
{
	begin_escalating();
	rig_answer = rig_silent;
	rig_add(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	CHECK(store_pending(rig_store) && !rig_hear());
	rig_turn();
	CHECK(!store_pending(rig_store) && rig_hear());
	rig_end();
}

static void test_retry_grows_with_jitter(void)
{
	static const uint64_t want[] = {30, 60, 120, 240, 480, 600, 600, 600};
	size_t n = sizeof(want) / sizeof(want[0]);
	bool spread = false;

	begin_escalating();
	rig_config.guardian.nroutes = 0;
	rig_config.guardian.nchannels = rig_outbox->nchannels = 1;
	rig_answer = rig_network_dead;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(HOUR_US, SECOND_US);
	CHECK(rig_nseen > n);
	for (size_t i = 0; i < n; i++) {
		uint64_t gap = rig_seen[i + 1].at - rig_seen[i].at, us = want[i] * SECOND_US;

		CHECK(gap >= us * 8 / 10 && gap <= us * 12 / 10 + SECOND_US);
		CHECK(strcmp(rig_seen[i].dedup, rig_seen[0].dedup) == 0 && rig_seen[i].id == rig_seen[0].id);
		spread = spread || gap / SECOND_US != want[i];
	}
	CHECK(spread);
	rig_answer = rig_ok;
	rig_pass(13 * MINUTE_US, SECOND_US);
	CHECK(rig_waiting() == 0 && rig_recorded("page.delivered", NULL) == 1);
	rig_end();
}

static struct verdict throttled(const struct seen *p)
{
	(void)p;
	return (struct verdict){PAGED_RETRY, 429, 300, "slow down"};
}

/* It holds for the whole channel: the account is throttled, not the page. And no provider silences us for days. */
static void test_retry_after(void)
{
	uint64_t first;

	begin_escalating();
	rig_answer = throttled;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	first = rig_now;
	rig_answer = rig_ok;
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	rig_pass(299 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 1);
	rig_pass(2 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 3 && rig_seen[1].at >= first + 300 * SECOND_US);
	rig_outbox->channel[0].hold = 0;
	rig_tell(OUTBOX_TRIGGER, "inc-3", GUARD_HIGH);
	rig_say(rig_last()->id, (struct verdict){PAGED_RETRY, 429, 86400 * 30, ""}); /* late word: is not heard */
	rig_pump();
	CHECK(rig_outbox->channel[0].hold == 0);
	rig_end();
}

static struct verdict pd_is_gone(const struct seen *p)
{
	return strcmp(p->channel, "pd") == 0 ? (struct verdict){PAGED_PERMANENT, 403, 0, "invalid routing key"}
					     : rig_ok(p);
}

static struct verdict only_mail(const struct seen *p)
{
	return strcmp(p->channel, "mail") == 0 ? rig_ok(p) : (struct verdict){PAGED_PERMANENT, 404, 0, "gone"};
}

static void test_dead_channel_is_paged_through_others(void)
{
	const char *last;

	begin_escalating();
	rig_answer = pd_is_gone;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	CHECK(rig_count("pd", 0, NULL) == 1 && rig_count("slack", PAGE_TRIGGER, "inc-1") == 1);
	CHECK(strstr(rig_last()->text, "Channel pd did not take this: invalid routing key\n31 of 40") != NULL);
	CHECK(strcmp(rig_seen[0].dedup, rig_seen[1].dedup) == 0);
	CHECK(rig_recorded("page.dead", &last) == 1 && strstr(last, "invalid routing key") != NULL);
	CHECK(rig_shows("inc-1", 0, "pd", "trigger", "dead") && rig_shows("inc-1", 1, "slack", "trigger", "delivered"));
	/* The rest of the route is dead too: then one that no route names. */
	rig_answer = only_mail;
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	CHECK(rig_count("slack", 0, "inc-2") == 1 && rig_count("mail", 0, "inc-2") == 1 && rig_waiting() == 0);
	rig_end();
}

static struct verdict slack_is_gone(const struct seen *p)
{
	return strcmp(p->channel, "slack") == 0 ? (struct verdict){PAGED_PERMANENT, 404, 0, "no_service"} : rig_ok(p);
}

/* Where another channel of the step has it nobody else is woken; an escalation that dies is covered by itself. */
static void test_dead_beside_a_live_one(void)
{
	begin_both();
	rig_answer = slack_is_gone;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	CHECK(rig_nseen == 2 && rig_waiting() == 0);
	rig_end();
	begin_escalating();
	rig_answer = slack_is_gone;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(601 * SECOND_US, 10 * SECOND_US);
	CHECK(rig_count("pd", 0, NULL) == 1 && rig_count("slack", 0, NULL) == 1 && rig_count("mail", 0, NULL) == 1);
	rig_end();
}

static struct verdict pd_first_late_then(const struct seen *p)
{
	return strcmp(p->channel, "slack") == 0 ? (struct verdict){PAGED_PERMANENT, 404, 0, "no_service"}
						: (struct verdict){PAGED_RETRY, 500, 0, "internal error"};
}

/* One channel dead, the other not working: whoever is left is paged at once. */
static void test_dead_beside_a_failing_one(void)
{
	begin_both();
	rig_channel[2] = (struct config_channel){.name = "mail", .kind = CHANNEL_EMAIL, .per_minute = 10};
	rig_config.guardian.nchannels = 3;
	rig_restart();
	rig_answer = pd_first_late_then;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	CHECK(rig_count("mail", PAGE_TRIGGER, "inc-1") == 1);
	rig_end();
}

static void test_escalation(void)
{
	begin_escalating();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(590 * SECOND_US, 10 * SECOND_US);
	CHECK(rig_nseen == 1);
	rig_restart();
	rig_pump();
	CHECK(rig_nseen == 1);
	rig_step(10 * SECOND_US);
	CHECK(rig_nseen == 2 && rig_count("slack", PAGE_TRIGGER, "inc-1") == 1);
	CHECK(strstr(rig_last()->text, "Nobody has acknowledged this for 10 min: step 2 of 2.") != NULL);
	CHECK(strcmp(rig_seen[0].dedup, rig_seen[1].dedup) == 0);
	rig_end();
}

static void test_escalation_ends(void)
{
	static const enum outbox_kind kinds[] = {OUTBOX_ACK, OUTBOX_RESOLVE};

	for (size_t i = 0; i < 2; i++) {
		begin_escalating();
		rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
		rig_pass(300 * SECOND_US, 10 * SECOND_US);
		rig_tell(kinds[i], "inc-1", GUARD_HIGH);
		CHECK(rig_nseen == 2 && rig_last()->action == (kinds[i] == OUTBOX_ACK ? PAGE_ACK : PAGE_RESOLVE));
		CHECK(strcmp(rig_last()->channel, "pd") == 0 && strcmp(rig_last()->dedup, rig_seen[0].dedup) == 0);
		rig_restart();
		rig_pass(HOUR_US, 10 * SECOND_US);
		CHECK(rig_nseen == 2 && rig_waiting() == 0);
		rig_end();
	}
}

/* Told to every channel that got the trigger, when it knows such a word. */
static void test_ack_and_resolve(void)
{
	begin_escalating();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_pass(601 * SECOND_US, 10 * SECOND_US);
	rig_config.guardian.nroutes = 0;
	rig_tell(OUTBOX_RAISED, "inc-1", GUARD_CRITICAL);
	CHECK(rig_count(NULL, PAGE_TRIGGER, "inc-1") == 5);
	rig_tell(OUTBOX_ACK, "inc-1", GUARD_CRITICAL);
	CHECK(rig_count("pd", PAGE_ACK, "inc-1") == 1 && rig_count("slack", PAGE_ACK, "inc-1") == 1);
	CHECK(rig_count("mail", PAGE_ACK, "inc-1") == 0);
	rig_tell(OUTBOX_RESOLVE, "inc-1", GUARD_CRITICAL);
	rig_pass(10 * SECOND_US, SECOND_US); /* three at once are what Slack takes */
	CHECK(rig_count("pd", PAGE_RESOLVE, "inc-1") == 1 && rig_count("slack", PAGE_RESOLVE, "inc-1") == 1);
	CHECK(rig_count("mail", PAGE_RESOLVE, "inc-1") == 1 && rig_waiting() == 0);
	rig_end();
}

/* Nobody is told of the end of what nobody was told of. */
static void test_resolved_before_it_was_delivered(void)
{
	begin_both();
	close(rig_pager);
	rig_pager = -1;
	rig_turn();
	CHECK(rig_wanted == 1);
	rig_add(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_add(OUTBOX_RESOLVE, "inc-1", GUARD_HIGH);
	rig_connect();
	rig_pass(HOUR_US, MINUTE_US);
	CHECK(rig_nseen == 0 && rig_waiting() == 0 && rig_shows("inc-1", 0, "pd", "trigger", "dropped"));
	/* A delivery that failed may have come through: a provider that keeps alerts by their keys is told. */
	rig_answer = rig_network_dead;
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	rig_answer = rig_ok;
	rig_tell(OUTBOX_RESOLVE, "inc-2", GUARD_HIGH);
	rig_pass(HOUR_US, MINUTE_US);
	CHECK(rig_count("pd", PAGE_RESOLVE, "inc-2") == 1 && rig_count("slack", PAGE_RESOLVE, "inc-2") == 0);
	CHECK(rig_count(NULL, PAGE_TRIGGER, "inc-2") == 2 && rig_waiting() == 0);
	rig_end();
}

/* A word about a page goes behind the page, and a page under way when it is resolved is not tried again. */
static void test_order(void)
{
	begin_escalating();
	rig_answer = rig_silent;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_tell(OUTBOX_ACK, "inc-1", GUARD_HIGH);
	rig_tell(OUTBOX_RESOLVE, "inc-1", GUARD_HIGH);
	CHECK(rig_nseen == 1);
	rig_answer = rig_ok;
	rig_say(rig_seen[0].id, (struct verdict){PAGED_RETRY, 503, 0, ""});
	rig_pump();
	rig_pass(5 * MINUTE_US, SECOND_US);
	CHECK(rig_nseen == 2 && rig_last()->action == PAGE_RESOLVE && rig_waiting() == 0);
	rig_answer = rig_silent;
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	rig_tell(OUTBOX_ACK, "inc-2", GUARD_HIGH);
	rig_answer = rig_ok;
	rig_say(rig_last()->id, (struct verdict){PAGED_OK, 202, 0, ""});
	rig_pump();
	CHECK(rig_nseen == 4 && rig_last()->action == PAGE_ACK);
	rig_end();
}

static struct verdict pd_is_slow(const struct seen *p)
{
	return strcmp(p->channel, "pd") == 0 ? rig_silent(p) : rig_ok(p);
}

static void test_second_channel_for_critical(void)
{
	begin_escalating();
	rig_answer = pd_is_slow;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_CRITICAL);
	rig_pass(29 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 1);
	rig_pass(2 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 2 && rig_count("slack", PAGE_TRIGGER, "inc-1") == 1);
	CHECK(strstr(rig_last()->text, "pd has not taken this in 30 s.") != NULL);
	/* Success in time: nobody else is woken. Less than critical: neither. */
	rig_answer = rig_ok;
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_CRITICAL);
	rig_answer = pd_is_slow;
	rig_tell(OUTBOX_TRIGGER, "inc-3", GUARD_HIGH);
	rig_pass(60 * SECOND_US, SECOND_US);
	CHECK(rig_count("slack", 0, "inc-2") == 0 && rig_count("slack", 0, "inc-3") == 0);
	rig_end();
}

static void test_second_channel_of_another_kind(void)
{
	static const char *no_other[] = {"pd", NULL};

	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("pd2", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("beat", CHANNEL_HEARTBEAT, 2);
	rig_add_channel("phone", CHANNEL_NTFY, 10);
	rig_add_route(GUARD_LOW, no_other, 0, NULL);
	rig_begin();
	rig_answer = rig_network_dead;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_CRITICAL);
	rig_answer = rig_silent;
	rig_pass(20 * SECOND_US, SECOND_US);
	CHECK(rig_count("phone", 0, NULL) == 0);
	rig_pass(11 * SECOND_US, SECOND_US);
	CHECK(rig_count("phone", PAGE_TRIGGER, "inc-1") == 1 && rig_count("pd2", 0, NULL) == 0);
	rig_end();
}

static void test_raised(void)
{
	begin_escalating();
	rig_answer = rig_network_dead;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_MEDIUM);
	rig_answer = rig_ok;
	rig_tell(OUTBOX_RAISED, "inc-1", GUARD_HIGH);
	CHECK(rig_nseen == 2 && rig_last()->severity == GUARD_HIGH &&
	      strcmp(rig_seen[0].dedup, rig_seen[1].dedup) == 0);
	rig_pass(590 * SECOND_US, 10 * SECOND_US);
	CHECK(rig_nseen == 2); /* the older page said less; its steps began anew */
	rig_pass(20 * SECOND_US, 10 * SECOND_US);
	CHECK(rig_count("slack", PAGE_TRIGGER, "inc-1") == 1 && rig_nseen == 3);
	rig_end();
}

/* Providers say nothing of what comes under a key that was acknowledged: what is worse than that has a new one. */
static void test_raised_after_acknowledged(void)
{
	struct outbox_page p;
	char second[DEDUP_MAX + 1];

	begin_escalating();
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_tell(OUTBOX_ACK, "inc-1", GUARD_HIGH);
	p = rig_page(OUTBOX_RAISED, "inc-1", GUARD_CRITICAL);
	p.anew = true;
	outbox_add(rig_outbox, &p);
	rig_turn();
	rig_pump();
	CHECK(rig_last()->action == PAGE_TRIGGER && strcmp(rig_last()->dedup, rig_seen[0].dedup) != 0);
	snprintf(second, sizeof(second), "%s", rig_last()->dedup);
	/* And goes on under it, over a restart too, until it is acknowledged again. */
	rig_restart();
	rig_tell(OUTBOX_RAISED, "inc-1", GUARD_CRITICAL);
	CHECK(rig_last()->action == PAGE_TRIGGER && strcmp(rig_last()->dedup, second) == 0);
	rig_tell(OUTBOX_ACK, "inc-1", GUARD_CRITICAL);
	rig_pass(HOUR_US, 10 * SECOND_US);
	CHECK(rig_count("slack", PAGE_TRIGGER, "inc-1") == 0);
	/* Every key that is open at the provider is closed there. */
	rig_forget();
	rig_tell(OUTBOX_RESOLVE, "inc-1", GUARD_CRITICAL);
	CHECK(rig_count("pd", PAGE_RESOLVE, "inc-1") == 2);
	CHECK(strcmp(rig_seen[0].dedup, rig_seen[1].dedup) != 0);
	rig_end();
}

static void test_quiet_hours(void)
{
	begin_escalating();
	rig_config.guardian.quiet_from_min = 22 * 60;
	rig_config.guardian.quiet_to_min = 7 * 60;
	rig_now = rig_monday(23, 0);
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_LOW);
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_MEDIUM);
	CHECK(rig_nseen == 1 && rig_count("pd", 0, "inc-2") == 1);
	rig_tell(OUTBOX_ACK, "inc-2", GUARD_MEDIUM);
	rig_restart();
	rig_pass(8 * HOUR_US - MINUTE_US, MINUTE_US);
	CHECK(rig_count(NULL, 0, "inc-1") == 0);
	rig_pass(MINUTE_US, MINUTE_US);
	CHECK(rig_count("pd", PAGE_TRIGGER, "inc-1") == 1 && rig_count("slack", 0, "inc-1") == 0);
	rig_pass(10 * MINUTE_US, MINUTE_US);
	CHECK(rig_count("slack", PAGE_TRIGGER, "inc-1") == 1);
	rig_end();
}

/* What could not be sent before the quiet hours waits for their end too. */
static void test_quiet_hours_and_retries(void)
{
	begin_escalating();
	rig_config.guardian.quiet_from_min = 22 * 60;
	rig_config.guardian.quiet_to_min = 7 * 60;
	rig_now = rig_monday(21, 59);
	rig_answer = rig_network_dead;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_LOW);
	CHECK(rig_nseen == 1);
	rig_answer = rig_ok;
	rig_step(2 * MINUTE_US);
	rig_pass(8 * HOUR_US, MINUTE_US);
	CHECK(rig_nseen == 1);
	rig_pass(HOUR_US, MINUTE_US);
	CHECK(rig_count("pd", PAGE_TRIGGER, NULL) == 2);
	rig_end();
}

/* Without any route the rules alone say what is paged. */
static void test_no_routes(void)
{
	begin_escalating();
	rig_config.guardian.nroutes = 0;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_MEDIUM);
	CHECK(rig_nseen == 3);
	rig_end();
}

static void test_no_route_holds(void)
{
	static const char *const others[] = {"another-rule"};

	begin_escalating();
	for (size_t i = 0; i < rig_config.guardian.nroutes; i++) {
		rig_config.guardian.routes[i].rules = (const char **)others;
		rig_config.guardian.routes[i].nrules = 1;
	}
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_MEDIUM);
	CHECK(rig_nseen == 0 && rig_waiting() == 0);
	rig_tell(OUTBOX_RAISED, "inc-1", GUARD_HIGH);
	CHECK(rig_nseen == 3);
	rig_end();
}

/* Whatever the pager had goes again when it is back, under the same key; and what it never answers too. */
static void test_pager_lost(void)
{
	begin_escalating();
	rig_answer = rig_silent;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	close(rig_pager);
	rig_pager = -1;
	rig_turn();
	CHECK(rig_wanted == 1 && rig_shows("inc-1", 0, "pd", "trigger", "waiting"));
	rig_connect();
	rig_pump();
	CHECK(rig_nseen == 2 && strcmp(rig_seen[0].dedup, rig_seen[1].dedup) == 0 && rig_seen[0].id == rig_seen[1].id);
	rig_answer = rig_ok;
	rig_pass(OUTBOX_ANSWER_US + SECOND_US, SECOND_US);
	CHECK(rig_nseen == 3 && rig_recorded("page.delivered", NULL) == 1);
	rig_end();
}

static void test_configuration_changes(void)
{
	begin_escalating();
	rig_answer = rig_network_dead;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_answer = rig_ok;
	rig_channel[0].name = "other";
	rig_restart();
	rig_pump();
	CHECK(rig_count("slack", PAGE_TRIGGER, "inc-1") == 1 && rig_recorded("page.dead", NULL) == 1);
	CHECK(strstr(rig_last()->text, "the configuration has no such channel any more") != NULL);
	rig_end();
}

static void test_clock_set_back(void)
{
	begin_escalating();
	rig_answer = rig_network_dead;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_answer = rig_ok;
	rig_now -= 30 * DAY_US;
	rig_step(0);
	rig_pass(37 * SECOND_US, SECOND_US);
	CHECK(rig_nseen == 2 && rig_recorded("page.delivered", NULL) == 1);
	/* While it was down too. */
	rig_answer = rig_network_dead;
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	rig_answer = rig_ok;
	rig_now -= 30 * DAY_US;
	rig_restart();
	rig_pass(2 * MINUTE_US, SECOND_US);
	CHECK(rig_recorded("page.delivered", NULL) == 2);
	rig_end();
}

static void test_one_channel_only(void)
{
	struct outbox_page p;

	begin_escalating();
	p = rig_page(OUTBOX_TRIGGER, "inc-1", GUARD_LOW);
	p.channel = "mail";
	outbox_add(rig_outbox, &p);
	rig_pass(20 * MINUTE_US, MINUTE_US);
	CHECK(rig_nseen == 1 && rig_count("mail", PAGE_TRIGGER, "inc-1") == 1);
	rig_end();
}

/* Longer than a message takes, and with bytes that are no text. */
static void test_texts_are_cut(void)
{
	static char text[20000], title[400];
	json_t *details = json_object();
	struct outbox_page p;

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text + TEXT_MAX - 1, "\xc3\xa9", 2);
	memset(title, 'y', sizeof(title) - 1);
	memcpy(title + 10, "\xff", 1);
	json_object_set_new(details, "agent", json_string(text));
	begin_escalating();
	p = rig_page(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	p.text = text;
	p.title = title;
	p.details = details;
	outbox_add(rig_outbox, &p);
	rig_pump();
	CHECK(rig_nseen == 1 && strlen(rig_last()->text) == TEXT_MAX - 1 && rig_last()->title[10] == '?');
	json_decref(details);
	rig_end();
}

static void test_heartbeat(void)
{
	json_t *s;

	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_add_channel("beat", CHANNEL_HEARTBEAT, 2);
	rig_begin();
	rig_pass(10 * MINUTE_US, SECOND_US);
	CHECK(rig_count("beat", PAGE_HEARTBEAT, "") == 10 && rig_nseen == 10 && rig_outbox->rows == 0);
	for (size_t i = 1; i < rig_nseen; i++)
		CHECK(rig_seen[i].at - rig_seen[i - 1].at == 60 * SECOND_US);
	rig_answer = rig_network_dead;
	rig_pass(MINUTE_US, SECOND_US);
	s = outbox_status(rig_outbox);
	CHECK(strcmp(json_string_value(
			     json_object_get(json_array_get(json_object_get(s, "channels"), 1), "last_error")),
		     "connection refused") == 0);
	json_decref(s);
	/* It pages nobody. */
	rig_answer = rig_ok;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	CHECK(rig_count("beat", PAGE_TRIGGER, NULL) == 0 && rig_count("pd", PAGE_TRIGGER, NULL) == 1);
	rig_end();
}

static void test_status(void)
{
	json_t *s;
	const json_t *ch;

	begin_escalating();
	rig_answer = pd_is_gone;
	rig_tell(OUTBOX_TRIGGER, "inc-1", GUARD_HIGH);
	rig_answer = rig_silent;
	rig_tell(OUTBOX_TRIGGER, "inc-2", GUARD_HIGH);
	for (int i = 0; i < 2; i++) {
		s = outbox_status(rig_outbox);
		CHECK(json_integer_value(json_object_get(json_object_get(s, "outbox"), "waiting")) == 2);
		CHECK(json_integer_value(json_object_get(json_object_get(s, "outbox"), "dead")) == 1);
		ch = json_object_get(s, "channels");
		CHECK(json_array_size(ch) == 3);
		CHECK(strcmp(json_string_value(json_object_get(json_array_get(ch, 1), "kind")), "slack") == 0);
		CHECK(json_integer_value(json_object_get(json_array_get(ch, 1), "last_ok")) == (json_int_t)rig_now);
		json_decref(s);
		rig_restart();
	}
	rig_end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(test_delivered_and_on_record);
	RUN(test_durable_first);
	RUN(test_retry_grows_with_jitter);
	RUN(test_retry_after);
	RUN(test_dead_channel_is_paged_through_others);
	RUN(test_dead_beside_a_live_one);
	RUN(test_dead_beside_a_failing_one);
	RUN(test_escalation);
	RUN(test_escalation_ends);
	RUN(test_ack_and_resolve);
	RUN(test_resolved_before_it_was_delivered);
	RUN(test_order);
	RUN(test_second_channel_for_critical);
	RUN(test_second_channel_of_another_kind);
	RUN(test_raised);
	RUN(test_raised_after_acknowledged);
	RUN(test_quiet_hours);
	RUN(test_quiet_hours_and_retries);
	RUN(test_no_routes);
	RUN(test_no_route_holds);
	RUN(test_pager_lost);
	RUN(test_configuration_changes);
	RUN(test_clock_set_back);
	RUN(test_one_channel_only);
	RUN(test_texts_are_cut);
	RUN(test_heartbeat);
	RUN(test_status);
	return unit_end();
}
