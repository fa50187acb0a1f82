/* The recorder's connection: acts that are on record, heads of the tree to sign, orders of the guardian. */
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "vaultd/acts.h"
#include "vaultd/checkpoint.h"
#include "vaultd/guard.h"
#include "vaultd/ops.h"

static int on_recorded(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	(void)c, (void)fd;
	return acts_recorded(arg, msg);
}

/* Told once for a row of refusals: the recorder asks every second. */
static void tell_refusal(const struct checkpoint *signer, uint64_t size, const char *why)
{
	static const char *told;

	if (why != NULL && why != told)
		log_warn("checkpoint of size %" PRIu64 " not signed: %s (signed last: size %" PRIu64 ")", size, why,
			 checkpoint_size(signer));
	told = why;
}

/* A refusal carries the size and the note that were signed last: the recorder can then prove from there. */
static int on_checkpoint(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_checkpoint *m = msg;
	struct checkpoint *signer = ((struct peer *)arg)->vault->checkpoint;
	struct ipc_checkpoint_signed reply = {.status = GRANT_OK};
	const char *why;
	int r = checkpoint_sign(signer, m->size, m->root, m->proof.p, m->proof.n, &why);

	(void)fd;
	if (r != KG_OK)
		reply.status = r == KG_E_DENIED ? GRANT_DENIED : GRANT_UNAVAILABLE;
	tell_refusal(signer, m->size, why);
	reply.size = checkpoint_size(signer);
	reply.note = ipc_text(checkpoint_note(signer));
	ipc_send(c, IPC_CHECKPOINT_SIGNED, &reply);
	return KG_OK;
}

static int on_guard_act(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	(void)c, (void)fd;
	return guard_act_on(arg, msg);
}

static const struct ipc_op ops[] = {
	{IPC_VAULT_EVENT_RECORDED, on_recorded},
	{IPC_CHECKPOINT, on_checkpoint},
	{IPC_GUARD_ACT, on_guard_act},
};
const struct ipc_handlers recorder_handlers = {ops, sizeof(ops) / sizeof(ops[0]), peer_closed};
