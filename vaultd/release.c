#include "vaultd/release.h"

#include <stdarg.h>
#include <stdio.h>

#include "vaultd/secrets.h"
#include "vaultd/value.h"

int release_refuse(struct release_answer *a, uint8_t status, const char *code, const char *fmt, ...)
{
	va_list ap;

	a->status = status;
	a->code = code;
	va_start(ap, fmt);
	vsnprintf(a->reason, sizeof(a->reason), fmt, ap);
	va_end(ap);
	return KG_E_DENIED;
}

/* The kind that the configuration leads one to expect, for the command in an error. */
static const char *expected_kind(const struct config_credential *c)
{
	if (c->kind != 0)
		return credential_kind_name(c->kind);
	return c->bearer_prefix ? "bearer" : "header";
}

static int add_one(struct vault *v, const struct config_server *server, const struct config_credential *c,
		   struct credential_set *set, struct release_answer *a)
{
	const struct stored *x = secrets_find(v->secrets, c->secret);
	char slot[CRED_SLOT_MAX + 1];
	struct record_use use;
	int r;

	if (x == NULL)
		return release_refuse(a, GRANT_DENIED, "credential-missing",
				      "the credential \"%s\" of server \"%s\" is not stored: ask an operator to run: "
				      "keepgate secret put %s "
				      "--server %s --kind %s",
				      c->secret, server->name, c->secret, server->name, expected_kind(c));
	r = KG_E_CRYPTO;
	if (value_kind_fits(c->kind, c->bearer_prefix, x->kind)) {
		use = secret_use(server, c, x->kind, x->version, slot);
		r = value_add(v->master, &use, &x->record, c->slot, set);
	}
	if (r == KG_E_LIMIT)
		return release_refuse(a, GRANT_DENIED, "credential-size",
				      "the credentials of server \"%s\" are too long together", server->name);
	if (r != KG_OK)
		return release_refuse(a, GRANT_DENIED, "credential-mismatch",
				      "the credential \"%s\" was stored for another server, address or place than "
				      "server \"%s\" now asks for: "
				      "ask an operator to run: keepgate secret put %s --server %s --kind %s --replace",
				      c->secret, server->name, c->secret, server->name, expected_kind(c));
	return KG_OK;
}

int release_credentials(struct vault *v, const struct upstream *u, const uint8_t digest[HASH_LEN], bool env,
			struct release_answer *a)
{
	const struct config_server *server = u->server;
	struct credential_set *set;
	int r = KG_OK;

	if (u->key == NULL)
		return release_refuse(
			a, GRANT_UNAVAILABLE, "upstream-away",
			"the role of server \"%s\" has not agreed a key with vaultd yet: try again in a moment",
			server->name);
	set = credentials_new();
	for (size_t i = 0; i < server->ncredentials && r == KG_OK; i++)
		if ((server->credentials[i].kind == CRED_ENV) == env)
			r = add_one(v, server, &server->credentials[i], set, a);
	buf_reset(&v->sealed);
	if (r == KG_OK && credentials_seal(secret_bytes(u->key), digest, server->destination,
					   loop_now_ns() + SEAL_TTL_NS, set, &v->sealed) != KG_OK)
		r = release_refuse(a, GRANT_UNAVAILABLE, "seal-failed", "vaultd is out of memory");
	credentials_free(set);
	if (r == KG_OK)
		*a = (struct release_answer){.status = GRANT_OK, .code = ""};
	return r;
}
