/* The broker's connection: what it needs to know goes there, calls to be attached or approved come from there. */
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "vaultd/answers.h"
#include "vaultd/approvals.h"
#include "vaultd/attach.h"
#include "vaultd/catalogue.h"
#include "vaultd/guard.h"
#include "vaultd/ops.h"
#include "vaultd/vault.h"

/* What the agent of a session that the guardian has stopped is told, here as at an attach; "" when it has not. */
static const char *why_stopped(const struct vault *v, const struct session *x)
{
	const struct guard_order *o = NULL;

	if (x->state == SESSION_PAUSED)
		o = guard_pause(v, x->id);
	else if (x->state == SESSION_WITHDRAWN)
		o = guard_revoked(v, x->consent);
	return o == NULL ? "" : o->reason;
}

static void send_session(struct peer *p, const struct session *x)
{
	struct ipc_session_put m = {.tier = x->tier,
				    .state = x->state,
				    .expires_unix = x->expires,
				    .human = ipc_text(x->human),
				    .agent = ipc_text(x->agent),
				    .tools = ipc_text(x->tools),
				    .suspended = ipc_text(x->suspended),
				    .approval_tier = x->limits.approval_tier,
				    .rate = x->limits.rate,
				    .labels = ipc_text(session_labels(x)),
				    .why = ipc_text(why_stopped(p->vault, x))};

	memcpy(m.session, x->id, ID_LEN);
	memcpy(m.consent, x->consent, ID_LEN);
	memcpy(m.token_hash, x->token_hash, HASH_LEN);
	ipc_send(p->conn, IPC_SESSION_PUT, &m);
}

/* Revoked ones too: a broker that has just started must know their tokens from those that never were. */
static void send_unless_over(struct session *x, void *arg)
{
	struct peer *p = arg;

	if (x->expires > p->vault->wall())
		send_session(p, x);
}

static void put_policy_state(uint64_t revision, const uint8_t *manifest, struct store_text data, void *arg)
{
	struct ipc_policy_state m = {.revision = revision, .data = ipc_mem(data.p, data.n)};

	if (manifest != NULL)
		memcpy(m.manifest, manifest, HASH_LEN);
	ipc_send(((struct peer *)arg)->conn, IPC_POLICY_STATE, &m);
}

/* Without it the broker has no policies, and so denies everything: that is right for a database that cannot be read. */
static void send_policy_state(struct peer *p)
{
	if (store_policy_get(p->vault->store, put_policy_state, p) != KG_OK)
		log_warn("vault.db: what is kept for the policies cannot be read");
}

void broker_opened(struct peer *p)
{
	struct ipc_sessions_synced m = {0};

	send_policy_state(p);
	catalogue_send(p);
	sessions_each(p->vault->sessions, send_unless_over, p);
	approvals_send(p);
	ipc_send(p->conn, IPC_SESSIONS_SYNCED, &m);
}

void broker_push(struct vault *v, const struct session *x)
{
	for (struct peer *p = v->peers; p != NULL; p = p->next)
		if (p->role == IPC_ROLE_BROKER) {
			p->pushed++;
			send_session(p, x);
		}
	if (x->state != SESSION_ACTIVE)
		approvals_session_ended(v, x->id);
}

static int on_put_taken(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	(void)c, (void)msg, (void)fd;
	return answers_taken(arg);
}

static int on_attach(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_attach *m = msg;
	struct peer *p = arg;
	struct release_answer a = {.status = GRANT_DENIED, .code = ""};
	struct ipc_attached reply = {.call = m->call};

	(void)fd;
	attach_call(p->vault, m, &a);
	reply.status = a.status;
	reply.reason_code = ipc_text(a.code);
	reply.reason = ipc_text(a.reason);
	if (a.status == GRANT_OK)
		reply.sealed = ipc_mem(buf_ptr(&p->vault->sealed), buf_len(&p->vault->sealed));
	ipc_send(c, IPC_ATTACHED, &reply);
	return KG_OK;
}

static int on_approval_ask(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	(void)c, (void)fd;
	return approval_asked(arg, msg);
}

static int on_approval_checked(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	(void)c, (void)fd;
	return approval_checked(arg, msg);
}

struct kept {
	uint64_t revision;
	uint8_t manifest[HASH_LEN]; /* all zero: of no signed set */
};

static void read_kept(uint64_t revision, const uint8_t *manifest, struct store_text data, void *arg)
{
	struct kept *k = arg;

	(void)data;
	k->revision = revision;
	if (manifest != NULL)
		memcpy(k->manifest, manifest, HASH_LEN);
}

/* The reason why not, or NULL. A revision of 0 leaves the one that is kept. */
static const char *keep_policy(struct vault *v, const struct ipc_policy_keep *m)
{
	struct store_text data = {m->has_data ? (const void *)m->data.p : NULL, m->has_data ? m->data.n : 0};
	struct kept kept = {0};

	if (store_policy_get(v->store, read_kept, &kept) != KG_OK)
		return "vault.db cannot be read: see vaultd's log";
	if (m->revision > INT64_MAX)
		return "no revision is as high as that";
	if (m->revision != 0 && m->revision < kept.revision)
		return "a higher revision has been in force: an older set does not come back";
	if (m->revision != 0 && m->revision == kept.revision && !sodium_is_zero(kept.manifest, HASH_LEN) &&
	    sodium_memcmp(m->manifest, kept.manifest, HASH_LEN) != 0)
		return "another set of this revision has been in force: sign it with a higher one";
	if (store_policy_put(v->store, m->revision, m->manifest, data) != KG_OK)
		return "vault.db cannot be written: see vaultd's log";
	return NULL;
}

static int on_policy_keep(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_policy_keep *m = msg;
	const char *why = keep_policy(((struct peer *)arg)->vault, m);
	struct ipc_policy_kept reply = {
		.id = m->id, .status = why == NULL ? GRANT_OK : GRANT_DENIED, .reason = ipc_text(why)};

	(void)fd;
	ipc_send(c, IPC_POLICY_KEPT, &reply);
	return KG_OK;
}

static const struct ipc_op ops[] = {
	{IPC_ATTACH, on_attach},
	{IPC_APPROVAL_ASK, on_approval_ask},
	{IPC_APPROVAL_CHECKED, on_approval_checked},
	{IPC_POLICY_KEEP, on_policy_keep},
	{IPC_PUT_TAKEN, on_put_taken},
};
const struct ipc_handlers broker_handlers = {ops, sizeof(ops) / sizeof(ops[0]), peer_closed};
