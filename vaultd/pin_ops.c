/* tools.accept, hold, release: an operator says what holds of what servers list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/catalogue.h"
#include "vaultd/guard.h"
#include "vaultd/named.h"
#include "vaultd/pin_show.h"

#define HEX_LEN ((size_t)2 * HASH_LEN)

/* What an act does to one tool. Pins live as long as the vault. */
struct change {
	struct upstream *u;
	struct pin *pin;
	uint8_t sha256[HASH_LEN]; /* accepting: what the operator has seen */
	bool hold;
	struct store_actor by;
	char by_name[OPERATOR_NAME_MAX + 1];
};

static struct change *change_new(struct peer *p, const json_t *in)
{
	struct change *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		admin_error(p, "vaultd is out of memory");
		return NULL;
	}
	c->pin = pin_asked(p, in, &c->u);
	if (c->pin == NULL) {
		free(c);
		return NULL;
	}
	c->by = admin_actor(p);
	snprintf(c->by_name, sizeof(c->by_name), "%s", c->by.name);
	c->by.name = c->by_name;
	return c;
}

/* Why this hash cannot be accepted; NULL when it can. */
static const char *accept_refusal(const struct pin *x, const uint8_t hash[HASH_LEN])
{
	if (x->gone)
		return "its server does not list this tool any more";
	if (!x->differs)
		return "what the server lists is accepted already";
	if (sodium_memcmp(x->listed, hash, HASH_LEN) != 0)
		return "its server lists another definition by now: look again (keepgate tools diff)";
	return NULL;
}

static int accept_in_store(struct vault *v, const struct change *c)
{
	int r = store_begin(v->store);

	if (r != KG_OK)
		return r;
	r = named_keep(v, c->u, c->pin);
	if (r == KG_OK)
		r = store_pin_accept(v->store, c->u->server->name, c->pin->name, c->sha256, v->wall(), &c->by);
	return store_end(v->store, r);
}

static int accept_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	struct change *c = data;
	const char *why = accept_refusal(c->pin, c->sha256);
	unsigned suspended;

	if (why == NULL && accept_in_store(v, c) != KG_OK)
		why = "vault.db cannot be written: see vaultd's log";
	if (why != NULL) {
		snprintf(error, ACT_ERROR_MAX, "%s", why);
		return KG_E_STATE;
	}
	pin_accept(c->pin, v->wall(), &c->by);
	catalogue_push(v, c->u, c->pin, PIN_OTHER_DEFINITION);
	suspended = named_changed(v, c->u, c->pin);
	*result = pin_json(v, c->u, c->pin);
	json_object_set_new(*result, "sessions_changed", json_integer((json_int_t)suspended));
	return KG_OK;
}

static int read_hash(struct peer *p, const json_t *in, uint8_t out[HASH_LEN])
{
	const char *hex = admin_text(p, in, "sha256", HEX_LEN);

	if (hex == NULL)
		return KG_E_INVALID;
	if (strlen(hex) == HEX_LEN && sodium_hex2bin(out, HASH_LEN, hex, HEX_LEN, NULL, NULL, NULL) == 0)
		return KG_OK;
	admin_error(p, "sha256: 64 hexadecimal digits are needed, as keepgate tools show tells them");
	return KG_E_INVALID;
}

static void tools_accept(struct peer *p, json_t *in)
{
	struct change *c = change_new(p, in);
	const char *why = NULL;
	json_t *members;

	if (c == NULL)
		return;
	if (read_hash(p, in, c->sha256) != KG_OK) {
		free(c);
		return;
	}
	why = accept_refusal(c->pin, c->sha256);
	if (why != NULL) {
		admin_error(p, "%s", why);
		free(c);
		return;
	}
	members = json_pack("{s:s, s:s, s:o}", "server", c->u->server->name, "tool", c->pin->name, "sha256",
			    pin_hash_json(c->sha256));
	if (c->pin->has_accepted)
		json_object_set_new(members, "before", pin_hash_json(c->pin->accepted));
	act_submit(p, &(struct act){"tools.accept", members, accept_commit, free, c, NULL});
}

static struct guard_choice holds_of(const struct change *c)
{
	return (struct guard_choice){.act = GUARD_ACT_HOLD_TOOL, .server = c->u->server->name, .tool = c->pin->name};
}

/* Who releases a tool ends the guardian's hold of it too. */
static int hold_in_store(struct vault *v, const struct change *c)
{
	const struct guard_choice holds = holds_of(c);
	int r = store_begin(v->store);

	if (r != KG_OK)
		return r;
	r = store_pin_held(v->store, c->u->server->name, c->pin->name, c->hold);
	if (r == KG_OK && !c->hold)
		r = guard_mark(v, &holds);
	return store_end(v->store, r);
}

static int hold_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	struct change *c = data;
	const struct guard_choice holds = holds_of(c);

	if (hold_in_store(v, c) != KG_OK) {
		snprintf(error, ACT_ERROR_MAX, "vault.db cannot be written: see vaultd's log");
		return KG_E_IO;
	}
	c->pin->held = c->hold;
	if (!c->hold)
		guard_end(v, &holds, "tools.release");
	catalogue_push(v, c->u, c->pin, PIN_OTHER_STATE);
	/* One that was held at its first sight is seen now. */
	c->u->unsettled = true;
	catalogue_settle(v);
	*result = pin_json(v, c->u, c->pin);
	return KG_OK;
}

static const char *hold_refusal(const struct vault *v, const struct change *c)
{
	const struct guard_choice holds = holds_of(c);

	if (c->hold)
		return c->pin->held ? "the tool is held already" : NULL;
	if (c->pin->held || guard_any(v, &holds))
		return NULL;
	return guard_hold(v, c->u->server->name, c->pin->name) == NULL
		       ? "the tool is not held"
		       : "the guardian holds its whole server: lift that (keepgate guardian lift)";
}

static void tools_hold_change(struct peer *p, json_t *in, bool hold)
{
	struct change *c = change_new(p, in);
	struct guard_choice holds;
	json_t *members;
	const char *why;

	if (c == NULL)
		return;
	c->hold = hold;
	holds = holds_of(c);
	why = hold_refusal(p->vault, c);
	if (why != NULL) {
		admin_error(p, "%s", why);
		free(c);
		return;
	}
	members = json_pack("{s:s, s:s}", "server", c->u->server->name, "tool", c->pin->name);
	if (!hold)
		json_object_set_new(members, "responses", guard_ids(p->vault, &holds));
	act_submit(p, &(struct act){hold ? "tools.hold" : "tools.release", members, hold_commit, free, c, NULL});
}

static void tools_hold(struct peer *p, json_t *in)
{
	tools_hold_change(p, in, true);
}

static void tools_release(struct peer *p, json_t *in)
{
	tools_hold_change(p, in, false);
}

const struct vault_admin_op tool_ops[] = {
	{"tools.list", pins_list},  {"tools.show", pins_show},        {"tools.accept", tools_accept},
	{"tools.hold", tools_hold}, {"tools.release", tools_release}, {0},
};
