/* An upstream role's connection: named by its parent, keyed by itself, then its tools and its own acts. */
#include <string.h>

#include "common/kx.h"
#include "common/log.h"
#include "vaultd/attach.h"
#include "vaultd/catalogue.h"
#include "vaultd/ops.h"
#include "vaultd/tools.h"

/* guardiand's roles get what is theirs, and gatewayd's never that. */
static bool is_its_kind(const struct peer *p, const struct upstream *u)
{
	bool channel = config_server_find(p->vault->config, u->server->name) == NULL &&
		       strncmp(u->server->name, CONFIG_PAGER_LINK, strlen(CONFIG_PAGER_LINK)) == 0;

	return channel == (p->role == IPC_ROLE_PAGER);
}

static int on_name(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_upstream_name *m = msg;
	struct peer *p = arg;
	struct upstream *u = vault_link(p->vault, m->upstream);

	(void)fd;
	if (u == NULL) {
		log_warn("a role of an unknown server has come: vaultd and gatewayd read different configurations: "
			 "restart both");
		return KG_E_DENIED;
	}
	if (!is_its_kind(p, u))
		return KG_E_DENIED;
	/* The parent has started the role anew: what the old one agreed is worth nothing any more. */
	if (u->peer != NULL)
		peer_close(u->peer);
	p->upstream = u;
	u->peer = p;
	ipc_set_state(c, IPC_ST_NAMED);
	return KG_OK;
}

static int on_key(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_upstream_key *m = msg;
	struct peer *p = arg;
	struct ipc_upstream_keyed reply = {0};
	struct secret *mine = secret_new(KX_LEN), *key = secret_new(HASH_LEN);
	int r;

	(void)fd;
	upstream_key_pair(reply.public_key, secret_bytes(mine));
	r = upstream_key_agree(true, secret_bytes(mine), reply.public_key, m->public_key, secret_bytes(key));
	secret_free(&mine);
	if (r != KG_OK) {
		secret_free(&key);
		return r;
	}
	secret_protect(key);
	secret_move(&p->upstream->key, &key);
	ipc_set_state(c, IPC_ST_READY);
	ipc_send(c, IPC_UPSTREAM_KEYED, &reply);
	return KG_OK;
}

/* The external decision point's role has none, nor has the pager. */
static bool has_tools(const struct peer *p)
{
	return vault_upstream(p->vault, ipc_text(p->upstream->server->name)) != NULL;
}

static int on_tool(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_tool_tier *m = msg;
	struct peer *p = arg;
	char name[TOOL_NAME_MAX + 1];
	struct tool_told x = {name, m->tier, m->floor, m->definition.p, m->definition.n};

	(void)c, (void)fd;
	if (!has_tools(p) || ipc_copy(m->name, name, sizeof(name)) != KG_OK)
		return KG_E_PROTO;
	return tools_tell(p->upstream->tools, m->generation, &x);
}

static int on_tools_done(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_tool_tiers_done *m = msg;
	struct upstream *u = ((struct peer *)arg)->upstream;
	int r;

	(void)c, (void)fd;
	if (!has_tools(arg))
		return KG_E_PROTO;
	r = tools_done(u->tools, m->generation, m->count, u->server);
	return r == KG_OK ? catalogue_listed(((struct peer *)arg)->vault, u) : r;
}

static int on_self_attach(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_self_attach *m = msg;
	struct peer *p = arg;
	struct release_answer a = {.status = GRANT_DENIED, .code = ""};
	struct ipc_self_attached reply = {.call = m->call};

	(void)fd;
	attach_self(p->vault, p->upstream, m, &a);
	reply.status = a.status;
	reply.reason_code = ipc_text(a.code);
	reply.reason = ipc_text(a.reason);
	if (a.status == GRANT_OK)
		reply.sealed = ipc_mem(buf_ptr(&p->vault->sealed), buf_len(&p->vault->sealed));
	ipc_send(c, IPC_SELF_ATTACHED, &reply);
	return KG_OK;
}

void upstream_gone(struct peer *p)
{
	struct upstream *u = p->upstream;

	if (u == NULL)
		return;
	u->peer = NULL;
	secret_free(&u->key);
	tools_clear(u->tools);
}

static const struct ipc_op ops[] = {
	{IPC_UPSTREAM_NAME, on_name},         {IPC_UPSTREAM_KEY, on_key},        {IPC_TOOL_TIER, on_tool},
	{IPC_TOOL_TIERS_DONE, on_tools_done}, {IPC_SELF_ATTACH, on_self_attach},
};
const struct ipc_handlers upstream_handlers = {ops, sizeof(ops) / sizeof(ops[0]), peer_closed};
