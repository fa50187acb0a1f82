/* What was derived from records ages; what somebody may still need does not, and the records never. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "guardiand/recorder/guard_clock.h"
#include "guardiand/recorder/retain.h"
#include "tests/unit/guard_rig.h"

#define HOUR 3600u
#define DAY 86400u
#define BULK 3000 /* findings of the largest incident */

static const char rules[] =
	"title: A canary\nid: own-canary\nclass: certain\nseverity: high\n"
	"detection: {selection: {kind: call, phase: intent, tool: \"notes/canary*\"}}\n"
	"detector: {type: match, by: session}\nsuppress: 1s\nresponse:\n  - {act: pause, for: 10m}\n---\n"
	"title: A denial\nid: own-denial\nclass: statistical\nseverity: low\n"
	"detection: {selection: {kind: call, phase: intent, decision: deny, reason_code: policy-forbid}}\n"
	"detector: {type: match, by: session}\nsuppress: 1s\n";

static uint64_t wall_s;
static unsigned long long boot;

static uint64_t fake_wall(void)
{
	return wall_s;
}

static unsigned long long fake_boot(void)
{
	return boot;
}

static void pass(uint64_t seconds)
{
	wall_s += seconds;
	boot += seconds * 1000000000ull;
}

static void start(void)
{
	wall_s = (uint64_t)time(NULL);
	boot = 1000000000000ull;
	steady_init(guard_clock(), fake_wall, fake_boot);
	own_rules = rules;
	begin();
	config.guardian.blast_humans = 100;
	connect_vault();
}

static void run_sql(const char *sql)
{
	sqlite3_stmt *q = table_query(store, sql);

	table_run(store, q, "");
	table_close(q);
	commit_now(rec.commit);
}

/* The n-th incident, of the n-th human. */
static void incident(unsigned n)
{
	canary(n, (uint8_t)(0x50 + n));
	CHECK(number("SELECT count(*) FROM incident") == n);
}

static bool say_of(const char *op, unsigned n)
{
	char name[32];
	json_t *out;

	snprintf(name, sizeof(name), "inc-%u", n);
	out = command(op, json_pack("{s:s}", "id", name));
	json_decref(out);
	return out != NULL;
}

static bool is_there(unsigned n)
{
	return say_of("incident.show", n);
}

static void lift(unsigned n)
{
	done(n, GRANT_OK, "");
	json_decref(command("guardian.lift", json_pack("{s:i}", "response", (int)n)));
	done(n, GRANT_OK, "");
}

/* Its response has its number. */
static void resolve_and_lift(unsigned n)
{
	CHECK(say_of("incident.resolve", n));
	lift(n);
}

static void look(void)
{
	retain_tick(rec.guard->retain);
	turn();
}

static void what_goes_and_what_stays(void)
{
	start();
	for (unsigned i = 1; i <= 5; i++)
		incident(i);
	resolve_and_lift(1);
	CHECK(say_of("incident.ack", 3) && say_of("incident.resolve", 4));
	resolve_and_lift(5);
	run_sql("INSERT INTO outbox (page, channel, action, severity, dedup, incident, step, state, attempts, "
		"delivered,"
		" next_at, made, sent_at, ended, closed, note, status, detail)"
		" VALUES (1, 'duty', 3, 3, 'k', 'inc-5', 0, 1, 9, 0, 0, 0, 0, 0, 0, '', 0, '')");
	/* One that stands alone. */
	ask_denied(9, 0x59);
	CHECK(number("SELECT count(*) FROM finding WHERE incident = 0") == 1);
	pass(399 * DAY);
	look();
	CHECK(is_there(1) && leaves_with(EVENT("incidents.removed"), NULL) == 0);
	pass(2 * DAY);
	look();
	CHECK(!is_there(1) && strstr(said, "inc-1 was removed") != NULL && strstr(said, "400 days") != NULL);
	CHECK(!say_of("incident.note", 1) && strstr(said, "inc-1 was removed") != NULL);
	CHECK(!is_there(6) && strstr(said, "there is no such incident") != NULL);
	CHECK(is_there(2) && is_there(3) && is_there(4) && is_there(5));
	CHECK(leaves_with(EVENT("incidents.removed"), "\"findings\":2,\"incidents\":[{\"from\":") == 1);
	CHECK(leaves_with(EVENT("incidents.removed"), "\"id\":\"inc-1\"") == 1 &&
	      leaves_with(EVENT("incidents.removed"), "\"responses\":1") == 1);
	CHECK(number("SELECT count(*) FROM finding WHERE incident IN (0, 1)") == 0);
	CHECK(number("SELECT count(*) FROM timeline WHERE incident = 1") == 0);
	CHECK(number("SELECT count(*) FROM response WHERE incident = 1") == 0);
	/* The records are all there. */
	CHECK(leaves_with(EVENT("finding"), "\"incident\":\"inc-1\"") == 1);
	/* Not more than once an hour, when there was nothing left. */
	run_sql("UPDATE outbox SET state = 3, ended = 1");
	look();
	CHECK(is_there(5));
	pass(HOUR);
	look();
	CHECK(!is_there(5) && is_there(4));
	lift(4);
	pass(HOUR);
	look();
	CHECK(!is_there(4) && is_there(2) && is_there(3));
	/* Numbers are not used again. */
	canary(7, 0x57);
	CHECK(is_there(6));
	end();
}

/* What a person said of it yesterday is not 400 days old, though its findings are. */
static void a_late_word_keeps_it(void)
{
	start();
	incident(1);
	run_sql("UPDATE incident SET last_us = 1000");
	resolve_and_lift(1);
	pass(399 * DAY);
	look();
	CHECK(is_there(1));
	pass(2 * DAY);
	look();
	CHECK(!is_there(1));
	end();
}

/* A page that was told together with others is undelivered as long as the one that tells it. */
static void a_page_among_others(void)
{
	start();
	incident(1);
	resolve_and_lift(1);
	run_sql("INSERT INTO outbox (id, page, channel, action, severity, dedup, incident, step, state, attempts,"
		" delivered, next_at, made, sent_at, ended, closed, note, status, detail, into_row) VALUES"
		" (1, 1, 'duty', 1, 3, 'k', 'inc-1', 0, 3, 0, 0, 0, 0, 0, 0, 0, '', 0, '', 2),"
		" (2, 2, 'duty', 1, 3, 'l', '', 0, 1, 9, 0, 0, 0, 0, 0, 0, '', 0, '', NULL)");
	pass(401 * DAY);
	look();
	CHECK(is_there(1));
	run_sql("UPDATE outbox SET state = 3, ended = 1 WHERE id = 2");
	pass(HOUR);
	look();
	CHECK(!is_there(1));
	end();
}

static void a_clock_that_is_wrong(void)
{
	start();
	incident(1);
	resolve_and_lift(1);
	pass(HOUR);
	look();
	wall_s += 401 * DAY;
	guard_follow_clock(rec.guard);
	look();
	CHECK(is_there(1));
	pass(HOUR - 1);
	look();
	CHECK(is_there(1));
	wall_s -= 401 * DAY;
	guard_follow_clock(rec.guard);
	pass(2 * HOUR);
	look();
	CHECK(is_there(1));
	/* Nor right after a start. */
	drop_all();
	wall_s += 401 * DAY;
	steady_init(guard_clock(), fake_wall, fake_boot);
	open_all();
	pass(HOUR - 1);
	look();
	CHECK(is_there(1));
	pass(1);
	look();
	CHECK(!is_there(1));
	end();
}

/* The configured time. */
static void another_time(void)
{
	start();
	config.guardian.keep_days = 30;
	incident(1);
	resolve_and_lift(1);
	pass(29 * DAY);
	look();
	CHECK(is_there(1));
	pass(2 * DAY);
	look();
	CHECK(!is_there(1) && strstr(said, "30 days") != NULL);
	end();
}

#define BULK_SQL                                                                                                       \
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO finding (seq,"     \
	" incident, event, ts_us, rule, what, agent, human, session, evidence) SELECT 1000000 + i, 1, i, 1, 'r',"      \
	" 'w', 'a', 'h', 's', '[1,2,3]' FROM n"

static double took_ms(void)
{
	struct timespec a, b;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	retain_tick(rec.guard->retain);
	commit_now(rec.commit);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

static void a_large_one_goes_piece_by_piece(void)
{
	double most = 0;
	unsigned ticks = 0;
	int64_t left, before = BULK + 1;

	start();
	incident(1);
	resolve_and_lift(1);
	run_sql(BULK_SQL);
	pass(401 * DAY);
	while ((left = number("SELECT count(*) FROM finding")) > 0 && ticks < 100) {
		double ms = took_ms();

		CHECK(before - left <= RETAIN_ROWS && !is_there(1));
		before = left;
		most = ms > most ? ms : most;
		ticks++;
	}
	CHECK(ticks == BULK / RETAIN_ROWS + 1 && number("SELECT count(*) FROM incident") == 0);
	printf("  a batch took at most %.2f ms of processor time, commit included\n", most);
	end();
}

struct sum {
	json_int_t findings, lines, responses, incidents;
};

static int add_up(const struct store_leaf *leaf, void *arg)
{
	struct sum *s = arg;
	json_t *all, *m;

	if (!leaf_is(leaf->leaf, leaf->len, "event", "incidents.removed"))
		return KG_OK;
	all = json_loadb(leaf->leaf, leaf->len, 0, NULL);
	m = json_object_get(all, "members");
	s->findings += json_integer_value(json_object_get(m, "findings"));
	s->lines += json_integer_value(json_object_get(m, "lines"));
	s->responses += json_integer_value(json_object_get(m, "responses"));
	s->incidents += (json_int_t)json_array_size(json_object_get(m, "incidents"));
	json_decref(all);
	return KG_OK;
}

/* Removes until the k-th step, where it is killed: before or behind a commit. True when it was not. */
static bool go_on_until(unsigned k)
{
	pid_t pid = fork();
	int st = 0;

	if (pid == 0) {
		unsigned step = 0;

		open_all();
		pass(HOUR);
		while (number("SELECT count(*) FROM incident") + number("SELECT count(*) FROM finding") > 0) {
			retain_tick(rec.guard->retain);
			if (++step == k)
				raise(SIGKILL);
			commit_now(rec.commit);
			if (++step == k)
				raise(SIGKILL);
		}
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid);
	return WIFEXITED(st) && WEXITSTATUS(st) == 0;
}

static void killed_between_batches(void)
{
	struct sum want, sum = {0};
	unsigned kills = 0;

	start();
	for (unsigned i = 1; i <= 9; i++) {
		incident(i);
		resolve_and_lift(i);
	}
	run_sql(BULK_SQL);
	want = (struct sum){number("SELECT count(*) FROM finding"), number("SELECT count(*) FROM timeline"),
			    number("SELECT count(*) FROM response"), 9};
	drop_all();
	pass(401 * DAY);
	while (kills < 40 && !go_on_until(1 + kills % 3))
		kills++;
	CHECK(kills > 5 && kills < 40);
	open_all();
	CHECK(store_leaves(store, 0, UINT32_MAX, add_up, &sum) == KG_OK);
	CHECK(sum.findings == want.findings && sum.lines == want.lines && sum.responses == want.responses &&
	      sum.incidents == want.incidents);
	CHECK(number("SELECT count(*) FROM timeline") == 0 && number("SELECT count(*) FROM response") == 0);
	end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&in, IPC_FRAME_MAX);
	RUN(what_goes_and_what_stays);
	RUN(a_late_word_keeps_it);
	RUN(a_page_among_others);
	RUN(a_clock_that_is_wrong);
	RUN(another_time);
	RUN(a_large_one_goes_piece_by_piece);
	RUN(killed_between_batches);
	buf_free(&in);
	return unit_end();
}
