#include "vaultd/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "common/log.h"
#include "vaultd/acts.h"
#include "vaultd/chores.h"
#include "vaultd/guard.h"
#include "vaultd/pin_show.h"

#define BATCH_MAX 64       /* tools of one record: their names and hashes fit into ACT_MEMBERS_MAX */
#define ROOM_FOR_OTHERS 24 /* acts that are left to operators and approvals */

static int load_one(const struct store_pin *row, void *arg)
{
	struct upstream *u = vault_upstream(arg, ipc_text(row->server));

	return u == NULL ? KG_OK : pins_load(u->pins, row);
}

int catalogue_load(struct vault *v)
{
	return store_pins_each(v->store, load_one, v);
}

struct listing {
	struct vault *v;
	struct upstream *u;
};

static void on_changed(const struct pin *x, void *arg)
{
	const struct listing *l = arg;

	catalogue_push(l->v, l->u, x, PIN_OTHER_STATE);
}

int catalogue_listed(struct vault *v, struct upstream *u)
{
	struct listing l = {v, u};
	struct pins_change c = {on_changed, &l};
	size_t over;
	int r = pins_listed(u->pins, v->store, u->server->name, u->tools, &c, &over);

	tools_drop_definitions(u->tools);
	if (r != KG_OK)
		return r;
	if (over != 0)
		log_warn("server %s: %zu tools are refused: it has had %zu others, which is all that is kept",
			 u->server->name, over, PINS_MAX);
	u->unsettled = true;
	chores_want(v);
	catalogue_settle(v);
	return KG_OK;
}

/* An act about what a server lists. */
struct sight {
	struct upstream *u;
	size_t n;
	struct {
		struct pin *pin; /* lives as long as the vault */
		uint8_t sha256[HASH_LEN];
	} tool[BATCH_MAX];
};

static bool still_listed(const struct pin *x, const uint8_t hash[HASH_LEN])
{
	return !x->gone && x->differs && sodium_memcmp(x->listed, hash, HASH_LEN) == 0;
}

/* Whether or not it is on record now, it may be asked for again; when it failed, a chore does so later. */
static void on_told(struct vault *v, struct peer *asker, void *data, const char *error)
{
	struct sight *s = data;

	(void)asker;
	for (size_t i = 0; i < s->n; i++)
		if (sodium_memcmp(s->tool[i].pin->listed, s->tool[i].sha256, HASH_LEN) == 0)
			s->tool[i].pin->asked = false;
	s->u->unsettled = true;
	chores_want(v);
	if (error == NULL)
		catalogue_settle(v);
}

/* Who holds one wants it looked at. */
static bool is_held(const struct vault *v, const struct upstream *u, const struct pin *x)
{
	return x->held || guard_hold(v, u->server->name, x->name) != NULL;
}

static int accept_in_store(struct vault *v, const struct sight *s)
{
	int r = store_begin(v->store);

	if (r != KG_OK)
		return r;
	for (size_t i = 0; r == KG_OK && i < s->n; i++) {
		const struct pin *x = s->tool[i].pin;

		if (!x->has_accepted && !is_held(v, s->u, x) && still_listed(x, s->tool[i].sha256))
			r = store_pin_accept(v->store, s->u->server->name, x->name, s->tool[i].sha256, v->wall(), NULL);
	}
	return store_end(v->store, r);
}

static int first_sight_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	const struct sight *s = data;
	int r = accept_in_store(v, s);

	(void)result;
	if (r != KG_OK) {
		snprintf(error, ACT_ERROR_MAX, "vault.db cannot be written: see vaultd's log");
		return r;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct pin *x = s->tool[i].pin;

		if (x->has_accepted || is_held(v, s->u, x) || !still_listed(x, s->tool[i].sha256))
			continue;
		pin_accept(x, v->wall(), NULL);
		catalogue_push(v, s->u, x, PIN_OTHER_DEFINITION);
	}
	return KG_OK;
}

static void add_to(struct sight *s, struct pin *x)
{
	s->tool[s->n].pin = x;
	memcpy(s->tool[s->n].sha256, x->listed, HASH_LEN);
	s->n++;
	x->asked = true;
}

static void first_sight_start(struct vault *v, struct sight *s)
{
	json_t *tools = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(tools, json_pack("{s:s, s:o}", "tool", s->tool[i].pin->name, "sha256",
						       pin_hash_json(s->tool[i].sha256)));
	act_start(v, NULL,
		  &(struct act){
			  "tools.accepted",
			  json_pack("{s:s, s:b, s:o}", "server", s->u->server->name, "first_sight", 1, "tools", tools),
			  first_sight_commit, free, s, on_told});
}

static struct sight *sight_new(struct upstream *u)
{
	struct sight *s = calloc(1, sizeof(*s));

	if (s == NULL)
		log_fatal(KG_EXIT_FAILURE, "pins: out of memory");
	s->u = u;
	return s;
}

static bool is_first_sight(const struct vault *v, const struct upstream *u, const struct pin *x)
{
	return !u->server->review_tools && !x->has_accepted && !x->gone && !x->asked && !is_held(v, u, x);
}

static size_t next_first_sight(const struct vault *v, const struct upstream *u, size_t from)
{
	while (from < pins_count(u->pins) && !is_first_sight(v, u, pins_at(u->pins, from)))
		from++;
	return from;
}

/* What is seen for the first time, in as few records as it fits into; false when there was no room. */
static bool settle_first_sight(struct vault *v, struct upstream *u)
{
	size_t n = pins_count(u->pins);

	for (size_t i = next_first_sight(v, u, 0); i < n; i = next_first_sight(v, u, i)) {
		struct sight *s;

		if (acts_room(v) <= ROOM_FOR_OTHERS)
			return false;
		s = sight_new(u);
		for (; i < n && s->n < BATCH_MAX; i = next_first_sight(v, u, i + 1))
			add_to(s, pins_at(u->pins, i));
		first_sight_start(v, s);
	}
	return true;
}

static int changed_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	const struct sight *s = data;

	(void)result, (void)error;
	pin_tell(s->tool[0].pin, s->tool[0].sha256);
	/* Lost with a crash, it is told once more: no harm. */
	if (store_pin_told(v->store, s->u->server->name, s->tool[0].pin->name, s->tool[0].sha256) != KG_OK)
		log_warn("tool %s/%s: its row in vault.db cannot be written", s->u->server->name, s->tool[0].pin->name);
	return KG_OK;
}

static bool is_untold_change(const struct pin *x)
{
	return x->has_accepted && x->differs && !x->gone && !x->asked && !pin_is_told(x, x->listed) && pin_may_tell(x);
}

static bool settle_changed(struct vault *v, struct upstream *u)
{
	for (size_t i = 0; i < pins_count(u->pins); i++) {
		struct pin *x = pins_at(u->pins, i);
		struct sight *s;
		json_t *members;

		if (!is_untold_change(x))
			continue;
		if (acts_room(v) <= ROOM_FOR_OTHERS)
			return false;
		s = sight_new(u);
		add_to(s, x);
		members = json_pack("{s:s, s:s, s:o, s:o}", "server", u->server->name, "tool", x->name, "accepted",
				    pin_hash_json(x->accepted), "listed", pin_hash_json(x->listed));
		if (x->ntold + 1 == PIN_TOLD_MAX)
			json_object_set_new(members, "last", json_true());
		act_start(v, NULL, &(struct act){"tools.changed", members, changed_commit, free, s, on_told});
	}
	return true;
}

bool catalogue_settle(struct vault *v)
{
	bool left = false;

	if (peer_find(v, IPC_ROLE_RECORDER) == NULL)
		return false;
	for (size_t i = 0; i < v->config->nservers; i++) {
		struct upstream *u = &v->upstreams[i];

		if (!u->unsettled)
			continue;
		u->unsettled = false;
		if (!settle_changed(v, u) || !settle_first_sight(v, u))
			u->unsettled = true;
		left = left || u->unsettled;
	}
	return left;
}
