/* Many records at once: the rules that come with Keepgate fire on the attack, and not on who always reads as many. */
#include <stdlib.h>

#include <sodium.h>

#include "guardian_traffic.h"
#include "unit.h"

#define AT(day, hour, second) (MONDAY_US + (day)*DAY_US + ((hour)*3600ull + (uint64_t)(second)) * SECOND_US)

struct seen {
	unsigned many, spikes, acts;
	char what[GUARD_TEXT_MAX], acted[GUARD_ID_MAX + 1];
	enum guard_act act;
};

static struct guard_rules *rules;
static struct traffic_session mallory;

static void on_finding(const struct guard_finding *f, void *arg)
{
	struct seen *s = arg;

	s->many += strcmp(f->rule->id, "many-records") == 0;
	s->spikes += strcmp(f->rule->id, "records-spike") == 0;
	snprintf(s->what, sizeof(s->what), "%s", f->what);
	if (!f->acts)
		return;
	s->acts++;
	s->act = f->rule->nresponses == 0 ? 0 : f->rule->response[0].act;
	snprintf(s->acted, sizeof(s->acted), "%s", f->rule->id);
}

static struct traffic begin(struct seen *s)
{
	struct traffic t = {.random = 42};

	memset(s, 0, sizeof(*s));
	t.engine = guard_engine_new(rules, 4096, 0, on_finding, s);
	if (t.engine == NULL)
		exit(1);
	return t;
}

static void reads(struct traffic *t, uint64_t ts_us, uint32_t records)
{
	struct traffic_call c = {.who = &mallory,
				 .ts_us = ts_us,
				 .server = "crm",
				 .tool = "crm/find",
				 .tier = "read",
				 .bytes_in = 100,
				 .bytes_out = 1000,
				 .records = records};

	traffic_call(t, &c);
}

/* A day of work, in which each hour has its calls. */
static void works(struct traffic *t, unsigned day, uint32_t records_an_hour)
{
	for (unsigned hour = 9; hour < 17; hour++)
		for (unsigned i = 0; i < 4; i++)
			reads(t, AT(day, hour, i * 60), i == 0 ? records_an_hour : 0);
}

static void thousands_in_some_calls_are_noticed(void)
{
	struct seen s;
	struct traffic t = begin(&s);

	for (unsigned i = 0; i < 6; i++)
		reads(&t, AT(0, 10, i * 20), 3000);
	CHECK(s.many == 0);
	reads(&t, AT(0, 10, 140), 3000);
	CHECK(s.many == 1 && s.acts == 0 && strstr(s.what, "records: 21000 in 600 s") != NULL);
	guard_engine_free(t.engine);
	t = begin(&s);
	reads(&t, AT(0, 10, 0), 20000);
	CHECK(s.many == 1);
	guard_engine_free(t.engine);
	/* No sum is so large that it is small again. */
	t = begin(&s);
	for (unsigned i = 0; i < 3; i++)
		reads(&t, AT(0, 10, i), UINT32_MAX);
	CHECK(s.many == 1);
	guard_engine_free(t.engine);
}

static void so_much_in_a_day_is_not(void)
{
	struct seen s;
	struct traffic t = begin(&s);

	/* A report, read again, and again. */
	for (unsigned i = 0; i < 3; i++)
		reads(&t, AT(0, 9, i * 30), 5000);
	for (unsigned i = 0; i < 40; i++)
		reads(&t, AT(0, 10, i * 600), 5000);
	CHECK(s.many == 0 && s.acts == 0);
	/* Nor what two sessions read. */
	for (unsigned i = 0; i < 6; i++) {
		traffic_session(&mallory, 7, 1 + i % 2);
		reads(&t, AT(1, 10, i * 20), 5000);
	}
	traffic_session(&mallory, 7, 1);
	CHECK(s.many == 0);
	guard_engine_free(t.engine);
}

static void with_a_second_signal_writing_needs_a_person(void)
{
	struct seen s;
	struct traffic t = begin(&s);
	struct traffic_call c = {.who = &mallory,
				 .ts_us = AT(0, 23, 0),
				 .server = "mail",
				 .tool = "mail/send",
				 .tier = "write",
				 .bytes_in = 100,
				 .bytes_out = 10};

	traffic_call(&t, &c);
	CHECK(s.acts == 0);
	reads(&t, AT(0, 23, 60), 25000);
	CHECK(s.acts == 1 && s.act == GUARD_ACT_APPROVAL && strcmp(s.acted, "many-records") == 0);
	guard_engine_free(t.engine);
}

static void a_reader_of_twenty_a_day_who_reads_thousands(void)
{
	struct seen s;
	struct traffic t = begin(&s);

	for (unsigned day = 0; day < 10; day++) {
		works(&t, day, 2);
		reads(&t, AT(day, 17, 0), 4);
	}
	CHECK(s.spikes == 0);
	reads(&t, AT(10, 9, 0), 900);
	CHECK(s.spikes == 0); /* many for this one, and few for anybody */
	reads(&t, AT(10, 9, 30), 2100);
	CHECK(s.spikes == 1 && strstr(s.what, "records: 3000 in 3600 s") != NULL);
	/* Told once; and not usual by the next day. */
	reads(&t, AT(10, 9, 40), 2100);
	CHECK(s.spikes == 1);
	works(&t, 11, 2);
	reads(&t, AT(11, 18, 0), 3000);
	CHECK(s.spikes == 2);
	guard_engine_free(t.engine);
}

static void who_always_reads_thousands_is_nothing_new(void)
{
	struct seen s;
	struct traffic t = begin(&s);

	/* One report a day, the rest small. */
	for (unsigned day = 0; day < 60; day++) {
		works(&t, day, 20);
		reads(&t, AT(day, 17, 0), 5000 + day % 7 * 300);
	}
	/* From then on one a month. */
	for (unsigned day = 60; day < 150; day++) {
		works(&t, day, 20);
		if (day % 22 == 4)
			reads(&t, AT(day, 17, 0), 6000);
	}
	CHECK(s.spikes == 0 && s.many == 0);
	guard_engine_free(t.engine);
	/* Whose past nobody knows is not judged by it. */
	t = begin(&s);
	reads(&t, AT(0, 9, 0), 5000);
	works(&t, 0, 5000);
	CHECK(s.spikes == 0);
	guard_engine_free(t.engine);
}

/* What an agent read is known after a restart. */
static void the_past_is_saved(void)
{
	struct seen s;
	struct traffic t = begin(&s);
	struct guard_engine *before = t.engine;
	struct buf saved;

	for (unsigned day = 0; day < 60; day++) {
		works(&t, day, 20);
		if (day % 20 == 0)
			reads(&t, AT(day, 17, 0), 6000);
	}
	buf_init(&saved, 8u << 20);
	CHECK(guard_engine_save(before, &saved) == KG_OK);
	t.engine = guard_engine_new(rules, 4096, 0, on_finding, &s);
	CHECK(guard_engine_load(t.engine, buf_ptr(&saved), buf_len(&saved)) == KG_OK);
	reads(&t, AT(60, 9, 0), 6000);
	CHECK(s.spikes == 0);
	reads(&t, AT(61, 9, 0), 30000);
	CHECK(s.spikes == 1);
	guard_engine_free(before);
	guard_engine_free(t.engine);
	buf_free(&saved);
}

static uint32_t in_leaf(const char *marks)
{
	struct guard_event ev;
	struct buf store;
	char leaf[512];
	uint32_t n;

	buf_init(&store, GUARD_STORE_MAX + 4096);
	snprintf(leaf, sizeof(leaf), "{\"kind\":\"call\",%s\"phase\":\"outcome\",\"seq\":2,\"ts\":1}", marks);
	CHECK(guard_event_from_leaf(leaf, strlen(leaf), &store, &ev) == KG_OK);
	n = ev.score[GUARD_SCORE_RECORDS];
	buf_free(&store);
	return n;
}

/* Old ones have none. */
static void records_of_the_log_are_read(void)
{
	CHECK(in_leaf("\"marks\":{\"personal\":3,\"records\":12000},") == 12000);
	CHECK(in_leaf("\"marks\":{\"personal\":3},") == 0 && in_leaf("") == 0);
	CHECK(in_leaf("\"marks\":{\"records\":-1},") == 0 && in_leaf("\"marks\":{\"records\":1.5},") == 0);
	CHECK(in_leaf("\"marks\":{\"records\":\"9\"},") == 0);
	CHECK(in_leaf("\"marks\":{\"records\":99999999999},") == UINT32_MAX);
}

/* Whether these lines of a detector are refused, with this in the error. */
static bool refused(const char *detector, const char *why)
{
	struct guard_rules *own = NULL;
	char text[512];
	struct guard_file file = {"own.yml", text, 0};
	struct buf errors;
	bool is;

	file.len = (size_t)snprintf(text, sizeof(text),
				    "title: T\nid: t\nclass: statistical\nseverity: low\n"
				    "detection: {selection: {kind: call}}\ndetector: {%s}\n",
				    detector);
	buf_init(&errors, 65536);
	is = guard_rules_load(&file, 1, &own, &errors) != KG_OK && strstr(buf_text(&errors), why) != NULL;
	guard_rules_free(own);
	buf_free(&errors);
	return is;
}

static void rules_say_what_they_sum(void)
{
	CHECK(!refused("type: score, score: records, threshold: 10", ""));
	CHECK(!refused("type: rate, score: records, window: 1h, threshold: 4, minimum: 100", ""));
	CHECK(!refused("type: rate, score: personal, window: 1h, threshold: 4", ""));
	CHECK(refused("type: score, threshold: 10", "score is missing"));
	CHECK(refused("type: score, score: rows, threshold: 10", "detector.score"));
	CHECK(refused("type: count, score: records, window: 1h, threshold: 10", "detector.score"));
}

int main(void)
{
	struct buf errors;

	buf_init(&errors, 65536);
	if (sodium_init() < 0 || guard_rules_open(NULL, &rules, &errors) != KG_OK)
		return 1;
	traffic_session(&mallory, 7, 1);
	RUN(thousands_in_some_calls_are_noticed);
	RUN(so_much_in_a_day_is_not);
	RUN(with_a_second_signal_writing_needs_a_person);
	RUN(a_reader_of_twenty_a_day_who_reads_thousands);
	RUN(who_always_reads_thousands_is_nothing_new);
	RUN(the_past_is_saved);
	RUN(records_of_the_log_are_read);
	RUN(rules_say_what_they_sum);
	guard_rules_free(rules);
	buf_free(&errors);
	return unit_end();
}
