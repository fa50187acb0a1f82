/* vault.seal, vault.unseal: nothing is given away until a person says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/guard.h"

static const struct guard_choice seals = {.act = GUARD_ACT_SEAL};

static int seal_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	int r = guard_begin(v, data);

	if (r != KG_OK) {
		snprintf(error, ACT_ERROR_MAX, "%s",
			 r == KG_E_LIMIT ? "too many orders stand"
					 : "the vault is sealed, and would not be after a restart: vault.db cannot be "
					   "written, see vaultd's log");
		return r;
	}
	*result = json_pack("{s:b, s:o}", "sealed", 1, "seal", guard_seal_json(v));
	return KG_OK;
}

static void vault_seal(struct peer *p, json_t *in)
{
	const char *why = admin_text(p, in, "why", GUARD_WHY_MAX);
	struct store_actor by = admin_actor(p);
	struct guard_order *o;

	if (why == NULL)
		return;
	o = calloc(1, sizeof(*o));
	if (o == NULL) {
		admin_error(p, "vaultd is out of memory");
		return;
	}
	*o = (struct guard_order){.act = GUARD_ACT_SEAL, .since = p->vault->wall()};
	snprintf(o->reason, sizeof(o->reason), "%s", why);
	if (by.name[0] != '\0')
		snprintf(o->by, sizeof(o->by), "%s", by.name);
	else
		snprintf(o->by, sizeof(o->by), "uid %u", (unsigned)by.uid);
	act_submit(p, &(struct act){"vault.seal", json_pack("{s:s}", "why", why), seal_commit, free, o, NULL});
}

static int unseal_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	int r = store_begin(v->store);

	(void)data;
	if (r == KG_OK)
		r = store_end(v->store, guard_mark(v, &seals));
	if (r != KG_OK) {
		snprintf(error, ACT_ERROR_MAX, "vault.db cannot be written: see vaultd's log");
		return r;
	}
	*result = json_pack("{s:b, s:I}", "sealed", 0, "lifted", (json_int_t)guard_end(v, &seals, "vault.unseal"));
	return KG_OK;
}

static void vault_unseal(struct peer *p, json_t *in)
{
	(void)in;
	if (!guard_any(p->vault, &seals)) {
		admin_error(p, "the vault is not sealed");
		return;
	}
	act_submit(p, &(struct act){"vault.unseal", json_pack("{s:o}", "responses", guard_ids(p->vault, &seals)),
				    unseal_commit, NULL, NULL, NULL});
}

const struct vault_admin_op guard_ops[] = {
	{"vault.seal", vault_seal},
	{"vault.unseal", vault_unseal},
	{0},
};
