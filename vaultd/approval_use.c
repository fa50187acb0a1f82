/* An approval on its way into a call: once, for exactly what was approved. */
#include <string.h>

#include "vaultd/acts.h"
#include "vaultd/admin.h"
#include "vaultd/approvals.h"

static int refuse(struct release_answer *a, const char *code, const char *reason)
{
	return release_refuse(a, GRANT_DENIED, code, "%s", reason);
}

static json_t *use_members(const struct approval *x, const uint8_t txn[ID_LEN])
{
	char id[ID_HEX_LEN + 1], session[ID_HEX_LEN + 1], call[ID_HEX_LEN + 1];

	id_hex(x->id, id);
	id_hex(x->session, session);
	id_hex(txn, call);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "approval", id, "txn", call, "session", session,
			 "server", x->upstream->server->name, "tool", x->tool, "human", x->human, "agent", x->agent,
			 "approver", x->approver);
}

/* The first, second, fourth, eighth ... replay is on record, with the count: a loop of them does not fill the log. */
static int refuse_replay(struct vault *v, struct approval *x, const uint8_t txn[ID_LEN], struct release_answer *a)
{
	json_t *members;

	if (x->replays < 1u << 30)
		x->replays++;
	if ((x->replays & (x->replays - 1)) == 0) {
		members = use_members(x, txn);
		json_object_set_new(members, "times", json_integer((json_int_t)x->replays));
		act_note(v, "approval.replayed", members);
	}
	return refuse(a, "approval-used", "this approval has been used: a call needs one of its own");
}

static int check_state(struct vault *v, struct approval *x, const uint8_t txn[ID_LEN], struct release_answer *a)
{
	if (x->state == APPROVAL_USED)
		return refuse_replay(v, x, txn, a);
	if (x->state == APPROVAL_DENIED)
		return refuse(a, "approval-denied", "a person has denied this call");
	if (x->state == APPROVAL_EXPIRED || x->expires <= v->wall())
		return refuse(a, "approval-expired", "the approval has expired: ask again");
	if (x->state != APPROVAL_APPROVED)
		return refuse(a, "approval-required", "nobody has approved this call yet");
	return KG_OK;
}

int approval_use(struct vault *v, const uint8_t id[ID_LEN], const struct approval_call *c, const uint8_t txn[ID_LEN],
		 struct release_answer *a)
{
	struct approval *x = approvals_find(v->approvals, id);

	if (x == NULL)
		return refuse(a, "approval-expired", "vaultd knows no such approval, or not any more: ask again");
	if (!approval_is_for(x, c))
		return refuse(a, "approval-mismatch",
			      "the approval is for another call: other arguments, another tool or definition, or "
			      "another session");
	if (check_state(v, x, txn, a) != KG_OK)
		return KG_E_DENIED;
	/* That it is used must be on its way to the record; the call's intent is there already. */
	if (act_note(v, "approval.used", use_members(x, txn)) != KG_OK)
		return release_refuse(a, GRANT_UNAVAILABLE, "recorder-away",
				      "the use of an approval cannot be put on record now: try again in a moment");
	x->state = APPROVAL_USED;
	approval_wipe(x);
	approvals_push(v, x);
	return KG_OK;
}
