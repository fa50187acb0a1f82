#include "vaultd/attach.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/token.h"
#include "vaultd/approvals.h"

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

static int check_token(struct vault *v, const struct ipc_attach *m, const struct session **out,
		       struct release_answer *a)
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
	if (x->s->session->state == SESSION_PAUSED)
		return refuse(x->a, "session-paused",
			      "the session is paused: an operator can resume it (keepgate session resume)");
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
	check_session, check_upstream, check_consent, check_pin, check_suspended, check_tier,
};

static int run_checks(struct attach *x)
{
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

/* Whatever the broker says: without an approval of its own no destructive call is made. */
static int check_approval(struct vault *v, const struct ipc_attach *m, const struct attach_subject *s,
			  struct release_answer *a)
{
	struct approval_call c = {s->session, s->upstream, s->tool, m->args_sha256, s->pin->accepted};

	if (!sodium_is_zero(m->approval, ID_LEN))
		return approval_use(v, m->approval, &c, m->txn, a);
	if (s->tier >= TIER_DESTRUCTIVE)
		return refuse(a, "approval-required", "the tool is destructive: a person must approve each call of it");
	return KG_OK;
}

void attach_call(struct vault *v, const struct ipc_attach *m, struct release_answer *a)
{
	struct attach_subject s = {0};
	struct attach x = {.v = v, .upstream = m->upstream, .name = m->name, .a = a, .s = &s};
	uint8_t digest[HASH_LEN];
	struct call_id id;

	if (check_token(v, m, &s.session, a) != KG_OK || run_checks(&x) != KG_OK ||
	    check_approval(v, m, &s, a) != KG_OK)
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
