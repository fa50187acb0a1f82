#include "vaultd/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "vaultd/chores.h"
#include "vaultd/guard_in.h"

struct guard *guard_new(void)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (g == NULL)
		log_fatal(KG_EXIT_FAILURE, "orders of the guardian: out of memory");
	return g;
}

static void list_free(struct guard_order *o)
{
	struct guard_order *next;

	for (; o != NULL; o = next) {
		next = o->next;
		free(o);
	}
}

void guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < GUARD_ACTS; i++)
		list_free(g->standing[i]);
	list_free(g->ended);
	free(g);
}

bool guard_is_of(const struct guard_order *o, const struct guard_choice *c)
{
	return o->act == c->act && (c->session == NULL || sodium_memcmp(o->session, c->session, ID_LEN) == 0) &&
	       (c->consent == NULL || sodium_memcmp(o->consent, c->consent, ID_LEN) == 0) &&
	       (c->server == NULL || strcmp(o->server, c->server) == 0) &&
	       (c->tool == NULL || strcmp(o->tool, c->tool) == 0);
}

static bool lasts_longer(const struct guard_order *a, const struct guard_order *b)
{
	return b->until != 0 && (a->until == 0 || a->until > b->until);
}

static const struct guard_order *longest(const struct vault *v, const struct guard_choice *c)
{
	const struct guard_order *found = NULL;

	for (const struct guard_order *o = v->guard->standing[c->act]; o != NULL; o = o->next)
		if (guard_is_of(o, c) && (found == NULL || lasts_longer(o, found)))
			found = o;
	return found;
}

const struct guard_order *guard_sealed(const struct vault *v)
{
	return longest(v, &(struct guard_choice){.act = GUARD_ACT_SEAL});
}

const struct guard_order *guard_pause(const struct vault *v, const uint8_t session[ID_LEN])
{
	return longest(v, &(struct guard_choice){.act = GUARD_ACT_PAUSE, .session = session});
}

const struct guard_order *guard_revoked(const struct vault *v, const uint8_t consent[ID_LEN])
{
	return longest(v, &(struct guard_choice){.act = GUARD_ACT_REVOKE, .consent = consent});
}

const struct guard_order *guard_hold(const struct vault *v, const char *server, const char *tool)
{
	const struct guard_order *o =
		longest(v, &(struct guard_choice){.act = GUARD_ACT_HOLD_SERVER, .server = server});

	return o != NULL
		       ? o
		       : longest(v, &(struct guard_choice){.act = GUARD_ACT_HOLD_TOOL, .server = server, .tool = tool});
}

bool guard_any(const struct vault *v, const struct guard_choice *c)
{
	return longest(v, c) != NULL;
}

/* The hardest of each kind. */
bool guard_refresh(const struct vault *v, struct session *x)
{
	const struct guard_order *revoked = guard_revoked(v, x->consent), *pause = guard_pause(v, x->id);
	struct session_limits l = {.withdrawn = revoked != NULL,
				   .paused = pause != NULL,
				   .by = revoked != NULL ? revoked->id
					 : pause != NULL ? pause->id
							 : 0};
	struct guard_choice mine = {.session = x->id};

	mine.act = GUARD_ACT_APPROVAL;
	for (const struct guard_order *o = v->guard->standing[mine.act]; o != NULL; o = o->next)
		if (guard_is_of(o, &mine) && (l.approval_tier == 0 || o->tier < l.approval_tier))
			l.approval_tier = o->tier;
	mine.act = GUARD_ACT_RATE;
	for (const struct guard_order *o = v->guard->standing[mine.act]; o != NULL; o = o->next)
		if (guard_is_of(o, &mine) && (l.rate == 0 || o->rate < l.rate))
			l.rate = o->rate;
	return session_limit(x, &l);
}

struct guard_pin guard_pin(const struct vault *v, const char *server, const struct pin *x)
{
	const struct guard_order *o = guard_hold(v, server, x->name);

	if (o == NULL)
		return (struct guard_pin){pin_state(x), HELD_BY_OPERATOR, ""};
	return (struct guard_pin){PIN_HELD, o->act == GUARD_ACT_HOLD_SERVER ? HELD_WITH_SERVER : HELD_BY_GUARDIAN,
				  o->reason};
}

int guard_store(struct vault *v, struct guard_order *o)
{
	const struct store_order row = {.row = o->row,
					.id = o->id,
					.act = o->act,
					.server = o->server,
					.tool = o->tool,
					.tier = o->tier,
					.rate = o->rate,
					.since = o->since,
					.until = o->until,
					.rule = o->rule,
					.incident = o->incident,
					.reason = o->reason,
					.by = o->by};
	struct store_order mine = row;
	int r;

	memcpy(mine.session, o->session, ID_LEN);
	memcpy(mine.consent, o->consent, ID_LEN);
	r = store_order_put(v->store, &mine);
	o->stored = r == KG_OK;
	return r;
}

static struct guard_order *order_add(struct guard *g, const struct guard_order *from)
{
	struct guard_order *o = malloc(sizeof(*o)), **at = &g->standing[from->act];

	if (o == NULL)
		log_fatal(KG_EXIT_FAILURE, "orders of the guardian: out of memory");
	*o = *from;
	o->next = NULL;
	while (*at != NULL)
		at = &(*at)->next;
	*at = o;
	g->n++;
	return o;
}

void guard_unlink(struct guard *g, struct guard_order *o)
{
	struct guard_order **at = &g->standing[o->act];

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	o->next = NULL;
}

static struct guard_order *same(const struct guard *g, const struct guard_order *order)
{
	const struct guard_choice c = {order->act, order->session, order->server, order->tool, order->consent};

	for (struct guard_order *o = g->standing[order->act]; o != NULL; o = o->next)
		if (o->id == order->id && guard_is_of(o, &c))
			return o;
	return NULL;
}

/* Longer and harder, never the other way: an order is made milder by lifting it. */
static bool harden(struct guard_order *o, const struct guard_order *by)
{
	bool longer = lasts_longer(by, o), harder = by->tier < o->tier || by->rate < o->rate;

	if (longer)
		o->until = by->until;
	if (by->tier < o->tier)
		o->tier = by->tier;
	if (by->rate < o->rate)
		o->rate = by->rate;
	return longer || harder;
}

int guard_begin(struct vault *v, const struct guard_order *order)
{
	struct guard *g = v->guard;
	struct guard_order *o = same(g, order);
	bool changed = o == NULL || harden(o, order);

	if (o == NULL && g->n >= GUARD_ORDERS_MAX)
		return KG_E_LIMIT;
	if (o == NULL) {
		o = order_add(g, order);
		o->row = ++g->last_row;
	}
	if (changed)
		guard_apply(v, o);
	if (o->until != 0)
		chores_want(v);
	return changed || !o->stored ? guard_store(v, o) : KG_OK;
}

int guard_lift(struct vault *v, const struct guard_order *order)
{
	struct guard_order *o = same(v->guard, order);

	if (o == NULL)
		return KG_OK;
	if (store_order_drop(v->store, o->row) != KG_OK)
		return KG_E_IO;
	guard_unlink(v->guard, o);
	v->guard->n--;
	guard_apply(v, o);
	free(o);
	return KG_OK;
}

static void text(char *out, size_t size, const char *from)
{
	snprintf(out, size, "%s", from);
}

static int load_one(const struct store_order *x, void *arg)
{
	struct vault *v = arg;
	struct guard_order o = {.row = x->row,
				.id = x->id,
				.act = x->act,
				.stored = true,
				.tier = x->tier,
				.rate = x->rate,
				.since = x->since,
				.until = x->until};

	/* An order that cannot be read must not be one that does not hold. */
	if (x->act < GUARD_ACT_PAUSE || x->act >= GUARD_ACTS || v->guard->n >= GUARD_ORDERS_MAX)
		return KG_E_PROTO;
	memcpy(o.session, x->session, ID_LEN);
	memcpy(o.consent, x->consent, ID_LEN);
	text(o.server, sizeof(o.server), x->server);
	text(o.tool, sizeof(o.tool), x->tool);
	text(o.rule, sizeof(o.rule), x->rule);
	text(o.incident, sizeof(o.incident), x->incident);
	text(o.reason, sizeof(o.reason), x->reason);
	text(o.by, sizeof(o.by), x->by);
	order_add(v->guard, &o);
	if (o.row > v->guard->last_row)
		v->guard->last_row = o.row;
	return KG_OK;
}

static void load_session(struct session *x, void *arg)
{
	guard_refresh(arg, x);
}

int guard_load(struct vault *v)
{
	int r = store_orders_each(v->store, load_one, v);

	if (r != KG_OK)
		return r;
	sessions_each(v->sessions, load_session, v);
	/* Some may be over by now. */
	if (v->guard->n != 0)
		chores_want(v);
	return KG_OK;
}
