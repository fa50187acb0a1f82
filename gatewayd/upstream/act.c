#include "gatewayd/upstream/act.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/log.h"
#include "gatewayd/upstream/upstream.h"

#define ANSWER_S 10 /* as long as a receipt would live anyway */
#define SEALED_MAX 32768

static const uint8_t no_session[ID_LEN];

static void send_outcome(struct upstream *u, const uint8_t txn[ID_LEN], uint64_t seq, enum outcome_kind outcome,
			 const char *reason_code)
{
	struct ipc_self_outcome m = {
		.intent_seq = seq, .outcome = (uint8_t)outcome, .reason_code = ipc_text(reason_code)};

	memcpy(m.txn, txn, ID_LEN);
	m.latency_us = (loop_now_ns() - u->act.begun_ns) / 1000;
	if (u->links.recorder)
		ipc_send(u->links.recorder, IPC_SELF_OUTCOME, &m);
}

void act_end(struct upstream *u, enum outcome_kind outcome, const char *reason_code)
{
	struct act *a = &u->act;

	if (a->state == ACT_NONE)
		return;
	event_del(a->timer);
	buf_free(&a->sealed);
	if (a->has_receipt) {
		send_outcome(u, a->txn, a->seq, outcome, reason_code);
	} else {
		a->orphan = a->id;
		memcpy(a->orphan_txn, a->txn, ID_LEN);
	}
	a->state = ACT_NONE;
}

/* Ends the act without its having begun. */
static void refuse(struct upstream *u, const char *reason_code, const char *why)
{
	struct act *a = &u->act;
	act_answer answer = a->answer;
	char told[sizeof(a->why)];

	if (a->state != ACT_ASKED)
		return;
	/* The answer may begin the next act, which overwrites this one. */
	snprintf(told, sizeof(told), "%s", why);
	act_end(u, OUTCOME_UNSENT, reason_code);
	answer(u, NULL, told);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct upstream *u = arg;

	(void)fd, (void)what;
	refuse(u, "timeout", u->act.has_receipt ? "the vault did not answer" : "the audit recorder did not answer");
}

int act_begin(struct upstream *u, uint8_t method, act_answer answer)
{
	static const struct timeval limit = {ANSWER_S, 0};
	struct act *a = &u->act;
	struct ipc_self_intent intent = {.method = method};
	struct ipc_self_attach attach = {.method = method};
	uint64_t orphan = a->orphan;
	uint8_t orphan_txn[ID_LEN];

	if (a->state != ACT_NONE)
		return KG_E_STATE;
	if (!links_keyed(u))
		return KG_E_UNAVAILABLE;
	if (!a->timer)
		a->timer = evtimer_new(loop_base(u->role->loop), on_timeout, u);
	if (!a->timer)
		return KG_E_NOMEM;
	memcpy(orphan_txn, a->orphan_txn, ID_LEN);
	*a = (struct act){.state = ACT_ASKED, .id = a->id + 1, .method = method, .answer = answer, .timer = a->timer};
	a->orphan = orphan;
	memcpy(a->orphan_txn, orphan_txn, ID_LEN);
	a->begun_ns = loop_now_ns();
	randombytes_buf(a->txn, sizeof(a->txn));
	buf_init(&a->sealed, SEALED_MAX);
	intent.call = attach.call = a->id;
	memcpy(intent.txn, a->txn, ID_LEN);
	memcpy(attach.txn, a->txn, ID_LEN);
	ipc_send(u->links.recorder, IPC_SELF_INTENT, &intent);
	ipc_send(u->links.vault, IPC_SELF_ATTACH, &attach);
	event_add(a->timer, &limit);
	return 0;
}

void act_report(struct upstream *u, uint8_t violation)
{
	struct act *a = &u->act;
	uint8_t nothing[HASH_LEN], digest[HASH_LEN];
	struct call_id id = {.session = no_session, .upstream = u->server->name, .method = a->method, .name = {"", 0}};

	sha256("", 0, nothing);
	id.txn = a->txn;
	id.args_sha256 = id.meta_sha256 = nothing;
	call_digest(&id, digest);
	links_violation(u, violation, &id, digest);
}

static void check(struct upstream *u)
{
	struct act *a = &u->act;
	struct credential_set *creds = NULL;
	uint8_t nothing[HASH_LEN];

	/* A denial waits for the receipt, too, so that the recorded intent gets its outcome. */
	if (!a->has_receipt || !a->has_seal)
		return;
	if (a->denied[0] != '\0') {
		refuse(u, a->denied, a->why);
		return;
	}
	sha256("", 0, nothing);
	struct guard_claim c = {
		.id = {.session = no_session, .method = a->method, .name = {"", 0}, .txn = a->txn},
		.seq = a->seq,
		.expires_ns = a->expires_ns,
		.mac = a->mac,
		.sealed = buf_ptr(&a->sealed),
		.sealed_len = buf_len(&a->sealed),
	};
	c.id.args_sha256 = c.id.meta_sha256 = nothing;
	if (guard_check(u->guard, &c, loop_now_ns(), &creds) != 0) {
		refuse(u, "refused", "the receipt or the credentials for it were not right");
		return;
	}
	a->state = ACT_GRANTED;
	event_del(a->timer);
	a->answer(u, creds, NULL);
}

int act_on_receipt(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_self_receipt *m = msg;
	struct upstream *u = arg;
	struct act *a = &u->act;

	(void)conn, (void)fd;
	if (m->call == a->orphan && a->orphan != 0 && m->status == GRANT_OK) {
		send_outcome(u, a->orphan_txn, m->seq, OUTCOME_UNSENT, "given-up");
		a->orphan = 0;
		return 0;
	}
	if (a->state != ACT_ASKED || m->call != a->id || a->has_receipt)
		return 0;
	if (m->status != GRANT_OK) {
		refuse(u, "unrecorded", "the audit recorder cannot record it");
		return 0;
	}
	a->has_receipt = true;
	a->seq = m->seq;
	a->expires_ns = m->expires_ns;
	memcpy(a->mac, m->mac, HASH_LEN);
	check(u);
	return 0;
}

int act_on_attached(struct ipc_conn *conn, const void *msg, int fd, void *arg)
{
	const struct ipc_self_attached *m = msg;
	struct upstream *u = arg;
	struct act *a = &u->act;

	(void)conn, (void)fd;
	if (a->state != ACT_ASKED || m->call != a->id || a->has_seal)
		return 0;
	a->has_seal = true;
	if (m->status != GRANT_OK) {
		snprintf(a->denied, sizeof(a->denied), "%.*s", (int)m->reason_code.n, (const char *)m->reason_code.p);
		if (a->denied[0] == '\0')
			snprintf(a->denied, sizeof(a->denied), "denied");
		snprintf(a->why, sizeof(a->why), "the vault gives no credentials: %.*s", (int)m->reason.n,
			 (const char *)m->reason.p);
	} else if (buf_put(&a->sealed, m->sealed.p, m->sealed.n) != 0) {
		return KG_E_NOMEM;
	}
	check(u);
	return 0;
}

void act_peer_lost(struct upstream *u, enum ipc_role peer)
{
	if (peer == IPC_ROLE_VAULT)
		refuse(u, "vault-away", "the vault is away");
	else if (peer == IPC_ROLE_RECORDER)
		refuse(u, "recorder-away", "the audit recorder is away");
}
