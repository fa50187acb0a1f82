/* approvals.list, show, approve, deny: a person decides, on the operators' socket and nowhere else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/approvals.h"
#include "vaultd/guard.h"
#include "vaultd/pins.h"

static json_t *approval_json(const struct approval *x)
{
	char id[ID_HEX_LEN + 1];

	id_hex(x->id, id);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:s, s:s, s:s}", "id", id, "state",
			 approval_state_name(x->state), "human", x->human, "agent", x->agent, "server",
			 x->upstream->server->name, "tool", x->tool, "tier", tier_name(x->tier), "asked",
			 (json_int_t)x->asked, "expires", (json_int_t)x->expires, "four_eyes", x->four_eyes, "mfa",
			 x->mfa, "policies", x->policies, "approver", x->approver, "note", x->note);
}

struct listing {
	json_t *rows;
	bool all;
};

static int list_one(struct approval *x, void *arg)
{
	struct listing *l = arg;

	if (x->recorded && (l->all || x->state == APPROVAL_PENDING || x->state == APPROVAL_APPROVED))
		json_array_append_new(l->rows, approval_json(x));
	return KG_OK;
}

static void approvals_list(struct peer *p, json_t *in)
{
	struct listing l = {json_array(), json_is_true(json_object_get(in, "all"))};

	approvals_tick(p->vault);
	(void)approvals_each(p->vault->approvals, list_one, &l);
	admin_result(p, json_pack("{s:o}", "approvals", l.rows));
}

struct search {
	const char *prefix;
	struct approval *found;
	unsigned n;
};

static int search_one(struct approval *x, void *arg)
{
	struct search *s = arg;
	char id[ID_HEX_LEN + 1];

	id_hex(x->id, id);
	if (x->recorded && strncmp(id, s->prefix, strlen(s->prefix)) == 0) {
		s->found = x;
		s->n++;
	}
	return KG_OK;
}

/* The approval that the member "id" or a prefix of it means; NULL after the asker was told. */
static struct approval *approval_of(struct peer *p, const json_t *in)
{
	struct search s = {.prefix = admin_id_prefix(p, in, "approvals")};

	if (s.prefix == NULL)
		return NULL;
	approvals_tick(p->vault);
	(void)approvals_each(p->vault->approvals, search_one, &s);
	if (s.n == 0)
		admin_error(p,
			    "no approval has the id %s: see keepgate approvals list (a restart of vaultd forgets them)",
			    s.prefix);
	else if (s.n > 1)
		admin_error(p, "%u approvals have ids that begin with %s: give more digits", s.n, s.prefix);
	return s.n == 1 ? s.found : NULL;
}

static void approvals_show(struct peer *p, json_t *in)
{
	const struct approval *x = approval_of(p, in);
	char session[ID_HEX_LEN + 1], consent[ID_HEX_LEN + 1], args[2 * HASH_LEN + 1], def[2 * HASH_LEN + 1];
	json_t *out;

	if (x == NULL)
		return;
	id_hex(x->session, session);
	id_hex(x->consent, consent);
	sodium_bin2hex(args, sizeof(args), x->args_sha256, HASH_LEN);
	sodium_bin2hex(def, sizeof(def), x->def_sha256, HASH_LEN);
	out = approval_json(x);
	json_object_set_new(out, "reason", json_string(x->reason));
	json_object_set_new(out, "source", json_string(x->source));
	json_object_set_new(out, "session", json_string(session));
	json_object_set_new(out, "consent", json_string(consent));
	json_object_set_new(out, "args_sha256", json_string(args));
	json_object_set_new(out, "def_sha256", json_string(def));
	json_object_set_new(out, "arguments", x->args == NULL ? json_null() : json_stringn(x->args, x->args_len));
	admin_result(p, out);
}

/* A person's word, on its way to the record. */
struct verdict {
	uint8_t id[ID_LEN];
	bool approve, mapped, mfa;
	char approver[APPROVER_MAX + 1], note[APPROVAL_NOTE_MAX + 1];
};

/* Who decides: the human that the configuration says this user is, else the user as such. */
static void who(const struct peer *p, struct verdict *d)
{
	const struct config *config = p->vault->config;
	struct store_actor by = admin_actor(p);

	for (size_t i = 0; i < config->noperators; i++) {
		const struct config_operator *o = &config->operators[i];

		if (by.name[0] == '\0' || strcmp(o->user, by.name) != 0)
			continue;
		d->mapped = true;
		d->mfa = o->mfa;
		snprintf(d->approver, sizeof(d->approver), "%s", o->human);
		return;
	}
	if (by.name[0] != '\0')
		snprintf(d->approver, sizeof(d->approver), "unix:%s", by.name);
	else
		snprintf(d->approver, sizeof(d->approver), "unix:%u", (unsigned)by.uid);
}

static const char *state_refusal(const struct vault *v, const struct approval *x)
{
	const struct session *s = sessions_by_id(v->sessions, x->session);

	if (x->state == APPROVAL_EXPIRED || x->expires <= v->wall())
		return "it has expired: the agent has to ask again";
	if (x->state != APPROVAL_PENDING)
		return "it is decided already";
	if (s == NULL || s->state != SESSION_ACTIVE || s->expires <= v->wall())
		return "the session that asked for it has ended";
	return NULL;
}

/* Why this person cannot give this approval; NULL when it can be given. */
static const char *approve_refusal(const struct vault *v, const struct approval *x, const struct verdict *d)
{
	const struct pin *pin = pins_find(x->upstream->pins, x->tool);

	if (guard_sealed(v) != NULL)
		return "the vault is sealed: unseal it first (keepgate vault unseal)";
	if (pin == NULL || pin->held || guard_hold(v, x->upstream->server->name, x->tool) != NULL ||
	    !pin->has_accepted || sodium_memcmp(pin->accepted, x->def_sha256, HASH_LEN) != 0)
		return "the tool is held, or its accepted definition is another by now: deny it";
	if (x->four_eyes && !d->mapped)
		return "the policies want a second person: name the human behind your user in the configuration "
		       "(operators)";
	/* Addresses that differ in case alone are one person. */
	if (x->four_eyes && strcasecmp(d->approver, x->human) == 0)
		return "the policies want a second person: you are the one for whom the agent acts";
	return NULL;
}

static const char *refusal(const struct vault *v, const struct approval *x, const struct verdict *d)
{
	const char *why = x == NULL ? "it is gone" : state_refusal(v, x);

	return why == NULL && d->approve ? approve_refusal(v, x, d) : why;
}

static int verdict_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	const struct verdict *d = data;
	struct approval *x = approvals_find(v->approvals, d->id);
	const char *why = refusal(v, x, d);

	if (why != NULL) {
		snprintf(error, ACT_ERROR_MAX, "%s", why);
		return KG_E_STATE;
	}
	x->state = d->approve ? APPROVAL_APPROVED : APPROVAL_DENIED;
	x->mfa = d->approve && d->mfa;
	memcpy(x->approver, d->approver, sizeof(x->approver));
	memcpy(x->note, d->note, sizeof(x->note));
	if (!d->approve)
		approval_wipe(x);
	approvals_push(v, x);
	*result = approval_json(x);
	return KG_OK;
}

static json_t *verdict_members(const struct approval *x, const struct verdict *d)
{
	char id[ID_HEX_LEN + 1], session[ID_HEX_LEN + 1], args[2 * HASH_LEN + 1];

	id_hex(x->id, id);
	id_hex(x->session, session);
	sodium_bin2hex(args, sizeof(args), x->args_sha256, HASH_LEN);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:s}", "approval", id, "session", session,
			 "human", x->human, "agent", x->agent, "server", x->upstream->server->name, "tool", x->tool,
			 "args_sha256", args, "approver", d->approver, "four_eyes", x->four_eyes, "mfa", d->mfa, "note",
			 d->note);
}

static int read_note(struct peer *p, const json_t *in, bool needed, char out[APPROVAL_NOTE_MAX + 1])
{
	const char *text;

	if (!needed && json_object_get(in, "note") == NULL)
		return KG_OK;
	text = admin_text(p, in, "note", APPROVAL_NOTE_MAX);
	if (text == NULL)
		return KG_E_INVALID;
	memcpy(out, text, strlen(text) + 1);
	return KG_OK;
}

static void submit(struct peer *p, struct verdict *d)
{
	const struct approval *x = approvals_find(p->vault->approvals, d->id);
	const char *why = refusal(p->vault, x, d);

	if (why != NULL) {
		admin_error(p, "%s", why);
		free(d);
		return;
	}
	act_submit(p, &(struct act){d->approve ? "approval.approved" : "approval.denied", verdict_members(x, d),
				    verdict_commit, free, d, NULL});
}

static void on_checked(struct peer *p, void *what, const char *why)
{
	if (p != NULL && why == NULL) {
		submit(p, what);
		return;
	}
	if (p != NULL)
		admin_error(p, "%s", why);
	free(what);
}

static void decide(struct peer *p, json_t *in, bool approve)
{
	const struct approval *x = approval_of(p, in);
	struct verdict *d = x == NULL ? NULL : calloc(1, sizeof(*d));
	const char *why;

	if (d == NULL) {
		if (x != NULL)
			admin_error(p, "vaultd is out of memory");
		return;
	}
	d->approve = approve;
	memcpy(d->id, x->id, ID_LEN);
	if (read_note(p, in, !approve, d->note) != KG_OK) {
		free(d);
		return;
	}
	who(p, d);
	why = refusal(p->vault, x, d);
	if (!approve || why != NULL)
		submit(p, d);
	else
		approval_check(p, x, d->approver, d->mfa, on_checked, d);
}

static void approvals_approve(struct peer *p, json_t *in)
{
	decide(p, in, true);
}

static void approvals_deny(struct peer *p, json_t *in)
{
	decide(p, in, false);
}

const struct vault_admin_op approval_ops[] = {
	{"approvals.list", approvals_list},
	{"approvals.show", approvals_show},
	{"approvals.approve", approvals_approve},
	{"approvals.deny", approvals_deny},
	{0},
};
