/* What was ordered for ten minutes lasts ten minutes, whatever the clock is set to meanwhile. */
#include "guardiand/recorder/guard_clock.h"
#include "guardiand/recorder/respond_rows.h"
#include "tests/unit/guard_rig.h"

#define CALLED "detection: {selection: {kind: call, phase: intent, tool: \"notes/canary*\"}}\n"
#define DAY 86400u

static const char rules[] = "title: A canary\nid: own-canary\nclass: certain\nseverity: high\n" CALLED
			    "detector: {type: match, by: session}\nsuppress: 1s\n"
			    "response:\n  - {act: pause, for: 10m}\n";

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

static void start(void)
{
	wall_s = (uint64_t)time(NULL);
	boot = 1000000000000ull;
	steady_init(guard_clock(), fake_wall, fake_boot);
	own_rules = rules;
	begin();
	connect_vault();
}

static void tick(void)
{
	guard_follow_clock(rec.guard);
	respond_expire(rec.guard->responses, guard_now());
	turn();
}

static void pass(unsigned seconds)
{
	wall_s += seconds;
	boot += seconds * 1000000000ull;
	tick();
}

static void set_clock(int64_t by)
{
	wall_s += (uint64_t)by;
	tick();
}

/* A pause, confirmed. */
static uint64_t paused(unsigned human, uint8_t session)
{
	uint64_t id;

	canary(human, session);
	CHECK(hear_later(vault, IPC_GUARD_ACT));
	id = act()->id;
	CHECK(act()->until_unix == guard_now() + 600);
	done(id, GRANT_OK, "");
	return id;
}

static void set_forward(void)
{
	uint64_t id;

	start();
	id = paused(1, 0x51);
	pass(60);
	set_clock(DAY);
	CHECK(leaves_with(EVENT("response.lifted"), NULL) == 0 && ask_ordinary(1, 0x51) == GRANT_DENIED);
	CHECK(leaves_with(EVENT("clock.set"), "\"responses\":1,\"seconds\":86400") == 1);
	/* vaultd is told the new end. */
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->id == id && act()->until_unix == wall_s + 540 && !act()->lift);
	done(id, GRANT_OK, "");
	pass(539);
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	pass(2);
	CHECK(leaves_with(EVENT("response.lifted"), "\"why\":\"time\"") == 1 && ask_ordinary(1, 0x51) == GRANT_OK);
	end();
}

static void set_back(void)
{
	uint64_t id;

	start();
	id = paused(1, 0x51);
	set_clock(-30 * (int64_t)DAY);
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->id == id && act()->until_unix == wall_s + 600);
	CHECK(leaves_with(EVENT("clock.set"), "\"seconds\":-2592000") == 1);
	pass(601);
	CHECK(leaves_with(EVENT("response.lifted"), "\"why\":\"time\"") == 1 && ask_ordinary(1, 0x51) == GRANT_OK);
	end();
}

/* What is ordered between the step and the tick that sees it ends in its time as well. */
static void ordered_in_between(void)
{
	start();
	wall_s += DAY;
	canary(2, 0x52);
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->until_unix == wall_s - DAY + 600);
	tick();
	CHECK(hear_later(vault, IPC_GUARD_ACT) && act()->until_unix == wall_s + 600);
	done(act()->id, GRANT_OK, "");
	pass(599);
	CHECK(ask_ordinary(2, 0x52) == GRANT_DENIED);
	pass(2);
	CHECK(ask_ordinary(2, 0x52) == GRANT_OK);
	end();
}

static void break_glass_lasts_as_long(void)
{
	start();
	json_decref(command("guardian.break_glass", json_pack("{s:i, s:s}", "seconds", 600, "why", "x")));
	set_clock(DAY);
	CHECK(rec.guard->break_glass_until == wall_s + 600);
	canary(1, 0x51);
	CHECK(leaves_with(EVENT("response.held"), "break-glass") == 1);
	pass(601);
	set_clock(-2 * (int64_t)DAY);
	/* It is over, and stays so. */
	canary(2, 0x52);
	CHECK(leaves_with(EVENT("response.ordered"), NULL) == 1);
	end();
}

/* Across a restart there is the time of day alone; what was moved is what is taken up. */
static void over_a_restart(void)
{
	start();
	paused(1, 0x51);
	set_clock(DAY);
	drop_all();
	wall_s += 500;
	boot = 7000000000ull;
	steady_init(guard_clock(), fake_wall, fake_boot);
	open_all();
	connect_vault();
	tick();
	CHECK(ask_ordinary(1, 0x51) == GRANT_DENIED);
	CHECK(leaves_with(EVENT("clock.set"), NULL) == 1);
	pass(101);
	CHECK(ask_ordinary(1, 0x51) == GRANT_OK);
	end();
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	buf_init(&in, IPC_FRAME_MAX);
	RUN(set_forward);
	RUN(set_back);
	RUN(ordered_in_between);
	RUN(break_glass_lasts_as_long);
	RUN(over_a_restart);
	buf_free(&in);
	return unit_end();
}
