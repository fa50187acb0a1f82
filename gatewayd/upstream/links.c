#include "gatewayd/upstream/links.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/upstream/keys.h"
#include "gatewayd/upstream/upstream.h"

static const struct ipc_op broker_ops[] = {
	{IPC_CALL, calls_on_call},
	{IPC_CALL_CANCEL, calls_on_cancel},
};
static const struct ipc_op vault_ops[] = {
	{IPC_UPSTREAM_KEYED, keys_on_vault},
	{IPC_SELF_ATTACHED, act_on_attached},
};
static const struct ipc_op recorder_ops[] = {
	{IPC_RECEIPT_KEY, keys_on_recorder},
	{IPC_SELF_RECEIPT, act_on_receipt},
};

static void on_closed(struct ipc_conn *c, const char *reason, void *arg);

static const struct link_row {
	enum ipc_role peer;
	size_t place; /* of the connection in struct links */
	struct ipc_handlers handlers;
	void (*opened)(struct upstream *u);
	void (*lost)(struct upstream *u);
} rows[] = {
	{IPC_ROLE_BROKER,
	 offsetof(struct links, broker),
	 {broker_ops, 2, on_closed},
	 tools_publish_broker,
	 calls_drop_all},
	{IPC_ROLE_VAULT, offsetof(struct links, vault), {vault_ops, 2, on_closed}, keys_vault_begin, keys_vault_lost},
	{IPC_ROLE_RECORDER, offsetof(struct links, recorder), {recorder_ops, 2, on_closed}, NULL, keys_recorder_lost},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct ipc_conn **place(struct upstream *u, size_t row)
{
	return (struct ipc_conn **)(void *)((char *)&u->links + rows[row].place);
}

static void lost(struct upstream *u, size_t row)
{
	*place(u, row) = NULL;
	rows[row].lost(u);
	act_peer_lost(u, rows[row].peer);
	/* Before the lock there is no way to ask for another connection: the parent starts us again. */
	if (!u->role->control)
		log_fatal(KG_EXIT_UNAVAILABLE, "start: the connection to %s was lost", ipc_role_name(rows[row].peer));
}

static void on_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct upstream *u = arg;

	(void)reason;
	for (size_t i = 0; i < ROWS; i++) {
		if (*place(u, i) != c)
			continue;
		lost(u, i);
		/* The pair with the broker is made anew by the parent when either end has restarted. */
		if (rows[i].peer != IPC_ROLE_BROKER)
			role_want_peer(u->role, rows[i].peer, u->links.index[i]);
	}
}

void links_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	struct upstream *u = r->arg;

	(void)name;
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].peer != peer)
			continue;
		if (*place(u, i)) {
			ipc_close(*place(u, i));
			lost(u, i);
		}
		u->links.index[i] = index;
		*place(u, i) = ipc_open(r->loop, fd, IPC_ROLE_UPSTREAM, peer, IPC_ST_READY, &rows[i].handlers, u);
		if (rows[i].opened)
			rows[i].opened(u);
		return;
	}
	log_warn("a connection to %s was given and is not wanted", ipc_role_name(peer));
	close(fd);
}

bool links_keyed(const struct upstream *u)
{
	return u->links.vault && u->links.recorder && u->guard->seal.has_now && u->guard->receipt.has_now;
}

void links_down(struct upstream *u, const char *why)
{
	struct ipc_upstream_down m = {.why = ipc_text(why)};

	if (u->links.broker)
		ipc_send(u->links.broker, IPC_UPSTREAM_DOWN, &m);
}

void links_violation(void *arg, uint8_t violation, const struct call_id *id, const uint8_t digest[HASH_LEN])
{
	struct upstream *u = arg;
	struct ipc_violation m = {.what = violation, .name = ipc_mem(id->name.p, id->name.n)};

	if (noise_allowed(&u->noise, loop_now_ns()))
		log_warn(violation == VIOLATION_ECHO
				 ? "server %s: an answer was withheld: %s: it held a credential that was released to it"
				 : "server %s: a call was refused: %s: a process before this one sent what it may not",
			 u->server->name, violation_name(violation));
	memcpy(m.txn, id->txn, ID_LEN);
	memcpy(m.digest, digest, HASH_LEN);
	if (u->links.recorder)
		ipc_send(u->links.recorder, IPC_VIOLATION, &m);
}
