/* What vaultd says: acts that must be on record before they are done, and signed heads. */
#include "guardiand/recorder/checkpoint.h"
#include "guardiand/recorder/recorder.h"
#include "guardiand/recorder/respond.h"

#define MEMBERS_MAX 32768u

static int on_event(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_vault_event *m = msg;
	struct recorder *r = arg;
	struct ipc_vault_event_recorded done = {.id = m->id, .status = GRANT_OK};
	struct leaf_event e = {.phase = PHASE_STATE, .kind = "admin", .event = m->kind};
	struct buf members;

	(void)fd;
	buf_init(&members, MEMBERS_MAX);
	/* What cannot be written down is not done; vaultd itself is not at fault for a strange name in it. */
	if (leaf_canonical(m->members.p, m->members.n, &members) != KG_OK)
		done.status = GRANT_DENIED;
	e.members = ipc_mem(buf_ptr(&members), buf_len(&members));
	if (done.status == GRANT_OK && commit_leaf(r->commit, &e, COMMIT_URGENT, &done.seq) != KG_OK)
		done.status = GRANT_DENIED;
	if (done.status == GRANT_OK && r->guard != NULL)
		respond_vault_event(r->guard->responses, m->kind, m->members);
	buf_free(&members);
	commit_answer(r->commit, c, IPC_VAULT_EVENT_RECORDED, &done, sizeof(done));
	return KG_OK;
}

static int on_signed(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	struct recorder *r = arg;
	int err = checkpoint_signed(r->checkpointer, msg);

	(void)c, (void)fd;
	if (r->stopping && !checkpoint_waits(r->checkpointer))
		loop_stop(r->loop);
	return err;
}

static void on_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct recorder *r = arg;

	if (reason != NULL)
		violation_record(r, "", "protocol", reason, NULL);
	commit_forget(r->commit, c);
	checkpoint_reset(r->checkpointer);
	r->vault = NULL;
	if (r->stopping)
		loop_stop(r->loop);
	else if (r->want_vault != NULL)
		r->want_vault(r->want_arg);
}

static int on_guard_done(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	struct recorder *r = arg;

	(void)c, (void)fd;
	return r->guard == NULL ? KG_E_PROTO : respond_done(r->guard->responses, msg);
}

static const struct ipc_op vault_ops[] = {
	{IPC_VAULT_EVENT, on_event},
	{IPC_GUARD_DONE, on_guard_done},
	{IPC_CHECKPOINT_SIGNED, on_signed},
};

static const struct ipc_handlers vault_handlers = {vault_ops, sizeof(vault_ops) / sizeof(vault_ops[0]), on_closed};

void recorder_vault(struct recorder *r, int fd)
{
	if (r->vault != NULL) {
		commit_forget(r->commit, r->vault);
		ipc_close(r->vault);
	}
	r->vault = ipc_open(r->loop, fd, IPC_ROLE_RECORDER, IPC_ROLE_VAULT, IPC_ST_READY, &vault_handlers, r);
	checkpoint_reset(r->checkpointer);
	if (r->guard != NULL)
		respond_connected(r->guard->responses);
}
