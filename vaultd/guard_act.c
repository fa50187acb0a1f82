/* GUARD_ACT: what the recorder orders, and its answer when that is in force. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/json_text.h"
#include "common/log.h"
#include "vaultd/admin.h"
#include "vaultd/answers.h"
#include "vaultd/guard_in.h"

#define HUMAN_MAX 256

struct asked {
	struct guard_order order;
	char human[HUMAN_MAX + 1]; /* as the broker told the recorder; "" when it did not */
	bool lift;
};

static bool take_text(struct ipc_bytes from, char *out, size_t size)
{
	return utf8_valid(from.p, from.n) && ipc_copy(from, out, size) == KG_OK;
}

static bool about_session(uint8_t act)
{
	return act == GUARD_ACT_PAUSE || act == GUARD_ACT_APPROVAL || act == GUARD_ACT_RATE;
}

/* Only what the act is about: the rest says where it comes from, and must not tell two equal orders apart. */
static int read_order(const struct vault *v, const struct ipc_guard_act *m, struct asked *x)
{
	struct guard_order *o = &x->order;
	bool server = m->act == GUARD_ACT_HOLD_TOOL || m->act == GUARD_ACT_HOLD_SERVER;

	*x = (struct asked){.lift = m->lift != 0,
			    .order = {.id = m->id, .act = m->act, .since = v->wall(), .until = m->until_unix}};
	if (m->id == 0 || m->id > INT64_MAX || m->until_unix > INT64_MAX)
		return KG_E_PROTO;
	if (!take_text(m->rule, o->rule, sizeof(o->rule)) ||
	    !take_text(m->incident, o->incident, sizeof(o->incident)) ||
	    !take_text(m->reason, o->reason, sizeof(o->reason)))
		return KG_E_PROTO;
	if (server && m->server.n <= SERVER_NAME_MAX && !take_text(m->server, o->server, sizeof(o->server)))
		return KG_E_PROTO;
	if (m->act == GUARD_ACT_HOLD_TOOL && !take_text(m->tool, o->tool, sizeof(o->tool)))
		return KG_E_PROTO;
	if (about_session(m->act))
		memcpy(o->session, m->session, ID_LEN);
	o->tier = m->act == GUARD_ACT_APPROVAL ? m->tier : 0;
	o->rate = m->act == GUARD_ACT_RATE ? m->rate : 0;
	if (m->act == GUARD_ACT_REVOKE)
		memcpy(o->consent, m->consent, ID_LEN);
	return take_text(m->human, x->human, sizeof(x->human)) ? KG_OK : KG_E_PROTO;
}

/* Why there can be no such order; NULL when there can. */
static const char *order_refusal(struct vault *v, const struct guard_order *o)
{
	switch (o->act) {
	case GUARD_ACT_PAUSE:
	case GUARD_ACT_REVOKE:
	case GUARD_ACT_SEAL:
		return NULL;
	case GUARD_ACT_HOLD_TOOL:
		if (!tool_name_ok(o->tool))
			return "no tool is called so";
		/* fallthrough */
	case GUARD_ACT_HOLD_SERVER:
		return vault_upstream(v, ipc_text(o->server)) == NULL ? "no server of this name is configured" : NULL;
	case GUARD_ACT_APPROVAL:
		return o->tier < TIER_READ || o->tier > TIER_DESTRUCTIVE ? "there is no such tier" : NULL;
	case GUARD_ACT_RATE:
		return o->rate == 0 ? "a rate of nothing is a pause" : NULL;
	default:
		return "vaultd knows no such act: guardiand and vaultd are of different versions";
	}
}

/*
 * How many humans may be contained without a person is counted by the names that the broker gives: one that gives a
 * wrong name contains nobody here.
 */
static bool is_of(const char *claimed, const char *human)
{
	return claimed[0] == '\0' || strcmp(claimed, human) == 0;
}

static const char another_human[] = "this is another human's than the broker says: look into the broker";

/* Whom an order would contain, and whether there is anything left to contain. */
struct subject {
	const char *claimed;
	bool known, live, another;
};

static int found_session(const struct store_session *x, void *arg)
{
	(void)x;
	((struct subject *)arg)->known = true;
	return KG_OK;
}

/* One that has ended needs nothing more. */
static int find_session(struct vault *v, const uint8_t id[ID_LEN], struct subject *s)
{
	const struct session *x = sessions_by_id(v->sessions, id);
	char hex[ID_HEX_LEN + 1];

	s->live = x != NULL;
	if (x != NULL) {
		s->another = !is_of(s->claimed, x->human);
		return KG_OK;
	}
	id_hex(id, hex);
	return store_sessions_each(v->store, hex, found_session, s);
}

static int found_consent(const struct store_consent *c, void *arg)
{
	struct subject *s = arg;

	s->known = true;
	s->live = !c->revoked;
	s->another = !is_of(s->claimed, c->human);
	return KG_OK;
}

/* One that a person has revoked needs nothing more. A database that cannot be read must not let calls through. */
static int find_consent(struct vault *v, const uint8_t id[ID_LEN], struct subject *s)
{
	char hex[ID_HEX_LEN + 1];

	id_hex(id, hex);
	if (store_consents_each(v->store, hex, found_consent, s) != KG_OK)
		s->live = true;
	return KG_OK;
}

/* KG_OK and s->live false: there is nothing to contain. */
static int find_subject(struct vault *v, const struct guard_order *o, struct subject *s, const char **why)
{
	bool session = about_session(o->act);
	int r;

	s->live = true;
	if (!session && o->act != GUARD_ACT_REVOKE)
		return KG_OK;
	s->live = false;
	r = session ? find_session(v, o->session, s) : find_consent(v, o->consent, s);
	if (r != KG_OK)
		*why = "vault.db cannot be read";
	else if (s->another)
		*why = another_human;
	else if (!s->live && !s->known)
		*why = session ? "there is no such session" : "there is no such consent";
	if (*why == NULL)
		return KG_OK;
	return r != KG_OK ? KG_E_IO : KG_E_INVALID;
}

static int order_begin(struct vault *v, const struct asked *x, const char **why)
{
	const struct guard_order *o = &x->order;
	struct subject s = {.claimed = x->human};
	int r;

	guard_follow_clock(v);
	if (o->until != 0 && o->until <= v->wall())
		return KG_OK;
	r = find_subject(v, o, &s, why);
	if (r != KG_OK || !s.live)
		return r;
	r = guard_begin(v, o);
	*why = r == KG_E_LIMIT ? "too many orders stand: lift some"
	       : r == KG_OK    ? NULL
			       : "it holds, and would not outlive a restart: vault.db cannot be written";
	return r;
}

static int order_lift(struct vault *v, const struct guard_order *o, const char **why)
{
	int r = guard_lift(v, o);

	*why = r == KG_OK ? NULL : "vault.db cannot be written";
	return r;
}

static int carry_out(struct vault *v, const struct asked *x, const char **why)
{
	*why = order_refusal(v, &x->order);
	if (*why != NULL)
		return KG_E_INVALID;
	if (x->lift)
		return order_lift(v, &x->order, why);
	return order_begin(v, x, why);
}

static void done(struct peer *recorder, uint64_t id, uint8_t status, const char *why)
{
	struct ipc_guard_done m = {.id = id, .status = status, .reason = ipc_text(why)};

	ipc_send(recorder->conn, IPC_GUARD_DONE, &m);
}

static void give_done(struct peer *recorder, void *what)
{
	if (recorder != NULL)
		done(recorder, *(uint64_t *)what, GRANT_OK, "");
	free(what);
}

int guard_act_on(struct peer *recorder, const struct ipc_guard_act *m)
{
	const char *why = NULL;
	uint64_t *id;
	struct asked x;
	int r = read_order(recorder->vault, m, &x);

	if (r != KG_OK)
		return r;
	r = carry_out(recorder->vault, &x, &why);
	if (r != KG_OK) {
		done(recorder, m->id, r == KG_E_IO ? GRANT_UNAVAILABLE : GRANT_DENIED, why);
		return KG_OK;
	}
	id = malloc(sizeof(*id));
	if (id == NULL)
		log_fatal(KG_EXIT_FAILURE, "orders of the guardian: out of memory");
	*id = m->id;
	answer_later(recorder, give_done, id);
	return KG_OK;
}
