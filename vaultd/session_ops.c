/* session.list, pause, resume, revoke, clear_labels. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/guard.h"
#include "vaultd/labels.h"
#include "vaultd/listing.h"
#include "vaultd/ops.h"

/* What leads from which state to which. */
enum change_kind { CHANGE_PAUSE, CHANGE_RESUME, CHANGE_REVOKE };
static const struct change_rule {
	const char *act;
	unsigned from; /* bits of enum session_state */
	uint8_t to;
	bool live_only; /* makes no sense behind the expiry */
} rules[] = {
	[CHANGE_PAUSE] = {"session.pause", 1u << SESSION_ACTIVE, SESSION_PAUSED, true},
	[CHANGE_RESUME] = {"session.resume", 1u << SESSION_PAUSED, SESSION_ACTIVE, true},
	[CHANGE_REVOKE] = {"session.revoke", 1u << SESSION_ACTIVE | 1u << SESSION_PAUSED, SESSION_REVOKED, false},
};

struct change {
	const struct change_rule *rule;
	uint8_t id[ID_LEN];
};

/* A row of the database, as far as a change needs it. */
struct row {
	bool found;
	uint8_t state;
	bool contained; /* the guardian has paused it */
	bool withdrawn; /* and revoked its consent */
	uint8_t consent[ID_LEN];
	uint64_t expires;
	json_t *members;
};

static int read_row(const struct store_session *x, void *arg)
{
	struct row *row = arg;
	char id[ID_HEX_LEN + 1], consent[ID_HEX_LEN + 1];

	id_hex(x->id, id);
	id_hex(x->consent.id, consent);
	row->found = true;
	row->state = x->consent.revoked ? SESSION_REVOKED : x->state;
	row->expires = x->consent.expires;
	memcpy(row->consent, x->consent.id, ID_LEN);
	row->members = json_pack("{s:s, s:s, s:s, s:s}", "session", id, "consent", consent, "human", x->consent.human,
				 "agent", x->consent.agent);
	return KG_OK;
}

/* Why this change cannot be made now; NULL when it can. Who resumes ends the guardian's pause too; who pauses what that
 * has paused makes it last. */
static const char *change_refusal(const struct change_rule *rule, const struct row *row, uint64_t now)
{
	bool contained = row->contained && rule->to == SESSION_ACTIVE && row->state == SESSION_ACTIVE;

	if (!contained && (rule->from & 1u << row->state) == 0)
		return row->state == SESSION_REVOKED  ? "the session is revoked, which is for ever: make a new consent"
		       : row->state == SESSION_PAUSED ? "the session is paused already"
		       : row->withdrawn               ? "the guardian has revoked its consent: keepgate consent show "
							"tells the response, keepgate guardian lift ends it"
						      : "the session is active, not paused";
	if (rule->live_only && row->expires <= now)
		return "its consent has expired: make a new one (keepgate consent grant)";
	return NULL;
}

/* Reads the row anew each time: between the command and its record another operator may have been faster. */
static const char *change_check(struct vault *v, const struct change *c, struct row *row)
{
	char hex[ID_HEX_LEN + 1];

	*row = (struct row){0};
	id_hex(c->id, hex);
	if (store_sessions_each(v->store, hex, read_row, row) != KG_OK || !row->found)
		return "vault.db cannot be read: see vaultd's log";
	row->contained = guard_pause(v, c->id) != NULL;
	row->withdrawn = guard_revoked(v, row->consent) != NULL;
	return change_refusal(c->rule, row, v->wall());
}

static struct guard_choice pauses_of(const struct change *c)
{
	return (struct guard_choice){.act = GUARD_ACT_PAUSE, .session = c->id};
}

static int change_in_store(struct vault *v, const struct change *c)
{
	const struct guard_choice pauses = pauses_of(c);
	int r = store_begin(v->store);

	if (r != KG_OK)
		return r;
	r = store_session_state(v->store, c->id, c->rule->to, v->wall());
	if (r == KG_OK && c->rule->to == SESSION_ACTIVE)
		r = guard_mark(v, &pauses);
	return store_end(v->store, r);
}

static int change_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	const struct change *c = data;
	const struct guard_choice pauses = pauses_of(c);
	struct session *x = sessions_by_id(v->sessions, c->id);
	char hex[ID_HEX_LEN + 1];
	struct row row;
	const char *why = change_check(v, c, &row);

	json_decref(row.members);
	if (why == NULL && change_in_store(v, c) != KG_OK)
		why = "vault.db cannot be written: see vaultd's log";
	if (why != NULL) {
		snprintf(error, ACT_ERROR_MAX, "%s", why);
		return KG_E_STATE;
	}
	if (x != NULL)
		session_set(x, c->rule->to);
	if (c->rule->to == SESSION_ACTIVE)
		guard_end(v, &pauses, c->rule->act);
	if (x != NULL)
		broker_push(v, x);
	id_hex(c->id, hex);
	*result = json_pack("{s:s, s:s}", "id", hex, "state", session_state_name(x == NULL ? c->rule->to : x->state));
	return KG_OK;
}

static void session_change(struct peer *p, json_t *in, enum change_kind kind)
{
	struct change c = {.rule = &rules[kind]}, *mine;
	struct guard_choice pauses;
	const char *why;
	struct row row;

	if (admin_session_id(p, in, c.id) != KG_OK)
		return;
	why = change_check(p->vault, &c, &row);
	mine = malloc(sizeof(*mine));
	if (why != NULL || mine == NULL) {
		admin_error(p, "%s", why == NULL ? "vaultd is out of memory" : why);
		json_decref(row.members);
		free(mine);
		return;
	}
	*mine = c;
	if (c.rule->to == SESSION_ACTIVE) {
		pauses = pauses_of(&c);
		json_object_set_new(row.members, "responses", guard_ids(p->vault, &pauses));
	}
	act_submit(p, &(struct act){c.rule->act, row.members, change_commit, free, mine, NULL});
}

static void session_pause(struct peer *p, json_t *in)
{
	session_change(p, in, CHANGE_PAUSE);
}

static void session_resume(struct peer *p, json_t *in)
{
	session_change(p, in, CHANGE_RESUME);
}

static void session_revoke(struct peer *p, json_t *in)
{
	session_change(p, in, CHANGE_REVOKE);
}

struct listing {
	struct vault *v;
	json_t *rows;
	uint64_t now;
};

static int list_one(const struct store_session *x, void *arg)
{
	struct listing *l = arg;
	json_t *row = session_json(x, l->now);

	guard_show_session(l->v, x, row);
	json_array_append_new(l->rows, row);
	return KG_OK;
}

static void session_list(struct peer *p, json_t *in)
{
	struct listing l = {p->vault, json_array(), p->vault->wall()};

	(void)in;
	if (store_sessions_each(p->vault->store, NULL, list_one, &l) != KG_OK) {
		json_decref(l.rows);
		admin_error(p, "vault.db cannot be read: see vaultd's log");
		return;
	}
	admin_result(p, json_pack("{s:o}", "sessions", l.rows));
}

const struct vault_admin_op session_ops[] = {
	{"session.list", session_list},
	{"session.pause", session_pause},
	{"session.resume", session_resume},
	{"session.revoke", session_revoke},
	{"session.clear_labels", session_clear_labels},
	{0},
};
