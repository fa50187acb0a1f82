/* The broker's connection: sessions go there, calls to be attached come from there. */
#include <string.h>

#include "vaultd/answers.h"
#include "vaultd/attach.h"
#include "vaultd/ops.h"
#include "vaultd/vault.h"

static void send_session(struct peer *p, const struct session *x)
{
	struct ipc_session_put m = {.tier = x->tier,
				    .state = x->state,
				    .expires_unix = x->expires,
				    .human = ipc_text(x->human),
				    .agent = ipc_text(x->agent),
				    .tools = ipc_text(x->tools)};

	memcpy(m.session, x->id, ID_LEN);
	memcpy(m.consent, x->consent, ID_LEN);
	memcpy(m.token_hash, x->token_hash, HASH_LEN);
	ipc_send(p->conn, IPC_SESSION_PUT, &m);
}

static void send_if_live(struct session *x, void *arg)
{
	struct peer *p = arg;

	if (x->state != SESSION_REVOKED && x->expires > p->vault->wall())
		send_session(p, x);
}

void broker_opened(struct peer *p)
{
	struct ipc_sessions_synced m = {0};

	sessions_each(p->vault->sessions, send_if_live, p);
	ipc_send(p->conn, IPC_SESSIONS_SYNCED, &m);
}

void broker_push(struct vault *v, const struct session *x)
{
	for (struct peer *p = v->peers; p != NULL; p = p->next)
		if (p->role == IPC_ROLE_BROKER) {
			p->pushed++;
			send_session(p, x);
		}
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

static const struct ipc_op ops[] = {
	{IPC_ATTACH, on_attach},
	{IPC_PUT_TAKEN, on_put_taken},
};
const struct ipc_handlers broker_handlers = {ops, sizeof(ops) / sizeof(ops[0]), peer_closed};
