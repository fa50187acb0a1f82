#include "gatewayd/upstream/keys.h"

#include <string.h>

#include <sodium.h>

#include "common/kx.h"
#include "common/log.h"
#include "gatewayd/upstream/upstream.h"

struct kx_pair {
	uint8_t public[KX_LEN], secret[KX_LEN];
};

void keys_vault_begin(struct upstream *u)
{
	struct ipc_upstream_key m = {0};
	struct kx_pair *pair = sodium_malloc(sizeof(*pair));

	if (!pair || sodium_mlock(pair, sizeof(*pair)) != 0)
		log_fatal(KG_EXIT_FAILURE,
			  "keys: memory cannot be locked: raise the limit of locked memory (ulimit -l)");
	upstream_key_pair(pair->public, pair->secret);
	memcpy(m.public_key, pair->public, KX_LEN);
	u->links.pair = pair;
	ipc_send(u->links.vault, IPC_UPSTREAM_KEY, &m);
}

static void pair_free(struct upstream *u)
{
	sodium_free(u->links.pair);
	u->links.pair = NULL;
}

int keys_on_vault(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_upstream_keyed *m = msg;
	struct upstream *u = arg;
	struct kx_pair *pair = u->links.pair;
	uint8_t key[HASH_LEN];

	(void)c, (void)fd;
	if (!pair || upstream_key_agree(false, pair->secret, pair->public, m->public_key, key) != 0)
		return KG_E_PROTO;
	guard_key_set(&u->guard->seal, key, loop_now_ns());
	sodium_memzero(key, sizeof(key));
	pair_free(u);
	tools_publish_vault(u);
	session_keys_changed(u);
	return 0;
}

int keys_on_recorder(struct ipc_conn *c, const void *msg, int fd, void *arg)
{
	const struct ipc_receipt_key *m = msg;
	struct upstream *u = arg;

	(void)c, (void)fd;
	guard_key_set(&u->guard->receipt, m->key, loop_now_ns());
	session_keys_changed(u);
	return 0;
}

void keys_vault_lost(struct upstream *u)
{
	pair_free(u);
	guard_key_drop(&u->guard->seal, loop_now_ns());
}

void keys_recorder_lost(struct upstream *u)
{
	guard_key_drop(&u->guard->receipt, loop_now_ns());
}
