/* secret.list, show, rm. A value never leaves by this way: there is no operation that would read one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "common/config_secret.h"
#include "vaultd/secrets.h"
#include "vaultd/value.h"

static const struct config_credential *use_find(const struct vault *v, const struct stored *x,
						const struct config_server **server)
{
	*server = config_link_find(v->config, x->server);
	for (size_t i = 0; *server != NULL && i < (*server)->ncredentials; i++)
		if (strcmp((*server)->credentials[i].secret, x->name) == 0)
			return &(*server)->credentials[i];
	return NULL;
}

/* What an operator wants to know of it: whether a call would get it. */
static const char *use_state(const struct vault *v, const struct stored *x)
{
	const struct config_server *server;
	const struct config_credential *c = use_find(v, x, &server);
	char slot[CRED_SLOT_MAX + 1];

	if (c == NULL)
		return "unused";
	if (strcmp(server->destination, x->destination) != 0 || !value_kind_fits(c->kind, c->bearer_prefix, x->kind))
		return "mismatch";
	secret_use(server, c, x->kind, x->version, slot);
	return strcmp(slot, x->slot) == 0 ? "used" : "mismatch";
}

static json_t *stored_json(const struct vault *v, const struct stored *x)
{
	struct store_actor by = {x->by_uid, x->by_name};

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "name", x->name, "server", x->server,
			 "destination", x->destination, "kind", credential_kind_name(x->kind), "slot", x->slot, "state",
			 use_state(v, x), "version", (json_int_t)x->version, "created", (json_int_t)x->created,
			 "changed", (json_int_t)x->changed, "by", actor_json(&by));
}

static void secret_list(struct peer *p, json_t *in)
{
	json_t *rows = json_array();

	(void)in;
	for (size_t i = 0; i < secrets_count(p->vault->secrets); i++)
		json_array_append_new(rows, stored_json(p->vault, secrets_at(p->vault->secrets, i)));
	admin_result(p, json_pack("{s:o}", "secrets", rows));
}

/* The stored one of this name; NULL after the asker was told. */
static const struct stored *secret_named(struct peer *p, const json_t *in)
{
	const char *name = admin_text(p, in, "name", SECRET_NAME_MAX);
	const struct stored *x = name == NULL ? NULL : secrets_find(p->vault->secrets, name);

	if (name != NULL && x == NULL)
		admin_error(p, "no credential \"%s\" is stored: see keepgate secret list", name);
	return x;
}

static void secret_show(struct peer *p, json_t *in)
{
	const struct stored *x = secret_named(p, in);

	if (x != NULL)
		admin_result(p, stored_json(p->vault, x));
}

static int rm_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	const char *name = data;
	int r = store_secret_rm(v->store, name);

	if (r != KG_OK) {
		snprintf(error, ACT_ERROR_MAX,
			 r == KG_E_NOTFOUND ? "it has been removed in between"
					    : "vault.db cannot be written: see vaultd's log");
		return r;
	}
	secrets_rm(v->secrets, name);
	*result = json_pack("{s:s, s:s}", "name", name, "state", "removed");
	return KG_OK;
}

static void secret_rm(struct peer *p, json_t *in)
{
	const struct stored *x = secret_named(p, in);
	char *name;

	if (x == NULL)
		return;
	name = strdup(x->name);
	if (name == NULL) {
		admin_error(p, "vaultd is out of memory");
		return;
	}
	act_submit(p, &(struct act){"secret.rm", stored_json(p->vault, x), rm_commit, free, name, NULL});
}

const struct vault_admin_op secret_ops[] = {
	{"secret.list", secret_list},
	{"secret.show", secret_show},
	{"secret.rm", secret_rm},
	{0},
};
