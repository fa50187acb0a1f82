#include "vaultd/attach.h"

#include <stdio.h>
#include <string.h>

#include "common/token.h"
#include "vaultd/sessions.h"
#include "vaultd/tools.h"

/* What the checks have found so far. */
struct attach {
	struct vault *v;
	const struct ipc_attach *m;
	struct release_answer *a;
	const struct session *session;
	const struct upstream *upstream;
	char tool[TOOL_NAME_MAX + 1];
};

static int refuse(struct attach *x, const char *code, const char *reason)
{
	return release_refuse(x->a, GRANT_DENIED, code, "%s", reason);
}

static int check_method(struct attach *x)
{
	if (x->m->method != MCP_TOOLS_CALL)
		return refuse(x, "method", "only tools/call goes to a server under a consent");
	return KG_OK;
}

static int check_token(struct attach *x)
{
	uint8_t hash[HASH_LEN];

	if (!token_well_formed((const char *)x->m->token.p, x->m->token.n))
		return refuse(x, "token-malformed", "the token does not have the form of one");
	token_hash((const char *)x->m->token.p, x->m->token.n, hash);
	x->session = sessions_by_token(x->v->sessions, hash);
	if (x->session == NULL)
		return refuse(x, "token-unknown", "the token belongs to no session: ask an operator for a consent");
	return KG_OK;
}

static int check_session(struct attach *x)
{
	if (x->session->state == SESSION_PAUSED)
		return refuse(x, "session-paused",
			      "the session is paused: an operator can resume it (keepgate session resume)");
	if (x->session->state != SESSION_ACTIVE)
		return refuse(x, "session-revoked", "the session is revoked: ask an operator for a new consent");
	if (x->session->expires <= x->v->wall())
		return refuse(x, "consent-expired", "the consent has expired: ask an operator for a new one");
	return KG_OK;
}

static int check_upstream(struct attach *x)
{
	x->upstream = vault_upstream(x->v, x->m->upstream);
	if (x->upstream == NULL)
		return refuse(x, "upstream-unknown", "no server of this name is configured");
	if (x->upstream->key == NULL || !tools_known(x->upstream->tools))
		return release_refuse(x->a, GRANT_UNAVAILABLE, "upstream-away",
				      "server \"%s\" has not listed its tools to vaultd yet: try again in a moment",
				      x->upstream->server->name);
	return KG_OK;
}

static int check_consent(struct attach *x)
{
	char path[SERVER_NAME_MAX + 1 + TOOL_NAME_MAX + 1];
	int n;

	if (ipc_copy(x->m->name, x->tool, sizeof(x->tool)) != KG_OK || x->tool[0] == '\0')
		return refuse(x, "tool-name", "the tool's name is empty");
	n = snprintf(path, sizeof(path), "%s/%s", x->upstream->server->name, x->tool);
	if (n < 0 || (size_t)n >= sizeof(path) || !session_covers(x->session, path))
		return refuse(x, "not-in-consent",
			      "the consent does not cover this tool: ask an operator for one that does");
	return KG_OK;
}

static int check_tier(struct attach *x)
{
	uint8_t tier = tools_tier(x->upstream->tools, x->tool);

	if (tier >= TIER_DESTRUCTIVE)
		return refuse(x, "destructive",
			      "the tool is destructive, or unknown: an operator can classify it (tiers of the server "
			      "in the configuration)");
	if (tier > x->session->tier)
		return refuse(
			x, "tier-above-consent",
			"the tool writes and the consent is for reading: ask an operator for one with --tier write");
	return KG_OK;
}

/* Each leaves behind what the next one needs. */
static int (*const checks[])(struct attach *x) = {
	check_method, check_token, check_session, check_upstream, check_consent, check_tier,
};

void attach_call(struct vault *v, const struct ipc_attach *m, struct release_answer *a)
{
	struct attach x = {.v = v, .m = m, .a = a};
	uint8_t digest[HASH_LEN];
	struct call_id id;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i](&x) != KG_OK)
			return;
	/* With the session that the token led to: a digest for another session's call opens nothing. */
	id = (struct call_id){.session = x.session->id,
			      .upstream = x.upstream->server->name,
			      .method = m->method,
			      .name = {m->name.p, m->name.n},
			      .txn = m->txn,
			      .args_sha256 = m->args_sha256,
			      .meta_sha256 = m->meta_sha256};
	call_digest(&id, digest);
	if (release_credentials(v, x.upstream, digest, false, a) != KG_OK)
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
