/* A broker asks for an approval: checked by vaultd's own knowledge, and on record before anybody hears of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/json_text.h"
#include "common/log.h"
#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/approvals.h"
#include "vaultd/attach.h"
#include "vaultd/chores.h"

static void answer(struct peer *p, uint64_t call, const struct approval *x)
{
	struct ipc_approval_asked m = {.call = call, .status = GRANT_OK, .state = x->state, .expires_unix = x->expires};

	/* Why somebody said no is told to the agent: it may then do something else. */
	if (x->state == APPROVAL_DENIED)
		m.reason = ipc_text(x->note);
	memcpy(m.approval, x->id, ID_LEN);
	ipc_send(p->conn, IPC_APPROVAL_ASKED, &m);
}

static int refuse(struct peer *p, uint64_t call, uint8_t status, const char *code, const char *reason)
{
	struct ipc_approval_asked m = {
		.call = call, .status = status, .reason_code = ipc_text(code), .reason = ipc_text(reason)};

	ipc_send(p->conn, IPC_APPROVAL_ASKED, &m);
	return KG_OK;
}

static bool is_text(struct ipc_bytes b)
{
	return utf8_valid(b.p, b.n);
}

/* NULL when a person will see exactly what was hashed; else the code of the refusal, and a text. */
static const char *arguments_refusal(const struct ipc_approval_ask *m, const char **text)
{
	uint8_t hash[HASH_LEN];

	sha256(m->args.p, m->args.n, hash);
	*text = "the arguments are longer than 65536 bytes: a person could not read what is to be approved";
	if (m->args.n == 0 && sodium_memcmp(hash, m->args_sha256, HASH_LEN) != 0)
		return "approval-too-large";
	*text = "the arguments are not those of the call";
	if (sodium_memcmp(hash, m->args_sha256, HASH_LEN) != 0)
		return "approval-mismatch";
	*text = "the arguments are no text that a person could read";
	return is_text(m->args) ? NULL : "approval-mismatch";
}

struct request {
	uint8_t id[ID_LEN];
};

static int requested_commit(struct vault *v, void *data, json_t **result, char error[ACT_ERROR_MAX])
{
	const struct request *q = data;
	struct approval *x = approvals_find(v->approvals, q->id);
	const struct session *s = x == NULL ? NULL : sessions_by_id(v->sessions, x->session);

	(void)result;
	if (s == NULL || s->state != SESSION_ACTIVE) {
		snprintf(error, ACT_ERROR_MAX, "the session has ended in between");
		return KG_E_STATE;
	}
	x->recorded = true;
	approvals_push(v, x);
	chores_want(v);
	return KG_OK;
}

/* Whoever waits hears of it; one that did not come on record never was. */
static void on_told(struct vault *v, struct peer *asker, void *data, const char *error)
{
	const struct request *q = data;
	struct approval *x = approvals_find(v->approvals, q->id);

	(void)asker;
	for (size_t i = 0; x != NULL && i < APPROVAL_WAITERS; i++) {
		struct peer *p = x->waiter[i].peer;

		x->waiter[i].peer = NULL;
		if (p != NULL && error == NULL)
			answer(p, x->waiter[i].call, x);
		else if (p != NULL)
			refuse(p, x->waiter[i].call, GRANT_UNAVAILABLE, "recorder-away", error);
	}
	if (x != NULL && error != NULL)
		approvals_drop(v->approvals, x);
}

static json_t *requested_members(const struct approval *x)
{
	char id[ID_HEX_LEN + 1], session[ID_HEX_LEN + 1], consent[ID_HEX_LEN + 1];
	char args[2 * HASH_LEN + 1], def[2 * HASH_LEN + 1];

	id_hex(x->id, id);
	id_hex(x->session, session);
	id_hex(x->consent, consent);
	sodium_bin2hex(args, sizeof(args), x->args_sha256, HASH_LEN);
	sodium_bin2hex(def, sizeof(def), x->def_sha256, HASH_LEN);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:I}", "approval", id,
			 "session", session, "consent", consent, "human", x->human, "agent", x->agent, "server",
			 x->upstream->server->name, "tool", x->tool, "tier", tier_name(x->tier), "args_sha256", args,
			 "def_sha256", def, "four_eyes", x->four_eyes, "policies", x->policies, "reason", x->reason,
			 "expires", (json_int_t)x->expires);
}

static void wait_for(struct peer *p, uint64_t call, struct approval *x)
{
	for (size_t i = 0; i < APPROVAL_WAITERS; i++) {
		if (x->waiter[i].peer != NULL)
			continue;
		x->waiter[i].peer = p;
		x->waiter[i].call = call;
		return;
	}
	refuse(p, call, GRANT_UNAVAILABLE, "approval-limit", "too many calls wait for this approval: try again");
}

/* The texts have the maxima of the message; what is longer was refused with it. */
static int fill(struct vault *v, struct approval *x, const struct session *s, const struct ipc_approval_ask *m)
{
	uint32_t ttl = v->config->approvals.ttl_s == 0 ? APPROVALS_TTL_S : v->config->approvals.ttl_s;

	x->four_eyes = m->four_eyes != 0;
	x->asked = v->wall();
	x->expires = x->asked + ttl < s->expires ? x->asked + ttl : s->expires;
	snprintf(x->human, sizeof(x->human), "%s", s->human);
	snprintf(x->agent, sizeof(x->agent), "%s", s->agent);
	if (ipc_copy(m->policies, x->policies, sizeof(x->policies)) != KG_OK ||
	    ipc_copy(m->reason, x->reason, sizeof(x->reason)) != KG_OK ||
	    ipc_copy(m->source, x->source, sizeof(x->source)) != KG_OK)
		return KG_E_PROTO;
	return KG_OK;
}

static struct request *request_new(const struct approval *x)
{
	struct request *q = malloc(sizeof(*q));

	if (q == NULL)
		log_fatal(KG_EXIT_FAILURE, "approvals: out of memory");
	memcpy(q->id, x->id, ID_LEN);
	return q;
}

static int make(struct peer *p, const struct ipc_approval_ask *m, const struct approval_call *c, uint8_t tier)
{
	struct vault *v = p->vault;
	struct approval *x;
	int r = approvals_make(v->approvals, c, m->args.p, m->args.n, &x);

	if (r != KG_OK)
		return refuse(p, m->call, GRANT_DENIED, "approval-limit",
			      "too many approvals are open, for this session or in all: wait until some are given");
	x->tier = tier;
	if (fill(v, x, c->session, m) != KG_OK) {
		approvals_drop(v->approvals, x);
		return KG_E_PROTO;
	}
	wait_for(p, m->call, x);
	act_start(v, NULL,
		  &(struct act){"approval.requested", requested_members(x), requested_commit, free, request_new(x),
				on_told});
	return KG_OK;
}

/*
 * The one that is there for the same call. When the policies want four eyes by now, a pending one gets them and one
 * that was given without them is over; so is one that was given and that they do not take (spent).
 */
static struct approval *same(struct vault *v, const struct approval_call *c, bool four_eyes,
			     const uint8_t spent[ID_LEN])
{
	struct approval *x = approvals_same(v->approvals, c);

	if (x == NULL || !x->recorded)
		return x;
	if (x->state == APPROVAL_PENDING && four_eyes)
		x->four_eyes = true;
	if (x->expires > v->wall() && (x->four_eyes || !four_eyes) &&
	    (x->state != APPROVAL_APPROVED || sodium_memcmp(x->id, spent, ID_LEN) != 0))
		return x;
	approval_expire(v, x);
	return NULL;
}

int approval_asked(struct peer *p, const struct ipc_approval_ask *m)
{
	struct release_answer no = {.status = GRANT_DENIED, .code = ""};
	struct attach_subject s;
	const char *code, *text;
	struct approval_call c;
	struct approval *x;

	if (!is_text(m->policies) || !is_text(m->reason) || !is_text(m->source))
		return KG_E_PROTO;
	if (attach_subject(p->vault, m->session, m->upstream, m->name, &s, &no) != KG_OK)
		return refuse(p, m->call, no.status, no.code, no.reason);
	if (sodium_memcmp(m->def_sha256, s.pin->accepted, HASH_LEN) != 0)
		return refuse(p, m->call, GRANT_DENIED, "tool-changed",
			      "the tool's definition is another than the accepted one");
	code = arguments_refusal(m, &text);
	if (code != NULL)
		return refuse(p, m->call, GRANT_DENIED, code, text);
	c = (struct approval_call){s.session, s.upstream, s.tool, m->args_sha256, m->def_sha256};
	x = same(p->vault, &c, m->four_eyes != 0, m->spent);
	if (x == NULL)
		return make(p, m, &c, s.tier);
	if (x->recorded)
		answer(p, m->call, x);
	else
		wait_for(p, m->call, x);
	return KG_OK;
}
