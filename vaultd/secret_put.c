/*
 * SECRET_PUT: a credential for one place of one server, sealed for exactly that before the
 * recorder is even asked; what waits for the record is ciphertext.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_secret.h"
#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/secrets.h"
#include "vaultd/value.h"

/* Of names, and of slots that no configuration has yet. */
static const char name_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/* What waits. The row's texts are its own, or the configuration's, which stays. */
struct put {
	struct store_secret row;
	struct record record;
	bool used; /* by the configuration that vaultd has read */
	char name[SECRET_NAME_MAX + 1], by[SECRET_BY_MAX + 1], slot[CRED_SLOT_MAX + 1];
};

/* What the command says, copied out of the message. */
struct ask {
	char name[SECRET_NAME_MAX + 1], server[SERVER_NAME_MAX + 1], kind_name[17], slot[CRED_SLOT_MAX + 1];
	uint8_t kind;
	const struct config_server *to;
	struct config_credential use; /* the place in the configuration, or the one that the command names */
	bool used;
};

static void put_drop(void *data)
{
	struct put *x = data;

	record_free(&x->record);
	free(x);
}

static int read_ask(struct peer *p, const struct ipc_secret_put *m, struct ask *q)
{
	if (ipc_copy(m->name, q->name, sizeof(q->name)) != KG_OK ||
	    ipc_copy(m->server, q->server, sizeof(q->server)) != KG_OK ||
	    ipc_copy(m->kind, q->kind_name, sizeof(q->kind_name)) != KG_OK ||
	    ipc_copy(m->slot, q->slot, sizeof(q->slot)) != KG_OK) {
		admin_error(p, "secret put: a name is too long");
		return KG_E_INVALID;
	}
	/* The command has checked this, too; who speaks here need not be the command. */
	if (q->name[0] == '\0' || strchr("_.-", q->name[0]) != NULL || strspn(q->name, name_chars) != strlen(q->name)) {
		admin_error(
			p,
			"the name of a credential has letters, digits, dots, dashes and underscores, and begins with a "
			"letter or digit");
		return KG_E_INVALID;
	}
	if (credential_kind_parse(q->kind_name, &q->kind) != KG_OK) {
		admin_error(p, "kind: \"%s\" is none: use bearer, basic, header, query or env", q->kind_name);
		return KG_E_INVALID;
	}
	return KG_OK;
}

static const char *what_it_is(const struct peer *p, const struct config_server *s)
{
	if (s->is_http)
		return "at an address";
	return config_server_find(p->vault->config, s->name) == s ? "started by Keepgate" : "a channel of on-call";
}

static int find_server(struct peer *p, struct ask *q)
{
	q->to = config_link_find(p->vault->config, q->server);
	if (q->to == NULL) {
		admin_error(p,
			    "server: \"%s\" is not in the configuration that vaultd has read (%s): add it, then "
			    "restart Keepgate",
			    q->server, p->vault->config->file);
		return KG_E_NOTFOUND;
	}
	if ((q->kind == CRED_ENV) == q->to->is_http) {
		admin_error(p, "kind: server \"%s\" is %s: --kind must be %s", q->server, what_it_is(p, q->to),
			    q->to->is_http ? "bearer, basic, header or query" : "env");
		return KG_E_INVALID;
	}
	return KG_OK;
}

/*
 * How often the configuration uses this credential, in the slot if one is given. Without a slot it must
 * be once, so that the command and the configuration can never mean different places.
 */
static size_t count_uses(struct ask *q, bool any_slot)
{
	size_t n = 0;

	for (size_t i = 0; i < q->to->ncredentials; i++) {
		const struct config_credential *c = &q->to->credentials[i];

		if (strcmp(c->secret, q->name) != 0 || (!any_slot && strcasecmp(c->slot, q->slot) != 0))
			continue;
		q->use = *c;
		n++;
	}
	return n;
}

/* Not used yet: the command itself must say the place. */
static int name_place(struct peer *p, struct ask *q)
{
	bool authorization = q->kind == CRED_BEARER || q->kind == CRED_BASIC;

	if (q->slot[0] == '\0' && authorization)
		snprintf(q->slot, sizeof(q->slot), "Authorization");
	if (q->slot[0] == '\0' || strspn(q->slot, name_chars) != strlen(q->slot)) {
		admin_error(p,
			    "slot: server \"%s\" does not use ${secret:%s} yet: give the name of its header, parameter "
			    "or variable with --slot",
			    q->server, q->name);
		return KG_E_INVALID;
	}
	q->use = (struct config_credential){.secret = q->name, .slot = q->slot};
	if (q->kind == CRED_QUERY || q->kind == CRED_ENV)
		q->use.kind = q->kind;
	return KG_OK;
}

static int find_use(struct peer *p, struct ask *q)
{
	size_t any, n;

	if (find_server(p, q) != KG_OK)
		return KG_E_NOTFOUND;
	any = count_uses(q, true);
	if (any == 0)
		return name_place(p, q);
	q->used = true;
	n = q->slot[0] == '\0' ? any : count_uses(q, false);
	if (n == 1)
		return KG_OK;
	if (n > 1)
		admin_error(p, "slot: server \"%s\" uses ${secret:%s} in %zu places: say which with --slot", q->server,
			    q->name, n);
	else
		admin_error(p,
			    "slot: server \"%s\" uses ${secret:%s} in \"%s\", not in \"%s\": leave --slot out, or "
			    "change the configuration",
			    q->server, q->name, q->use.slot, q->slot);
	return KG_E_NOTFOUND;
}

static int check_kind(struct peer *p, const struct ask *q)
{
	const struct config_credential *use = &q->use;

	if (value_kind_fits(use->kind, use->bearer_prefix, q->kind))
		return KG_OK;
	if (use->kind != 0)
		admin_error(p, "kind: the configuration uses ${secret:%s} as a %s, so --kind must be %s", q->name,
			    use->kind == CRED_ENV ? "variable" : "parameter", credential_kind_name(use->kind));
	else
		admin_error(p, "kind: the configuration uses ${secret:%s} in the header %s%s, so --kind must be %s",
			    q->name, use->slot, use->bearer_prefix ? " behind \"Bearer\"" : "",
			    use->bearer_prefix ? "bearer" : "bearer, basic or header");
	return KG_E_INVALID;
}

static int check_exists(struct peer *p, const struct ask *q, bool replace, const struct stored **old)
{
	*old = secrets_find(p->vault->secrets, q->name);
	if (*old == NULL && secrets_count(p->vault->secrets) == SECRETS_MAX) {
		admin_error(p, "%d credentials are stored, which is the most: remove some (keepgate secret rm)",
			    SECRETS_MAX);
		return KG_E_LIMIT;
	}
	if (*old == NULL || replace)
		return KG_OK;
	admin_error(p,
		    "a credential \"%s\" is stored already, for server \"%s\": give --replace, or choose another name",
		    q->name, (*old)->server);
	return KG_E_EXISTS;
}

static int put_make(struct peer *p, const struct ask *q, const struct ipc_secret_put *m, const struct stored *old,
		    struct put *x)
{
	struct vault *v = p->vault;
	uint64_t version = old == NULL ? 1 : old->version + 1, now = v->wall();
	struct record_use use = secret_use(q->to, &q->use, q->kind, version, x->slot);
	struct store_actor by = admin_actor(p);

	if (record_seal(v->master, &use, m->value.p, m->value.n, &x->record) != KG_OK) {
		admin_error(p, "vaultd is out of memory");
		return KG_E_NOMEM;
	}
	snprintf(x->by, sizeof(x->by), "%s", by.name);
	memcpy(x->name, q->name, sizeof(x->name));
	x->used = q->used;
	x->row = (struct store_secret){
		.name = x->name,
		.server = q->to->name,
		.destination = q->to->destination,
		.slot = x->slot,
		.kind = q->kind,
		.version = version,
		.created = old == NULL ? now : old->created,
		.changed = now,
		.by = {by.uid, x->by},
		.record = x->record.bytes,
		.record_len = x->record.len,
	};
	return KG_OK;
}

static json_t *put_json(const struct put *x)
{
	const struct store_secret *row = &x->row;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "name", row->name, "server", row->server, "destination",
			 row->destination, "kind", credential_kind_name(row->kind), "slot", row->slot, "state",
			 x->used ? "used" : "unused", "version", (json_int_t)row->version);
}

static int put_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	struct put *x = data;
	const struct stored *old = secrets_find(v->secrets, x->row.name);
	int r;

	/* It was sealed as the next version of what stood there when the command came. */
	if (x->row.version != (old == NULL ? 1 : old->version + 1)) {
		snprintf(error, ACT_ERROR_MAX,
			 "another command has changed \"%s\" in between: look at it, then try again", x->row.name);
		return KG_E_STATE;
	}
	r = store_secret_put(v->store, &x->row);
	if (r == KG_OK)
		r = secrets_put(v->secrets, &x->row);
	if (r != KG_OK) {
		snprintf(error, ACT_ERROR_MAX, "vault.db cannot be written: see vaultd's log");
		return r;
	}
	*result = put_json(x);
	return KG_OK;
}

void secret_put(struct peer *p, const struct ipc_secret_put *m)
{
	struct ask q = {0};
	const struct stored *old;
	const char *why;
	struct put *x;

	if (read_ask(p, m, &q) != KG_OK || find_use(p, &q) != KG_OK || check_kind(p, &q) != KG_OK ||
	    check_exists(p, &q, m->replace != 0, &old) != KG_OK)
		return;
	why = value_refusal(q.kind, m->value.p, m->value.n);
	if (why != NULL) {
		admin_error(p, "%s", why);
		return;
	}
	x = calloc(1, sizeof(*x));
	if (x == NULL || put_make(p, &q, m, old, x) != KG_OK) {
		free(x);
		return;
	}
	act_submit(p, &(struct act){old == NULL ? "secret.put" : "secret.replace", put_json(x), put_commit, put_drop, x,
				    NULL});
}
