/* Where the next set would decide otherwise: counted, and a few each second on record. */
#include "gatewayd/broker/policies_in.h"

#include <sodium.h>

#include "common/log.h"
#include "gatewayd/broker/broker.h"

#define TOLD_PER_SECOND 10

static bool has_room(struct shadow_count *n)
{
	uint64_t second = loop_now_ns() / 1000000000ull;

	if (n->second != second) {
		n->second = second;
		n->told = 0;
	}
	return n->told < TOLD_PER_SECOND;
}

static const char *word(const struct policy_decision *v)
{
	if (v->allow)
		return "permit";
	return (v->help & POLICY_HELP_APPROVAL) != 0 ? "approval" : "deny";
}

static json_t *members_of(const struct policies *p, const struct policy_request *q, const struct policy_decision *now,
			  const struct policy_decision *next)
{
	char hash[POLICY_HEX_SIZE], shadow[POLICY_HEX_SIZE], session[2 * ID_LEN + 1];

	policies_hex(hash, p->hash);
	policies_hex(shadow, policy_set_hash(p->now.shadow));
	sodium_bin2hex(session, sizeof(session), q->session, ID_LEN);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "session", session, "human",
			 q->human, "agent", q->agent, "server", q->server, "tool", q->tool, "decision", word(now),
			 "policies", now->policies, "sha256", hash, "shadow_decision", word(next), "shadow_policies",
			 next->policies, "shadow_sha256", shadow, "passed_over", (json_int_t)p->shadow.passed_over);
}

void policies_shadow(struct policies *p, const struct policy_request *q, const struct policy_decision *v)
{
	struct policy_decision next;

	/* The arguments of a listing are unknown: what it shows is no decision. */
	if (p->now.shadow_decider == NULL || q->args == NULL)
		return;
	policy_decide(p->now.shadow_decider, q, &next);
	if (word(v) == word(&next))
		return;
	p->shadow.differences++;
	if (!has_room(&p->shadow) ||
	    events_send(p->b, "policy.shadow", members_of(p, q, v, &next), NULL, NULL) != KG_OK) {
		p->shadow.passed_over++;
		return;
	}
	p->shadow.told++;
	p->shadow.passed_over = 0;
}
