/* Who gets a page, and when: by the routes, step by step, as rows that a restart finds again. */
#include <stdio.h>

#include "guardiand/recorder/outbox_parts.h"

struct plan {
	struct outbox *o;
	const struct outbox_page *p;
	int64_t page;
	uint64_t base; /* when its first step is due */
	char dedup[DEDUP_MAX + 1];
	unsigned rows, at_once;
	int64_t first; /* the first row that goes at once, and to whom */
	const char *first_channel;
};

uint64_t outbox_due(const struct outbox *o, uint8_t severity, uint64_t at_us)
{
	const struct config_guardian *g = o->guardian;

	return severity > GUARD_LOW ? at_us : schedule_quiet_end(g->quiet_from_min, g->quiet_to_min, at_us);
}

static int64_t add(struct plan *x, const char *channel, unsigned step, uint64_t after_us, int64_t backs,
		   const char *note)
{
	struct new_row n = {.page = x->page,
			    .channel = channel,
			    .dedup = x->dedup,
			    .incident = x->p->incident,
			    .note = note,
			    .action = PAGE_TRIGGER,
			    .severity = (uint8_t)x->p->severity,
			    .step = step,
			    .next_at = outbox_due(x->o, (uint8_t)x->p->severity, x->base + after_us),
			    .backs = backs};

	x->rows++;
	return row_insert(x->o, &n);
}

static void add_at_once(struct plan *x, const char *channel)
{
	struct outbox *o = x->o;
	int64_t id;

	/* What the channel has not got yet says less than this. */
	table_run(o->r->store, o->sql[OUTBOX_SUPERSEDE_CHANNEL], "titi", x->dedup, (int64_t)o->wall(), channel,
		  x->page);
	id = add(x, channel, 0, 0, 0, NULL);
	if (x->at_once++ == 0) {
		x->first = id;
		x->first_channel = channel;
	}
}

static void add_step(struct plan *x, const struct config_route *r, size_t step)
{
	const struct config_escalation *s = &r->steps[step];
	char note[128];

	snprintf(note, sizeof(note), "Nobody has acknowledged this for %u %s: step %zu of %zu.",
		 s->after_s % 60 == 0 ? s->after_s / 60 : s->after_s, s->after_s % 60 == 0 ? "min" : "s", step + 1,
		 r->nsteps);
	for (size_t i = 0; i < s->nchannels; i++) {
		if (routes_channel(x->o->guardian, s->channels[i]) == NULL)
			continue;
		if (step == 0 && s->after_s == 0)
			add_at_once(x, s->channels[i]);
		else
			add(x, s->channels[i], (unsigned)step, s->after_s * SECOND_US, 0, step == 0 ? NULL : note);
	}
}

/* A critical page must not hang on one provider. */
static void add_second(struct plan *x, const struct config_route *route)
{
	const struct config_channel *second;
	char note[128];

	if (x->p->severity != GUARD_CRITICAL || x->at_once != 1 || x->p->channel != NULL)
		return;
	second = routes_second(x->o->guardian, route, x->first_channel);
	snprintf(note, sizeof(note), "%s has not taken this in 30 s.", x->first_channel);
	if (second != NULL)
		add(x, second->name, 0, OUTBOX_SECOND_US, x->first, note);
}

/* Who pages without a route: with none at all, everything that its rule pages; where others were set, what cannot wait.
 */
static bool needs_no_route(const struct outbox *o, const struct outbox_page *p)
{
	return p->channel == NULL && (o->guardian->nroutes == 0 || p->severity >= GUARD_HIGH);
}

/* That of the incident's last page. */
static void key_before(struct plan *x)
{
	sqlite3_stmt *q = x->o->sql[OUTBOX_INCIDENT_KEY];

	outbox_key(x->o, x->p->incident, x->dedup);
	table_bind(x->o->r->store, q, "t", x->p->incident);
	if (!table_row(x->o->r->store, q))
		return;
	snprintf(x->dedup, sizeof(x->dedup), "%s", table_text(q, 0));
	table_end(q);
}

/* Under one that was acknowledged a provider wakes nobody any more. */
static void new_key(struct plan *x)
{
	char name[INCIDENT_ID_MAX + 32];

	snprintf(name, sizeof(name), "%s.%lld", x->p->incident, (long long)x->page);
	outbox_key(x->o, name, x->dedup);
}

/* What is new of an incident is told where its rule is, else where the incident is. */
static const struct config_route *route_of(const struct outbox *o, const struct outbox_page *p, uint64_t now)
{
	const struct config_route *r = routes_find(o->guardian, (uint8_t)p->severity, p->rule, now);

	return r != NULL || p->opened_by == NULL ? r
						 : routes_find(o->guardian, (uint8_t)p->severity, p->opened_by, now);
}

unsigned outbox_plan(struct outbox *o, const struct outbox_page *p, int64_t page)
{
	uint64_t now = o->wall();
	struct plan x = {.o = o, .p = p, .page = page, .base = outbox_due(o, (uint8_t)p->severity, now)};
	const struct config_route *route = p->channel != NULL ? NULL : route_of(o, p, now);

	key_before(&x);
	/* The steps begin again. */
	table_run(o->r->store, o->sql[OUTBOX_SUPERSEDE_LATER], "ti", x.dedup, (int64_t)now);
	if (p->anew)
		new_key(&x);
	if (p->channel != NULL && routes_channel(o->guardian, p->channel) != NULL)
		add_at_once(&x, p->channel);
	for (size_t i = 0; route != NULL && i < route->nsteps; i++)
		add_step(&x, route, i);
	for (size_t i = 0; route == NULL && needs_no_route(o, p) && i < o->nchannels; i++)
		if (o->channel[i].traits->pages)
			add_at_once(&x, o->channel[i].config->name);
	add_second(&x, route);
	return x.rows;
}
