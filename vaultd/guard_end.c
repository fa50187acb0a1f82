/* How orders take effect, and how they end: by their time, or by a person here. The recorder is told of both. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/catalogue.h"
#include "vaultd/chores.h"
#include "vaultd/guard_in.h"
#include "vaultd/ops.h"

#define ROOM_FOR_OTHERS 24 /* acts */
#define MARKED 1           /* until: long over */

static void apply_session(struct vault *v, const struct guard_order *o)
{
	struct session *x = sessions_by_id(v->sessions, o->session);

	if (x != NULL && guard_refresh(v, x))
		broker_push(v, x);
}

struct revoke {
	struct vault *v;
	const uint8_t *consent;
};

static void apply_revoke_to(struct session *x, void *arg)
{
	const struct revoke *r = arg;

	if (sodium_memcmp(x->consent, r->consent, ID_LEN) == 0 && guard_refresh(r->v, x))
		broker_push(r->v, x);
}

static void apply_hold(struct vault *v, const struct guard_order *o)
{
	struct upstream *u = vault_upstream(v, ipc_text(o->server));

	if (u == NULL)
		return;
	for (size_t i = 0; i < pins_count(u->pins); i++) {
		const struct pin *x = pins_at(u->pins, i);

		if (o->act == GUARD_ACT_HOLD_SERVER || strcmp(x->name, o->tool) == 0)
			catalogue_push(v, u, x, PIN_OTHER_STATE);
	}
	/* What was held at its first sight is seen when it is not any more. */
	u->unsettled = true;
	catalogue_settle(v);
}

void guard_apply(struct vault *v, const struct guard_order *o)
{
	switch (o->act) {
	case GUARD_ACT_HOLD_TOOL:
	case GUARD_ACT_HOLD_SERVER:
		apply_hold(v, o);
		break;
	case GUARD_ACT_REVOKE:
		sessions_each(v->sessions, apply_revoke_to, &(struct revoke){v, o->consent});
		break;
	case GUARD_ACT_SEAL:
		break; /* the brokers hear of it with their next call */
	default:
		apply_session(v, o);
	}
}

/* It stands no more; that is told by and by. A person's own seal is on record by its own acts. */
static void end_one(struct vault *v, struct guard_order *o, const char *why)
{
	struct guard *g = v->guard;

	guard_unlink(g, o);
	o->ended = why;
	guard_apply(v, o);
	o->next = g->ended;
	g->ended = o;
	chores_want(v);
}

static json_t *lifted_members(const struct guard_order *o)
{
	char id[ID_HEX_LEN + 1];
	json_t *m = json_pack("{s:I, s:s, s:s, s:s, s:s}", "response", (json_int_t)o->id, "act",
			      guard_order_name(o->act), "why", o->ended, "rule", o->rule, "incident", o->incident);

	if (!sodium_is_zero(o->session, ID_LEN)) {
		id_hex(o->session, id);
		json_object_set_new(m, "session", json_string(id));
	}
	if (!sodium_is_zero(o->consent, ID_LEN)) {
		id_hex(o->consent, id);
		json_object_set_new(m, "consent", json_string(id));
	}
	if (o->server[0] != '\0')
		json_object_set_new(m, "server", json_string(o->server));
	if (o->tool[0] != '\0')
		json_object_set_new(m, "tool", json_string(o->tool));
	return m;
}

/* Whether it is on its way to the record, or has no need of that. */
static bool tell(struct vault *v, const struct guard_order *o)
{
	if (o->id == 0)
		return true;
	return peer_find(v, IPC_ROLE_RECORDER) != NULL && acts_room(v) > ROOM_FOR_OTHERS &&
	       act_note(v, "guardian.lifted", lifted_members(o)) == KG_OK;
}

static bool tell_ended(struct vault *v)
{
	struct guard_order **at = &v->guard->ended;

	while (*at != NULL) {
		struct guard_order *o = *at;

		/* While its row is there, a restart finds that it is over, and tells it again. */
		if (!tell(v, o) || store_order_drop(v->store, o->row) != KG_OK)
			return true;
		*at = o->next;
		v->guard->n--;
		free(o);
	}
	return false;
}

bool guard_tick(struct vault *v)
{
	uint64_t now;
	bool timed = false;

	guard_follow_clock(v);
	now = v->wall();
	for (size_t act = 0; act < GUARD_ACTS; act++) {
		struct guard_order *next;

		for (struct guard_order *o = v->guard->standing[act]; o != NULL; o = next) {
			next = o->next;
			if (o->until != 0 && o->until <= now)
				end_one(v, o, "time");
			else
				timed = timed || o->until != 0;
		}
	}
	return tell_ended(v) || timed;
}

int guard_mark(struct vault *v, const struct guard_choice *c)
{
	int r = KG_OK;

	for (struct guard_order *o = v->guard->standing[c->act]; r == KG_OK && o != NULL; o = o->next) {
		struct guard_order over = *o;

		over.until = MARKED;
		if (guard_is_of(o, c))
			r = guard_store(v, &over);
	}
	return r;
}

unsigned guard_end(struct vault *v, const struct guard_choice *c, const char *why)
{
	struct guard_order *next;
	unsigned n = 0;

	for (struct guard_order *o = v->guard->standing[c->act]; o != NULL; o = next) {
		next = o->next;
		if (!guard_is_of(o, c))
			continue;
		end_one(v, o, why);
		n++;
	}
	tell_ended(v);
	return n;
}

json_t *guard_ids(const struct vault *v, const struct guard_choice *c)
{
	json_t *list = json_array();

	for (const struct guard_order *o = v->guard->standing[c->act]; o != NULL; o = o->next)
		if (guard_is_of(o, c) && o->id != 0)
			json_array_append_new(list, json_integer((json_int_t)o->id));
	return list;
}
