#include "vaultd/vault.h"

#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "vaultd/acts.h"
#include "vaultd/approvals.h"
#include "vaultd/catalogue.h"
#include "vaultd/checkpoint.h"
#include "vaultd/chores.h"
#include "vaultd/guard.h"
#include "vaultd/named.h"
#include "common/operators.h"
#include "vaultd/secrets.h"
#include "vaultd/sessions.h"
#include "vaultd/tools.h"

#define SEALED_MAX 32768

uint64_t vault_wall_clock(void)
{
	return (uint64_t)time(NULL);
}

static int load_session(const struct store_session *x, void *arg)
{
	struct vault *v = arg;

	return sessions_add(v->sessions, x, v->wall());
}

static void load_suspended(struct session *x, void *arg)
{
	named_refresh(arg, x);
}

static int load_secret(const struct store_secret *x, void *arg)
{
	return secrets_put(((struct vault *)arg)->secrets, x);
}

static void load_upstreams(struct vault *v)
{
	v->upstreams = calloc(config_links(v->config) + 1, sizeof(*v->upstreams));
	if (v->upstreams == NULL)
		log_fatal(KG_EXIT_FAILURE, "servers: out of memory");
	for (size_t i = 0; i < config_links(v->config); i++)
		v->upstreams[i] = (struct upstream){
			.server = config_link_at(v->config, i), .tools = tools_new(), .pins = pins_new()};
}

struct vault *vault_new(const struct config *config, struct loop *loop, struct secret *master, struct store *store,
			uint64_t (*wall)(void))
{
	struct vault *v = calloc(1, sizeof(*v));
	int r;

	if (v == NULL)
		log_fatal(KG_EXIT_FAILURE, "vaultd: out of memory");
	*v = (struct vault){.config = config, .loop = loop, .master = master, .store = store, .wall = wall};
	v->started_ns = loop_now_ns();
	buf_init(&v->sealed, SEALED_MAX);
	/* First what proves that the master key is the right one. */
	v->checkpoint = checkpoint_new(store, master, config->origin);
	v->sessions = sessions_new();
	v->secrets = secrets_new();
	v->acts = acts_new();
	v->approvals = approvals_new();
	v->guard = guard_new();
	v->operators = operators_load();
	load_upstreams(v);
	r = catalogue_load(v);
	if (r == KG_OK)
		r = store_sessions_live(store, v->wall(), load_session, v);
	if (r == KG_OK)
		sessions_each(v->sessions, load_suspended, v);
	if (r == KG_OK)
		r = guard_load(v);
	if (r == KG_OK)
		r = store_secrets_each(store, load_secret, v);
	if (r != KG_OK)
		log_fatal(KG_EXIT_STORE, "vault.db: cannot be loaded: %s", kg_strerror(r));
	return v;
}

void vault_free(struct vault *v)
{
	while (v->peers != NULL)
		peer_close(v->peers);
	chores_free(v);
	acts_free(v->acts);
	approvals_free(v->approvals);
	guard_free(v->guard);
	for (size_t i = 0; i < config_links(v->config); i++) {
		tools_free(v->upstreams[i].tools);
		pins_free(v->upstreams[i].pins);
	}
	free(v->upstreams);
	operators_free(v->operators);
	secrets_free(v->secrets);
	sessions_free(v->sessions);
	checkpoint_free(v->checkpoint);
	buf_free(&v->sealed);
	free(v);
}

static struct upstream *find(struct vault *v, struct ipc_bytes name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ipc_is(name, v->upstreams[i].server->name))
			return &v->upstreams[i];
	return NULL;
}

struct upstream *vault_upstream(struct vault *v, struct ipc_bytes name)
{
	return find(v, name, v->config->nservers);
}

struct upstream *vault_link(struct vault *v, struct ipc_bytes name)
{
	return find(v, name, config_links(v->config));
}
