#include "gatewayd/broker/gate.h"

#include <stdio.h>

#include <sodium.h>

#include "gatewayd/broker/reply.h"

static const struct gate_refusal unknown = {
	401,
	RPC_REFUSED,
	"token-unknown",
	"the session token is not known here: ask an operator for a session (keepgate consent grant)",
	false,
	false};

static const struct gate_refusal ended[] = {
	[SESSION_END_PAUSED] = {403, RPC_REFUSED, "session-paused",
				"this agent session is paused: an operator resumes it with: keepgate session resume ",
				true, true},
	/* As the paused one it comes back, so it is not told to look for another token; and it is no revoked token that
	   somebody still has (rule revoked-token). */
	[SESSION_END_WITHDRAWN] = {403, RPC_REFUSED, "session-revoked-by-guardian",
				   "the guardian has revoked the consent of this agent session: ask an operator, who "
				   "can lift that (keepgate consent show tells the response, keepgate guardian lift "
				   "ends it)",
				   false, true},
	[SESSION_END_REVOKED] =
		{401, RPC_REFUSED, "session-revoked",
		 "this agent session is revoked: ask an operator for a new one (keepgate consent grant)", false, false},
	[SESSION_END_EXPIRED] =
		{401, RPC_REFUSED, "session-expired",
		 "this agent session has expired: ask an operator for a new one (keepgate consent grant)", false,
		 false},
};

const struct gate_refusal *gate_ended(enum session_end why)
{
	return &ended[why];
}

const struct gate_refusal *gate_check(const struct session *s, uint64_t now_unix)
{
	if (s == NULL)
		return &unknown;
	if (s->state == SESSION_REVOKED)
		return &ended[SESSION_END_REVOKED];
	if (session_expired(s, now_unix))
		return &ended[SESSION_END_EXPIRED];
	if (s->state == SESSION_WITHDRAWN)
		return &ended[SESSION_END_WITHDRAWN];
	if (s->state == SESSION_PAUSED)
		return &ended[SESSION_END_PAUSED];
	return NULL;
}

void gate_text(const struct gate_refusal *g, const struct session *s, char *out, size_t size)
{
	char id[2 * ID_LEN + 1] = "";

	if (g->resumable)
		sodium_bin2hex(id, sizeof(id), s->id, ID_LEN);
	if (g->of_guardian && s->why[0] != '\0')
		snprintf(out, size, "%s%s%s%s", s->why, g->resumable ? " (keepgate session resume " : "", id,
			 g->resumable ? ")" : "");
	else
		snprintf(out, size, "%s%s", g->text, id);
}
