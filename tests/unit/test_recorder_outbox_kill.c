/*
 * The recorder killed with SIGKILL at every step of its work with pages: around each COMMIT, so also between what is
 * marked as sent and its sending. Whatever was durable is delivered afterwards, under the key that it had before.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/unit/outbox_rig.h"

#define LOG_MAX 4096
#define INCIDENTS 12

/* What survives the process: what the pager saw, and what was durable. */
struct shared {
	size_t n;
	struct {
		uint64_t id;
		char channel[32], dedup[256];
		uint8_t action;
		bool ok;
	} log[LOG_MAX];
	bool added[INCIDENTS], resolved[INCIDENTS];
	uint64_t now;
};

static struct shared *shared;
static unsigned steps, kill_at;
static const char *pd[] = {"pd", NULL}, *pd_and_am[] = {"pd", "am", NULL}, *slack[] = {"slack", NULL};

static void step(void)
{
	if (++steps == kill_at)
		raise(SIGKILL);
}

static void on_commit(void *arg)
{
	(void)arg;
	step();
}

static const char *incident(unsigned i)
{
	static char name[32];

	snprintf(name, sizeof(name), "inc-%u", i);
	return name;
}

static struct verdict log_it(const struct seen *p, struct verdict v)
{
	size_t n = shared->n;

	if (n == LOG_MAX)
		abort();
	shared->log[n].id = p->id;
	shared->log[n].action = p->action;
	shared->log[n].ok = v.result == PAGED_OK;
	snprintf(shared->log[n].channel, sizeof(shared->log[n].channel), "%s", p->channel);
	snprintf(shared->log[n].dedup, sizeof(shared->log[n].dedup), "%s", p->dedup);
	shared->n++;
	step();
	return v;
}

static struct verdict logged_ok(const struct seen *p)
{
	return log_it(p, rig_ok(p));
}

static struct verdict logged_error(const struct seen *p)
{
	return log_it(p, rig_network_dead(p));
}

static struct verdict logged_silence(const struct seen *p)
{
	return log_it(p, rig_silent(p));
}

static struct verdict logged_refusal(const struct seen *p)
{
	return log_it(p, strcmp(p->channel, "pd") == 0 ? (struct verdict){PAGED_PERMANENT, 403, 0, "no"} : rig_ok(p));
}

static void say(enum outbox_kind kind, unsigned i, enum guard_severity severity)
{
	step();
	rig_add(kind, incident(i), severity);
	step();
	commit_now(rig_rec.commit);
	if (kind == OUTBOX_TRIGGER)
		shared->added[i] = true;
	if (kind == OUTBOX_RESOLVE)
		shared->resolved[i] = true;
	step();
	rig_pump();
	step();
}

static void pass(uint64_t us, uint64_t by)
{
	rig_pass(us, by);
	shared->now = rig_now;
	step();
}

static void configure(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 12);
	rig_add_channel("slack", CHANNEL_SLACK, 12);
	rig_add_route(GUARD_LOW, pd, 600, slack);
}

/* One more, which is told again and again. */
static void configure_repeats(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 12);
	rig_add_channel("slack", CHANNEL_SLACK, 12);
	rig_add_channel("am", CHANNEL_ALERTMANAGER, 60);
	rig_add_route(GUARD_LOW, pd_and_am, 600, slack);
}

/* Everything that a page can go through. */
static void script(void)
{
	struct commit_watcher watcher = {.before = on_commit, .after = on_commit};

	rig_open();
	rig_connect();
	commit_watch(rig_rec.commit, &watcher);
	rig_answer = logged_error;
	say(OUTBOX_TRIGGER, 0, GUARD_HIGH);
	rig_answer = logged_ok;
	pass(40 * SECOND_US, 10 * SECOND_US);
	rig_answer = logged_silence;
	say(OUTBOX_TRIGGER, 1, GUARD_CRITICAL);
	pass(31 * SECOND_US, 10 * SECOND_US);
	rig_answer = logged_ok;
	rig_connect(); /* the pager was killed */
	pass(SECOND_US, SECOND_US);
	say(OUTBOX_ACK, 0, GUARD_HIGH);
	say(OUTBOX_RESOLVE, 1, GUARD_CRITICAL);
	rig_answer = logged_refusal;
	say(OUTBOX_TRIGGER, 2, GUARD_HIGH);
	rig_answer = logged_ok;
	for (unsigned i = 3; i < 10; i++)
		rig_add(OUTBOX_TRIGGER, incident(i), GUARD_HIGH);
	say(OUTBOX_TRIGGER, 10, GUARD_HIGH);
	for (unsigned i = 3; i < 10; i++)
		shared->added[i] = true;
	pass(60 * SECOND_US, 10 * SECOND_US);
	say(OUTBOX_RESOLVE, 10, GUARD_HIGH);
	say(OUTBOX_RAISED, 0, GUARD_CRITICAL);
	pass(11 * MINUTE_US, MINUTE_US);
}

static bool is_told(unsigned i)
{
	json_t *pages = outbox_pages(rig_outbox, incident(i));
	bool told = json_array_size(pages) > 0;
	const json_t *p;
	size_t k;

	json_array_foreach(pages, k, p)
	{
		const char *state = json_string_value(json_object_get(p, "state"));

		told = told &&
		       (strcmp(state, "delivered") == 0 || strcmp(state, "dropped") == 0 || strcmp(state, "dead") == 0);
	}
	json_decref(pages);
	return told;
}

static bool was_delivered(const char *dedup)
{
	for (size_t i = 0; i < shared->n; i++)
		if (shared->log[i].ok && shared->log[i].action == PAGE_TRIGGER &&
		    strcmp(shared->log[i].dedup, dedup) == 0)
			return true;
	return false;
}

/* The last that a channel heard under a key, 0: nothing. */
static uint8_t last_word(const char *channel, const char *dedup)
{
	uint8_t action = 0;

	for (size_t i = 0; i < shared->n; i++)
		if (strcmp(shared->log[i].channel, channel) == 0 && strcmp(shared->log[i].dedup, dedup) == 0)
			action = shared->log[i].action;
	return action;
}

static void check_keys(void)
{
	for (size_t i = 0; i < shared->n; i++)
		for (size_t j = 0; j < i; j++)
			CHECK(shared->log[i].id != shared->log[j].id ||
			      strcmp(shared->log[i].dedup, shared->log[j].dedup) == 0);
}

/* Nothing is with a pager that nobody has asked yet. */
static void check_unsent(void)
{
	for (unsigned i = 0; i < INCIDENTS; i++) {
		json_t *pages = outbox_pages(rig_outbox, incident(i));
		const json_t *p;
		size_t k;

		json_array_foreach(pages, k, p)
		{
			CHECK(strcmp(json_string_value(json_object_get(p, "state")), "sent") != 0);
		}
		json_decref(pages);
	}
}

/* It comes again, and everything is resolved before the pager is back: whatever a provider may keep is closed there. */
static void check_resolved(void)
{
	char dead[DEDUP_MAX + 1];

	rig_open();
	for (unsigned i = 0; i < INCIDENTS; i++)
		rig_add(OUTBOX_RESOLVE, incident(i), GUARD_HIGH);
	rig_connect();
	rig_answer = logged_ok;
	rig_pass(2 * HOUR_US, 20 * SECOND_US);
	outbox_key(rig_outbox, incident(2), dead); /* was refused for good */
	for (size_t i = 0; i < shared->n; i++)
		if (strcmp(shared->log[i].channel, "am") == 0 ||
		    (strcmp(shared->log[i].channel, "pd") == 0 && strcmp(shared->log[i].dedup, dead) != 0))
			CHECK(last_word(shared->log[i].channel, shared->log[i].dedup) == PAGE_RESOLVE);
	CHECK(rig_waiting() == 0);
	check_keys();
	rig_close();
}

/* It comes again, and time passes. */
static void check_delivered(void)
{
	char dedup[DEDUP_MAX + 1];

	rig_open();
	check_unsent();
	rig_connect();
	rig_answer = logged_ok;
	rig_pass(2 * HOUR_US, 20 * SECOND_US);
	CHECK(rig_waiting() == 0);
	check_keys();
	for (unsigned i = 0; i < INCIDENTS; i++) {
		outbox_key(rig_outbox, incident(i), dedup);
		CHECK(!shared->added[i] || is_told(i));
		CHECK(!shared->added[i] || shared->resolved[i] || i > 2 || was_delivered(dedup));
		if (shared->resolved[i] && last_word("pd", dedup) != 0)
			CHECK(last_word("pd", dedup) == PAGE_RESOLVE);
		if (shared->resolved[i] && last_word("am", dedup) != 0)
			CHECK(last_word("am", dedup) == PAGE_RESOLVE);
	}
	rig_close();
}

static void kill_at_every_step(void (*check_afterwards)(void))
{
	unsigned kills = 0;
	int st = 0;

	for (unsigned k = 1; k < 1000; k++) {
		pid_t pid;

		memset(shared, 0, sizeof(*shared));
		snprintf(rig_dir, sizeof(rig_dir), "%s/recorder-outbox-XXXXXX",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		CHECK(mkdtemp(rig_dir) != NULL);
		shared->now = rig_now = rig_monday(12, 0);
		buf_init(&rig_in, IPC_FRAME_MAX);
		steps = 0;
		kill_at = k;
		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			script();
			_exit(0);
		}
		CHECK(waitpid(pid, &st, 0) == pid);
		kill_at = 0;
		rig_now = shared->now;
		check_afterwards();
		rig_remove();
		if (!WIFSIGNALED(st) || unit_bad)
			break;
		CHECK(WTERMSIG(st) == SIGKILL);
		kills++;
	}
	CHECK(WIFEXITED(st) && kills > 50);
	printf("killed at %u steps, no page lost\n", kills);
}

static void test_killed_at_every_step(void)
{
	kill_at_every_step(check_delivered);
}

static void test_killed_and_resolved(void)
{
	kill_at_every_step(check_resolved);
}

/* Whatever happens between, a repetition is never the last word about what is resolved. */
static void test_killed_with_repeats(void)
{
	configure_repeats();
	kill_at_every_step(check_delivered);
	kill_at_every_step(check_resolved);
}

/* The pager is killed again and again while a storm is under way. */
static void test_pager_killed(void)
{
	rig_configure();
	rig_add_channel("pd", CHANNEL_PAGERDUTY, 60);
	rig_begin();
	memset(shared, 0, sizeof(*shared));
	for (unsigned round = 0; round < 20; round++) {
		rig_answer = round % 2 == 0 ? logged_silence : logged_ok;
		rig_tell(OUTBOX_TRIGGER, incident(round), GUARD_HIGH);
		rig_connect();
		rig_pump();
		rig_step(5 * SECOND_US);
	}
	rig_answer = logged_ok;
	rig_connect();
	rig_pass(10 * MINUTE_US, SECOND_US);
	CHECK(rig_waiting() == 0);
	check_keys();
	for (unsigned i = 0; i < 20; i++)
		CHECK(is_told(i));
	rig_end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	configure();
	RUN(test_killed_at_every_step);
	RUN(test_killed_and_resolved);
	RUN(test_killed_with_repeats);
	RUN(test_pager_killed);
	return unit_end();
}
