#include "guardiand/recorder/risk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/log.h"

#define TICK_US 10000000u /* a point is gone after 26 s at the soonest */
#define LEAST 0.5         /* below it a score is 0 */
#define SUBJECT_MAX 256   /* RISK_PUT.subject */

struct risk {
	struct guard *g;
	struct risk_table *table;
	struct risk_rows *rows;
	uint64_t passed_us; /* in a test */
	uint64_t told_us;   /* when all were looked at */
	bool changed, all;  /* the newest ones of the table; any of it */
};

double risk_points(const struct guard_rule_info *rule)
{
	static const uint8_t points[GUARD_SCORING + 1][GUARD_CRITICAL + 1] = {
		[GUARD_SCORING] = {0, 6, 10, 20, 30},
		[GUARD_STATISTICAL] = {0, 10, 20, 40, 60},
		[GUARD_CERTAIN] = {0, 20, 40, 70, 90},
	};

	return points[rule->class][rule->severity];
}

double risk_left(double points, uint64_t age_us)
{
	return points * exp2(-(double)age_us / (double)RISK_HALF_US);
}

/* A clock that nobody sets; it begins late enough for all of the window to lie before it. */
static uint64_t now_us(const struct risk *r)
{
	return loop_now_ns() / 1000u + RISK_WINDOW_US + r->passed_us;
}

static void settle(struct risk_entry *e, uint64_t at_us)
{
	if (at_us <= e->at_us)
		return;
	e->found = risk_left(e->found, at_us - e->at_us);
	e->scored = risk_left(e->scored, at_us - e->at_us);
	e->at_us = at_us;
}

static uint8_t score_of(const struct risk_entry *e)
{
	double level = e->found + e->scored;

	return level < LEAST ? 0 : (uint8_t)lround(level);
}

static void tell_brokers(const struct risk *r, struct ipc_conn *only, const struct risk_entry *e, uint8_t score)
{
	struct ipc_risk_put m = {
		.kind = (uint8_t)e->kind, .score = score, .subject = ipc_mem(e->name, (uint32_t)e->len)};
	const struct peer *p;

	if (e->kind == RISK_SHARE)
		return;
	LIST_FOREACH(p, &r->g->r->peers, link)
	{
		if (p->role == IPC_ROLE_BROKER && (only == NULL || p->conn == only))
			(void)ipc_send(p->conn, IPC_RISK_PUT, &m);
	}
}

static void drop(struct risk *r, struct risk_entry *e)
{
	if (e->score != 0)
		tell_brokers(r, NULL, e, 0);
	risk_remove(r->table, e);
}

/* Whose, and how much. */
struct gain {
	enum risk_kind kind;
	const char *name;
	size_t len;
	double points, top;
	bool scoring; /* agents and servers write what is scored: by itself it reaches no further than RISK_SCORED_TOP
		       */
};

/* Adds points as far as they go; what was added. */
static double raise(struct risk *r, const struct gain *g, uint64_t at_us)
{
	struct risk_entry *e = risk_find(r->table, g->kind, g->name, g->len);
	double more;

	if (e == NULL && risk_table_full(r->table))
		drop(r, risk_oldest(r->table));
	e = risk_put(r->table, g->kind, g->name, g->len);
	if (e == NULL)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory for risks");
	settle(e, at_us);
	more = fmin(g->points, g->top - e->found - e->scored);
	if (g->scoring)
		more = fmin(more, RISK_SCORED_TOP - e->scored);
	more = fmax(more, 0);
	*(g->scoring ? &e->scored : &e->found) += more;
	e->changed = true;
	r->changed = true;
	return more;
}

/* A broker ends the connection of a recorder that names what can be nobody. */
static bool is_name(const char *name)
{
	size_t n = strlen(name);

	return n != 0 && n <= SUBJECT_MAX && utf8_valid(name, n);
}

static void raise_agent(struct risk *r, const char *agent, const char *human, struct gain g, uint64_t at_us)
{
	char share[RISK_NAME_MAX];
	size_t a = strlen(agent), h = strlen(human);

	if (a > RISK_AGENT_MAX || h > SUBJECT_MAX)
		return;
	memcpy(share, agent, a + 1);
	memcpy(share + a + 1, human, h);
	g.kind = RISK_SHARE;
	g.name = share;
	g.len = a + 1 + h;
	g.top = RISK_SHARE_TOP;
	g.points = raise(r, &g, at_us);
	g.kind = RISK_AGENT;
	g.len = a;
	g.top = RISK_TOP;
	raise(r, &g, at_us);
}

static void take(struct risk *r, const struct guard_rule_info *rule, const struct guard_about *about, uint64_t at_us)
{
	struct gain g = {.points = risk_points(rule), .top = RISK_TOP, .scoring = rule->class == GUARD_SCORING};

	if (is_name(about->session)) {
		g.kind = RISK_SESSION;
		g.name = about->session;
		g.len = strlen(g.name);
		raise(r, &g, at_us);
	}
	g.points /= 2;
	if (is_name(about->human)) {
		g.kind = RISK_HUMAN;
		g.name = about->human;
		g.len = strlen(g.name);
		raise(r, &g, at_us);
	}
	if (is_name(about->agent))
		raise_agent(r, about->agent, about->human, g, at_us);
}

void risk_found(struct risk *r, const struct guard_finding *f)
{
	struct guard_about about = finding_about(f);

	take(r, f->rule, &about, now_us(r));
}

static void take_row(const struct risk_row *row, void *arg)
{
	struct risk *r = arg;
	struct guard_about about = {.session = row->session, .agent = row->agent, .human = row->human};

	take(r, row->rule, &about, now_us(r) - row->age_us);
}

void risk_again(struct risk *r)
{
	struct risk_entry *e;

	for (e = risk_oldest(r->table); e != NULL; e = risk_newer(e)) {
		e->found = e->scored = 0;
		e->at_us = 0;
	}
	risk_rows_each(r->rows, take_row, r);
	r->all = true;
}

static void tell_one(struct risk *r, struct risk_entry *e)
{
	uint8_t score;

	e->changed = false;
	settle(e, now_us(r));
	score = score_of(e);
	if (score == 0) {
		drop(r, e);
		return;
	}
	if (score != e->score)
		tell_brokers(r, NULL, e, score);
	e->score = score;
}

void risk_tell(struct risk *r)
{
	struct risk_entry *e, *next;

	if (!r->changed && !r->all)
		return;
	for (e = risk_newest(r->table); e != NULL && (r->all || e->changed); e = next) {
		next = risk_older(e);
		tell_one(r, e);
	}
	r->changed = r->all = false;
}

void risk_tick(struct risk *r)
{
	uint64_t now = now_us(r);

	if (now - r->told_us < TICK_US)
		return;
	r->told_us = now;
	r->all = true;
	risk_tell(r);
}

void risk_greet(struct risk *r, struct ipc_conn *broker)
{
	static const struct ipc_risks_synced synced = {0};
	const struct risk_entry *e;

	r->all = true;
	risk_tell(r);
	for (e = risk_oldest(r->table); e != NULL; e = risk_newer(e))
		tell_brokers(r, broker, e, e->score);
	(void)ipc_send(broker, IPC_RISKS_SYNCED, &synced);
}

uint8_t risk_score(struct risk *r, enum risk_kind kind, const char *name)
{
	struct risk_entry *e = risk_find(r->table, kind, name, strlen(name));

	if (e == NULL)
		return 0;
	settle(e, now_us(r));
	return score_of(e);
}

void risk_pass(struct risk *r, uint64_t us)
{
	r->passed_us += us;
}

const struct risk_table *risk_known(const struct risk *r)
{
	return r->table;
}

struct risk_rows *risk_history(const struct risk *r)
{
	return r->rows;
}

struct risk *risk_new(struct guard *g)
{
	struct risk *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->table = risk_table_new(RISK_SUBJECTS_MAX);
	if (r == NULL || r->table == NULL)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory for risks");
	r->g = g;
	r->rows = risk_rows_new(g);
	risk_again(r);
	return r;
}

void risk_free(struct risk *r)
{
	if (r == NULL)
		return;
	risk_rows_free(r->rows);
	risk_table_free(r->table);
	free(r);
}
