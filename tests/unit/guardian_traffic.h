/*
 * Ordinary traffic, invented: what the shipped rules must be silent about. Assumptions, all of them:
 * - each agent works for one human, on weekdays between 7:00 and 19:00, each on its own pattern, and one in twenty also
 * in the evening;
 * - a day has one to four sessions, each of bursts of 3 to 25 calls that are seconds apart, 12 to 120 calls a session;
 * - an agent knows 4 to 12 tools of 1 to 3 servers and prefers some (the n-th is called 1/n as often); once in some ten
 * days it takes up a tool that it never called;
 * - 88 % of calls read, 11.5 % write, 0.5 % destroy; results are a few kilobytes, one in a hundred is 200 kB; what is
 * written is small;
 * - of the tools that read, every other one gets a single thing, the others list a page of 1 to 50 records; the results
 * of 200 kB hold 400 to 1,000;
 * - one agent in twenty makes reports: in half of its sessions it reads 2,000 to 6,000 records of some 150 bytes at
 * once, every fifth time twice in a row; another one in fifty does so once a week, on its own day;
 * - 2 % of calls are refused, and one in three of these is tried once more, one in ten twice more; 3 % fail at the
 * server, and one server in the fleet has an outage of ten minutes a day in which two of three calls fail;
 * - humans are asked for approvals: 1 in 400 calls is refused for want of one and repeated.
 */
#ifndef TESTS_UNIT_GUARDIAN_TRAFFIC_H
#define TESTS_UNIT_GUARDIAN_TRAFFIC_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/guardian/guardian.h"

#define SECOND_US 1000000ull
#define DAY_US (86400 * SECOND_US)
/* Monday, 2 November 2026, 0:00 UTC */
#define MONDAY_US (1793577600ull * SECOND_US)

struct traffic {
	uint64_t random;
	uint64_t seq, calls;
	struct guard_engine *engine;
};

/* SplitMix64: the same numbers everywhere. */
static inline uint64_t traffic_random(struct traffic *t)
{
	uint64_t z = (t->random += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline uint64_t traffic_below(struct traffic *t, uint64_t n)
{
	return traffic_random(t) % n;
}

static inline int traffic_chance(struct traffic *t, double p)
{
	return (double)(traffic_random(t) >> 11) / 9007199254740992.0 < p;
}

static inline struct guard_text traffic_text(const char *s)
{
	return (struct guard_text){s, (uint32_t)strlen(s)};
}

/* Who calls: the texts of a session, as the record has them. */
struct traffic_session {
	char agent[32], human[48], session[33], consent[33], source[32];
};

static inline void traffic_session(struct traffic_session *s, unsigned agent, uint64_t number)
{
	snprintf(s->agent, sizeof(s->agent), "agent-%u", agent);
	snprintf(s->human, sizeof(s->human), "human-%u@example.com", agent);
	snprintf(s->session, sizeof(s->session), "%08x%024llx", agent, (unsigned long long)number);
	snprintf(s->consent, sizeof(s->consent), "c%07x%024llx", agent, (unsigned long long)number);
	snprintf(s->source, sizeof(s->source), "10.0.%u.%u", agent / 250 % 250, agent % 250);
}

/* One call to be: everything that the detectors look at. */
struct traffic_call {
	const struct traffic_session *who;
	uint64_t ts_us;
	const char *server, *tool, *tier, *reason, *outcome; /* reason: NULL when allowed */
	uint64_t bytes_in, bytes_out;
	uint32_t records;        /* in the result */
	uint64_t arguments;      /* which: the same number, the same arguments; 0: others than ever before */
	const char *sent, *seen; /* a destination in the arguments, in the result; NULL */
};

/* The events of a call: its intent, and its outcome when it was allowed. */
static inline void traffic_call(struct traffic *t, const struct traffic_call *c)
{
	struct guard_event ev = {0};
	char arguments[20];
	uint8_t txn[16];

	t->calls++;
	memcpy(txn, &t->calls, 8);
	memset(txn + 8, 7, 8);
	snprintf(arguments, sizeof(arguments), "%016llx",
		 (unsigned long long)(c->arguments != 0 ? c->arguments : t->calls << 32));
	ev.field[GUARD_ARGUMENTS] = traffic_text(arguments);
	ev.seq = ++t->seq;
	ev.ts_us = c->ts_us;
	ev.txn = txn;
	ev.field[GUARD_KIND] = traffic_text("call");
	ev.field[GUARD_PHASE] = traffic_text("intent");
	ev.field[GUARD_METHOD] = traffic_text("tools/call");
	ev.field[GUARD_DECISION] = traffic_text(c->reason == NULL ? "allow" : "deny");
	ev.field[GUARD_REASON] = traffic_text(c->reason == NULL ? "policy-permit" : c->reason);
	ev.field[GUARD_TIER] = traffic_text(c->tier);
	ev.field[GUARD_AGENT] = traffic_text(c->who->agent);
	ev.field[GUARD_HUMAN] = traffic_text(c->who->human);
	ev.field[GUARD_SESSION] = traffic_text(c->who->session);
	ev.field[GUARD_CONSENT] = traffic_text(c->who->consent);
	ev.field[GUARD_SERVER] = traffic_text(c->server);
	ev.field[GUARD_TOOL] = traffic_text(c->tool);
	ev.field[GUARD_SOURCE] = traffic_text(c->who->source);
	ev.bytes_in = c->bytes_in;
	if (c->sent != NULL)
		ev.mark[ev.nmarks++] = traffic_text(c->sent);
	guard_engine_feed(t->engine, &ev);
	if (c->reason != NULL)
		return;
	ev = (struct guard_event){.seq = ++t->seq, .ts_us = c->ts_us + 200000, .txn = txn, .bytes_out = c->bytes_out};
	ev.field[GUARD_KIND] = traffic_text("call");
	ev.field[GUARD_PHASE] = traffic_text("outcome");
	ev.field[GUARD_OUTCOME] = traffic_text(c->outcome == NULL ? "ok" : c->outcome);
	ev.score[GUARD_SCORE_RECORDS] = c->records;
	if (c->seen != NULL)
		ev.mark[ev.nmarks++] = traffic_text(c->seen);
	guard_engine_feed(t->engine, &ev);
}

/* The n-th of a preference: 1/n as often as the first. */
static inline unsigned traffic_zipf(struct traffic *t, unsigned n)
{
	double sum = 0, x;

	for (unsigned i = 1; i <= n; i++)
		sum += 1.0 / i;
	x = sum * (double)(traffic_random(t) >> 11) / 9007199254740992.0;
	for (unsigned i = 1; i <= n; i++)
		if ((x -= 1.0 / i) <= 0)
			return i - 1;
	return n - 1;
}

static inline void traffic_ordinary_call(struct traffic *t, const struct traffic_session *who, unsigned agent,
					 unsigned day, uint64_t ts_us)
{
	static const char *const tiers[] = {"read", "write", "destructive"};
	unsigned known = 4 + agent % 9 + day / 10, pick = traffic_zipf(t, known), servers = 1 + agent % 3;
	unsigned server_no = (agent + pick % servers) % 20, kind, large;
	char server[32], tool[64];
	struct traffic_call c = {.who = who, .ts_us = ts_us, .server = server, .tool = tool};
	uint64_t roll = traffic_below(t, 1000), minute = ts_us / (60 * SECOND_US) % 1440;
	int outage = server_no == day % 20 && minute >= 600 && minute < 610;

	kind = roll < 880 ? 0 : roll < 995 ? 1 : 2;
	c.tier = tiers[kind];
	snprintf(server, sizeof(server), "server-%u", server_no);
	snprintf(tool, sizeof(tool), "server-%u/%s-%u", server_no, c.tier, pick);
	c.bytes_in = 50 + traffic_below(t, 400) + (kind == 1 ? traffic_below(t, 3000) : 0);
	large = (unsigned)traffic_chance(t, 0.01);
	c.bytes_out = large ? 200000 : 500 + traffic_below(t, 8000);
	if (kind == 0 && pick % 2 == 1)
		c.records = 1 + (uint32_t)traffic_below(t, 50);
	if (large)
		c.records = 400 + (uint32_t)traffic_below(t, 601);
	if (traffic_chance(t, 0.02)) {
		int more = traffic_chance(t, 0.1) ? 2 : traffic_chance(t, 0.33);

		c.reason = "policy-default";
		c.arguments = t->calls + 1;
		traffic_call(t, &c);
		for (int i = 0; i < more; i++, c.ts_us += 2 * SECOND_US)
			traffic_call(t, &c);
		return;
	}
	if (traffic_chance(t, 1.0 / 400)) {
		c.reason = "approval-required";
		traffic_call(t, &c);
		c.ts_us += 60 * SECOND_US;
		c.reason = NULL;
	}
	if (traffic_chance(t, outage ? 0.66 : 0.03))
		c.outcome = "tool-error";
	traffic_call(t, &c);
}

/* A report: a list of thousands at once, and sometimes again because something was wrong with it. */
static inline void traffic_report(struct traffic *t, const struct traffic_session *who, uint64_t ts_us)
{
	struct traffic_call c = {.who = who,
				 .ts_us = ts_us,
				 .server = "reports",
				 .tool = "reports/read-all",
				 .tier = "read",
				 .bytes_in = 100,
				 .records = 2000 + (uint32_t)traffic_below(t, 4001)};

	c.bytes_out = c.records * 150ull;
	traffic_call(t, &c);
	c.ts_us += 20 * SECOND_US;
	if (traffic_chance(t, 0.2))
		traffic_call(t, &c);
}

/* Whether a session of the day has one. */
static inline int traffic_reports(struct traffic *t, unsigned agent, unsigned day, unsigned session)
{
	if (agent % 20 == 3)
		return traffic_chance(t, 0.5);
	return agent % 50 == 7 && day % 7 == agent / 50 % 5 && session == 0;
}

/* One day of one agent. */
static inline void traffic_day(struct traffic *t, unsigned agent, unsigned day)
{
	uint64_t midnight = MONDAY_US + day * DAY_US;
	unsigned sessions = 1 + (unsigned)traffic_below(t, 4);
	int evening = agent % 20 == 0;
	struct traffic_session who;

	if (day % 7 >= 5)
		return;
	for (unsigned s = 0; s < sessions; s++) {
		uint64_t ts = midnight + (7 * 3600 + traffic_below(t, (evening ? 13 : 10) * 3600)) * SECOND_US;
		unsigned calls = 12 + (unsigned)traffic_below(t, 109), burst = 0;

		traffic_session(&who, agent, (uint64_t)day * 8 + s);
		if (traffic_reports(t, agent, day, s))
			traffic_report(t, &who, ts);
		for (unsigned i = 0; i < calls; i++) {
			if (burst == 0) {
				burst = 3 + (unsigned)traffic_below(t, 23);
				ts += (30 + traffic_below(t, 240)) * SECOND_US;
			}
			burst--;
			ts += (1 + traffic_below(t, 12)) * SECOND_US;
			traffic_ordinary_call(t, &who, agent, day, ts);
		}
	}
}

#endif
