/* Scores and what they are made of, for people. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "guardiand/recorder/risk.h"

#define SHOWN 20
#define REASONS 3 /* of each: what gives most */

struct shown {
	enum risk_kind kind;
	const char *name; /* borrowed */
	uint8_t score;
	struct {
		unsigned findings;
		double points;
	} by_rule[GUARD_RULES_MAX];
};

struct show {
	struct risk *risk;
	size_t n;
	struct shown one[SHOWN];
};

static void add(struct show *s, enum risk_kind kind, const char *name, uint8_t score)
{
	size_t at = s->n;

	if (score == 0)
		return;
	while (at > 0 && s->one[at - 1].score < score)
		at--;
	if (at == SHOWN)
		return;
	if (s->n < SHOWN)
		s->n++;
	for (size_t i = s->n - 1; i > at; i--)
		s->one[i] = s->one[i - 1];
	s->one[at] = (struct shown){.kind = kind, .name = name, .score = score};
}

static const char *name_in(const struct risk_row *row, enum risk_kind kind)
{
	switch (kind) {
	case RISK_SESSION:
		return row->session;
	case RISK_AGENT:
		return row->agent;
	default:
		return row->human;
	}
}

static void count_row(const struct risk_row *row, void *arg)
{
	struct show *s = arg;

	for (size_t i = 0; i < s->n; i++) {
		struct shown *one = &s->one[i];
		double points = risk_points(row->rule) / (one->kind == RISK_SESSION ? 1 : 2);

		if (strcmp(name_in(row, one->kind), one->name) != 0)
			continue;
		one->by_rule[row->rule_number].findings++;
		one->by_rule[row->rule_number].points += risk_left(points, row->age_us);
	}
}

/* The rule that gives most of what is left; it is taken out. False when none gives a point. */
static bool take_top(const struct guard *g, struct shown *one, json_t *why)
{
	size_t top = 0, n = guard_rules_count(g->rules);

	for (size_t i = 1; i < n; i++)
		if (one->by_rule[i].points > one->by_rule[top].points)
			top = i;
	if (n == 0 || one->by_rule[top].points < 0.5)
		return false;
	json_array_append_new(why, json_pack("{s:s, s:I, s:I}", "rule", guard_rule(g->rules, top)->id, "findings",
					     (json_int_t)one->by_rule[top].findings, "points",
					     (json_int_t)lround(one->by_rule[top].points)));
	one->by_rule[top].points = 0;
	return true;
}

static json_t *show_json(struct show *s, const struct guard *g)
{
	json_t *list = json_array();

	risk_rows_each(risk_history(s->risk), count_row, s);
	for (size_t i = 0; i < s->n; i++) {
		json_t *why = json_array();

		for (int n = 0; n < REASONS && take_top(g, &s->one[i], why); n++)
			;
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:o}", "kind", risk_kind_name(s->one[i].kind),
						      "subject", s->one[i].name, "score", (json_int_t)s->one[i].score,
						      "why", why));
	}
	return list;
}

static struct show *show_new(struct guard *g)
{
	struct show *s = calloc(1, sizeof(*s));

	if (s == NULL)
		log_fatal(KG_EXIT_FAILURE, "guardian: out of memory for risks");
	s->risk = g->risk;
	return s;
}

json_t *risk_of_incident(struct guard *g, const json_t *incident)
{
	static const enum risk_kind kinds[] = {RISK_SESSION, RISK_AGENT, RISK_HUMAN};
	struct show *s = show_new(g);
	json_t *list;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *name = json_string_value(json_object_get(incident, risk_kind_name(kinds[i])));

		if (name != NULL)
			add(s, kinds[i], name, risk_score(g->risk, kinds[i], name));
	}
	list = show_json(s, g);
	free(s);
	return list;
}

json_t *risk_of_all(struct guard *g)
{
	struct show *s = show_new(g);
	const struct risk_entry *e;
	json_t *list;

	for (e = risk_newest(risk_known(g->risk)); e != NULL; e = risk_older(e))
		if (e->kind != RISK_SHARE)
			add(s, e->kind, e->name, risk_score(g->risk, e->kind, e->name));
	list = show_json(s, g);
	free(s);
	return list;
}
