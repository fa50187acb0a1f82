/* consent.confirm: the consent names what is accepted now of every tool that was suspended in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/named.h"
#include "vaultd/ops.h"
#include "vaultd/pin_show.h"

#define RECORDED_TOOLS 40 /* with names and hashes they fit into ACT_MEMBERS_MAX; the count tells of more */

struct confirm {
	struct vault *v;
	uint8_t id[ID_LEN];
	uint8_t seen[crypto_generichash_BYTES]; /* what the operator confirms */
};

/* What is suspended, as the record and as one hash. */
struct look {
	crypto_generichash_state st;
	json_t *tools;
	json_int_t n;
};

static void look_one(const struct named_tool *t, void *arg)
{
	struct look *l = arg;

	crypto_generichash_update(&l->st, (const uint8_t *)t->server, strlen(t->server) + 1);
	crypto_generichash_update(&l->st, (const uint8_t *)t->tool, strlen(t->tool) + 1);
	crypto_generichash_update(&l->st, t->accepted, HASH_LEN);
	if (l->n++ < RECORDED_TOOLS)
		json_array_append_new(l->tools,
				      json_pack("{s:s, s:s, s:o, s:o}", "server", t->server, "tool", t->tool, "before",
						pin_hash_json(t->named), "sha256", pin_hash_json(t->accepted)));
}

static int look(struct vault *v, const uint8_t id[ID_LEN], struct look *l, uint8_t seen[crypto_generichash_BYTES])
{
	int r;

	*l = (struct look){.tools = json_array()};
	crypto_generichash_init(&l->st, NULL, 0, crypto_generichash_BYTES);
	r = named_suspended(v, id, look_one, l);
	crypto_generichash_final(&l->st, seen, crypto_generichash_BYTES);
	return r;
}

static void refresh_session(struct session *x, void *arg)
{
	const struct confirm *c = arg;

	if (sodium_memcmp(x->consent, c->id, ID_LEN) == 0 && x->state != SESSION_REVOKED && named_refresh(c->v, x))
		broker_push(c->v, x);
}

static int confirm_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	struct confirm *c = data;
	uint8_t now[crypto_generichash_BYTES];
	char hex[ID_HEX_LEN + 1];
	struct look l;
	int r = look(v, c->id, &l, now);

	json_decref(l.tools);
	if (r == KG_OK && sodium_memcmp(now, c->seen, sizeof(now)) != 0) {
		snprintf(error, ACT_ERROR_MAX, "its tools have changed in between: look again (keepgate consent show)");
		return KG_E_STATE;
	}
	if (r == KG_OK)
		r = store_named_drop(v->store, c->id);
	if (r != KG_OK) {
		snprintf(error, ACT_ERROR_MAX, "vault.db cannot be written: see vaultd's log");
		return r;
	}
	c->v = v;
	sessions_each(v->sessions, refresh_session, c);
	id_hex(c->id, hex);
	*result = json_pack("{s:s, s:I}", "id", hex, "confirmed", l.n);
	return KG_OK;
}

static void confirm_submit(struct peer *p, const struct confirm *c, struct look *l)
{
	struct confirm *mine = malloc(sizeof(*mine));
	char hex[ID_HEX_LEN + 1];

	if (mine == NULL) {
		json_decref(l->tools);
		admin_error(p, "vaultd is out of memory");
		return;
	}
	*mine = *c;
	id_hex(c->id, hex);
	act_submit(p, &(struct act){"consent.confirm",
				    json_pack("{s:s, s:I, s:o}", "consent", hex, "confirmed", l->n, "tools", l->tools),
				    confirm_commit, free, mine, NULL});
}

void consent_confirm(struct peer *p, json_t *in)
{
	struct confirm c = {0};
	struct look l;
	int r;

	if (admin_consent_id(p, in, c.id) != KG_OK)
		return;
	r = look(p->vault, c.id, &l, c.seen);
	if (r == KG_OK && l.n != 0) {
		confirm_submit(p, &c, &l);
		return;
	}
	json_decref(l.tools);
	admin_error(p, "%s",
		    r != KG_OK ? "vault.db cannot be read: see vaultd's log" : "no tool is suspended in this consent");
}
