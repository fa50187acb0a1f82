#include "vaultd/attach.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/token.h"
#include "vaultd/approvals.h"
#include "vaultd/guard.h"
#include "vaultd/labels.h"

/* What the checks have found so far. */
struct attach {
	struct vault *v;
	struct ipc_bytes upstream, name;
	struct release_answer *a;
	struct attach_subject *s;
	char path[SERVER_NAME_MAX + 1 + TOOL_NAME_MAX + 1];
};

static int refuse(struct release_answer *a, const char *code, const char *reason)
{
	return release_refuse(a, GRANT_DENIED, code, "%s", reason);
}

/* An order's own words where there are any. */
static int refuse_by(struct release_answer *a, const char *code, const struct guard_order *o, const char *reason)
{
	return refuse(a, code, o->reason[0] == '\0' ? reason : o->reason);
}

static int check_seal(const struct vault *v, struct release_answer *a)
{
	const struct guard_order *o = guard_sealed(v);

	if (o == NULL)
		return KG_OK;
	if (o->by[0] != '\0')
		return refuse(a, "vault-sealed",
			      "the vault is sealed by an operator, nothing is given away: ask an operator (keepgate "
			      "vault unseal)");
	return refuse_by(a, "vault-sealed", o,
			 "the vault is sealed by the guardian, nothing is given away: ask an operator (keepgate vault "
			 "unseal)");
}

static int check_token(struct vault *v, const struct ipc_attach *m, struct session **out, struct release_answer *a)
{
	uint8_t hash[HASH_LEN];

	if (m->method != MCP_TOOLS_CALL)
		return refuse(a, "method", "only tools/call goes to a server under a consent");
	if (!token_well_formed((const char *)m->token.p, m->token.n))
		return refuse(a, "token-malformed", "the token does not have the form of one");
	token_hash((const char *)m->token.p, m->token.n, hash);
	*out = sessions_by_token(v->sessions, hash);
	if (*out == NULL)
		return refuse(a, "token-unknown", "the token belongs to no session: ask an operator for a consent");
	return KG_OK;
}

static int check_session(struct attach *x)
{
	const struct guard_order *o = guard_pause(x->v, x->s->session->id);
	const struct guard_order *revoked = guard_revoked(x->v, x->s->session->consent);

	if (x->s->session->state == SESSION_PAUSED && o != NULL)
		return refuse_by(x->a, "session-paused", o,
				 "the session is paused by the guardian: an operator can resume it (keepgate session "
				 "resume)");
	if (x->s->session->state == SESSION_PAUSED)
		return refuse(x->a, "session-paused",
			      "the session is paused: an operator can resume it (keepgate session resume)");
	if (x->s->session->state == SESSION_WITHDRAWN && revoked != NULL)
		return refuse_by(x->a, "session-revoked-by-guardian", revoked,
				 "the guardian has revoked the consent: an operator can lift that (keepgate guardian "
				 "lift)");
	if (x->s->session->state != SESSION_ACTIVE)
		return refuse(x->a, "session-revoked", "the session is revoked: ask an operator for a new consent");
	if (x->s->session->expires <= x->v->wall())
		return refuse(x->a, "consent-expired", "the consent has expired: ask an operator for a new one");
	return KG_OK;
}

static int check_upstream(struct attach *x)
{
	const struct upstream *u = vault_upstream(x->v, x->upstream);

	x->s->upstream = u;
	if (u == NULL)
		return refuse(x->a, "upstream-unknown", "no server of this name is configured");
	if (u->key == NULL || !tools_known(u->tools))
		return release_refuse(x->a, GRANT_UNAVAILABLE, "upstream-away",
				      "server \"%s\" has not listed its tools to vaultd yet: try again in a moment",
				      u->server->name);
	return KG_OK;
}

static int check_consent(struct attach *x)
{
	int n;

	if (ipc_copy(x->name, x->s->tool, sizeof(x->s->tool)) != KG_OK || x->s->tool[0] == '\0')
		return refuse(x->a, "tool-name", "the tool's name is empty");
	n = snprintf(x->path, sizeof(x->path), "%s/%s", x->s->upstream->server->name, x->s->tool);
	if (n < 0 || (size_t)n >= sizeof(x->path) || !session_covers(x->s->session, x->path))
		return refuse(x->a, "not-in-consent",
			      "the consent does not cover this tool: ask an operator for one that does");
	return KG_OK;
}

static int check_hold(struct attach *x)
{
	const struct guard_order *o = guard_hold(x->v, x->s->upstream->server->name, x->s->tool);

	if (o == NULL)
		return KG_OK;
	if (o->act == GUARD_ACT_HOLD_SERVER)
		return refuse_by(x->a, "server-held", o, "the guardian has quarantined this server: ask an operator");
	return refuse_by(x->a, "tool-held", o, "the guardian has quarantined this tool: ask an operator");
}

/* What the server lists now must be what was accepted: its own word counts, not the one of a moment ago. */
static int check_pin(struct attach *x)
{
	const struct tool *t = tools_find(x->s->upstream->tools, x->s->tool);
	const struct pin *pin = pins_find(x->s->upstream->pins, x->s->tool);

	if (t == NULL)
		return refuse(x->a, "tool-unknown", "the server lists no such tool");
	if (pin != NULL && pin->held)
		return refuse(x->a, "tool-held",
			      "the tool is held: an operator can release it (keepgate tools release)");
	if (pin == NULL || !pin->has_accepted)
		return refuse(x->a, "tool-pending",
			      "the tool is not accepted yet: an operator can look at it and accept it (keepgate tools "
			      "accept)");
	if (sodium_memcmp(pin->accepted, t->sha256, HASH_LEN) != 0)
		return refuse(x->a, "tool-changed",
			      "the tool's definition has changed since it was accepted: an operator can look at the "
			      "difference (keepgate tools diff) and accept it");
	x->s->pin = pin;
	x->s->tier = t->tier;
	return KG_OK;
}

static int check_suspended(struct attach *x)
{
	if (session_suspends(x->s->session, x->path))
		return refuse(x->a, "tool-changed-since-consent",
			      "the tool has changed since the consent was granted: an operator can confirm the consent "
			      "(keepgate consent confirm)");
	return KG_OK;
}

/* Nobody consents to destruction in advance: such a call needs a consent for writing, and its own approval. */
static int check_tier(struct attach *x)
{
	uint8_t needed = x->s->tier >= TIER_DESTRUCTIVE ? TIER_WRITE : x->s->tier;

	if (needed > x->s->session->tier)
		return refuse(
			x->a, "tier-above-consent",
			"the tool writes and the consent is for reading: ask an operator for one with --tier write");
	return KG_OK;
}

/* Each leaves behind what the next one needs. */
static int (*const checks[])(struct attach *x) = {
	check_session, check_upstream, check_consent, check_hold, check_pin, check_suspended, check_tier,
};

static int run_checks(struct attach *x)
{
	if (check_seal(x->v, x->a) != KG_OK)
		return KG_E_DENIED;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i](x) != KG_OK)
			return KG_E_DENIED;
	return KG_OK;
}

int attach_subject(struct vault *v, const uint8_t session[ID_LEN], struct ipc_bytes upstream, struct ipc_bytes name,
		   struct attach_subject *out, struct release_answer *a)
{
	struct attach x = {.v = v, .upstream = upstream, .name = name, .a = a, .s = out};

	*out = (struct attach_subject){.session = sessions_by_id(v->sessions, session)};
	if (out->session == NULL)
		return refuse(a, "session-unknown", "there is no such session");
	return run_checks(&x);
}

/* Counts what would go out; before the approval, which is not to be used up for nothing. */
static int check_rate(struct attach *x)
{
	struct session *s = x->s->session;
	uint64_t wait_s;

	if (rate_take(&s->rate, s->limits.rate, loop_now_ns(), &wait_s))
		return KG_OK;
	return release_refuse(x->a, GRANT_DENIED, "rate-limited",
			      "the guardian lets this session make at most %u calls a minute: try again in %llu s",
			      s->limits.rate, (unsigned long long)wait_s);
}

static bool wants_approval(const struct attach_subject *s)
{
	return s->tier >= TIER_DESTRUCTIVE ||
	       (s->session->limits.approval_tier != 0 && s->tier >= s->session->limits.approval_tier);
}

/* Whatever the broker says: without an approval of its own no destructive call is made, nor one of a tier for which the
 * guardian wants it. */
static int check_approval(struct vault *v, const struct ipc_attach *m, const struct attach_subject *s,
			  struct release_answer *a)
{
	struct approval_call c = {s->session, s->upstream, s->tool, m->args_sha256, s->pin->accepted};
	bool named = !sodium_is_zero(m->approval, ID_LEN);
	uint8_t none[HASH_LEN];

	sha256("{}", 2, none);
	/* A person is shown the arguments: nothing may go with them. */
	if (named && sodium_memcmp(m->meta_sha256, none, HASH_LEN) != 0)
		return refuse(a, "approval-mismatch", "the call carries _meta, which nobody has approved");
	if (named)
		return approval_use(v, m->approval, &c, m->txn, a);
	if (!wants_approval(s))
		return KG_OK;
	if (s->tier < TIER_DESTRUCTIVE)
		return refuse(a, "approval-required",
			      "the guardian wants the approval of a person for each call of this tier");
	return refuse(a, "approval-required", "the tool is destructive: a person must approve each call of it");
}

void attach_call(struct vault *v, const struct ipc_attach *m, struct release_answer *a)
{
	struct attach_subject s = {0};
	struct attach x = {.v = v, .upstream = m->upstream, .name = m->name, .a = a, .s = &s};
	uint8_t digest[HASH_LEN];
	struct call_id id;

	if (check_token(v, m, &s.session, a) != KG_OK || run_checks(&x) != KG_OK || check_rate(&x) != KG_OK ||
	    check_approval(v, m, &s, a) != KG_OK || labels_take(v, s.session, s.upstream->server, s.tool, a) != KG_OK)
		return;
	/* With the session that the token led to: a digest for another session's call opens nothing. */
	id = (struct call_id){.session = s.session->id,
			      .upstream = s.upstream->server->name,
			      .method = m->method,
			      .name = {m->name.p, m->name.n},
			      .txn = m->txn,
			      .args_sha256 = m->args_sha256,
			      .meta_sha256 = m->meta_sha256};
	call_digest(&id, digest);
	if (release_credentials(v, s.upstream, digest, false, a) != KG_OK)
		return;
}

void attach_self(struct vault *v, const struct upstream *u, const struct ipc_self_attach *m, struct release_answer *a)
{
	static const uint8_t no_session[ID_LEN];
	uint8_t nothing[HASH_LEN], digest[HASH_LEN];
	struct call_id id = {.session = no_session,
			     .upstream = u->server->name,
			     .method = m->method,
			     .name = {"", 0},
			     .txn = m->txn,
			     .args_sha256 = nothing,
			     .meta_sha256 = nothing};
	bool spawn = m->method == SELF_SPAWN;

	/* Who pages must be able to: a sealed vault is when people are needed. A server that is held may still be
	 * listed, so that one can look at it. */
	if ((u->peer == NULL || u->peer->role != IPC_ROLE_PAGER) && check_seal(v, a) != KG_OK)
		return;
	if ((m->method != SELF_CONNECT && !spawn) || (spawn && u->server->is_http)) {
		release_refuse(a, GRANT_DENIED, "method",
			       "a role connects to its server, or starts it; nothing else is its own act");
		return;
	}
	sha256("", 0, nothing);
	call_digest(&id, digest);
	if (release_credentials(v, u, digest, spawn, a) != KG_OK)
		return;
}
