#include "vaultd/consent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "vaultd/acts.h"
#include "vaultd/guard.h"
#include "vaultd/listing.h"
#include "vaultd/named.h"
#include "vaultd/ops.h"

struct listing {
	json_t *rows;
	uint64_t now;
	struct vault *v;
};

/* With the number of its suspended tools. */
static int list_consent(const struct store_consent *c, void *arg)
{
	struct listing *l = arg;
	json_t *row = consent_json(c, l->now);
	int n = named_count(l->v, c->id);

	json_object_set_new(row, "suspended", json_integer(n));
	guard_show_consent(l->v, c->id, row);
	json_array_append_new(l->rows, row);
	return n < 0 ? n : KG_OK;
}

/* With the tools that it names. */
static int show_consent(const struct store_consent *c, void *arg)
{
	struct listing *l = arg;
	json_t *row = consent_json(c, l->now);

	json_array_append_new(l->rows, row);
	return named_show(l->v, c->id, c->tools, row);
}

static int list_session_of(const struct store_session *x, void *arg)
{
	struct listing *l = arg;

	json_t *row = session_json(x, l->now);

	guard_show_session(l->v, x, row);
	json_array_append_new(l->rows, row);
	return KG_OK;
}

static void consent_list(struct peer *p, json_t *in)
{
	struct listing l = {.rows = json_array(), .now = p->vault->wall(), .v = p->vault};

	(void)in;
	if (store_consents_each(p->vault->store, NULL, list_consent, &l) != KG_OK) {
		json_decref(l.rows);
		admin_error(p, "vault.db cannot be read: see vaultd's log");
		return;
	}
	admin_result(p, json_pack("{s:o}", "consents", l.rows));
}

/* The one row of this id. */
static int read_one(struct peer *p, const uint8_t id[ID_LEN], json_t **out)
{
	struct listing l = {.rows = json_array(), .now = p->vault->wall(), .v = p->vault};
	char hex[ID_HEX_LEN + 1];
	int r;

	id_hex(id, hex);
	r = store_consents_each(p->vault->store, hex, show_consent, &l);
	*out = json_incref(json_array_get(l.rows, 0));
	json_decref(l.rows);
	if (r == KG_OK && *out != NULL)
		return KG_OK;
	json_decref(*out);
	admin_error(p, "vault.db cannot be read: see vaultd's log");
	return KG_E_IO;
}

static void consent_show(struct peer *p, json_t *in)
{
	uint8_t id[ID_LEN];
	struct listing l = {.now = p->vault->wall(), .v = p->vault};
	json_t *out;

	if (admin_consent_id(p, in, id) != KG_OK || read_one(p, id, &out) != KG_OK)
		return;
	guard_show_consent(p->vault, id, out);
	l.rows = json_array();
	if (store_sessions_of(p->vault->store, id, list_session_of, &l) != KG_OK) {
		json_decref(l.rows);
		json_decref(out);
		admin_error(p, "vault.db cannot be read: see vaultd's log");
		return;
	}
	json_object_set_new(out, "sessions", l.rows);
	admin_result(p, out);
}

static struct guard_choice revokes_of(const uint8_t id[ID_LEN])
{
	return (struct guard_choice){.act = GUARD_ACT_REVOKE, .consent = id};
}

struct revocation {
	struct vault *v;
	const uint8_t *id;
};

static void revoke_session_of(struct session *x, void *arg)
{
	const struct revocation *r = arg;

	if (x->own == SESSION_REVOKED || sodium_memcmp(x->consent, r->id, ID_LEN) != 0)
		return;
	session_set(x, SESSION_REVOKED);
	broker_push(r->v, x);
}

/* Its sessions are over, here and at the brokers. */
static void revoke_sessions(struct vault *v, const uint8_t id[ID_LEN])
{
	struct revocation r = {v, id};

	sessions_each(v->sessions, revoke_session_of, &r);
}

/* What the guardian has ordered ends with it: there is nothing left to lift. */
static int revoke_in_store(struct vault *v, const struct guard_choice *orders)
{
	int r = store_begin(v->store);

	if (r != KG_OK)
		return r;
	r = store_consent_revoke(v->store, orders->consent, v->wall());
	if (r == KG_OK)
		r = guard_mark(v, orders);
	return store_end(v->store, r);
}

static int revoke_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	const uint8_t *id = data;
	const struct guard_choice orders = revokes_of(id);
	char hex[ID_HEX_LEN + 1];
	int r = revoke_in_store(v, &orders);

	if (r != KG_OK) {
		snprintf(error, ACT_ERROR_MAX, "vault.db cannot be written: see vaultd's log");
		return r;
	}
	revoke_sessions(v, id);
	guard_end(v, &orders, "consent.revoke");
	id_hex(id, hex);
	*result = json_pack("{s:s, s:s}", "id", hex, "state", "revoked");
	return KG_OK;
}

/* One that the guardian has revoked can be revoked: from then on it is final. */
static void consent_revoke(struct peer *p, json_t *in)
{
	uint8_t id[ID_LEN], *mine;
	const struct guard_choice orders = revokes_of(id);
	json_t *row;

	if (admin_consent_id(p, in, id) != KG_OK || read_one(p, id, &row) != KG_OK)
		return;
	mine = malloc(ID_LEN);
	if (mine == NULL || strcmp(json_string_value(json_object_get(row, "state")), "revoked") == 0) {
		admin_error(p, "%s", mine == NULL ? "vaultd is out of memory" : "this consent is revoked already");
		free(mine);
		json_decref(row);
		return;
	}
	memcpy(mine, id, ID_LEN);
	act_submit(p, &(struct act){"consent.revoke",
				    json_pack("{s:O, s:O, s:O, s:o}", "consent", json_object_get(row, "id"), "human",
					      json_object_get(row, "human"), "agent", json_object_get(row, "agent"),
					      "responses", guard_ids(p->vault, &orders)),
				    revoke_commit, free, mine, NULL});
	json_decref(row);
}

const struct vault_admin_op consent_ops[] = {
	{"consent.grant", consent_grant},   {"consent.list", consent_list},       {"consent.show", consent_show},
	{"consent.revoke", consent_revoke}, {"consent.confirm", consent_confirm}, {0},
};
