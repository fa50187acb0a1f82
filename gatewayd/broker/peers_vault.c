/* What vaultd says: who is let in, what is accepted of tools, which calls people have approved. */
#include "gatewayd/broker/peers_vault.h"

#include "common/log.h"
#include "gatewayd/broker/approver.h"
#include "gatewayd/broker/call.h"
#include "gatewayd/broker/peers.h"
#include "gatewayd/broker/reply.h"
#include "gatewayd/broker/tool_changes.h"

/*
 * A put that came after the synchronisation is answered when it is in force, in the order in which they came: a pin
 * is when the policies know the tool, the others are at once.
 */
static void put_taken(struct broker *b, bool in_force)
{
	if (!sessions_synced(b->sessions))
		return;
	if (b->puts_owed++ == 0 && in_force)
		peers_puts_taken(b);
}

void peers_puts_taken(struct broker *b)
{
	static const struct ipc_put_taken taken = {0};

	for (; b->puts_owed > 0 && b->vault.conn != NULL; b->puts_owed--)
		ipc_send(b->vault.conn, IPC_PUT_TAKEN, &taken);
}

static int on_session_put(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct broker *b = ((struct peer *)arg)->broker;
	int r = sessions_put(b->sessions, msg);

	(void)conn, (void)fd;
	if (r == KG_E_PROTO)
		return r;
	if (sessions_synced(b->sessions))
		broker_watch_expiry(b);
	put_taken(b, true);
	if (r != KG_OK)
		log_warn("agent session of the vault: not let in: %s: end sessions that are not needed (keepgate "
			 "session list)",
			 kg_strerror(r));
	return KG_OK;
}

/* What waits for it goes on: allowed once, refused, or asked again. */
static int on_approval_put(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct broker *b = ((struct peer *)arg)->broker;
	const struct ipc_approval_put *m = msg;
	int r = approvals_put(b->approvals, m);

	(void)conn, (void)fd;
	if (r == KG_E_PROTO)
		return r;
	put_taken(b, true);
	if (r != KG_OK)
		log_warn("approval of the vault: not taken: %s: its call will ask for another", kg_strerror(r));
	if (m->state != APPROVAL_PENDING)
		held_wake(b, m->approval);
	return KG_OK;
}

static int on_pin_put(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct broker *b = ((struct peer *)arg)->broker;
	const struct ipc_pin_put *m = msg;
	int r = pins_put(b->pins, m);

	(void)conn, (void)fd;
	if (r == KG_E_PROTO)
		return r;
	if (r != KG_OK)
		log_warn("what is accepted of a tool: not taken: %s: the tool is refused", kg_strerror(r));
	policies_changed(b->policies);
	put_taken(b, !policies_pending(b->policies));
	tool_changes_look_one(b, m->server, m->name);
	return KG_OK;
}

static int on_sessions_synced(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	struct broker *b = ((struct peer *)arg)->broker;

	(void)conn, (void)msg, (void)fd;
	pins_sync_end(b->pins);
	policies_synced(b->policies);
	sessions_sync_end(b->sessions);
	approvals_sync_end(b->approvals);
	broker_watch_expiry(b);
	held_wake_orphans(b);
	tool_changes_look_all(b);
	return KG_OK;
}

static int on_policy_state(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return policies_state(((struct peer *)arg)->broker->policies, msg);
}

static int on_policy_kept(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return policies_kept(((struct peer *)arg)->broker->policies, msg);
}

/* A message about a call: late ones, whose call has ended, are no fault. */
static int on_attached(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return peers_call_message(arg, ((const struct ipc_attached *)msg)->call, CALL_EV_ATTACHED, msg);
}

static int on_approval_asked(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return peers_call_message(arg, ((const struct ipc_approval_asked *)msg)->call, CALL_EV_ASKED, msg);
}

static int on_approval_check(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	(void)conn, (void)fd;
	return approver_check(((struct peer *)arg)->broker, msg);
}

const struct ipc_op peers_vault_ops[PEERS_VAULT_OPS] = {
	{IPC_SESSION_PUT, on_session_put},
	{IPC_SESSIONS_SYNCED, on_sessions_synced},
	{IPC_ATTACHED, on_attached},
	{IPC_APPROVAL_PUT, on_approval_put},
	{IPC_APPROVAL_ASKED, on_approval_asked},
	{IPC_PIN_PUT, on_pin_put},
	{IPC_POLICY_STATE, on_policy_state},
	{IPC_POLICY_KEPT, on_policy_kept},
	{IPC_APPROVAL_CHECK, on_approval_check},
};

static void sync_begin(struct broker *b)
{
	sessions_sync_begin(b->sessions);
	approvals_sync_begin(b->approvals);
	pins_sync_begin(b->pins);
	b->puts_owed = 0;
}

/* Nobody knows who is still let in; running calls were let in before. */
void peers_vault_lost(struct peer *p)
{
	sync_begin(p->broker);
	calls_peer_lost(p->broker, CALL_EV_VAULT_LOST, NULL);
	lists_fail_all(p->broker, VAULT_AWAY);
	policies_vault_lost(p->broker->policies);
}

void peers_vault_back(struct peer *p)
{
	sync_begin(p->broker);
}
