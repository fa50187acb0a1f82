/* Connections to the broker and the vault, and which messages are taken from each. */
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "gatewayd/pdp/pdp.h"

static const struct ipc_op broker_ops[] = {{IPC_PDP_ASK, asks_on_ask}};
static const struct ipc_op vault_ops[] = {
	{IPC_UPSTREAM_KEYED, pass_on_keyed},
	{IPC_SELF_ATTACHED, pass_on_attached},
};

/* The pair with the broker is made anew by the parent when either end has restarted. */
static void on_broker_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct pdp *p = arg;

	(void)c, (void)reason;
	p->broker = NULL;
	asks_drop_all(p);
}

static void on_vault_closed(struct ipc_conn *c, const char *reason, void *arg)
{
	struct pdp *p = arg;

	(void)c, (void)reason;
	p->vault = NULL;
	pass_vault_lost(p);
	role_want_peer(p->role, IPC_ROLE_VAULT, p->vault_index);
}

static const struct ipc_handlers broker_handlers = {broker_ops, 1, on_broker_closed};
static const struct ipc_handlers vault_handlers = {vault_ops, 2, on_vault_closed};

static void take_broker(struct pdp *p, int fd)
{
	if (p->broker != NULL) {
		ipc_close(p->broker);
		p->broker = NULL;
		asks_drop_all(p);
	}
	p->broker = ipc_open(p->role->loop, fd, IPC_ROLE_PDP, IPC_ROLE_BROKER, IPC_ST_READY, &broker_handlers, p);
}

static void take_vault(struct pdp *p, uint32_t index, int fd)
{
	if (p->vault != NULL) {
		ipc_close(p->vault);
		p->vault = NULL;
		pass_vault_lost(p);
	}
	p->vault_index = index;
	p->vault = ipc_open(p->role->loop, fd, IPC_ROLE_PDP, IPC_ROLE_VAULT, IPC_ST_READY, &vault_handlers, p);
	pass_vault_begin(p);
}

void links_peer(struct role *r, enum ipc_role peer, uint32_t index, const char *name, int fd)
{
	(void)name;
	if (peer == IPC_ROLE_BROKER) {
		take_broker(r->arg, fd);
	} else if (peer == IPC_ROLE_VAULT) {
		take_vault(r->arg, index, fd);
	} else {
		log_warn("a connection to %s was given and is not wanted", ipc_role_name(peer));
		close(fd);
	}
}

void pdp_init(struct pdp *p, struct role *role)
{
	p->role = role;
	p->config = &role->config->policy.external;
	json_init(&p->doc);
	pass_init(p);
	asks_init(p);
}

void pdp_free(struct pdp *p)
{
	asks_free(p);
	pass_free(p);
	ipc_close(p->broker);
	ipc_close(p->vault);
	json_free(&p->doc);
}
