/* Orders of the guardian as operators see them. */
#include <string.h>

#include "vaultd/admin.h"
#include "vaultd/guard_in.h"

/* As guard_act_name(): the detectors behind it are not linked here. */
const char *guard_order_name(uint8_t act)
{
	static const char *const names[GUARD_ACTS] = {"?",           "pause",    "revoke", "hold-tool",
						      "hold-server", "approval", "seal",   "rate"};

	return act < GUARD_ACTS ? names[act] : names[0];
}

static json_t *order_json(const struct guard_order *o)
{
	json_t *out = json_pack("{s:I, s:s, s:I, s:I, s:s, s:s, s:s}", "id", (json_int_t)o->id, "act",
				guard_order_name(o->act), "since", (json_int_t)o->since, "until", (json_int_t)o->until,
				"rule", o->rule, "incident", o->incident, "reason", o->reason);

	if (o->act == GUARD_ACT_APPROVAL)
		json_object_set_new(out, "tier", json_string(tier_name(o->tier)));
	if (o->act == GUARD_ACT_RATE)
		json_object_set_new(out, "rate", json_integer(o->rate));
	return out;
}

static void add_orders(const struct vault *v, const struct guard_choice *c, json_t *list)
{
	for (const struct guard_order *o = v->guard->standing[c->act]; o != NULL; o = o->next)
		if (guard_is_of(o, c))
			json_array_append_new(list, order_json(o));
}

static void show_pause(const struct guard_order *pause, json_t *out)
{
	const char *state = json_string_value(json_object_get(out, "state"));
	bool own = state != NULL && strcmp(state, session_state_name(SESSION_PAUSED)) == 0;
	bool active = state != NULL && strcmp(state, session_state_name(SESSION_ACTIVE)) == 0;

	if (own)
		json_object_set_new(out, "paused_by", json_string(pause == NULL ? "operator" : "both"));
	if (!active || pause == NULL)
		return;
	json_object_set_new(out, "state", json_string(session_state_name(SESSION_PAUSED)));
	json_object_set_new(out, "paused_by", json_string("guardian"));
	json_object_set_new(out, "paused_until", json_integer((json_int_t)pause->until));
}

/* Whoever looks must see whether it is for good: what is expired or revoked by a person stays that. */
static void show_revoked(const struct guard_order *o, json_t *out)
{
	const char *state = json_string_value(json_object_get(out, "state"));
	const char *revoked = session_state_name(SESSION_REVOKED);

	if (state != NULL && strcmp(state, revoked) == 0)
		json_object_set_new(out, "revoked_by", json_string("operator"));
	else if (o != NULL && state != NULL && strcmp(state, "expired") != 0) {
		json_object_set_new(out, "state", json_string(revoked));
		json_object_set_new(out, "revoked_by", json_string("guardian"));
		json_object_set_new(out, "revoked_until", json_integer((json_int_t)o->until));
	}
}

static void show_orders(json_t *orders, json_t *out)
{
	if (json_array_size(orders) != 0)
		json_object_set(out, "orders", orders);
	json_decref(orders);
}

void guard_show_consent(const struct vault *v, const uint8_t id[ID_LEN], json_t *out)
{
	json_t *orders = json_array();

	show_revoked(guard_revoked(v, id), out);
	add_orders(v, &(struct guard_choice){.act = GUARD_ACT_REVOKE, .consent = id}, orders);
	show_orders(orders, out);
}

void guard_show_session(const struct vault *v, const struct store_session *row, json_t *out)
{
	static const uint8_t acts[] = {GUARD_ACT_PAUSE, GUARD_ACT_APPROVAL, GUARD_ACT_RATE};
	const struct session *x = sessions_by_id(v->sessions, row->id);
	json_t *orders = json_array();

	show_pause(guard_pause(v, row->id), out);
	show_revoked(guard_revoked(v, row->consent.id), out);
	if (x != NULL && x->limits.approval_tier != 0)
		json_object_set_new(out, "approval_tier", json_string(tier_name(x->limits.approval_tier)));
	if (x != NULL && x->limits.rate != 0)
		json_object_set_new(out, "rate", json_integer(x->limits.rate));
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		add_orders(v, &(struct guard_choice){.act = acts[i], .session = row->id}, orders);
	add_orders(v, &(struct guard_choice){.act = GUARD_ACT_REVOKE, .consent = row->consent.id}, orders);
	show_orders(orders, out);
}

void guard_show_tool(const struct vault *v, const char *server, const struct pin *x, json_t *out)
{
	const struct guard_order *o = guard_hold(v, server, x->name);
	json_t *orders;

	if (o == NULL && !x->held)
		return;
	if (o == NULL) {
		json_object_set_new(out, "held_by", json_string("operator"));
		return;
	}
	json_object_set_new(out, "held_by",
			    json_string(o->act == GUARD_ACT_HOLD_SERVER ? "guardian (server)" : "guardian"));
	json_object_set_new(out, "held_until", json_integer((json_int_t)o->until));
	orders = json_array();
	add_orders(v, &(struct guard_choice){.act = GUARD_ACT_HOLD_SERVER, .server = server}, orders);
	add_orders(v, &(struct guard_choice){.act = GUARD_ACT_HOLD_TOOL, .server = server, .tool = x->name}, orders);
	json_object_set_new(out, "orders", orders);
}

json_t *guard_seal_json(const struct vault *v)
{
	const struct guard_order *o = guard_sealed(v);
	json_t *out;

	if (o == NULL)
		return json_null();
	out = order_json(o);
	json_object_set_new(out, "by", json_string(o->by[0] == '\0' ? "guardian" : o->by));
	return out;
}
