/*
 * The recorder is killed at random moments, in the middle of saving its state too: what it finds afterwards is what a
 * run without a kill finds, each once.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/guard_rig.h"

#define TOOLS 20
#define SESSIONS 10 /* as many findings of one rule as are written down in a second */
#define EACH 6
#define EVENTS (TOOLS * SESSIONS * EACH)
#define KILLS_MAX 100

static char rules_text[TOOLS * 400];
static char killed_dir[64];

/* For each tool a rule: the fifth call of a session is a finding. */
static void make_rules(void)
{
	size_t at = 0;

	for (unsigned i = 0; i < TOOLS; i++)
		at += (size_t)snprintf(
			rules_text + at, sizeof(rules_text) - at,
			"%stitle: Rule %u\nid: rule-%u\nclass: certain\nseverity: medium\nsuppress: 8h\n"
			"detection:\n  selection:\n    kind: call\n    phase: intent\n    tool: \"s/t%u\"\n"
			"detector:\n  type: count\n  by: session\n  window: 8h\n  threshold: 5\n"
			"response:\n  - act: rate\n    rate: 5\n",
			i == 0 ? "" : "---\n", i, i, i);
	own_rules = rules_text;
}

/* The n-th event, in an order that mixes all. */
static void put_event(unsigned n)
{
	unsigned mixed = n * 7919u % EVENTS;
	uint8_t session[ID_LEN], txn[ID_LEN] = {0};
	char tool[16];
	struct leaf_event e = {.phase = PHASE_INTENT,
			       .kind = "call",
			       .method = "tools/call",
			       .decision = "deny",
			       .txn = txn,
			       .session = session,
			       .agent = ipc_text("agent"),
			       .human = ipc_text("human"),
			       .server = ipc_text("s")};
	uint64_t seq;

	memset(session, 1 + (int)(mixed / TOOLS % SESSIONS), ID_LEN);
	memcpy(txn, &n, sizeof(n));
	snprintf(tool, sizeof(tool), "t%u", mixed % TOOLS);
	e.name = ipc_text(tool);
	CHECK(commit_leaf(rec.commit, &e, COMMIT_URGENT, &seq) == KG_OK);
	commit_now(rec.commit);
}

static int count_calls(const struct store_leaf *leaf, void *arg)
{
	*(unsigned *)arg += leaf_is(leaf->leaf, leaf->len, "kind", "call");
	return KG_OK;
}

static unsigned calls_on_record(void)
{
	unsigned n = 0;

	CHECK(store_leaves(store, 0, UINT32_MAX, count_calls, &n) == KG_OK);
	return n;
}

/* A recorder alone: no peers. */
static void open_bare(void)
{
	char error[STORE_ERROR_MAX];

	loop = loop_new();
	if (store_open(dir, &store, error) != KG_OK) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	recorder_init(&rec, loop, store);
	recorder_guard(&rec, &config, rig_rules());
	saver_pace(rec.guard->saver, 0, 600);
	commit_now(rec.commit);
}

static void close_bare(void)
{
	recorder_free(&rec);
	store_close(store);
	loop_free(loop);
}

/* Goes on where the record ends; a save is always under way. */
static void feed_rest(void)
{
	open_bare();
	for (unsigned n = calls_on_record(); n < EVENTS; n++) {
		put_event(n);
		saver_step(rec.guard->saver);
	}
	close_bare();
}

struct found {
	uint8_t times[TOOLS][SESSIONS];
	uint8_t ordered[SESSIONS];
	unsigned total;
};

static int note_finding(const struct store_leaf *leaf, void *arg)
{
	struct found *f = arg;
	uint8_t session[ID_LEN];
	const char *rule;

	if (!leaf_is(leaf->leaf, leaf->len, "kind", "guardian") ||
	    leaf_bytes(leaf->leaf, leaf->len, "session", session, ID_LEN) != KG_OK || session[0] > SESSIONS)
		return KG_OK;
	rule = memmem(leaf->leaf, leaf->len, "\"rule\":\"rule-", 13);
	if (leaf_is(leaf->leaf, leaf->len, "event", "finding") && rule != NULL) {
		f->times[strtoul(rule + 13, NULL, 10) % TOOLS][session[0] - 1]++;
		f->total++;
	}
	f->ordered[session[0] - 1] += leaf_is(leaf->leaf, leaf->len, "event", "response.ordered");
	return KG_OK;
}

static void read_found(struct found *out)
{
	memset(out, 0, sizeof(*out));
	open_bare();
	CHECK(calls_on_record() == EVENTS);
	CHECK(store_leaves(store, 0, UINT32_MAX, note_finding, out) == KG_OK);
	CHECK(leaves_with(EVENT("finding.more"), NULL) == 0);
	close_bare();
}

/* Feeds in a child that is killed after so many microseconds; whether it came to its end before. */
static bool feed_and_kill(unsigned us)
{
	struct timespec wait = {.tv_nsec = (long)us * 1000};
	pid_t pid = fork();
	int st = 0;

	if (pid == 0) {
		feed_rest();
		_exit(0);
	}
	nanosleep(&wait, NULL);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &st, 0) == pid);
	return WIFEXITED(st);
}

static void killed_and_not_killed_find_the_same(void)
{
	static struct found straight, killed;
	unsigned kills = 0;

	snprintf(dir, sizeof(dir), "/tmp/recorder-guard-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	feed_rest();
	read_found(&straight);
	remove_dir();
	CHECK(straight.total == TOOLS * SESSIONS);
	snprintf(killed_dir, sizeof(killed_dir), "/tmp/recorder-guard-XXXXXX");
	CHECK(mkdtemp(killed_dir) != NULL);
	memcpy(dir, killed_dir, sizeof(dir));
	while (kills < KILLS_MAX && !feed_and_kill(30000 + 1000 * kills + randombytes_uniform(60000)))
		kills++;
	feed_rest();
	read_found(&killed);
	CHECK(memcmp(&straight, &killed, sizeof(straight)) == 0);
	printf("%u findings, the same after %u kills\n", killed.total, kills);
	CHECK(kills > 3);
	remove_dir();
}

/* What was saved is as good as what is fed again; and what is broken is left behind. */
static void a_broken_state_starts_anew(void)
{
	uint64_t keys;

	snprintf(dir, sizeof(dir), "/tmp/recorder-guard-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	open_bare();
	for (unsigned n = 0; n < 300; n++)
		put_event(n);
	guard_stop(rec.guard);
	keys = guard_engine_keys(rec.guard->engine);
	close_bare();
	open_bare();
	CHECK(keys > 100 && guard_engine_keys(rec.guard->engine) == keys);
	table_make(store, "UPDATE guardian_state SET bytes = zeroblob(500) WHERE part % 3 = 0");
	commit_now(rec.commit);
	close_bare();
	open_bare();
	CHECK(guard_engine_keys(rec.guard->engine) == keys);
	table_make(store, "UPDATE guardian_state_seq SET seqs = zeroblob(7)");
	commit_now(rec.commit);
	close_bare();
	open_bare();
	CHECK(guard_engine_keys(rec.guard->engine) == keys);
	close_bare();
	remove_dir();
}

static uint64_t fill_keys(unsigned n)
{
	struct guard_event ev = {0};
	char session[16];

	ev.field[GUARD_KIND] = (struct guard_text){"call", 4};
	ev.field[GUARD_PHASE] = (struct guard_text){"intent", 6};
	ev.field[GUARD_TOOL] = (struct guard_text){"s/t1", 4};
	for (unsigned i = 0; i < n; i++) {
		snprintf(session, sizeof(session), "%015u", i);
		ev.field[GUARD_SESSION] = (struct guard_text){session, 15};
		ev.seq = 1;
		ev.ts_us = 1793610000000000ull + i;
		guard_engine_feed(rec.guard->engine, &ev);
	}
	return guard_engine_keys(rec.guard->engine);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* 100,000 keys, all changed: each step is short, and after the last one nothing is left to save. */
static void a_save_does_not_hold_the_loop(void)
{
	uint64_t longest = 0, total = 0, start, took;
	unsigned steps = 0;
	bool more;

	snprintf(dir, sizeof(dir), "/tmp/recorder-guard-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	open_bare();
	CHECK(fill_keys(100000) > 90000);
	saver_pace(rec.guard->saver, 0, 256u << 10);
	do {
		start = cpu_ns();
		more = saver_step(rec.guard->saver);
		took = cpu_ns() - start;
		longest = took > longest ? took : longest;
		total += took;
		steps++;
	} while (more);
	printf("100,000 keys saved in %u steps, %.1f ms for one, %.1f ms at most\n", steps, (double)total / 1e6 / steps,
	       (double)longest / 1e6);
	CHECK(steps > 50 && total / steps < 20000000);
	for (size_t i = 0; i < guard_engine_parts(rec.guard->engine); i++)
		CHECK(!guard_engine_part_changed(rec.guard->engine, i));
	close_bare();
	remove_dir();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	config.origin = "test.example/log";
	make_rules();
	RUN(killed_and_not_killed_find_the_same);
	RUN(a_broken_state_starts_anew);
	RUN(a_save_does_not_hold_the_loop);
	return unit_end();
}
